// SPDX-License-Identifier: MIT
// A processor with 64 KiB of RAM at 0x20000000 and what a test puts into it.
//
// Vectors lie at 0, in memory of their own; whatever else is touched is written down and answered by the test.

import {
  type Bus,
  type Core,
  type CoreOptions,
  createCore,
} from "../../../host-sim/chips/armv6m/core.ts";
import { ChipFailure, hex32 } from "../../../host-sim/chips/failure.ts";

export const RAM = 0x2000_0000;
export const RAM_BYTES = 0x1_0000;
export const MAIN_STACK = RAM + 0x8000;
export const CODE = RAM + 0x100;
/** Where handlers of exception n begin: 32 half-words for each. */
export const handlerOf = (exception: number): number => RAM + 0x1000 + 64 * exception;
/** Four words on the bus that take 1 cycle, and four that take 4. */
export const FAST_PORT = 0xd000_0000;
export const SLOW_PORT = 0x4000_0000;

export interface Access {
  kind: "read" | "write";
  address: number;
  size: number;
  value: number;
  cycle: number;
}

export interface Rig {
  core: Core;
  ram: DataView;
  accesses: Access[];
  /** Called in each access of the bus. */
  during: { call: () => void };
  /** Runs so many times to the next cycle: an instruction, an entry with its first one, or sleep. */
  step(count?: number): void;
}

export interface Program {
  setup?: readonly (readonly [address: number, value: number])[]; // stores before `code`
  code?: readonly number[]; // at CODE
  handlers?: Readonly<Record<number, readonly number[]>>;
  at?: Readonly<Record<number, readonly number[]>>; // half-words elsewhere in RAM
  stack?: number;
  options?: CoreOptions;
  listen?: (bus: Bus) => Bus;
}

const STR_R6_R7 = 0x603e;

/** A processor about to run the first instruction of `code`, r6 and r7 aside as after a reset. */
export function makeRig(program: Program): Rig {
  const { setup = [], code = [], handlers = {}, at = {}, stack, options } = program;
  const { listen = (bus) => bus } = program;
  const start = CODE - 2 * setup.length;
  const bytes = new Uint8Array(RAM_BYTES);
  const ram = new DataView(bytes.buffer);
  const put = (address: number, halves: readonly number[]): void =>
    halves.forEach((half, i) => ram.setUint16(address - RAM + 2 * i, half, true));
  put(
    start,
    setup.map(() => STR_R6_R7),
  );
  put(CODE, code);
  for (const [address, halves] of Object.entries(at)) put(Number(address), halves);
  for (const [number, halves] of Object.entries(handlers)) put(handlerOf(Number(number)), halves);
  const vectors = Uint32Array.from({ length: 64 }, (_, n) => handlerOf(n) | 1);
  vectors.set([stack ?? MAIN_STACK, start | 1]);
  const accesses: Access[] = [];
  const during = { call: (): void => {} };
  const regions = [
    { base: 0, bytes: new Uint8Array(vectors.buffer), writable: false },
    { base: RAM, bytes, writable: true },
  ];
  const core: Core = createCore(regions, listen(busOf(() => core, accesses, during)), options);
  const step = (count = 1): void => {
    for (let i = 0; i < count; i++) core.run(core.cycle + 1);
  };
  for (const [address, value] of setup) {
    core.registers[6] = value;
    core.registers[7] = address;
    step();
  }
  return { core, ram, accesses, during, step };
}

function busOf(core: () => Core, accesses: Access[], during: { call: () => void }) {
  const known = (address: number): void => {
    if (![FAST_PORT, SLOW_PORT].includes((address & ~15) >>> 0))
      throw new ChipFailure(`nothing at ${hex32(address)}, pc ${hex32(core().registers[15]!)}`);
  };
  return {
    read: (address: number, size: 1 | 2 | 4): number => {
      known(address);
      accesses.push({ kind: "read", address, size, value: 0, cycle: core().cycle });
      during.call();
      return 0x89ab_cdef;
    },
    write: (address: number, size: 1 | 2 | 4, value: number): void => {
      known(address);
      accesses.push({ kind: "write", address, size, value, cycle: core().cycle });
      during.call();
    },
    waits: (address: number): number => (address >>> 28 === 0xd ? -1 : 2),
  };
}
