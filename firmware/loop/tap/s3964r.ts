// SPDX-License-Identifier: MIT
// Siemens 3964R heard passively: blocks, and the reads and writes of RK512.
//
// Spec: SIMATIC CP 341 manual, "3964(R)" and "RK 512"; by the book: traces are generated, not heard on a device. An XOR is weak:
// a block must have its form, and RK512 its question. On one wire the handshakes are missing; they are not needed.
//
//   02 [10 of the other side] data 10 03 BCC [10]   10 in the data is doubled; BCC: XOR of all behind 02, 10 and 03 too
//   RK512: 00 00 'A' | 'E' kind DB DW length(2) coordination(2) ► 00 00 00 error, values

import { TAP_EVENT_EXCEPTION, TAP_EVENT_READ, TAP_EVENT_WRITE, TapEvent } from "./event";
import {
  answer,
  ask,
  countOrphan,
  Exchange,
  headOf,
  MORE_OCTETS,
  NO_FRAME,
  plainOf,
  setValues,
  skip,
  stepFrame,
  STEPS_MAX,
  takeOutcome,
} from "./exchange";

const STX: i32 = 2;
const ETX: i32 = 3;
const DLE: i32 = 0x10;
const PLAIN_MAX: i32 = 140; // RK512: 128 octets and its header
const HEADER = 10;
const ANSWER_HEADER = 4;
const SEND: i32 = 0x41; // A
const FETCH: i32 = 0x45; // E
const DATA_BLOCK: i32 = 0x44;

/** The other side has 2 s to take a block. */
export const S3964R_SILENCE_US: u32 = 2_200_000;

/** RK512 answers in 5 s, in blocks of their own. */
export const S3964R_WAIT_US: u32 = 7_000_000;

/**
 * The next event; false: none until the next octet. `code` is command << 8 | kind, `address` of data blocks
 * block << 8 | word, `quantity` as the header has it.
 */
export function take3964r(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (takeOutcome(tap, event)) return true;
    if (tap.owed && tap.fill > 0) {
      tap.owed = 0;
      if (load<u8>(headOf(tap)) == DLE) skip(tap, 1);
      continue;
    }
    const length = blockLength(tap);
    if (!stepFrame(tap, length)) return false;
    if (length <= 0) continue;
    tap.owed = 1;
    hearBlock(tap, plainOf(tap), tap.plainBytes);
  }
  return false;
}

// Octets of the block at the head; its data go to plainOf().
function blockLength(tap: Exchange): i32 {
  const at = headOf(tap);
  const fill = tap.fill;
  if (fill == 0) return MORE_OCTETS;
  if (load<u8>(at) != STX) return NO_FRAME;
  const first = dataAt(at, fill);
  if (first < 0) return MORE_OCTETS;
  let i = max(tap.seen, first);
  for (; i + 1 < fill; i++) {
    if (load<u8>(at + i) != DLE) continue;
    const next: i32 = load<u8>(at + i + 1);
    if (next == ETX) {
      tap.seen = i;
      if (i + 2 == fill) return MORE_OCTETS;
      return isWhole(tap, at, first, i) ? i + 3 : NO_FRAME;
    }
    if (next != DLE) return NO_FRAME;
    i++;
  }
  tap.seen = i;
  return i - first > PLAIN_MAX * 2 ? NO_FRAME : MORE_OCTETS;
}

// Where data begin: behind the 02, or the 10 of the other side, as the count of 10s says. -1: not yet known.
function dataAt(at: usize, fill: i32): i32 {
  let run = 1;
  while (run < fill && load<u8>(at + run) == DLE) run++;
  if (run == fill) return -1;
  // 10 03 behind doubled ones ends the block.
  const pairs = run - 1 - (load<u8>(at + run) == ETX ? 1 : 0);
  return 1 + (pairs & 1);
}

function isWhole(tap: Exchange, at: usize, first: i32, end: i32): bool {
  const plain = plainOf(tap);
  let length = 0;
  let sum: i32 = DLE ^ ETX;
  for (let i = first; i < end; i++) {
    if (length == PLAIN_MAX) return false;
    const octet = load<u8>(at + i);
    store<u8>(plain + length++, octet);
    sum ^= octet;
    if (octet != DLE) continue;
    sum ^= DLE;
    i++;
  }
  tap.plainBytes = length;
  return length > 0 && load<u8>(at + end, 2) == sum;
}

function hearBlock(tap: Exchange, plain: usize, length: i32): void {
  if (length < ANSWER_HEADER || load<u16>(plain) != 0) return;
  const command: i32 = load<u8>(plain, 2);
  if (command == 0) return hearAnswer(tap, plain, length);
  if (length < HEADER || (command != SEND && command != FETCH)) return;
  const kind: i32 = load<u8>(plain, 3);
  ask(tap, -1, (command << 8) | kind);
  tap.address = ((<i32>load<u8>(plain, 4)) << 8) | load<u8>(plain, 5);
  tap.quantity = ((<i32>load<u8>(plain, 6)) << 8) | load<u8>(plain, 7);
}

function hearAnswer(tap: Exchange, plain: usize, length: i32): void {
  if (!tap.waiting) return countOrphan(tap);
  const error: i32 = load<u8>(plain, 3);
  const bytes = length - ANSWER_HEADER;
  const isFetch = tap.code >> 8 == FETCH;
  // An XOR does not see that a 00 is missing; the size does.
  if (error != 0) return bytes == 0 ? answer(tap, TAP_EVENT_EXCEPTION, error) : countOrphan(tap);
  if (!isFetch) return bytes == 0 ? answer(tap, TAP_EVENT_WRITE, 0) : countOrphan(tap);
  // Data blocks are counted in words, what else there is in octets.
  const isBlock = (tap.code & 255) == DATA_BLOCK;
  if (bytes != (isBlock ? tap.quantity * 2 : tap.quantity)) return countOrphan(tap);
  setValues(tap, plain + ANSWER_HEADER, bytes);
  answer(tap, TAP_EVENT_READ, 0);
}
