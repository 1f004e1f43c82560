// SPDX-License-Identifier: MIT
// Goal: what Armv6-M faults on enters HardFault, or ends the run with its name.
//
// Spec: Armv6-M ARM §B1.5.6, §B3.5. Method: one faulty instruction each; stacked PC and cause worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChipFailure, hex32 } from "../../../host-sim/chips/failure.ts";
import { CODE, handlerOf, MAIN_STACK, makeRig, type Program, RAM, type Rig } from "./rig.ts";

const ISER = 0xe000_e100;
const MPU_CTRL = 0xe000_ed94;
const MPU_RBAR = 0xe000_ed9c;
const MPU_RASR = 0xe000_eda0;
const BX_LR = 0x4770;
const NOP = 0xbf00;
const LDR_R0_R1 = 0x6808;
const STR_R0_R1 = 0x6008;
const BX_R1 = 0x4708;

const pcOf = ({ core }: Rig): string => hex32(core.registers[15]!);
const stackedPc = ({ core, ram }: Rig): string =>
  hex32(ram.getUint32(core.registers[13]! - RAM + 24, true));

/** True when the handler of HardFault is about to begin after so many steps or fewer. */
function reachesHardFault(rig: Rig, steps: number): boolean {
  for (let i = 0; i < steps && pcOf(rig) !== hex32(handlerOf(3)); i++) rig.step();
  return pcOf(rig) === hex32(handlerOf(3));
}

type Row = [name: string, code: number[], r1: number, cause: RegExp, pc?: number];

const FAULTS: Row[] = [
  ["a misaligned load", [LDR_R0_R1], RAM + 2, /misaligned load of 4 at 0x20000002/],
  ["a misaligned store of a half-word", [0x8008], RAM + 1, /misaligned store of 2/],
  ["a misaligned LDM", [0xc90c], RAM + 1, /misaligned load of 4/],
  ["an undefined instruction", [0xde01], 0, /undefined instruction 0xde01/],
  ["a long instruction of Armv7-M", [0xf8d1, 0x0000], 0, /undefined instruction 0xf8d1/],
  ["CBZ of Armv7-M", [0xb101], 0, /undefined instruction 0xb101/],
  ["BKPT without a debugger", [0xbe07], 0, /BKPT 7/],
  ["SVC while masked", [0xb672, 0xdf00], 0, /SVC where its priority does not suffice/, CODE + 4],
  ["a branch to Arm state", [BX_R1], RAM + 0x200, /outside Thumb state/, RAM + 0x200],
  ["a branch to nothing", [BX_R1], 0x3000_0001, /no memory to fetch from/, 0x3000_0000],
  ["EXC_RETURN in thread mode", [BX_R1], -7, /no memory to fetch from/, 0xffff_fff8],
  [
    "an unprivileged access to the system",
    [0xf382, 0x8814, LDR_R0_R1],
    ISER,
    /unprivileged/,
    CODE + 4,
  ],
];

for (const [name, code, r1, cause, pc] of FAULTS)
  test(`${name} is a HardFault`, () => {
    const rig = makeRig({ code });
    const registers = [9, r1, 1];
    rig.core.registers.set(registers);
    assert.equal(reachesHardFault(rig, 4), true);
    assert.equal(stackedPc(rig), hex32(pc ?? CODE));
    assert.deepEqual(rig.core.registers.subarray(0, 3), Int32Array.from(registers));
    const ended = makeRig({ code, options: { failOnFault: true } });
    ended.core.registers.set(registers);
    assert.throws(
      () => ended.step(4),
      (error: Error) => {
        assert.equal(error.constructor, ChipFailure);
        assert.match(error.message, cause);
        assert.ok(error.message.startsWith("HardFault: "));
        assert.ok(error.message.endsWith(`pc ${hex32(pc ?? CODE)}`), error.message);
        return true;
      },
    );
  });

test("a fault in HardFault is lock-up", () => {
  const rig = makeRig({ code: [0xde00], handlers: { 3: [0xde00] } });
  assert.throws(() => rig.step(3), {
    constructor: ChipFailure,
    message: `lock-up: undefined instruction 0xde00; pc ${hex32(handlerOf(3))}`,
  });
});

test("lock-up lasts until a reset where it does not end the run", () => {
  const rig = makeRig({
    setup: [[ISER, 1]],
    ...{ code: [0xde00], handlers: { 3: [0xde00] }, options: { staysLockedUp: true } },
  });
  rig.step(2);
  const { cycle } = rig.core;
  rig.core.setInterrupt(0, true); // only NMI would be taken
  rig.core.run(cycle + 1000);
  assert.equal(rig.core.cycle, cycle + 1000);
  assert.equal(pcOf(rig), hex32(handlerOf(3)));
  rig.core.reset();
  rig.core.registers.set([0, RAM], 6);
  rig.step();
  assert.equal(pcOf(rig), hex32(CODE));
});

test("stacking where there is no memory is the bus's to refuse", () => {
  const program: Program = { setup: [[ISER, 1]], code: [NOP, NOP], stack: RAM + 16 };
  const rig = makeRig(program);
  rig.core.setInterrupt(0, true);
  assert.throws(() => rig.step(), /nothing at 0x1ffffff0/);
});

