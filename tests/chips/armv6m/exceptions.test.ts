// SPDX-License-Identifier: MIT
// Goal: exceptions are entered, nested, masked and left as Armv6-M has it.
//
// Spec: Armv6-M ARM §B1.5. Method: small programs; frames, return codes, order and cycles worked out by hand from its pseudocode.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hex32 } from "../../../host-sim/chips/failure.ts";
import { CODE, handlerOf, MAIN_STACK, makeRig, RAM, type Rig, SLOW_PORT } from "./rig.ts";

const ISER = 0xe000_e100;
const IPR0 = 0xe000_e400;
const ICSR = 0xe000_ed04;
const SCR = 0xe000_ed10;
const SHPR2 = 0xe000_ed1c;
const SHPR3 = 0xe000_ed20;

const NOP = 0xbf00;
const BX_LR = 0x4770;
const WFI = 0xbf30;
const WFE = 0xbf20;
const SEV = 0xbf40;
const CPSID = 0xb672;
const CPSIE = 0xb662;
const SVC = 0xdf00;
const STR_R6_R7 = 0x603e;
const MRS_R0_IPSR = [0xf3ef, 0x8005];
const LOOP = 0xe7fe;

const ENABLE_ALL = [ISER, 0xffff_ffff] as const;
// Line 0 first, line 1 next, lines 2 and 3 alike.
const PRIORITIES = [IPR0, 0x8080_4000] as const;

const pcOf = ({ core }: Rig): string => hex32(core.registers[15]!);
const wordsAt = ({ ram }: Rig, address: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => hex32(ram.getUint32(address - RAM + 4 * i, true)));

test("an interrupt stacks eight words in 15 cycles; its return gives all back in 12", () => {
  const handler = [...MRS_R0_IPSR, 0x2100, BX_LR]; // MRS r0, IPSR; MOVS r1, #0; BX lr
  const rig = makeRig({ setup: [ENABLE_ALL], code: [0x2800, NOP, NOP], handlers: { 21: handler } });
  const { core, step } = rig;
  core.registers.set([5, 1, 2, 3]);
  core.registers[12] = 12;
  core.registers[14] = 14;
  step(); // CMP r0, #0: carry
  core.setInterrupt(5, true);
  const startCycle = core.cycle;
  core.run(core.cycle + 1);
  assert.equal(core.cycle - startCycle, 15);
  assert.equal(pcOf(rig), hex32(handlerOf(21)));
  const frame = [5, 1, 2, 3, 12, 14, CODE + 2, 0x2100_0000].map(hex32);
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 32, 8), frame);
  assert.equal(hex32(core.registers[14]!), "0xfffffff9");
  core.setInterrupt(5, false);
  step();
  assert.equal(core.registers[0], 21);
  step(2); // MOVS, BX
  assert.equal(core.cycle - startCycle, 15 + 3 + 1 + 2 + 12);
  assert.deepEqual([...core.registers.subarray(0, 4)], [5, 1, 2, 3]);
  assert.equal(core.registers[13], MAIN_STACK);
  assert.equal(core.registers[14], 14);
  assert.equal(pcOf(rig), hex32(CODE + 2));
});

test("a stack that is not a multiple of eight is aligned, and bit 9 gives it back", () => {
  const rig = makeRig({
    ...{ setup: [ENABLE_ALL], code: [NOP, NOP], handlers: { 16: [BX_LR] } },
    stack: MAIN_STACK - 4,
  });
  rig.core.setInterrupt(0, true);
  rig.step();
  assert.equal(rig.core.registers[13], MAIN_STACK - 40);
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 40 + 28, 1), [hex32(0x0100_0200)]);
  rig.core.setInterrupt(0, false);
  rig.step();
  assert.equal(rig.core.registers[13], MAIN_STACK - 4);
});

