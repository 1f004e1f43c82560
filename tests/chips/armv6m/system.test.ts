// SPDX-License-Identifier: MIT
// Goal: SysTick, the registers of the system, reset, and code that changes.
//
// Spec: Armv6-M ARM §B3.2 to §B3.4. Method: registers written and read by instructions; values by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChipFailure, hex32 } from "../../../host-sim/chips/failure.ts";
import { CODE, handlerOf, makeRig, type Program, RAM, type Rig } from "./rig.ts";

const CSR = 0xe000_e010;
const RVR = 0xe000_e014;
const CVR = 0xe000_e018;
const ISER = 0xe000_e100;
const ICER = 0xe000_e180;
const ISPR = 0xe000_e200;
const ICPR = 0xe000_e280;
const IPR7 = 0xe000_e41c;
const ICSR = 0xe000_ed04;
const VTOR = 0xe000_ed08;
const AIRCR = 0xe000_ed0c;
const LDR_R0_R1 = 0x6808;
const STR_R0_R1 = 0x6008;
const NOP = 0xbf00;
const WFI = 0xbf30;
const LOOP = 0xe7fe;
const BX_LR = 0x4770;

const pcOf = ({ core }: Rig): string => hex32(core.registers[15]!);

/** What a register reads as, after stores to others. */
function readAfter(setup: NonNullable<Program["setup"]>, address: number): string {
  const { core, step } = makeRig({ setup, code: [LDR_R0_R1] });
  core.registers[1] = address;
  step();
  return hex32(core.registers[0]!);
}

test("SysTick asks every RVR + 1 cycles, also in sleep", () => {
  const rig = makeRig({
    setup: [
      [RVR, 99],
      [CVR, 0],
      [CSR, 7],
    ],
    code: [WFI, 0xe7fd],
    handlers: { 15: [0x3401, BX_LR] }, // ADDS r4, #1
  });
  const startCycle = rig.core.cycle;
  rig.core.run(startCycle + 100 * 1000 + 50);
  assert.equal(rig.core.registers[4], 1000);
});

test("SysTick counts down from RVR, tells COUNTFLAG once, and stops at 0 when RVR is 0", () => {
  const rig = makeRig({
    setup: [
      [RVR, 20],
      [CVR, 0],
      [CSR, 5],
    ],
    code: [LDR_R0_R1, ...new Array<number>(16).fill(NOP), 0x6810, 0x6814],
  });
  const { core, step } = rig;
  core.registers[1] = CVR;
  core.registers[2] = CSR;
  const startCycle = core.cycle - 1; // CSR took the store one cycle before the end
  step();
  assert.equal(core.registers[0], 20 + 1 - (core.cycle - 1 - startCycle));
  step(16);
  assert.equal(core.cycle - startCycle, 19);
  step();
  assert.equal(core.registers[0], 5);
  step();
  assert.equal(core.registers[4]! >>> 16, 1); // 21 cycles have passed
});

test("the reference clock counts once in its cycles", () => {
  const rig = makeRig({
    setup: [
      [RVR, 9],
      [CVR, 0],
      [CSR, 3],
    ],
    code: [LOOP],
    handlers: { 15: [LOOP] },
    options: { referenceCycles: 125 },
  });
  const startCycle = rig.core.cycle;
  rig.core.run(startCycle + 1245);
  assert.equal(pcOf(rig), hex32(CODE));
  rig.core.run(startCycle + 1270);
  assert.equal(pcOf(rig), hex32(handlerOf(15)));
});

test("NVIC registers set and clear bits, priorities keep two bits", () => {
  assert.equal(readAfter([[ISER, 0x8000_0005]], ISER), "0x80000005");
  const cleared = [
    [ISER, 0xff],
    [ICER, 0x0f],
  ] as const;
  assert.equal(readAfter(cleared, ICER), "0x000000f0");
  assert.equal(readAfter([[ISPR, 0x30]], ISPR), "0x00000030");
  const pending = [
    [ISPR, 0x30],
    [ICPR, 0x10],
  ] as const;
  assert.equal(readAfter(pending, ICPR), "0x00000020");
  assert.equal(readAfter([[IPR7, 0xffff_7f3f]], IPR7), "0xc0c04000");
});

