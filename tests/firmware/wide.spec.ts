// SPDX-License-Identifier: MIT
// Goal: whole numbers as doubles are what they are in 64 bits.
// Method: both files side by side on random numbers of every size, and at the edges.

import * as doubles from "../../firmware/wide-double";
import * as wide from "../../firmware/wide";

const ROUNDS = 20_000;
const MOST: i64 = 1 << 53;

let state: u64 = 8;

// xorshift64, cut to a random number of bits.
function random(bits: i32): i64 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  const size = <i32>(1 + ((state >> 32) % bits));
  return <i64>(state >> (64 - size));
}

function signed(bits: i32): i64 {
  const value = random(bits);
  return state & 4 ? -value : value;
}

describe("doubles", () => {
  test("divide towards 0 as 64 bits do", () => {
    for (let i = 0; i < ROUNDS; i++) {
      const a = signed(53);
      const b = 1 + random(40);
      assert(<i64>doubles.wideDivide(<f64>a, <f64>b) == wide.wideDivide(a, b));
      const near = (a / b) * b - 1; // just below a multiple
      assert(<i64>doubles.wideDivide(<f64>near, <f64>b) == wide.wideDivide(near, b));
    }
  });

  test("shift downwards as 64 bits do", () => {
    for (let i = 0; i < ROUNDS; i++) {
      const a = signed(53);
      const bits = <i32>random(4);
      assert(<i64>doubles.wideShift(<f64>a, bits) == wide.wideShift(a, bits));
    }
  });

  test("scale as 64 bits do, beyond 2^53 in between", () => {
    for (let i = 0; i < ROUNDS; i++) {
      const a = signed(42);
      const b = 1 + random(26);
      const scaled = wide.wideScale(a, 1_000_000, b);
      if (scaled < MOST && scaled > -MOST)
        assert(<i64>doubles.wideScale(<f64>a, 1_000_000, <f64>b) == scaled);
    }
  });

  test("have the same halves", () => {
    for (let i = 0; i < ROUNDS; i++) {
      const a = i == 0 ? MOST : random(53);
      const high = wide.wideHigh(a);
      const low = wide.wideLow(a);
      assert(doubles.wideHigh(<f64>a) == high);
      assert(doubles.wideLow(<f64>a) == low);
      assert(<i64>doubles.wideOf(high, low) == a);
    }
  });
});
