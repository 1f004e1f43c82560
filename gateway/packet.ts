// SPDX-License-Identifier: MIT
// MQTT-SN packets as typed values, and octets to such a value.
//
// Spec: MQTT-SN 1.2 §5.2 to §5.5. One datagram is one packet: octets missing or left over refuse it.
// Decoding copies nothing: names and data are views into the datagram. Errors are names, never thrown.
// Flag bits that a type does not use are ignored. encode.ts is the way back.
//
//   Length[1] MsgType[1] body            Length 2..255
//   01 Length[2] MsgType[1] body         Length 4..65535

import * as wire from "../firmware/wire/mqttsn.ts";

export type Qos = -1 | 0 | 1 | 2;
export type TopicIdType = "normal" | "predefined" | "short" | "reserved";

export interface Publish {
  type: "PUBLISH";
  dup: boolean;
  qos: Qos;
  retain: boolean;
  topicIdType: TopicIdType;
  topicId: number; // short: the two octets of the name
  msgId: number;
  data: Uint8Array;
}

/** A full name at type normal, else the id. */
export type Topic =
  | { topicIdType: "normal"; topicName: Uint8Array }
  | { topicIdType: "predefined" | "short" | "reserved"; topicId: number };

export type Subscribe = { type: "SUBSCRIBE"; qos: Qos; msgId: number } & Topic;
export type Unsubscribe = { type: "UNSUBSCRIBE"; msgId: number } & Topic;

export interface Connect {
  type: "CONNECT";
  will: boolean;
  cleanSession: boolean;
  protocolId: number;
  duration: number; // seconds
  clientId: Uint8Array;
}

/** Without willTopic it deletes the will. */
export interface WillTopic {
  type: "WILLTOPIC" | "WILLTOPICUPD";
  will?: { qos: Qos; retain: boolean; topic: Uint8Array };
}

export interface TopicAnswer {
  type: "REGACK" | "PUBACK";
  topicId: number;
  msgId: number;
  returnCode: number;
}

export type Packet =
  | { type: "ADVERTISE"; gwId: number; duration: number }
  | { type: "SEARCHGW"; radius: number }
  | { type: "GWINFO"; gwId: number; gwAdd: Uint8Array }
  | Connect
  | { type: "CONNACK" | "WILLTOPICRESP" | "WILLMSGRESP"; returnCode: number }
  | { type: "WILLTOPICREQ" | "WILLMSGREQ" | "PINGRESP" }
  | WillTopic
  | { type: "WILLMSG" | "WILLMSGUPD"; willMsg: Uint8Array }
  | { type: "REGISTER"; topicId: number; msgId: number; topicName: Uint8Array }
  | TopicAnswer
  | Publish
  | { type: "PUBCOMP" | "PUBREC" | "PUBREL" | "UNSUBACK"; msgId: number }
  | Subscribe
  | { type: "SUBACK"; qos: Qos; topicId: number; msgId: number; returnCode: number }
  | Unsubscribe
  | { type: "PINGREQ"; clientId: Uint8Array }
  | { type: "DISCONNECT"; duration?: number }
  | { type: "FORWARDER"; radius: number; wirelessNodeId: Uint8Array; message: Uint8Array };

/** Why octets are no packet. */
export type PacketError = "bad-length" | "wrong-length" | "wrong-body" | "reserved-type";

const TOPIC_ID_TYPES: readonly TopicIdType[] = ["normal", "predefined", "short", "reserved"];

/** One datagram as a packet, or the name of what is wrong. Views into `bytes`, nothing copied. */
export function decode(bytes: Uint8Array): Packet | PacketError {
  const first = bytes[0] ?? 0;
  const long = first === 1;
  const length = long ? word(bytes, 1) : first;
  if (length < (long ? 4 : 2) || (long && bytes.length < 4)) return "bad-length";
  if (bytes[1] === wire.FORWARDER && !long) return decodeForwarder(bytes, length);
  if (length !== bytes.length) return "wrong-length";
  const head = long ? 4 : 2;
  return decodeBody(bytes[head - 1]!, bytes, head);
}

