// SPDX-License-Identifier: MIT
// Names and signatures of a module's imports and exports, read from its bytes.
//
// Spec: WebAssembly core 1.0 §5.5 (sections type 1, import 2, function 3, export 7). JavaScript's own
// reflection tells names and kinds but no types, and a host in C needs the types to be right.
// The caller has validated the bytes; a short read throws (programmer error).

export interface ImportedName {
  module: string;
  name: string;
  signature: string; // "(i32,i32)->(i32)", or "memory", "table", "global"
}

export interface ExportedName {
  name: string;
  signature: string;
}

interface Reader {
  bytes: Uint8Array;
  offset: number;
}

const SECTION_TYPE = 1;
const SECTION_IMPORT = 2;
const SECTION_FUNCTION = 3;
const SECTION_EXPORT = 7;
const HEADER_BYTES = 8; // magic and version
const KINDS = ["function", "table", "memory", "global"] as const;
const VALUE_TYPES: Record<number, string> = { 0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64" };

/** Imports and exports of a valid module, functions with their signature. */
export function readSignatures(wasm: Uint8Array): {
  imports: ImportedName[];
  exports: ExportedName[];
} {
  const types = readVector(section(wasm, SECTION_TYPE), readFunctionType);
  const imports = readVector(section(wasm, SECTION_IMPORT), (r) => readImport(r, types));
  const own = readVector(section(wasm, SECTION_FUNCTION), readNumber);
  const functions = [
    ...imports.filter((i) => i.signature.startsWith("(")).map((i) => i.signature),
    ...own.map((index) => types[index] ?? "unknown"),
  ];
  const exports = readVector(section(wasm, SECTION_EXPORT), (r) => {
    const name = readName(r);
    const kind = KINDS[readByte(r)] ?? "unknown";
    const index = readNumber(r);
    return { name, signature: kind === "function" ? (functions[index] ?? "unknown") : kind };
  });
  return { imports, exports };
}

function section(wasm: Uint8Array, wanted: number): Reader {
  const reader: Reader = { bytes: wasm, offset: HEADER_BYTES };
  while (reader.offset < wasm.length) {
    const id = readByte(reader);
    const size = readNumber(reader);
    if (id === wanted) return reader;
    reader.offset += size;
  }
  return { bytes: Uint8Array.of(0), offset: 0 }; // an absent section is an empty vector
}

function readVector<T>(reader: Reader, readItem: (reader: Reader) => T): T[] {
  const count = readNumber(reader);
  return Array.from({ length: count }, () => readItem(reader));
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.offset++];
  if (byte === undefined) throw new Error("module ends inside a section");
  return byte;
}

function readNumber(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Error("number of more than 32 bits in a module");
}

function readName(reader: Reader): string {
  const length = readNumber(reader);
  const bytes = reader.bytes.subarray(reader.offset, reader.offset + length);
  reader.offset += length;
  return new TextDecoder().decode(bytes);
}

function readFunctionType(reader: Reader): string {
  readByte(reader); // 0x60: function type
  const list = () => readVector(reader, (r) => VALUE_TYPES[readByte(r)] ?? "other").join(",");
  const parameters = list();
  return `(${parameters})->(${list()})`;
}

function readImport(reader: Reader, types: readonly string[]): ImportedName {
  const module = readName(reader);
  const name = readName(reader);
  const kind = KINDS[readByte(reader)] ?? "unknown";
  if (kind === "function")
    return { module, name, signature: types[readNumber(reader)] ?? "unknown" };
  if (kind === "table") readByte(reader); // element type
  if (kind === "global")
    reader.offset += 2; // value type, mutability
  else skipLimits(reader);
  return { module, name, signature: kind };
}

function skipLimits(reader: Reader): void {
  const flags = readByte(reader);
  readNumber(reader);
  if ((flags & 1) !== 0) readNumber(reader);
}
