// SPDX-License-Identifier: MIT
// Goal: the broker's messages reach the client in order, retried, acknowledged.
// Method: a subscribed client and a scripted broker in virtual time, one reading of the standard a test.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "../../gateway/packet.ts";
import {
  connected,
  octets,
  OVEN,
  registered,
  subscribe,
  subscribed,
  text,
  types,
} from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

const RETRY_MS = 10_000;
const TWAIT_MS = 300_000;

function withClient(cleanSession = true): Rig {
  const rig = createRig({ predefined: { "plant/alarm": 7 } });
  connected(rig, OVEN, { duration: 3600, cleanSession });
  return rig;
}

interface Sent {
  qos?: 0 | 1 | 2;
  messageId?: number;
  retain?: boolean;
  dup?: boolean;
}

function send(rig: Rig, topic: string, payload: string | Buffer, fields: Sent = {}): void {
  const { qos = 0, retain = false, dup = false, messageId = 100 } = fields;
  rig.brokerSays({
    cmd: "publish",
    topic,
    payload,
    qos,
    retain,
    dup,
    ...(qos > 0 && { messageId }),
  });
}

function regack(rig: Rig, packet: Packet | undefined, returnCode = 0): void {
  assert.equal(packet?.type, "REGISTER");
  const { topicId, msgId } = packet as Extract<Packet, { type: "REGISTER" }>;
  rig.say(OVEN, { type: "REGACK", topicId, msgId, returnCode });
}

function puback(rig: Rig, packet: Packet | undefined, returnCode = 0): void {
  assert.equal(packet?.type, "PUBLISH");
  const { topicId, msgId } = packet as Extract<Packet, { type: "PUBLISH" }>;
  rig.say(OVEN, { type: "PUBACK", topicId, msgId, returnCode });
}

function acknowledged(rig: Rig): (number | undefined)[] {
  return rig.got("puback").map((packet) => packet.messageId);
}

function data(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => (packet.type === "PUBLISH" ? [text(packet.data)] : []));
}

test("a message on a subscribed name comes under the id of SUBACK", () => {
  const rig = withClient();
  const topicId = subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { retain: true });
  assert.deepEqual(rig.heard(OVEN), [
    {
      type: "PUBLISH",
      dup: false,
      qos: 0,
      retain: true,
      topicIdType: "normal",
      topicId,
      msgId: 0,
      data: octets("80"),
    },
  ]);
});

test("QoS 1 is acknowledged to the broker only when the client did; MsgId is the packet id", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 77 });
  const [packet] = rig.heard(OVEN);
  assert.ok(packet?.type === "PUBLISH" && packet.qos === 1 && packet.msgId === 77);
  assert.deepEqual(acknowledged(rig), []);
  puback(rig, packet);
  assert.deepEqual(acknowledged(rig), [77]);
});

test("a wildcard brings REGISTER first, then PUBLISH; R8 the next message needs none", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  send(rig, "c/sp", "80");
  const [asked] = rig.heard(OVEN);
  assert.ok(asked?.type === "REGISTER" && text(asked.topicName) === "c/sp" && asked.topicId > 0);
  regack(rig, asked);
  const [first] = rig.heard(OVEN);
  assert.ok(first?.type === "PUBLISH" && first.topicId === asked.topicId);
  send(rig, "c/sp", "81");
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBLISH"]);
});

test("R9 R10 several new topics: one REGISTER at a time, order kept, QoS 0 waits", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  const known = subscribed(rig, "c/known");
  send(rig, "c/a", "1", { qos: 1, messageId: 1 });
  send(rig, "c/known", "2");
  send(rig, "c/b", "3");
  send(rig, "c/a", "4");
  const order: string[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const packets = rig.heard(OVEN);
    if (packets.length === 0) break;
    const requests = packets.filter((p) => p.type === "REGISTER" || (p as { qos?: number }).qos);
    assert.ok(requests.length <= 1, "one request at a time");
    order.push(...data(packets));
    for (const packet of requests) {
      if (packet.type === "REGISTER") regack(rig, packet);
      else puback(rig, packet);
    }
  }
  assert.deepEqual(order, ["1", "2", "3", "4"]);
  assert.ok(known > 0);
});

