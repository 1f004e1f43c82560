// SPDX-License-Identifier: MIT
// Notices of a line in the outbox: events that carry what was seen.
//
// Spec: SPEC.md §1.4 (kind 7), §3 (key e), §16. A slot of a node with notices has eight octets more. The
// channel of a notice is its tap, its alarm the number of the notice; quality and cause hold unit and code. State: `notices`.

import { USES_NOTICES, USES_POLLING } from "../generated/uses";
import { wide } from "../wide";
import {
  NOTICE_ADDRESS,
  NOTICE_BYTES,
  NOTICE_CODE,
  NOTICE_LAST,
  NOTICE_NO_UNIT,
  NOTICE_NUMBER,
  NOTICE_QUANTITY,
  NOTICE_SECOND_MASTER,
  NOTICE_TIMES,
  NOTICE_UNIT,
  NOTICE_VALUE,
} from "../wire/finding";
import { RECORD_VALUE, RECORD_VALUE_BYTES, TYPE_NONE } from "../wire/record";
import { LABEL_NOTICE } from "../wire/senml";
import { put, putArray, putInteger, putRaw, putTextHead, putUnsigned } from "./cbor";
import { node } from "./node";
import { FLAG_ACTIVE, FLAG_EVENT, FLAG_NOTICE, Slot, SLOT_NOTICE } from "./outbox";

// Behind a slot's other fields
const SLOT_ADDRESS: usize = SLOT_NOTICE; // u16
const SLOT_QUANTITY: usize = SLOT_NOTICE + 2; // u16
const SLOT_TIMES: usize = SLOT_NOTICE + 4; // u16

const ITEMS: u32 = 6; // of key e

/** Name of a tap: where it lies in the birth bytes. */
@unmanaged
class TapName {
  name: u16;
  nameBytes: u16;
}

namespace notices {
  export let taps: usize = 0; // names of all taps
  export let texts: usize = 0; // words of the notices, a length octet before each
}

/** Once at the start: where the generated tables lie. */
export function noticeInit(taps: usize, texts: usize): void {
  notices.taps = taps;
  notices.texts = texts;
}

/** True when the value of the record is one of a notice. */
export function isNoticeSound(record: usize): bool {
  const value = record + RECORD_VALUE;
  const number: i32 = load<u8>(value, NOTICE_NUMBER);
  return (
    load<u8>(record, RECORD_VALUE_BYTES) == NOTICE_BYTES &&
    number > 0 &&
    number <= (USES_POLLING ? NOTICE_SECOND_MASTER : NOTICE_LAST) &&
    load<u16>(value, NOTICE_TIMES) > 0
  );
}

/** Fills a slot whose channel is the tap. */
export function noticeToSlot(record: usize, entry: Slot): void {
  const value = record + RECORD_VALUE;
  entry.flags |= FLAG_EVENT | FLAG_ACTIVE | FLAG_NOTICE;
  entry.alarm = load<u8>(value, NOTICE_NUMBER);
  entry.quality = load<u8>(value, NOTICE_UNIT);
  entry.cause = load<u8>(value, NOTICE_CODE);
  entry.type = TYPE_NONE as u8;
  entry.value = load<u32>(value, NOTICE_VALUE);
  const at = changetype<usize>(entry);
  store<u16>(at, load<u16>(value, NOTICE_ADDRESS), SLOT_ADDRESS);
  store<u16>(at, load<u16>(value, NOTICE_QUANTITY), SLOT_QUANTITY);
  store<u16>(at, load<u16>(value, NOTICE_TIMES), SLOT_TIMES);
}

export function isNotice(entry: Slot): bool {
  return USES_NOTICES && (entry.flags & FLAG_NOTICE) != 0;
}

/** `<tap>/<notice>` */
export function putNoticeName(entry: Slot): void {
  const tap = changetype<TapName>(notices.taps + (entry.channel as usize) * offsetof<TapName>());
  let word = notices.texts;
  for (let number: u32 = entry.alarm; number > 1; number--) word += load<u8>(word) + 1;
  const wordBytes: u32 = load<u8>(word);
  putTextHead(tap.nameBytes + 1 + wordBytes);
  putRaw(node.birth + tap.name, tap.nameBytes);
  put(0x2f, 1); // "/"
  putRaw(word + 1, wordBytes);
}

/** Key e: `[unit, code, address, quantity, value, times]`, unit -1: none. */
export function putNoticeDetail(entry: Slot): void {
  const at = changetype<usize>(entry);
  putTextHead(1);
  put(LABEL_NOTICE, 1);
  putArray(ITEMS);
  putInteger(entry.quality == NOTICE_NO_UNIT ? -1 : (entry.quality as wide));
  putUnsigned(entry.cause);
  putUnsigned(load<u16>(at, SLOT_ADDRESS));
  putUnsigned(load<u16>(at, SLOT_QUANTITY));
  putUnsigned(entry.value);
  putUnsigned(load<u16>(at, SLOT_TIMES));
}
