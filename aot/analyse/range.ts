// SPDX-License-Identifier: MIT
// What is known of a 32-bit value: two intervals, its low bits, its holes.
//
// They are views of one set of values, and each narrows the others. A range is never empty and never
// changed: `undefined` stands for the empty set, so that a contradiction is seen where it arises.
// (I1) a value is in the set when it is in both intervals, in one of `parts`, and its `bits` low bits are `low`.
// (I2) parts are two or more, from `least` to `most`.

import { intersectionOf, isInside, type Part, type Parts, sameParts, unionOf } from "./parts.ts";

export interface Range {
  readonly least: number; // unsigned, 0..2^32-1
  readonly most: number;
  readonly leastSigned: number; // -2^31..2^31-1
  readonly mostSigned: number;
  readonly bits: number; // how many low bits are known, 0..32
  readonly low: number; // those bits
  readonly parts?: Parts; // unsigned
}

export const TWO_32 = 2 ** 32;
export const UNSIGNED_MOST = TWO_32 - 1;
export const SIGNED_LEAST = -(2 ** 31);
export const SIGNED_MOST = 2 ** 31 - 1;

/** Unsigned ends, signed ends, and low bits and parts when some are known. */
export interface Limits {
  unsigned?: readonly [number, number];
  signed?: readonly [number, number];
  bits?: number;
  low?: number;
  parts?: Parts | undefined;
}

/** The set within given limits, each view narrowed by the others; undefined when it is empty. */
export function makeRange(limits: Limits): Range | undefined {
  let [least, most] = limits.unsigned ?? [0, UNSIGNED_MOST];
  let [leastSigned, mostSigned] = limits.signed ?? [SIGNED_LEAST, SIGNED_MOST];
  const { bits = 0, low = 0 } = limits;
  let { parts } = limits;
  for (let round = 0; round < 2; round++) {
    if (leastSigned >= 0) {
      least = Math.max(least, leastSigned);
      most = Math.min(most, mostSigned);
    } else if (mostSigned < 0) {
      least = Math.max(least, leastSigned + TWO_32);
      most = Math.min(most, mostSigned + TWO_32);
    }
    if (bits > 0) [least, most] = atSteps([least, most], bits, low);
    if (parts !== undefined) {
      parts = partsWithin(parts, [least, most], bits, low);
      if (parts.length === 0) return undefined;
      [least, most] = [parts[0]![0], parts.at(-1)![1]];
    }
    if (most <= SIGNED_MOST) {
      leastSigned = Math.max(leastSigned, least);
      mostSigned = Math.min(mostSigned, most);
    } else if (least > SIGNED_MOST) {
      leastSigned = Math.max(leastSigned, least - TWO_32);
      mostSigned = Math.min(mostSigned, most - TWO_32);
    }
    if (least > most || leastSigned > mostSigned) return undefined;
  }
  if (least === most) return constant(least);
  const range = { least, most, leastSigned, mostSigned, bits, low };
  return parts === undefined || parts.length === 1 ? range : { ...range, parts };
}

// The ends moved inwards, on to values with given low bits.
function atSteps([least, most]: Part, bits: number, low: number): Part {
  if (bits === 0) return [least, most];
  const step = 2 ** bits;
  return [least + modulo(low - least, step), most - modulo(most - low, step)];
}

function partsWithin(parts: Parts, ends: Part, bits: number, low: number): Parts {
  return intersectionOf(parts, [ends])
    .map((part) => atSteps(part, bits, low))
    .filter(([least, most]) => least <= most);
}

/** True for two or more constants that are no run: only so many can be told apart that it need not be widened. */
export function isFewConstants({ parts }: Range): boolean {
  return parts?.every(([least, most]) => least === most) ?? false;
}

/** The parts of a range, one when there is no hole. */
export function partsOf({ least, most, parts }: Range): Parts {
  return parts ?? [[least, most]];
}

/** Exactly one value. */
export function constant(value: number): Range {
  const unsigned = value >>> 0;
  const signed = value | 0;
  return {
    least: unsigned,
    most: unsigned,
    leastSigned: signed,
    mostSigned: signed,
    bits: 32,
    low: unsigned,
  };
}

export const ANY: Range = {
  least: 0,
  most: UNSIGNED_MOST,
  leastSigned: SIGNED_LEAST,
  mostSigned: SIGNED_MOST,
  bits: 0,
  low: 0,
};
export const TRUTH: Range = unsignedRange(0, 1);

export function unsignedRange(least: number, most: number, bits = 0, low = 0): Range {
  return makeRange({ unsigned: [least, most], bits, low }) ?? ANY;
}

