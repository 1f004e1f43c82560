// SPDX-License-Identifier: MIT
// Goal: tshark reads a session of the gateway field for field as our codec does.
// Method: a scripted client and broker make every packet type; the datagrams become a capture.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decode, type Packet } from "../../gateway/packet.ts";
import { encodePcapDatagram, encodePcapHeader, parseEndpoint } from "../../host-sim/pcap.ts";
import * as need from "../support/need.ts";
import { asShown, dissectFile, TYPE_NAMES, usedFields } from "../support/tshark.ts";
import {
  connected,
  METER,
  octets,
  OVEN,
  publish,
  register,
  registered,
  subscribe,
  subscribed,
} from "./client.ts";
import { createRig, type Recorded, type Rig, WALL_START_MS } from "./rig.ts";

const GATEWAY = { host: "192.0.2.1", port: 10_000 };
const GROUP = "239.255.77.78:10000";

/** A session in which each side says all that it can. */
function playSession(): Recorded[] {
  const rig = createRig({ predefined: { "plant/alarm": 7 }, group: GROUP });
  rig.pass(0); // ADVERTISE
  rig.say(OVEN, publish(1)); // a stranger: DISCONNECT
  rig.say(OVEN, { type: "SEARCHGW", radius: 1 });
  connected(rig, OVEN, { will: true });
  playUplink(rig);
  playDownlink(rig);
  rig.say(OVEN, { type: "WILLTOPICUPD", will: { qos: 1, retain: true, topic: octets("s/x") } });
  rig.say(OVEN, { type: "WILLMSGUPD", willMsg: octets("bye") });
  rig.say(OVEN, { type: "PUBREL", msgId: 3 });
  rig.say(OVEN, { type: "PUBREC", msgId: 3 });
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("oven-01") });
  rig.brokerHangsUp(); // PINGREQ of the gateway
  rig.say(OVEN, { type: "PINGRESP" });
  connected(rig, METER, { clientId: "meter-01", cleanSession: false, duration: 300 });
  rig.say(METER, { type: "DISCONNECT", duration: 600 });
  rig.say(OVEN, { type: "DISCONNECT" });
  return rig.recorded;
}

function playUplink(rig: Rig): void {
  const id = registered(rig, "p/oven-01/t");
  rig.say(OVEN, register("p/#", 2)); // refused
  rig.say(OVEN, publish(id, { msgId: 2 }));
  rig.say(OVEN, publish(id, { msgId: 2, dup: true }));
  rig.say(OVEN, publish(id, { qos: 0 }));
  rig.say(OVEN, publish(id, { qos: 2, msgId: 3, retain: true }));
  rig.say(OVEN, publish(7, { topicIdType: "predefined", msgId: 4, retain: true }));
  rig.say(OVEN, publish(0x6f74, { topicIdType: "short", msgId: 5 }));
  rig.say(OVEN, publish(0x6f74, { topicIdType: "short", qos: -1 }));
  rig.say(OVEN, publish(id, { msgId: 6, data: octets("x".repeat(300)) }));
  rig.say(OVEN, publish(0x7777)); // 02
}

function playDownlink(rig: Rig): void {
  subscribed(rig, "c/oven-01/#");
  const id = subscribed(rig, "c/sp");
  rig.say(OVEN, subscribe("a/#/b", { msgId: 9 })); // refused
  rig.say(OVEN, { type: "SUBSCRIBE", qos: 2, msgId: 6, topicIdType: "short", topicId: 0x6f74 });
  rig.say(OVEN, { type: "SUBSCRIBE", qos: 0, msgId: 5, topicIdType: "predefined", topicId: 7 });
  const message = { cmd: "publish", dup: false, payload: "80" } as const;
  rig.brokerSays({ ...message, topic: "c/sp", qos: 1, messageId: 77, retain: true });
  rig.pass(10_000); // repeated with DUP
  rig.say(OVEN, { type: "PUBACK", topicId: id, msgId: 77, returnCode: 0 });
  rig.heard(OVEN);
  rig.brokerSays({ ...message, topic: "c/oven-01/sp", qos: 0, retain: false });
  const [asked] = rig.heard(OVEN);
  assert.ok(asked?.type === "REGISTER");
  const { topicId, msgId } = asked;
  rig.say(OVEN, { type: "REGACK", topicId, msgId, returnCode: 0 });
  rig.say(OVEN, {
    type: "UNSUBSCRIBE",
    msgId: 7,
    topicIdType: "normal",
    topicName: octets("c/sp"),
  });
  rig.say(OVEN, { type: "UNSUBSCRIBE", msgId: 8, topicIdType: "predefined", topicId: 7 });
}

function dissect(recorded: readonly Recorded[]): Record<string, string>[] {
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  try {
    const file = join(folder, "session.pcap");
    const datagrams = recorded.map(({ peer, sent, bytes }, i) => {
      const ends = [parseEndpoint(peer), GATEWAY] as const;
      const [from, to] = sent ? [ends[1], ends[0]] : ends;
      return encodePcapDatagram((WALL_START_MS + i) * 1000, from, to, bytes);
    });
    writeFileSync(file, Buffer.concat([encodePcapHeader(), ...datagrams]));
    return dissectFile(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("tshark and the codec agree on every field of a session", need.program("tshark"), () => {
  const recorded = playSession();
  const dissected = dissect(recorded);
  assert.equal(dissected.length, recorded.length);
  const seen = new Set<string>();
  for (const [i, { bytes }] of recorded.entries()) {
    const packet = decode(bytes) as Packet;
    seen.add(packet.type);
    const ours = asShown(packet);
    assert.deepEqual(usedFields(dissected[i]!, ours), ours, `datagram ${i}`);
  }
  const everSaid = TYPE_NAMES.filter((type) => type !== "-");
  assert.deepEqual([...seen].sort(), everSaid.sort(), "the session has every type");
});
