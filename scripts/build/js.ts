// SPDX-License-Identifier: MIT
// A node as a bundle of a JavaScript board.
//
// Script, manifest, sizes, bill of parts, and a HEX where the board takes one.
// Same input, same octets, in whichever folder. A folder holds one script: another one there is refused. What does not
// fit the board is refused before anything is written.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { type Bundle, makeBundle } from "../../boards/js/bundle.ts";
import type { KnownAnswers, ShimPlan } from "../../boards/js/compose.ts";
import { knownAnswers, watchedFactory } from "../../boards/js/known.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { bundleHex } from "../run/espruino.ts";
import { writeTogether } from "../run/together.ts";
import { type JsBoard, readJsBoard } from "./js-board.ts";
import { importsOf, shimPlan } from "./js-plan.ts";
import { bundleSizes, type JsSizes, overBudget } from "./js-size.ts";
import type { BuiltNode } from "./modules.ts";
import { instrumentCached, packCached } from "./js-pack.ts";
import { billOfMaterials } from "./sbom.ts";
import { compilerVersion, packageVersion, versionOf } from "./version.ts";
import { constantExport } from "./wasm-facts.ts";

const KALUMA_MODULES = ["fs", "uart", "wifi"]; // that require() finds

export interface JsBundle {
  board: JsBoard;
  code: string;
  memory: { loop: number; link: number };
  takes: JsSizes;
}

export interface JsImage {
  program: string; // path of the script
  manifest: string;
  sbom: string;
  hex?: string;
  takes: JsSizes;
  sizes?: undefined; // it is measured otherwise
}

/** The bundle of a built node, whether or not it keeps its budget. Throws Failure for what does not fit the board. */
export async function makeJs(name: string, built: BuiltNode): Promise<JsBundle> {
  const board = readJsBoard(name);
  const plan = shimPlan(board, built);
  const wasm = { loop: built.loop.wasm, link: built.link.wasm };
  const memoryOf = (of: Uint8Array): number =>
    16 * Math.ceil(constantExport(of, "memoryBytes") / 16);
  const memory = { loop: memoryOf(wasm.loop), link: memoryOf(wasm.link) };
  const make = async (): Promise<Bundle> =>
    makeBundle({
      plan: { ...plan, answers: provenAnswers(plan, wasm) },
      loop: packCached("loop", wasm.loop),
      link: packCached("link", wasm.link),
      modules: board.espruino?.builtin_modules ?? KALUMA_MODULES,
    });
  const { code, octets } = await make().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    const next = "this is not your code: report it with your node.json";
    throw new Failure(EXIT_FAILED, `${name}: ${why}`, next, error);
  });
  const takes = bundleSizes(board, { bundle: code.length, ...octets, memory });
  return { board, code, memory, takes };
}

// The known run on modules that tell what JavaScript would get wrong: nothing may be told.
function provenAnswers(plan: ShimPlan, wasm: { loop: Uint8Array; link: Uint8Array }): KnownAnswers {
  const loop = watchedFactory("loop", instrumentCached(wasm.loop));
  const link = watchedFactory("link", instrumentCached(wasm.link));
  const answers = knownAnswers(plan, { loop: loop.factory, link: link.factory });
  const problems = [...loop.problems(), ...link.problems()];
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return answers;
}

/** Throws a Failure when a bundle takes more than it may. */
export function requireJsBudget(type: string, { board, takes }: JsBundle): void {
  const over = overBudget(takes);
  if (over.length === 0) return;
  throw new Failure(
    EXIT_FAILED,
    `${type} is over its budget on ${board.name}:\n  ${over.join("\n  ")}`,
    "take channels, alarms or set-points out, or take a board with more room",
  );
}

/** Makes the bundle of a built node in a folder. Throws Failure. */
export async function buildJs(name: string, built: BuiltNode, out: string): Promise<JsImage> {
  const bundle = await makeJs(name, built);
  requireJsBudget(built.type.type, bundle);
  return writeJs(bundle, built, out);
}

/** Writes a bundle and what goes with it. Throws Failure. */
export async function writeJs(bundle: JsBundle, built: BuiltNode, out: string): Promise<JsImage> {
  const { board, code, takes } = bundle;
  const { type } = built.type;
  const folder = resolve(out);
  refuseOthers(folder, `${type}.js`);
  const hex = board.espruino?.hex ? await bundleHex(board, code) : undefined;
  const files = {
    [`${type}.js`]: code,
    [`${type}.manifest.json`]: `${JSON.stringify(manifestOf(bundle, built), null, 2)}\n`,
    [`${type}.cdx.json`]: bill(bundle, built),
    [`${type}.size.json`]: `${JSON.stringify(takes, null, 2)}\n`,
    ...(hex !== undefined && { [`${type}.hex`]: hex }),
  };
  writeTogether(folder, files);
  const file = (ending: string): string => join(folder, `${type}.${ending}`);
  if (hex === undefined) rmSync(file("hex"), { force: true }); // of another board
  return {
    ...{ program: file("js"), manifest: file("manifest.json"), sbom: file("cdx.json") },
    ...(hex !== undefined && { hex: file("hex") }),
    takes,
  };
}

// What uploads a folder takes the one script in it.
function refuseOthers(folder: string, name: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const other = names.find((of) => of.endsWith(".js") && of !== name);
  if (other === undefined) return;
  throw new Failure(
    EXIT_FAILED,
    `${folder} already holds ${other}, and a folder holds one script`,
    "take another folder with --out, or remove that file",
  );
}

function manifestOf({ board, code, memory, takes }: JsBundle, { type, loop, link }: BuiltNode) {
  const module = (of: BuiltNode["loop"], memoryBytes: number): object => ({
    bytes: of.wasm.length,
    sha256: sha256(of.wasm),
    memoryBytes,
  });
  const { engine, firmware, network } = board;
  return {
    node: type.type,
    board: board.name,
    ...{ engine, firmware, network: network.kind, periodMs: type.periodMs },
    bundle: { file: `${type.type}.js`, bytes: code.length, sha256: sha256(code) },
    modules: { loop: module(loop, memory.loop), link: module(link, memory.link) },
    features: { loop: importsOf(loop.wasm), link: importsOf(link.wasm) },
    takes: takes.rows,
    tools: Object.fromEntries(tools().map(({ name, version }) => [name, version])),
  };
}

function bill({ code }: JsBundle, { type, loop, link }: BuiltNode): string {
  const version = packageVersion();
  return billOfMaterials({
    node: type.type,
    image: Buffer.from(code),
    parts: [
      { name: "ferrule-js", version, type: "firmware", license: "MIT" },
      { name: "loop.wasm", version, type: "application", sha256: sha256(loop.wasm) },
      { name: "link.wasm", version, type: "application", sha256: sha256(link.wasm) },
    ],
    tools: tools(),
  });
}

function tools(): { name: string; version: string }[] {
  const asc = createRequire(import.meta.resolve("assemblyscript"));
  return [
    { name: "ferrule", version: packageVersion() },
    { name: "assemblyscript", version: compilerVersion() },
    { name: "binaryen", version: versionOf("binaryen", asc) },
    ...["acorn", "astring", "espruino"].map((name) => ({ name, version: versionOf(name) })),
  ];
}

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