test("thread mode on PSP stacks there; what nests uses MSP and returns to a handler", () => {
  const psp = RAM + 0x6000;
  const rig = makeRig({
    setup: [ENABLE_ALL, PRIORITIES],
    code: [0xf380, 0x8809, 0xf381, 0x8814, NOP, NOP], // MSR PSP, r0; MSR CONTROL, r1
    handlers: { 18: [NOP, BX_LR], 16: [BX_LR] },
  });
  const { core, step } = rig;
  core.registers.set([psp, 2]);
  step(3);
  assert.equal(core.registers[13], psp);
  core.setInterrupt(2, true);
  step();
  assert.equal(hex32(core.registers[14]!), "0xfffffffd");
  assert.equal(core.registers[13], MAIN_STACK);
  assert.deepEqual(wordsAt(rig, psp - 8, 2), [hex32(CODE + 10), hex32(0x0100_0000)]);
  core.setInterrupt(0, true);
  step();
  assert.equal(hex32(core.registers[14]!), "0xfffffff1");
  assert.equal(core.registers[13], MAIN_STACK - 32);
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 8, 2), [hex32(handlerOf(18)), hex32(0x0100_0012)]);
  core.setInterrupt(0, false);
  core.setInterrupt(2, false);
  step(3); // BX; NOP; BX
  assert.equal(core.registers[13], psp);
  assert.equal(pcOf(rig), hex32(CODE + 10));
});

test("a lower priority pre-empts, an equal one waits, of equals the first line goes first", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL, PRIORITIES],
    code: [NOP, NOP],
    handlers: { 18: [NOP, BX_LR], 19: [NOP, BX_LR], 17: [NOP, BX_LR] },
  });
  const { core, step } = rig;
  const pulse = (line: number): void => {
    core.setInterrupt(line, true);
    core.setInterrupt(line, false);
  };
  pulse(3);
  pulse(2);
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(18)));
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(18) + 2)); // line 3 does not pre-empt
  pulse(1);
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(17)));
  step(2);
  assert.equal(pcOf(rig), hex32(handlerOf(18) + 2));
  step(2); // BX, and line 3 is next without an instruction of the thread
  assert.equal(pcOf(rig), hex32(handlerOf(19)));
  step(2);
  assert.equal(pcOf(rig), hex32(CODE));
});

test("tail-chaining costs a return and an entry: 27 cycles, no instruction between", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL],
    code: [LOOP],
    handlers: { 16: [BX_LR], 17: [NOP, LOOP] },
  });
  const { core } = rig;
  for (const line of [0, 1]) {
    core.setInterrupt(line, true);
    core.setInterrupt(line, false);
  }
  const startCycle = core.cycle;
  core.run(core.cycle + 15 + 2 + 12 + 15);
  assert.equal(core.cycle - startCycle, 15 + 2 + 12 + 15);
  assert.equal(pcOf(rig), hex32(handlerOf(17)));
  assert.equal(core.registers[13], MAIN_STACK - 32);
});

test("a late arrival goes before the first instruction of the handler that was entered", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL, PRIORITIES],
    code: [LOOP],
    handlers: { 18: [NOP, BX_LR], 16: [NOP, BX_LR] },
  });
  const { core, step } = rig;
  core.setInterrupt(2, true);
  const startCycle = core.cycle;
  core.run(core.cycle + 7); // the entry takes longer than that
  core.setInterrupt(0, true);
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(16)));
  assert.equal(core.cycle - startCycle, 15 + 15);
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 64 + 24, 1), [hex32(handlerOf(18))]);
});

test("WFI ends for an interrupt that PRIMASK holds back; it is entered after CPSIE", () => {
  const code = [CPSID, WFI, NOP, CPSIE, NOP];
  const rig = makeRig({ setup: [ENABLE_ALL], code, handlers: { 16: [BX_LR] } });
  const { core, step } = rig;
  step(2);
  core.run(10_000);
  assert.equal(core.cycle, 10_000); // asleep
  core.setInterrupt(0, true);
  step();
  assert.equal(pcOf(rig), hex32(CODE + 6)); // NOP ran, no handler
  step(2);
  assert.equal(pcOf(rig), hex32(handlerOf(16)));
  const pending = makeRig({ setup: [ENABLE_ALL], code, handlers: { 16: [BX_LR] } });
  pending.core.setInterrupt(0, true);
  const startCycle = pending.core.cycle;
  assert.equal(pcOf(pending), hex32(CODE));
  pending.core.setInterrupt(0, false);
  pending.step(); // taken at once: nothing masks yet
  assert.equal(pending.core.cycle - startCycle, 15);
});

test("WFI with a masked interrupt already pending goes on at once", () => {
  const rig = makeRig({ setup: [ENABLE_ALL], code: [CPSID, NOP, WFI, NOP] });
  const { core, step } = rig;
  step();
  core.setInterrupt(0, true);
  const startCycle = core.cycle;
  step(3);
  assert.equal(core.cycle - startCycle, 1 + 2 + 1);
  assert.equal(pcOf(rig), hex32(CODE + 8));
});

