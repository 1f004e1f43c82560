// SPDX-License-Identifier: MIT
// Small generator for jitter, tokens and message numbers: xorshift, 32 bits.
//
// Not for secrets. index.ts seeds it from the host's entropy, mixed with identity and boot number, so
// nodes spread their retries even where the host has no entropy. State: `random`.

namespace random {
  export let word: u32 = 0;
}

/** Mixes 32 more bits into the state; a seed of any value will do. */
export function randomMix(seed: u32): void {
  // The odd constant keeps small seeds apart; 0 would stay 0 for ever.
  const word = (random.word ^ seed) * 0x9e3779b1;
  random.word = word == 0 ? 1 : word;
  randomWord();
}

export function randomWord(): u32 {
  let word = random.word;
  word ^= word << 13;
  word ^= word >> 17;
  word ^= word << 5;
  random.word = word;
  return word;
}

/** A length between half of `delayMs` and all of it, so that nodes that fail together return apart. */
export function jittered(delayMs: u32): u32 {
  const half = delayMs >> 1;
  return half + (randomWord() % (half + 1));
}
