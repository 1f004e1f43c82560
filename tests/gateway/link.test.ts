// SPDX-License-Identifier: MIT
// Goal: the gateway keeps and heals its broker connections by itself.
// Method: a scripted broker that hangs up, stays silent or talks nonsense, in virtual time.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connected,
  METER,
  octets,
  OVEN,
  publish,
  registered,
  subscribed,
  types,
} from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

const PINGREQ = { type: "PINGREQ", clientId: octets("") } as const;

function withClient(will = false): Rig {
  const rig = createRig();
  connected(rig, OVEN, { duration: 3600, will });
  return rig;
}

test("the gateway pings the broker, whatever the client does", () => {
  const rig = withClient();
  rig.pass(600_000);
  assert.equal(rig.got("pingreq").length, 20);
  assert.equal(rig.streams.length, 1);
  assert.equal(rig.got("connect")[0]?.keepalive, 60);
});

test("a broker that does not answer a ping is given up", () => {
  const rig = withClient();
  rig.habits.pingresp = false;
  rig.pass(39_999);
  assert.equal(rig.stream().open, true);
  rig.pass(1);
  assert.equal(rig.stream().open, false);
  assert.equal(rig.count("brokerFailures"), 1);
  assert.equal(rig.gateway.clients()[0]?.state, "active");
});

test("a lost connection asks the client for a sign of life and comes back after it", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  rig.brokerHangsUp();
  assert.deepEqual(rig.heard(OVEN), [PINGREQ]);
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(1000);
  assert.equal(rig.streams.length, 2);
  assert.deepEqual(
    rig.got("subscribe").map((p) => p.subscriptions[0]?.topic),
    ["c/#"],
  );
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id));
  assert.equal(rig.got("publish").length, 1);
});

test("a client that moved to another gateway is not fought for: no answer, no reconnection", () => {
  const rig = withClient();
  rig.brokerHangsUp();
  rig.pass(120_000);
  assert.equal(rig.streams.length, 1);
  const asked = rig.heard(OVEN).length;
  assert.ok(asked >= 4 && asked < 20, `${asked} questions in two minutes`);
  rig.say(OVEN, { type: "PINGRESP" }); // it is here after all
  rig.pass(0);
  assert.equal(rig.streams.length, 2);
});

test("while the broker refuses connections the attempts grow rare and stay bounded", () => {
  const rig = withClient();
  rig.habits.opens = false;
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  const gaps: number[] = [];
  let last = rig.nowMs();
  for (let attempts = 1; attempts < 12; attempts++) {
    while (rig.streams.length === attempts) rig.pass(100);
    gaps.push(rig.nowMs() - last);
    last = rig.nowMs();
    rig.brokerHangsUp();
  }
  assert.ok(gaps[0]! <= 1100);
  assert.ok(gaps.every((gap) => gap <= 30_100));
  assert.ok(
    gaps.slice(6).every((gap) => gap >= 15_000),
    `gaps ${gaps.join(", ")}`,
  );
});

test("a connection that breaks again and again does not reset the delay", () => {
  const rig = withClient();
  for (let i = 0; i < 8; i++) {
    rig.brokerHangsUp();
    rig.say(OVEN, { type: "PINGRESP" });
    const before = rig.streams.length;
    let waitedMs = 0;
    for (; rig.streams.length === before; waitedMs += 100) rig.pass(100);
    if (i === 7) assert.ok(waitedMs >= 15_000, `${waitedMs} ms after eight losses`);
  }
});

test("a connection that held for a while starts with the shortest delay again", () => {
  const rig = withClient();
  for (let i = 0; i < 6; i++) {
    rig.brokerHangsUp();
    rig.say(OVEN, { type: "PINGRESP" });
    rig.pass(30_000);
  }
  rig.pass(60_000);
  const before = rig.streams.length;
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(1000);
  assert.equal(rig.streams.length, before + 1);
});

test("a stream that never opens is given up and tried again", () => {
  const rig = withClient();
  rig.habits.opens = false;
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(12_000);
  assert.equal(rig.streams[1]?.open, false);
  rig.habits.opens = true;
  rig.pass(30_000);
  assert.equal(rig.stream().open, true);
  assert.equal(rig.count("brokerConnects"), 2);
});