test("a pending line that is asked for by its level cannot be cleared", () => {
  const rig = makeRig({ code: [STR_R0_R1, 0x6810, NOP] });
  rig.core.setInterrupt(4, true);
  rig.core.registers.set([0x10, ICPR, ISPR]);
  rig.step(2);
  assert.equal(rig.core.registers[0], 0x10);
  rig.core.setInterrupt(4, false);
  const { core, step } = makeRig({ setup: [[ISPR, 0x10]], code: [STR_R0_R1, 0x6810] });
  core.registers.set([0x10, ICPR, ISPR]);
  step(2);
  assert.equal(core.registers[0], 0);
});

test("registers of the processor read as a Cortex-M0+ of the RP2040 has them", () => {
  assert.equal(readAfter([], 0xe000_ed00), "0x410cc601");
  assert.equal(readAfter([], 0xe000_ed14), "0x00000208");
  assert.equal(readAfter([], 0xe000_ed90), "0x00000800");
  assert.equal(readAfter([[VTOR, 0x2000_01ff]], VTOR), "0x20000100");
  assert.equal(readAfter([[ISPR, 2]], ICSR), "0x00000000"); // not enabled
  const masked = makeRig({ setup: [[ISPR, 2]], code: [0xb672, STR_R0_R1, 0x6810] });
  masked.core.registers.set([2, ISER, ICSR]);
  masked.step(3);
  assert.equal(hex32(masked.core.registers[0]!), hex32((1 << 22) | (17 << 12)));
});

test("vectors move with VTOR", () => {
  const rig = makeRig({
    setup: [
      [VTOR, RAM],
      [ISER, 1],
    ],
    code: [NOP],
  });
  rig.ram.setUint32(4 * 16, handlerOf(20) | 1, true);
  rig.core.setInterrupt(0, true);
  rig.step();
  assert.equal(pcOf(rig), hex32(handlerOf(20)));
});

test("SYSRESETREQ with its key ends the run; reset() begins anew at the vectors", () => {
  let asked = 0;
  const options = { onReset: () => asked++ };
  const rig = makeRig({ code: [STR_R0_R1, 0xb672, 0x6011, NOP, LOOP], options });
  rig.core.registers.set([0x1234_0004, AIRCR, AIRCR]);
  rig.step(2);
  assert.equal(asked, 0);
  rig.core.registers[1] = 0x05fa_0004;
  rig.core.run(rig.core.cycle + 100);
  assert.equal(asked, 1);
  assert.equal(pcOf(rig), hex32(CODE + 6));
  const { cycle } = rig.core;
  rig.core.reset();
  assert.equal(rig.core.cycle, cycle);
  assert.equal(pcOf(rig), hex32(CODE));
});

test("a core register that Armv6-M does not have, or not by bytes, ends the run", () => {
  const touch = (op: number, address: number) => (): void => {
    const { core, step } = makeRig({ code: [op] });
    core.registers[1] = address;
    step();
  };
  assert.throws(touch(LDR_R0_R1, 0xe000_ed28), {
    constructor: ChipFailure,
    message: /no core register/,
  });
  assert.throws(touch(STR_R0_R1, 0xe000_ed28), /no core register 0xe000ed28/);
  assert.throws(touch(0x7808, ISER), /takes words, not 1 bytes/);
});

test("code that is stored to runs as it is now, also the second half of a BL", () => {
  // STRH r0, [r1]; ADDS r2, #1; loop back, at most twice
  const rig = makeRig({ code: [0x3201, 0x8008, 0x3b01, 0xd1fb, LOOP] });
  rig.core.registers.set([0x3210, CODE, 0, 2]); // ADDS r2, #16
  rig.core.run(20);
  assert.equal(rig.core.registers[2], 1 + 16);
  const call = [0xf000, 0xf803, 0x8008, 0xe7fb, NOP, 0x2401, BX_LR, 0x2402, LOOP]; // to 0x2401
  const second = makeRig({ code: call });
  second.core.registers.set([0xf805, CODE + 2]);
  second.core.run(60);
  assert.equal(second.core.registers[4], 2);
});

test("bytes changed behind the core are seen after invalidate()", () => {
  const rig = makeRig({ code: [0x3201, 0xe7fd] });
  rig.core.run(30);
  rig.core.registers[2] = 0;
  rig.ram.setUint16(CODE - RAM, 0x3264, true);
  rig.core.invalidate(CODE, 2);
  rig.step(3);
  assert.equal(rig.core.registers[2]! >= 100, true);
});
