// SPDX-License-Identifier: MIT
// SML telegrams heard passively: octets to objects of GetList answers.
//
// Spec: BSI TR-03109-1 annex IV (SML 1.04) §8 transport, §6 encoding; SPEC.md §17. Nothing is buffered: lists are walked while
// they come, SML_DEPTH_MAX deep. CRC-16/X-25, or Kermit as some meters have it, from the first escape up to
// the number of fill octets.
//
//   WAITING -1B x4-> VERSION -01 x4-> BODY -1B x4-> ESCAPE -1B x4-> BODY | -1A fill CRC-> right: objects
//
// What is no SML inside a telegram with a right CRC is counted and nothing of it is told.

import { TapEvent } from "./event";
import { clearObjects, Objects, releaseObjects, takeObject } from "./object";
import { CRC_8408, stepCrc16 } from "./octets";
import { clearWalk, isWalkWhole, putWalk, Walk, WALK_BYTES } from "./sml-walk";
import { PUSH_SILENCE_US, SML_BYTES_MAX } from "../../limits";
import {
  TAP_COUNTER_BYTES,
  TAP_COUNTER_COUNT,
  TAP_COUNTER_EXCEPTIONS,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_ORPHANS,
} from "../../wire/tap";

const STATE_WAITING = 0; // for the first escape
const STATE_VERSION = 1;
const STATE_BODY = 2;
const STATE_ESCAPE = 3;
const STATE_CHECK = 4; // fill, CRC

const ESCAPE_OCTET = 0x1b;
const VERSION_OCTET = 0x01;
const END_OCTET = 0x1a;
const FOUR = 4;
const FILL_MAX = 3;

/** Followed in memory by Objects, a Walk and the counters. */
@unmanaged
export class SmlTap {
  state: i32;
  length: i32; // octets of the open telegram
  run: i32; // octets of the escape or the version so far
  crc: u32; // X-25, not yet inverted
  kermit: u32;
  check: u32; // its first octet
  fill: i32;
  lastUs: u32;
}

const OBJECTS: usize = offsetof<SmlTap>();
const WALK: usize = OBJECTS + offsetof<Objects>();
const COUNTERS: usize = WALK + WALK_BYTES;

/** Memory of one tap, a multiple of 8. */
export const SML_TAP_BYTES: usize = COUNTERS + TAP_COUNTER_COUNT * 4;

export function startSml(tap: SmlTap, characterUs: u32, nowUs: u32): void {
  tap.state = STATE_WAITING;
  tap.lastUs = nowUs;
}

