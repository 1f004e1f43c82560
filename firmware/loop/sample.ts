// SPDX-License-Identifier: MIT
// Raw counts of an ADC input: when, whether a reading, and its fixed-point value.
//
// Spec: SPEC.md §1.4 (quality, cause). A count outside the valid range is a cause, never a number (D13).
// No state but a countdown of ticks. Rows come from the generator, in the order of the fields.

import { wide, wideShift } from "../wide";
import { CAUSE_NONE, CAUSE_NO_INPUT } from "../wire/record";

/** One analog channel. The line is given at raw 0 and raw 4096, each in mantissa steps plus 1/65536. */
@unmanaged
export class AnalogRow {
  channel: i32;
  input: i32;
  everyTicks: i32;
  rawMin: i32;
  rawMax: i32;
  belowCause: i32;
  aboveCause: i32;
  zero: i32;
  zeroFraction: i32;
  full: i32;
  fullFraction: i32;
  median: i32; // 1, 3 or 5
  weight: i32; // of a new sample in the moving average, 1..65536
}

/** Ticks until the next sample; 0 at start: the first tick samples. */
@unmanaged
export class SampleState {
  ticksLeft: i32;
}

/** Counts one tick; true when it is one that samples. */
export function isSampleDue(row: AnalogRow, state: SampleState): bool {
  const due = state.ticksLeft == 0;
  state.ticksLeft = (due ? row.everyTicks : state.ticksLeft) - 1;
  return due;
}

/** The cause why a raw count is no reading; CAUSE_NONE when it is one. */
export function rawCause(row: AnalogRow, raw: i32): i32 {
  if (raw < 0) return CAUSE_NO_INPUT;
  if (raw < row.rawMin) return row.belowCause;
  if (raw > row.rawMax) return row.aboveCause;
  return CAUSE_NONE;
}

/** Mantissa at a raw count of 0..4095, rounded to the nearest step (halves up). */
export function scaleRaw(row: AnalogRow, raw: i32): i32 {
  assert(raw >= 0 && raw <= 4095);
  const zero = <wide>row.zero * 65536 + <wide>row.zeroFraction;
  const full = <wide>row.full * 65536 + <wide>row.fullFraction;
  // |full - zero| < 2^49 and raw < 2^12: the product stays below 2^61, and below 2^53 where they are doubles.
  const exact = zero + wideShift((full - zero) * <wide>raw, 12);
  const rounded = wideShift(exact + 32768, 16);
  assert(rounded == <wide>(<i32>rounded)); // the generator refuses a line that leaves 32 bits
  return <i32>rounded;
}

/** The same for the sum of 2^bits counts, bits up to 6: their mean keeps its fraction. */
export function scaleMean(row: AnalogRow, sum: i32, bits: i32): i32 {
  const raw = sum >> bits;
  const rest = sum - (raw << bits);
  assert(raw >= 0 && raw <= 4095);
  const zero = ((<i64>row.zero) << 16) + row.zeroFraction;
  const span = ((<i64>row.full) << 16) + row.fullFraction - zero;
  const exact = zero + ((span * raw) >> 12) + ((span * rest) >> (12 + bits));
  const rounded = (exact + 0x8000) >> 16;
  assert(rounded == <i64>(<i32>rounded));
  return <i32>rounded;
}
