// SPDX-License-Identifier: MIT
// Goal: a reading gets its wall time once, from an answer to the node's question.
// Method: the oven's release module; a gateway whose clock answers late, wrongly, never, or steps back.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { packet, timeAnswer, u16 } from "../support/link-gateway.ts";
import { buildLinkOf, delivered, put, startLink, WALL_MS, type Rig } from "../support/link-rig.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

const questions = (rig: Rig): { atMs: number; token: Uint8Array }[] => {
  const id = rig.gateway.topicId("time/get");
  return rig.gateway.heard
    .filter(({ type, bytes }) => type === "PUBLISH" && id === bytes[3]! * 256 + bytes[4]!)
    .map(({ atMs, bytes }) => ({ atMs, token: bytes.subarray(7) }));
};

const answer = (rig: Rig, payload: number[], flags = 0): Uint8Array =>
  packet(0x0c, flags, ...u16(rig.gateway.topicId("time")), 0, 9, ...payload);

const offsets = (rig: Rig): number[] =>
  delivered(rig.gateway).map(({ timeMs }) => timeMs - WALL_MS);

test("readings of before are held and stamped when the time comes", () => {
  const rig = startLink(module, { wallMs: () => undefined });
  for (let i = 0; i < 10; i++) {
    put(rig.host, { i32: i });
    rig.host.run(1000);
  }
  assert.equal(delivered(rig.gateway).length, 0);
  rig.gateway.script.wallMs = (now) => WALL_MS + now;
  rig.host.run(5000);
  assert.deepEqual(
    offsets(rig),
    Array.from({ length: 10 }, (_, i) => 1000 * i - 2),
  );
  assert.ok(delivered(rig.gateway).every(({ relative }) => !relative));
});

test("without an answer for 30 s after CONNECT packs go with times relative to now", () => {
  const rig = startLink(module, { wallMs: () => undefined });
  put(rig.host, { i32: 1 });
  rig.host.run(10_000);
  put(rig.host, { i32: 2 });
  put(rig.host, { kind: 2, alarm: 0, active: 1, i32: 3 });
  rig.host.run(19_500);
  assert.equal(delivered(rig.gateway).length, 0);
  rig.host.run(5000);
  const records = delivered(rig.gateway);
  const sentAt = rig.gateway.publications.filter(({ topic }) => topic === "data")[0]!.atMs;
  assert.deepEqual(records.map(({ name }) => name).sort().length, 3);
  assert.ok(records.every(({ relative, timeMs }) => relative && timeMs < 0));
  const [first] = records.filter(({ sequence }) => sequence === 1);
  assert.equal(first!.timeMs, -sentAt);
  assert.ok(questions(rig).length > 8, "it asked all the while");
});

test("the hold is over once, also through reconnects and after the clock of 32 bits wraps", () => {
  const rig = startLink(module, { wallMs: () => undefined });
  rig.host.run(40_000);
  rig.gateway.connected = false;
  rig.host.deliver(1, packet(0x18), 0);
  rig.host.run(5000);
  put(rig.host, { i32: 1 });
  rig.host.run(1000);
  assert.equal(delivered(rig.gateway).length, 1);
});

test("half the round trip is added, up to two seconds; slower answers are refused", () => {
  for (const [delayMs, taken] of [
    [0, true],
    [600, true],
    [1990, true],
    [2010, false],
  ] as const) {
    const rig = startLink(module, { delayMs });
    rig.host.run(28_000);
    assert.equal(rig.host.counters()["timeAnswers"], taken ? 1 : 0, `${delayMs} ms`);
    if (!taken) continue;
    const putAt = rig.host.nowMs;
    put(rig.host, { i32: 1 });
    rig.host.run(10_000);
    // The road is one-sided here: half of it is what the node cannot know.
    assert.equal(offsets(rig)[0], putAt - delayMs / 2);
  }
});

test("only the token of the open question is taken, once", () => {
  const rig = startLink(module, { wallMs: () => undefined });
  rig.host.run(1000);
  const { token } = questions(rig).at(-1)!;
  const wrong = Uint8Array.from(token);
  wrong[wrong.length - 1]! ^= 1;
  const unexpected = (): number => rig.host.counters()["datagramsUnexpected"]!;
  rig.host.deliver(1, answer(rig, timeAnswer(wrong, WALL_MS)), 0);
  rig.host.run(1);
  assert.equal(unexpected(), 1);
  rig.host.deliver(1, answer(rig, timeAnswer(token, WALL_MS)), 0);
  rig.host.deliver(1, answer(rig, timeAnswer(token, WALL_MS + 99_999)), 1);
  rig.host.run(10);
  assert.equal(rig.host.counters()["timeAnswers"], 1);
  assert.equal(unexpected(), 2);
  put(rig.host, { i32: 1 });
  rig.host.run(1000);
  assert.ok(offsets(rig)[0]! < 2000);
});

