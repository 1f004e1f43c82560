// SPDX-License-Identifier: MIT
// Goal: each answer of a gateway has its one effect: keep, register, or drop.
// Method: a scripted gateway gives every code to every request, once and always; what was queued stays accounted for.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { buildLink, parseNode } from "../support/link-host.ts";
import type { GatewayScript } from "../support/link-gateway.ts";
import {
  assertAccounted,
  buildLinkOf,
  delivered,
  put,
  startLink,
  type Rig,
} from "../support/link-rig.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

const WAIT_MS = 10_000; // the first Twait of a node that says nothing else
const TYPES = ["CONNACK", "SUBACK", "REGACK", "PUBACK"];
const CODES = [1, 2, 3, 4, 0xff];

function startWithReadings(script: GatewayScript, count = 5): Rig {
  const rig = startLink(module, script);
  for (let i = 0; i < count; i++) {
    put(rig.host, { i32: i });
    rig.host.run(200);
  }
  put(rig.host, { kind: 2, alarm: 0, active: 1, i32: 20500 });
  return rig;
}

const publications = (rig: Rig, topic: string) =>
  rig.gateway.publications.filter((p) => p.topic === topic);

for (const type of TYPES)
  for (const code of CODES)
    test(`the first ${type} with code ${code} is survived`, () => {
      const rig = startWithReadings({
        code: (t, index) => (t === type && index === 1 ? code : 0),
      });
      rig.host.run(400_000);
      assert.ok(rig.gateway.connected);
      assertAccounted(rig);
      assert.deepEqual(rig.host.waiting(), []);
      assert.equal(new Set(delivered(rig.gateway).map((r) => r.sequence)).size, 6);
    });

for (const type of TYPES)
  for (const code of CODES)
    test(`a gateway that answers every ${type} with code ${code} is borne for six hours`, () => {
      const rig = startWithReadings({ code: (t) => (t === type ? code : 0) });
      rig.host.run(6 * 3_600_000);
      assertAccounted(rig);
      const perHour = rig.gateway.heard.length / 6;
      assert.ok(perHour < 1500, `${perHour} packets an hour`);
    });

test("congestion: the pack is kept and sent as new after Twait, which grows to 300 s", () => {
  const rig = startWithReadings({});
  rig.host.run(3000);
  rig.gateway.script.code = (type) => (type === "PUBACK" ? 1 : 0);
  const from = rig.gateway.publications.length;
  put(rig.host, { i32: 7 });
  rig.host.run(1_500_000);
  // The pack is answered first; after each Twait the birth is, which goes before it.
  const tries = rig.gateway.publications.slice(from).filter((p) => p.qos === 1);
  assert.deepEqual(new Set(tries.slice(1).map((p) => p.topic)), new Set(["birth/0"]));
  const gaps = tries.slice(1).map((p, i) => p.atMs - tries[i]!.atMs);
  for (const [i, gap] of gaps.entries()) {
    const leastMs = Math.min(WAIT_MS * 1.5 ** i, 300_000) - 1;
    assert.ok(gap >= leastMs && gap <= leastMs * 1.25 + 1101, `wait ${i}: ${gap}`);
  }
  assert.ok(gaps.length >= 9, `${gaps.length} waits`); // the last of them of 300 s
  assert.ok(tries.every((p) => !p.dup));
  assert.equal(new Set(tries.map((p) => p.msgId)).size, tries.length);
  assert.deepEqual(rig.host.waiting(), [7]);
  rig.gateway.script.code = () => 0;
  rig.host.run(400_000);
  assert.deepEqual(rig.host.waiting(), []);
  const packs = rig.gateway.publications.slice(from).filter((p) => p.topic === "data");
  assert.deepEqual([packs.length, packs[1]!.dup, packs[1]!.accepted], [2, false, true]);
});

test("during Twait nothing is published, QoS 0 included, but the session is kept", () => {
  const rig = startWithReadings({});
  rig.host.run(3000);
  rig.gateway.script.code = (type) => (type === "PUBACK" ? 1 : 0);
  put(rig.host, { i32: 7 });
  rig.host.run(1000);
  const at = rig.gateway.heard.length;
  rig.host.run(WAIT_MS - 1500);
  const types = rig.gateway.heard.slice(at).map(({ type }) => type);
  assert.ok(types.length > 0 && types.every((type) => type === "PINGREQ"), types.join(" "));
});

