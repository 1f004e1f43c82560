// SPDX-License-Identifier: MIT
// Goal: clients come, are taken over and go as MQTT-SN 1.2 and SPEC.md say.
// Method: scripted clients and a scripted broker in virtual time; the broker's packets are looked at.

import assert from "node:assert/strict";
import { test } from "node:test";
import { silenceMsMax } from "../../gateway/limits.ts";
import {
  connect,
  connected,
  METER,
  octets,
  OVEN,
  publish,
  registered,
  subscribed,
  types,
  willMessage,
  willTopic,
} from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

const RETRY_MS = 10_000;

function willOf(rig: Rig): { topic: string; payload: string; qos: number; retain: boolean } | null {
  const { will } = rig.got("connect")[0]!;
  if (will === undefined) return null;
  const { topic, payload, qos, retain } = will;
  return { topic, payload: payload.toString(), qos: qos ?? 0, retain: retain ?? false };
}

test("CONNACK follows the broker's CONNACK", () => {
  const rig = createRig();
  rig.habits.connack = undefined;
  rig.say(OVEN, connect());
  assert.deepEqual(rig.heard(OVEN), []);
  const [mqtt] = rig.got("connect");
  assert.equal(mqtt?.clientId, "oven-01");
  assert.equal(mqtt?.clean, true);
  assert.equal(mqtt?.protocolVersion, 4);
  rig.brokerSays({ cmd: "connack", returnCode: 0, sessionPresent: false });
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
  assert.deepEqual(rig.gateway.clients(), [
    { clientId: "oven-01", peer: OVEN, state: "active", connectedAtMs: rig.nowMs() },
  ]);
});

test("the broker's refusals become 01 and 03", () => {
  for (const [mqttCode, returnCode] of [
    [1, 3],
    [2, 3],
    [3, 1],
    [4, 3],
    [5, 3],
  ] as const) {
    const rig = createRig();
    rig.habits.connack = mqttCode;
    rig.say(OVEN, connect());
    assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode }]);
    assert.equal(rig.stream().open, false);
    assert.deepEqual(rig.gateway.clients(), []);
  }
});

test("a broker that is down or silent answers CONNECT with 01", () => {
  const refused = createRig();
  refused.habits.opens = false;
  refused.say(OVEN, connect());
  refused.brokerHangsUp();
  assert.deepEqual(refused.heard(OVEN), [{ type: "CONNACK", returnCode: 1 }]);

  for (const opens of [false, true]) {
    const silent = createRig();
    Object.assign(silent.habits, { opens, connack: undefined });
    silent.say(OVEN, connect());
    silent.pass(10_000);
    assert.deepEqual(silent.heard(OVEN), [{ type: "CONNACK", returnCode: 1 }]);
    assert.equal(silent.stream().open, false);
  }
});

test("the will dialogue comes before the broker", () => {
  const rig = createRig();
  rig.say(OVEN, connect({ will: true }));
  assert.deepEqual(rig.heard(OVEN), [{ type: "WILLTOPICREQ" }]);
  rig.say(OVEN, willTopic());
  assert.deepEqual(rig.heard(OVEN), [{ type: "WILLMSGREQ" }]);
  assert.equal(rig.streams.length, 0);
  rig.say(OVEN, willMessage());
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
  assert.deepEqual(willOf(rig), {
    topic: "ferrule/oven-01/presence",
    payload: "lost",
    qos: 1,
    retain: true,
  });
});

test("an empty WILLTOPIC deletes the will and ends the dialogue", () => {
  const rig = createRig();
  rig.say(OVEN, connect({ will: true }));
  rig.say(OVEN, { type: "WILLTOPIC" });
  assert.deepEqual(types(rig.heard(OVEN)), ["WILLTOPICREQ", "CONNACK"]);
  assert.equal(willOf(rig), null);
});

