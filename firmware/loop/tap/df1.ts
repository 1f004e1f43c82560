// SPDX-License-Identifier: MIT
// Allen-Bradley DF1, full duplex, heard passively: typed reads, writes, others.
//
// Spec: Rockwell 1770-6.5.16; by the book: traces are generated, not heard on a device. An answer has the addresses
// swapped, CMD with bit 6, and the TNS of its question: pairs are exact. A line whose CRC was ever right is
// believed with a CRC only; where none was, a right sum does, and the pair is the proof.
//
//   10 02 DST SRC CMD STS TNS(2) data 10 03 check   10 in the data is doubled; low octets first
//   check: CRC-16/ARC over the plain octets and 03, or the negative sum of the plain octets
//   10 06, 10 15 right behind a frame, 10 05 right behind those: no junk

import { TAP_EVENT_EXCEPTION, TAP_EVENT_QUERY, TAP_EVENT_READ } from "./event";
import { TAP_EVENT_WRITE, TapEvent } from "./event";
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
import { CRC_A001, stepCrc16 } from "./octets";

const DLE: i32 = 0x10;
const STX: i32 = 2;
const ETX: i32 = 3;
const ENQ: i32 = 5;
const ACK: i32 = 6;
const NAK: i32 = 0x15;
const HEADER = 6; // DST SRC CMD STS TNS
const PLAIN_MAX: i32 = 280; // 264 and some room
const MODE_CRC = 1;
const OWED_MAX = 2; // both sides may owe an acknowledge
const ANSWERED = 0x40; // of CMD
const TYPED = 0x0f; // CMD of what has a function code
const TYPED_READ = 0xa2; // protected typed logical read, three address fields
const TYPED_WRITE = 0xaa;

/**
 * The next event; false: none until the next octet. `unit` is DST, `code` the function, or CMD where it has none,
 * `address` of a typed read or write file << 16 | element, `quantity` its octets, `reason` STS.
 */
export function takeDf1(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (takeOutcome(tap, event)) return true;
    const symbol = acknowledge(tap);
    if (symbol != 0) {
      skip(tap, 2);
      if (symbol != ENQ) tap.owed--;
      continue;
    }
    const length = frameLength(tap);
    if (!stepFrame(tap, length)) return false;
    if (length <= 0) continue;
    tap.owed = min(tap.owed + 1, OWED_MAX);
    hearFrame(tap, plainOf(tap), tap.plainBytes);
  }
  return false;
}

// The control symbol at the head that may be there; 0: none.
function acknowledge(tap: Exchange): i32 {
  if (tap.fill < 2 || tap.owed == 0 || load<u8>(headOf(tap)) != DLE) return 0;
  const symbol: i32 = load<u8>(headOf(tap), 1);
  return symbol == ACK || symbol == NAK || symbol == ENQ ? symbol : 0;
}

function frameLength(tap: Exchange): i32 {
  const at = headOf(tap);
  const fill = tap.fill;
  if (fill > 0 && load<u8>(at) != DLE) return NO_FRAME;
  if (fill < 2) return MORE_OCTETS;
  if (load<u8>(at, 1) != STX) return NO_FRAME;
  let i = max(tap.seen, 2);
  for (; i < fill; i++) {
    if (load<u8>(at + i) != DLE) continue;
    if (i + 1 == fill) break;
    const symbol: i32 = load<u8>(at + i + 1);
    if (symbol == ETX) {
      tap.seen = i;
      return checkedLength(tap, at, i);
    }
    if (symbol != DLE) return NO_FRAME;
    i++;
  }
  tap.seen = i;
  return MORE_OCTETS;
}

// The frame ends with 10 03 at `end`: with its check, which may be of one octet or two.
function checkedLength(tap: Exchange, at: usize, end: i32): i32 {
  const checkAt = end + 2;
  if (tap.fill <= checkAt) return MORE_OCTETS;
  const plain = plainOf(tap);
  let length = 0;
  let sum: i32 = 0;
  let crc: u32 = 0;
  for (let i = 2; i < end; i++) {
    const octet: i32 = load<u8>(at + i);
    if (length == PLAIN_MAX) return NO_FRAME;
    store<u8>(plain + length++, octet);
    sum -= octet;
    crc = stepCrc16(crc, octet, CRC_A001);
    if (octet == DLE) i++;
  }
  if (length < HEADER) return NO_FRAME;
  tap.plainBytes = length;
  const first: i32 = load<u8>(at + checkAt);
  const isSummed = tap.mode != MODE_CRC && first == (sum & 255);
  if (tap.fill == checkAt + 1) {
    if (isSummed && tap.stale > checkAt) return checkAt + 1;
    return MORE_OCTETS;
  }
  crc = stepCrc16(crc, ETX, CRC_A001);
  if ((first | ((<i32>load<u8>(at + checkAt + 1)) << 8)) == crc) {
    tap.mode = MODE_CRC;
    return checkAt + 2;
  }
  return isSummed ? checkAt + 1 : NO_FRAME;
}

function hearFrame(tap: Exchange, plain: usize, length: i32): void {
  const command: i32 = load<u8>(plain, 2);
  // What an answer repeats: both addresses, CMD and TNS.
  const tns: i32 = load<u16>(plain, 4);
  const to: i32 = load<u8>(plain);
  const from: i32 = load<u8>(plain, 1);
  if (!(command & ANSWERED)) {
    ask(tap, to, command);
    tap.key = tns | (from << 16) | ((command & 63) << 24);
    if ((command & 63) == TYPED && length > HEADER) hearTyped(tap, plain, length);
    return;
  }
  const key = tns | (to << 16) | ((command & 63) << 24);
  if (!tap.waiting || tap.unit != from || tap.key != key) return countOrphan(tap);
  const status: i32 = load<u8>(plain, 3);
  if (status != 0) return answer(tap, TAP_EVENT_EXCEPTION, status);
  if (tap.code == TYPED_WRITE) return answer(tap, TAP_EVENT_WRITE, 0);
  if (tap.code != TYPED_READ) return answer(tap, TAP_EVENT_QUERY, 0);
  // An answer of another size is one to another question.
  if (length - HEADER != tap.quantity) return answer(tap, TAP_EVENT_QUERY, 0);
  setValues(tap, plain + HEADER, length - HEADER);
  answer(tap, TAP_EVENT_READ, 0);
}

// 0F: function, octets, file, type, element, sub-element; numbers from 255 on have FF before them and two octets.
function hearTyped(tap: Exchange, plain: usize, length: i32): void {
  tap.code = load<u8>(plain, HEADER);
  if ((tap.code != TYPED_READ && tap.code != TYPED_WRITE) || length < HEADER + 6) return;
  const file: i32 = load<u8>(plain, HEADER + 2);
  const element: i32 = load<u8>(plain, HEADER + 4);
  if (file == 255 || element == 255) return;
  tap.quantity = load<u8>(plain, HEADER + 1);
  tap.address = (file << 16) | element;
}