test("invalid topic id: the topic is registered again and the pack sent as new", () => {
  const rig = startWithReadings({});
  rig.host.run(3000);
  let once = true;
  rig.gateway.script.code = (type) => (type === "PUBACK" && once ? ((once = false), 2) : 0);
  const from = rig.gateway.heard.length;
  put(rig.host, { i32: 7 });
  rig.host.run(2000);
  const types = rig.gateway.heard.slice(from).map(({ type }) => type);
  assert.deepEqual(types, ["PUBLISH", "REGISTER", "PUBLISH"]);
  const [first, second] = publications(rig, "data").slice(-2);
  assert.equal(second!.dup, false);
  assert.notEqual(second!.msgId, first!.msgId);
  assert.deepEqual(second!.payload, first!.payload);
});

test("a gateway that forgets each new topic id is left after three times", () => {
  const rig = startWithReadings({});
  rig.host.run(3000);
  rig.gateway.script.code = (type) => (type === "PUBACK" ? 2 : 0);
  const from = rig.gateway.heard.length;
  put(rig.host, { i32: 7 });
  rig.host.run(2000);
  const types = rig.gateway.heard.slice(from, from + 6).map(({ type }) => type);
  assert.deepEqual(types, ["PUBLISH", "REGISTER", "PUBLISH", "REGISTER", "PUBLISH", "CONNECT"]);
});

test("not supported: the pack is dropped and counted, the next one is sent", () => {
  const rig = startWithReadings({});
  rig.host.run(3000);
  let once = true;
  rig.gateway.script.code = (type) => (type === "PUBACK" && once ? ((once = false), 3) : 0);
  put(rig.host, { i32: 7 });
  put(rig.host, { i32: 8 });
  rig.host.run(1000);
  put(rig.host, { i32: 9 });
  rig.host.run(1000);
  assert.equal(rig.host.counters()["droppedRefused"], 2);
  assert.equal(delivered(rig.gateway).at(-1)!.sequence, 9);
  assertAccounted(rig);
});

test("a refused topic costs its readings, not the events", () => {
  const rig = startLink(module, {
    code: (type, index) => (type === "REGACK" && index === 6 ? 3 : 0),
  });
  rig.host.run(1000);
  const names = rig.gateway.heard
    .filter(({ type }) => type === "REGISTER")
    .map(({ bytes }) => Buffer.from(bytes.subarray(6)).toString());
  assert.equal(names[5], "ferrule/oven-01/data");
  for (let i = 0; i < 5; i++) put(rig.host, { i32: i });
  put(rig.host, { kind: 2, alarm: 0, active: 1, i32: 20500 });
  rig.host.run(3000);
  assert.equal(rig.host.counters()["droppedRefused"], 5);
  assert.deepEqual(
    delivered(rig.gateway).map(({ name }) => name),
    ["temperature/too-hot"],
  );
});

test("an answer to a QoS 0 publication is heard: 02 registers again, 01 pauses", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  const status = rig.gateway.topicId("status");
  const answer = (code: number) => Uint8Array.of(7, 0x0d, status >> 8, status & 0xff, 0, 0, code);
  const from = rig.gateway.heard.length;
  rig.host.deliver(1, answer(2), 0);
  rig.host.run(100);
  const again = rig.gateway.heard.slice(from);
  assert.equal(again.length, 1);
  assert.match(Buffer.from(again[0]!.bytes).toString("latin1"), /ferrule\/oven-01\/status$/);
  rig.host.deliver(1, answer(1), 0);
  rig.host.run(100);
  const paused = rig.gateway.heard.length;
  rig.host.run(WAIT_MS - 500);
  assert.ok(rig.gateway.heard.length > paused, "the session is kept");
  assert.ok(rig.gateway.heard.slice(paused).every(({ type }) => type === "PINGREQ"));
  assert.equal(rig.host.counters()["datagramsUnexpected"], 0);
});

