// SPDX-License-Identifier: MIT
// A PID controller in f32, on cores that have no floating point.

export function run(n: i32): i32 {
  let seed = 12345;
  let sum = 0;
  let plant: f32 = 0;
  let integral: f32 = 0;
  let before: f32 = 0;
  for (let i = 0; i < n; i++) {
    seed = (seed * 1103 + 12345) & 0xffff;
    const measured = plant + <f32>((seed >> 8) - 128);
    const error: f32 = 20000.0 - measured;
    integral += error * 0.001;
    if (integral > 20000.0) integral = 20000.0;
    else if (integral < -20000.0) integral = -20000.0;
    const slope = error - before;
    before = error;
    let effort: f32 = 0.75 * error + integral + 0.25 * slope;
    if (effort > 32767.0) effort = 32767.0;
    else if (effort < 0.0) effort = 0.0;
    plant += (effort - plant) * 0.0625;
    sum = ((sum * 31) ^ (<i32>effort)) & 0xffff;
  }
  return sum;
}
