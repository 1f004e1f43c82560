// SPDX-License-Identifier: MIT
// Omron Host Link heard passively: reads and writes of a controller's memory.
//
// Spec: SYSMAC C-series communications manual W143; by the book: traces are generated, not heard on a device. An
// answer names no address: the question before it does. Frames beyond 131 characters, which come in parts, are junk.
//
//   @ unit(2 digits) header(2 letters) text FCS(2 hex) * CR   FCS: XOR from @ to before it
//   read: address(4) quantity(4) ► end code(2) values(4 hex each); write: address(4) values ► end code

import { TAP_EVENT_EXCEPTION, TAP_EVENT_QUERY, TAP_EVENT_READ } from "./event";
import { TAP_EVENT_WRITE, TapEvent } from "./event";
import {
  answer,
  ask,
  countOrphan,
  Exchange,
  headOf,
  hexAt,
  MORE_OCTETS,
  NO_FRAME,
  plainOf,
  setValues,
  stepFrame,
  STEPS_MAX,
  takeOutcome,
} from "./exchange";

const START: i32 = 0x40;
const STAR: i32 = 0x2a;
const CR: i32 = 13;
const FRAME_MAX: i32 = 135;
const TEXT_AT = 5; // behind @, unit and header
const TAIL = 4; // FCS, star, CR
const READ_DIGITS: i32 = 8; // address and quantity

/** The next event; false: none until the next octet. `code` is the header, first letter << 8 | second. */
export function takeHostLink(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (takeOutcome(tap, event)) return true;
    const length = frameLength(tap);
    if (!stepFrame(tap, length)) return false;
    if (length > 0) hearFrame(tap, headOf(tap), length);
  }
  return false;
}

function frameLength(tap: Exchange): i32 {
  const at = headOf(tap);
  for (; tap.seen < tap.fill; tap.seen++) {
    const octet: i32 = load<u8>(at + tap.seen);
    if (octet == CR) return isWhole(at, tap.seen + 1) ? tap.seen + 1 : NO_FRAME;
    if (!isPlaced(tap.seen, octet) || tap.seen == FRAME_MAX) return NO_FRAME;
  }
  return MORE_OCTETS;
}

function isPlaced(index: i32, octet: i32): bool {
  if (index == 0) return octet == START;
  if (index < 3) return octet >= 0x30 && octet <= 0x39;
  if (index < TEXT_AT) return (octet >= 0x41 && octet <= 0x5a) || octet == STAR;
  return octet >= 0x20 && octet < 0x7f && octet != START;
}

function isWhole(at: usize, length: i32): bool {
  const sumAt = length - TAIL;
  if (sumAt < TEXT_AT || load<u8>(at + sumAt + 2) != STAR) return false;
  let sum: i32 = 0;
  for (let i = 0; i < sumAt; i++) sum ^= load<u8>(at + i);
  return hexAt(at + sumAt, 2) == sum;
}

function hearFrame(tap: Exchange, at: usize, length: i32): void {
  const unit = hexAt(at + 1, 2);
  const number = (unit >> 4) * 10 + (unit & 15);
  const code = ((<i32>load<u8>(at, 3)) << 8) | load<u8>(at, 4);
  const text = at + TEXT_AT;
  const digits = length - TEXT_AT - TAIL;
  const isMine = tap.waiting && tap.unit == number;
  // IC: the header was not understood; no controller is asked for it.
  if (code == 0x4943) {
    if (isMine) answer(tap, TAP_EVENT_EXCEPTION, 0x100);
    else countOrphan(tap);
  } else if (isMine && tap.code == code && isAnswer(tap, code, digits))
    hearAnswer(tap, code, text, digits);
  else if (isQuestion(code, text, digits)) askUnit(tap, number, code, text);
  else countOrphan(tap);
}

function isRead(code: i32): bool {
  const second = code & 255; // of RD, RR, RL, RH, RC, RG, RJ
  return code >> 8 == 0x52 && isMemory(second);
}

function isWrite(code: i32): bool {
  return code >> 8 == 0x57 && isMemory(code & 255);
}

function isMemory(letter: i32): bool {
  return (
    letter == 0x44 ||
    letter == 0x52 ||
    letter == 0x4c ||
    letter == 0x48 ||
    letter == 0x43 ||
    letter == 0x47 ||
    letter == 0x4a
  );
}

// An answer with an end code that is not good may end there.
function isAnswer(tap: Exchange, code: i32, digits: i32): bool {
  if (isRead(code)) return digits == 2 || digits == 2 + tap.quantity * tap.key;
  return isWrite(code) ? digits == 2 : true;
}

function isQuestion(code: i32, text: usize, digits: i32): bool {
  if (isRead(code)) return digits == READ_DIGITS && decimalAt(text + 4) > 0;
  return isWrite(code) ? digits >= READ_DIGITS && digits % 4 == 0 : true;
}

function askUnit(tap: Exchange, unit: i32, code: i32, text: usize): void {
  ask(tap, unit, code);
  if (!isRead(code) && !isWrite(code)) return;
  tap.address = max(decimalAt(text), 0);
  if (isRead(code)) tap.quantity = decimalAt(text + 4);
  tap.key = (code & 255) == 0x47 ? 1 : 4; // RG: a digit for each flag
}

function hearAnswer(tap: Exchange, code: i32, text: usize, digits: i32): void {
  const end = digits >= 2 ? hexAt(text, 2) : 0;
  if (!isRead(code) && !isWrite(code)) return answer(tap, TAP_EVENT_QUERY, 0);
  if (end < 0) return countOrphan(tap);
  if (end != 0) return answer(tap, TAP_EVENT_EXCEPTION, end);
  if (isWrite(code)) return answer(tap, TAP_EVENT_WRITE, 0);
  if (digits == 2 || tap.key == 1) return answer(tap, TAP_EVENT_QUERY, 0);
  for (let i = 0; i < tap.quantity * 2; i++) {
    const octet = hexAt(text + 2 + i * 2, 2);
    if (octet < 0) return countOrphan(tap);
    store<u8>(plainOf(tap) + i, octet);
  }
  setValues(tap, plainOf(tap), tap.quantity * 2);
  answer(tap, TAP_EVENT_READ, 0);
}

// Four decimal digits; -1: they are none.
function decimalAt(at: usize): i32 {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const digit = <i32>load<u8>(at + i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