test("a will on a wildcard or at QoS -1 is refused with 03", () => {
  for (const will of [
    { qos: 1, retain: false, topic: octets("a/#") },
    { qos: -1, retain: false, topic: octets("a") },
    { qos: 1, retain: false, topic: Uint8Array.of(0xc3) },
  ] as const) {
    const rig = createRig();
    rig.say(OVEN, connect({ will: true }));
    rig.say(OVEN, { type: "WILLTOPIC", will });
    assert.deepEqual(rig.heard(OVEN).at(-1), { type: "CONNACK", returnCode: 3 });
    assert.equal(rig.streams.length, 0);
  }
});

test("R22 R46 a will request is repeated, then the dialogue is dropped", () => {
  const rig = createRig();
  rig.say(OVEN, connect({ will: true }));
  rig.pass(5 * RETRY_MS);
  assert.deepEqual(types(rig.heard(OVEN)), Array(5).fill("WILLTOPICREQ"));
  assert.equal(rig.count("dialoguesAbandoned"), 1);
  rig.say(OVEN, willTopic());
  assert.deepEqual(rig.heard(OVEN), []);
});

test("a repeated WILLTOPIC is asked for its message again", () => {
  const rig = createRig();
  rig.say(OVEN, connect({ will: true }));
  rig.say(OVEN, willTopic());
  rig.say(OVEN, willTopic());
  assert.deepEqual(types(rig.heard(OVEN)), ["WILLTOPICREQ", "WILLMSGREQ", "WILLMSGREQ"]);
});

test("a WILLMSG repeated for a lost CONNACK gets it again, later ones silence", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  rig.say(OVEN, willMessage());
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
  rig.heard(OVEN);
  rig.say(OVEN, willMessage());
  assert.deepEqual(rig.heard(OVEN), []);
  assert.equal(rig.streams.length, 1);
});

test("R29 a reserved ProtocolId gets 03 and disturbs nothing", () => {
  const rig = createRig();
  connected(rig);
  rig.say(OVEN, connect({ protocolId: 2 }));
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 3 }]);
  assert.equal(rig.gateway.clients()[0]?.state, "active");
  assert.equal(rig.stream().open, true);
});

test("R30 a ClientId that is empty, too long or not allowed gets 03", () => {
  const rig = createRig();
  for (const clientId of ["", "x".repeat(24), "a\u0007b", "a\0b"]) {
    rig.say(OVEN, connect({ clientId }));
    assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 3 }]);
  }
  assert.equal(rig.streams.length, 0);
  connected(rig, OVEN, { clientId: "x".repeat(23) });
  const wide = createRig({ clientIdBytesMax: 64 });
  connected(wide, OVEN, { clientId: "x".repeat(64) });
});

test("R31 CONNECT again is a new connection by its flags, without a will", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  const id = registered(rig, "p/t");
  rig.say(OVEN, connect({ duration: 30 }));
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
  assert.equal(rig.streams.length, 2);
  assert.equal(rig.streams[0]!.got.at(-1)?.cmd, "disconnect");
  assert.equal(rig.streams[0]!.open, false);
  assert.equal(willOf(rig), null);
  rig.say(OVEN, publish(id)); // R4: ids end with the connection
  assert.deepEqual(rig.heard(OVEN), [{ type: "PUBACK", topicId: id, msgId: 1, returnCode: 2 }]);
});

test("R31 CONNECT during the will dialogue goes back to WILLTOPICREQ", () => {
  const rig = createRig();
  rig.say(OVEN, connect({ will: true }));
  rig.say(OVEN, willTopic());
  rig.say(OVEN, connect({ will: true }));
  assert.deepEqual(types(rig.heard(OVEN)), ["WILLTOPICREQ", "WILLMSGREQ", "WILLTOPICREQ"]);
});

test("a repeated CONNECT while the broker thinks opens no second connection", () => {
  const rig = createRig();
  rig.habits.connack = undefined;
  rig.say(OVEN, connect());
  rig.say(OVEN, connect());
  assert.equal(rig.streams.length, 1);
  rig.brokerSays({ cmd: "connack", returnCode: 0, sessionPresent: false });
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
});

