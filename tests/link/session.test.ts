// SPDX-License-Identifier: MIT
// Goal: a node sets its session up, keeps it and finds back (MQTT-SN 1.2 §6).
// Method: release link.wasm of the oven under virtual time against a scripted gateway; invariants after each poll.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createScriptedGateway, packet, u16 } from "../support/link-gateway.ts";
import type { GatewayScript, ScriptedGateway } from "../support/link-gateway.ts";
import {
  createLinkHost,
  watchInvariants,
  type HostOptions,
  type LinkHost,
} from "../support/link-host.ts";
import {
  buildLinkOf,
  delivered,
  put as putRecord,
  startLink,
  WALL_MS,
  type Rig,
} from "../support/link-rig.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

const start = (script?: GatewayScript, options?: HostOptions): Rig =>
  startLink(module, script, options);
const put = (host: LinkHost, i32: number): void => putRecord(host, { i32 });
const types = (gateway: ScriptedGateway): string[] => gateway.heard.map(({ type }) => type);
const sequences = (gateway: ScriptedGateway): number[] =>
  delivered(gateway).map(({ sequence }) => sequence);

test("a node connects with its will, subscribes, registers and says who it is", () => {
  const { host, gateway } = start();
  host.run(3000);
  assert.deepEqual(types(gateway), [
    ...["CONNECT", "WILLTOPIC", "WILLMSG"],
    ...["SUBSCRIBE", "SUBSCRIBE"], // time, set
    ...["REGISTER", "REGISTER", "PUBLISH", "PUBLISH"], // time/get, presence; the question
    ...["REGISTER", "PUBLISH", "REGISTER", "PUBLISH"], // birth, status
    ...["REGISTER", "REGISTER", "REGISTER"], // event, data, set/result
  ]);
  assert.deepEqual(gateway.will, {
    topic: "ferrule/oven-01/presence",
    message: "lost",
    flags: 0x30,
  });
  assert.equal(gateway.keepAliveS, 10);
  assert.equal(gateway.clientId, "oven-01");
  const [presence, birth, status] = gateway.publications;
  assert.deepEqual(
    [presence!.topic, presence!.qos, presence!.retain, Buffer.from(presence!.payload).toString()],
    ["presence", 1, true, "online"],
  );
  assert.deepEqual([birth!.topic, birth!.qos, birth!.retain], ["birth/0", 1, true]);
  assert.deepEqual([status!.topic, status!.qos, status!.retain], ["status", 1, false]);
  assert.equal(host.counters()["connects"], 1);
  assert.equal(host.counters()["timeAnswers"], 1);
});

