// SPDX-License-Identifier: MIT
// Registers of 64 bits as the 32 bits of a channel.
//
// Spec: SPEC.md §19. An integer is divided by a power of ten and rounded, half a step away from 0; what is
// then beyond 32 bits is over or under range, never cut off. f64 becomes the nearest f32, ties to even, by
// integers only; what is beyond f32 is over or under range. No state.

import { CAUSE_NONE, CAUSE_OVER_RANGE, CAUSE_UNDER_RANGE } from "../../wire/record";

const WIDE_U64 = 0;
const WIDE_I64 = 1; // else f64
const ORDER_WORDS = 1; // the low word comes first
const ORDER_OCTETS = 2; // the octets of each word are swapped
const F32_INFINITY: u32 = 0x7f80_0000;
const F32_NAN: i32 = 0x7fc0_0000;

/** The value of the four registers at `at`; `kind` 0 u64, 1 i64, 2 f64. */
export function wideValue(at: usize, kind: i32, order: i32, divide: i32): i32 {
  const raw = bitsAt(at, order);
  if (kind == WIDE_U64) return <i32>divided(raw, divide);
  if (kind == WIDE_I64) {
    const negative = <i64>raw < 0;
    const magnitude = <i32>divided(magnitudeOf(raw), divide);
    return negative ? -magnitude : magnitude;
  }
  const bits = nearestF32(raw);
  // Infinite already is not a number, for those who look at the bits.
  return (bits & F32_INFINITY) == F32_INFINITY ? F32_NAN : <i32>bits;
}

/** CAUSE_NONE, or why the four registers are no value of 32 bits. */
export function wideCause(at: usize, kind: i32, order: i32, divide: i32): i32 {
  const raw = bitsAt(at, order);
  const negative = <i64>raw < 0;
  if (kind == WIDE_U64) return divided(raw, divide) >> 32 ? CAUSE_OVER_RANGE : CAUSE_NONE;
  if (kind == WIDE_I64) {
    const most: u64 = negative ? 0x8000_0000 : 0x7fff_ffff;
    if (divided(magnitudeOf(raw), divide) <= most) return CAUSE_NONE;
  } else {
    const finite = ((raw >> 52) & 0x7ff) != 0x7ff;
    if (!finite || (nearestF32(raw) & F32_INFINITY) != F32_INFINITY) return CAUSE_NONE;
  }
  return negative ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
}

function bitsAt(at: usize, order: i32): u64 {
  let bits: u64 = 0;
  for (let i = 0; i < 8; i++) {
    let from = order & ORDER_WORDS ? i ^ 6 : i;
    if (order & ORDER_OCTETS) from ^= 1;
    bits = (bits << 8) | load<u8>(at + from);
  }
  return bits;
}

function magnitudeOf(raw: u64): u64 {
  return <i64>raw < 0 ? 0 - raw : raw;
}

function divided(magnitude: u64, divide: i32): u64 {
  let by: u64 = 1;
  for (let i = 0; i < divide; i++) by *= 10;
  const rest = magnitude % by;
  return magnitude / by + (rest >= by - rest ? 1 : 0);
}

// Bits of the f32 nearest to an f64, ties to even; all exponent bits set where there is none.
function nearestF32(bits: u64): u32 {
  const sign = (<u32>(bits >> 32)) & 0x8000_0000;
  const power = (<i32>(bits >> 52)) & 0x7ff;
  const fraction = bits & 0x000f_ffff_ffff_ffff;
  if (power == 0x7ff) return sign | F32_INFINITY | (fraction != 0 ? 1 : 0);
  const exponent = power - 1023 + 127;
  if (exponent < -24) return sign; // below half of the least f32
  if (exponent > 254) return sign | F32_INFINITY;
  const significand = (power == 0 ? 0 : (<u64>1) << 52) | fraction;
  // A normal number keeps 24 bits of 53; one below 2^-126 a bit less for each power.
  const drop = <u64>(29 + (exponent < 1 ? 1 - exponent : 0));
  const half: u64 = ((<u64>1) << (drop - 1)) - 1;
  const kept = <u32>((significand + half + ((significand >> drop) & 1)) >> drop);
  // The leading bit of a normal number raises its exponent by one; so does rounding up to the next power.
  const head: u32 = exponent < 1 ? 0 : (<u32>(exponent - 1)) << 23;
  const magnitude = head + kept;
  return sign | (magnitude < F32_INFINITY ? magnitude : F32_INFINITY);
}
