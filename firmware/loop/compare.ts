// SPDX-License-Identifier: MIT
// Comparing two values of a channel: i32, u32, or the bits of an f32.
//
// Spec: SPEC.md §1.4 (type). No state. The only file of loop with f32 (T11): an f32 register has to be
// compared with limits and dead bands; the comparison is exact, the difference is rounded once.

import { USES_FLOATS, USES_UNSIGNED } from "../generated/uses";
import { wide } from "../wide";
import { TYPE_F32, TYPE_U32 } from "../wire/record";

/** True when `a` is above `b`, both of the given type. */
export function isAbove(type: i32, a: i32, b: i32): bool {
  if (USES_FLOATS && type == TYPE_F32) return reinterpret<f32>(a) > reinterpret<f32>(b);
  if (USES_UNSIGNED && type == TYPE_U32) return <u32>a > <u32>b;
  return a > b;
}

/** True when `a` and `b` are further apart than `deadband`, which is not negative. */
export function hasMoved(type: i32, a: i32, b: i32, deadband: i32): bool {
  if (USES_FLOATS && type == TYPE_F32) {
    const distance = abs<f32>(reinterpret<f32>(a) - reinterpret<f32>(b));
    return distance > reinterpret<f32>(deadband);
  }
  // 64 bits: two i32 may be 2^32 - 1 apart.
  const distance =
    USES_UNSIGNED && type == TYPE_U32 ? <wide>(<u32>a) - <wide>(<u32>b) : <wide>a - <wide>b;
  return abs<wide>(distance) > <wide>(<u32>deadband);
}

/** False for the f32 bits of NaN and of the infinities; integers are always numbers. */
export function isNumber(type: i32, value: i32): bool {
  return type != TYPE_F32 || (value & 0x7f80_0000) != 0x7f80_0000;
}
