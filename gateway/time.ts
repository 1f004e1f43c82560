// SPDX-License-Identifier: MIT
// Wall time for nodes: a question by topic, answered here and never forwarded.
//
// Spec: SPEC.md §2. `ferrule/<node>/time/get` carries a CBOR unsigned integer, the token;
// `ferrule/<node>/time` carries [token, milliseconds since 1970]. Heads are the shortest (RFC 8949 §4.2.1).

import { TOPIC_ROOT, TOPIC_TIME, TOPIC_TIME_GET } from "../firmware/wire/topics.ts";

const PREFIX = `${TOPIC_ROOT}/`;
const SUFFIX = `/${TOPIC_TIME_GET}`;
const ARRAY_OF_TWO = 0x82;
const HEAD_BYTES_MAX = 9;

/** The topic of the answer when `topic` asks for the time, else undefined. */
export function timeAnswerTopic(topic: string): string | undefined {
  if (!topic.endsWith(SUFFIX) || !topic.startsWith(PREFIX)) return undefined;
  const node = topic.slice(PREFIX.length, -SUFFIX.length);
  if (node.length === 0 || node.includes("/")) return undefined;
  return `${PREFIX}${node}/${TOPIC_TIME}`;
}

/** The answer to a question, or undefined when the question is no token. */
export function encodeTimeAnswer(question: Uint8Array, wallMs: number): Uint8Array | undefined {
  if (!isToken(question)) return undefined;
  const bytes = new Uint8Array(1 + question.length + HEAD_BYTES_MAX);
  bytes[0] = ARRAY_OF_TWO;
  bytes.set(question, 1);
  const at = 1 + question.length;
  return bytes.subarray(0, at + putUnsigned(bytes, at, Math.max(0, Math.floor(wallMs))));
}

// One unsigned integer in its shortest form and nothing behind it.
function isToken(bytes: Uint8Array): boolean {
  const head = bytes[0] ?? 0xff;
  if (head < 24) return bytes.length === 1;
  if (head > 27) return false;
  const argumentBytes = 1 << (head - 24);
  if (bytes.length !== 1 + argumentBytes) return false;
  if (argumentBytes === 1) return bytes[1]! >= 24;
  // The upper half of a longer argument is not all zero, else a shorter head would do.
  return bytes.subarray(1, 1 + argumentBytes / 2).some((octet) => octet !== 0);
}

// CBOR major type 0; returns how many octets.
function putUnsigned(bytes: Uint8Array, at: number, value: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (value < 24) {
    view.setUint8(at, value);
    return 1;
  }
  if (value <= 0xff) {
    view.setUint16(at, 0x1800 | value);
    return 2;
  }
  if (value <= 0xffff) {
    view.setUint8(at, 25);
    view.setUint16(at + 1, value);
    return 3;
  }
  if (value <= 0xffff_ffff) {
    view.setUint8(at, 26);
    view.setUint32(at + 1, value);
    return 5;
  }
  view.setUint8(at, 27);
  view.setBigUint64(at + 1, BigInt(value));
  return HEAD_BYTES_MAX;
}
