// SPDX-License-Identifier: MIT
// What one function's C is written with: lines, temporaries, names, checks.

import type { BulkSpans } from "../analyse/evaluate.ts";
import type { Range } from "../analyse/range.ts";
import {
  type Expression,
  type Func,
  functionAt,
  type Module,
  type Statement,
  type ValueType,
} from "../ir.ts";
import type { MemoryObjects } from "./objects.ts";

export const C_TYPES: Record<ValueType, string> = {
  i32: "uint32_t",
  i64: "uint64_t",
  f32: "float",
  f64: "double",
};
export const C_SIGNED: Record<string, string> = { i32: "int32_t", i64: "int64_t" };

/** Kinds of traps, as X_trap() gets them; SPEC.md lists them. */
export const TRAP = {
  unreachable: 1,
  memory: 2,
  table: 3,
  divideByZero: 4,
  integerOverflow: 5,
  invalidConversion: 6,
  signature: 7,
  nullElement: 8,
  callDepth: 9,
} as const;

/** What the analysis knows of one access; without it an access is checked and may be misaligned. */
export interface AccessFact {
  inBounds: boolean;
  aligned: boolean;
  first: number; // address of the first octet: at least, and at most
  last: number;
  why: string; // for people
}

/** How C names what the module has. */
export interface Names {
  prefix: string;
  functions: readonly string[]; // by index, imports first
  globals: readonly string[];
  memory: string; // with `_size`: the variable that has its size
  table: string; // with `_size`: its slots, where other modules share it
  depth: string; // of calls
}

export interface Shape {
  module: Module;
  names: Names;
  bytes: number; // of memory
  grows: boolean; // memory may become larger: its size is a variable
  shared: { memory: boolean; table: boolean }; // with other modules
  live: ReadonlySet<number>; // functions that somebody reaches
  recursive: ReadonlySet<number>; // functions that count the depth of calls
  facts: ReadonlyMap<object, AccessFact>;
  spans: ReadonlyMap<object, BulkSpans>; // of instructions on whole ranges of memory
  entered: ReadonlyMap<Statement, boolean>; // loops whose first test surely holds
  safeDivisions: ReadonlySet<object>; // that cannot trap
  objects: MemoryObjects;
  rangeOf: (node: Expression) => Range | undefined; // of an i32, as far as is known
  segmentsUsed: ReadonlySet<string>; // of init and drop: "data3", "element0"
  helpers: Set<string>;
}

/** The C of one function while it grows. */
export interface Writer {
  shape: Shape;
  func: Func;
  lines: string[];
  depth: number; // of indentation
  temporaries: number;
  labelsUsed: Set<number>;
  reachesAnywhere: boolean; // accesses something that is in no object
  loops: number[]; // labels of the C loops around, innermost last; -1 for a switch
  behind: Map<number, number>; // block whose end is the end of this loop: label of block to label of loop
}

export function line(writer: Writer, text: string): void {
  writer.lines.push("  ".repeat(writer.depth) + text);
}

/** A new variable that holds the value of a C expression; a name or a literal is itself. */
export function hold(writer: Writer, type: ValueType, text: string): string {
  if (/^\w+$/.test(text)) return text;
  const name = `t${writer.temporaries++}`;
  line(writer, `const ${C_TYPES[type]} ${name} = ${text};`);
  return name;
}

/** Traps when the C condition holds. */
export function check(writer: Writer, condition: string, kind: number, offset: number): void {
  line(writer, `if (RARE(${condition})) ${trapCall(writer, kind, offset)};`);
}

/** Call of the trap; at offset 0 it belongs to the function itself and to no instruction. */
export function trapCall(writer: Writer, kind: number, offset: number): string {
  const { module } = writer.shape;
  const index = offset === 0 ? writer.func.index : functionAt(module, offset);
  return `${trapName(writer.shape)}(${kind}, ${index}, ${offset})`;
}

/** Modules that share a table count depth together: a trap ends the calls of all of them. */
export function trapName({ shared, names }: Shape): string {
  return `${names.prefix}_${shared.table ? "fail" : "trap"}`;
}

/** How many octets memory has, in C. */
export function memoryBytes({ grows, names, bytes }: Shape): string {
  return grows ? `${names.memory}_size.bytes` : `${bytes}u`;
}

/** How many slots the table has, in C. */
export function tableSlots({ module, names }: Shape): string {
  if (module.table?.imported !== undefined) return `${names.table}_size`;
  return `${module.table?.initial ?? 0}u`;
}

export function use(writer: Writer, helper: string): string {
  writer.shape.helpers.add(helper);
  return helper;
}

/** A literal of C. */
export function literal(writer: Writer, type: ValueType, value: number | bigint): string {
  if (type === "i32") return `${value}u`;
  if (type === "i64") return `${value}ull`;
  const float = floatOf(type, value);
  if (!isFinite(type, value)) {
    const bits = `0x${value.toString(16)}${type === "f32" ? "u" : "ull"}`;
    return `${use(writer, `${type}_of`)}(${bits})`;
  }
  const text = Object.is(float, -0) ? "-0.0" : String(float);
  const number = `${text}${/[.e]/.test(text) ? "" : ".0"}${type === "f32" ? "f" : ""}`;
  return text.startsWith("-") ? `(${number})` : number;
}

/** False for a NaN and an infinity, which C cannot write as a number. */
export function isFinite(type: ValueType, value: number | bigint): boolean {
  return !type.startsWith("f") || Number.isFinite(floatOf(type, value));
}

function floatOf(type: ValueType, bits: number | bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "f32") {
    view.setUint32(0, Number(bits));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, BigInt(bits));
  return view.getFloat64(0);
}