test("R11 retained messages that come before SUBACK wait for it", () => {
  const rig = withClient();
  rig.habits.suback = undefined;
  rig.say(OVEN, subscribe("c/#"));
  send(rig, "c/sp", "80", { retain: true });
  assert.deepEqual(rig.heard(OVEN), []);
  const messageId = rig.got("subscribe")[0]!.messageId!;
  rig.brokerSays({ cmd: "suback", messageId, granted: [1] });
  const packets = rig.heard(OVEN);
  assert.deepEqual(types(packets), ["SUBACK", "REGISTER"]);
  regack(rig, packets[1]);
  const [publication] = rig.heard(OVEN);
  assert.ok(publication?.type === "PUBLISH" && publication.retain);
});

test("R11 a broker lost before its SUBACK holds nothing back", () => {
  const rig = withClient();
  rig.habits.suback = undefined;
  rig.say(OVEN, subscribe("c/#"));
  send(rig, "ot", "80");
  rig.brokerHangsUp();
  assert.deepEqual(types(rig.heard(OVEN)), ["PINGREQ", "PUBLISH"]);
});

test("R12 two octets of name come short, a predefined subscription under its id", () => {
  const rig = withClient();
  subscribed(rig, "ot");
  rig.say(OVEN, {
    type: "SUBSCRIBE",
    qos: 1,
    msgId: 5,
    topicIdType: "predefined",
    topicId: 7,
  });
  rig.heard(OVEN);
  send(rig, "ot", "a");
  send(rig, "plant/alarm", "b");
  send(rig, "ä", "c"); // two octets in UTF-8
  const kinds = rig.heard(OVEN).map((p) => (p.type === "PUBLISH" ? [p.topicIdType, p.topicId] : p));
  assert.deepEqual(kinds, [
    ["short", 0x6f74],
    ["predefined", 7],
    ["short", 0xc3a4],
  ]);
});

test("R12 a predefined name that was subscribed by name comes under a normal id", () => {
  const rig = withClient();
  const topicId = subscribed(rig, "plant/alarm");
  send(rig, "plant/alarm", "b");
  const [packet] = rig.heard(OVEN);
  assert.ok(packet?.type === "PUBLISH" && packet.topicIdType === "normal");
  assert.equal(packet.topicId, topicId);
});

test("R22 REGISTER and PUBLISH are repeated after Tretry, same MsgId, DUP on PUBLISH", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  rig.pass(2 * RETRY_MS);
  const asked = rig.heard(OVEN);
  assert.deepEqual(types(asked), ["REGISTER", "REGISTER", "REGISTER"]);
  assert.deepEqual(asked[0], asked[2]);
  regack(rig, asked[0]);
  rig.pass(RETRY_MS);
  const told = rig.heard(OVEN);
  assert.deepEqual(
    told.map((p) => p.type === "PUBLISH" && [p.msgId, p.dup]),
    [
      [9, false],
      [9, true],
    ],
  );
});

test("R23 retries spent: the message stays first and goes on when the client is heard", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  send(rig, "c/sp", "81", { qos: 1, messageId: 10 });
  rig.pass(20 * RETRY_MS);
  assert.equal(rig.heard(OVEN).length, 5, "one and four repeats");
  assert.equal(rig.count("stalled"), 1);
  assert.equal(rig.gateway.clients().length, 1);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
  const packets = rig.heard(OVEN);
  assert.deepEqual(types(packets), ["PINGRESP", "PUBLISH"]);
  assert.ok(packets[1]?.type === "PUBLISH" && packets[1].dup);
  puback(rig, packets[1]);
  assert.deepEqual(data(rig.heard(OVEN)), ["81"]);
  assert.deepEqual(acknowledged(rig), [9]);
});

test("R25 PUBACK 02: a new id and one more chance, the second 02 drops the message", () => {
  const rig = withClient();
  const old = subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  puback(rig, rig.heard(OVEN)[0], 2);
  const [asked] = rig.heard(OVEN);
  assert.ok(asked?.type === "REGISTER" && asked.topicId !== old);
  regack(rig, asked);
  const [again] = rig.heard(OVEN);
  assert.ok(again?.type === "PUBLISH" && again.topicId === asked.topicId);
  puback(rig, again, 2);
  assert.deepEqual(acknowledged(rig), [9], "given up for good");
  assert.equal(rig.count("publishesDownRefused"), 1);
  assert.deepEqual(rig.heard(OVEN), []);
});

