// SPDX-License-Identifier: MIT
// What an access costs the core: APB 4 and 5 cycles, SIO 1, SRAM 2.
//
// Words of Thumb written by hand stand in the place of the second stage; the cycles of accesses that
// follow each other are taken at the bus.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createCore, type Bus } from "../../../host-sim/chips/armv6m/core.ts";
import { createRp2040, type Rp2040 } from "../../../host-sim/chips/rp2040/index.ts";
import { BOOT_CYCLES, crc32Mpeg2 } from "../../../host-sim/chips/rp2040/rom.ts";
import { bootableFlash } from "./rig.ts";

const LDR_R0_AT_16 = 0x4803; // ldr r0, [pc, #12]
const LDR = 0x6801; // ldr r1, [r0]
const STR = 0x6001; // str r1, [r0]
const HERE = 0xe7fe; // b .

/** Cycles between one access and the next: of three loads, then of three stores. */
function distances(address: number): { loads: number[]; stores: number[] } {
  const flash = bootableFlash();
  const view = new DataView(flash.buffer);
  [LDR_R0_AT_16, LDR, LDR, LDR, STR, STR, STR, HERE].forEach((word, index) =>
    view.setUint16(2 * index, word, true),
  );
  view.setUint32(16, address, true);
  view.setUint32(252, crc32Mpeg2(flash.subarray(0, 252)), true);
  const [loads, stores]: [number[], number[]] = [[], []];
  const made: { chip?: Rp2040 } = {};
  const now = (): number => made.chip!.core.cycle;
  made.chip = createRp2040({
    ...{ flash, seed: 1 },
    makeCore: (regions, bus, options) =>
      createCore(regions, watched(bus, loads, stores, now), options),
  });
  made.chip.runCycles(BOOT_CYCLES + 200);
  const between = (list: number[]): number[] => list.slice(1).map((cycle, i) => cycle - list[i]!);
  return { loads: between(loads), stores: between(stores) };
}

function watched(bus: Bus, loads: number[], stores: number[], now: () => number): Bus {
  return {
    ...bus,
    read(address, size) {
      loads.push(now());
      return bus.read(address, size);
    },
    write(address, size, value) {
      stores.push(now());
      bus.write(address, size, value);
    },
  };
}

test("an APB load takes 4 cycles, a store 5", () => {
  assert.deepEqual(distances(0x4005800c), { loads: [4, 4], stores: [5, 5] });
});

test("SIO takes one cycle each way", () => {
  assert.deepEqual(distances(0xd0000010), { loads: [1, 1], stores: [1, 1] });
});

test("memory behind the bus takes two cycles", () => {
  assert.deepEqual(distances(0x21010000), { loads: [2, 2], stores: [2, 2] });
});