test("all gateways refuse: Twait passes before the next round", () => {
  const rig = startLink(module, { code: (type) => (type === "CONNACK" ? 1 : 0) }, { gateways: 1 });
  rig.host.run(200_000);
  const at = rig.gateway.heard.map(({ atMs }) => atMs);
  assert.ok(at[1]! - at[0]! >= WAIT_MS);
  assert.ok(at[2]! - at[1]! >= 1.5 * WAIT_MS);
});

test("the first Twait is what node.json says", async () => {
  const node = parseNode({
    type: "hasty",
    channels: { a: { kind: "computed" } },
    transport: { congestionWaitS: 2 },
  });
  const rig = startLink(await buildLink(node));
  rig.host.run(3000);
  rig.gateway.script.code = (type, index) => (type === "PUBACK" && index > 0 ? 1 : 0);
  put(rig.host, { i32: 7 });
  rig.host.run(60_000);
  const tries = rig.gateway.publications.filter((p) => p.qos === 1 && !p.accepted);
  const gaps = tries.slice(1).map((p, i) => p.atMs - tries[i]!.atMs);
  assert.ok(gaps[0]! >= 2000 && gaps[0]! <= 2500 + 1100, `${gaps[0]}`);
  assert.ok(gaps[1]! >= 3000 && gaps[1]! <= 3750 + 1100, `${gaps[1]}`);
});

// Channels enough for a birth of several parts.
const wide = parseNode({
  type: "wide",
  channels: Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`channel-${i}`, { kind: "computed" }]),
  ),
});

test("after a Twait all of the birth is said again: the broker may have lost it", async () => {
  const rig = startLink(await buildLink(wide));
  let closed = false;
  let accepted = 0;
  rig.gateway.script.code = (type) => {
    if (type === "PUBACK" && !closed && ++accepted === 3) closed = true; // in the middle of the birth
    return type === "PUBACK" && closed ? 1 : 0;
  };
  rig.host.run(5000);
  closed = false;
  accepted = 4;
  rig.host.run(30_000);
  const parts = rig.gateway.publications.filter((p) => p.accepted && p.topic.startsWith("birth/"));
  const names = parts.map(({ topic }) => topic);
  const all = [...new Set(names)].sort();
  assert.ok(all.length >= 3, `${all.length} parts`);
  // The rest of the first one, then all of it again.
  assert.deepEqual(names, [...all, ...all]);
});

test("a birth is said every ten minutes, and readings go on meanwhile", async () => {
  const rig = startLink(await buildLink(wide));
  for (let minute = 0; minute < 25; minute++) {
    put(rig.host, { i32: minute });
    rig.host.run(60_000);
  }
  const firsts = publications(rig, "birth/0").map(({ atMs }) => atMs);
  const gaps = firsts.slice(1).map((at, i) => at - firsts[i]!);
  assert.equal(gaps.length, 2);
  for (const gap of gaps) assert.ok(gap >= 599_000 && gap <= 602_000, `${gap} ms`);
  assert.equal(publications(rig, "birth/1").length, 3);
  assert.deepEqual(rig.host.waiting(), []);
  assertAccounted(rig);
});

test("the first status of a session is repeated until acknowledged, before any reading", () => {
  let lost = 0;
  const rig: Rig = startLink(module, {
    down: (_, bytes) => {
      const isOfStatus = bytes[1] === 0x0d && bytes[3] === (rig.gateway.topicId("status") & 0xff);
      return isOfStatus && ++lost <= 2 ? [] : undefined;
    },
  });
  put(rig.host, { i32: 7 });
  rig.host.run(60_000);
  const statuses = publications(rig, "status");
  assert.deepEqual(
    statuses.slice(0, 4).map(({ qos, dup }) => [qos, dup]),
    [
      [1, false],
      [1, true],
      [1, true],
      [0, false],
    ],
  );
  assert.ok(publications(rig, "data")[0]!.atMs > statuses[2]!.atMs, "the reading waited");
  const gaps = statuses.slice(4).map(({ atMs }, i) => atMs - statuses[i + 3]!.atMs);
  for (const gap of gaps) assert.ok(gap >= 9000 && gap <= 11_000, `${gap} ms`);
});
