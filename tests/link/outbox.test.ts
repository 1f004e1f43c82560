// SPDX-License-Identifier: MIT
// Goal: a full outbox gives up telemetry first, events last, and counts all.
// Method: the release module of a node with both QoS, cut off from its gateway, filled past its 512 slots; what may have arrived is never given up.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { buildLink, parseNode } from "../support/link-host.ts";
import { assertAccounted, delivered, put, startLink, type Rig } from "../support/link-rig.ts";

const SLOTS = 512;
const CONFIRMED = 0;
const UNCONFIRMED = 1;

let module: WebAssembly.Module;
before(async () => {
  module = await buildLink(
    parseNode({
      type: "mixed",
      channels: {
        kept: { kind: "computed", alarms: { high: { above: 5 } } },
        quick: { kind: "computed", qos: 0 },
      },
    }),
  );
});

function fill(rig: Rig, channel: number, count: number): void {
  for (let i = 0; i < count; i++) put(rig.host, { channel, i32: i });
  rig.host.run(20);
}

function raise(rig: Rig, count: number): void {
  for (let i = 0; i < count; i++) put(rig.host, { kind: 2, alarm: 0, active: i & 1, i32: i });
  rig.host.run(20);
}

const counters = (rig: Rig, ...names: string[]): number[] =>
  names.map((name) => rig.host.counters()[name]!);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

function heal(rig: Rig): void {
  rig.gateway.script.dead = false;
  rig.host.run(120_000);
  assert.deepEqual(rig.host.waiting(), []);
}

test("a full outbox drops the oldest readings, one for each new one", () => {
  const rig = startLink(module, { dead: true });
  fill(rig, CONFIRMED, SLOTS);
  assert.deepEqual(rig.host.waiting(), range(1, SLOTS));
  fill(rig, CONFIRMED, 88);
  assert.deepEqual(rig.host.waiting(), range(89, 600));
  assert.deepEqual(counters(rig, "queued", "droppedTelemetry"), [600, 88]);
  heal(rig);
  assertAccounted(rig);
});

test("QoS 0 and QoS 1 readings are given up in the order of their age", () => {
  const rig = startLink(module, { dead: true });
  for (let i = 0; i < SLOTS; i++) put(rig.host, { channel: i % 2, i32: i });
  rig.host.run(20);
  fill(rig, CONFIRMED, 10);
  assert.deepEqual(counters(rig, "droppedTelemetry", "unconfirmedDropped"), [5, 5]);
  heal(rig);
  assertAccounted(rig, new Set(range(1, SLOTS).filter((n) => n % 2 === 0)));
  assert.deepEqual(counters(rig, "unconfirmedSent"), [SLOTS / 2 - 5]);
});

test("events push readings out, whatever their age, and are pushed out by events only", () => {
  const rig = startLink(module, { dead: true });
  raise(rig, 300);
  fill(rig, CONFIRMED, 212);
  raise(rig, 200);
  assert.deepEqual(counters(rig, "droppedTelemetry", "droppedAlarm"), [200, 0]);
  raise(rig, 30);
  assert.deepEqual(counters(rig, "droppedTelemetry", "droppedAlarm"), [212, 18]);
  assert.equal(rig.host.waiting()[0], 19);
  fill(rig, CONFIRMED, 5);
  fill(rig, UNCONFIRMED, 3);
  assert.deepEqual(
    counters(rig, "queued", "droppedTelemetry", "droppedAlarm", "unconfirmedDropped"),
    [747, 217, 18, 3],
  );
  heal(rig);
  assertAccounted(rig);
  assert.equal(delivered(rig.gateway).length, SLOTS);
});

test("what is in flight is never pushed out, across reconnects and a flood", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  rig.gateway.script.down = (_, bytes) => (bytes[1] === 0x0d ? [] : undefined); // no PUBACK arrives
  fill(rig, CONFIRMED, 20);
  rig.host.run(2000);
  const sent = delivered(rig.gateway).map(({ sequence }) => sequence);
  assert.deepEqual([...new Set(sent)], range(1, 20));
  for (let round = 0; round < 40; round++) {
    fill(rig, CONFIRMED, 60);
    raise(rig, 20);
    rig.host.run(5000);
  }
  assert.ok(rig.gateway.connects > 3);
  const waiting = rig.host.waiting();
  assert.deepEqual(waiting.slice(0, 20), range(1, 20));
  assert.equal(waiting.length, SLOTS);
  delete rig.gateway.script.down;
  heal(rig);
  assertAccounted(rig);
});

test("a pack of events in flight is pinned too", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  rig.gateway.script.down = (_, bytes) => (bytes[1] === 0x0d ? [] : undefined);
  raise(rig, 10);
  rig.host.run(2000);
  raise(rig, 600);
  assert.deepEqual(rig.host.waiting().slice(0, 10), range(1, 10));
  assert.deepEqual(counters(rig, "droppedAlarm"), [610 - SLOTS]);
  delete rig.gateway.script.down;
  heal(rig);
  assertAccounted(rig);
});

test("waiting gives the oldest first and says how many there are beyond the room", () => {
  const rig = startLink(module, { dead: true });
  fill(rig, CONFIRMED, 5);
  raise(rig, 2);
  fill(rig, UNCONFIRMED, 4);
  fill(rig, CONFIRMED, 3);
  assert.deepEqual(rig.host.waiting(), [1, 2, 3, 4, 5, 6, 7, 12, 13, 14]);
  assert.equal(rig.host.waitingInto(3), 10);
});

test("a reading waits a quarter second for company, a full pack and an event do not", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  const startedMs = rig.host.nowMs;
  fill(rig, CONFIRMED, 1);
  rig.host.run(1000);
  fill(rig, CONFIRMED, 24);
  raise(rig, 1);
  rig.host.run(1000);
  const at = rig.gateway.publications
    .filter(({ topic, atMs }) => topic !== "status" && atMs >= startedMs)
    .map(({ topic, atMs }) => [topic, atMs - startedMs]);
  assert.deepEqual(at[0], ["data", 250]);
  assert.deepEqual(at[1], ["data", 1020]);
  assert.equal(at[2]![0], "event");
  assert.ok((at[2]![1] as number) <= 1050);
});