test("a broker that refuses a known client for good: DISCONNECT, it connects again", () => {
  const rig = withClient();
  rig.habits.connack = 5;
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.heard(OVEN);
  rig.pass(1000);
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
  assert.deepEqual(rig.gateway.clients(), []);
  assert.equal(rig.stream().open, false);
});

test("a broker that is busy for now is tried again", () => {
  const rig = withClient();
  rig.habits.connack = 3;
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(1000);
  assert.equal(rig.stream().open, false);
  rig.habits.connack = 0;
  rig.pass(2000);
  assert.equal(rig.stream().open, true);
});

test("what waited for a lost broker is forgotten: the repeat is forwarded as new", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.puback = false;
  rig.say(OVEN, publish(id, { msgId: 5 }));
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.habits.puback = true;
  rig.pass(1000);
  rig.heard(OVEN);
  rig.say(OVEN, publish(id, { msgId: 5, dup: true }));
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBACK"]);
  assert.equal(rig.got("publish").length, 1);
});

test("a will that the broker published although the client lives is taken back", () => {
  const rig = withClient(true);
  const id = registered(rig, "ferrule/oven-01/presence");
  rig.say(OVEN, publish(id, { retain: true, data: octets("online") }));
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(1000);
  const [connectPacket] = rig.got("connect");
  assert.equal(connectPacket?.will?.payload.toString(), "lost");
  const [restored] = rig.got("publish");
  assert.equal(restored?.topic, "ferrule/oven-01/presence");
  assert.equal(restored?.payload.toString(), "online");
  assert.equal(restored?.retain, true);
  assert.deepEqual(
    types(rig.heard(OVEN)).filter((t) => t === "PUBACK").length,
    1,
    "only the client's own PUBLISH is acknowledged to it",
  );
});

test("octets that are no MQTT end the connection, not the session", () => {
  for (const nonsense of [
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x10, 0x00], // CONNECT is for brokers
    [0x40, 0x00], // PUBACK without a packet id
    [0x30, 0x02, 0xff, 0xff], // a topic longer than the packet
  ]) {
    const rig = withClient();
    rig.brokerSaysBytes(Uint8Array.from(nonsense));
    assert.equal(rig.stream().open, false, nonsense.join(" "));
    assert.equal(rig.count("brokerMalformed"), 1);
    rig.say(OVEN, { type: "PINGRESP" });
    rig.pass(1000);
    assert.equal(rig.stream().open, true);
  }
});

test("a packet of the broker may come octet by octet", () => {
  const rig = withClient();
  for (const octet of [0x30, 0x05, 0x00, 0x02, 0x6f, 0x74, 0x21]) {
    rig.brokerSaysBytes(Uint8Array.of(octet));
  }
  const [packet] = rig.heard(OVEN);
  assert.ok(packet?.type === "PUBLISH" && packet.data[0] === 0x21);
});

test("a packet of the broker above the maximum ends the connection", () => {
  const rig = withClient();
  const head = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x02, 0x6f, 0x74);
  rig.brokerSaysBytes(head);
  for (let i = 0; i < 5; i++) {
    if (rig.stream().open) rig.brokerSaysBytes(new Uint8Array(65_536));
  }
  assert.equal(rig.stream().open, false);
  assert.equal(rig.count("brokerMalformed"), 1);
});

test("a stale connection number is ignored", () => {
  const rig = withClient();
  rig.gateway.brokerOpened(99, rig.nowMs());
  rig.gateway.brokerBytes(99, Uint8Array.of(0x20, 2, 0, 0), rig.nowMs());
  rig.gateway.brokerClosed(99, rig.nowMs());
  assert.equal(rig.gateway.clients()[0]?.state, "active");
});

test("one client's broken connection leaves the others alone", () => {
  const rig = withClient();
  connected(rig, METER, { clientId: "meter-01" });
  rig.brokerHangsUp(); // the meter's
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id));
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBACK"]);
});
