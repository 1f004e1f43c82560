// SPDX-License-Identifier: MIT
// A program in the memory of an emulated core: an ELF file's segments and symbols.
//
// Code and data share one RAM, as in images that run from SRAM. Every access is checked: an address outside,
// or one that is not a multiple of its size, ends the run, since silicon would take a fault there.

export const RAM_BASE = 0x2000_0000;
export const RAM_BYTES = 512 * 1024;
export const RETURN_ADDRESS = 0x2007_fff0; // a call returns here, and nothing else comes here
export const STACK_TOP = 0x2007_ff00;

export interface Image {
  bytes: Uint8Array; // of RAM as it is before the first call
  symbols: ReadonlyMap<string, number>;
}

/** A function of one number. */
export interface FunctionCall {
  address: number;
  operand: number;
  gp: number; // what RISC-V finds small data with
}

/** Memory of a core. */
export type Ram = DataView;

const PT_LOAD = 1;
const SHT_SYMTAB = 2;

/** Reads a 32-bit little-endian ELF file. */
export function readElf(file: Uint8Array): Image {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const bytes = new Uint8Array(RAM_BYTES);
  const headers = view.getUint32(28, true);
  for (let i = 0; i < view.getUint16(44, true); i++) {
    const at = headers + i * view.getUint16(42, true);
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const start = view.getUint32(at + 4, true);
    const length = view.getUint32(at + 16, true);
    bytes.set(file.subarray(start, start + length), view.getUint32(at + 8, true) - RAM_BASE);
  }
  return { bytes, symbols: readSymbols(file, view) };
}

function readSymbols(file: Uint8Array, view: DataView): Map<string, number> {
  const symbols = new Map<string, number>();
  const sections = view.getUint32(32, true);
  const size = view.getUint16(46, true);
  for (let i = 0; i < view.getUint16(48, true); i++) {
    const at = sections + i * size;
    if (view.getUint32(at + 4, true) !== SHT_SYMTAB) continue;
    const names = view.getUint32(sections + view.getUint32(at + 24, true) * size + 16, true);
    const start = view.getUint32(at + 16, true);
    for (let entry = start; entry < start + view.getUint32(at + 20, true); entry += 16) {
      const name = names + view.getUint32(entry, true);
      const text = new TextDecoder().decode(file.subarray(name, file.indexOf(0, name)));
      symbols.set(text, view.getUint32(entry + 4, true));
    }
  }
  return symbols;
}

/** Address of a symbol. */
export function symbolOf({ symbols }: Image, name: string): number {
  const address = symbols.get(name);
  if (address === undefined) throw new RangeError(`the program has no ${name}`);
  return address;
}

/** RAM of a new run. */
export function ramOf({ bytes }: Image): Ram {
  return new DataView(bytes.slice().buffer);
}

/** Offset in RAM of an access; throws where a core would take a fault. */
export function place(address: number, bytes: number): number {
  const at = (address >>> 0) - RAM_BASE;
  if (at < 0 || at + bytes > RAM_BYTES) throw new Error(`access at ${hex(address)}: no RAM`);
  if ((at & (bytes - 1)) !== 0) throw new Error(`misaligned access of ${bytes} at ${hex(address)}`);
  return at;
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}

/** What ours_trap() was called with when it stopped the core. */
export function trapOf(kind: number, functionIndex: number, offset: number): Error {
  return new Error(`trap ${kind} in function ${functionIndex}, offset ${offset}`);
}
