// SPDX-License-Identifier: MIT
// Text lines heard passively: octets to whole lines, lines to counters.
//
// Spec: SPEC.md §1.3, §6, §13. Never transmits. A line begins after a terminator or after silence; what is
// heard before that is spoiled: half a number is a wrong number. A pattern with widths also refuses the
// rest of a line whose start was lost while the wire was off.
//
//   octet -> line ?-> terminator: true, the caller matches it, then countLine() | spoiled: counted, dropped
//
// (I1) bytes = octets of accepted lines + junk + those of the open line. A spoiled line keeps no octets,
// so its length is counted only. Work: one step an octet; a line is matched once, when it ends.

import { LINE_BYTES_MAX } from "../../limits";
import {
  TAP_COUNTER_BYTES,
  TAP_COUNTER_COUNT,
  TAP_COUNTER_EXCEPTIONS,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_ORPHANS,
} from "../../wire/tap";

const SILENCE_CHARACTERS: u32 = 10; // no device pauses that long inside a line
const SILENCE_US_MIN: u32 = 50_000; // adapters collect octets for 16 ms: no silence of the line
const RETURN = 13;

/** Followed in memory by the counters and the octets of the line. */
@unmanaged
export class LineTap {
  characterUs: u32;
  terminator: i32; // the octet that ends a line
  afterReturn: i32; // 1: a CR stands before it
  lastUs: u32; // end of the latest octet; of the start before the first
  length: i32; // octets of the open line, kept or not
  spoiled: i32; // 1: it will be dropped
}

const COUNTERS: usize = offsetof<LineTap>();
const OCTETS: usize = COUNTERS + TAP_COUNTER_COUNT * 4;
const KEPT_MAX = LINE_BYTES_MAX + 2; // and its CR LF, a multiple of 2

/** Memory of one tap, a multiple of 4. */
export const LINE_TAP_BYTES: usize = (OCTETS + KEPT_MAX + 3) & ~3;

/** Nothing was heard yet: what comes without silence before it is the rest of a line. */
export function startLine(tap: LineTap, nowUs: u32): void {
  tap.lastUs = nowUs;
  tap.spoiled = 1;
}

/** Address of the counters, u32 each. */
export function lineCounters(tap: LineTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** Address of the octets of the line. */
export function lineOctets(tap: LineTap): usize {
  return changetype<usize>(tap) + OCTETS;
}

/** Octets of the whole line without its end; -1: its CR is missing. */
export function lineLength(tap: LineTap): i32 {
  const length = tap.length - 1;
  if (tap.afterReturn == 0) return length;
  if (length < 1 || load<u8>(lineOctets(tap) + length - 1) != RETURN) return -1;
  return length - 1;
}

/** Takes one octet that ended at `atUs`; true when it ends a line: match it, then call countLine(). */
export function putLineOctet(tap: LineTap, octet: u32, flags: u32, atUs: u32): bool {
  const silenceUs = max(tap.characterUs * SILENCE_CHARACTERS, SILENCE_US_MIN);
  if (atUs - tap.lastUs > silenceUs) {
    if (tap.length > 0) dropLine(tap);
    tap.spoiled = 0;
  }
  tap.lastUs = atUs;
  count(tap, TAP_COUNTER_BYTES, 1);
  // Framing, parity, break, or characters lost before this one: the octet is not to be trusted, as an end neither.
  if (flags != 0) tap.spoiled = 1;
  if (tap.length < KEPT_MAX) store<u8>(lineOctets(tap) + tap.length, octet);
  else tap.spoiled = 1;
  tap.length++;
  if (flags != 0 || octet != tap.terminator) return false;
  if (!tap.spoiled) return true;
  dropLine(tap);
  return false;
}

/** The line was matched, or fits no pattern; the next one begins. An empty line is no line. */
export function countLine(tap: LineTap, matched: bool): void {
  if (matched) count(tap, TAP_COUNTER_FRAMES, 1);
  else {
    count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
    if (lineLength(tap) != 0) count(tap, TAP_COUNTER_ORPHANS, 1);
  }
  tap.length = 0;
}

/** The line was damaged, or belongs to one that was; the next one begins. */
export function dropLine(tap: LineTap): void {
  count(tap, TAP_COUNTER_EXCEPTIONS, 1);
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  tap.length = 0;
  tap.spoiled = 0;
}

function count(tap: LineTap, counter: i32, by: i32): void {
  const at = lineCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
