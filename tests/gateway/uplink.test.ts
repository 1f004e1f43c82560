// SPDX-License-Identifier: MIT
// Goal: requests reach the broker and are acknowledged only after it did.
// Method: one scripted client and a scripted broker in virtual time, one reading of the standard a test.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connected,
  octets,
  OVEN,
  publish,
  register,
  registered,
  subscribe,
  subscribed,
  types,
} from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

function puback(topicId: number, msgId: number, returnCode: number) {
  return { type: "PUBACK", topicId, msgId, returnCode };
}

function withClient(): Rig {
  const rig = createRig({ predefined: { "plant/alarm": 7 } });
  connected(rig);
  return rig;
}

test("PUBACK follows the broker's PUBACK, and MsgId is the packet id", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.puback = false;
  rig.say(OVEN, publish(id, { msgId: 300, retain: true }));
  assert.deepEqual(rig.heard(OVEN), []);
  const [sent] = rig.got("publish");
  assert.equal(sent?.topic, "p/t");
  assert.equal(sent?.payload.toString(), "21.5");
  assert.equal(sent?.qos, 1);
  assert.equal(sent?.retain, true);
  assert.equal(sent?.dup, false);
  assert.equal(sent?.messageId, 300);
  rig.brokerSays({ cmd: "puback", messageId: 300 });
  assert.deepEqual(rig.heard(OVEN), [puback(id, 300, 0)]);
});

test("QoS 0 is forwarded and not answered", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id, { qos: 0 }));
  rig.say(OVEN, publish(id, { qos: 0, msgId: 9 })); // R18: MsgId at QoS 0 is ignored
  assert.deepEqual(rig.heard(OVEN), []);
  assert.deepEqual(
    rig.got("publish").map((p) => [p.topic, p.qos]),
    [
      ["p/t", 0],
      ["p/t", 0],
    ],
  );
});

test("predefined ids and short names need no registration", () => {
  const rig = withClient();
  rig.say(OVEN, publish(7, { topicIdType: "predefined" }));
  rig.say(OVEN, publish(0x6f74, { topicIdType: "short", msgId: 2 }));
  assert.deepEqual(rig.heard(OVEN), [puback(7, 1, 0), puback(0x6f74, 2, 0)]);
  assert.deepEqual(
    rig.got("publish").map((p) => p.topic),
    ["plant/alarm", "ot"],
  );
});

test("a short name that no topic can have is refused with 03", () => {
  const rig = withClient();
  for (const name of [0x2b78, 0x7823, 0x0041, 0xffff]) {
    rig.say(OVEN, publish(name, { topicIdType: "short" }));
    assert.deepEqual(rig.heard(OVEN), [puback(name, 1, 3)]);
  }
  assert.equal(rig.got("publish").length, 0);
});

test("R3 R15 an unknown id, 0000, FFFF or id type 11 gets PUBACK 02; the session stays", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  for (const [topicId, topicIdType] of [
    [id + 1, "normal"],
    [0, "normal"],
    [0xffff, "normal"],
    [8, "predefined"],
    [id, "reserved"],
  ] as const) {
    for (const qos of [0, 1, 2] as const) {
      rig.say(OVEN, publish(topicId, { topicIdType, qos, msgId: 5 }));
      assert.deepEqual(rig.heard(OVEN), [puback(topicId, 5, 2)]);
    }
  }
  rig.say(OVEN, publish(id));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 1, 0)]);
});

test("QoS 2 is refused with 03", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id, { qos: 2, msgId: 3 }));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 3, 3)]);
  assert.equal(rig.got("publish").length, 0);
});

test("R18 MsgId 0000 at QoS 1 is answered, with a packet id of the gateway's own", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id, { msgId: 0 }));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 0, 0)]);
  assert.notEqual(rig.got("publish")[0]?.messageId, 0);
});

test("R5 a known name keeps its id", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  assert.equal(registered(rig, "p/t"), id);
  assert.notEqual(registered(rig, "p/u"), id);
});

