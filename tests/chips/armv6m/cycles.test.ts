// SPDX-License-Identifier: MIT
// Goal: every class of instruction takes the cycles of Arm's table.
//
// Cortex-M0+ TRM (DDI 0484C), table 3.1. Method: one instruction each, run alone, with the operands that decide; figures copied from the table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, FAST_PORT, makeRig, RAM, SLOW_PORT } from "./rig.ts";

type Row = [name: string, cycles: number, ops: number[], set?: Record<number, number>];

const DATA = RAM + 0x4000;
const TARGET = CODE + 0x20;

const TABLE: Row[] = [
  ["MOVS r0, #1", 1, [0x2001]],
  ["MOV r8, r0", 1, [0x4680]],
  ["MOV r0, pc", 1, [0x4678]],
  ["MOV pc, r1", 2, [0x468f], { 1: TARGET }],
  ["ADDS r0, r1, r2", 1, [0x1888]],
  ["ADD pc, r1", 2, [0x448f], { 1: 8 }],
  ["ADCS r0, r1", 1, [0x4148]],
  ["ADR r0, #4", 1, [0xa001]],
  ["ADD sp, #8", 1, [0xb002]],
  ["SUBS r0, #1", 1, [0x3801]],
  ["RSBS r0, r1", 1, [0x4248]],
  ["MULS r0, r1", 1, [0x4348]],
  ["CMP r0, #0", 1, [0x2800]],
  ["TST r0, r1", 1, [0x4208]],
  ["LSLS r0, r1, #3", 1, [0x00c8]],
  ["RORS r0, r1", 1, [0x41c8]],
  ["LDR r0, [r1]", 2, [0x6808], { 1: DATA }],
  ["LDRSH r0, [r1, r2]", 2, [0x5e88], { 1: DATA }],
  ["LDR r0, [pc, #0]", 2, [0x4800]],
  ["LDR r0, [r1], bus with 2 waits", 4, [0x6808], { 1: SLOW_PORT }],
  ["LDR r0, [r1], single-cycle I/O port", 1, [0x6808], { 1: FAST_PORT }],
  ["STR r0, [r1]", 2, [0x6008], { 1: DATA }],
  ["STRB r0, [r1]", 2, [0x7008], { 1: DATA }],
  ["STR r0, [sp, #4]", 2, [0x9001]],
  ["STR r0, [r1], bus with 2 waits", 4, [0x6008], { 1: SLOW_PORT }],
  ["STR r0, [r1], single-cycle I/O port", 1, [0x6008], { 1: FAST_PORT }],
  ["LDM r1!, {r0}", 2, [0xc901], { 1: DATA }],
  ["LDM r1!, {r0, r2-r7}", 8, [0xc9fd], { 1: DATA }],
  ["LDM r1!, {r0, r2}, bus with 2 waits", 3 + 4, [0xc905], { 1: SLOW_PORT }],
  ["STM r1!, {r0, r2-r4}", 5, [0xc11d], { 1: DATA }],
  ["PUSH {r0-r7, lr}", 10, [0xb5ff]],
  ["POP {r0-r7}", 9, [0xbcff], { 13: DATA }],
  ["POP {r0, pc}", 5, [0xbd01], { 13: DATA }],
  ["B to itself", 2, [0xe7fe]],
  ["BEQ not taken", 1, [0xd002]],
  ["BNE taken", 2, [0xd102]],
  ["BL", 3, [0xf000, 0xf802]],
  ["BX r1", 2, [0x4708], { 1: TARGET | 1 }],
  ["BLX r1", 2, [0x4788], { 1: TARGET | 1 }],
  ["SXTB r0, r1", 1, [0xb248]],
  ["REV r0, r1", 1, [0xba08]],
  ["CPSID i", 1, [0xb672]],
  ["MRS r0, PRIMASK", 3, [0xf3ef, 0x8010]],
  ["MSR PRIMASK, r0", 3, [0xf380, 0x8810]],
  ["DMB", 3, [0xf3bf, 0x8f5f]],
  ["DSB", 3, [0xf3bf, 0x8f4f]],
  ["ISB", 3, [0xf3bf, 0x8f6f]],
  ["NOP", 1, [0xbf00]],
  ["YIELD", 1, [0xbf10]],
  ["SEV", 1, [0xbf40]],
];

for (const [name, cycles, ops, set] of TABLE)
  test(`${name} takes ${cycles}`, () => {
    const { core, ram, step } = makeRig({ code: ops });
    for (let i = 0; i < 4; i++) ram.setUint32(DATA - RAM + 4 * i, TARGET | 1, true);
    for (const [register, value] of Object.entries(set ?? {}))
      core.registers[Number(register)] = value;
    step();
    assert.equal(core.cycle, cycles);
  });

test("WFE takes 2 when an event is there already", () => {
  const { core, step } = makeRig({ code: [0xbf40, 0xbf20, 0xbf00] });
  step(3);
  assert.equal(core.cycle, 1 + 2 + 1);
  assert.equal(core.registers[15], CODE + 6);
});

test("the bus sees the cycle of the data phase", () => {
  const { core, accesses, step } = makeRig({ code: [0xbf00, 0x6808, 0x6010] });
  core.registers.set([0, SLOW_PORT, FAST_PORT]);
  step(3);
  assert.deepEqual(
    accesses.map(({ cycle }) => cycle),
    [1 + 3, 5],
  );
});
