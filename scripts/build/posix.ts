// SPDX-License-Identifier: MIT
// A node as a program of this machine: its modules as C with the posix host.
//
// board.c holds what node.json says of taps, outputs and period. Same input, same C. The compiler is cc, or what CC names.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { translate } from "../../aot/index.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { installLine } from "../run/debian.ts";
import { cacheFolder, dropOldest, hashTexts, makeFolders, writeWhole } from "./cache.ts";
import { hostKnown } from "./imports.ts";
import type { BuiltNode } from "./modules.ts";
import { toPinPlan } from "./plant.ts";
import { requireUpright } from "./polarity.ts";
import { polls } from "./polls.ts";
import { PROJECT } from "./sources.ts";

const BOARDS = join(PROJECT, "boards");
const HOST = join(BOARDS, "posix");
const FLAGS = [
  "-std=gnu11",
  "-O2",
  "-Wall",
  "-Wextra",
  "-ffp-contract=off",
  "-fno-strict-aliasing",
];

export interface PosixImage {
  program: string; // path
  sources: string; // folder of the C
  sizes?: undefined; // a process has no budget
  takes?: undefined;
}

/** Writes the C of a built node to a folder and makes the program in it. Throws Failure. */
export function buildPosix(built: BuiltNode, out: string): PosixImage {
  return compileBoard(built, sourcesOf(built), out);
}

const PROGRAMS_MAX = 20; // in the cache: about 2 MB

/** The program of a built node from the cache, made where it is not there. Throws Failure. */
export function cachedPosix(built: BuiltNode): string {
  const texts = sourcesOf(built);
  const host = [...filesOf(BOARDS), ...filesOf(HOST)].map((file) => [
    file,
    readFileSync(file, "utf8"),
  ]);
  const all = [...Object.entries(texts), ...host, ["cc", `${compiler()} ${FLAGS.join(" ")}`]];
  const folder = join(cacheFolder() ?? tmpdir(), "posix");
  const program = join(folder, `${hashTexts(all as [string, string][]).slice(0, 40)}.program`);
  if (existsSync(program)) return program;
  const out = mkdtempSync(join(tmpdir(), "ferrule-cc-"));
  try {
    const made = readFileSync(compileBoard(built, texts, out).program);
    makeFolders(folder);
    writeWhole(program, made);
    chmodSync(program, 0o700);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  dropOldest(folder, ".program", PROGRAMS_MAX);
  return program;
}

// C of the host in a folder, by full path.
function filesOf(folder: string): string[] {
  const names = readdirSync(folder).filter((file) => /\.[ch]$/.test(file));
  return names.toSorted().map((file) => join(folder, file));
}

function sourcesOf(built: BuiltNode): Record<string, string> {
  requireUpright(built.type, "posix");
  const texts: Record<string, string> = { "board.c": boardText(built) };
  for (const name of ["loop", "link"] as const) {
    const { wasm } = built[name];
    const { c, header } = translate(wasm, { name, ...hostKnown(wasm) });
    Object.assign(texts, { [`${name}.c`]: c, [`${name}.h`]: header });
  }
  return texts;
}

function compileBoard(built: BuiltNode, texts: Record<string, string>, out: string): PosixImage {
  const sources = join(out, "c");
  mkdirSync(sources, { recursive: true });
  for (const [file, text] of Object.entries(texts)) writeWhole(join(sources, file), text);
  const program = join(out, built.type.type);
  const host = [...filesOf(BOARDS), ...filesOf(HOST)].filter((file) => file.endsWith(".c"));
  const modules = ["loop.c", "link.c", "board.c"].map((file) => join(sources, file));
  compile([
    ...[...FLAGS, `-I${sources}`, `-I${HOST}`, "-pthread", "-o", program],
    ...[...host, ...modules, "-lrt"],
  ]);
  return { program, sources };
}

/** True when there is a C compiler. */
export function hasCompiler(): boolean {
  return spawnSync(compiler(), ["--version"]).status === 0;
}

/** What is said where there is none. */
export function noCompiler(): Failure {
  return new Failure(
    EXIT_NOT_FOUND,
    `there is no C compiler (${compiler()}) for the posix board`,
    installLine(["gcc", "libc6-dev"]),
  );
}

function compiler(): string {
  return process.env["CC"] ?? "cc";
}

function compile(args: string[]): void {
  const ran = spawnSync(compiler(), args, { encoding: "utf8" });
  if (ran.error !== undefined) throw noCompiler();
  if (ran.status !== 0)
    throw new Failure(
      EXIT_FAILED,
      `${compiler()} refuses the C of this node:\n${ran.stderr.slice(0, 2000)}`,
      "this is not your code: report it with your node.json",
    );
}

function boardText({ type, loop, link }: BuiltNode): string {
  const { outputs, digitalOutputs = [] } = toPinPlan(type);
  const taps = Object.values(type.taps).map(
    (tap) =>
      `{ ${tap.baud}, ${tap.format[0]}, '${tap.format[1]}', ${tap.format[2]}, ${polls(tap)} }`,
  );
  const pwm = outputs.map(({ output, safeDuty }) => `{ ${output}, ${safeDuty} }`);
  const digital = digitalOutputs.map(({ pin, safe }) => `{ ${pin}, ${safe} }`);
  return `// What node.json of ${type.type} says of the board. Made by the build.
#include "posix.h"
const char board_type[] = ${JSON.stringify(type.type)};
const uint32_t board_period_us = ${Math.round(type.periodMs * 1000)};
${list("struct board_tap", "board_taps", "board_tap_count", taps)}
${list("struct board_output", "board_pwm", "board_pwm_count", pwm)}
${list("struct board_output", "board_digital", "board_digital_count", digital)}
const uint8_t board_loop_hash[32] = { ${[...loop.hash].join(",")} };
const uint8_t board_link_hash[32] = { ${[...link.hash].join(",")} };
`;
}

function list(type: string, name: string, count: string, rows: readonly string[]): string {
  const size = Math.max(rows.length, 1);
  const text = rows.length > 0 ? rows.join(", ") : "{ 0 }";
  return `const ${type} ${name}[${size}] = { ${text} };\nconst unsigned ${count} = ${rows.length};`;
}
