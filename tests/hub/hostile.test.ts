// SPDX-License-Identifier: MIT
// Goal: nothing that comes from the broker throws, leaks or half-changes the hub.
//
// Method: every kind of message cut at each octet and mutated by seed, then the next good one is taken;
// whatever was taken must still be a clean snapshot and clean publications.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import type { Publication } from "../../hub/uns.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import { SEQUENCE_WINDOW } from "../../hub/limits.ts";
import { meterBirth, ovenBirth, PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { Decimal, encode, type Item, pack, status } from "../support/pack.ts";

const SEED = Number(process.env["SEED"] ?? 21);

const MESSAGES: [topic: string, payload: Buffer][] = [
  ["birth/0", ovenBirth()[0]!],
  ["birth/1", ovenBirth()[1]!],
  ["birth/0", meterBirth()[0]!],
  ["status", status({ taps: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] })],
  [
    "data",
    pack({
      records: [
        { n: "t", v: new Decimal(-2, 2350) },
        { n: "u", vs: "stale", t: 5 },
      ],
    }),
  ],
  ["event", pack({ records: [{ n: "t/hot", vb: true, x: 201 }] })],
  ["event", pack({ records: [{ n: "bus/write", vb: true, raw: [["e", [17, 6, 40, 1, 9, 2]]] }] })],
  [
    "tap",
    encode(
      new Map<number, Item>([
        [0, 1],
        [1, 7],
        [
          2,
          [
            [0, 0, 9600, 4, 0, 1, 98, 100, 2, 40, 900],
            [1, 0, 17, 3, 100, 500, 1, 999, 0, 70, 80],
            [2, 0, 17, 3, 100, 2, 0, 80, 1, 2, 1000, 5000, 9000],
            [3, 0, 1, 1, 0, 0],
          ],
        ],
      ]),
    ),
  ],
];

function say(hub: Hub, topic: string, payload: Buffer): void {
  hub.message({ topic: `ferrule/n/${topic}`, payload, qos: 1, retain: false }, T0);
}

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

test("each strict prefix of each kind is refused as truncated and changes nothing", () => {
  for (const [topic, payload] of MESSAGES) {
    const hub = createHub(PLANT);
    for (let length = 0; length < payload.length; length++) {
      // An empty birth only says that someone cleared the retained one.
      if (length > 0 || !topic.startsWith("birth")) say(hub, topic, payload.subarray(0, length));
    }
    const { refused, ingested } = hub.totals();
    const expected = payload.length - (topic.startsWith("birth") ? 1 : 0);
    assert.deepEqual([refused, ingested, hub.nodeCount()], [{ truncated: expected }, 0, 0], topic);
    say(hub, topic, Buffer.concat([payload, Buffer.of(0)]));
    assert.equal(hub.totals().refused["trailing"], 1);
    say(hub, topic, payload);
    assert.equal(hub.nodeCount(), 1, `the good ${topic} is taken`);
  }
});

test(`mutated messages never throw, and what is taken stays clean, seed ${SEED}`, () => {
  const prng = createPrng(SEED);
  const hub = createHub(PLANT);
  for (let round = 0; round < 40_000; round++) {
    const [topic, payload] = MESSAGES[prng.below(MESSAGES.length)]!;
    const bytes = Buffer.from(payload);
    for (let times = 1 + prng.below(3); times > 0; times--)
      bytes[prng.below(bytes.length)] = prng.below(256);
    say(hub, topic, bytes);
    for (const publication of hub.takePublications()) checkPublication(publication);
  }
  const { messages, refused, ingested, duplicates } = hub.totals();
  assert.ok(sum(refused) > messages / 2 && ingested + duplicates > 0, `${ingested} ${duplicates}`);
  assert.equal(hub.nodeCount(), 1);
  const snapshot = hub.snapshot(T0);
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
});

function checkPublication({ topic, payload }: Publication): void {
  assert.ok(typeof payload === "string");
  assert.match(topic, /^umh\/v1\/acme\/north\/hall-1\/line-2\/cell-3(\/[A-Za-z0-9_-]+){2,4}$/);
  if (payload === "") return;
  const value = JSON.parse(payload) as { timestamp_ms?: number; value?: unknown };
  if (!topic.endsWith("/_meta")) {
    assert.deepEqual(Object.keys(value), ["timestamp_ms", "value"]);
    assert.ok(Number.isInteger(value.timestamp_ms) && value.value !== null);
  }
}

test("random octets on every topic never throw, and the next good reading is taken", () => {
  const prng = createPrng(SEED + 1);
  const hub = createHub(PLANT);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.alloc(prng.below(64));
    prng.fill(bytes);
    say(hub, ["data", "event", "status", "presence", "birth/0", "x"][prng.below(6)]!, bytes);
  }
  const before = hub.totals().ingested;
  say(hub, "data", MESSAGES[4]![1]);
  assert.equal(hub.totals().ingested, before + 2);
});

test("a sequence below the window is refused and counted as too old, never ingested", () => {
  const hub = createHub(PLANT);
  const one = (q: number): Buffer => pack({ bt: T0, q, records: [{ n: "t", v: 1 }] });
  say(hub, "data", one(SEQUENCE_WINDOW + 10));
  say(hub, "data", one(10));
  say(hub, "data", one(11));
  const { ingested, refused, duplicates } = hub.totals();
  assert.deepEqual([ingested, refused, duplicates], [2, { "too-old": 1 }, 0]);
});
