// SPDX-License-Identifier: MIT
// The latest text of each channel that has texts.
//
// Spec: SPEC.md §1.4, §19. State: a length and TEXT_BYTES octets a channel, in static memory. The value of
// such a channel counts its changes: what compares and filters numbers needs to know nothing of texts.

import { TEXT_COUNT, TEXT_ROWS } from "../../generated/loop";
import { TEXT_BYTES } from "../../generated/uses";
import { RECORD_TYPE, RECORD_VALUE, RECORD_VALUE_BYTES, TYPE_BYTES } from "../../wire/record";

@unmanaged
class TextRow {
  channel: i32;
}

const SLOT_BYTES: usize = TEXT_BYTES + 4; // the length, and the octets

/** Takes a text over; true when it is another one than before, or the first. */
export function keepText(channel: i32, octets: usize, length: i32): bool {
  assert(<u32>length <= <u32>TEXT_BYTES);
  const slot = slotOf(channel);
  const isSame =
    load<i32>(slot) == length + 1 && memory.compare(slot + 4, octets, <usize>length) == 0;
  store<i32>(slot, length + 1); // 0: none yet
  memory.copy(slot + 4, octets, <usize>length);
  return !isSame;
}

/** Turns a reading that was just encoded into one of the channel's text; its length. */
export function encodeText(record: usize, channel: i32): i32 {
  const slot = slotOf(channel);
  const length = load<i32>(slot) - 1;
  store<u8>(record + RECORD_TYPE, TYPE_BYTES);
  store<u8>(record + RECORD_VALUE_BYTES, length);
  memory.copy(record + RECORD_VALUE, slot + 4, <usize>length);
  return RECORD_VALUE + length;
}

function slotOf(channel: i32): usize {
  let index = 0;
  while (textRow(index).channel != channel) index++;
  return slots() + index * SLOT_BYTES;
}

function textRow(index: i32): TextRow {
  assert(<u32>index < <u32>TEXT_COUNT);
  return changetype<TextRow>(changetype<usize>(TEXT_ROWS) + index * offsetof<TextRow>());
}

// A function, so that only a module that needs it has the memory.
function slots(): usize {
  return memory.data(TEXT_COUNT * SLOT_BYTES + 4, 4);
}
