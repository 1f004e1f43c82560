// SPDX-License-Identifier: MIT
// Facts of the whole module: memory, globals, functions from outside.
//
// All of them start optimistic and only weaken. Whoever depends on a fact compares its version.
//
// The host, and other modules with it. Between two calls of exports it may write memory when the module exports
// it: everywhere, or only where `hostWrites` says. Nothing is known of an imported memory, whatever is said.
// During a call of an import that `hostPointers` lists it may write there and calls
// no export; during a call of another one it may write everywhere and call exports. It may always set mutable
// globals that it shares with the module.

import { rootsOf } from "../calls.ts";
import type { Func, Module } from "../ir.ts";
import { listedFunctions, sharesMemory } from "../sharing.ts";
import { type MemoryFacts, makeMemory, scatter } from "./memory.ts";
import { makeNumbers, type Numbers } from "./numbers.ts";
import {
  ANY,
  constant,
  isFewConstants,
  joinRanges,
  type Range,
  sameRange,
  widenRange,
} from "./range.ts";

/** Octets that an import may write: from a parameter on, a number of them or of elements that another says. */
export interface HostPointer {
  address: number;
  length: number | { parameter: number; octetsEach?: number };
  access: "read" | "write";
}

export interface HostRules {
  hostPointers?: Readonly<Record<string, readonly HostPointer[]>>; // by "module.field"
  hostWrites?: readonly { from: number; to: number }[]; // addresses, `to` not included
}

/** A function as its callers see it. */
export interface Summary {
  reached: boolean;
  parameters: (Range | undefined)[];
  results: (Range | undefined)[] | undefined; // undefined: it was not seen to return
  growths: number;
  inVersion: number;
  outVersion: number;
  writes: Map<number, number>; // start to end of what it and its callees may write
  globals: Set<number>; // that they may set
  anything: boolean; // they may change whatever there is
}

export interface Program {
  module: Module;
  numbers: Numbers;
  memory: MemoryFacts;
  globals: (Range | undefined)[];
  globalCells: number[]; // by global: the first one that is the same variable
  globalGrowths: number[];
  globalsVersion: number;
  summaries: Map<number, Summary>;
  host: HostRules;
  clock: number; // rises with each change of a summary
}

export interface Sizes {
  bytesMin: number;
  bytesMax: number;
}

/** The facts before anything was seen. */
export function makeProgram(module: Module, sizes: Sizes, host: HostRules): Program {
  const memory = makeMemory(imageOf(module, sizes.bytesMax), sizes);
  const program: Program = {
    module,
    numbers: makeNumbers(),
    memory,
    globals: module.globals.map(({ type, initial }) =>
      type === "i32" ? constant(Number(initial)) : undefined,
    ),
    globalCells: module.globals.map((_, index) => firstAlias(module, index)),
    globalGrowths: module.globals.map(() => 0),
    globalsVersion: 1,
    summaries: new Map(),
    host,
    clock: 1,
  };
  module.globals.forEach(({ type, imported, copyOf }, index) => {
    const unknown = isShared(module, index) || imported !== undefined || copyOf !== undefined;
    if (type === "i32" && unknown) program.globals[index] = ANY;
  });
  forgetWhatHostWrites(program);
  for (const index of entries(module)) {
    const summary = summaryOf(program, index);
    summary.reached = true;
    summary.parameters = summary.parameters.map(() => ANY);
  }
  return program;
}

// A module may import one variable twice.
function firstAlias({ globals }: Module, index: number): number {
  const own = globals[index]!.imported;
  if (own === undefined) return index;
  return globals.findIndex(
    ({ imported }) => imported?.module === own.module && imported.field === own.field,
  );
}

function forgetWhatHostWrites({ module, memory, host }: Program): void {
  const known =
    module.start === null &&
    module.data.every(({ place }) => typeof place === "string" || "at" in place);
  const shared = sharesMemory(module, host.hostWrites !== undefined);
  if (!known || shared) scatter(memory, 0, memory.bytesMax);
  for (const { from, to } of host.hostWrites ?? []) scatter(memory, from, to);
}

/** True when the host may set a global at any time. */
export function isShared({ globals, exports }: Module, index: number): boolean {
  const { mutable, imported } = globals[index]!;
  if (!mutable) return false;
  return imported !== undefined || exports.some((e) => e.kind === "global" && e.index === index);
}

// Functions of the table can be called with anything.
function entries(module: Module): number[] {
  return [...rootsOf(module), ...listedFunctions(module)].filter(
    (index) => index >= module.imports.length,
  );
}

function imageOf({ data, memory }: Module, bytes: number): Uint8Array {
  if (memory?.imported !== undefined) return new Uint8Array();
  const image = new Uint8Array(bytes);
  for (const { place, bytes: content } of data)
    if (typeof place !== "string" && "at" in place && place.at + content.length <= bytes)
      image.set(content, place.at);
  return image;
}

/** The summary of a defined function. */
export function summaryOf(program: Program, index: number): Summary {
  const known = program.summaries.get(index);
  if (known !== undefined) return known;
  const func = definedFunction(program.module, index);
  const made: Summary = {
    reached: false,
    parameters: func.signature.parameters.map(() => undefined),
    results: undefined,
    growths: 0,
    inVersion: 1,
    outVersion: 1,
    writes: new Map(),
    globals: new Set(),
    anything: false,
  };
  program.summaries.set(index, made);
  return made;
}

export function definedFunction(module: Module, index: number): Func {
  return module.functions[index - module.imports.length]!;
}

const WIDEN_AFTER = 6;
const GIVE_UP_AFTER = 40;

/** Widens one of a list of ranges so that a value is in it; true when it was not. */
export function growRange(
  ranges: (Range | undefined)[],
  index: number,
  value: Range,
  growths: number,
): boolean {
  const last = ranges[index];
  const joined = last === undefined ? value : joinRanges(last, value);
  if (last !== undefined && sameRange(joined, last)) return false;
  if (last === undefined || growths < WIDEN_AFTER || isFewConstants(joined)) ranges[index] = joined;
  else ranges[index] = growths < GIVE_UP_AFTER ? widenRange(last, joined, WIDEN_TO) : ANY;
  return true;
}

const WIDEN_TO = [-1, 0, 1, 255, 256, 65_535, 65_536, 2 ** 31 - 1];

/** A global is set to a value within a range. */
export function growGlobal(program: Program, index: number, value: Range): void {
  const { globals, globalGrowths } = program;
  if (!growRange(globals, index, value, globalGrowths[index]!)) return;
  globalGrowths[index]!++;
  program.globalsVersion = ++program.clock;
}

/** Octets that a function may write. */
export function addWrite(program: Program, summary: Summary, start: number, end: number): void {
  const last = summary.writes.get(start) ?? start;
  if (end <= last) return;
  summary.writes.set(start, end);
  summary.outVersion = ++program.clock;
}

/** A function may change whatever its callee may. */
export function addEffects(program: Program, summary: Summary, callee: Summary): void {
  for (const [start, end] of callee.writes) addWrite(program, summary, start, end);
  for (const index of callee.globals) addGlobal(program, summary, index);
  if (callee.anything) addAnything(program, summary);
}

export function addGlobal(program: Program, summary: Summary, index: number): void {
  if (summary.globals.has(index)) return;
  summary.globals.add(index);
  summary.outVersion = ++program.clock;
}

export function addAnything(program: Program, summary: Summary): void {
  if (summary.anything) return;
  summary.anything = true;
  summary.outVersion = ++program.clock;
}
