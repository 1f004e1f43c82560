// SPDX-License-Identifier: MIT
// Goal: two values of a channel compare as their type says.
// Method: edges of each type in turn.

import { hasMoved, isAbove, isNumber } from "../../../firmware/loop/compare";
import { TYPE_F32, TYPE_I32, TYPE_U32 } from "../../../firmware/wire/record";

function bits(value: f32): i32 {
  return reinterpret<i32>(value);
}

describe("comparing values", () => {
  it("takes the sign from the type", () => {
    expect<bool>(isAbove(TYPE_I32, -1, 1)).toBe(false);
    expect<bool>(isAbove(TYPE_U32, -1, 1)).toBe(true);
    expect<bool>(isAbove(TYPE_F32, bits(-1), bits(1))).toBe(false);
    expect<bool>(isAbove(TYPE_F32, bits(-1), bits(-2))).toBe(true);
  });

  it("is strict", () => {
    expect<bool>(isAbove(TYPE_I32, 5, 5)).toBe(false);
    expect<bool>(isAbove(TYPE_U32, 5, 5)).toBe(false);
    expect<bool>(isAbove(TYPE_F32, bits(5), bits(5))).toBe(false);
    expect<bool>(isAbove(TYPE_F32, bits(0), bits(-0.0))).toBe(false);
  });

  it("measures distances over the whole range without overflow", () => {
    expect<bool>(hasMoved(TYPE_I32, i32.MIN_VALUE, i32.MAX_VALUE, i32.MAX_VALUE)).toBe(true);
    expect<bool>(hasMoved(TYPE_I32, i32.MIN_VALUE, i32.MAX_VALUE, -1)).toBe(false, "2^32 - 1");
    expect<bool>(hasMoved(TYPE_U32, 0, -1, i32.MAX_VALUE)).toBe(true);
    expect<bool>(hasMoved(TYPE_F32, bits(3e38), bits(-3e38), bits(1))).toBe(true);
  });

  it("calls a distance that equals the dead band no move", () => {
    expect<bool>(hasMoved(TYPE_I32, 10, 20, 10)).toBe(false);
    expect<bool>(hasMoved(TYPE_I32, 10, 21, 10)).toBe(true);
    expect<bool>(hasMoved(TYPE_F32, bits(1.5), bits(1), bits(0.5))).toBe(false);
    expect<bool>(hasMoved(TYPE_F32, bits(1.5), bits(1), bits(0.25))).toBe(true);
  });

  it("knows NaN and the infinities by their bits, in floats only", () => {
    expect<bool>(isNumber(TYPE_F32, bits(f32.NaN))).toBe(false);
    expect<bool>(isNumber(TYPE_F32, bits(-f32.POSITIVE_INFINITY))).toBe(false);
    expect<bool>(isNumber(TYPE_F32, bits(f32.MAX_VALUE))).toBe(true);
    expect<bool>(isNumber(TYPE_U32, bits(f32.NaN))).toBe(true);
  });
});
