// SPDX-License-Identifier: MIT
// Moving average over the latest samples, up to AVERAGE_SAMPLES_MAX.
//
// After a reset the window grows: the first value is the first sample, nothing is made up.
// The sum is exact; the mean is rounded to the nearest step, halves up.

import { AVERAGE_SAMPLES_MAX } from "../limits";

/** Followed in memory by the window. */
@unmanaged
export class AverageState {
  sum: i64;
  fill: i32;
  next: i32; // where the next sample goes, in the place of the oldest
}

/** Memory of one average, a multiple of 8. */
export const AVERAGE_BYTES: usize = offsetof<AverageState>() + AVERAGE_SAMPLES_MAX * 4;

/** One sample in; the mean of the latest `length` (1..AVERAGE_SAMPLES_MAX, always the same) samples. */
export function averageSample(state: AverageState, length: i32, sample: i32): i32 {
  assert(length >= 1 && length <= AVERAGE_SAMPLES_MAX);
  const place = changetype<usize>(state) + offsetof<AverageState>() + (state.next << 2);
  if (state.fill < length) state.fill++;
  else state.sum -= load<i32>(place);
  state.sum += sample;
  store<i32>(place, sample);
  state.next = state.next + 1 == length ? 0 : state.next + 1;
  return <i32>floorDivide(2 * state.sum + state.fill, 2 * state.fill);
}

/** Empties the window, after a bad sample. */
export function resetAverage(state: AverageState): void {
  state.sum = 0;
  state.fill = 0;
  state.next = 0;
}

function floorDivide(value: i64, divisor: i32): i64 {
  const quotient = value / divisor;
  return value < 0 && quotient * divisor != value ? quotient - 1 : quotient;
}