test("R6 a predefined or two-octet name gets a normal id like any other", () => {
  const rig = withClient();
  assert.notEqual(registered(rig, "plant/alarm"), 7);
  const id = registered(rig, "ot");
  rig.say(OVEN, publish(id));
  assert.equal(rig.got("publish")[0]?.topic, "ot");
});

test("R7 a wildcard, empty or invalid name gets 03, a full table 01", () => {
  const rig = withClient();
  const bad = [octets("a/#"), octets("+"), octets(""), octets("a\0b"), Uint8Array.of(0xc3, 0x28)];
  for (const topicName of bad) {
    rig.say(OVEN, { type: "REGISTER", topicId: 0, msgId: 9, topicName });
    assert.deepEqual(rig.heard(OVEN), [{ type: "REGACK", topicId: 0, msgId: 9, returnCode: 3 }]);
  }
  const ids = new Set<number>();
  for (let i = 0; i < 256; i++) ids.add(registered(rig, `p/${i}`));
  assert.equal(ids.size, 256);
  rig.say(OVEN, register("p/256", 10));
  assert.deepEqual(rig.heard(OVEN), [{ type: "REGACK", topicId: 0, msgId: 10, returnCode: 1 }]);
  assert.equal(registered(rig, "p/7"), [...ids][7]);
});

test("R7 long names fill the table earlier", () => {
  const rig = withClient();
  const long = "x".repeat(1000);
  let accepted = 0;
  for (let i = 0; i < 20; i++) {
    rig.say(OVEN, register(`${long}/${i}`));
    const [answer] = rig.heard(OVEN);
    if (answer?.type === "REGACK" && answer.returnCode === 0) accepted++;
  }
  assert.equal(accepted, 8);
});

test("R19 sixteen requests may wait for the broker, the next gets 01", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.puback = false;
  for (let msgId = 1; msgId <= 16; msgId++) rig.say(OVEN, publish(id, { msgId }));
  assert.deepEqual(rig.heard(OVEN), []);
  rig.say(OVEN, publish(id, { msgId: 17 }));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 17, 1)]);
  assert.equal(rig.got("publish").length, 16);
  rig.brokerSays({ cmd: "puback", messageId: 1 });
  rig.say(OVEN, publish(id, { msgId: 17 }));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 1, 0)]);
  assert.equal(rig.got("publish").length, 17);
});

test("R20 a repeated PUBLISH is swallowed while the first waits", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.puback = false;
  rig.say(OVEN, publish(id, { msgId: 5 }));
  rig.say(OVEN, publish(id, { msgId: 5, dup: true }));
  assert.equal(rig.got("publish").length, 1);
  rig.brokerSays({ cmd: "puback", messageId: 5 });
  assert.deepEqual(rig.heard(OVEN), [puback(id, 5, 0)]);
});

test("R20 a repeat of the last acknowledged PUBLISH is acknowledged and not forwarded", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.say(OVEN, publish(id, { msgId: 5 }));
  rig.say(OVEN, publish(id, { msgId: 5, dup: true }));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 5, 0), puback(id, 5, 0)]);
  assert.equal(rig.got("publish").length, 1);
});

test("R20 any other repeat is new: another MsgId, topic or data, or no DUP", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  const other = registered(rig, "p/u");
  const news = [
    publish(id, { msgId: 6, dup: true }),
    publish(other, { msgId: 6, dup: true }),
    publish(other, { msgId: 6, dup: true, data: octets("21.6") }),
    publish(other, { msgId: 6, data: octets("21.6") }),
  ];
  rig.say(OVEN, publish(id, { msgId: 5 }));
  for (const [i, message] of news.entries()) {
    rig.say(OVEN, message);
    assert.equal(rig.got("publish").length, i + 2);
  }
  assert.deepEqual(
    rig.got("publish").map((p) => p.dup),
    [false, true, true, true, false],
  );
});

test("a new PUBLISH under a MsgId that still waits travels under another packet id", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.puback = false;
  rig.say(OVEN, publish(id, { msgId: 5 }));
  rig.say(OVEN, publish(id, { msgId: 5, data: octets("22") }));
  const [first, second] = rig.got("publish");
  assert.notEqual(first?.messageId, second?.messageId);
  rig.brokerSays({ cmd: "puback", messageId: second!.messageId! });
  assert.deepEqual(rig.heard(OVEN), [puback(id, 5, 0)]);
});

