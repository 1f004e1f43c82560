// SPDX-License-Identifier: MIT
// A filter of second order in fixed point.
//
// Direct form I: y = b0 x + b1 x1 + b2 x2 - a1 y1 - a2 y2. Coefficients are Q28 from the generator, states
// of the output keep 28 bits of fraction, so that a cut-off far below the sample rate loses nothing.
// (I1) no sum leaves 63 bits: |x| < 2^31, the output of a Butterworth filter stays below 2.2 times that,
// and the five products below 2^28 * 2^31 * (4 + 4.4 + 2.2) < 2^63.

const FRACTION_BITS = 28;
const FRACTION_MASK: i64 = (1 << FRACTION_BITS) - 1;
const HALF: i64 = 1 << (FRACTION_BITS - 1);
const I32_LEAST: i64 = -2_147_483_648;
const I32_MOST: i64 = 2_147_483_647;

/** Coefficients, Q28; a0 is 1. */
@unmanaged
export class BiquadRow {
  b0: i32;
  b1: i32;
  b2: i32;
  a1: i32;
  a2: i32;
}

/** The two latest inputs, and outputs in Q28. */
@unmanaged
export class BiquadState {
  y1: i64;
  y2: i64;
  x1: i32;
  x2: i32;
}

/** As if `input` had come for ever and `output` were its answer: the same for a low-pass, 0 for a high-pass. */
export function startBiquad(state: BiquadState, input: i32, output: i32): void {
  state.x1 = input;
  state.x2 = input;
  state.y1 = (<i64>output) << FRACTION_BITS;
  state.y2 = state.y1;
}

/** One sample; the output is rounded, and cut to 32 bits where a filter overshoots. */
export function stepBiquad(row: BiquadRow, state: BiquadState, sample: i32): i32 {
  const forward =
    <i64>row.b0 * <i64>sample + <i64>row.b1 * <i64>state.x1 + <i64>row.b2 * <i64>state.x2;
  const y = forward - product(row.a1, state.y1) - product(row.a2, state.y2); // (I1)
  state.x2 = state.x1;
  state.x1 = sample;
  state.y2 = state.y1;
  state.y1 = y;
  return <i32>min(max((y + HALF) >> FRACTION_BITS, I32_LEAST), I32_MOST);
}

// Whole part and fraction apart: together they would need 92 bits.
function product(coefficient: i32, y: i64): i64 {
  const whole = y >> FRACTION_BITS;
  const fraction = y & FRACTION_MASK;
  return <i64>coefficient * whole + ((<i64>coefficient * fraction) >> FRACTION_BITS);
}
