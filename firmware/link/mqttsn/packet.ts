// SPDX-License-Identifier: MIT
// MQTT-SN packets: decode what a gateway sends, frame what the node sends.
//
// Spec: MQTT-SN 1.2 §5.2, §5.4. Both Length forms are read, the shortest is written; Length must equal
// the datagram. Integers are big-endian. State: `packet`, the last one decoded.
// A packet is built in PACKET_BYTES: `01 | Length u16 | MsgType | body` or, two octets later,
// `Length u8 | MsgType | body`, so the body always starts at the same place.

import { DATAGRAM_BYTES_MAX } from "../../limits";
import {
  CONNACK,
  DISCONNECT,
  PUBACK,
  PUBLISH,
  REGACK,
  REGISTER,
  SUBACK,
  WILLMSGRESP,
} from "../../wire/mqttsn";
import { put, writer, writerStart } from "../cbor";

export namespace packet {
  export let type: i32 = 0;
  export let flags: u32 = 0;
  export let topicId: u32 = 0;
  export let msgId: u32 = 0;
  export let returnCode: u32 = 0;
  export let data: usize = 0; // PUBLISH: payload; REGISTER: name; others: the whole body
  export let dataBytes: u32 = 0;
}

const HEADER_BYTES: u32 = 4;
export const BODY: usize = 4; // offset of the body in a packet buffer
export const PACKET_BYTES = 512;
const SHORT_BYTES_MAX: u32 = 255;

// Least octets of the body of each type; EXACT: not one more; RESERVED: no such type. §5.4
const EXACT: u32 = 0x80;
const RESERVED: u32 = 0x7f;
const BODY_RULES: usize = memory.data<u8>([
  0x83, 0x81, 0x01, 0x7f, 0x05, 0x81, 0x80, 0x00, 0x80, 0x00, 0x05, 0x85, 0x05, 0x85, 0x82, 0x82,
  0x82, 0x7f, 0x04, 0x86, 0x04, 0x82, 0x00, 0x80, 0x00, 0x7f, 0x00, 0x81, 0x00, 0x81,
]);

function load16(at: usize): u32 {
  return ((load<u8>(at) as u32) << 8) | load<u8>(at, 1);
}

/** Decodes one datagram into `packet`; false: malformed. */
export function decodePacket(at: usize, bytes: u32): bool {
  if (bytes < 2) return false;
  let length: u32 = load<u8>(at);
  let header: u32 = 2;
  if (length == 1) {
    if (bytes < HEADER_BYTES) return false;
    length = load16(at + 1);
    header = HEADER_BYTES;
  }
  if (length != bytes) return false;
  const type: i32 = load<u8>(at + header - 1);
  if (type > WILLMSGRESP) return false;
  const rule: u32 = load<u8>(BODY_RULES + type);
  const bodyBytes = bytes - header;
  if (bodyBytes < (rule & RESERVED)) return false;
  if (rule & EXACT && bodyBytes != (rule & RESERVED)) return false;
  if (type == DISCONNECT && bodyBytes != 0 && bodyBytes != 2) return false;
  packet.type = type;
  packet.data = at + header;
  packet.dataBytes = bodyBytes;
  decodeFields(type, at + header);
  return rule != RESERVED;
}

function decodeFields(type: i32, body: usize): void {
  if (type == CONNACK) packet.returnCode = load<u8>(body);
  const flagged = type == PUBLISH || type == SUBACK;
  if (!flagged && type != REGISTER && type != REGACK && type != PUBACK) return;
  if (flagged) packet.flags = load<u8>(body++);
  packet.topicId = load16(body);
  packet.msgId = load16(body + 2);
  if (type == PUBLISH || type == REGISTER) {
    packet.dataBytes -= (body + 4 - packet.data) as u32;
    packet.data = body + 4;
  } else {
    packet.returnCode = load<u8>(body + 4);
  }
}

/** Starts a packet in a buffer of PACKET_BYTES; the caller writes the body with the writer. */
export function packetStart(buffer: usize, type: i32): void {
  store<u8>(buffer + HEADER_BYTES - 1, type);
  writerStart(buffer + HEADER_BYTES, buffer + DATAGRAM_BYTES_MAX);
}

/** Closes a packet and returns where it starts; it ends at writer.at. */
export function packetFinish(buffer: usize): usize {
  assert(!writer.failed);
  const end = writer.at;
  const shortBytes = (end - buffer - 2) as u32;
  const isShort = shortBytes <= SHORT_BYTES_MAX;
  writerStart(isShort ? buffer + 2 : buffer, end);
  if (isShort) {
    put(shortBytes, 1);
  } else {
    put(1, 1);
    put(shortBytes + 2, 2);
  }
  writer.at = end;
  return isShort ? buffer + 2 : buffer;
}
