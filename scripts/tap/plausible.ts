// SPDX-License-Identifier: MIT
// What neighbouring registers may hold, from how their values move.
//
// Evidence, never proof. f32: in one order every value seen is of a usual size and stays near the one before, or is round. u32: one word
// counted on when the other wrapped. i16: values on both sides of zero. The rest is u16. Four octets of state a pair
// of registers and order; bounded with the registers that are told.

import { ORDERS, valueOf, type Order, type ValueType } from "./value.ts";

export interface Guess {
  type: ValueType;
  order: Order;
}

export interface TypeWatch {
  /** Registers of one answer, from the one that `key` names on. */
  note(key: number, values: readonly number[]): void;
  /** What may begin at a register, the likeliest first; at least u16. */
  guess(key: number): Guess[];
}

interface Pair {
  words: number[]; // of the latest answer
  bad: number; // a bit for each order in which a value was odd
  jumped: number; // a bit for each order in which a value moved too far
  moved: number; // changes seen
  carried: number; // a bit for each order in which one word counted on
  aligned: boolean; // begins an even number of registers behind the first of a poll, as wide values do
}

interface Single {
  low: boolean; // was in the quarter above zero
  high: boolean; // was in the quarter below it, as i16
}

const PAIRS_MAX = 65_536;
const SIZE_MIN = 1e-5; // smaller measured values are written in another unit
const SIZE_MAX = 1e8;
const QUARTER = 16_384;
const WRAP = 32_768; // a word that fell by more than this has wrapped
const RATIO_MAX = 1024; // of one value and the next; octets in a wrong order scatter over 250 powers of two
const MOVES_MIN = 2; // in each, one in twelve stays that near by chance

export function createTypeWatch(): TypeWatch {
  const pairs = new Map<number, Pair>();
  const singles = new Map<number, Single>();
  return {
    note(key, values) {
      values.forEach((value, i) => {
        noteSingle(singles, key + i, value);
        const next = values[i + 1];
        if (next !== undefined) notePair(pairs, key + i, [value, next], i % 2 === 0);
      });
    },
    guess(key) {
      const pair = pairs.get(key);
      const single = singles.get(key);
      const type = single?.low && single.high ? "i16" : "u16";
      const narrow: Guess = { type, order: "ABCD" };
      if (pair === undefined) return [narrow];
      // What overlaps a value that moves is half of it, however round or smooth it looks.
      const overlapped = [key - 1, key + 1].map((other) => pairs.get(other)).filter(movesSmoothly);
      if (!pair.aligned && overlapped.some((other) => other?.aligned)) return [narrow];
      return [...guessPair(pair, overlapped.length === 0), narrow];
    },
  };
}

function noteSingle(singles: Map<number, Single>, key: number, value: number): void {
  let single = singles.get(key);
  if (single === undefined) {
    if (singles.size >= PAIRS_MAX) return;
    singles.set(key, (single = { low: false, high: false }));
  }
  if (value < QUARTER && value > 0) single.low = true;
  if (value >= 65_536 - QUARTER) single.high = true;
}

function notePair(pairs: Map<number, Pair>, key: number, words: number[], aligned: boolean): void {
  let pair = pairs.get(key);
  if (pair === undefined) {
    if (pairs.size >= PAIRS_MAX) return;
    pairs.set(key, (pair = { words, bad: 0, jumped: 0, moved: 0, carried: 0, aligned }));
    ORDERS.forEach((order, i) => (pair!.bad |= isOdd(valueOf(words, "f32", order)) ? 1 << i : 0));
    return;
  }
  pair.aligned ||= aligned;
  const { words: before } = pair;
  if (before[0] === words[0] && before[1] === words[1]) return;
  pair.moved++;
  ORDERS.forEach((order, i) => {
    const value = valueOf(words, "f32", order);
    if (isOdd(value)) pair.bad |= 1 << i;
    if (isJump(valueOf(before, "f32", order), value)) pair.jumped |= 1 << i;
    if (hasCarried(before, words, order)) pair.carried |= 1 << i;
  });
  pair.words = words;
}

function guessPair(pair: Pair, mayBeRound: boolean): Guess[] {
  return ORDERS.flatMap((order, i): Guess[] => {
    const isRound =
      mayBeRound && pair.moved < MOVES_MIN && isRoundFloat(valueOf(pair.words, "f32", order));
    const isFloat = (pair.bad & (1 << i)) === 0 && (isRound || isSmooth(pair, i));
    if (isFloat) return [{ type: "f32", order }];
    return pair.carried & (1 << i) ? [{ type: "u32", order }] : [];
  });
}

function isSmooth({ words, moved, jumped }: Pair, order: number): boolean {
  const isZero = words[0] === 0 && words[1] === 0;
  return moved >= MOVES_MIN && (jumped & (1 << order)) === 0 && !isZero;
}

function movesSmoothly(pair: Pair | undefined): boolean {
  return pair !== undefined && ORDERS.some((_, i) => !(pair.bad & (1 << i)) && isSmooth(pair, i));
}

function isOdd(value: number): boolean {
  const size = Math.abs(value);
  return value !== 0 && !(size >= SIZE_MIN && size <= SIZE_MAX);
}

// A measured value that rests near zero is noise: only its size is looked at.
function isJump(before: number, after: number): boolean {
  const ratio = Math.abs(after / before);
  return before !== 0 && after !== 0 && !(ratio < RATIO_MAX && ratio > 1 / RATIO_MAX);
}

// At most seven bits of the fraction are used, as set values have them: 20, 0.5, 101.5.
function isRoundFloat(value: number): boolean {
  const scratch = new DataView(new ArrayBuffer(4));
  scratch.setFloat32(0, value);
  return (scratch.getUint32(0) & 0xffff) === 0 && Math.abs(value) >= 0.1;
}

// The high word moved by one while the low one wrapped.
function hasCarried(before: readonly number[], after: readonly number[], order: Order): boolean {
  const from = valueOf(before, "u32", order);
  const to = valueOf(after, "u32", order);
  const low = (to & 0xffff) - (from & 0xffff);
  return Math.abs((to >>> 16) - (from >>> 16)) === 1 && Math.abs(low) > WRAP && from >>> 16 < 256;
}
