// SPDX-License-Identifier: MIT
// Goal: nodes get wall time from the gateway, by topic, without the broker.
// Method: questions of each CBOR width to a connected client's gateway; cbor-x reads the answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decode as decodeCbor } from "cbor-x";
import { encodeTimeAnswer, timeAnswerTopic } from "../../gateway/time.ts";
import { connected, octets, OVEN, publish, registered, subscribed, types } from "./client.ts";
import { createRig, WALL_START_MS, type Rig } from "./rig.ts";

const ASK = "ferrule/oven-01/time/get";
const ANSWER = "ferrule/oven-01/time";

function ask(rig: Rig, question: Uint8Array, qos: 0 | 1 = 0): void {
  rig.say(OVEN, publish(registered(rig, ASK), { qos, data: question }));
}

test("a question is answered with its token and wall time, and never forwarded", () => {
  const rig = createRig();
  connected(rig);
  const topicId = subscribed(rig, ANSWER);
  rig.pass(1234);
  ask(rig, Uint8Array.of(0x19, 0x01, 0x2c));
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "PUBLISH" && answer.qos === 0 && answer.topicId === topicId);
  const [token, wallMs] = decodeCbor(answer.data) as [number, bigint];
  assert.deepEqual([token, Number(wallMs)], [300, WALL_START_MS + rig.nowMs()]);
  assert.equal(rig.got("publish").length, 0);
});

test("the answer does not need the broker and does not wait behind other messages", () => {
  const rig = createRig();
  connected(rig);
  subscribed(rig, ANSWER);
  const c = subscribed(rig, "c/sp");
  rig.brokerSays({
    cmd: "publish",
    topic: "c/sp",
    payload: "80",
    qos: 1,
    messageId: 5,
    retain: false,
    dup: false,
  });
  rig.habits.opens = false;
  rig.brokerHangsUp();
  rig.heard(OVEN);
  ask(rig, Uint8Array.of(1));
  const [answer] = rig.heard(OVEN);
  assert.ok(answer?.type === "PUBLISH" && answer.topicId !== c);
});

test("a client that subscribed with a wildcard is told the name first", () => {
  const rig = createRig();
  connected(rig);
  subscribed(rig, "ferrule/oven-01/#");
  ask(rig, Uint8Array.of(1));
  assert.deepEqual(types(rig.heard(OVEN)), ["REGISTER"]);
});

test("a question at QoS 1 is acknowledged; one that is no token gets 03 and no answer", () => {
  const rig = createRig();
  connected(rig);
  subscribed(rig, ANSWER);
  ask(rig, Uint8Array.of(1), 1);
  assert.deepEqual(types(rig.heard(OVEN)), ["PUBACK", "PUBLISH"]);
  ask(rig, octets("now?"), 1);
  const [refused] = rig.heard(OVEN);
  assert.ok(refused?.type === "PUBACK" && refused.returnCode === 3);
  ask(rig, octets("now?"));
  assert.deepEqual(rig.heard(OVEN), []);
  assert.equal(rig.count("timeQuestionsBad"), 2);
  assert.equal(rig.got("publish").length, 0);
});

test("only the question's topic is taken: everything else is forwarded", () => {
  assert.equal(timeAnswerTopic(ASK), ANSWER);
  for (const topic of [
    "ferrule/oven-01/time",
    "ferrule/time/get",
    "ferrule//time/get",
    "ferrule/a/b/time/get",
    "other/oven-01/time/get",
    "ferrule/oven-01/time/get/",
  ]) {
    assert.equal(timeAnswerTopic(topic), undefined, topic);
  }
});

test("tokens of each width come back as asked; wall times take their shortest form", () => {
  const tokens = [[0], [23], [0x18, 24], [0x18, 255], [0x19, 1, 0], [0x1a, 0, 1, 0, 0]];
  tokens.push([0x1b, 0, 0, 0, 1, 0, 0, 0, 0]);
  for (const token of tokens) {
    for (const wallMs of [0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296]) {
      const answer = encodeTimeAnswer(Uint8Array.from(token), wallMs)!;
      const [echo, time] = decodeCbor(answer) as [number | bigint, number | bigint];
      assert.deepEqual([...answer.subarray(1, 1 + token.length)], token);
      assert.equal(Number(time), wallMs);
      assert.ok(Number(echo) >= 0);
      const width = wallMs < 24 ? 1 : wallMs < 256 ? 2 : wallMs < 65_536 ? 3 : 0;
      if (width > 0) assert.equal(answer.length, 1 + token.length + width);
    }
  }
});

test("questions that are no shortest unsigned integer are none", () => {
  for (const bytes of [
    [],
    [0x18],
    [0x18, 23],
    [0x19, 0, 255],
    [0x1a, 0, 0, 255, 255],
    [0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
    [0x20],
    [0x1c],
    [0x1f],
    [1, 0],
    [0x61, 0x61],
  ]) {
    assert.equal(encodeTimeAnswer(Uint8Array.from(bytes), 1), undefined, bytes.join(" "));
  }
});