test("WFI sleeps through what is not enabled or would not pre-empt", () => {
  const rig = makeRig({ code: [WFI, NOP] });
  rig.step();
  rig.core.setInterrupt(0, true);
  rig.core.run(5000);
  assert.equal(rig.core.cycle, 5000);
  assert.equal(pcOf(rig), hex32(CODE + 2));
});

test("WFE ends by SEV of another, not by a masked interrupt unless SEVONPEND", () => {
  for (const sevOnPend of [false, true]) {
    const rig = makeRig({
      setup: [ENABLE_ALL, [SCR, sevOnPend ? 0x10 : 0]],
      code: [CPSID, WFE, NOP, WFE, NOP],
    });
    const { core, step } = rig;
    step(2);
    core.setInterrupt(0, true);
    core.run(core.cycle + 1);
    assert.equal(pcOf(rig), hex32(CODE + (sevOnPend ? 6 : 4)));
    if (sevOnPend) continue;
    core.sendEvent();
    step();
    assert.equal(pcOf(rig), hex32(CODE + 6));
  }
  const own = makeRig({ code: [SEV, WFE, NOP] });
  own.step(3);
  assert.equal(pcOf(own), hex32(CODE + 6));
});

test("SLEEPONEXIT sleeps after the last return", () => {
  const rig = makeRig({
    ...{ setup: [ENABLE_ALL, [SCR, 2] as const], code: [NOP, NOP] },
    handlers: { 16: [BX_LR] },
  });
  const { core, step } = rig;
  core.setInterrupt(0, true);
  step();
  core.setInterrupt(0, false);
  step();
  core.run(9000);
  assert.equal(core.cycle, 9000);
  assert.equal(pcOf(rig), hex32(CODE));
});

test("a line that fell before it was served is pending; one still up is served again", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL],
    code: [CPSID, CPSIE, NOP, NOP],
    handlers: { 16: [BX_LR] },
  });
  const { core, step } = rig;
  step();
  core.setInterrupt(0, true);
  core.setInterrupt(0, false);
  step(2);
  assert.equal(pcOf(rig), hex32(handlerOf(16)));
  step();
  assert.equal(pcOf(rig), hex32(CODE + 4));
  core.setInterrupt(0, true);
  step(3); // entry, return, entry
  assert.equal(pcOf(rig), hex32(handlerOf(16)));
  core.setInterrupt(0, false);
  step(2);
  assert.equal(pcOf(rig), hex32(CODE + 6));
});

test("SVC, PendSV and NMI: each by its number, NMI over PRIMASK", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL, [SHPR3, 3 << 22], [SHPR2, 0x8000_0000]],
    code: [SVC, STR_R6_R7, NOP, CPSID, NOP],
    handlers: { 11: [...MRS_R0_IPSR, BX_LR], 14: [BX_LR], 2: [BX_LR] },
  });
  const { core, step } = rig;
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(11)));
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 8, 1), [hex32(CODE + 2)]);
  step(2);
  core.registers[6] = 1 << 28;
  core.registers[7] = ICSR;
  step(2);
  assert.equal(pcOf(rig), hex32(handlerOf(14)));
  step();
  assert.equal(pcOf(rig), hex32(CODE + 4));
  step(2);
  core.setNmi(true);
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(2)));
  step();
  assert.equal(pcOf(rig), hex32(CODE + 8)); // its level alone does not ask again
});

test("a store that raises a line is followed by its handler", () => {
  const rig = makeRig({
    setup: [ENABLE_ALL],
    code: [0x6008, NOP],
    handlers: { 16: [LOOP] },
  });
  const { core, during } = rig;
  core.registers[1] = SLOW_PORT;
  during.call = () => core.setInterrupt(0, true);
  core.run(core.cycle + 4 + 15);
  assert.equal(pcOf(rig), hex32(handlerOf(16)));
  assert.deepEqual(wordsAt(rig, MAIN_STACK - 8, 1), [hex32(CODE + 2)]);
});

test("an access that lowers the limit ends the run after that instruction", () => {
  const rig = makeRig({ code: [NOP, 0x6008, NOP, NOP, LOOP] });
  const { core, during } = rig;
  core.registers[1] = SLOW_PORT;
  during.call = () => (core.limit = core.cycle + 2);
  core.run(1000);
  assert.equal(core.cycle, 1 + 4 + 1);
  assert.equal(pcOf(rig), hex32(CODE + 6));
});
