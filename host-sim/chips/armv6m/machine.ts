// SPDX-License-Identifier: MIT
// State of the processor: one struct that every part of it works on.
//
// (M1) flags: N is n < 0, Z is z === 0, carry is 0 or 1, V is bit 31 of overflow.
// (M2) the next instruction is half-word `at` of `window`; `at` outside of it means a jump out of the window.
// (M3) whoever changes what may pre-empt or wake sets `attention`, and run() looks before the next instruction.
// (M4) a byte of `access` is 0 where RAM may be read, written and holds nothing that is decoded.

import type { Bus, Core, CoreOptions, Region } from "./core.ts";

/** A region with what was decoded of it. */
export interface Window extends Region {
  size: number; // bytes
  halves: Uint16Array;
  words: Int32Array;
  code: Int32Array; // a decoded instruction for each half-word; of length 0 until the first fetch
}

/** RAM is judged in pieces of this size, the smallest sub-region of the MPU (§B3.5). */
export const GRANULE_SHIFT = 5;
export const NO_READ = 1;
export const NO_WRITE = 2;
export const HAS_CODE = 4;

export const AWAKE = 0;
export const WAITING_INTERRUPT = 1;
export const WAITING_EVENT = 2;
export const LOCKED_UP = 3; // until a reset

/** Priority of thread mode with nothing active: below every configurable one. */
export const PRIORITY_THREAD = 4;
export const EXCEPTIONS = 48; // 16 of the system, 32 lines

/** Who accesses: MPU off or not in force, privileged, not privileged. */
export type Regime = 0 | 1 | 2;

export type Machine = Pick<Core, "cycle" | "limit" | "registers"> & {
  bus: Bus;
  options: CoreOptions;
  windows: readonly Window[];
  ram: Window; // the largest that is writable: the fast path of loads and stores
  window: Window;
  at: number;
  bound: number; // cycle at which the interpreter looks up
  n: number;
  z: number;
  carry: number;
  overflow: number;
  thumb: boolean; // EPSR.T
  jump: number; // target of a branch that is more than a branch (exceptions.ts), while `jumping`
  jumping: boolean;
  special: number; // a decoded instruction that the interpreter leaves to special.ts; 0: none
  fault: string; // cause of a HardFault to take; "": none
  attention: boolean;
  resetAsked: boolean;
  sleeping: typeof AWAKE | typeof WAITING_INTERRUPT | typeof WAITING_EVENT | typeof LOCKED_UP;
  event: boolean; // the event register (§B1.5.18)
  primask: boolean;
  unprivileged: boolean; // CONTROL.nPRIV
  onPsp: boolean; // CONTROL.SPSEL
  otherSp: number; // PSP while r13 is MSP, and the other way round
  ipsr: number;
  active: Uint8Array; // by exception number
  activePriority: number; // of what is active: -2 to 4
  priority: number; // the same with PRIMASK
  nmi: { level: boolean; pending: boolean };
  pendSv: boolean;
  lines: { level: number; pending: number; enabled: number }; // a bit each
  priorities: Uint8Array; // by exception number, 0 to 3
  vtor: number;
  scr: number;
  tick: SysTick;
  mpu: Mpu;
  regime: Regime;
  access: Uint8Array; // of `regime`, one of `accesses`
  accesses: readonly [Uint8Array, Uint8Array, Uint8Array];
};

export interface SysTick {
  enabled: boolean;
  interrupt: boolean;
  reference: boolean; // counts the reference clock
  reload: number;
  held: number; // the value while it does not count
  due: number; // cycle at which it counts to 0; Infinity: it does not count
  counted: boolean; // COUNTFLAG
  pending: boolean;
}

export interface Mpu {
  control: number;
  region: number; // RNR
  bases: Uint32Array;
  attributes: Uint32Array; // RASR
  /** What was found of granules: who asked for which, 0: nothing; and what is forbidden there. */
  asked: Uint32Array;
  found: Uint8Array;
}

const REGIONS = 8;
export const GRANULES_KNOWN = 256; // a power of two; what a program uses of peripherals fits

export function windowOf({ base, bytes, writable }: Region): Window {
  const { buffer, byteOffset, length } = bytes;
  if (((base | length | byteOffset) & 31) !== 0)
    throw new RangeError("base, length and place of a region are multiples of 32");
  return {
    ...{ base, bytes, writable, size: length, code: new Int32Array(0) },
    halves: new Uint16Array(buffer, byteOffset, length >> 1),
    words: new Int32Array(buffer, byteOffset, length >> 2),
  };
}

/** A machine before its first reset. */
export function createMachine(regions: readonly Region[], bus: Bus, options: CoreOptions): Machine {
  const windows = regions.map(windowOf);
  const ram = windows
    .filter(({ writable }) => writable)
    .reduce(
      (largest, next) => (next.size > largest.size ? next : largest),
      windowOf({ base: 0, bytes: new Uint8Array(0), writable: true }),
    );
  const accessOf = (): Uint8Array => new Uint8Array(ram.size >> GRANULE_SHIFT);
  const accesses = [accessOf(), accessOf(), accessOf()] as const;
  return {
    ...{ cycle: 0, limit: 0, bound: 0, registers: new Int32Array(16) },
    ...{ bus, options, windows, ram, window: ram, at: 0, accesses, access: accesses[0] },
    ...{ jump: 0, jumping: false, special: 0, fault: "", attention: true, resetAsked: false },
    active: new Uint8Array(EXCEPTIONS),
    priorities: new Uint8Array(EXCEPTIONS),
    ...initialState(),
  };
}

/** What a reset sets, apart from memory and what createMachine() made. */
export function initialState() {
  return {
    ...{ n: 1, z: 1, carry: 0, overflow: 0, thumb: true },
    ...{ sleeping: AWAKE as Machine["sleeping"], event: false },
    ...{ primask: false, unprivileged: false, onPsp: false, otherSp: 0, ipsr: 0 },
    ...{ activePriority: PRIORITY_THREAD, priority: PRIORITY_THREAD },
    ...{ nmi: { level: false, pending: false }, pendSv: false, vtor: 0, scr: 0 },
    ...{ lines: { level: 0, pending: 0, enabled: 0 }, regime: 0 as Regime },
    tick: {
      ...{ enabled: false, interrupt: false, reference: false, reload: 0, held: 0 },
      ...{ due: Infinity, counted: false, pending: false },
    },
    mpu: {
      ...{ control: 0, region: 0 },
      bases: new Uint32Array(REGIONS),
      attributes: new Uint32Array(REGIONS),
      asked: new Uint32Array(GRANULES_KNOWN),
      found: new Uint8Array(GRANULES_KNOWN),
    },
  };
}

/** Address of the next instruction. */
export function pcOf({ window, at }: Machine): number {
  return (window.base + 2 * at) >>> 0;
}

/** Goes to an address whose bit 0 does not count. */
export function goTo(m: Machine, target: number): void {
  m.at = (target - m.window.base) >> 1;
}

/** When the interpreter must look up: at once when something may pre-empt, else at the next event. */
export function lookAhead(m: Machine): void {
  const { cycle, limit, tick, attention, fault } = m;
  if (attention || fault !== "") m.bound = cycle;
  else m.bound = Math.min(limit, tick.due, cycle + LEFT_MAX);
}

const LEFT_MAX = 1 << 30; // the interpreter counts what is left in 32 bits
