// SPDX-License-Identifier: MIT
// Builds the two modules of a node type: loop.wasm and link.wasm.
//
// Cached by the hash of all that goes in. Spec: SPEC.md §1. The same bytes run in the simulator, in real time and on a board; their SHA-256 names them.
// A module that imports more than its list is refused. Errors are Failures with the user's own file and line.

import { createHash } from "node:crypto";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { runApart } from "../run/apart.ts";
import { type BoardNode, onBoard } from "./board-values.ts";
import { hashTexts, putCached, takeCached } from "./cache.ts";
import { type Compiled, type CompileInput, work } from "./compile.ts";
import { doublesOf } from "./doubles.ts";
import { generateLink } from "./generate-link.ts";
import { generateLoop } from "./generate-loop.ts";
import { generateUses } from "./generate-uses.ts";
import { checkModule, checkSending, type ModuleName } from "./imports.ts";
import { readNode, show, type NodeFolder } from "./node.ts";
import { createSourceTree, LINK_ENTRY, LOOP_ENTRY, type TreeParts } from "./sources.ts";
import { compilerVersion, packageVersion } from "./version.ts";

const USES = "firmware/generated/uses.ts";

export interface BuiltModule {
  wasm: Uint8Array;
  hash: Uint8Array; // SHA-256 of wasm
}

export interface BuiltNode {
  folder: string; // absolute
  type: BoardNode; // with the values of the board
  loop: BuiltModule;
  link: BuiltModule;
}

export type Compile = (name: ModuleName, input: CompileInput) => Promise<Compiled>;

export interface BuildOptions {
  board?: string | undefined; // whose values of node.json apply; without one the node's own
  /** Ends the compiler, which then runs in a thread of its own; without one it runs here. */
  signal?: AbortSignal;
  compiling?: (what: string) => void; // called when something is not in the cache
  compile?: Compile; // in place of a thread for each module
}

/** Reads, checks and builds the node type of a folder; throws a Failure that lists what is wrong. */
export async function buildNode(folder: string, options: BuildOptions = {}): Promise<BuiltNode> {
  const node = readOn(folder, options.board);
  const buildLoop = () => buildModule("loop", node, loopParts(node), options);
  const buildLink = () => buildModule("link", node, linkParts(node), options);
  const [loop, link] =
    options.signal === undefined
      ? [await buildLoop(), await buildLink()] // one compiler at a time in a thread
      : await Promise.all([buildLoop(), buildLink()]);
  return { folder: node.folder, type: node.type, loop, link };
}

/** What the compiler gets for both modules of a folder, whether or not they are in the cache. */
export function compileInputs(folder: string, board?: string): [ModuleName, CompileInput][] {
  const node = readOn(folder, board);
  return [
    ["loop", { parts: loopParts(node), entry: LOOP_ENTRY }],
    ["link", { parts: linkParts(node), entry: LINK_ENTRY }],
  ];
}

type BoardFolder = NodeFolder & { type: BoardNode };

function readOn(folder: string, board: string | undefined): BoardFolder {
  const node = readNode(folder);
  return { ...node, type: onBoard(node.type, board) };
}

async function buildModule(
  name: ModuleName,
  node: BoardFolder,
  parts: TreeParts,
  options: BuildOptions,
): Promise<BuiltModule> {
  const texts = createSourceTree(parts).texts();
  const key = `${name}-${hashTexts([["asc", compilerVersion()], ...texts]).slice(0, 40)}`;
  const cached = takeCached(key);
  const wasm = cached ?? (await compileModule(name, node, parts, options));
  const problems = [...checkModule(name, wasm), ...checkSending(node.type, wasm)];
  if (problems.length > 0)
    throw new Failure(
      EXIT_FAILED,
      problems.map((problem) => `${show(node.folder)}: ${problem}`).join("\n"),
      "take the declaration out: a node reaches its machine through ferrule/loop only",
    );
  if (cached === undefined) putCached(key, wasm);
  return { wasm, hash: new Uint8Array(createHash("sha256").update(wasm).digest()) };
}

async function compileModule(
  name: ModuleName,
  node: BoardFolder,
  parts: TreeParts,
  { signal, compiling, compile }: BuildOptions,
): Promise<Uint8Array> {
  compiling?.(`${name} of ${show(node.folder)}`);
  const input = { parts, entry: name === "loop" ? LOOP_ENTRY : LINK_ENTRY };
  const module = new URL("./compile.ts", import.meta.url).href;
  const compiled = compile
    ? await compile(name, input)
    : signal
      ? await runApart<CompileInput, Compiled>(module, input, { signal })
      : await work(input);
  if (compiled.ok) return compiled.wasm;
  throw new Failure(
    EXIT_FAILED,
    compiled.errors.join("\n"),
    node.hasLoop && name === "loop"
      ? `mend it, then run: ferrule build ${show(node.folder)}`
      : "this is not your code: report it with your node.json",
  );
}

function loopParts(node: BoardFolder): TreeParts {
  const { constants, names, entry } = generateLoop(node.type);
  const overlay = {
    ...doublesOf(node.type),
    "firmware/generated/loop.ts": constants,
    [USES]: generateUses(node.type),
    "node_modules/ferrule/node.ts": names,
    [LOOP_ENTRY]: entry,
  };
  return { folder: node.folder, overlay };
}

function linkParts(node: BoardFolder): TreeParts {
  const overlay = {
    ...doublesOf(node.type),
    "firmware/generated/link.ts": generateLink(node.type, packageVersion()),
    [USES]: generateUses(node.type),
  };
  return { folder: undefined, overlay };
}
