// SPDX-License-Identifier: MIT
// How late ticks start, and why.
//
// Goal: each start is told as late as it was, with what was under way as its cause. Method: an alarm at chosen cycles of small programs; lateness and causes worked out by hand. The entry takes 15.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createLateness, type Lateness } from "../../../host-sim/chips/measure/lateness.ts";
import { makeRig, type Program, type Rig, SLOW_PORT } from "../armv6m/rig.ts";

const ISER = 0xe000_e100;
const IPR0 = 0xe000_e400;
const SETUP = [
  [ISER, 0xffff_ffff],
  [IPR0, 0x8080_4000],
] as const;
const NOP = 0xbf00;
const BX_LR = 0x4770;
const WFI = 0xbf30;
const CPSID = 0xb672;
const CPSIE = 0xb662;
const LDR_R0_R1 = 0x6808;
const STR_R0_R1 = 0x6008;
const HERE = 0xe7fe; // B to itself
const PUSH_ALL = 0xb5ff; // 9 registers: 10 cycles
const PERIOD = 1000;
const TICK = 16;

interface Watched {
  rig: Rig;
  late: Lateness;
  /** The alarm matches so many cycles after the start. */
  matchAt(offset: number): void;
}

function watched(program: Program): Watched {
  const made: { rig?: Rig } = {};
  const late = createLateness({
    tick: () => TICK,
    name: (exception) => `handler ${exception}`,
    now: () => made.rig?.core.cycle ?? 0,
    periodCycles: () => PERIOD,
  });
  const handlers = { 16: [BX_LR], 18: [NOP, BX_LR], ...program.handlers };
  const options = { watch: late.watch };
  const rig = makeRig({ setup: SETUP, ...program, handlers, options, listen: late.listen });
  made.rig = rig;
  const startCycle = rig.core.cycle;
  const matchAt = (offset: number): void => {
    rig.core.run(startCycle + offset);
    late.matched(startCycle + offset);
    rig.core.setInterrupt(0, true);
    rig.core.setInterrupt(0, false);
    rig.core.run(rig.core.cycle + 40);
  };
  return { rig, late, matchAt };
}

const one = ({ late }: Watched): string => {
  const [bucket, ...others] = late.buckets();
  assert.deepEqual([others.length, bucket?.count], [0, 1]);
  return `${bucket!.cycles} ${bucket!.cause}`;
};
const nops = (count: number): number[] => new Array<number>(count).fill(NOP);

test("between two instructions and asleep only the entry is waited for", () => {
  const awake = watched({ code: nops(99) });
  awake.matchAt(5);
  assert.equal(one(awake), "15 none");
  const asleep = watched({ code: [WFI, ...nops(99)] });
  asleep.matchAt(50);
  assert.equal(one(asleep), "15 none");
});

test("an instruction under way is the cause of what it still takes", () => {
  const run = watched({ code: [NOP, PUSH_ALL, ...nops(99)] });
  run.matchAt(4); // PUSH is at 1 to 11
  assert.equal(one(run), "22 instruction");
});

test("so is an access of a slow bus, load or store", () => {
  for (const access of [LDR_R0_R1, STR_R0_R1]) {
    const run = watched({ code: [NOP, access, ...nops(99)] });
    run.rig.core.registers[1] = SLOW_PORT;
    run.matchAt(2); // at 1 to 5
    assert.equal(one(run), "18 bus");
  }
});

test("the entry and the return of another handler are causes of their own", () => {
  const code = nops(99);
  const entry = watched({ code });
  entry.rig.core.setInterrupt(2, true);
  entry.rig.core.setInterrupt(2, false);
  entry.matchAt(3); // the entry is at 0 to 15
  assert.equal(one(entry), "27 entry of handler 18");
  const back = watched({ code });
  back.rig.core.setInterrupt(2, true);
  back.rig.core.setInterrupt(2, false);
  back.matchAt(17); // NOP at 15, BX and the return at 16 to 30
  assert.equal(one(back), "28 return from handler 18");
});

test("a mask is the cause, whatever ran under it", () => {
  const run = watched({ code: [CPSID, ...nops(8), PUSH_ALL, CPSIE, ...nops(99)] });
  run.matchAt(4); // CPSIE ends at 1 + 8 + 10 + 1
  assert.equal(one(run), "31 mask");
});

test("periods without a match and matches without a start are counted", () => {
  const run = watched({ code: [HERE] });
  run.matchAt(100);
  run.matchAt(100 + PERIOD);
  run.matchAt(100 + 4 * PERIOD);
  assert.deepEqual({ ...run.late.counts }, { ticks: 3, passed: 2, unserved: 0 });
  run.late.matched(run.rig.core.cycle);
  run.late.matched(run.rig.core.cycle + PERIOD);
  assert.equal(run.late.counts.unserved, 1);
  run.late.clear();
  assert.deepEqual([run.late.buckets(), run.late.counts.ticks], [[], 0]);
});
