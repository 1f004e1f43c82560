// SPDX-License-Identifier: MIT
// wide.ts for JavaScript boards: whole numbers as doubles.
//
// Exact up to 2^53. A quotient of two such numbers, rounded to a double and then downwards, is the right one.

export type wide = f64;

const HIGH: f64 = 4294967296;

export function wideOf(high: u32, low: u32): wide {
  return (high as f64) * HIGH + (low as f64);
}

export function wideHigh(value: wide): u32 {
  return floor(value / HIGH) as u32;
}

export function wideLow(value: wide): u32 {
  return (value - floor(value / HIGH) * HIGH) as u32;
}

export function wideDivide(a: wide, b: wide): wide {
  return a < 0 ? -floor(-a / b) : floor(a / b);
}

export function wideShift(a: wide, bits: i32): wide {
  const size: i32 = 1 << bits;
  return floor(a / (size as f64));
}

// In two steps, since a × factor may be beyond 2^53.
export function wideScale(a: wide, factor: wide, divisor: wide): wide {
  const whole = wideDivide(a, divisor);
  return whole * factor + wideDivide((a - whole * divisor) * factor, divisor);
}
