// SPDX-License-Identifier: MIT
// A 256-point integer FFT in place, radix 2.

const POINTS = 256;
const real = new StaticArray<i32>(256);
const imaginary = new StaticArray<i32>(256);
const sine = new StaticArray<i32>(320); // one and a quarter turns, 2^14 for 1, of parabolas

export function prepare(): void {
  for (let i = 0; i < 320; i++) {
    const x = i & 127;
    const value = (x * (128 - x)) << 2;
    sine[i] = i & 128 ? -value : value;
  }
}

function reverse(): void {
  let k = 0;
  for (let i = 0; i < POINTS; i++) {
    if (i < k) {
      const held = real[i];
      real[i] = real[k];
      real[k] = held;
    }
    let bit = POINTS >> 1;
    while (bit >= 1 && k & bit) {
      k ^= bit;
      bit >>= 1;
    }
    k |= bit;
  }
}

function transform(): void {
  reverse();
  for (let half = 1, step = POINTS >> 1; half < POINTS; half <<= 1, step >>= 1) {
    for (let start = 0; start < POINTS; start += half << 1) {
      for (let i = 0; i < half; i++) {
        const c = sine[i * step + 64];
        const s = sine[i * step];
        const a = start + i;
        const b = a + half;
        const r = (real[b] * c + imaginary[b] * s) >> 14;
        const m = (imaginary[b] * c - real[b] * s) >> 14;
        real[b] = real[a] - r;
        imaginary[b] = imaginary[a] - m;
        real[a] += r;
        imaginary[a] += m;
      }
    }
  }
}

export function run(n: i32): i32 {
  let sum = 0;
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < POINTS; i++) {
      real[i] = ((i * 37 + round * 11) & 255) - 128;
      imaginary[i] = 0;
    }
    transform();
    for (let i = 0; i < POINTS; i++) sum = (sum * 31) ^ real[i] ^ imaginary[i];
  }
  return sum;
}
