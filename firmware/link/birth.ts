// SPDX-License-Identifier: MIT
// The birth: who the node is and what it measures, in parts of one datagram.
//
// Spec: SPEC.md §5. Identity, channels, outputs and taps were encoded by the generator, which also cut the parts;
// boot number and the host's name are only known here.

import { BIRTH_BOOT, BIRTH_COUNT, BIRTH_INDEX } from "../wire/senml";
import { putMap, putRaw, putTextHead, putUnsigned } from "./cbor";
import { birthPartAt, HOST, node } from "./node";

const RUNTIME_PAIRS: u32 = 3; // boot, index, count

/** Writes one part to the writer. */
export function encodeBirth(part: i32): void {
  const entry = birthPartAt(part);
  putMap(RUNTIME_PAIRS + (part == 0 ? 1 : 0) + entry.pairs);
  putPair(BIRTH_BOOT, node.boot);
  putPair(BIRTH_INDEX, part);
  putPair(BIRTH_COUNT, node.birthPartCount);
  if (part == 0) {
    putRaw(node.identity, node.identityBytes);
    putTextHead(node.hostBytes);
    putRaw(HOST, node.hostBytes);
  }
  putRaw(node.birth + entry.start, entry.bytes);
}

function putPair(key: u32, value: u32): void {
  putUnsigned(key);
  putUnsigned(value);
}