test("a client that comes back and dies in the dialogue is lost: its old will is published", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  rig.say(OVEN, connect({ will: true }));
  assert.equal(rig.stream().open, true, "the old connection keeps the will armed");
  rig.pass(5 * RETRY_MS);
  assert.equal(rig.stream().open, false);
  assert.equal(rig.got("disconnect").length, 0);
  assert.equal(rig.count("lost"), 1);
  assert.deepEqual(rig.gateway.clients(), []);
});

test("R33 the same ClientId from elsewhere takes over: one DISCONNECT, no will", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  rig.say(METER, connect());
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
  assert.deepEqual(rig.heard(METER), [{ type: "CONNACK", returnCode: 0 }]);
  assert.equal(rig.streams[0]!.got.at(-1)?.cmd, "disconnect");
  assert.deepEqual(
    rig.gateway.clients().map((c) => c.peer),
    [METER],
  );
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
});

test("R33 a takeover that never ends its will dialogue takes nothing", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true, duration: 600 });
  rig.say(METER, connect({ will: true }));
  rig.pass(5 * RETRY_MS);
  assert.deepEqual(rig.heard(OVEN), []);
  assert.equal(rig.gateway.clients()[0]?.peer, OVEN);
  assert.equal(rig.stream().open, true);
});

test("R34 another ClientId from a used address: the former session is lost", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  subscribed(rig, "c/oven-01/#");
  rig.say(OVEN, connect({ clientId: "press-02" }));
  assert.deepEqual(rig.heard(OVEN), [{ type: "CONNACK", returnCode: 0 }]);
  assert.equal(rig.streams[0]!.open, false);
  assert.equal(rig.streams[0]!.got.at(-1)?.cmd, "subscribe", "no DISCONNECT: the will is due");
  assert.deepEqual(
    rig.gateway.clients().map((c) => c.clientId),
    ["press-02"],
  );
});

test("R34 another ClientId during a comeback loses the connection that was kept for it", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  rig.say(OVEN, connect({ will: true }));
  rig.say(OVEN, connect({ clientId: "press-02" }));
  assert.deepEqual(
    rig.streams.map((s) => s.open),
    [false, true],
  );
});

test("§6.3 CleanSession and Will decide what stays of will and subscriptions", () => {
  const kept = { topic: "ferrule/oven-01/presence", payload: "lost", qos: 1, retain: true };
  for (const [cleanSession, will, expected, subscribes] of [
    [true, false, null, 0],
    [false, false, kept, 1],
    [false, true, { ...kept, topic: "new", payload: "gone" }, 1],
    [true, true, { ...kept, topic: "new", payload: "gone" }, 0],
  ] as const) {
    const rig = createRig();
    connected(rig, OVEN, { will: true, cleanSession: false });
    subscribed(rig, "c/#");
    rig.say(OVEN, { type: "DISCONNECT" });
    rig.say(OVEN, connect({ cleanSession, will }));
    if (will) {
      rig.say(OVEN, willTopic("new"));
      rig.say(OVEN, willMessage("gone"));
    }
    assert.deepEqual(rig.heard(OVEN).at(-1), { type: "CONNACK", returnCode: 0 });
    assert.deepEqual(willOf(rig), expected);
    assert.equal(rig.got("subscribe").length, subscribes);
    assert.equal(rig.got("connect")[0]?.clean, cleanSession);
  }
});

test("a broker that still has the session is not subscribed to again", () => {
  const rig = createRig();
  connected(rig, OVEN, { cleanSession: false });
  subscribed(rig, "c/#");
  rig.say(OVEN, { type: "DISCONNECT" });
  rig.heard(OVEN);
  rig.habits.sessionPresent = true;
  connected(rig, OVEN, { cleanSession: false });
  assert.equal(rig.got("subscribe").length, 0);
});