test("R25 PUBACK 02 on a predefined id: the message comes under a registered one", () => {
  const rig = withClient();
  rig.say(OVEN, { type: "SUBSCRIBE", qos: 1, msgId: 5, topicIdType: "predefined", topicId: 7 });
  rig.heard(OVEN);
  send(rig, "plant/alarm", "b", { qos: 1 });
  puback(rig, rig.heard(OVEN)[0], 2);
  regack(rig, rig.heard(OVEN)[0]);
  const [packet] = rig.heard(OVEN);
  assert.ok(packet?.type === "PUBLISH" && packet.topicIdType === "normal");
});

test("§6.8 PUBACK 02 for a QoS 0 message: the topic is registered again with the next one", () => {
  const rig = withClient();
  const topicId = subscribed(rig, "c/sp");
  send(rig, "c/sp", "80");
  rig.heard(OVEN);
  rig.say(OVEN, { type: "PUBACK", topicId, msgId: 0, returnCode: 2 });
  send(rig, "c/sp", "81");
  assert.deepEqual(types(rig.heard(OVEN)), ["REGISTER"]);
});

test("PUBACK 02 for an earlier QoS 0 message does not shake a PUBLISH that waits", () => {
  const rig = withClient();
  const topicId = subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  rig.say(OVEN, { type: "PUBACK", topicId, msgId: 0, returnCode: 2 });
  rig.pass(RETRY_MS);
  const packets = rig.heard(OVEN);
  assert.deepEqual(types(packets), ["PUBLISH", "PUBLISH"]);
  puback(rig, packets[1]);
  assert.deepEqual(acknowledged(rig), [9]);
});

test("R26 PUBACK 01: a pause of Twait, then the message again; 03: the message is dropped", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  puback(rig, rig.heard(OVEN)[0], 1);
  send(rig, "c/sp", "81");
  rig.pass(TWAIT_MS - 1);
  assert.deepEqual(rig.heard(OVEN), []);
  rig.pass(1);
  const [again] = rig.heard(OVEN);
  puback(rig, again, 3);
  assert.deepEqual(acknowledged(rig), [9]);
  assert.deepEqual(data(rig.heard(OVEN)), ["81"]);
});

test("R27 a refused REGISTER mutes that name until the next SUBSCRIBE", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  regack(rig, rig.heard(OVEN)[0], 3);
  send(rig, "c/sp", "81", { qos: 1, messageId: 10 });
  assert.deepEqual(rig.heard(OVEN), []);
  assert.deepEqual(acknowledged(rig), [9, 10]);
  send(rig, "c/other", "1");
  assert.deepEqual(types(rig.heard(OVEN)), ["REGISTER"], "other names of the wildcard go on");
  rig.say(OVEN, subscribe("c/sp"));
  rig.heard(OVEN);
  const before = rig.count("publishesDownRefused");
  send(rig, "c/sp", "82");
  assert.equal(rig.count("publishesDownRefused"), before);
});

test("REGACK 01 pauses for Twait and then registers again", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  send(rig, "c/sp", "80");
  regack(rig, rig.heard(OVEN)[0], 1);
  rig.pass(TWAIT_MS);
  assert.deepEqual(types(rig.heard(OVEN)), ["REGISTER"]);
});

test("R45 an acknowledgement that nobody waits for is silence", () => {
  const rig = withClient();
  rig.say(OVEN, { type: "PUBACK", topicId: 1, msgId: 5, returnCode: 0 });
  rig.say(OVEN, { type: "REGACK", topicId: 1, msgId: 5, returnCode: 0 });
  assert.deepEqual(rig.heard(OVEN), []);
  assert.equal(rig.count("unexpected"), 2);
});

