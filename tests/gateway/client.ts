// SPDX-License-Identifier: MIT
// Packets of scripted clients, with the usual fields filled in.

import assert from "node:assert/strict";
import type { Packet, Publish, Qos } from "../../gateway/packet.ts";
import type { Rig } from "./rig.ts";

export const OVEN = "192.0.2.7:10001";
export const METER = "192.0.2.8:10001";

/** The octets of a text. */
export function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export interface ConnectFields {
  clientId?: string;
  duration?: number;
  cleanSession?: boolean;
  will?: boolean;
  protocolId?: number;
}

export function connect(fields: ConnectFields = {}): Packet {
  const { clientId = "oven-01", duration = 60, cleanSession = true, will = false } = fields;
  return {
    type: "CONNECT",
    will,
    cleanSession,
    protocolId: fields.protocolId ?? 1,
    duration,
    clientId: octets(clientId),
  };
}

export function willTopic(topic = "ferrule/oven-01/presence"): Packet {
  return { type: "WILLTOPIC", will: { qos: 1, retain: true, topic: octets(topic) } };
}

export function willMessage(message = "lost"): Packet {
  return { type: "WILLMSG", willMsg: octets(message) };
}

export function register(topicName: string, msgId = 1): Packet {
  return { type: "REGISTER", topicId: 0, msgId, topicName: octets(topicName) };
}

export function publish(topicId: number, fields: Partial<Publish> & { qos?: Qos } = {}): Publish {
  const { qos = 1, msgId = qos === 1 ? 1 : 0, data = octets("21.5") } = fields;
  return {
    type: "PUBLISH",
    dup: false,
    retain: false,
    topicIdType: "normal",
    topicId,
    ...fields,
    qos,
    msgId,
    data,
  };
}

export function subscribe(topicName: string, fields: { msgId?: number; qos?: Qos } = {}): Packet {
  const { msgId = 4, qos = 1 } = fields;
  return {
    type: "SUBSCRIBE",
    qos,
    msgId,
    topicIdType: "normal",
    topicName: octets(topicName),
  };
}

/** Connects a client and throws away what it was told. */
export function connected(rig: Rig, peer = OVEN, fields: ConnectFields = {}): void {
  rig.say(peer, connect(fields));
  if (fields.will === true) {
    rig.say(peer, willTopic(`ferrule/${fields.clientId ?? "oven-01"}/presence`));
    rig.say(peer, willMessage());
  }
  const last = rig.heard(peer).at(-1);
  assert.deepEqual(last, { type: "CONNACK", returnCode: 0 });
}

/** Registers a name and returns its id. */
export function registered(rig: Rig, topicName: string, peer = OVEN): number {
  rig.say(peer, register(topicName, 0x7001));
  const last = rig.heard(peer).at(-1);
  assert.ok(last?.type === "REGACK" && last.returnCode === 0);
  return last.topicId;
}

/** Subscribes and returns the id of SUBACK. */
export function subscribed(rig: Rig, filter: string, peer = OVEN): number {
  rig.say(peer, subscribe(filter, { msgId: 0x7002 }));
  const last = rig.heard(peer).find((packet) => packet.type === "SUBACK");
  assert.ok(last?.type === "SUBACK" && last.returnCode === 0);
  return last.topicId;
}

/** The types of some packets, for a first look. */
export function types(packets: readonly Packet[]): string[] {
  return packets.map((packet) => packet.type);
}