test("R50 a plain DISCONNECT is answered and leaves no will", () => {
  const rig = createRig();
  connected(rig, OVEN, { will: true });
  rig.say(OVEN, { type: "DISCONNECT" });
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
  assert.equal(rig.got("disconnect").length, 1);
  assert.equal(rig.stream().open, false);
  assert.deepEqual(rig.gateway.clients(), []);
});

test("R43 a repeated DISCONNECT is answered too", () => {
  const rig = createRig();
  connected(rig);
  for (let i = 0; i < 3; i++) rig.say(OVEN, { type: "DISCONNECT" });
  assert.equal(rig.heard(OVEN).length, 3);
});

test("R42 sleep is not offered: DISCONNECT with a duration is a plain one, and counted", () => {
  const rig = createRig();
  connected(rig);
  rig.say(OVEN, { type: "DISCONNECT", duration: 600 });
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
  assert.deepEqual(rig.gateway.clients(), []);
  assert.equal(rig.count("sleepRefused"), 1);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("oven-01") });
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
});

test("§6.11 a silent client is lost after keep alive and tolerance; the will is due", () => {
  for (const [duration, silenceMs] of [
    [1, 2000],
    [10, 15_000],
    [60, 90_000],
    [100, 110_000],
  ] as const) {
    assert.equal(silenceMsMax(duration), silenceMs);
    const rig = createRig();
    connected(rig, OVEN, { will: true, duration });
    rig.pass(silenceMs - 1);
    assert.equal(rig.gateway.clients().length, 1);
    rig.pass(1);
    assert.equal(rig.gateway.clients().length, 0);
    assert.equal(rig.stream().open, false);
    assert.equal(rig.got("disconnect").length, 0);
    assert.deepEqual(rig.heard(OVEN), []);
    assert.equal(rig.count("lost"), 1);
  }
});

test("anything a client says keeps it alive", () => {
  const rig = createRig();
  connected(rig, OVEN, { duration: 10 });
  for (let i = 0; i < 5; i++) {
    rig.pass(14_999);
    rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
    assert.deepEqual(rig.heard(OVEN), [{ type: "PINGRESP" }]);
  }
});

test("R28 without a keep alive a client may be silent for a day", () => {
  const rig = createRig();
  connected(rig, OVEN, { duration: 0 });
  rig.pass(86_399_999);
  assert.equal(rig.gateway.clients().length, 1);
  rig.pass(1);
  assert.equal(rig.gateway.clients().length, 0);
});

test("R36 R37 PINGREQ with a ClientId moves nothing", () => {
  const rig = createRig();
  connected(rig);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("oven-01") });
  assert.deepEqual(rig.heard(OVEN), [{ type: "PINGRESP" }]);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("other") });
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
  rig.say(METER, { type: "PINGREQ", clientId: octets("oven-01") });
  assert.deepEqual(rig.heard(METER), [{ type: "DISCONNECT" }]);
  assert.equal(rig.gateway.clients()[0]?.peer, OVEN);
});

test("R48 SEARCHGW is answered with GWINFO", () => {
  const rig = createRig({ gatewayId: 9 });
  rig.say(OVEN, { type: "SEARCHGW", radius: 1 });
  assert.deepEqual(types(rig.heard(OVEN)), ["GWINFO"]);
});

test("§6.1 ADVERTISE goes to the group every 15 minutes, not while the broker is away", () => {
  const rig = createRig({ group: "group" });
  rig.pass(0);
  assert.deepEqual(rig.heard("group"), [{ type: "ADVERTISE", gwId: 1, duration: 900 }]);
  rig.pass(899_999);
  assert.deepEqual(rig.heard("group"), []);
  rig.pass(1);
  assert.equal(rig.heard("group").length, 1);
  connected(rig, OVEN, { duration: 0 });
  rig.habits.opens = false;
  rig.brokerHangsUp();
  rig.pass(900_000);
  assert.deepEqual(rig.heard("group"), []);
});
