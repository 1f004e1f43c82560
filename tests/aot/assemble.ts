// SPDX-License-Identifier: MIT
// Modules for tests, octet by octet: instructions as text, in exactly that order.
//
// An own assembler and none of others', since those rearrange: what is under test is how a stack becomes
// statements. Numbers of opcodes come from the decoder's table; instructions of control are listed here.

import { memoryOperator, numericOperator, saturatingOperator } from "../../aot/decode/opcodes.ts";

export type Type = "i32" | "i64" | "f32" | "f64";

export interface FuncText {
  type: string; // "i32 i64 -> f32"
  locals?: string; // "i32 f64"
  code: string; // instructions, each on a line of its own or behind a semicolon
  export?: string;
}

export interface Origin {
  module: string;
  field: string;
}

export interface ModuleText {
  imports?: { module: string; field: string; type: string }[];
  globalImports?: { module: string; field: string; type: Type; mutable?: boolean }[];
  functions: FuncText[];
  table?: number; // slots, exported when tableExport is given
  tableExport?: string;
  tableFrom?: Origin; // of an import
  memory?: { pages: number; max?: number; export?: string; from?: Origin };
  globals?: { type: Type; start: string; mutable?: boolean; export?: string }[];
  start?: number;
  elements?: { at?: string; functions: number[] }[]; // passive without a place
  data?: { at?: string; bytes: readonly number[] }[];
  types?: string[]; // the first ones, for blocks and call_indirect by number
}

const TYPE_CODES: Record<string, number> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  void: 0x40,
};

// What follows an opcode: "u" unsigned, "w" and "s" signed, "b" block type, "t" a vector and one more, "0" zeros.
const CONTROL: Record<string, [octets: number[], immediates: string]> = {
  unreachable: [[0x00], ""],
  nop: [[0x01], ""],
  block: [[0x02], "b"],
  loop: [[0x03], "b"],
  if: [[0x04], "b"],
  else: [[0x05], ""],
  end: [[0x0b], ""],
  br: [[0x0c], "u"],
  br_if: [[0x0d], "u"],
  br_table: [[0x0e], "t"],
  return: [[0x0f], ""],
  call: [[0x10], "u"],
  call_indirect: [[0x11], "u0"],
  drop: [[0x1a], ""],
  select: [[0x1b], ""],
  "local.get": [[0x20], "u"],
  "local.set": [[0x21], "u"],
  "local.tee": [[0x22], "u"],
  "global.get": [[0x23], "u"],
  "global.set": [[0x24], "u"],
  "memory.size": [[0x3f], "0"],
  "memory.grow": [[0x40], "0"],
  "i32.const": [[0x41], "w"],
  "i64.const": [[0x42], "s"],
  "memory.init": [[0xfc, 8], "u0"],
  "data.drop": [[0xfc, 9], "u"],
  "memory.copy": [[0xfc, 10], "00"],
  "memory.fill": [[0xfc, 11], "0"],
  "table.init": [[0xfc, 12], "u0"],
  "elem.drop": [[0xfc, 13], "u"],
  "table.copy": [[0xfc, 14], "00"],
};

const ACCESSES = new Map<string, number>();
const NUMERIC = new Map<string, number[]>();
for (let code = 0x28; code < 0x3f; code++) ACCESSES.set(memoryOperator(code)!.name, code);
for (let code = 0x45; code < 0xc5; code++) NUMERIC.set(numericOperator(code)!.name, [code]);
for (let code = 0; code < 8; code++) NUMERIC.set(saturatingOperator(code)!.name, [0xfc, code]);

/** Octets of instructions; "octets fd 0c" are themselves, "f32.const 0x7fc00000" takes bits. */
export function assemble(code: string): number[] {
  return code.split(/[;\n]/).flatMap((text) => {
    const [name = "", ...words] = text.trim().split(/\s+/);
    return name === "" ? [] : instruction(name, words);
  });
}

function instruction(name: string, words: string[]): number[] {
  const numeric = NUMERIC.get(name);
  if (numeric !== undefined) return numeric;
  const access = ACCESSES.get(name);
  if (access !== undefined) return [access, 0, ...leb(BigInt(words[0] ?? 0))];
  if (name === "octets") return words.map((word) => parseInt(word, 16));
  if (name === "f32.const") return [0x43, ...littleEndian(BigInt(words[0]!), 4)];
  if (name === "f64.const") return [0x44, ...littleEndian(BigInt(words[0]!), 8)];
  const control = CONTROL[name];
  if (control === undefined) throw new RangeError(`no instruction "${name}"`);
  const [octets, immediates] = control;
  const rest = [...words];
  return [...octets, ...[...immediates].flatMap((kind) => immediate(kind, rest))];
}

function immediate(kind: string, words: string[]): number[] {
  if (kind === "0") return [0];
  if (kind === "t")
    return [...leb(BigInt(words.length - 1)), ...words.flatMap((w) => leb(BigInt(w)))];
  const word = words.shift() ?? "void";
  if (kind === "b") return word in TYPE_CODES ? [TYPE_CODES[word]!] : signedLeb(BigInt(word));
  if (kind === "u") return leb(BigInt(word));
  return signedLeb(BigInt.asIntN(kind === "w" ? 32 : 64, BigInt(word))); // -1 is 0xffffffff
}

/** An unsigned LEB128 number. */
export function leb(value: bigint): number[] {
  const octets: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return [...octets, Number(rest)];
    octets.push(Number(rest & 0x7fn) | 0x80);
  }
}