test("R44 a stranger's request gets one DISCONNECT", () => {
  const rig = createRig();
  rig.say(OVEN, publish(1));
  assert.deepEqual(rig.heard(OVEN), [{ type: "DISCONNECT" }]);
});

test("SUBSCRIBE by name: SUBACK follows the broker's and carries the id of later messages", () => {
  const rig = withClient();
  rig.habits.suback = undefined;
  rig.say(OVEN, subscribe("c/sp"));
  assert.deepEqual(rig.heard(OVEN), []);
  const [asked] = rig.got("subscribe");
  assert.deepEqual(
    asked?.subscriptions.map(({ topic, qos }) => ({ topic, qos })),
    [{ topic: "c/sp", qos: 1 }],
  );
  rig.brokerSays({ cmd: "suback", messageId: asked!.messageId!, granted: [1] });
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "SUBACK");
  assert.deepEqual([answer.msgId, answer.qos, answer.returnCode], [4, 1, 0]);
  assert.equal(registered(rig, "c/sp"), answer.topicId);
});

test("R13 SUBACK carries 0000 for wildcards and short names, the id for predefined ones", () => {
  const rig = withClient();
  for (const [topic, topicId] of [
    [{ topicIdType: "normal", topicName: octets("c/#") }, 0],
    [{ topicIdType: "short", topicId: 0x6f74 }, 0],
    [{ topicIdType: "predefined", topicId: 7 }, 7],
  ] as const) {
    rig.say(OVEN, { type: "SUBSCRIBE", qos: 0, msgId: 4, ...topic });
    const qos = 1; // what the scripted broker grants
    assert.deepEqual(rig.heard(OVEN), [{ type: "SUBACK", qos, topicId, msgId: 4, returnCode: 0 }]);
  }
  assert.deepEqual(
    rig.got("subscribe").map((p) => p.subscriptions[0]?.topic),
    ["c/#", "ot", "plant/alarm"],
  );
});

test("SUBSCRIBE at QoS 2 is granted QoS 1", () => {
  const rig = withClient();
  rig.say(OVEN, subscribe("c/sp", { qos: 2 }));
  assert.equal(rig.got("subscribe")[0]?.subscriptions[0]?.qos, 1);
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "SUBACK" && answer.qos === 1 && answer.returnCode === 0);
});

test("R3 R14 SUBSCRIBE of what cannot be is refused by its code", () => {
  const rig = withClient();
  const refusals = [
    [{ topicIdType: "predefined", topicId: 8 }, 1, 2],
    [{ topicIdType: "reserved", topicId: 7 }, 1, 3],
    [{ topicIdType: "normal", topicName: octets("a/#/b") }, 1, 3],
    [{ topicIdType: "normal", topicName: octets("a+") }, 1, 3],
    [{ topicIdType: "normal", topicName: octets("") }, 1, 3],
    [{ topicIdType: "short", topicId: 0x6123 }, 1, 3], // "a#"
    [{ topicIdType: "normal", topicName: octets("a") }, -1, 3],
  ] as const;
  for (const [topic, qos, returnCode] of refusals) {
    rig.say(OVEN, { type: "SUBSCRIBE", qos, msgId: 4, ...topic });
    assert.deepEqual(rig.heard(OVEN), [
      { type: "SUBACK", qos: 0, topicId: 0, msgId: 4, returnCode },
    ]);
  }
  assert.equal(rig.got("subscribe").length, 0);
});

test("a SUBSCRIBE that the broker refuses gets 03 and is not made again", () => {
  const rig = withClient();
  rig.habits.suback = 0x80;
  rig.say(OVEN, subscribe("secret"));
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "SUBACK" && answer.returnCode === 3);
  rig.brokerHangsUp();
  rig.say(OVEN, { type: "PINGRESP" });
  rig.pass(2000);
  assert.equal(rig.streams.length, 2);
  assert.equal(rig.got("subscribe").length, 0);
});

