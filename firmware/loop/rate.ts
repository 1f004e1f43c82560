// SPDX-License-Identifier: MIT
// Every n-th sample, and a limit to how fast a value may move.
//
// Samples come at a fixed period, so the limit is a step per sample: mantissa steps in Q16, from the
// generator. After a reset the first sample passes as it is.

const FRACTION_BITS = 16;
const HALF: i64 = 1 << (FRACTION_BITS - 1);

/** Samples left out before the next one passes. */
@unmanaged
export class DecimateState {
  left: i32;
}

/** Where the limited value is, Q16. */
@unmanaged
export class RateState {
  value: i64;
  started: i32;
  reserved: i32; // states stand in a row: each must keep the next one aligned
}

/** True for the first sample after a reset, and for every `every`-th one from there. */
export function passSample(state: DecimateState, every: i32): bool {
  const passes = state.left == 0;
  state.left = (passes ? every : state.left) - 1;
  return passes;
}

/** After a bad sample: the next one passes. */
export function resetDecimate(state: DecimateState): void {
  state.left = 0;
}

/** Moves towards the sample, by at most `step` (Q16, above 0); the value where it then is. */
export function limitRate(state: RateState, step: i64, sample: i32): i32 {
  const wanted = (<i64>sample) << FRACTION_BITS;
  if (!state.started) state.value = wanted;
  state.started = 1;
  state.value += min(max(wanted - state.value, -step), step);
  return <i32>((state.value + HALF) >> FRACTION_BITS);
}

/** After a bad sample: the next one is taken as it is. */
export function resetRate(state: RateState): void {
  state.started = 0;
}
