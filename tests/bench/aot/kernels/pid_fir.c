// SPDX-License-Identifier: MIT
// A fixed-point PID controller behind a FIR low pass of 16 taps.

#include <stdint.h>

static const int32_t taps[16] = {254,  512,  1034, 1700, 2400, 3015, 3480, 3989,
                                 3989, 3480, 3015, 2400, 1700, 1034, 512,  254};
static int32_t ring[16];

int32_t native_run(int32_t n) {
  int32_t seed = 12345, plant = 0, integral = 0, before = 0, sum = 0, position = 0;
  for (int i = 0; i < 16; i++) ring[i] = 0;
  for (int32_t i = 0; i < n; i++) {
    seed = (seed * 1103 + 12345) & 0xffff;
    ring[position] = plant + (seed >> 8) - 128;
    int32_t filtered = 0, index = position;
    for (int k = 0; k < 16; k++) {
      filtered += taps[k] * ring[index];
      index = (index - 1) & 15;
    }
    position = (position + 1) & 15;
    int32_t error = 20000 - (filtered >> 15);
    integral += error;
    if (integral > 1000000)
      integral = 1000000;
    else if (integral < -1000000)
      integral = -1000000;
    int32_t slope = error - before;
    before = error;
    int32_t effort = (200 * error + 12 * (integral >> 4) + 64 * slope) >> 8;
    if (effort > 32767)
      effort = 32767;
    else if (effort < 0)
      effort = 0;
    plant += (effort - plant) >> 4;
    sum = ((sum * 31) ^ effort) & 0xffff;
  }
  return sum;
}
