// SPDX-License-Identifier: MIT
// A module as the translator sees it: functions as statements over expressions.
//
// Expressions have no effect but a trap; whatever writes is a statement, and statements run in the order of
// the module. Nothing has a value across control: results of blocks and calls are in locals of their own.
// So a stage may look at one statement at a time. Every instruction that can trap knows its octet in the
// module (`offset`), which is what a trap reports.
//
// i32 is a number 0..2^32-1; i64 a bigint 0..2^64-1; f32 and f64 are their bits, as those two.

export type ValueType = "i32" | "i64" | "f32" | "f64";

export interface Const {
  kind: "const";
  type: ValueType;
  value: number | bigint;
}

export interface LocalGet {
  kind: "local";
  type: ValueType;
  index: number;
}

export interface GlobalGet {
  kind: "global";
  type: ValueType;
  index: number;
}

export interface Load {
  kind: "load";
  type: ValueType;
  bytes: 1 | 2 | 4 | 8;
  signed: boolean; // a narrow load extends its sign
  displacement: number; // added to the address without wrapping
  address: Expression;
  offset: number;
}

export interface Unary {
  kind: "unary";
  op: string; // as WebAssembly writes it behind the dot
  type: ValueType;
  operandType: ValueType;
  operand: Expression;
  offset: number;
}

export interface Binary {
  kind: "binary";
  op: string;
  type: ValueType;
  operandType: ValueType;
  left: Expression;
  right: Expression;
  offset: number;
}

export interface Select {
  kind: "select";
  type: ValueType;
  condition: Expression;
  yes: Expression;
  no: Expression;
}

export interface MemorySize {
  kind: "memorySize";
  type: "i32";
}

export type Expression = Const | LocalGet | GlobalGet | Load | Unary | Binary | Select | MemorySize;

export interface Store {
  kind: "store";
  bytes: 1 | 2 | 4 | 8;
  displacement: number;
  address: Expression;
  value: Expression;
  offset: number;
}

export interface Call {
  kind: "call";
  callee: number;
  operands: Expression[];
  results: number[]; // locals
}

export interface CallIndirect {
  kind: "callIndirect";
  type: number; // index of the signature
  slot: Expression;
  operands: Expression[];
  results: number[];
  offset: number;
}

/** memory.copy, fill and init, table.copy and init: all take three operands and may trap. */
export interface Bulk {
  kind: "bulk";
  op: "memory.copy" | "memory.fill" | "memory.init" | "table.copy" | "table.init";
  segment: number; // of init
  operands: [Expression, Expression, Expression];
  offset: number;
}

/** A label is a number of its own in the function. A branch to a loop goes to its head, to others behind them. */
export interface Block {
  kind: "block";
  label: number;
  body: Statement[];
}

export interface Loop {
  kind: "loop";
  label: number;
  body: Statement[];
}

export interface If {
  kind: "if";
  condition: Expression;
  yes: Statement[];
  no: Statement[];
  never?: true; // proven not to hold: kept for the next analysis to know, and dropped before C
}

export type Statement =
  | { kind: "setLocal"; index: number; value: Expression }
  | { kind: "setGlobal"; index: number; value: Expression }
  | { kind: "drop"; value: Expression } // for the trap that may be in it
  | Store
  | Call
  | CallIndirect
  | Bulk
  | { kind: "grow"; result: number; delta: Expression }
  | { kind: "dropSegment"; of: "data" | "element"; segment: number }
  | Block
  | Loop
  | If
  | { kind: "branch"; label: number }
  | { kind: "branchTable"; selector: Expression; labels: number[]; otherwise: number }
  | { kind: "return"; values: Expression[] }
  | { kind: "unreachable"; offset: number };

export interface Signature {
  parameters: ValueType[];
  results: ValueType[];
}

export interface Func {
  index: number; // among all functions, imports first
  octet: number; // of the module, where the body begins; ascending by index
  type: number;
  signature: Signature;
  locals: ValueType[]; // parameters first
  body: Statement[];
}

export interface ImportedFunction {
  module: string;
  field: string;
  type: number;
  signature: Signature;
}

/** Whence an import comes. */
export interface Origin {
  module: string;
  field: string;
}

export interface Global {
  type: ValueType;
  mutable: boolean;
  initial: number | bigint;
  imported?: Origin;
  copyOf?: number; // starts as an imported global
}

/** Where a segment goes: an address, an imported global that holds it, or nowhere until init (passive). */
export type Place = { at: number } | { global: number } | "passive" | "dropped";

export interface DataSegment {
  place: Place;
  bytes: Uint8Array;
}

export interface ElementSegment {
  place: Place;
  functions: (number | null)[];
}

export interface Export {
  name: string;
  kind: "function" | "table" | "memory" | "global";
  index: number;
}

/** An imported one has at least `initial` slots. */
export interface Table {
  initial: number;
  imported?: Origin;
}

/** An imported one has at least `pages`, and may have become larger since. */
export interface Memory {
  pages: number;
  pagesMax: number;
  imported?: Origin;
}

export interface Module {
  types: Signature[];
  imports: ImportedFunction[];
  functions: Func[];
  globals: Global[];
  table: Table | null;
  memory: Memory | null;
  exports: Export[];
  start: number | null; // none after a snapshot
  data: DataSegment[];
  elements: ElementSegment[];
}

export const PAGE_BYTES = 65_536;

/** Signature of any function, imported or not. */
export function signatureOf(module: Module, index: number): Signature {
  const imported = module.imports[index];
  if (imported !== undefined) return imported.signature;
  const func = module.functions[index - module.imports.length];
  if (func === undefined) throw new RangeError(`no function ${index}`);
  return func.signature;
}

/** The function that an instruction was written in, by its octet; it may be inlined in another. */
export function functionAt({ functions }: Module, offset: number): number {
  const func = functions.findLast(({ octet }) => octet <= offset);
  if (func === undefined) throw new RangeError(`no function at octet ${offset}`);
  return func.index;
}