test("without a configured gateway a node searches, ever more rarely", () => {
  const { host, gateway } = start({ dead: true, peer: 9 }, { gateways: 0 });
  host.run(200_000);
  const at = gateway.heard.map(({ atMs }) => atMs);
  assert.ok(types(gateway).every((type) => type === "SEARCHGW"));
  assert.ok(at[0]! < 5000);
  const gaps = at.slice(1).map((ms, i) => ms - at[i]!);
  assert.deepEqual(gaps.slice(0, 6), [5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  gateway.script.dead = false;
  host.run(70_000);
  assert.equal(gateway.connects, 1);
  assert.ok(host.sent.slice(-5).every(({ peer }) => peer === 9));
});

test("nodes with different entropy search at different times", () => {
  const first = [1, 2, 3, 4, 5, 6].map((seed) => {
    const { host, gateway } = start({ dead: true }, { gateways: 0, seed });
    host.run(6000);
    return gateway.heard[0]!.atMs;
  });
  assert.equal(new Set(first).size, 6);
});

test("an advertisement is as good as an answer to a search", () => {
  const { host, gateway } = start({ peer: 3 }, { gateways: 0 });
  gateway.say(packet(0x00, 1, 0, 60));
  gateway.script.down = (_, bytes) => (bytes[1] === 2 ? [] : [{ bytes, afterMs: 0 }]);
  host.run(5100); // searching began
  gateway.say(packet(0x00, 1, 0, 60));
  host.run(1000);
  assert.equal(gateway.connects, 1);
});

test("configured gateways are tried in turn until one answers", () => {
  const host = createLinkHost(module, { gateways: 3 });
  const gateway = createScriptedGateway(host, { peer: 3, wallMs: (now) => WALL_MS + now });
  watchInvariants(host);
  host.init();
  host.run(90_000);
  assert.equal(gateway.connects, 1);
  const peers = host.sent.map(({ peer }) => peer).filter((p, i, all) => p !== all[i - 1]);
  assert.deepEqual(peers, [1, 2, 3]);
});

test("a lost packet is repeated with doubling delays, then the gateway is lost", () => {
  const { host, gateway } = start({ dead: true });
  host.run(60_000);
  const at = gateway.heard.slice(0, 6).map(({ atMs }) => atMs);
  const gaps = at.slice(1).map((ms, i) => ms - at[i]!);
  assert.deepEqual(gaps.slice(0, 4), [2000, 3000, 3000, 3000]);
  assert.ok(gaps[4]! > 3000 && gaps[4]! <= 4000, "the last wait and the backoff");
  assert.equal(host.counters()["retransmissions"]! >= 4, true);
});

test("the backoff doubles to a minute while nobody answers, and its jitter differs by node", () => {
  const pauses = (seed: number): number[] => {
    const { host, gateway } = start({ dead: true }, { seed });
    host.run(900_000);
    const at = gateway.heard.map(({ atMs }) => atMs);
    return at.filter((_, i) => i > 0 && i % 5 === 0).map((ms, i) => ms - at[i * 5 + 4]! - 3000);
  };
  const [a, b] = [pauses(1), pauses(2)];
  for (const [i, pauseMs] of a.entries()) {
    const fullMs = Math.min(1000 * 2 ** i, 60_000);
    assert.ok(pauseMs >= fullMs / 2 && pauseMs <= fullMs, `pause ${i}: ${pauseMs}`);
  }
  assert.notDeepEqual(a, b);
});

test("a quiet session is kept by pings, and a dead gateway is noticed", () => {
  const { host, gateway } = start();
  gateway.script.code = (type) => (type === "REGACK" ? 3 : 0); // no status, nothing to send
  host.run(120_000);
  const keepAliveMs = gateway.keepAliveS * 1000;
  const pings = gateway.heard.filter(({ type }) => type === "PINGREQ");
  assert.ok(pings.length >= 120_000 / keepAliveMs - 1, `${pings.length} pings`);
  const at = gateway.heard.map(({ atMs }) => atMs);
  for (let i = 1; i < at.length; i++)
    assert.ok(at[i]! - at[i - 1]! <= keepAliveMs, "inside the keep alive");
  gateway.script.dead = true;
  host.run(80_000);
  assert.equal(types(gateway).at(-1), "CONNECT");
});

test("status alone does not hide a dead gateway", () => {
  const { host, gateway } = start();
  host.run(3000);
  gateway.script.dead = true;
  host.run(70_000);
  assert.equal(types(gateway).at(-1), "CONNECT");
});

test("a ping of the gateway is answered, a foreign one is not", () => {
  const { host, gateway } = start();
  host.run(3000);
  host.deliver(1, packet(0x16), 0);
  host.run(10);
  assert.equal(types(gateway).at(-1), "PINGRESP");
  const sent = host.sent.length;
  host.deliver(2, packet(0x16), 0);
  host.run(10);
  assert.equal(host.sent.length, sent);
  assert.equal(host.counters()["datagramsUnexpected"], 1);
});

test("a gateway's REGISTER is answered: its time topic is taken, anything else refused", () => {
  const { host, gateway } = start();
  host.run(3000);
  const register = (name: string): Uint8Array =>
    packet(0x0a, ...u16(0x0777), ...u16(0x1001), ...Buffer.from(name));
  host.deliver(1, register("ferrule/oven-01/time"), 0);
  host.run(10);
  assert.equal(Buffer.from(gateway.heard.at(-1)!.bytes).toString("hex"), "070b0777100100");
  host.deliver(1, register("ferrule/oven-01/command"), 0);
  host.run(10);
  assert.equal(Buffer.from(gateway.heard.at(-1)!.bytes).toString("hex"), "070b0000100103");
});

test("a publication on an unknown topic is answered with invalid topic id", () => {
  const { host, gateway } = start();
  host.run(3000);
  host.deliver(1, packet(0x0c, 0x20, 0x7f, 0x77, 0, 5, 1), 0);
  host.run(10);
  assert.equal(Buffer.from(gateway.heard.at(-1)!.bytes).toString("hex"), "070d7f77000502");
});

test("after DISCONNECT the node connects again and registers everything anew", () => {
  const { host, gateway } = start();
  host.run(3000);
  const before = types(gateway);
  gateway.connected = false;
  gateway.say(packet(0x18));
  host.run(3000);
  assert.equal(gateway.connects, 2);
  assert.deepEqual(types(gateway).slice(before.length), before);
});

test("the pack in flight is sent again after a reconnect, until acknowledged", () => {
  const { host, gateway } = start();
  host.run(3000);
  gateway.script.code = (type) => (type === "PUBACK" ? undefined : 0);
  gateway.script.down = (_, bytes) => (bytes[1] === 0x0d ? [] : [{ bytes, afterMs: 0 }]);
  put(host, 1);
  host.run(5000);
  put(host, 2);
  const [pack] = gateway.publications.filter(({ topic }) => topic === "data");
  host.run(40_000); // the acknowledgements are lost: Nretry, reconnect
  gateway.script.down = () => undefined;
  host.run(90_000);
  const packs = gateway.publications.filter(({ topic }) => topic === "data");
  const first = packs.filter(({ payload }) => Buffer.compare(payload, pack!.payload) === 0);
  assert.ok(first.length > 5);
  assert.equal(first[1]!.msgId, first[0]!.msgId);
  assert.equal(first[1]!.dup, true);
  assert.equal(first[0]!.dup, false);
  assert.deepEqual([...new Set(sequences(gateway))], [1, 2]);
  assert.equal(host.counters()["acknowledged"], 2);
  assert.deepEqual(host.waiting(), []);
});

test("events leave before the readings that wait", () => {
  const { host, gateway } = start({ dead: true });
  for (let i = 0; i < 100; i++) put(host, i);
  putRecord(host, { kind: 2, alarm: 1, active: 1, i32: 15000 });
  host.run(1000);
  gateway.script.dead = false;
  host.run(60_000);
  const order = gateway.publications.map(({ topic }) => topic).filter((t) => /data|event/.test(t));
  assert.equal(order[0], "event");
  assert.equal(sequences(gateway).length, 101);
});

test("the first delay of a packet follows the round trip, within a second and ten", () => {
  const delays = (delayMs: number): number => {
    const { host, gateway } = start({ delayMs });
    host.run(90_000);
    gateway.script.dead = true;
    put(host, 1);
    host.run(40_000);
    const at = gateway.heard.filter(({ type }) => type === "PUBLISH").slice(-3);
    const data = gateway.heard.filter(({ bytes }) => Buffer.from(bytes).includes("temperature"));
    assert.ok(at.length === 3);
    return data.at(-4)!.atMs - data.at(-5)!.atMs;
  };
  assert.equal(delays(4), 1000);
  const slow = delays(1600);
  assert.ok(slow >= 2390 && slow <= 2410, `${slow}`);
});

test("a node on a road slower than its first delay settles to one transmission each", () => {
  const { host, gateway } = start({ delayMs: 3000 });
  host.run(120_000);
  const before = host.counters()["retransmissions"]!;
  for (let i = 0; i < 10; i++) {
    put(host, i);
    host.run(5000);
  }
  assert.equal(host.counters()["retransmissions"], before);
  assert.equal(new Set(sequences(gateway)).size, 10);
});
