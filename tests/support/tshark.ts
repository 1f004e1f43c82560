// SPDX-License-Identifier: MIT
// tshark's reading of MQTT-SN datagrams in a capture, to compare with ours.
//
// Fields are texts under our names; the data of a PUBLISH is hex. What tshark 4.0 does not show is left out on
// both sides: QoS and Retain of a will, QoS of SUBSCRIBE and SUBACK.

import { execFileSync } from "node:child_process";
import type { Packet, Topic } from "../../gateway/packet.ts";

// In order of their numbers; "-" has none.
export const TYPE_NAMES = `
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
  "mqttsn.client.id": "clientId",
  "mqttsn.keep.alive": "duration",
};

const FLAG_FIELDS = new Set(["dup", "qos", "retain", "will", "cleanSession", "topicIdType"]);

/** Our reading in tshark's terms: numbers and text, all as text. */
export function asShown(packet: Packet): Record<string, string> {
  const shown: Record<string, string> = { type: packet.type };
  for (const [key, value] of Object.entries(packet)) {
    if (value instanceof Uint8Array) {
      if (key === "data") shown[key] = Buffer.from(value).toString("hex");
      else if (value.length > 0) shown[key] = Buffer.from(value).toString();
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
    if (key === "mqttsn.pub.msg_raw") into["data"] = String((value as unknown[])[0]);
    else if (key.endsWith("_raw")) continue;
    else if (typeof value === "object" && value !== null) readTree(value, into);
    else if (key === "mqttsn.msg.type") into["type"] = TYPE_NAMES[Number(value)]!;
    else if (FIELDS[key] !== undefined) into[FIELDS[key]] = plain(String(value));
  }
  return into;
}

function plain(value: string): string {
  return /^0x[0-9a-f]{2}$/.test(value) ? String(Number(value)) : value;
}
/** What tshark reads of each datagram in a capture file; port 10000 is MQTT-SN. */
export function dissectFile(file: string): Record<string, string>[] {
  const args = ["-r", file, "-d", "udp.port==10000,mqttsn", "-T", "json", "-x"];
  const options = { stdio: ["ignore", "pipe", "ignore"] as ["ignore", "pipe", "ignore"] };
  const json = execFileSync("tshark", args, { ...options, maxBuffer: 256 * 1024 * 1024 });
  return (JSON.parse(json.toString()) as Frame[]).map(({ _source }) =>
    readTree(_source.layers.mqttsn ?? {}),
  );
}

/** What tshark shows, without the flags that the packet's type does not use; they are 0. */
export function usedFields(
  shown: Record<string, string>,
  ours: Record<string, string>,
): Record<string, string> {
  const isUsed = ([key, value]: [string, string]): boolean =>
    key in ours || !FLAG_FIELDS.has(key) || value !== "0";
  return Object.fromEntries(Object.entries(shown).filter(isUsed));
}
