// SPDX-License-Identifier: MIT
// Goal: a text crosses link whole and in order; what is not printable never.
//
// Spec: SPEC.md §1.4, §3. Method: records through the release module of a node with texts; a strict reader of deterministic
// CBOR reads the packs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createHub } from "../../hub/hub.ts";
import { PLANT } from "../support/fixture-hub.ts";
import { buildLink, parseNode } from "../support/link-host.ts";
import { delivered, put, startLink, WALL_MS, type Rig } from "../support/link-rig.ts";

const text = (registers: number): object => ({
  ...{ kind: "register", tap: "bus", unitId: 1, table: "holding", address: 0 },
  ...{ type: "text", registers },
});
const module = await buildLink(
  parseNode({
    type: "texts",
    taps: { bus: { uart: 0, protocol: "modbus-rtu", notices: true } },
    channels: {
      "a-name-of-thirty-two-characters-": text(27),
      short: text(2),
      number: { kind: "register", tap: "bus", unitId: 1, table: "holding", address: 9 },
    },
  }),
);
const CHANNELS = ["a-name-of-thirty-two-characters-", "short", "number"];
const LONGEST = 56; // 27 registers, in whole slots of eight octets

function through(puts: (rig: Rig) => void): Rig {
  const rig = startLink(module);
  rig.host.run(8_000);
  puts(rig);
  rig.host.run(20_000);
  return rig;
}

const bytes = (words: string): Uint8Array => Buffer.from(words, "latin1");

test("texts of every length and every character arrive as they are, between numbers", () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  const lengths = Array.from({ length: LONGEST + 1 }, (_, i) => i);
  const texts = lengths.map((length) => (printable + printable).slice(length, 2 * length));
  const rig = through(({ host }) => {
    texts.forEach((one, i) => {
      put(host, { channel: i % 2, bytes: bytes(one), quality: i % 3 === 0 ? 1 : 0 });
      put(host, { channel: 2, u32: i });
    });
  });
  const heard = delivered(rig.gateway);
  assert.deepEqual(
    heard.map(({ name, text: one, value, quality }) => [name, one ?? value, quality]),
    texts.flatMap((one, i) => [
      [CHANNELS[i % 2], one, i % 3 === 0 ? 1 : 0],
      ["number", i, 0],
    ]),
  );
  assert.equal(rig.host.counters()["recordsBad"], 0);
});

test("a hub knows the channel by its birth, and shows what link sent", () => {
  const rig = through(({ host }) => {
    put(host, { channel: 1, bytes: bytes("OFF") });
    put(host, { channel: 0, bytes: bytes("RECIPE 7, mild"), quality: 1 });
    put(host, { channel: 1, bytes: bytes("ON") });
  });
  const hub = createHub(PLANT);
  for (const { topic, payload } of rig.gateway.publications)
    hub.message({ topic: `ferrule/mixer/${topic}`, payload, qos: 1, retain: false }, WALL_MS);
  assert.deepEqual(hub.totals().refused, {});
  const [node] = hub.snapshot(WALL_MS).nodes;
  assert.deepEqual(
    node?.channels.map(({ register, text: shown, quality }) => [register?.type, shown, quality]),
    [
      ["text 27", "RECIPE 7, mild", "uncertain"],
      ["text 2", "ON", "good"],
      ["u16", null, "good"],
    ],
  );
  const range = { sinceMs: 0, untilMs: 1e15, max: 100, newest: true };
  assert.deepEqual(
    hub.texts("mixer", "short", range)?.map(([, one]) => one),
    ["OFF", "ON"],
  );
});

test("a bad reading of a text has its cause and no text", () => {
  const rig = through(({ host }) => put(host, { channel: 1, quality: 2, cause: 4 }));
  const [record] = delivered(rig.gateway);
  assert.equal(record?.cause, "stale");
  assert.equal(record?.text, undefined);
});

test("octets not printable, a text too long, an event with one are dropped", () => {
  const hostile = [0, 7, 10, 13, 27, 31, 127, 128, 0xc3, 255].map((octet) => {
    return { channel: 0, bytes: Uint8Array.of(65, octet, 66) };
  });
  const records = [
    ...hostile,
    { channel: 0, bytes: bytes("x".repeat(LONGEST + 1)) },
    { channel: 0, kind: 2, bytes: bytes("x") },
    { channel: 3, bytes: bytes("x") },
    { channel: 1, bytes: bytes("x"), quality: 2, cause: 4 },
  ];
  const rig = through(({ host }) => {
    for (const one of records) put(host, one);
    put(host, { channel: 1, bytes: bytes("after") });
  });
  assert.equal(rig.host.counters()["recordsBad"], records.length);
  assert.deepEqual(
    delivered(rig.gateway).map((one) => one.text),
    ["after"],
  );
});

test("a node without texts takes none", async () => {
  const channel = { kind: "register", tap: "bus", unitId: 1, table: "holding", address: 9 };
  const taps = { bus: { uart: 0, protocol: "modbus-rtu" } };
  const rig = startLink(await buildLink(parseNode({ type: "n", taps, channels: { n: channel } })));
  rig.host.run(8_000);
  put(rig.host, { channel: 0, bytes: bytes("text") });
  rig.host.run(5_000);
  assert.equal(rig.host.counters()["recordsBad"], 1);
});
