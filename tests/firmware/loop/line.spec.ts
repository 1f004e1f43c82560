// SPDX-License-Identifier: MIT
// Goal: a number of a line becomes steps of any channel, exactly.
// Method: digits, point and sign as a line would leave them, against the steps written by hand.

import { fieldSteps, LineField, STEPS_OVER } from "../../../firmware/loop/tap/match";

const FIELD = memory.data(offsetof<LineField>(), 8);

function steps(digits: i64, point: i32, negative: bool, decimals: i32): i64 {
  const field = changetype<LineField>(FIELD);
  field.digits = digits;
  field.decimals = point;
  field.negative = negative ? 1 : 0;
  field.overflow = 0;
  return fieldSteps(field, decimals);
}

describe("a number of a line in steps", () => {
  it("gains digits that the line lacks", () => {
    expect<i64>(steps(269, 1, false, 3)).toBe(26900);
    expect<i64>(steps(2, 0, true, 9)).toBe(-2000000000);
  });

  it("rounds digits that the channel lacks, half away from 0", () => {
    expect<i64>(steps(25, 1, false, 0)).toBe(3);
    expect<i64>(steps(25, 1, true, 0)).toBe(-3);
    expect<i64>(steps(24, 1, true, 0)).toBe(-2);
    expect<i64>(steps(99999999999999999, 17, false, 0)).toBe(1);
  });

  it("has 31 bits and a sign, no more", () => {
    expect<i64>(steps(2147483647, 0, false, 0)).toBe(2147483647);
    expect<i64>(steps(2147483648, 0, false, 0)).toBe(STEPS_OVER);
    expect<i64>(steps(2147483647, 0, true, 0)).toBe(-2147483647);
    expect<i64>(steps(99999999999999999, 0, false, 9)).toBe(STEPS_OVER);
  });
});
