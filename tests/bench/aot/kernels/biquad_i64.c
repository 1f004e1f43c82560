// SPDX-License-Identifier: MIT
// Four biquads in a row, fixed point with 64-bit sums.

#include <stdint.h>

typedef struct {
  int32_t b0, b1, b2, a1, a2; // 2^28 for 1
} biquad_t;

static const biquad_t coefficients[4] = {
    {1078976, 2157952, 1078976, 490872832, -225796608},
    {268435456, -536870912, 268435456, 520093696, -252706816},
    {5271552, 10543104, 5271552, 440401920, -196083712},
    {268435456, -536870912, 268435456, 502267904, -241172480},
};
static int64_t state[4][2];

static int64_t step(int64_t x) {
  for (int stage = 0; stage < 4; stage++) {
    const biquad_t *c = &coefficients[stage];
    int64_t *s = state[stage];
    int64_t y = (x * c->b0 + s[0]) >> 28;
    s[0] = x * c->b1 + y * c->a1 + s[1];
    s[1] = x * c->b2 + y * c->a2;
    x = y;
  }
  return x;
}

int32_t native_run(int32_t n) {
  uint32_t seed = 9, sum = 0;
  for (int i = 0; i < 4; i++) state[i][0] = state[i][1] = 0;
  for (int32_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    sum = (sum * 31) ^ (uint32_t)step((int32_t)seed >> 12);
  }
  return (int32_t)sum;
}
