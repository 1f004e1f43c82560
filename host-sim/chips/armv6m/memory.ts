// SPDX-License-Identifier: MIT
// Accesses off the interpreter's fast path, and what is decoded of memory.
//
// Order: alignment, core registers, MPU, plain memory, bus. A fault leaves its cause in `fault` and changes
// nothing else. Cycles: 1, then the data phase at the cycle that the bus sees, then 1; bus.waits() come before.

import { hex32 } from "../failure.ts";
import { decode, isLong } from "./decode.ts";
import {
  GRANULE_SHIFT,
  HAS_CODE,
  type Machine,
  NO_READ,
  NO_WRITE,
  pcOf,
  type Window,
} from "./machine.ts";
import { forbids, NO_FETCH } from "./mpu.ts";
import { readSystem, writeSystem } from "./scs.ts";

type Size = 1 | 2 | 4;

// 0xe000e000 to 0xe000efff, the system control space (§B3.1).
const isSystem = (address: number): boolean => address >>> 12 === 0xe000e;

/** Loads for an instruction; 0 with a fault. Sign is the caller's. */
export function load(m: Machine, place: number, size: Size): number {
  const address = place >>> 0;
  if ((address & (size - 1)) !== 0) return refuse(m, `misaligned load of ${size}`, address);
  if (isSystem(address)) {
    m.cycle++;
    const value = readSystem(m, address, size);
    m.cycle++;
    return value;
  }
  if (forbids(m, address, NO_READ)) return refuse(m, "MPU forbids the load", address);
  const window = windowAt(m, address);
  if (window !== undefined) {
    m.cycle += 2;
    return readBytes(window, address - window.base, size);
  }
  m.registers[15] = pcOf(m) - 2;
  m.cycle += 1 + m.bus.waits(address);
  const value = m.bus.read(address, size);
  m.cycle++;
  return value;
}

/** Stores for an instruction. */
export function store(m: Machine, place: number, size: Size, value: number): void {
  const address = place >>> 0;
  if ((address & (size - 1)) !== 0) return void refuse(m, `misaligned store of ${size}`, address);
  if (isSystem(address)) {
    m.cycle++;
    writeSystem(m, address, size, value);
    m.cycle++;
    return;
  }
  if (forbids(m, address, NO_WRITE)) return void refuse(m, "MPU forbids the store", address);
  const window = windowAt(m, address);
  if (window?.writable === true) {
    m.cycle += 2;
    writeBytes(window, address - window.base, size, value);
    invalidate(m, address, size);
    return;
  }
  m.registers[15] = pcOf(m) - 2;
  m.cycle += 1 + m.bus.waits(address);
  m.bus.write(address, size, value >>> 0);
  m.cycle++;
}

function refuse(m: Machine, what: string, address: number): number {
  m.fault = `${what} at ${hex32(address)}`;
  return 0;
}

/** The plain memory at an address. */
export function windowAt({ windows }: Machine, address: number): Window | undefined {
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]!;
    if (address >= window.base && address - window.base < window.size) return window;
  }
  return undefined;
}

function readBytes({ bytes, halves, words }: Window, at: number, size: Size): number {
  if (size === 4) return words[at >> 2]! >>> 0;
  return size === 2 ? halves[at >> 1]! : bytes[at]!;
}

function writeBytes({ bytes, halves, words }: Window, at: number, size: Size, value: number): void {
  if (size === 4) words[at >> 2] = value;
  else if (size === 2) halves[at >> 1] = value;
  else bytes[at] = value;
}

/** A word of the vector table: neither MPU nor cycles count (§B1.5.5, §B3.5). */
export function readVector(m: Machine, address: number): number {
  const window = windowAt(m, address);
  return window === undefined
    ? m.bus.read(address, 4)
    : readBytes(window, address - window.base, 4);
}

/**
 * Makes the next instruction fetchable: its window is `window`, its decoded word is returned.
 * 0: it cannot be fetched, the cause is in `fault`.
 */
export function fetch(m: Machine): number {
  const pc = pcOf(m);
  const window = windowAt(m, pc);
  if (window === undefined) return refuse(m, "no memory to fetch from", pc);
  if (forbids(m, pc, NO_FETCH)) return refuse(m, "MPU forbids the fetch", pc);
  if (window.code.length === 0) window.code = new Int32Array(window.size >> 1);
  m.window = window;
  m.at = (pc - window.base) >> 1;
  const known = window.code[m.at]!;
  if (known !== 0) return known;
  const first = window.halves[m.at]!;
  if (isLong(first) && m.at + 1 >= window.halves.length)
    return refuse(m, "no memory to fetch from", pc + 2);
  if (isLong(first) && forbids(m, pc + 2, NO_FETCH))
    return refuse(m, "MPU forbids the fetch", pc + 2);
  const word = decode(first, window.halves[m.at + 1] ?? 0);
  window.code[m.at] = word;
  markCode(m, pc);
  if (isLong(first)) markCode(m, pc + 2);
  return word;
}

// Stores to RAM look for decoded instructions only where they were marked.
function markCode({ ram, accesses }: Machine, address: number): void {
  const offset = address - ram.base;
  if (offset < 0 || offset >= ram.size) return;
  for (const access of accesses) access[offset >> GRANULE_SHIFT]! |= HAS_CODE;
}

/** Forgets what was decoded of these bytes, in every window onto them. */
export function invalidate(m: Machine, address: number, bytes: number): void {
  const window = windowAt(m, address >>> 0);
  if (window === undefined) return;
  const { buffer, byteOffset } = window.bytes;
  const start = byteOffset + (address >>> 0) - window.base;
  for (let i = 0; i < m.windows.length; i++) {
    const { bytes: other, code } = m.windows[i]!;
    if (other.buffer !== buffer || code.length === 0) continue;
    // One half-word before: the first half of a long instruction.
    const from = Math.max(((start - other.byteOffset) >> 1) - 1, 0);
    const to = Math.min((start + bytes - other.byteOffset + 1) >> 1, code.length);
    for (let at = from; at < to; at++) code[at] = 0;
  }
}

/** Forgets all that was decoded: what may be fetched has changed. */
export function forgetCode(m: Machine): void {
  for (const { code } of m.windows) code.fill(0);
}
