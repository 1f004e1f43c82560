// SPDX-License-Identifier: MIT
// Lines of text to know a line by: any, or NMEA 0183 with its sum.
//
// Spec: event.ts, NMEA 0183 ($ … * XOR of what is between, two hex digits). What lines mean is in line.ts and
// match.ts; here they are counted only, and no event is told. A line ends with CR, LF or ETX and has two printable
// characters at least. One that begins with a colon is Modbus ASCII, which has a decoder of its own.

import {
  TAP_COUNTER_BYTES,
  TAP_COUNTER_COUNT,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
} from "../../wire/tap";
import { hexDigit } from "./octets";

const LINE_MAX: i32 = 160; // printable characters; a printer's line has 132
const STX: i32 = 2;
const ETX: i32 = 3;
const LF: i32 = 10;
const CR: i32 = 13;

/** Followed in memory by the counters. */
@unmanaged
export class TextTap {
  nmea: i32; // 1: only sentences with a right sum count
  length: i32; // octets of the open line
  printed: i32; // printable ones
  spoiled: i32;
  first: i32; // first printable one
  sum: i32; // XOR of those behind the first, before the star
  digits: i32; // hex digits behind the star; -1: no star yet
  value: i32; // of them
}

const COUNTERS: usize = offsetof<TextTap>();

/** Memory of one tap, a multiple of 4. */
export const TEXT_TAP_BYTES: usize = COUNTERS + TAP_COUNTER_COUNT * 4;

/** Begins with an empty line. */
export function startText(tap: TextTap, nmea: i32): void {
  tap.nmea = nmea;
  begin(tap);
}

/** Address of the counters, u32 each. */
export function textCounters(tap: TextTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** One octet. */
export function putText(tap: TextTap, octet: i32, flags: i32): void {
  count(tap, TAP_COUNTER_BYTES, 1);
  tap.length++;
  if (flags != 0) tap.spoiled = 1;
  else if (octet == CR || octet == LF || octet == ETX) endLine(tap);
  else if (octet >= 0x20 && octet < 0x7f) print(tap, octet);
  else if (octet != STX && octet != 9) tap.spoiled = 1;
}

/** Silence: an open line is none. */
export function noteIdleText(tap: TextTap): void {
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  begin(tap);
}

function begin(tap: TextTap): void {
  tap.length = tap.printed = tap.spoiled = tap.first = tap.sum = tap.value = 0;
  tap.digits = -1;
}

function print(tap: TextTap, octet: i32): void {
  if (tap.printed++ == 0) {
    tap.first = octet;
    return;
  }
  if (tap.digits >= 0) {
    tap.value = (tap.value << 4) | hexDigit(octet); // below 0 with what is none: no sum is equal to it
    tap.digits++;
  } else if (octet == 0x2a) tap.digits = 0;
  else tap.sum ^= octet;
}

// The LF behind a CR belongs to what is before it.
function endLine(tap: TextTap): void {
  if (tap.printed > 0 || tap.spoiled) {
    if (isLine(tap)) count(tap, TAP_COUNTER_FRAMES, 1);
    else count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  }
  begin(tap);
}

function isLine(tap: TextTap): bool {
  if (tap.spoiled || tap.printed < 2 || tap.printed > LINE_MAX) return false;
  if (!tap.nmea) return tap.first != 0x3a;
  const starts = tap.first == 0x24 || tap.first == 0x21;
  return starts && tap.digits == 2 && tap.value == tap.sum;
}

function count(tap: TextTap, counter: usize, by: i32): void {
  const at = textCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
