// SPDX-License-Identifier: MIT
// A rule of the translator made wrong, and programs at whose edge that shows.
//
// A mutant is one change of one place of the source. Its programs put the end of an array, the end of memory,
// a wrap or a stale fact exactly there; V8 says what is right. Arrays end with memory, so that an element that
// is wrongly held to be in bounds is a trap that V8 has and C has not.

import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { readFileSync } from "node:fs";
import type { translate } from "../../aot/index.ts";
import { LIMITS } from "../../aot/inline.ts";
import { PROJECT } from "../support/ferrule.ts";
import { assembleModule, type FuncText, type ModuleText } from "./assemble.ts";
import type { Bits, Case } from "./native.ts";

export interface Mutant {
  rule: string; // what is true of the source as it stands
  file: string; // below aot/
  old: string; // stands there once
  now: string;
  programs: readonly Program[];
}

/** Function 0 is f(p, q) with four more locals; others follow from 1 on. */
export interface Program {
  code: string;
  others?: readonly FuncText[];
  module?: Partial<ModuleText>;
  operands?: readonly [Bits, Bits][];
  memoryBytes?: number;
}

export type Translate = typeof translate;

const PAGE = 65_536;
const FIRST = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 31, 127, 128, 255, 256, 65_534, 65_535, 65_536],
  ...[0x3fff_ffff, 0x4000_0001, 0x7fff_fff9, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001],
  ...[-1, -2, -3, -5, -8, -9, -128],
];
const SECOND = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 0x7fff_ffff, 0x8000_0000, -1, -3, -8];
const OPERANDS = FIRST.flatMap((p) => SECOND.map((q): [Bits, Bits] => [p >>> 0, q >>> 0]));

export const p = "local.get 0";
export const q = "local.get 1";
export const n = (value: number): string => `i32.const ${value}`;
export const get = (local: number): string => `local.get ${local}`;
export const set = (local: number, value: string): string => `${value}; local.set ${local}`;

/** An i32 instruction on operands. */
export function op(name: string, ...operands: string[]): string {
  return [...operands, `i32.${name}`].join("; ");
}

/** The result when the condition holds, else 77. */
export function when(condition: string, result: string, otherwise = n(77)): string {
  return `${condition}; if i32; ${result}; else; ${otherwise}; end`;
}

/** An access to the array of `count` elements at the end of memory, of octets, halfwords and words. */
export function last(count: number, index: string): Program[] {
  return [0, 1, 2].map((shift) => ({ code: element(count, index, shift) }));
}

export function element(count: number, index: string, shift = 0): string {
  const load = ["load8_u", "load16_u", "load"][shift]!;
  return `${op("shl", index, n(shift))}; i32.${load} ${PAGE - (count << shift)}`;
}

/** while (local < limit) { body; local += step }, from what the local has. */
export function counted(local: number, limit: string, body: string, step = 1): string {
  const next = set(local, op("add", get(local), n(step)));
  return `loop; ${op("lt_s", get(local), limit)}; if; ${body}; ${next}; br 1; end; end`;
}

const DATA = [
  { at: n(16), bytes: [9, 0, 0, 0] },
  { at: n(64), bytes: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 12] },
];

/** A program as a case; `translator` is the one under test. */
export function caseOf(program: Program, name: string, translator?: Translate): Case {
  const { code, others = [], module = {}, memoryBytes, operands = OPERANDS } = program;
  const f: FuncText = { type: "i32 i32 -> i32", locals: "i32 i32 i32 i32", code, export: "f" };
  const wasm = assembleModule({
    functions: [f, ...others.map(large)],
    memory: { pages: 1 },
    globals: [{ type: "i32", start: n(5) }],
    data: DATA,
    ...module,
  });
  return {
    name,
    wasm,
    calls: operands.map((pair) => ({ name: "f", operands: [...pair] })),
    ...(memoryBytes !== undefined && { options: { memoryBytes } }),
    ...(translator !== undefined && { translate: translator }),
  };
}

/** Too large to be inlined, so that what holds of calls is seen: it sets a local that nobody reads. */
export function large(func: FuncText): FuncText {
  const { type, locals = "", code } = func;
  const words = `${type.split("->")[0]} ${locals}`.split(" ").filter((word) => word !== "");
  const idle = `${set(words.length, n(0))}; `.repeat(LIMITS.callee);
  return { ...func, locals: `${locals} i32`.trim(), code: `${idle}${code}` };
}

/** The translator with one change. Throws when its place is not found, or twice. */
export async function mutate({
  rule,
  file,
  old,
  now,
}: Omit<Mutant, "programs">): Promise<Translate> {
  const path = join(PROJECT, "aot", file);
  const parts = readFileSync(path, "utf8").split(old);
  if (parts.length !== 2)
    throw new Error(`"${rule}": ${file} has its text ${parts.length - 1} times, not once: ${old}`);
  const change: Plugin = {
    name: "mutant",
    setup: (bundle) => {
      bundle.onLoad({ filter: /\.ts$/ }, (args) =>
        args.path === path ? { contents: parts.join(now), loader: "ts" } : undefined,
      );
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(PROJECT, "aot/index.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
    logLevel: "silent",
    plugins: [change],
  });
  const text = Buffer.from(outputFiles[0]!.contents).toString("base64");
  const loaded = (await import(`data:text/javascript;base64,${text}`)) as { translate: Translate };
  return loaded.translate;
}
