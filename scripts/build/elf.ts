// SPDX-License-Identifier: MIT
// Reads a 32-bit little-endian ELF file: what is loaded where, and symbols.
//
// Spec: System V ABI, chapters 4 and 5. Octets in, data out; throws ElfError for what is no such file.

export class ElfError extends Error {}

export interface Segment {
  address: number; // physical: where it lies before start-up
  bytes: Uint8Array;
}

export interface Section {
  name: string;
  address: number;
  size: number;
}

export interface Symbol {
  name: string;
  address: number;
  size: number;
}

const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const EM_ARM = 40;
const EM_RISCV = 243;

interface Header {
  type: number;
  name: number; // of a section
  address: number;
  offset: number;
  size: number;
  link: number;
}

/** The segments with octets in the file, in order of address. Throws ElfError. */
export function loadSegments(file: Uint8Array): Segment[] {
  const view = check(file);
  const [table, size, count] = [view.getUint32(28, true), view.getUint16(42, true), half(view, 44)];
  const found: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    const [offset, address] = [word(view, at + 4), word(view, at + 12)];
    const length = word(view, at + 16);
    if (word(view, at) === PT_LOAD && length > 0)
      found.push({ address, bytes: part(file, offset, length) });
  }
  found.sort((a, b) => a.address - b.address);
  found.forEach(({ address }, i) => {
    const before = found[i - 1];
    if (before !== undefined && before.address + before.bytes.length > address)
      throw new ElfError(`two segments lie at 0x${address.toString(16)}`);
  });
  return found;
}

/** All sections. Throws ElfError. */
export function readSections(file: Uint8Array): Section[] {
  const view = check(file);
  const headers = sectionHeaders(view);
  const names = headers[half(view, 50)];
  return headers.map(({ name, address, size }) => ({
    name: names === undefined ? "" : text(file, names.offset + name),
    ...{ address, size },
  }));
}

/** Symbols with a name. Throws ElfError. */
export function readSymbols(file: Uint8Array): Symbol[] {
  const view = check(file);
  const headers = sectionHeaders(view);
  const table = headers.find(({ type }) => type === SHT_SYMTAB);
  const strings = headers[table?.link ?? 0];
  if (table === undefined || strings === undefined) return [];
  const found: Symbol[] = [];
  for (let at = table.offset; at < table.offset + table.size; at += 16) {
    const name = text(file, strings.offset + word(view, at));
    if (name !== "") found.push({ name, address: word(view, at + 4), size: word(view, at + 8) });
  }
  return found;
}

/** Addresses of symbols by name. Throws ElfError. */
export function readAddresses(file: Uint8Array): Map<string, number> {
  return new Map(readSymbols(file).map(({ name, address }) => [name, address]));
}

function check(file: Uint8Array): DataView {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 52 || view.getUint32(0) !== 0x7f454c46) throw new ElfError("no ELF file");
  if (file[4] !== 1 || file[5] !== 1 || ![EM_ARM, EM_RISCV].includes(half(view, 18)))
    throw new ElfError("no ELF file for a 32-bit Arm or RISC-V");
  return view;
}

function sectionHeaders(view: DataView): Header[] {
  const [table, size, count] = [word(view, 32), half(view, 46), half(view, 48)];
  return Array.from({ length: count }, (_, i) => {
    const at = table + i * size;
    return {
      name: word(view, at),
      type: word(view, at + 4),
      address: word(view, at + 12),
      offset: word(view, at + 16),
      size: word(view, at + 20),
      link: word(view, at + 24),
    };
  });
}

function part(file: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > file.length) throw new ElfError("the ELF file is cut short");
  return file.subarray(offset, offset + length);
}

function text(file: Uint8Array, at: number): string {
  const end = file.indexOf(0, at);
  return Buffer.from(file.subarray(at, end < 0 ? file.length : end)).toString("latin1");
}

function word(view: DataView, at: number): number {
  if (at + 4 > view.byteLength) throw new ElfError("the ELF file is cut short");
  return view.getUint32(at, true);
}

function half(view: DataView, at: number): number {
  return view.getUint16(at, true);
}
