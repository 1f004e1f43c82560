// SPDX-License-Identifier: MIT
// A PID controller in float, on cores that have no floating point.

#include <stdint.h>

int32_t native_run(int32_t n) {
  int32_t seed = 12345, sum = 0;
  float plant = 0, integral = 0, before = 0;
  for (int32_t i = 0; i < n; i++) {
    seed = (seed * 1103 + 12345) & 0xffff;
    float measured = plant + (float)((seed >> 8) - 128);
    float error = 20000.0f - measured;
    integral += error * 0.001f;
    if (integral > 20000.0f)
      integral = 20000.0f;
    else if (integral < -20000.0f)
      integral = -20000.0f;
    float slope = error - before;
    before = error;
    float effort = 0.75f * error + integral + 0.25f * slope;
    if (effort > 32767.0f)
      effort = 32767.0f;
    else if (effort < 0.0f)
      effort = 0.0f;
    plant += (effort - plant) * 0.0625f;
    sum = ((sum * 31) ^ (int32_t)effort) & 0xffff;
  }
  return sum;
}
