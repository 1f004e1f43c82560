// SPDX-License-Identifier: MIT
// MQTT-SN packets: typed values to octets.
//
// Spec: MQTT-SN 1.2 §5.2 to §5.5. The size first, then the octets, then both compared. Length takes its
// shortest form: one octet up to 255, else three. A value out of its range is a programmer's error.

import * as wire from "../firmware/wire/mqttsn.ts";
import type { Packet, Qos, Topic, TopicIdType } from "./packet.ts";

const MSG_TYPES: Record<Packet["type"], number> = {
  ADVERTISE: wire.ADVERTISE,
  SEARCHGW: wire.SEARCHGW,
  GWINFO: wire.GWINFO,
  CONNECT: wire.CONNECT,
  CONNACK: wire.CONNACK,
  WILLTOPICREQ: wire.WILLTOPICREQ,
  WILLTOPIC: wire.WILLTOPIC,
  WILLMSGREQ: wire.WILLMSGREQ,
  WILLMSG: wire.WILLMSG,
  REGISTER: wire.REGISTER,
  REGACK: wire.REGACK,
  PUBLISH: wire.PUBLISH,
  PUBACK: wire.PUBACK,
  PUBCOMP: wire.PUBCOMP,
  PUBREC: wire.PUBREC,
  PUBREL: wire.PUBREL,
  SUBSCRIBE: wire.SUBSCRIBE,
  SUBACK: wire.SUBACK,
  UNSUBSCRIBE: wire.UNSUBSCRIBE,
  UNSUBACK: wire.UNSUBACK,
  PINGREQ: wire.PINGREQ,
  PINGRESP: wire.PINGRESP,
  DISCONNECT: wire.DISCONNECT,
  WILLTOPICUPD: wire.WILLTOPICUPD,
  WILLTOPICRESP: wire.WILLTOPICRESP,
  WILLMSGUPD: wire.WILLMSGUPD,
  WILLMSGRESP: wire.WILLMSGRESP,
  FORWARDER: wire.FORWARDER,
};

const TOPIC_ID_TYPE_BITS: Record<TopicIdType, number> = {
  normal: wire.TOPIC_ID_TYPE_NORMAL,
  predefined: wire.TOPIC_ID_TYPE_PREDEFINED,
  short: wire.TOPIC_ID_TYPE_SHORT,
  reserved: 3,
};

const LENGTH_SHORT_MAX = 255;

/** How many octets a packet takes. */
export function encodedBytes(packet: Packet): number {
  if (packet.type === "FORWARDER") return 3 + packet.wirelessNodeId.length + packet.message.length;
  const body = bodyBytes(packet);
  return body + 2 <= LENGTH_SHORT_MAX ? body + 2 : body + 4;
}

/** A packet in octets of its own. */
export function encode(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(encodedBytes(packet));
  encodeInto(packet, bytes);
  return bytes;
}

/** Writes a packet to the start of `into`, which has room for it; how many octets. */
export function encodeInto(packet: Packet, into: Uint8Array): number {
  const bytes = encodedBytes(packet);
  if (into.length < bytes) throw new RangeError(`${packet.type}: ${bytes} octets do not fit`);
  let at = 0;
  if (packet.type === "FORWARDER") {
    into[at++] = 3 + packet.wirelessNodeId.length;
  } else if (bytes <= LENGTH_SHORT_MAX) {
    into[at++] = bytes;
  } else {
    into[at++] = 1;
    at = putWord(into, at, bytes);
  }
  into[at++] = MSG_TYPES[packet.type];
  at = putBody(packet, into, at);
  if (at !== bytes) throw new Error(`${packet.type}: sized ${bytes} octets, wrote ${at}`);
  return bytes;
}

function topicBytes(topic: Topic): number {
  return topic.topicIdType === "normal" ? topic.topicName.length : 2;
}

// A table of types.
function bodyBytes(packet: Exclude<Packet, { type: "FORWARDER" }>): number {
  switch (packet.type) {
    case "ADVERTISE":
      return 3;
    case "GWINFO":
      return 1 + packet.gwAdd.length;
    case "CONNECT":
      return 4 + packet.clientId.length;
    case "SEARCHGW":
    case "CONNACK":
    case "WILLTOPICRESP":
    case "WILLMSGRESP":
      return 1;
    case "WILLTOPIC":
    case "WILLTOPICUPD":
      return packet.will === undefined ? 0 : 1 + packet.will.topic.length;
    case "WILLMSG":
    case "WILLMSGUPD":
      return packet.willMsg.length;
    case "REGISTER":
      return 4 + packet.topicName.length;
    case "REGACK":
    case "PUBACK":
      return 5;
    case "PUBLISH":
      return 5 + packet.data.length;
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      return 3 + topicBytes(packet);
    case "SUBACK":
      return 6;
    case "PUBCOMP":
    case "PUBREC":
    case "PUBREL":
    case "UNSUBACK":
      return 2;
    case "PINGREQ":
      return packet.clientId.length;
    case "DISCONNECT":
      return packet.duration === undefined ? 0 : 2;
    default:
      return 0;
  }
}

