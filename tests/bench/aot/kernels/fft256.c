// SPDX-License-Identifier: MIT
// A 256-point integer FFT in place, radix 2.

#include <stdint.h>

#define POINTS 256
static int32_t real[POINTS], imaginary[POINTS];
static int32_t sine[320]; // one and a quarter turns, 2^14 for 1, of parabolas

void native_prepare(void) {
  for (int i = 0; i < 320; i++) {
    int x = i & 127;
    int32_t value = (x * (128 - x)) << 2;
    sine[i] = i & 128 ? -value : value;
  }
}

static void reverse(void) {
  for (int i = 0, k = 0; i < POINTS; i++) {
    if (i < k) {
      int32_t held = real[i];
      real[i] = real[k];
      real[k] = held;
    }
    int bit = POINTS >> 1;
    while (bit >= 1 && k & bit) {
      k ^= bit;
      bit >>= 1;
    }
    k |= bit;
  }
}

static void transform(void) {
  reverse();
  for (int half = 1, step = POINTS >> 1; half < POINTS; half <<= 1, step >>= 1)
    for (int start = 0; start < POINTS; start += half << 1)
      for (int i = 0; i < half; i++) {
        int32_t c = sine[i * step + 64], s = sine[i * step];
        int a = start + i, b = a + half;
        int32_t r = (real[b] * c + imaginary[b] * s) >> 14;
        int32_t m = (imaginary[b] * c - real[b] * s) >> 14;
        real[b] = real[a] - r;
        imaginary[b] = imaginary[a] - m;
        real[a] += r;
        imaginary[a] += m;
      }
}

int32_t native_run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    for (int i = 0; i < POINTS; i++) {
      real[i] = ((i * 37 + round * 11) & 255) - 128;
      imaginary[i] = 0;
    }
    transform();
    for (int i = 0; i < POINTS; i++) sum = (sum * 31) ^ (uint32_t)real[i] ^ (uint32_t)imaginary[i];
  }
  return (int32_t)sum;
}
