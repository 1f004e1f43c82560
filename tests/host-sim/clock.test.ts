// SPDX-License-Identifier: MIT
// The virtual clock keeps the order of its alarms.
//
// Goal: time and sequence alone decide what fires when. Method: each call twice (a mock clock that is
// right only on its first call is a known trap), and a seeded comparison with a sorted list.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClock } from "../../host-sim/clock.ts";
import { createPrng } from "../../host-sim/prng.ts";

test("time stands still until it is run, and never runs backwards", () => {
  const clock = createClock();
  assert.equal(clock.nowUs(), 0);
  clock.runUntil(50);
  clock.runUntil(50);
  assert.equal(clock.nowUs(), 50);
  clock.runUntil(20);
  assert.equal(clock.nowUs(), 50);
});

test("a delay counts from the present, each time it is armed", () => {
  const clock = createClock();
  const fired: number[] = [];
  const alarm = clock.createAlarm(() => fired.push(clock.nowUs()));
  alarm.armAfter(100);
  clock.runUntil(1000);
  alarm.armAfter(100);
  assert.equal(alarm.dueUs(), 1100);
  clock.runUntil(2000);
  assert.deepEqual(fired, [100, 1100]);
});

test("a due time is absolute, each time it is armed", () => {
  const clock = createClock();
  const fired: number[] = [];
  const alarm = clock.createAlarm(() => fired.push(clock.nowUs()));
  alarm.armAt(100);
  clock.runUntil(500);
  alarm.armAt(600);
  clock.runUntil(700);
  assert.deepEqual(fired, [100, 600]);
});

test("of two alarms at the same time the one armed first fires first", () => {
  const clock = createClock();
  const fired: string[] = [];
  const a = clock.createAlarm(() => fired.push("a"));
  const b = clock.createAlarm(() => fired.push("b"));
  b.armAt(10);
  a.armAt(10);
  clock.runUntil(10);
  a.armAt(20);
  b.armAt(20);
  clock.runUntil(20);
  assert.deepEqual(fired, ["b", "a", "a", "b"]);
});

test("an alarm armed again moves; disarmed it does not fire", () => {
  const clock = createClock();
  const fired: number[] = [];
  const alarm = clock.createAlarm(() => fired.push(clock.nowUs()));
  alarm.armAt(10);
  alarm.armAt(30);
  assert.equal(clock.armedCount(), 1);
  clock.runUntil(20);
  assert.deepEqual(fired, []);
  clock.runUntil(30);
  assert.deepEqual(fired, [30]);
  alarm.armAt(40);
  alarm.disarm();
  alarm.disarm();
  assert.equal(alarm.dueUs(), Infinity);
  clock.runUntil(100);
  assert.deepEqual(fired, [30]);
  assert.equal(clock.nextDueUs(), Infinity);
});

test("a time already past means now, and an alarm may arm others while it fires", () => {
  const clock = createClock();
  const fired: [string, number][] = [];
  clock.at(100, () => {
    fired.push(["outer", clock.nowUs()]);
    clock.at(5, () => fired.push(["past", clock.nowUs()]));
    clock.at(100, () => fired.push(["same", clock.nowUs()]));
  });
  clock.runUntil(100);
  assert.deepEqual(fired, [
    ["outer", 100],
    ["past", 100],
    ["same", 100],
  ]);
});

test("a fraction of a microsecond is a programmer's error", () => {
  const clock = createClock();
  assert.throws(() => clock.at(0.5, () => undefined), RangeError);
  assert.throws(() => clock.at(NaN, () => undefined), RangeError);
});

test("ten thousand seeded arms, moves and disarms fire in the order of a sorted list", () => {
  const prng = createPrng(11);
  const clock = createClock();
  const fired: number[] = [];
  const alarms = Array.from({ length: 200 }, (_, i) => clock.createAlarm(() => fired.push(i)));
  const expected = new Map<number, { dueUs: number; order: number }>();
  for (let order = 0; order < 10_000; order++) {
    const i = prng.below(alarms.length);
    if (prng.chance(0.2)) {
      alarms[i]!.disarm();
      expected.delete(i);
    } else {
      const dueUs = prng.below(500);
      alarms[i]!.armAt(dueUs);
      expected.set(i, { dueUs, order });
    }
  }
  const sorted = [...expected].sort(([, a], [, b]) => a.dueUs - b.dueUs || a.order - b.order);
  assert.equal(clock.armedCount(), sorted.length);
  clock.runUntil(1000);
  assert.deepEqual(
    fired,
    sorted.map(([i]) => i),
  );
});

test("actions that run once use their places again, and none fires for another", () => {
  const clock = createClock();
  const fired: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 300; i++) {
      const dueUs = clock.nowUs() + 1 + ((i * 7) % 100);
      clock.at(dueUs, () => {
        assert.equal(clock.nowUs(), dueUs);
        fired.push(round * 1000 + i);
        clock.at(dueUs + 500, () => fired.push(-1)); // takes the place that just became free
      });
    }
    clock.runUntil(clock.nowUs() + 1000);
    assert.equal(clock.armedCount(), 0);
  }
  const once = fired.filter((value) => value >= 0);
  assert.equal(once.length, 1500);
  assert.equal(new Set(once).size, 1500);
  assert.equal(fired.length, 3000);
});
