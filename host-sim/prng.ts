// SPDX-License-Identifier: MIT
// The one seeded generator; forkable by name.
//
// xoshiro128** (period 2^128 - 1), its state filled by a splitmix of the seed. A fork depends on the
// seed and its own name only, not on how many numbers were drawn: a new consumer disturbs no other.

export interface Prng {
  /** 0..2^32-1. */
  nextU32(): number;
  /** A whole number 0..count-1; count 1..2^32. */
  below(count: number): number;
  /** True with this probability, 0..1. A probability of 0 draws nothing. */
  chance(probability: number): boolean;
  /** Random octets. */
  fill(bytes: Uint8Array): void;
  /** An independent generator of that name. */
  fork(name: string): Prng;
}

/** A generator from a seed; the seed is taken modulo 2^32. */
export function createPrng(seed: number): Prng {
  return fromState(seed >>> 0);
}

function fromState(seed: number): Prng {
  const state = new Uint32Array(4);
  for (let i = 0; i < 4; i++) state[i] = mix((seed + Math.imul(i + 1, 0x9e3779b9)) >>> 0);
  state[0]! |= 1; // never all zero

  function nextU32(): number {
    const s1 = state[1]!;
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    state[2]! ^= state[0]!;
    state[3]! ^= s1;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= s1 << 9;
    state[3] = rotateLeft(state[3]!, 11);
    return result;
  }

  return {
    nextU32,
    below: (count) => Math.floor((nextU32() / 0x1_0000_0000) * count),
    chance: (probability) => probability > 0 && nextU32() / 0x1_0000_0000 < probability,
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) bytes[i] = nextU32() >>> 24;
    },
    fork: (name) => fromState(hashName(name, seed)),
  };
}

function rotateLeft(x: number, bits: number): number {
  return ((x << bits) | (x >>> (32 - bits))) >>> 0;
}

/** The finisher of MurmurHash3: each input bit reaches each output bit; a u32. */
export function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

// FNV-1a over the name, started at the mixed seed.
function hashName(name: string, seed: number): number {
  let hash = mix(seed ^ 0x811c9dc5);
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  }
  return mix(hash);
}
