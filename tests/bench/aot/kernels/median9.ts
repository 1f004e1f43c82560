// SPDX-License-Identifier: MIT
// A running median of nine samples by insertion into a sorted copy.

const history = new StaticArray<i32>(9);
const sorted = new StaticArray<i32>(9);

function median(): i32 {
  for (let i = 0; i < 9; i++) {
    const value = history[i];
    let k = i;
    while (k > 0 && sorted[k - 1] > value) {
      sorted[k] = sorted[k - 1];
      k--;
    }
    sorted[k] = value;
  }
  return sorted[4];
}

export function run(n: i32): i32 {
  let seed: u32 = 5;
  let position = 0;
  let sum = 0;
  for (let i = 0; i < 9; i++) history[i] = 0;
  for (let i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    history[position] = <i32>(seed >> 16);
    if (++position == 9) position = 0;
    sum = (sum * 31) ^ median();
  }
  return sum;
}
