// SPDX-License-Identifier: MIT
// Toledo Continuous heard passively: weight and tare, which a scale says unasked.
//
// Spec: IND445 technical manual, "continuous output"; by the book: traces are generated, not heard on a device.
// A line whose check was ever right is believed with a right check only. Where none was, a message must be
// followed by silence or by the next STX, and readings are told from the third such in a row on.
//
//   02 SWA SWB SWC weight x 6 tare x 6 0D [CHK]   CHK: the sum of all, in 7 bits, is 0
//   SWA bits 0..2: decimals + 2   SWB: 0 net, 1 negative, 2 out of range, 3 motion, 4 kg

import { TAP_EVENT_READING, TAP_EVENT_TEXT, TapEvent, UNIT_NONE } from "./event";
import {
  Exchange,
  fillEvent,
  headOf,
  MORE_OCTETS,
  NO_FRAME,
  stepFrame,
  STEPS_MAX,
  takeOutcome,
} from "./exchange";
import { UNIT_KILOGRAM, UNIT_OTHER } from "./object";

const STX: i32 = 2;
const CR: i32 = 13;
const BODY = 17; // with CR
const FIELD = 6;
const MODE_CHECKED = 1;
const STREAK_MIN: i32 = 3; // messages without a check before one is told
const OUT_OF_RANGE = 4; // of SWB
const EXPANDED = 16; // of SWC: the field has another scale

/**
 * The next reading, named "weight" or "tare"; `code` is SWB. What is out of range, expanded or blank is a text.
 * False: none until the next octet.
 */
export function takeToledo(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (tap.key > 0) return tellField(tap, event);
    takeOutcome(tap, event); // there is none: the message that was told goes
    const length = messageLength(tap);
    if (!stepFrame(tap, length)) return false;
    if (length > BODY) tap.mode = MODE_CHECKED;
    if (length > 0) tap.key = length > BODY || ++tap.streak >= STREAK_MIN ? 2 : 0;
  }
  return false;
}

function messageLength(tap: Exchange): i32 {
  const at = headOf(tap);
  const fill = tap.fill;
  for (let i = tap.seen; i < min(fill, BODY); i++)
    if (!isPlaced(i, load<u8>(at + i))) return NO_FRAME;
  tap.seen = min(fill, BODY);
  if (fill < BODY) return MORE_OCTETS;
  const isChecked = tap.mode == MODE_CHECKED;
  if (fill == BODY) return !isChecked && tap.stale >= BODY ? BODY : MORE_OCTETS;
  let sum: i32 = 0;
  for (let i = 0; i < BODY; i++) sum -= load<u8>(at + i);
  const next: i32 = load<u8>(at + BODY);
  if (next != (sum & 127)) return isChecked || next != STX ? NO_FRAME : BODY;
  if (isChecked || next != STX) return BODY + 1;
  // A check that looks like the next STX: the octet behind it tells.
  if (fill == BODY + 1) return tap.stale > BODY ? BODY + 1 : MORE_OCTETS;
  return load<u8>(at + BODY + 1) == STX ? BODY + 1 : BODY;
}

function isPlaced(index: i32, octet: i32): bool {
  if (index == 0) return octet == STX;
  if (index == 1) return (octet & 0xe0) == 0x20;
  if (index < 4) return (octet & 0xa0) == 0x20;
  if (index == BODY - 1) return octet == CR;
  return octet == 0x20 || (octet >= 0x30 && octet <= 0x39);
}

function tellField(tap: Exchange, event: TapEvent): bool {
  const at = headOf(tap);
  const isTare = --tap.key == 0;
  const field = at + 4 + (isTare ? FIELD : 0);
  const swb: i32 = load<u8>(at, 2);
  const swc: i32 = load<u8>(at, 3);
  fillEvent(event, TAP_EVENT_READING, UNIT_NONE, swb);
  event.values = field;
  event.bytes = FIELD;
  event.name = isTare ? tareName() : weightName();
  event.nameBytes = isTare ? 4 : 6;
  event.unitCode = (swb & 16) != 0 && (swc & 7) == 0 ? UNIT_KILOGRAM : UNIT_OTHER;
  event.decimals = ((<i32>load<u8>(at, 1)) & 7) - 2;
  const digits = fieldDigits(field);
  const isBeyond = !isTare && (swb & OUT_OF_RANGE) != 0;
  if (digits < 0 || isBeyond || (swc & EXPANDED) != 0) event.kind = TAP_EVENT_TEXT;
  else event.digits = !isTare && (swb & 2) != 0 ? -digits : digits;
  return true;
}

// Blanks stand before digits only; -1: it is no number.
function fieldDigits(at: usize): i64 {
  let value: i64 = -1;
  for (let i = 0; i < FIELD; i++) {
    const octet: i32 = load<u8>(at + i);
    if (octet == 0x20 && value >= 0) return -1;
    if (octet != 0x20) value = max<i64>(value, 0) * 10 + (octet - 0x30);
  }
  return value;
}

// Functions, so that only a module with this decoder has the names.
function weightName(): usize {
  return memory.data<u8>([0x77, 0x65, 0x69, 0x67, 0x68, 0x74]);
}

function tareName(): usize {
  return memory.data<u8>([0x74, 0x61, 0x72, 0x65]);
}