function signedLeb(value: bigint): number[] {
  const octets: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    if (rest >= -64n && rest < 64n) return [...octets, low];
    octets.push(low | 0x80);
  }
}

function littleEndian(bits: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
}

/** The octets of a whole module. */
export function assembleModule(text: ModuleText): Uint8Array {
  const types = [...(text.types ?? [])];
  const typeOf = (type: string): number[] => {
    if (!types.includes(type)) types.push(type);
    return leb(BigInt(types.indexOf(type)));
  };
  const imports = importEntries(text, typeOf);
  const declarations = text.functions.map(({ type }) => typeOf(type));
  const sections: [id: number, entries: number[][] | null][] = [
    [1, types.map(signature)],
    [2, imports],
    [3, declarations],
    [4, text.tableFrom === undefined ? tableType(text) : []],
    [5, text.memory?.from === undefined ? memoryType(text) : []],
    [6, (text.globals ?? []).map(globalEntry)],
    [7, exportEntries(text)],
    [8, null],
    [9, (text.elements ?? []).map(elementEntry)],
    [12, null],
    [10, text.functions.map(bodyEntry)],
    [11, (text.data ?? []).map(dataEntry)],
  ];
  const octets = sections.flatMap(([id, entries]) => {
    if (id === 8) return text.start === undefined ? [] : section(8, leb(BigInt(text.start)));
    if (id === 12) return text.data === undefined ? [] : section(12, leb(BigInt(text.data.length)));
    return entries!.length === 0 ? [] : section(id, vector(entries!));
  });
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...octets]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...leb(BigInt(content.length)), ...content];
}

function vector(entries: number[][]): number[] {
  return [...leb(BigInt(entries.length)), ...entries.flat()];
}

function nameOctets(name: string): number[] {
  const octets = [...new TextEncoder().encode(name)];
  return [...leb(BigInt(octets.length)), ...octets];
}

function typeList(text = ""): number[] {
  const codes = text.split(/\s+/).filter((word) => word !== "");
  return [...leb(BigInt(codes.length)), ...codes.map((word) => TYPE_CODES[word]!)];
}

function signature(type: string): number[] {
  const [parameters, results] = type.split("->");
  return [0x60, ...typeList(parameters), ...typeList(results)];
}

function importEntries(text: ModuleText, typeOf: (type: string) => number[]): number[][] {
  const functions = (text.imports ?? []).map(({ module, field, type }) => [
    ...nameOctets(module),
    ...nameOctets(field),
    0,
    ...typeOf(type),
  ]);
  const globals = (text.globalImports ?? []).map(({ module, field, type, mutable }) => [
    ...nameOctets(module),
    ...nameOctets(field),
    3,
    TYPE_CODES[type]!,
    mutable === true ? 1 : 0,
  ]);
  const from = (origin: Origin | undefined, kind: number, type: number[][]): number[][] =>
    origin === undefined
      ? []
      : [[...nameOctets(origin.module), ...nameOctets(origin.field), kind, ...type.flat()]];
  return [
    ...[...functions, ...globals],
    ...from(text.tableFrom, 1, tableType(text)),
    ...from(text.memory?.from, 2, memoryType(text)),
  ];
}

function tableType({ table }: ModuleText): number[][] {
  return table === undefined ? [] : [[0x70, 0, ...leb(BigInt(table))]];
}

function memoryType({ memory }: ModuleText): number[][] {
  return memory === undefined ? [] : [limits(memory)];
}

function limits({ pages, max }: { pages: number; max?: number }): number[] {
  const least = leb(BigInt(pages));
  return max === undefined ? [0, ...least] : [1, ...least, ...leb(BigInt(max))];
}

function globalEntry({
  type,
  start,
  mutable,
}: NonNullable<ModuleText["globals"]>[number]): number[] {
  return [TYPE_CODES[type]!, mutable === false ? 0 : 1, ...assemble(start), 0x0b];
}

function exportEntries(text: ModuleText): number[][] {
  const one = (name: string | undefined, kind: number, index: number): number[][] =>
    name === undefined ? [] : [[...nameOctets(name), kind, ...leb(BigInt(index))]];
  const imported = text.imports?.length ?? 0;
  const globalsImported = text.globalImports?.length ?? 0;
  return [
    ...text.functions.flatMap((func, i) => one(func.export, 0, imported + i)),
    ...one(text.tableExport, 1, 0),
    ...one(text.memory?.export, 2, 0),
    ...(text.globals ?? []).flatMap((global, i) => one(global.export, 3, globalsImported + i)),
  ];
}

function elementEntry({ at, functions }: NonNullable<ModuleText["elements"]>[number]): number[] {
  const place = at === undefined ? [1, 0] : [0, ...assemble(at), 0x0b];
  return [...place, ...vector(functions.map((index) => leb(BigInt(index))))];
}

function bodyEntry({ locals, code }: FuncText): number[] {
  const list = (locals ?? "").split(/\s+/).filter((word) => word !== "");
  const body = [...vector(list.map((word) => [1, TYPE_CODES[word]!])), ...assemble(code), 0x0b];
  return [...leb(BigInt(body.length)), ...body];
}

function dataEntry({ at, bytes }: NonNullable<ModuleText["data"]>[number]): number[] {
  const place = at === undefined ? [1] : [0, ...assemble(at), 0x0b];
  return [...place, ...leb(BigInt(bytes.length)), ...bytes];
}
