// SPDX-License-Identifier: MIT
// Goal: tshark reads a session of the gateway field for field as our codec does.
// Method: a scripted client and broker make every packet type; the datagrams become a capture.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decode, type Packet, type Topic } from "../../gateway/packet.ts";
import { encodePcapDatagram, encodePcapHeader, parseEndpoint } from "../../host-sim/pcap.ts";
import * as need from "../support/need.ts";
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

// In order of their numbers; "-" has none.
const TYPE_NAMES = `
  ADVERTISE SEARCHGW GWINFO - CONNECT CONNACK WILLTOPICREQ WILLTOPIC WILLMSGREQ WILLMSG
  REGISTER REGACK PUBLISH PUBACK PUBCOMP PUBREC PUBREL - SUBSCRIBE SUBACK UNSUBSCRIBE
  UNSUBACK PINGREQ PINGRESP DISCONNECT - WILLTOPICUPD WILLTOPICRESP WILLMSGUPD WILLMSGRESP
`
  .trim()
  .split(/\s+/);

const FIELDS: Record<string, string> = {
  "mqttsn.dup": "dup",
  "mqttsn.will": "will",
  "mqttsn.clean.session": "cleanSession",
  "mqttsn.topic.id.type": "topicIdType",
  "mqttsn.qos": "qos",
  "mqttsn.retain": "retain",
  "mqttsn.return.code": "returnCode",
  "mqttsn.gw.id": "gwId",
  "mqttsn.adv.interv": "duration",
  "mqttsn.radius": "radius",
  "mqttsn.protocol.id": "protocolId",
  "mqttsn.topic.id": "topicId",
  "mqttsn.msg.id": "msgId",
  "mqttsn.topic": "topicName",
  "mqttsn.topic.name.or.id": "topicNameOrId",
  "mqttsn.sleep.timer": "duration",
  "mqttsn.will.topic": "willTopic",
  "mqttsn.will.msg": "willMsg",
  "mqttsn.pub.msg": "data",
  "mqttsn.client.id": "clientId",
  "mqttsn.keep.alive": "duration",
};

const FLAG_FIELDS = new Set(["dup", "qos", "retain", "will", "cleanSession", "topicIdType"]);

/** Our reading in tshark's terms: numbers and text, all as text. */
function asShown(packet: Packet): Record<string, string> {
  const shown: Record<string, string> = { type: packet.type };
  for (const [key, value] of Object.entries(packet)) {
    if (value instanceof Uint8Array) {
      if (value.length > 0) shown[key] = Buffer.from(value).toString();
    } else if (key === "will" && typeof value === "object") {
      // tshark does not show QoS and Retain of a will.
      shown["willTopic"] = Buffer.from((value as { topic: Uint8Array }).topic).toString();
    } else if (key === "topicIdType") {
      shown[key] = String(["normal", "predefined", "short", "reserved"].indexOf(String(value)));
    } else if (key !== "type") {
      shown[key] = String(key === "qos" && value === -1 ? 3 : Number(value));
    }
  }
  if (packet.type === "SUBSCRIBE" || packet.type === "SUBACK") delete shown["qos"]; // not shown
  if (packet.type === "SUBSCRIBE" || packet.type === "UNSUBSCRIBE") showTopic(packet, shown);
  return shown;
}

// tshark shows name or id as text, so a predefined id, whose first octet is 0, as none.
function showTopic(topic: Topic, shown: Record<string, string>): void {
  if (topic.topicIdType === "normal") {
    shown["topicNameOrId"] = shown["topicName"]!;
    delete shown["topicName"];
  } else {
    const { topicIdType, topicId } = topic;
    shown["topicNameOrId"] =
      topicIdType === "short" ? String.fromCharCode(topicId >> 8, topicId & 0xff) : "";
    delete shown["topicId"];
  }
}

interface Frame {
  _source: { layers: { mqttsn?: unknown; ip: Record<string, string> } };
}

/** tshark's reading: the leaves of its tree that have one of our names. */
function readTree(tree: unknown, into: Record<string, string> = {}): Record<string, string> {
  for (const [key, value] of Object.entries(tree as Record<string, unknown>)) {
    if (typeof value === "object" && value !== null) readTree(value, into);
    else if (key === "mqttsn.msg.type") into["type"] = TYPE_NAMES[Number(value)]!;
    else if (FIELDS[key] !== undefined) into[FIELDS[key]] = plain(String(value));
  }
  return into;
}

function plain(value: string): string {
  return /^0x[0-9a-f]{2}$/.test(value) ? String(Number(value)) : value;
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
    const args = ["-r", file, "-d", "udp.port==10000,mqttsn", "-T", "json"];
    const json = execFileSync("tshark", args, { stdio: ["ignore", "pipe", "ignore"] }).toString();
    return (JSON.parse(json) as Frame[]).map(({ _source }) =>
      readTree(_source.layers.mqttsn ?? {}),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What tshark shows, without the flags that the packet's type does not use; they are 0. */
function usedFields(
  shown: Record<string, string>,
  ours: Record<string, string>,
): Record<string, string> {
  const isUsed = ([key, value]: [string, string]): boolean =>
    key in ours || !FLAG_FIELDS.has(key) || value !== "0";
  return Object.fromEntries(Object.entries(shown).filter(isUsed));
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
