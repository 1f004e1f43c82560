// SPDX-License-Identifier: MIT
// The birth: who the node is and what it measures, in parts of one datagram.
//
// Spec: SPEC.md §5. Channels, outputs and taps were encoded by the generator, which also cut the parts;
// boot number, hashes and identity are only known here, and stand in front of them.

import {
  BIRTH_BOOT,
  BIRTH_COUNT,
  BIRTH_IDENTITY,
  BIRTH_INDEX,
  IDENTITY_CHANNEL_COUNT,
  IDENTITY_EUI64,
  IDENTITY_HOST,
  IDENTITY_LINK_HASH,
  IDENTITY_LOOP_HASH,
  IDENTITY_PERIOD_US,
  IDENTITY_TYPE,
  IDENTITY_VERSION,
} from "../wire/senml";
import { putBytes, putMap, putRaw, putTextHead, putUnsigned } from "./cbor";
import {
  birthPartAt,
  EUI64,
  EUI64_BYTES,
  HASH_BYTES,
  HOST,
  LINK_HASH,
  LOOP_HASH,
  node,
} from "./node";

const RUNTIME_PAIRS: u32 = 3; // boot, index, count
const IDENTITY_PAIRS: u32 = 8;

/** Writes one part to the writer. */
export function encodeBirth(part: i32): void {
  const entry = birthPartAt(part);
  putMap(RUNTIME_PAIRS + (part == 0 ? 1 : 0) + entry.pairs);
  putPair(BIRTH_BOOT, node.boot);
  putPair(BIRTH_INDEX, part);
  putPair(BIRTH_COUNT, node.birthPartCount);
  if (part == 0) encodeIdentity();
  putRaw(node.birth + entry.start, entry.bytes);
}

function encodeIdentity(): void {
  putUnsigned(BIRTH_IDENTITY);
  putMap(IDENTITY_PAIRS);
  putUnsigned(IDENTITY_TYPE);
  putRaw(node.birth, node.typeBytes);
  putUnsigned(IDENTITY_EUI64);
  putBytes(EUI64, EUI64_BYTES);
  putUnsigned(IDENTITY_LOOP_HASH);
  putBytes(LOOP_HASH, HASH_BYTES);
  putUnsigned(IDENTITY_LINK_HASH);
  putBytes(LINK_HASH, HASH_BYTES);
  putUnsigned(IDENTITY_VERSION);
  putRaw(node.birth + node.typeBytes, node.versionBytes);
  putUnsigned(IDENTITY_HOST);
  putTextHead(node.hostBytes);
  putRaw(HOST, node.hostBytes);
  putPair(IDENTITY_PERIOD_US, node.periodUs);
  putPair(IDENTITY_CHANNEL_COUNT, node.channelCount);
}

function putPair(key: u32, value: u32): void {
  putUnsigned(key);
  putUnsigned(value);
}