// In a handler, BX r1 with a wrong EXC_RETURN; then the same where two are active.
for (const [name, code, nested] of [
  ["to a handler where none is active", 0xffff_fff1, false],
  ["that does not exist", 0xffff_fff5, false],
  ["with zeros above", 0xf000_0009, false],
  ["to thread mode from a nested one", 0xffff_fff9, true],
] as const)
  test(`EXC_RETURN ${name} is a HardFault`, () => {
    const rig = makeRig({
      setup: [
        [ISER, 3],
        [0xe000_e400, 0x40], // line 0 below line 1
      ],
      code: [NOP],
      handlers: { 16: [nested ? NOP : BX_R1], 17: [BX_R1] },
    });
    rig.core.registers[1] = code;
    rig.core.setInterrupt(0, true);
    rig.step();
    if (nested) {
      rig.core.setInterrupt(1, true);
      rig.step();
    }
    assert.equal(reachesHardFault(rig, 1), true);
  });

const REGION_256 = (7 << 1) | 1;
const NO_ACCESS = REGION_256;
const READ_ONLY = (5 << 24) | REGION_256;
const NEVER_EXECUTE = (1 << 28) | (3 << 24) | REGION_256;
const GUARDED = RAM + 0x4000;

const mpuOf = (attributes: number): Program["setup"] => [
  [MPU_RBAR, GUARDED | 0x10],
  [MPU_RASR, attributes],
  [MPU_CTRL, 5], // on, with the default map for privileged software
];

test("the MPU forbids loads, stores and fetches of a region, and nothing beside it", () => {
  const outcome = (attributes: number, op: number, address: number): boolean => {
    const rig = makeRig({ setup: mpuOf(attributes)!, code: [op, NOP] });
    rig.core.registers[1] = address;
    return reachesHardFault(rig, 2);
  };
  assert.equal(outcome(NO_ACCESS, LDR_R0_R1, GUARDED), true);
  assert.equal(outcome(NO_ACCESS, STR_R0_R1, GUARDED + 252), true);
  assert.equal(outcome(NO_ACCESS, LDR_R0_R1, GUARDED - 4), false);
  assert.equal(outcome(NO_ACCESS, LDR_R0_R1, GUARDED + 256), false);
  assert.equal(outcome(READ_ONLY, LDR_R0_R1, GUARDED), false);
  assert.equal(outcome(READ_ONLY, STR_R0_R1, GUARDED), true);
  assert.equal(outcome(NEVER_EXECUTE, STR_R0_R1, GUARDED), false);
  assert.equal(outcome(NEVER_EXECUTE, BX_R1, GUARDED | 1), true);
  assert.equal(outcome(NO_ACCESS | (1 << 15), LDR_R0_R1, GUARDED + 0xe0), false); // sub-region 7 off
  assert.equal(outcome(NO_ACCESS | (1 << 15), LDR_R0_R1, GUARDED + 0xdc), true);
});

test("a PUSH into a guard faults and leaves SP; HardFault is outside the MPU", () => {
  const rig = makeRig({ setup: mpuOf(NO_ACCESS)!, code: [0xb5ff], handlers: { 3: [LDR_R0_R1] } });
  const { core, step } = rig;
  core.registers[13] = GUARDED + 256 + 32;
  core.registers[1] = GUARDED;
  step();
  assert.equal(stackedPc(rig), hex32(CODE));
  assert.equal(core.registers[13], GUARDED + 256);
  step();
  assert.equal(pcOf(rig), hex32(handlerOf(3) + 2));
});

test("thread mode without privilege sees the regions that allow it alone", () => {
  const rig = makeRig({
    setup: [
      [MPU_RBAR, RAM | 0x10],
      [MPU_RASR, (3 << 24) | (13 << 1) | 1], // 16 KiB for all
      [MPU_CTRL, 5],
    ],
    code: [0xf380, 0x8814, LDR_R0_R1, 0x6810, NOP], // MSR CONTROL, r0; LDR r0 of r1, of r2
  });
  rig.core.registers.set([1, RAM + 0x3ffc, RAM + 0x4000]);
  rig.step(2);
  assert.equal(pcOf(rig), hex32(CODE + 6));
  // Stacking for the fault is forbidden as well.
  assert.throws(() => rig.step(), /lock-up: MPU forbids the store at 0x20007ffc while stacking/);
});

test("stacking into a guard is a HardFault instead of the exception, which stays pending", () => {
  const setup = [...mpuOf(NO_ACCESS)!, [ISER, 1] as const];
  const rig = makeRig({ setup, code: [NOP], handlers: { 3: [0x6808] } });
  rig.core.registers[13] = GUARDED + 256 + 16;
  rig.core.registers[1] = 0xe000_e200; // ISPR
  rig.core.setInterrupt(0, true);
  rig.step();
  assert.equal(pcOf(rig), hex32(handlerOf(3)));
  assert.equal(rig.core.registers[13], GUARDED + 240);
  rig.step();
  assert.equal(rig.core.registers[0], 1);
});

test("an exception returns as it was entered after a HardFault that repaired its cause", () => {
  const handler = [0x9906, 0x3102, 0x9106, BX_LR]; // stacked PC += 2
  const rig = makeRig({ code: [0xde00, 0x2005], handlers: { 3: handler } });
  rig.step(6);
  assert.equal(rig.core.registers[0], 5);
  assert.equal(rig.core.registers[13], MAIN_STACK);
});
