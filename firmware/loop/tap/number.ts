// SPDX-License-Identifier: MIT
// A number of a meter as steps of a channel.
//
// Spec: SPEC.md §17. Exact: half a step away from 0, as a field of a line.

import { fieldSteps, LineField, STEPS_OVER } from "./match";

const DIGITS_MAX: i64 = 100_000_000_000_000_000; // 10^17: what fieldSteps() has room for
const SHIFT_MAX = 17;

/** digits x 10^-decimals in steps of 10^-wanted; beyond 32 bits: STEPS_OVER. `field` is room for it. */
export function numberSteps(field: LineField, digits: i64, decimals: i32, wanted: i32): i64 {
  if (digits == i64.MIN_VALUE) return STEPS_OVER;
  let size = abs<i64>(digits);
  // What is cut off here never decides a rounding: it is behind the digit that does.
  for (; size >= DIGITS_MAX; decimals--) size /= 10;
  if (decimals - wanted > SHIFT_MAX) return 0;
  field.digits = size;
  field.decimals = decimals;
  field.negative = digits < 0 ? 1 : 0;
  field.overflow = 0;
  return fieldSteps(field, wanted);
}
