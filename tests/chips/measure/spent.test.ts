// SPDX-License-Identifier: MIT
// Where the cycles of a core go.
//
// Goal: each is counted once, for the handler, thread mode or sleep that it went to. Method: one program with a handler that another interrupts; sums worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ASLEEP, createSpent, percentile, THREAD } from "../../../host-sim/chips/measure/spent.ts";
import { makeRig, type Rig } from "../armv6m/rig.ts";

const ISER = 0xe000_e100;
const IPR0 = 0xe000_e400;
const NOP = 0xbf00;
const BX_LR = 0x4770;
const WFI = 0xbf30;
const B_WFI = 0xe7fc; // back to the second half-word from the fourth

test("a handler's cycles are its own, without those of what interrupted it", () => {
  const made: { rig?: Rig } = {};
  const now = (): number => made.rig?.core.cycle ?? 0;
  const spent = createSpent(now, now);
  const rig = makeRig({
    setup: [
      [ISER, 0xffff_ffff],
      [IPR0, 0x8080_4000],
    ],
    code: [NOP, WFI, NOP, B_WFI], // 1 and 2, then 1, 2 and 2
    handlers: { 16: [NOP, BX_LR], 18: [NOP, NOP, NOP, BX_LR] },
    options: { watch: spent.watch },
  });
  made.rig = rig;
  const { core } = rig;
  spent.clear();
  const startCycle = core.cycle;
  const pulse = (line: number): void => {
    core.setInterrupt(line, true);
    core.setInterrupt(line, false);
  };
  core.run(startCycle + 50); // NOP, WFI, asleep from 3
  pulse(2);
  core.run(core.cycle + 16); // entry, NOP
  pulse(0);
  core.run(startCycle + 200);
  spent.settle();
  assert.equal(spent.cycles[16], 15 + 1 + 2 + 12);
  assert.equal(spent.cycles[18], 15 + 3 + 2 + 12);
  assert.equal(spent.cycles[THREAD], 3 + 5);
  assert.equal(
    spent.cycles.reduce((sum, cycles) => sum + cycles, 0),
    core.cycle - startCycle,
  );
  assert.equal(spent.cycles[ASLEEP], core.cycle - startCycle - 30 - 32 - 8);
  assert.deepEqual([...spent.runs[18]!], [[32, 1]]);
  assert.deepEqual(
    [...spent.runs[THREAD]!],
    [
      [3, 1],
      [5, 1],
    ],
  );
  assert.equal(spent.latency[16], 15);
});

test("a percentile is the least that this part of all does not exceed", () => {
  const costs = new Map([
    [50, 1],
    [10, 98],
    [20, 1],
  ]);
  assert.deepEqual(
    [0, 0.5, 0.98, 0.99, 1].map((part) => percentile(costs, part)),
    [10, 10, 10, 20, 50],
  );
  assert.equal(percentile(new Map(), 0.5), 0);
});
