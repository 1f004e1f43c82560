// SPDX-License-Identifier: MIT
// A chip without a processor: a test is the bus master and lets time pass.
//
// The core's place is taken by something that only counts cycles and keeps the levels of its lines.

import type { Core } from "../../../host-sim/chips/armv6m/core.ts";
import { createRp2040, FLASH_BYTES, type Rp2040 } from "../../../host-sim/chips/rp2040/index.ts";
import { BOOT_CYCLES, crc32Mpeg2 } from "../../../host-sim/chips/rp2040/rom.ts";

export const RESETS = 0x4000c000;
export const CLOCKS = 0x40008000;
export const WATCHDOG = 0x40058000;
export const SET = 0x2000;
export const CLR = 0x3000;

export interface Rig {
  readonly chip: Rp2040;
  readonly lines: boolean[]; // levels of the interrupt lines
  readonly flash: Uint8Array;
  read(address: number): number;
  write(address: number, value: number): void;
  /** Lets time pass until the bits of a register are all 1; throws after 100 ms. */
  wait(address: number, bits: number): void;
  passNs(ns: number): void;
  /** Releases blocks from reset, by bits of RESETS. */
  release(bits: number): void;
}

/** Flash with a second stage whose CRC is right. */
export function bootableFlash(): Uint8Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  new DataView(flash.buffer).setUint32(252, crc32Mpeg2(flash.subarray(0, 252)), true);
  return flash;
}

/** A chip whose boot ROM is through. */
export function createRig(flash = bootableFlash(), seed = 1): Rig {
  const lines: boolean[] = Array.from({ length: 32 }, () => false);
  const chip = createRp2040({ flash, seed, makeCore: () => fakeCore(lines) });
  const { bus } = chip;
  const rig: Rig = {
    ...{ chip, lines, flash },
    read: (address) => bus.read(address, 4) >>> 0,
    write: (address, value) => bus.write(address, 4, value >>> 0),
    wait(address, bits) {
      for (let i = 0; i < 10_000; i++) {
        if (((rig.read(address) & bits) ^ bits) === 0) return;
        rig.passNs(10_000);
      }
      throw new Error(`0x${address.toString(16)} never shows 0x${bits.toString(16)}`);
    },
    passNs: (ns) => chip.runToNs(chip.time.nowNs() + ns),
    release(bits) {
      rig.write(RESETS + CLR, bits);
      rig.wait(RESETS + 8, bits);
    },
  };
  chip.runCycles(BOOT_CYCLES);
  return rig;
}

function fakeCore(lines: boolean[]): Core {
  const core: Core = {
    cycle: 0,
    limit: 0,
    registers: new Int32Array(16),
    run(until) {
      core.limit = until;
      if (core.cycle < core.limit) core.cycle = core.limit;
    },
    setInterrupt: (line, level) => void (lines[line] = level),
    setNmi: () => undefined,
    sendEvent: () => undefined,
    reset: () => void (core.registers[15] = 0x20041f00),
    setRegion: () => undefined,
    invalidate: () => undefined,
  };
  return core;
}

/** Crystal, clk_sys at 125 MHz, clk_peri, a tick each microsecond: the steps of the datasheet 2.15. */
export function startClocks(rig: Rig): void {
  const { read, write, wait } = rig;
  write(0x40024000, 0xaa0);
  write(0x4002400c, 47);
  write(0x40024000 + SET, 0xfab000);
  wait(0x40024004, 0x80000000);
  write(CLOCKS + 0x30, 2);
  wait(CLOCKS + 0x38, 4);
  write(CLOCKS + CLR + 0x3c, 1);
  rig.release(1 << 12);
  write(0x40028000, 1);
  write(0x40028008, 125);
  write(0x40028004 + CLR, 0x21);
  wait(0x40028000, 0x80000000);
  write(0x4002800c, (6 << 16) | (2 << 12));
  write(0x40028004 + CLR, 8);
  write(CLOCKS + CLR + 0x3c, 7 << 5);
  write(CLOCKS + SET + 0x3c, 1);
  wait(CLOCKS + 0x44, 2);
  write(CLOCKS + 0x48, 1 << 11);
  write(WATCHDOG + 0x2c, (1 << 9) | 12);
  if ((read(WATCHDOG + 0x2c) & (1 << 10)) === 0) throw new Error("no tick");
}
