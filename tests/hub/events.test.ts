// SPDX-License-Identifier: MIT
// Goal: no event is lost from the counts; no flood fills list or stream.
//
// Method: scripted happenings at scripted times; what is told is collected and compared.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventView } from "../../hub/api.ts";
import { createEventLog, type EventLog } from "../../hub/events.ts";
import {
  EVENT_LINES_PER_WINDOW as LINES,
  EVENT_PLACES_MAX,
  EVENT_UPDATE_MS,
  EVENT_WINDOW_MS,
  EVENTS_KEPT,
} from "../../hub/limits.ts";

interface Rig {
  log: EventLog;
  told: { id: number; count: number }[];
}

function rig(): Rig {
  const told: Rig["told"] = [];
  const log = createEventLog(({ id, count }: EventView) => told.push({ id, count }));
  return { log, told };
}

function add(log: EventLog, place: string, atMs: number): void {
  log.add({ place, kind: "alarm", node: "n", text: `at ${atMs}`, atMs, value: atMs }, atMs);
}

test("the newest come first, and only so many are kept", () => {
  const { log } = rig();
  for (let index = 1; index <= EVENTS_KEPT + 5; index++) add(log, `p${index}`, index);
  const ids = log.newest().map(({ id }) => id);
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [EVENTS_KEPT, EVENTS_KEPT + 5, 6]);
});

test("of one place a few lines are shown, then the last of them counts", () => {
  const { log } = rig();
  for (let index = 0; index < 50; index++) add(log, "hot", 1000 + index);
  const lines = log.newest();
  assert.deepEqual(
    lines.map(({ count }) => count),
    [50 - LINES + 1, ...new Array<number>(LINES - 1).fill(1)],
  );
  assert.deepEqual([lines[0]?.wallMs, lines[0]?.text, lines[0]?.value], [1049, "at 1049", 1049]);
  add(log, "cold", 1050);
  assert.equal(log.newest()[0]?.count, 1);
});

test("a collapsed line is told at most once in its pitch, and its last count always", () => {
  const { log, told } = rig();
  for (let index = 0; index < 5000; index++) {
    add(log, "hot", index);
    log.poll(index);
  }
  assert.ok(told.length <= LINES + 5000 / EVENT_UPDATE_MS + 1, `${told.length}`);
  const dueMs = log.poll(5000);
  assert.ok(dueMs > 5000 && dueMs <= 5000 + EVENT_UPDATE_MS);
  assert.equal(log.poll(dueMs), Infinity);
  assert.deepEqual(told.at(-1), { id: LINES, count: 5000 - LINES + 1 });
});

test("a place gets a new line after its window, and when the clock steps back", () => {
  const { log } = rig();
  for (let index = 0; index < 10; index++) add(log, "hot", 100_000);
  add(log, "hot", 100_000 + EVENT_WINDOW_MS);
  assert.equal(log.newest()[0]?.count, 1);
  for (let index = 0; index < 10; index++) add(log, "hot", 100_000 + EVENT_WINDOW_MS);
  add(log, "hot", 5);
  assert.deepEqual([log.newest()[0]?.count, log.newest()[0]?.wallMs], [1, 5]);
});

test("a collapsed line that left the list is not told again, a new line is made", () => {
  const { log, told } = rig();
  for (let index = 0; index < 10; index++) add(log, "hot", 0);
  for (let index = 0; index < EVENTS_KEPT; index++) add(log, `p${index}`, 1);
  const before = told.length;
  add(log, "hot", 2);
  assert.deepEqual(told.slice(before), [{ id: LINES + EVENTS_KEPT + 1, count: 1 }]);
});

test("places beyond the bound push out the oldest, whose count is told first", () => {
  const { log, told } = rig();
  for (let index = 0; index < 10; index++) add(log, "p0", 0);
  for (let index = 1; index <= 100; index++) add(log, `p${index}`, 0);
  for (let index = 101; index < EVENT_PLACES_MAX + 1; index++)
    log.add({ place: `p${index}`, kind: "alarm", node: "n", text: "", atMs: 0 }, 0);
  // p0 left the list long before its place was needed: nothing of it is told.
  assert.ok(!told.slice(EVENTS_KEPT).some(({ id, count }) => id === LINES && count > 1));
  add(log, "p0", 0);
  assert.equal(log.newest()[0]?.count, 1);
});

test("what was given out does not change", () => {
  const { log } = rig();
  for (let index = 0; index < LINES; index++) add(log, "hot", index);
  const [before] = log.newest();
  add(log, "hot", 99);
  assert.equal(before?.count, 1);
});
