// SPDX-License-Identifier: MIT
// Goal: a stopped node says goodbye if it can; transport of node.json is obeyed.
// Method: release link.wasm under virtual time against a scripted gateway, stopped in each state, with answers lost and refused.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { GatewayScript } from "../support/link-gateway.ts";
import { buildLink, parseNode, type HostOptions } from "../support/link-host.ts";
import { decodeStrict, type Item } from "../support/link-pack.ts";
import { delivered, put, startLink, type Rig } from "../support/link-rig.ts";

const CHANNELS = { heat: { kind: "computed" } };

let module: WebAssembly.Module;
before(async () => {
  module = await buildLink(parseNode({ type: "leaving", channels: CHANNELS }));
});

function running(script: GatewayScript = {}, options: HostOptions = {}): Rig {
  const rig = startLink(module, script, options);
  rig.host.run(3000);
  return rig;
}

const presences = (rig: Rig): string[] =>
  rig.gateway.publications
    .filter(({ topic, accepted }) => topic === "presence" && accepted)
    .map(({ payload }) => Buffer.from(payload).toString());
const last = (rig: Rig): string => rig.gateway.heard.at(-1)!.type;

/** Polls until the node has stopped; how long that took. */
function stopAndWait(rig: Rig): number {
  const { host } = rig;
  const startMs = host.nowMs;
  host.stop();
  for (let i = 0; i < 600 && host.poll() >= 0; i++) host.run(50);
  assert.equal(host.poll(), -1, "stopped");
  return host.nowMs - startMs;
}

function assertSilent(rig: Rig): void {
  const sent = rig.host.sent.length;
  rig.host.deliver(1, Uint8Array.of(2, 0x16), 0);
  put(rig.host, { i32: 1 });
  rig.host.run(60_000);
  assert.equal(rig.host.sent.length, sent);
}

test("a stopped node publishes offline, retained, then DISCONNECT, then nothing", () => {
  const rig = running();
  assert.ok(stopAndWait(rig) < 200);
  assert.deepEqual(presences(rig), ["online", "offline"]);
  const offline = rig.gateway.publications.at(-1)!;
  assert.deepEqual([offline.topic, offline.qos, offline.retain], ["presence", 1, true]);
  assert.equal(last(rig), "DISCONNECT");
  assertSilent(rig);
});

test("what is outstanding is acknowledged before the goodbye", () => {
  const rig = running({ delayMs: 200 });
  put(rig.host, { i32: 1 });
  rig.host.run(300); // sent, not acknowledged
  stopAndWait(rig);
  assert.equal(rig.host.counters()["acknowledged"], 1);
  assert.equal(delivered(rig.gateway).length, 1);
  assert.equal(last(rig), "DISCONNECT");
});

test("a goodbye whose acknowledgements are lost is repeated", () => {
  const rig = running();
  let lost = 0;
  rig.gateway.script.down = (_, bytes) => (bytes[1] === 0x0d && lost++ < 2 ? [] : undefined);
  stopAndWait(rig);
  assert.deepEqual(presences(rig), ["online", "offline", "offline", "offline"]);
  assert.equal(last(rig), "DISCONNECT");
});

test("without an acknowledgement there is no DISCONNECT, so the will speaks", () => {
  const dead = running();
  dead.gateway.script.dead = true;
  assert.ok(stopAndWait(dead) < 15_000);
  const refusing = running({ code: (type, index) => (type === "PUBACK" && index > 2 ? 1 : 0) });
  stopAndWait(refusing);
  for (const rig of [dead, refusing]) {
    assert.ok(!rig.gateway.heard.some(({ type }) => type === "DISCONNECT"));
    assertSilent(rig);
  }
});

test("a node without a session stops at once", () => {
  const starting = startLink(module, {});
  starting.host.flashBroken = true;
  starting.host.run(500);
  const searching = running({ dead: true }, { gateways: 0 });
  const connecting = running({ dead: true });
  for (const rig of [starting, searching, connecting]) {
    assert.ok(stopAndWait(rig) <= 50);
    assertSilent(rig);
  }
});

test("the keep alive of node.json is told to the gateway and kept", async () => {
  for (const keepAliveS of [2, 60]) {
    const node = { type: "kept", channels: CHANNELS, transport: { keepAliveS } };
    const rig = startLink(await buildLink(parseNode(node)));
    rig.gateway.script.code = (type) => (type === "REGACK" ? 3 : 0); // no status, nothing to send
    rig.host.run(keepAliveS * 20_000);
    assert.equal(rig.gateway.keepAliveS, keepAliveS);
    const at = rig.gateway.heard.map(({ atMs }) => atMs);
    const gaps = at.slice(1).map((ms, i) => ms - at[i]!);
    assert.ok(Math.max(...gaps) <= keepAliveS * 1000, `${Math.max(...gaps)} ms`);
    const pings = rig.gateway.heard.filter(({ type }) => type === "PINGREQ").length;
    assert.ok(pings >= 19 && pings <= 26, `${pings} pings in 20 keep alives`);
  }
});

test("the outbox holds as many as node.json says, and then drops the oldest", async () => {
  for (const outboxSlots of [128, 4096]) {
    const node = { type: "deep", channels: CHANNELS, transport: { outboxSlots } };
    const rig = startLink(await buildLink(parseNode(node)), { dead: true });
    for (let i = 0; i < outboxSlots; i++) put(rig.host, { i32: i });
    rig.host.run(5000);
    assert.equal(rig.host.counters()["droppedTelemetry"], 0);
    put(rig.host, { i32: 0 });
    rig.host.run(1000);
    assert.equal(rig.host.counters()["droppedTelemetry"], 1);
    assert.equal(rig.host.counters()["waiting"], outboxSlots);
    assert.equal(rig.host.waiting()[0], 2);
  }
});

test("a status tells the round trip and the datagrams sent", () => {
  for (const delayMs of [0, 40]) {
    const rig = running({ delayMs });
    put(rig.host, { i32: 1 });
    rig.host.run(20_000);
    const status = rig.gateway.publications.filter(({ topic }) => topic === "status").at(-1)!;
    const map = decodeStrict(status.payload) as Map<number, Item>;
    assert.deepEqual([...map.keys()], [0, 1, 2, 3, 4, 5]);
    assert.equal(map.get(4), delayMs === 0 ? 1 : 40);
    const before = rig.host.sent.filter(({ atMs }) => atMs < status.atMs).length;
    assert.ok(Math.abs((map.get(5) as number) - before) <= 1, `${String(map.get(5))}, ${before}`);
  }
});

test("a status tells what the host says of itself, once there is something to tell", () => {
  const rig = running({ delayMs: 0 });
  const statuses = (): Map<number, Item>[] =>
    rig.gateway.publications
      .filter(({ topic }) => topic === "status")
      .map(({ payload }) => decodeStrict(payload) as Map<number, Item>);
  rig.host.hostState = [0, 0, 0, 0, 0];
  rig.host.run(20_000);
  assert.ok(statuses().every((map) => !map.has(6)));
  rig.host.hostState = [2, 1, 0x20001234, 0xffff_ffff, 1];
  rig.host.run(20_000);
  assert.deepEqual(statuses().at(-1)!.get(6), [2, 1, 0x20001234, 0xffff_ffff, 1]);
});