/** Address of the counters, u32 each. */
export function smlCounters(tap: SmlTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** The objects that are wanted of the line. */
export function smlObjects(tap: SmlTap): Objects {
  return changetype<Objects>(changetype<usize>(tap) + OBJECTS);
}

/** Takes one octet that ended at `atUs`. */
export function putSml(tap: SmlTap, octet: i32, flags: i32, atUs: u32): void {
  noteIdleSml(tap, atUs);
  tap.lastUs = atUs;
  count(tap, TAP_COUNTER_BYTES, 1);
  tap.length++;
  if (flags != 0 || tap.length > SML_BYTES_MAX) return dropTelegram(tap, TAP_COUNTER_ORPHANS);
  if (tap.state == STATE_WAITING) return putWaiting(tap, octet);
  if (tap.state != STATE_CHECK || tap.run < 1) stepCrc(tap, octet);
  switch (tap.state) {
    case STATE_VERSION:
      return putVersion(tap, octet);
    case STATE_BODY:
      return putBody(tap, octet);
    case STATE_ESCAPE:
      return putEscape(tap, octet);
    default:
      return putCheck(tap, octet);
  }
}

/** Ends a telegram that goes on no more. */
export function noteIdleSml(tap: SmlTap, nowUs: u32): void {
  if (tap.length > 0 && nowUs - tap.lastUs > <u32>PUSH_SILENCE_US)
    dropTelegram(tap, TAP_COUNTER_ORPHANS);
}

/** The next object of a telegram that was right; false: there is none. */
export function takeSml(tap: SmlTap, event: TapEvent): bool {
  return takeObject(smlObjects(tap), event);
}

// The CRC begins with the first of the four; what is not one of four is junk.
function putWaiting(tap: SmlTap, octet: i32): void {
  if (octet != ESCAPE_OCTET) {
    count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
    tap.length = 0;
    tap.run = 0;
    return;
  }
  if (tap.run == 0) {
    tap.crc = 0xffff;
    tap.kermit = 0;
  }
  stepCrc(tap, octet);
  if (++tap.run < FOUR) return;
  tap.state = STATE_VERSION;
  tap.run = 0;
}

function putVersion(tap: SmlTap, octet: i32): void {
  if (octet == ESCAPE_OCTET && tap.run == 0) {
    // More than four: the first was the rest of something else.
    count(tap, TAP_COUNTER_JUNK_BYTES, 1);
    return beginEscaped(tap, FOUR);
  }
  if (octet != VERSION_OCTET) return restart(tap, octet);
  if (++tap.run < FOUR) return;
  tap.state = STATE_BODY;
  tap.run = 0;
  clearObjects(smlObjects(tap));
  clearWalk(walk(tap));
}

// Octets 1B wait until it is known whether four come: then they are an escape.
function putBody(tap: SmlTap, octet: i32): void {
  if (octet == ESCAPE_OCTET) {
    if (++tap.run < FOUR) return;
    tap.state = STATE_ESCAPE;
    tap.run = 0;
    return;
  }
  for (; tap.run > 0; tap.run--) putWalk(walk(tap), smlObjects(tap), ESCAPE_OCTET);
  putWalk(walk(tap), smlObjects(tap), octet);
}

// After an escape: four octets 1B as they are, the end, or the start of another telegram.
function putEscape(tap: SmlTap, octet: i32): void {
  if (tap.run == 0 && octet == END_OCTET) {
    tap.state = STATE_CHECK;
    return;
  }
  if (octet == VERSION_OCTET) return beginAgain(tap);
  if (octet != ESCAPE_OCTET) return restart(tap, octet);
  if (++tap.run < FOUR) return;
  for (; tap.run > 0; tap.run--) putWalk(walk(tap), smlObjects(tap), ESCAPE_OCTET);
  tap.state = STATE_BODY;
}

// The telegram before was cut off: its successor began with the escape just heard.
function beginAgain(tap: SmlTap): void {
  count(tap, TAP_COUNTER_ORPHANS, 1);
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length - FOUR - 1);
  beginEscaped(tap, FOUR + 1);
  stepCrc(tap, VERSION_OCTET);
  tap.run = 1;
}

// Four octets 1B stand, of `length` that are counted.
function beginEscaped(tap: SmlTap, length: i32): void {
  tap.crc = 0xffff;
  tap.kermit = 0;
  for (let i = 0; i < FOUR; i++) stepCrc(tap, ESCAPE_OCTET);
  tap.length = length;
  tap.state = STATE_VERSION;
  tap.run = 0;
}

function putCheck(tap: SmlTap, octet: i32): void {
  if (tap.run == 0) tap.fill = octet;
  else if (tap.run == 1) tap.check = octet;
  if (++tap.run < 3) return;
  const check = tap.check | (octet << 8);
  const isRight = check == (tap.crc ^ 0xffff) || check == tap.kermit;
  const isSml = isWalkWhole(walk(tap), tap.fill) && tap.fill <= FILL_MAX;
  if (!isRight || !isSml)
    return dropTelegram(tap, isRight ? TAP_COUNTER_ORPHANS : TAP_COUNTER_EXCEPTIONS);
  count(tap, TAP_COUNTER_FRAMES, 1);
  tap.state = STATE_WAITING;
  tap.length = 0;
  tap.run = 0;
  releaseObjects(smlObjects(tap));
}

function restart(tap: SmlTap, octet: i32): void {
  tap.length--;
  dropTelegram(tap, TAP_COUNTER_ORPHANS);
  tap.length = 1;
  putWaiting(tap, octet);
}

// Also the octets of an escape that was none.
function dropTelegram(tap: SmlTap, reason: i32): void {
  if (tap.state != STATE_WAITING) count(tap, reason, 1);
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  tap.state = STATE_WAITING;
  tap.length = 0;
  tap.run = 0;
}

function stepCrc(tap: SmlTap, octet: i32): void {
  tap.crc = stepCrc16(tap.crc, octet, CRC_8408);
  tap.kermit = stepCrc16(tap.kermit, octet, CRC_8408);
}

function walk(tap: SmlTap): Walk {
  return changetype<Walk>(changetype<usize>(tap) + WALK);
}

function count(tap: SmlTap, counter: i32, by: i32): void {
  const at = smlCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
