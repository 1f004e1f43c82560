// SPDX-License-Identifier: MIT
// Goal: a channel's past is in order and bounded, its holes are holes.
//
// Method: a sorted list is the judge over seeded late points; bounds are filled to the last point.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import type { HistoryPoint } from "../../hub/api.ts";
import { createMemoryHistory } from "../../hub/history.ts";
import { HISTORY_POINTS_MAX, HISTORY_POINTS_TOTAL_MAX } from "../../hub/limits.ts";

const open = (): ReturnType<ReturnType<typeof createMemoryHistory>["open"]> =>
  createMemoryHistory().open("oven-1", "temperature");

test("points come back in order from the time asked for, a bad one as null", () => {
  const series = open();
  series.put(1000, 1.5);
  series.put(1100, NaN);
  series.put(1200, 0);
  assert.deepEqual(series.read(0, Infinity), [
    [1000, 1.5],
    [1100, null],
    [1200, 0],
  ]);
  assert.deepEqual(series.read(1100, Infinity), [
    [1100, null],
    [1200, 0],
  ]);
  assert.deepEqual(series.read(1201, Infinity), []);
});

test("a silence longer than the channel promises is a null right after the point before it", () => {
  const series = open();
  for (const at of [0, 100, 200, 900, 1000]) series.put(at, at);
  assert.deepEqual(series.read(0, 300), [
    [0, 0],
    [100, 100],
    [200, 200],
    [201, null],
    [900, 900],
    [1000, 1000],
  ]);
  assert.equal(series.read(0, 700).length, 5);
});

test("late points are put where they belong, and the oldest go first", () => {
  const prng = createPrng(Number(process.env["SEED"] ?? 4));
  const series = open();
  let judge: HistoryPoint[] = [];
  let now = 0;
  for (let count = 0; count < 3 * HISTORY_POINTS_MAX; count++) {
    now += 1 + prng.below(20);
    const at = prng.chance(0.05) ? Math.max(0, now - prng.below(4000)) : now;
    series.put(at, count);
    const full = judge.length === HISTORY_POINTS_MAX;
    if (full && at < judge[0]![0]) continue;
    if (full) judge = judge.slice(1);
    let index = judge.length;
    while (index > 0 && judge[index - 1]![0] > at) index--;
    judge.splice(index, 0, [at, count]);
  }
  assert.equal(judge.length, HISTORY_POINTS_MAX);
  assert.deepEqual(series.read(0, Infinity), judge);
});

test("at the total of all series rings stop growing and still turn", () => {
  const store = createMemoryHistory();
  const count = HISTORY_POINTS_TOTAL_MAX / HISTORY_POINTS_MAX + 2;
  const all = Array.from({ length: count }, (_, index) => store.open("n", `c${index}`));
  for (const series of all) for (let at = 0; at < HISTORY_POINTS_MAX; at++) series.put(at, at);
  const held = all.map((series) => series.read(0, Infinity).length);
  assert.equal(
    held.reduce((sum, points) => sum + points),
    HISTORY_POINTS_TOTAL_MAX,
  );
  assert.equal(held.at(-1), 0);
  assert.equal(store.dropped(), 2 * HISTORY_POINTS_MAX);
  all[0]!.put(HISTORY_POINTS_MAX, 1);
  assert.deepEqual(all[0]!.read(0, Infinity)[0], [1, 1]);
});
