// SPDX-License-Identifier: MIT
// Alarms in cycles and in nanoseconds: order, ends, and a clock that changes.
//
// The clock alone, with a number in the place of the core.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createCycleClock, createScope } from "../../../host-sim/chips/rp2040/clock.ts";
import { createChipTime } from "../../../host-sim/chips/rp2040/time.ts";

interface Bench {
  at: number;
  readonly earlier: number[];
  readonly clock: ReturnType<typeof createCycleClock>;
}

function bench(): Bench {
  const result = { at: 0, earlier: [] as number[] };
  const clock = createCycleClock(
    () => result.at,
    (cycle) => result.earlier.push(cycle),
  );
  return Object.assign(result, { clock });
}

function runTo(b: Bench, cycle: number): void {
  b.at = cycle;
  b.clock.runDue(cycle);
}

test("alarms are called in the order of their cycles, equal ones as they were made", () => {
  const b = bench();
  const called: string[] = [];
  const note = (name: string) => () => void called.push(`${name}@${b.clock.now()}`);
  b.clock.at(30, note("c"));
  b.clock.at(10, note("a"));
  b.clock.at(30, note("d"));
  b.clock.at(20, note("b"));
  runTo(b, 25);
  assert.deepEqual(called, ["a@10", "b@20"]);
  runTo(b, 40);
  assert.deepEqual(called.slice(2), ["c@30", "d@30"]);
  assert.equal(b.clock.nextDue(), Infinity);
});

test("whoever makes the earliest alarm is told, others are not", () => {
  const b = bench();
  b.clock.at(50, () => undefined);
  b.clock.at(60, () => undefined);
  b.clock.at(40, () => undefined);
  assert.deepEqual(b.earlier, [50, 40]);
});

test("an alarm made inside a call and due by now is called in the same run", () => {
  const b = bench();
  const at: number[] = [];
  b.clock.at(10, () => b.clock.at(12, () => at.push(b.clock.now())));
  b.clock.at(15, () => at.push(b.clock.now()));
  runTo(b, 20);
  assert.deepEqual(at, [12, 15]);
});

test("cancelling ends one alarm once, also after its place was given to another", () => {
  const b = bench();
  let calls = 0;
  const call = (): void => void calls++;
  const first = b.clock.at(10, call);
  runTo(b, 10);
  b.clock.at(20, call); // has the place of the first
  first.cancel();
  runTo(b, 20);
  assert.equal(calls, 2);
  const third = b.clock.at(30, call);
  third.cancel();
  third.cancel();
  runTo(b, 40);
  assert.equal(calls, 2);
});

test("a closed scope calls nothing", () => {
  const b = bench();
  const scope = createScope(b.clock);
  let calls = 0;
  scope.at(10, () => void calls++);
  scope.at(20, () => void calls++);
  runTo(b, 10);
  scope.close();
  runTo(b, 30);
  assert.equal(calls, 1);
});

test("an alarm in nanoseconds keeps its time when the clock changes its rate", () => {
  const b = bench();
  const time = createChipTime(b.clock, 10e6); // 100 ns a cycle
  const at: number[] = [];
  time.atNs(10_000, () => at.push(b.clock.now())); // cycle 100 at this rate
  runTo(b, 50); // 5,000 ns
  time.setSysHz(125e6); // 8 ns: the other 5,000 ns are 625 cycles
  runTo(b, 2000);
  assert.deepEqual(at, [675]);
  assert.equal(time.nsAt(675), 10_000);
  assert.equal(time.cycleAt(10_000), 675);
  assert.equal(time.cycleAt(10_001), 676);
});
