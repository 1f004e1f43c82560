// SPDX-License-Identifier: MIT
// A running median of nine samples by insertion into a sorted copy.

#include <stdint.h>

static int32_t history[9], sorted[9];

static int32_t median(void) {
  for (int i = 0; i < 9; i++) {
    int32_t value = history[i];
    int k = i;
    while (k > 0 && sorted[k - 1] > value) {
      sorted[k] = sorted[k - 1];
      k--;
    }
    sorted[k] = value;
  }
  return sorted[4];
}

int32_t native_run(int32_t n) {
  uint32_t seed = 5, sum = 0;
  int position = 0;
  for (int i = 0; i < 9; i++) history[i] = 0;
  for (int32_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    history[position] = (int32_t)(seed >> 16);
    if (++position == 9) position = 0;
    sum = (sum * 31) ^ (uint32_t)median();
  }
  return (int32_t)sum;
}