test("R51 a full buffer drops its oldest QoS 0; QoS 1 beyond it stays unacknowledged", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "first", { qos: 1, messageId: 1 });
  rig.heard(OVEN);
  for (let i = 0; i < 31; i++) send(rig, "c/sp", `zero ${i}`);
  assert.equal(rig.count("publishesDownDropped"), 0);
  for (let i = 2; i <= 33; i++) send(rig, "c/sp", `one ${i}`, { qos: 1, messageId: i });
  assert.equal(rig.count("publishesDownDropped"), 32, "31 of QoS 0, then the newest of QoS 1");
  rig.say(OVEN, { type: "PUBACK", topicId: 0, msgId: 1, returnCode: 0 });
  assert.deepEqual(data(rig.heard(OVEN)), ["one 2"]);
});

test("R51 the buffer is bounded in octets too", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  for (let i = 1; i <= 10; i++) {
    send(rig, "c/sp", Buffer.alloc(1300, i), { qos: 1, messageId: i });
  }
  assert.equal(rig.count("publishesDownDropped"), 4);
});

test("a message that no datagram can carry is dropped in silence and acknowledged", () => {
  const rig = withClient();
  subscribed(rig, "c/#");
  send(rig, "c/sp", Buffer.alloc(1392), { qos: 1, messageId: 3 });
  send(rig, `c/${"x".repeat(1391)}`, "1", { qos: 1, messageId: 4 });
  assert.deepEqual(rig.heard(OVEN), []);
  assert.deepEqual(acknowledged(rig), [3, 4]);
  const topic = `c/${"x".repeat(1390)}`; // 8 + 1392 octets of REGISTER
  send(rig, topic, Buffer.alloc(1391), { qos: 0 });
  regack(rig, rig.heard(OVEN)[0]);
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBLISH"]);
});

test("more topics than the table holds: the message is dropped and counted", () => {
  const rig = withClient();
  for (let i = 0; i < 256; i++) registered(rig, `p/${i}`);
  subscribed(rig, "c/#");
  send(rig, "c/sp", "80", { qos: 1, messageId: 3 });
  assert.deepEqual(rig.heard(OVEN), []);
  assert.equal(rig.count("publishesDownRefused"), 1);
  assert.deepEqual(acknowledged(rig), [3]);
});

test("a QoS 2 message of the broker comes as QoS 1 and ends its own handshake", () => {
  const rig = withClient(false);
  send(rig, "ot", "80", { qos: 2, messageId: 3 });
  const [packet] = rig.heard(OVEN);
  assert.ok(packet?.type === "PUBLISH" && packet.qos === 1);
  assert.equal(rig.got("pubrec").length, 0);
  puback(rig, packet);
  assert.equal(rig.got("pubrec")[0]?.messageId, 3);
  rig.brokerSays({ cmd: "pubrel", messageId: 3 });
  assert.equal(rig.got("pubcomp")[0]?.messageId, 3);
});

test("CleanSession 0: what the broker repeats after a reconnection is delivered once", () => {
  const rig = withClient(false);
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  send(rig, "c/sp", "81", { qos: 1, messageId: 10 });
  const [first] = rig.heard(OVEN);
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.habits.sessionPresent = true;
  rig.pass(1000);
  assert.equal(rig.streams.length, 2);
  send(rig, "c/sp", "80", { qos: 1, messageId: 9, dup: true });
  send(rig, "c/sp", "81", { qos: 1, messageId: 10, dup: true });
  rig.heard(OVEN);
  puback(rig, first);
  assert.deepEqual(acknowledged(rig), [9]);
  const [second] = rig.heard(OVEN);
  assert.deepEqual(data([second!]), ["81"]);
  puback(rig, second);
  assert.deepEqual(acknowledged(rig), [9, 10]);
  assert.deepEqual(rig.heard(OVEN), []);
});

test("CleanSession 1: the buffer survives the broker, and old acknowledgements stay here", () => {
  const rig = withClient();
  subscribed(rig, "c/sp");
  send(rig, "c/sp", "80", { qos: 1, messageId: 9 });
  const [first] = rig.heard(OVEN);
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(1000);
  rig.heard(OVEN);
  puback(rig, first);
  assert.deepEqual(acknowledged(rig), []);
  assert.equal(rig.count("publishesDown"), 1);
});
