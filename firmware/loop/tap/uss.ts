// SPDX-License-Identifier: MIT
// Siemens USS heard passively: what a master asks drives, and their answers.
//
// Spec: USS protocol specification (E20125-D0001-S302-A1); by the book: traces are generated, not heard on a device.
// An XOR is weak (some 19 of a mebibyte of noise hold), so a frame is believed only with another of the same
// address and length right before or behind it: the question and its answer. Both look alike. Which is which
// is known once a silence, or a change of the address, went before a question.
//
//   02 LGE ADR data BCC   LGE: octets behind it; BCC: XOR of all before

import { TAP_EVENT_READ, TapEvent } from "./event";
import {
  answer,
  ask,
  Exchange,
  headOf,
  MORE_OCTETS,
  NO_FRAME,
  plainOf,
  setValues,
  stepFrame,
  STEPS_MAX,
  takeOutcome,
} from "./exchange";

const STX: i32 = 2;
const LENGTH_MIN: i32 = 6; // ADR, two words, BCC
const LENGTH_MAX: i32 = 254;
const MODE_PHASE_KNOWN = 1;
const MASTER_GAP_US: u32 = 60_000; // a drive answers in 20 ms; with room for adapters

/** So long a drive has for the begin of its answer. */
export const USS_WAIT_US: u32 = MASTER_GAP_US;

/** The next event; false: none until the next octet. `values` of a read are the answer's octets behind ADR. */
export function takeUss(tap: Exchange, event: TapEvent): bool {
  for (let tries = 0; tries <= STEPS_MAX; tries++) {
    if (takeOutcome(tap, event)) return true;
    const length = frameLength(tap);
    if (length == NO_FRAME && tap.fill > 0) forgetPhase(tap);
    if (!stepFrame(tap, length)) return false;
    if (length > 0) hearFrame(tap, headOf(tap), length);
  }
  return false;
}

function frameLength(tap: Exchange): i32 {
  const at = headOf(tap);
  const fill = tap.fill;
  if (fill == 0) return MORE_OCTETS;
  if (load<u8>(at) != STX) return NO_FRAME;
  if (fill == 1) return MORE_OCTETS;
  const behind: i32 = load<u8>(at, 1);
  // Data are words.
  if (behind < LENGTH_MIN || behind > LENGTH_MAX || behind & 1) return NO_FRAME;
  if (fill < behind + 2) return MORE_OCTETS;
  let sum: i32 = 0;
  for (let i = 0; i < behind + 2; i++) sum ^= load<u8>(at + i);
  return sum == 0 ? behind + 2 : NO_FRAME;
}

// Junk may have been a question.
function forgetPhase(tap: Exchange): void {
  tap.mode = 0;
  tap.waiting = 0;
}

function hearFrame(tap: Exchange, at: usize, length: i32): void {
  const unit: i32 = load<u8>(at, 2);
  const isOther = tap.streak > 0 && tap.key != ((unit << 8) | length);
  if (tap.gapUs > MASTER_GAP_US || isOther) {
    tap.mode = MODE_PHASE_KNOWN;
    askDrive(tap, at, length);
  } else if (tap.waiting && !isRepeat(tap, at, length)) answerDrive(tap, at, length);
  else askDrive(tap, at, length);
  tap.streak = 1;
}

// A question that is asked again has the same octets; an answer has another word of status.
function isRepeat(tap: Exchange, at: usize, length: i32): bool {
  return memory.compare(plainOf(tap), at, length) == 0;
}

function askDrive(tap: Exchange, at: usize, length: i32): void {
  memory.copy(plainOf(tap), at, length);
  const unit: i32 = load<u8>(at, 2);
  ask(tap, unit, 0);
  tap.quantity = length - 4;
  tap.key = (unit << 8) | length;
}

function answerDrive(tap: Exchange, at: usize, length: i32): void {
  setValues(tap, at + 3, length - 4);
  answer(tap, TAP_EVENT_READ, 0);
  if (tap.mode != MODE_PHASE_KNOWN) tap.outcome = 0; // counted, but not known whose word it was
}