test("an answer that is not exactly [token, milliseconds] is refused", () => {
  const rig = startLink(module, { wallMs: () => undefined });
  rig.host.run(1000);
  const good = timeAnswer(questions(rig).at(-1)!.token, WALL_MS);
  const ms = good.slice(-8);
  const bad: number[][] = [
    [],
    ...good.map((_, i) => good.slice(0, i)),
    [...good, 0],
    [0x83, ...good.slice(1), 0],
    [0x9f, ...good.slice(1), 0xff],
    [0x82, ...good.slice(1, -9), 0x3b, ...ms],
    [0x82, ...good.slice(1, -9), 0x1c, ...ms],
    timeAnswer(questions(rig).at(-1)!.token, 1_000_000), // a clock that was never set
    [...good.slice(0, -8), 0xff, ...ms.slice(1)],
  ];
  for (const payload of bad) rig.host.deliver(1, answer(rig, payload), 0);
  rig.host.run(10);
  const c = rig.host.counters();
  assert.equal(c["timeAnswers"], 0);
  assert.equal(c["datagramsUnexpected"], bad.length);
  rig.host.deliver(1, answer(rig, good, 0x20), 0);
  rig.host.run(10);
  assert.equal(rig.host.counters()["timeAnswers"], 1);
  assert.equal(rig.gateway.heard.at(-1)!.type, "PUBACK");
});

test("the node asks every ten minutes, and what is stamped stays when the clock steps", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  rig.gateway.script.down = (_, bytes) => (bytes[1] === 0x0d ? [] : undefined); // no PUBACK
  put(rig.host, { i32: 1 });
  const putAt = rig.host.nowMs;
  rig.host.run(1000);
  rig.gateway.script.wallMs = (now) => WALL_MS + now - 3_600_000;
  rig.host.run(605_000);
  delete rig.gateway.script.down;
  put(rig.host, { i32: 2 });
  const secondAt = rig.host.nowMs;
  rig.host.run(90_000);
  const times = new Map(delivered(rig.gateway).map((r) => [r.sequence, r.timeMs - WALL_MS]));
  assert.equal(times.get(1), putAt - 2);
  assert.equal(times.get(2), secondAt - 2 - 3_600_000);
  assert.equal(rig.host.counters()["timeAnswers"]! >= 2, true);
});

test("a clock that steps back inside a pack gives a negative time after base time", () => {
  const rig = startLink(module);
  rig.host.run(599_900);
  put(rig.host, { i32: 1 });
  rig.host.run(10);
  rig.gateway.script.wallMs = (now) => WALL_MS + now - 5000;
  rig.host.deliver(1, packet(0x18), 0);
  rig.gateway.connected = false;
  rig.host.run(600);
  for (let i = 0; i < 40; i++) {
    put(rig.host, { i32: 2 });
    rig.host.run(50);
  }
  rig.host.run(5000);
  const times = offsets(rig);
  assert.equal(new Set(delivered(rig.gateway).map(({ sequence }) => sequence)).size, 41);
  assert.ok(times.some((ms, i) => i > 0 && ms < times[i - 1]!));
});

test("now_us wraps after 71.6 minutes, 32-bit milliseconds after 49.7 days: unnoticed", () => {
  const rig = startLink(module, {}, { startUs: 0xffff_ffff - 5_000_000 });
  for (let i = 0; i < 20; i++) {
    put(rig.host, { i32: i });
    rig.host.run(1000);
  }
  assert.deepEqual(
    offsets(rig),
    Array.from({ length: 20 }, (_, i) => 1000 * i - 2),
  );
  // 50 days without a gateway, in steps of 20 minutes.
  rig.gateway.script.dead = true;
  while (rig.host.nowMs < 50 * 86_400_000) {
    rig.host.nowMs += 1_200_000;
    rig.host.poll();
  }
  rig.gateway.script.dead = false;
  rig.host.run(120_000);
  const statusAt = rig.gateway.publications.filter(({ topic }) => topic === "status").at(-1)!.atMs;
  assert.ok(rig.host.nowMs - statusAt <= 11_000, "the status goes on");
  const from = rig.gateway.publications.length;
  const putAt = rig.host.nowMs;
  put(rig.host, { i32: 99 });
  rig.host.run(5000);
  assert.ok(rig.gateway.publications.length > from);
  assert.equal(offsets(rig).at(-1), putAt - 2);
});

test("an outage of 25 days leaves nothing stuck behind a deadline that has wrapped", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  rig.gateway.script.dead = true;
  put(rig.host, { i32: 1 });
  rig.host.run(100_000);
  put(rig.host, { i32: 2 });
  for (let day = 0; day < 25 * 72; day++) {
    rig.host.nowMs += 1_200_000;
    rig.host.poll();
  }
  rig.gateway.script.dead = false;
  rig.host.run(130_000);
  assert.deepEqual(rig.host.waiting(), []);
  assert.equal(rig.host.counters()["timeAnswers"]! >= 2, true);
});

test("records from before the start of link keep their age", () => {
  const rig = startLink(module, {}, { startUs: 60_000_000 });
  put(rig.host, { i32: 1, timeUs: 12_345_678 });
  rig.host.run(3000);
  assert.deepEqual(offsets(rig), [-47_655 - 2]);
});
