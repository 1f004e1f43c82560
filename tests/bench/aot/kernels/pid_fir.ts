// SPDX-License-Identifier: MIT
// A fixed-point PID controller behind a FIR low pass of 16 taps.

const TAPS: StaticArray<i32> = [
  254, 512, 1034, 1700, 2400, 3015, 3480, 3989, 3989, 3480, 3015, 2400, 1700, 1034, 512, 254,
];
const ring = new StaticArray<i32>(16);

export function run(n: i32): i32 {
  let seed = 12345;
  let plant = 0;
  let integral = 0;
  let before = 0;
  let sum = 0;
  let position = 0;
  for (let i = 0; i < 16; i++) ring[i] = 0;
  for (let i = 0; i < n; i++) {
    seed = (seed * 1103 + 12345) & 0xffff;
    ring[position] = plant + (seed >> 8) - 128;
    let filtered = 0;
    let index = position;
    for (let k = 0; k < 16; k++) {
      filtered += TAPS[k] * ring[index];
      index = (index - 1) & 15;
    }
    position = (position + 1) & 15;
    const error = 20000 - (filtered >> 15);
    integral += error;
    if (integral > 1000000) integral = 1000000;
    else if (integral < -1000000) integral = -1000000;
    const slope = error - before;
    before = error;
    let effort = (200 * error + 12 * (integral >> 4) + 64 * slope) >> 8;
    if (effort > 32767) effort = 32767;
    else if (effort < 0) effort = 0;
    plant += (effort - plant) >> 4;
    sum = ((sum * 31) ^ effort) & 0xffff;
  }
  return sum;
}
