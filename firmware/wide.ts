// SPDX-License-Identifier: MIT
// Whole numbers beyond 32 bits, up to 2^53 unless a place says more.
//
// On a JavaScript board wide-double.ts lies in place of this file: an engine has doubles, and 64 bits of a module
// cost it ten times the code. Both give the same results; what is larger than 2^53 says at its place why that is so.

export type wide = i64;

/** high × 2^32 + low. */
export function wideOf(high: u32, low: u32): wide {
  return ((high as i64) << 32) | low;
}

/** The upper 32 of 64 bits of a number that is not negative. */
export function wideHigh(value: wide): u32 {
  return (value >> 32) as u32;
}

/** The lower 32 of them. */
export function wideLow(value: wide): u32 {
  return value as u32;
}

/** a / b, towards 0. */
export function wideDivide(a: wide, b: wide): wide {
  return a / b;
}

/** a / 2^bits, downwards. */
export function wideShift(a: wide, bits: i32): wide {
  return a >> bits;
}

/** a × factor / divisor, towards 0; a up to 2^43, factor up to 2^20, divisor 1 to 2^26. */
export function wideScale(a: wide, factor: wide, divisor: wide): wide {
  return (a * factor) / divisor;
}
