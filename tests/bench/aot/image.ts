// SPDX-License-Identifier: MIT
// A program in the memory of an emulated core: an ELF file's segments and symbols.
//
// Code and data share one RAM, as in images that run from SRAM. Every access is checked: an address outside,
// or one that is not a multiple of its size, ends the run, since silicon would take a fault there.

import { loadSegments, readAddresses } from "../../../scripts/build/elf.ts";

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

/** Reads a 32-bit little-endian ELF file. */
export function readElf(file: Uint8Array): Image {
  const bytes = new Uint8Array(RAM_BYTES);
  for (const segment of loadSegments(file)) bytes.set(segment.bytes, segment.address - RAM_BASE);
  return { bytes, symbols: readAddresses(file) };
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
