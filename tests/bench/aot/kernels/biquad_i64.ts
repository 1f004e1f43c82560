// SPDX-License-Identifier: MIT
// Four biquads in a row, fixed point with 64-bit sums.

// b0, b1, b2, a1, a2 of each, 2^28 for 1.
const COEFFICIENTS: StaticArray<i32> = [
  1078976, 2157952, 1078976, 490872832, -225796608, 268435456, -536870912, 268435456, 520093696,
  -252706816, 5271552, 10543104, 5271552, 440401920, -196083712, 268435456, -536870912, 268435456,
  502267904, -241172480,
];
const state = new StaticArray<i64>(8);

function step(sample: i64): i64 {
  let x = sample;
  for (let stage = 0; stage < 4; stage++) {
    const c = stage * 5;
    const s = stage * 2;
    const y = (x * COEFFICIENTS[c] + state[s]) >> 28;
    state[s] = x * COEFFICIENTS[c + 1] + y * COEFFICIENTS[c + 3] + state[s + 1];
    state[s + 1] = x * COEFFICIENTS[c + 2] + y * COEFFICIENTS[c + 4];
    x = y;
  }
  return x;
}

export function run(n: i32): i32 {
  let seed: u32 = 9;
  let sum = 0;
  for (let i = 0; i < 8; i++) state[i] = 0;
  for (let i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    sum = (sum * 31) ^ (<i32>step(<i64>((<i32>seed) >> 12)));
  }
  return sum;
}