function word(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

// §5.5: Length covers only the part up to the wireless node id; the message follows.
function decodeForwarder(bytes: Uint8Array, length: number): Packet | PacketError {
  if (length < 3) return "bad-length";
  if (bytes.length < length + 2) return "wrong-length";
  return {
    type: "FORWARDER",
    radius: bytes[2]! & 3,
    wirelessNodeId: bytes.subarray(3, length),
    message: bytes.subarray(length),
  };
}

// A table of types; `at` is the offset of the body.
function decodeBody(msgType: number, bytes: Uint8Array, at: number): Packet | PacketError {
  const size = bytes.length - at;
  switch (msgType) {
    case wire.PUBLISH:
      return size < 5 ? "wrong-body" : decodePublish(bytes, at);
    case wire.PUBACK:
      return size !== 5 ? "wrong-body" : decodeTopicAnswer("PUBACK", bytes, at);
    case wire.REGACK:
      return size !== 5 ? "wrong-body" : decodeTopicAnswer("REGACK", bytes, at);
    case wire.PINGREQ:
      return { type: "PINGREQ", clientId: bytes.subarray(at) };
    case wire.REGISTER:
      return size < 4 ? "wrong-body" : decodeRegister(bytes, at);
    case wire.CONNECT:
      return size < 4 ? "wrong-body" : decodeConnect(bytes, at);
    case wire.SUBSCRIBE:
      return decodeSubscribe(bytes, at);
    case wire.UNSUBSCRIBE:
      return decodeUnsubscribe(bytes, at);
    case wire.SUBACK:
      return size !== 6 ? "wrong-body" : decodeSuback(bytes, at);
    case wire.DISCONNECT:
      if (size === 0) return { type: "DISCONNECT" };
      return size !== 2 ? "wrong-body" : { type: "DISCONNECT", duration: word(bytes, at) };
    case wire.ADVERTISE:
      if (size !== 3) return "wrong-body";
      return { type: "ADVERTISE", gwId: bytes[at]!, duration: word(bytes, at + 1) };
    case wire.SEARCHGW:
      return size !== 1 ? "wrong-body" : { type: "SEARCHGW", radius: bytes[at]! };
    case wire.GWINFO:
      if (size < 1) return "wrong-body";
      return { type: "GWINFO", gwId: bytes[at]!, gwAdd: bytes.subarray(at + 1) };
    default:
      return decodeSimple(msgType, bytes, at);
  }
}

// Types with one field or none, and the will.
function decodeSimple(msgType: number, bytes: Uint8Array, at: number): Packet | PacketError {
  switch (msgType) {
    case wire.WILLTOPIC:
      return decodeWillTopic("WILLTOPIC", bytes, at);
    case wire.WILLTOPICUPD:
      return decodeWillTopic("WILLTOPICUPD", bytes, at);
    case wire.WILLMSG:
      return { type: "WILLMSG", willMsg: bytes.subarray(at) };
    case wire.WILLMSGUPD:
      return { type: "WILLMSGUPD", willMsg: bytes.subarray(at) };
    case wire.CONNACK:
      return decodeReturnCode("CONNACK", bytes, at);
    case wire.WILLTOPICRESP:
      return decodeReturnCode("WILLTOPICRESP", bytes, at);
    case wire.WILLMSGRESP:
      return decodeReturnCode("WILLMSGRESP", bytes, at);
    case wire.PUBCOMP:
      return decodeMsgId("PUBCOMP", bytes, at);
    case wire.PUBREC:
      return decodeMsgId("PUBREC", bytes, at);
    case wire.PUBREL:
      return decodeMsgId("PUBREL", bytes, at);
    case wire.UNSUBACK:
      return decodeMsgId("UNSUBACK", bytes, at);
    case wire.WILLTOPICREQ:
      return bytes.length !== at ? "wrong-body" : { type: "WILLTOPICREQ" };
    case wire.WILLMSGREQ:
      return bytes.length !== at ? "wrong-body" : { type: "WILLMSGREQ" };
    case wire.PINGRESP:
      return bytes.length !== at ? "wrong-body" : { type: "PINGRESP" };
    default:
      return "reserved-type";
  }
}

function flagQos(flags: number): Qos {
  const qos = (flags & wire.FLAG_QOS_MASK) >> wire.FLAG_QOS_SHIFT;
  return qos === wire.QOS_MINUS_ONE ? -1 : (qos as Qos);
}

function flagTopicIdType(flags: number): TopicIdType {
  return TOPIC_ID_TYPES[flags & wire.FLAG_TOPIC_ID_TYPE_MASK]!;
}

function decodePublish(bytes: Uint8Array, at: number): Publish {
  const flags = bytes[at]!;
  return {
    type: "PUBLISH",
    dup: (flags & wire.FLAG_DUP) !== 0,
    qos: flagQos(flags),
    retain: (flags & wire.FLAG_RETAIN) !== 0,
    topicIdType: flagTopicIdType(flags),
    topicId: word(bytes, at + 1),
    msgId: word(bytes, at + 3),
    data: bytes.subarray(at + 5),
  };
}

function decodeTopicAnswer(type: "REGACK" | "PUBACK", bytes: Uint8Array, at: number): Packet {
  return {
    type,
    topicId: word(bytes, at),
    msgId: word(bytes, at + 2),
    returnCode: bytes[at + 4]!,
  };
}

function decodeRegister(bytes: Uint8Array, at: number): Packet {
  return {
    type: "REGISTER",
    topicId: word(bytes, at),
    msgId: word(bytes, at + 2),
    topicName: bytes.subarray(at + 4),
  };
}

function decodeConnect(bytes: Uint8Array, at: number): Packet {
  const flags = bytes[at]!;
  return {
    type: "CONNECT",
    will: (flags & wire.FLAG_WILL) !== 0,
    cleanSession: (flags & wire.FLAG_CLEAN_SESSION) !== 0,
    protocolId: bytes[at + 1]!,
    duration: word(bytes, at + 2),
    clientId: bytes.subarray(at + 4),
  };
}

function decodeTopic(flags: number, bytes: Uint8Array, at: number): Topic | PacketError {
  const topicIdType = flagTopicIdType(flags);
  if (topicIdType === "normal") return { topicIdType, topicName: bytes.subarray(at) };
  return bytes.length - at !== 2 ? "wrong-body" : { topicIdType, topicId: word(bytes, at) };
}

function decodeSubscribe(bytes: Uint8Array, at: number): Packet | PacketError {
  if (bytes.length - at < 3) return "wrong-body";
  const topic = decodeTopic(bytes[at]!, bytes, at + 3);
  if (typeof topic === "string") return topic;
  return { type: "SUBSCRIBE", qos: flagQos(bytes[at]!), msgId: word(bytes, at + 1), ...topic };
}

function decodeUnsubscribe(bytes: Uint8Array, at: number): Packet | PacketError {
  if (bytes.length - at < 3) return "wrong-body";
  const topic = decodeTopic(bytes[at]!, bytes, at + 3);
  if (typeof topic === "string") return topic;
  return { type: "UNSUBSCRIBE", msgId: word(bytes, at + 1), ...topic };
}

function decodeSuback(bytes: Uint8Array, at: number): Packet {
  return {
    type: "SUBACK",
    qos: flagQos(bytes[at]!),
    topicId: word(bytes, at + 1),
    msgId: word(bytes, at + 3),
    returnCode: bytes[at + 5]!,
  };
}

// Flags and a topic, or nothing at all; flags alone are malformed.
function decodeWillTopic(
  type: WillTopic["type"],
  bytes: Uint8Array,
  at: number,
): Packet | PacketError {
  if (bytes.length === at) return { type };
  if (bytes.length - at < 2) return "wrong-body";
  const flags = bytes[at]!;
  const retain = (flags & wire.FLAG_RETAIN) !== 0;
  return { type, will: { qos: flagQos(flags), retain, topic: bytes.subarray(at + 1) } };
}

function decodeReturnCode(
  type: "CONNACK" | "WILLTOPICRESP" | "WILLMSGRESP",
  bytes: Uint8Array,
  at: number,
): Packet | PacketError {
  return bytes.length - at !== 1 ? "wrong-body" : { type, returnCode: bytes[at]! };
}

function decodeMsgId(
  type: "PUBCOMP" | "PUBREC" | "PUBREL" | "UNSUBACK",
  bytes: Uint8Array,
  at: number,
): Packet | PacketError {
  return bytes.length - at !== 2 ? "wrong-body" : { type, msgId: word(bytes, at) };
}