test("a repeated SUBSCRIBE that waits asks the broker once", () => {
  const rig = withClient();
  rig.habits.suback = undefined;
  rig.say(OVEN, subscribe("c/sp"));
  rig.say(OVEN, subscribe("c/sp"));
  assert.equal(rig.got("subscribe").length, 1);
});

test("a client has at most sixteen subscriptions, the next gets 01", () => {
  const rig = withClient();
  for (let i = 0; i < 16; i++) subscribed(rig, `c/${i}`);
  rig.say(OVEN, subscribe("c/16"));
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "SUBACK" && answer.returnCode === 1);
  subscribed(rig, "c/3");
  rig.say(OVEN, {
    type: "UNSUBSCRIBE",
    msgId: 9,
    topicIdType: "normal",
    topicName: octets("c/3"),
  });
  assert.deepEqual(rig.heard(OVEN), [{ type: "UNSUBACK", msgId: 9 }]);
  subscribed(rig, "c/16");
});

test("R3 R14 UNSUBSCRIBE of what is not subscribed is confirmed", () => {
  const rig = withClient();
  for (const topic of [
    { topicIdType: "predefined", topicId: 8 },
    { topicIdType: "reserved", topicId: 7 },
    { topicIdType: "normal", topicName: octets("a/#/b") },
    { topicIdType: "normal", topicName: octets("never/subscribed") },
  ] as const) {
    rig.say(OVEN, { type: "UNSUBSCRIBE", msgId: 9, ...topic });
    assert.deepEqual(rig.heard(OVEN), [{ type: "UNSUBACK", msgId: 9 }]);
  }
});

test("while the broker is away QoS 1 and SUBSCRIBE get 01, QoS 0 is dropped and counted", () => {
  const rig = withClient();
  const id = registered(rig, "p/t");
  rig.habits.opens = false;
  rig.brokerHangsUp();
  rig.heard(OVEN);
  rig.say(OVEN, publish(id, { msgId: 5 }));
  rig.say(OVEN, publish(id, { qos: 0 }));
  rig.say(OVEN, subscribe("c/sp"));
  rig.say(OVEN, {
    type: "UNSUBSCRIBE",
    msgId: 9,
    topicIdType: "normal",
    topicName: octets("c/sp"),
  });
  assert.deepEqual(rig.heard(OVEN), [
    puback(id, 5, 1),
    { type: "SUBACK", qos: 0, topicId: 0, msgId: 4, returnCode: 1 },
  ]);
  assert.equal(rig.count("publishesUpDropped"), 1);
  assert.equal(rig.count("unsubscribesDropped"), 1);
  assert.equal(registered(rig, "p/u") > 0, true, "names are registered all the same");
});

test("above the mark for unsent octets QoS 1 and CONNECT get 01", () => {
  let backlog = 0;
  const rig = createRig({}, { backlogBytes: () => backlog });
  connected(rig);
  const id = registered(rig, "p/t");
  backlog = 8_388_609;
  rig.say(OVEN, publish(id));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 1, 1)]);
  rig.say("192.0.2.9:1", { ...connectOf("late") });
  assert.deepEqual(rig.heard("192.0.2.9:1"), [{ type: "CONNACK", returnCode: 1 }]);
  backlog = 0;
  rig.say(OVEN, publish(id));
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBACK"]);
  assert.equal(rig.got("publish").length, 1);
});

function connectOf(clientId: string) {
  return {
    type: "CONNECT",
    will: false,
    cleanSession: true,
    protocolId: 1,
    duration: 60,
    clientId: octets(clientId),
  } as const;
}

test("R4 ids ascend over connections: a stale id is refused, never another topic", () => {
  const rig = withClient();
  const id = registered(rig, "p/old");
  rig.say(OVEN, { type: "DISCONNECT" });
  rig.heard(OVEN);
  connected(rig);
  const next = registered(rig, "p/new");
  assert.equal(next, id + 1);
  rig.say(OVEN, publish(id));
  assert.deepEqual(rig.heard(OVEN), [puback(id, 1, 2)]);
});