export function signedRange(least: number, most: number, bits = 0, low = 0): Range {
  return makeRange({ signed: [least, most], bits, low }) ?? ANY;
}

export function isConstant(range: Range): boolean {
  return range.least === range.most;
}

export function sameRange(a: Range, b: Range): boolean {
  return (
    a === b ||
    (a.least === b.least &&
      a.most === b.most &&
      a.leastSigned === b.leastSigned &&
      a.mostSigned === b.mostSigned &&
      a.bits === b.bits &&
      a.low === b.low &&
      sameParts(a.parts, b.parts))
  );
}

/** True when every value of `a` is one of `b`. */
export function isWithin(a: Range, b: Range): boolean {
  return (
    a.least >= b.least &&
    a.most <= b.most &&
    a.leastSigned >= b.leastSigned &&
    a.mostSigned <= b.mostSigned &&
    a.bits >= b.bits &&
    lowBits(a.low, b.bits) === b.low &&
    (b.parts === undefined || isInside(partsOf(a), b.parts))
  );
}

/** The smallest range with the values of both. */
export function joinRanges(a: Range, b: Range): Range {
  if (a === b) return a;
  const differing = (a.low ^ b.low) >>> 0;
  const bits = Math.min(a.bits, b.bits, trailingZeros(differing));
  return (
    makeRange({
      parts: joinParts(a, b, 2 ** bits),
      unsigned: [Math.min(a.least, b.least), Math.max(a.most, b.most)],
      signed: [Math.min(a.leastSigned, b.leastSigned), Math.max(a.mostSigned, b.mostSigned)],
      bits,
      low: lowBits(a.low, bits),
    }) ?? ANY
  );
}

// Holes arise between constants: between intervals that a loop moves they would only cost time.
function joinParts(a: Range, b: Range, step: number): Parts | undefined {
  const some = a.parts !== undefined || b.parts !== undefined || (isConstant(a) && isConstant(b));
  return some ? unionOf([...partsOf(a), ...partsOf(b)], step) : undefined;
}

/** The values of both; undefined when there are none. */
export function meetRanges(a: Range, b: Range): Range | undefined {
  const [coarse, fine] = a.bits < b.bits ? [a, b] : [b, a];
  if (lowBits(fine.low, coarse.bits) !== coarse.low) return undefined;
  return makeRange({
    unsigned: [Math.max(a.least, b.least), Math.min(a.most, b.most)],
    signed: [Math.max(a.leastSigned, b.leastSigned), Math.min(a.mostSigned, b.mostSigned)],
    bits: fine.bits,
    low: fine.low,
    parts: a.parts === undefined ? b.parts : intersectionOf(a.parts, partsOf(b)),
  });
}

/** A range with narrower ends, or fewer parts. */
export function narrow(a: Range, limits: Limits): Range | undefined {
  const [least, most] = limits.unsigned ?? [0, UNSIGNED_MOST];
  const [leastSigned, mostSigned] = limits.signed ?? [SIGNED_LEAST, SIGNED_MOST];
  return makeRange({
    unsigned: [Math.max(a.least, least), Math.min(a.most, most)],
    signed: [Math.max(a.leastSigned, leastSigned), Math.min(a.mostSigned, mostSigned)],
    bits: a.bits,
    low: a.low,
    parts: limits.parts ?? a.parts,
  });
}

/** Moves each end of `next` that went beyond `last` on to the next of the thresholds, which are sorted; fills holes. */
export function widenRange(last: Range, next: Range, thresholds: readonly number[]): Range {
  const up = (value: number, most: number): number =>
    Math.min(thresholds.find((at) => at >= value) ?? most, most);
  const down = (value: number, least: number): number =>
    Math.max(thresholds.findLast((at) => at <= value) ?? least, least);
  return (
    makeRange({
      unsigned: [
        next.least < last.least ? down(next.least, 0) : next.least,
        next.most > last.most ? up(next.most, UNSIGNED_MOST) : next.most,
      ],
      signed: [
        next.leastSigned < last.leastSigned
          ? down(next.leastSigned, SIGNED_LEAST)
          : next.leastSigned,
        next.mostSigned > last.mostSigned ? up(next.mostSigned, SIGNED_MOST) : next.mostSigned,
      ],
      bits: next.bits,
      low: next.low,
    }) ?? ANY
  );
}

/** The given number of low bits of a value. */
export function lowBits(value: number, bits: number): number {
  return bits >= 32 ? value >>> 0 : (value & (2 ** bits - 1)) >>> 0;
}

/** Zeros below the lowest one, 32 for 0. */
export function trailingZeros(value: number): number {
  return value === 0 ? 32 : 31 - Math.clz32(value & -value);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
