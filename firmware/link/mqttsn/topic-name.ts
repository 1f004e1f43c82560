// SPDX-License-Identifier: MIT
// Names of topics as a node writes them: ferrule/<node id>/<suffix>.
//
// Spec: SPEC.md §2. To the writer; no state of its own.

import { USES_FINDINGS } from "../../generated/uses";
import { put, putRaw } from "../cbor";
import { node, NODE_ID, textAt } from "../node";
import { TEXT_ROOT, TEXT_TAP, TOPIC_BIRTH, TOPIC_TAP } from "../texts";
import { session } from "./session";

/** The octets of a fixed text. */
export function putPlain(text: i32): void {
  const at = textAt(text);
  putRaw(at + 1, load<u8>(at));
}

/** The full name of a topic; of a birth with the part that is next. */
export function putTopicName(topic: i32): void {
  putPlain(TEXT_ROOT);
  putRaw(NODE_ID, node.idBytes);
  put(0x2f, 1); // "/"
  putPlain(USES_FINDINGS && topic == TOPIC_TAP ? TEXT_TAP : topic);
  if (topic == TOPIC_BIRTH) putDigits(session.birthPart);
}

function putDigits(value: u32): void {
  if (value >= 10) putDigits(value / 10);
  put(0x30 + (value % 10), 1);
}