function putWord(into: Uint8Array, at: number, value: number): number {
  if (value < 0 || value > 0xffff) throw new RangeError(`${value} does not fit in two octets`);
  into[at] = value >> 8;
  into[at + 1] = value & 0xff;
  return at + 2;
}

function putBytes(into: Uint8Array, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

function putTopic(topic: Topic, into: Uint8Array, at: number): number {
  if (topic.topicIdType === "normal") return putBytes(into, at, topic.topicName);
  return putWord(into, at, topic.topicId);
}

function qosBits(qos: Qos): number {
  return (qos === -1 ? wire.QOS_MINUS_ONE : qos) << wire.FLAG_QOS_SHIFT;
}

function flags(packet: Packet): number {
  switch (packet.type) {
    case "CONNECT":
      return (
        (packet.will ? wire.FLAG_WILL : 0) | (packet.cleanSession ? wire.FLAG_CLEAN_SESSION : 0)
      );
    case "PUBLISH":
      return (
        (packet.dup ? wire.FLAG_DUP : 0) |
        qosBits(packet.qos) |
        (packet.retain ? wire.FLAG_RETAIN : 0) |
        TOPIC_ID_TYPE_BITS[packet.topicIdType]
      );
    case "SUBSCRIBE":
      return qosBits(packet.qos) | TOPIC_ID_TYPE_BITS[packet.topicIdType];
    case "UNSUBSCRIBE":
      return TOPIC_ID_TYPE_BITS[packet.topicIdType];
    case "SUBACK":
      return qosBits(packet.qos);
    case "WILLTOPIC":
    case "WILLTOPICUPD":
      return packet.will === undefined
        ? 0
        : qosBits(packet.will.qos) | (packet.will.retain ? wire.FLAG_RETAIN : 0);
    default:
      return 0;
  }
}

// A table of types; returns the offset behind the body.
function putBody(packet: Packet, into: Uint8Array, at: number): number {
  switch (packet.type) {
    case "PUBLISH":
      into[at] = flags(packet);
      putWord(into, at + 1, packet.topicId);
      putWord(into, at + 3, packet.msgId);
      return putBytes(into, at + 5, packet.data);
    case "PUBACK":
    case "REGACK":
      putWord(into, at, packet.topicId);
      putWord(into, at + 2, packet.msgId);
      into[at + 4] = packet.returnCode;
      return at + 5;
    case "REGISTER":
      putWord(into, at, packet.topicId);
      putWord(into, at + 2, packet.msgId);
      return putBytes(into, at + 4, packet.topicName);
    case "CONNECT":
      into[at] = flags(packet);
      into[at + 1] = packet.protocolId;
      putWord(into, at + 2, packet.duration);
      return putBytes(into, at + 4, packet.clientId);
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
      into[at] = flags(packet);
      putWord(into, at + 1, packet.msgId);
      return putTopic(packet, into, at + 3);
    case "SUBACK":
      into[at] = flags(packet);
      putWord(into, at + 1, packet.topicId);
      putWord(into, at + 3, packet.msgId);
      into[at + 5] = packet.returnCode;
      return at + 6;
    case "WILLTOPIC":
    case "WILLTOPICUPD":
      if (packet.will === undefined) return at;
      into[at] = flags(packet);
      return putBytes(into, at + 1, packet.will.topic);
    default:
      return putSimple(packet, into, at);
  }
}

// Types with one field or none, and what only gateways and forwarders send.
function putSimple(packet: Packet, into: Uint8Array, at: number): number {
  switch (packet.type) {
    case "ADVERTISE":
      into[at] = packet.gwId;
      return putWord(into, at + 1, packet.duration);
    case "SEARCHGW":
      into[at] = packet.radius;
      return at + 1;
    case "GWINFO":
      into[at] = packet.gwId;
      return putBytes(into, at + 1, packet.gwAdd);
    case "CONNACK":
    case "WILLTOPICRESP":
    case "WILLMSGRESP":
      into[at] = packet.returnCode;
      return at + 1;
    case "WILLMSG":
    case "WILLMSGUPD":
      return putBytes(into, at, packet.willMsg);
    case "PUBCOMP":
    case "PUBREC":
    case "PUBREL":
    case "UNSUBACK":
      return putWord(into, at, packet.msgId);
    case "PINGREQ":
      return putBytes(into, at, packet.clientId);
    case "DISCONNECT":
      return packet.duration === undefined ? at : putWord(into, at, packet.duration);
    case "FORWARDER":
      into[at] = packet.radius;
      return putBytes(into, putBytes(into, at + 1, packet.wirelessNodeId), packet.message);
    default:
      return at;
  }
}
