// SPDX-License-Identifier: MIT
// DSMR P1 telegrams heard passively: octets to objects, once the CRC is right.
//
// Spec: DSMR P1 companion standard 5.0.2 §6.2, SPEC.md §17. CRC-16/ARC (A001 reflected, start 0) from / to ! over the octets as
// they come, whatever they are; its digits may lack leading zeros. Telegrams of versions before 4 have none:
// where one was ever right on this line, a telegram without it is damaged.
//
//   WAITING -/-> IDENT -LF-> DATA -!-> CHECK -LF-> right: objects | wrong: nothing, counted
//
// A / begins a telegram wherever it comes, so that what was cut off costs no other one.

import { DATA_BAD, DATA_ENDS, Dataset, DATASET_BYTES, putData, startDataset } from "./dataset";
import { TapEvent } from "./event";
import { clearObjects, Objects, releaseObjects, takeObject } from "./object";
import { CRC_A001, hexDigit, stepCrc16 } from "./octets";
import { IDENTIFICATION_BYTES_MAX, PUSH_SILENCE_US, TELEGRAM_BYTES_MAX } from "../../limits";
import {
  TAP_COUNTER_BYTES,
  TAP_COUNTER_COUNT,
  TAP_COUNTER_EXCEPTIONS,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_ORPHANS,
} from "../../wire/tap";

const STATE_WAITING = 0;
const STATE_IDENT = 1;
const STATE_DATA = 2;
const STATE_CHECK = 3;

const CR = 13;
const LF = 10;
const SLASH = 0x2f;
const CRC_DIGITS_MAX = 4;

/** Followed in memory by Objects, a Dataset and the counters. */
@unmanaged
export class P1Tap {
  state: i32;
  length: i32; // octets of the open telegram
  crc: u32;
  check: u32; // as far as its digits came
  digits: i32;
  hasCrc: i32; // 1: this meter sends one
  lastUs: u32;
  reserved: i32; // what follows is aligned to 8
}

const OBJECTS: usize = offsetof<P1Tap>();
const DATASET: usize = OBJECTS + offsetof<Objects>();
const COUNTERS: usize = DATASET + DATASET_BYTES;

/** Memory of one tap, a multiple of 8. */
export const P1_TAP_BYTES: usize = COUNTERS + TAP_COUNTER_COUNT * 4;

export function startP1(tap: P1Tap, characterUs: u32, nowUs: u32): void {
  tap.state = STATE_WAITING;
  tap.lastUs = nowUs;
}

/** Address of the counters, u32 each. */
export function p1Counters(tap: P1Tap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** The objects that are wanted of the line. */
export function p1Objects(tap: P1Tap): Objects {
  return changetype<Objects>(changetype<usize>(tap) + OBJECTS);
}

/** Takes one octet that ended at `atUs`. */
export function putP1(tap: P1Tap, octet: i32, flags: i32, atUs: u32): void {
  noteIdleP1(tap, atUs);
  tap.lastUs = atUs;
  count(tap, TAP_COUNTER_BYTES, 1);
  if (flags != 0) {
    dropTelegram(tap, TAP_COUNTER_ORPHANS);
    count(tap, TAP_COUNTER_JUNK_BYTES, 1);
    return;
  }
  if (octet == SLASH) {
    dropTelegram(tap, TAP_COUNTER_ORPHANS);
    beginTelegram(tap);
  } else if (tap.state == STATE_WAITING) {
    count(tap, TAP_COUNTER_JUNK_BYTES, 1);
    return;
  }
  tap.length++;
  if (tap.state != STATE_CHECK) tap.crc = stepCrc16(tap.crc, octet, CRC_A001);
  putTelegram(tap, octet);
}

/** Ends a telegram that goes on no more. */
export function noteIdleP1(tap: P1Tap, nowUs: u32): void {
  if (tap.state != STATE_WAITING && nowUs - tap.lastUs > <u32>PUSH_SILENCE_US)
    dropTelegram(tap, TAP_COUNTER_ORPHANS);
}

/** The next object of a telegram that was right; false: there is none. */
export function takeP1(tap: P1Tap, event: TapEvent): bool {
  return takeObject(p1Objects(tap), event);
}

function beginTelegram(tap: P1Tap): void {
  tap.state = STATE_IDENT;
  tap.crc = 0;
  clearObjects(p1Objects(tap));
  startDataset(dataset(tap));
}

function putTelegram(tap: P1Tap, octet: i32): void {
  if (tap.state == STATE_IDENT) {
    if (octet == LF) tap.state = STATE_DATA;
    else if (tap.length > IDENTIFICATION_BYTES_MAX) dropTelegram(tap, TAP_COUNTER_ORPHANS);
  } else if (tap.state == STATE_DATA) {
    const said = putData(dataset(tap), p1Objects(tap), octet);
    if (said == DATA_ENDS) {
      tap.state = STATE_CHECK;
      tap.check = 0;
      tap.digits = 0;
    } else if (said == DATA_BAD || tap.length > TELEGRAM_BYTES_MAX)
      dropTelegram(tap, TAP_COUNTER_ORPHANS);
  } else if (octet == LF) endTelegram(tap);
  else if (octet != CR && !takeCheck(tap, octet)) dropTelegram(tap, TAP_COUNTER_EXCEPTIONS);
}

function takeCheck(tap: P1Tap, octet: i32): bool {
  const digit = hexDigit(octet);
  if (digit < 0 || ++tap.digits > CRC_DIGITS_MAX) return false;
  tap.check = (tap.check << 4) | digit;
  return true;
}

function endTelegram(tap: P1Tap): void {
  const isRight = tap.digits > 0 ? tap.check == tap.crc : !tap.hasCrc;
  if (!isRight) {
    dropTelegram(tap, TAP_COUNTER_EXCEPTIONS);
    return;
  }
  if (tap.digits > 0) tap.hasCrc = 1;
  count(tap, TAP_COUNTER_FRAMES, 1);
  tap.state = STATE_WAITING;
  tap.length = 0;
  releaseObjects(p1Objects(tap));
}

// Nothing, where none is open.
function dropTelegram(tap: P1Tap, reason: i32): void {
  if (tap.state == STATE_WAITING) return;
  count(tap, reason, 1);
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  tap.state = STATE_WAITING;
  tap.length = 0;
}

function dataset(tap: P1Tap): Dataset {
  return changetype<Dataset>(changetype<usize>(tap) + DATASET);
}

function count(tap: P1Tap, counter: i32, by: i32): void {
  const at = p1Counters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
