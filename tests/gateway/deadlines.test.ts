// SPDX-License-Identifier: MIT
// Goal: the heap gives the earliest deadline, ties in order, each item once.
// Method: random additions, moves and removals by seed, compared with a sorted list.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { addDeadline, moveDeadline, removeDeadline, type Timed } from "../../gateway/deadlines.ts";

const SEED = Number(process.env["SEED"] ?? 99);

test("the heap agrees with a sorted list after every step", () => {
  const step = fc.record({
    act: fc.constantFrom("add", "add", "add", "move", "remove", "take"),
    at: fc.nat(63),
    dueMs: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 50, maxLength: 200, size: "max" }), (steps) => {
      const heap: Timed[] = [];
      let listed: Timed[] = [];
      let order = 0;
      for (const { act, at, dueMs } of steps) {
        const item = act === "take" ? heap[0] : listed[at % Math.max(listed.length, 1)];
        if (act === "add") {
          const added = { dueMs, heapIndex: -1, order: order++ };
          listed.push(added);
          addDeadline(heap, added);
        } else if (item !== undefined && act === "move") {
          moveDeadline(heap, item, dueMs);
        } else if (item !== undefined) {
          removeDeadline(heap, item);
          removeDeadline(heap, item); // a second time does nothing
          listed = listed.filter((other) => other !== item);
        }
        const [first] = [...listed].sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
        assert.equal(heap[0], first);
        assert.equal(heap.length, listed.length);
        heap.forEach((entry, index) => {
          assert.equal(entry.heapIndex, index);
          if (index > 0) assert.ok(heap[(index - 1) >> 1]!.dueMs <= entry.dueMs);
        });
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});
