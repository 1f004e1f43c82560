// SPDX-License-Identifier: MIT
// Mitsubishi FX programming port heard passively: reads and writes of its memory.
//
// Spec: FX programming port as published, commands 0, 1, 7, 8; by the book: traces are generated, not heard on a device.
// Questions have an odd count of digits, answers an even one; an answer names no address: the question does.
//
//   05 ► 06   02 command address(4) octets(2) [values] 03 sum(2) ► 02 values 03 sum(2) | 06 | 15
//   sum: of all from behind 02 to 03; address of D registers 1000 hex + 2 n

import { TAP_EVENT_EXCEPTION, TAP_EVENT_QUERY, TAP_EVENT_READ } from "./event";
import { TAP_EVENT_WRITE, TapEvent, UNIT_NONE } from "./event";
import {
  answer,
  ask,
  capitalDigit,
  countOrphan,
  Exchange,
  headOf,
  hexAt,
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
const ENQ: i32 = 5;
const ACK: i32 = 6;
const NAK: i32 = 0x15;
const DIGITS_MAX: i32 = 256;
const READ_DIGITS: i32 = 7;
const READ: i32 = 0x30;
const WRITE: i32 = 0x31;

/** The next event; false: none until the next octet. `code` is the command's letter, `quantity` octets. */
export function takeMelsecFx(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (takeOutcome(tap, event)) return true;
    const symbols = handshake(tap);
    if (symbols != 0) {
      skip(tap, symbols);
      continue;
    }
    const length = frameLength(tap);
    if (!stepFrame(tap, length)) return false;
    if (length > 0) hearFrame(tap, headOf(tap) + 1, length - 4);
  }
  return false;
}

// Octets of 05 06, or of the 06 or 15 that answers a question; 0: neither is at the head.
function handshake(tap: Exchange): i32 {
  if (tap.fill == 0) return 0;
  const first: i32 = load<u8>(headOf(tap));
  if (first == ENQ) return tap.fill > 1 && load<u8>(headOf(tap), 1) == ACK ? 2 : 0;
  // Right behind its question only: a damaged digit may look like them.
  if (!tap.waiting || !tap.owed || (first != ACK && first != NAK)) return 0;
  if (first == NAK) answer(tap, TAP_EVENT_EXCEPTION, NAK);
  else if (tap.code == READ) return 0;
  else answer(tap, tap.code == WRITE ? TAP_EVENT_WRITE : TAP_EVENT_QUERY, 0);
  return 1;
}

function frameLength(tap: Exchange): i32 {
  const at = headOf(tap);
  if (tap.fill == 0) return MORE_OCTETS;
  if (load<u8>(at) == ENQ) return tap.fill == 1 ? MORE_OCTETS : NO_FRAME;
  if (load<u8>(at) != STX) return NO_FRAME;
  let i = max(tap.seen, 1);
  for (; i < tap.fill; i++) {
    const octet: i32 = load<u8>(at + i);
    if (octet == ETX) break;
    if (capitalDigit(octet) < 0 || i > DIGITS_MAX) return NO_FRAME;
  }
  tap.seen = i;
  if (i + 2 >= tap.fill) return MORE_OCTETS;
  let sum: i32 = 0;
  for (let k = 1; k <= i; k++) sum += load<u8>(at + k);
  return i > 2 && hexAt(at + i + 1, 2) == (sum & 255) ? i + 3 : NO_FRAME;
}

function hearFrame(tap: Exchange, at: usize, digits: i32): void {
  if (digits & 1) return hearQuestion(tap, at, digits);
  if (!tap.waiting || tap.code != READ || digits != tap.quantity * 2) return countOrphan(tap);
  for (let i = 0; i < tap.quantity; i++) store<u8>(plainOf(tap) + i, hexAt(at + i * 2, 2));
  setValues(tap, plainOf(tap), tap.quantity);
  answer(tap, TAP_EVENT_READ, 0);
}

// Commands of other forms, E among them, are questions without an address.
function hearQuestion(tap: Exchange, at: usize, digits: i32): void {
  const command: i32 = load<u8>(at);
  ask(tap, UNIT_NONE, command);
  tap.owed = 1;
  if (digits < READ_DIGITS || (command != READ && command != WRITE)) return;
  tap.address = hexAt(at + 1, 4);
  tap.quantity = hexAt(at + 5, 2);
}
