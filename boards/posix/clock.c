// SPDX-License-Identifier: MIT
// Microseconds since the process started, by the monotonic clock.

#include "posix.h"
#include <time.h>

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t clock_us(void) {
  static _Atomic uint64_t start;
  uint64_t none = 0;
  if (atomic_load(&start) == 0) atomic_compare_exchange_strong(&start, &none, now());
  return now() - atomic_load(&start);
}
