// SPDX-License-Identifier: MIT
// Hours of a plant keep the memory of hub and simulator flat.
//
// Goal: nothing grows with time: two virtual hours of the example plant, a tenth of the datagrams lost. Method: a child
// that collects its garbage at each quarter; `npm run soak -- --hours 24` is the same for longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { measureMemory, memoryProblem, type MemoryRun } from "../../scripts/soak/memory.ts";

const HOURS = 2;

test(`${HOURS} virtual hours: heap and buffers are flat after the first quarter`, () => {
  const run = measureMemory(HOURS);
  assert.equal(memoryProblem(run), undefined, JSON.stringify(run));
  assert.ok(run.queued > 10_000 * HOURS, `${run.queued} readings`);
});

test("growth, a missing look and a reading that is gone are each noticed", () => {
  const flat = [20_000_000, 20_100_000, 20_000_000, 20_050_000];
  const counts = { queued: 10, ingested: 9, dropped: 1, finished: true };
  const good: MemoryRun = { heap: flat, buffers: flat, ...counts };
  assert.equal(memoryProblem(good), undefined);
  const growing = flat.map((octets, i) => octets + i * 1_000_000);
  assert.match(memoryProblem({ ...good, heap: growing }) ?? "", /the heap grew by 3050000/);
  assert.match(memoryProblem({ ...good, buffers: growing }) ?? "", /the buffers grew/);
  assert.match(memoryProblem({ ...good, heap: flat.slice(1) }) ?? "", /3 looks at the heap/);
  assert.match(memoryProblem({ ...good, ingested: 8 }) ?? "", /10 queued, 8 ingested/);
});
