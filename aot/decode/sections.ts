// SPDX-License-Identifier: MIT
// The sections of a module but for code, as typed values.
//
// Spec: WebAssembly 2.0 §5.5. What is valid and not translated is refused by its name: reference types, more
// than one memory or table, SIMD.

import { AotError } from "../failure.ts";
import type {
  DataSegment,
  ElementSegment,
  Export,
  Global,
  ImportedFunction,
  Memory,
  Place,
  Signature,
  Table,
  ValueType,
} from "../ir.ts";
import { valueType } from "./opcodes.ts";
import {
  isAtEnd,
  readBits32,
  readBits64,
  readByte,
  type Reader,
  readerOf,
  readName,
  readSigned,
  readU32,
  readVector,
  take,
} from "./reader.ts";

const PAGES_MAX = 65_536;
const EXPORT_KINDS = ["function", "table", "memory", "global"] as const;
const FUNCREF = 0x70;

/** What the sections hold; `code` are the bodies, each with its place in the module. */
export interface Sections {
  types: Signature[];
  imports: ImportedFunction[];
  functionTypes: number[];
  tables: Table[];
  memories: Memory[];
  globals: Global[];
  exports: Export[];
  start: number | null;
  elements: ElementSegment[];
  code: { position: number; end: number }[];
  data: DataSegment[];
}

/** Reads every section of a module that an engine found valid. Throws AotError. */
export function readSections(bytes: Uint8Array): Sections {
  const sections: Sections = {
    types: [],
    imports: [],
    functionTypes: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: null,
    elements: [],
    code: [],
    data: [],
  };
  const reader = readerOf(bytes, 8);
  while (!isAtEnd(reader)) {
    const id = readByte(reader);
    const length = readU32(reader);
    const read = READ_SECTION[id];
    if (read !== undefined)
      read(readerOf(bytes, reader.position, reader.position + length), sections);
    else if (id !== 0 && id !== 12) throw new AotError(`section ${id} is not supported`);
    reader.position += length;
  }
  if (sections.memories.length > 1) throw new AotError("more than one memory is not supported");
  if (sections.tables.length > 1) throw new AotError("more than one table is not supported");
  return sections;
}

const READ_SECTION: Record<number, (reader: Reader, sections: Sections) => void> = {
  1: (reader, to) => void to.types.push(...readVector(reader, readSignature)),
  2: (reader, to) => readVector(reader, () => readImport(reader, to)),
  3: (reader, to) => void to.functionTypes.push(...readVector(reader, readU32)),
  4: (reader, to) => void to.tables.push(...readVector(reader, readTable)),
  5: (reader, to) => void to.memories.push(...readVector(reader, readMemory)),
  6: (reader, to) => readVector(reader, () => to.globals.push(readGlobal(reader, to.globals))),
  7: (reader, to) => void to.exports.push(...readVector(reader, readExport)),
  8: (reader, to) => void (to.start = readU32(reader)),
  9: (reader, to) => void to.elements.push(...readVector(reader, readElements)),
  10: (reader, to) => void to.code.push(...readVector(reader, readCode)),
  11: (reader, to) => void to.data.push(...readVector(reader, readData)),
};

function readType(reader: Reader): ValueType {
  const code = readByte(reader);
  const type = valueType(code);
  if (type !== undefined) return type;
  throw new AotError(`${code === 0x7b ? "SIMD (v128)" : "a reference type"} is not supported`);
}

function readSignature(reader: Reader): Signature {
  if (readByte(reader) !== 0x60) throw new AotError("types of the GC proposal are not supported");
  return { parameters: readVector(reader, readType), results: readVector(reader, readType) };
}

function readImport(reader: Reader, to: Sections): void {
  const module = readName(reader);
  const field = readName(reader);
  const kind = readByte(reader);
  if (kind === 0) {
    const type = readU32(reader);
    to.imports.push({ module, field, type, signature: to.types[type]! });
  } else if (kind === 3) {
    const type = readType(reader);
    to.globals.push({
      type,
      mutable: readByte(reader) === 1,
      initial: 0,
      imported: { module, field },
    });
  } else if (kind === 1) to.tables.push({ ...readTable(reader), imported: { module, field } });
  else if (kind === 2) to.memories.push({ ...readMemory(reader), imported: { module, field } });
  else {
    const what = kind === 4 ? "an exception tag" : "unknown";
    throw new AotError(`the import ${module}.${field} is ${what}: not supported, define it inside`);
  }
}

