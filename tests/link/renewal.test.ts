// SPDX-License-Identifier: MIT
// A CONNECT that comes twice makes a new session: the node sets it up as well.
//
// Goal: after a gateway began its will dialogue anew behind the node's back, commands and time still arrive. Method: will
// requests to a node that is in, on the release module with set-points, then what it asks for.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { buildLinkOf, startLink, type Rig } from "../support/link-rig.ts";

const WILLTOPICREQ = Uint8Array.of(2, 0x06);
const WILLMSGREQ = Uint8Array.of(2, 0x08);
const SUBACK = 0x13;
let module: WebAssembly.Module;

before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

function settled(): Rig {
  const rig = startLink(module);
  rig.host.run(10_000);
  assert.equal(rig.gateway.connects, 1);
  rig.gateway.heard.length = 0;
  return rig;
}

const types = ({ gateway }: Rig): string[] => gateway.heard.map(({ type }) => type);
const subscribed = ({ gateway }: Rig): string[] =>
  gateway.heard
    .filter(({ type }) => type === "SUBSCRIBE")
    .map(({ bytes }) => Buffer.from(bytes.subarray(5)).toString().split("/").at(-1) ?? "");

test("a second will dialogue is answered; then the node subscribes again", () => {
  const rig = settled();
  rig.gateway.say(WILLTOPICREQ);
  rig.gateway.say(WILLMSGREQ);
  rig.host.run(5000);
  const answers = types(rig).filter((type) => type.startsWith("WILL"));
  assert.deepEqual(answers, ["WILLTOPIC", "WILLMSG"]);
  assert.deepEqual([...new Set(subscribed(rig))], ["time", "set"]);
  const presence = rig.gateway.publications.filter(({ topic }) => topic === "presence");
  assert.equal(presence.length, 2, "online, and online again");
  assert.equal(rig.gateway.connects, 1, "it did not connect again");
});

test("the first request is enough: the others of that dialogue may be lost", () => {
  const rig = settled();
  rig.gateway.say(WILLTOPICREQ);
  rig.host.run(5000);
  assert.deepEqual(subscribed(rig), ["time", "set"]);
});

test("a new session that does not hear the first SUBSCRIBE is asked until it answers", () => {
  const rig = settled();
  let lost = 0;
  rig.gateway.script.loseUp = () => rig.gateway.said > 0 && lost++ < 3;
  rig.gateway.say(WILLMSGREQ);
  rig.host.run(30_000);
  assert.ok(lost >= 3, `${lost} lost`);
  assert.deepEqual([...new Set(subscribed(rig))], ["time", "set"]);
});

test("an answer of the session before is not taken for one of this session", () => {
  const rig = settled();
  const lateMs = 500; // less than the first repeat
  let subacks = 0;
  rig.gateway.script.down = (_, bytes) =>
    bytes[1] === SUBACK && ++subacks === 2 ? [{ bytes, afterMs: lateMs }] : undefined;
  rig.gateway.say(WILLTOPICREQ);
  rig.host.run(lateMs / 2);
  assert.deepEqual(subscribed(rig), ["time", "set"], "the SUBACK of set is under way");
  rig.gateway.say(WILLTOPICREQ);
  rig.host.run(5000);
  assert.deepEqual(subscribed(rig), ["time", "set", "time", "set"]);
});

test("will requests during a goodbye change nothing of it", () => {
  const rig = settled();
  rig.host.stop();
  rig.gateway.say(WILLMSGREQ);
  rig.host.run(20_000);
  const presence = rig.gateway.publications.filter(({ topic }) => topic === "presence");
  assert.equal(Buffer.from(presence.at(-1)!.payload).toString(), "offline");
  assert.deepEqual(subscribed(rig), []);
  assert.equal(types(rig).at(-1), "DISCONNECT");
});