function readLimits(reader: Reader, most: number): { min: number; max: number } {
  const flags = readByte(reader);
  if (flags > 1) throw new AotError("shared and 64-bit memories are not supported");
  const min = readU32(reader);
  return { min, max: flags === 1 ? Math.min(readU32(reader), most) : most };
}

function readTable(reader: Reader): Table {
  if (readByte(reader) !== FUNCREF) throw new AotError("tables of externref are not supported");
  return { initial: readLimits(reader, 2 ** 32 - 1).min };
}

function readMemory(reader: Reader): Memory {
  const { min, max } = readLimits(reader, PAGES_MAX);
  return { pages: min, pagesMax: max };
}

function readGlobal(reader: Reader, before: readonly Global[]): Global {
  const type = readType(reader);
  const mutable = readByte(reader) === 1;
  const start = readConstant(reader);
  if (typeof start !== "object") return { type, mutable, initial: start };
  const { global } = start;
  return { type, mutable, initial: before[global]?.initial ?? 0, copyOf: global };
}

// Constant expressions: one constant, or a global that is imported.
function readConstant(reader: Reader): number | bigint | { global: number } {
  const opcode = readByte(reader);
  const value = readConstantOf(opcode, reader);
  if (readByte(reader) !== 0x0b) throw new AotError("extended constants are not supported");
  return value;
}

function readConstantOf(opcode: number, reader: Reader): number | bigint | { global: number } {
  if (opcode === 0x41) return Number(readSigned(reader, 32));
  if (opcode === 0x42) return readSigned(reader, 64);
  if (opcode === 0x43) return readBits32(reader);
  if (opcode === 0x44) return readBits64(reader);
  if (opcode === 0x23) return { global: readU32(reader) };
  throw new AotError(`a constant expression with opcode 0x${opcode.toString(16)} is not supported`);
}

function readPlace(reader: Reader): Place {
  const start = readConstant(reader);
  return typeof start === "object" ? start : { at: Number(start) };
}

function readExport(reader: Reader): Export {
  const name = readName(reader);
  const kind = EXPORT_KINDS[readByte(reader)];
  if (kind === undefined) throw new AotError(`the export ${name} is a tag: not supported`);
  return { name, kind, index: readU32(reader) };
}

function readCode(reader: Reader): { position: number; end: number } {
  const length = readU32(reader);
  const position = reader.position;
  take(reader, length);
  return { position, end: position + length };
}

// Flags: 1 passive or declarative, 2 with a table index (or declarative), 4 expressions in place of indices.
function readElements(reader: Reader): ElementSegment {
  const flags = readU32(reader);
  const passive = (flags & 1) !== 0;
  if (!passive && (flags & 2) !== 0 && readU32(reader) !== 0)
    throw new AotError("more than one table is not supported");
  const place: Place = passive ? ((flags & 2) === 0 ? "passive" : "dropped") : readPlace(reader);
  if ((flags & 3) !== 0) readByte(reader); // kind or type: functions in either form
  const functions = readVector(reader, (flags & 4) === 0 ? readU32 : readReference);
  return { place, functions };
}

function readReference(reader: Reader): number | null {
  const opcode = readByte(reader);
  const value = opcode === 0xd2 ? readU32(reader) : null;
  if (opcode === 0xd0) readByte(reader);
  if (opcode !== 0xd0 && opcode !== 0xd2)
    throw new AotError("elements other than functions are not supported");
  readByte(reader); // end
  return value;
}

function readData(reader: Reader): DataSegment {
  const flags = readU32(reader);
  if (flags === 2 && readU32(reader) !== 0)
    throw new AotError("more than one memory is not supported");
  const place: Place = flags === 1 ? "passive" : readPlace(reader);
  return { place, bytes: take(reader, readU32(reader)) };
}
