// SPDX-License-Identifier: MIT
// i32 instructions on ranges: what comes out of operands within theirs.
//
// Spec: WebAssembly 2.0 §4.3.2. A result may be too wide, never too narrow; whatever has no rule is ANY.

import { unionOf } from "./parts.ts";
import {
  ANY,
  constant,
  isConstant,
  lowBits,
  makeRange,
  narrow,
  partsOf,
  type Range,
  SIGNED_LEAST,
  SIGNED_MOST,
  signedRange,
  trailingZeros,
  TWO_32,
  UNSIGNED_MOST,
  unsignedRange,
} from "./range.ts";

type Rule = (a: Range, b: Range) => Range;

/** Range of a binary i32 instruction that is no comparison. */
export function binaryRange(op: string, a: Range, b: Range): Range {
  const rule = RULES[op];
  if (rule === undefined) return ANY;
  const whole = rule(a, b);
  if (a.parts === undefined && b.parts === undefined) return whole;
  if (partsOf(a).length * partsOf(b).length > PAIRS_MAX) return whole;
  const each = rangesOf(a).flatMap((left) => rangesOf(b).map((right) => rule(left, right)));
  const parts = unionOf(each.flatMap(partsOf), 2 ** whole.bits);
  return narrow(whole, { parts }) ?? whole;
}

const PAIRS_MAX = 32; // of parts, each of which is worked out

// A range for each of its parts that has values.
function rangesOf(range: Range): Range[] {
  if (range.parts === undefined) return [range];
  return range.parts.flatMap((ends) => narrow(range, { unsigned: ends }) ?? []);
}

const RULES: Record<string, Rule> = {
  add: (a, b) =>
    wrapped(
      [a.least + b.least, a.most + b.most],
      [a.leastSigned + b.leastSigned, a.mostSigned + b.mostSigned],
      sumBits(a, b, a.low + b.low),
    ),
  sub: (a, b) =>
    wrapped(
      [a.least - b.most, a.most - b.least],
      [a.leastSigned - b.mostSigned, a.mostSigned - b.leastSigned],
      sumBits(a, b, a.low - b.low),
    ),
  mul: multiply,
  shl: (a, b) => (isConstant(b) ? shiftLeft(a, b.least & 31) : ANY),
  shr_u: shiftRight,
  shr_s: shiftRightSigned,
  and,
  or: (a, b) =>
    isConstant(a) && isConstant(b)
      ? constant(a.least | b.least)
      : bitwise(Math.max(a.least, b.least), a, b, a.low | b.low),
  xor: (a, b) =>
    isConstant(a) && isConstant(b) ? constant(a.least ^ b.least) : bitwise(0, a, b, a.low ^ b.low),
  div_u: (a, b) =>
    b.most === 0
      ? ANY
      : unsignedRange(Math.floor(a.least / b.most), Math.floor(a.most / Math.max(b.least, 1))),
  div_s: divideSigned,
  rem_u: (a, b) => {
    if (a.most < b.least) return a;
    return unsignedRange(0, Math.min(a.most, Math.max(b.most - 1, 0)));
  },
  rem_s: (a, b) => {
    if (b.leastSigned <= 0) return ANY;
    const most = b.mostSigned - 1;
    return signedRange(
      a.leastSigned >= 0 ? 0 : Math.max(-most, a.leastSigned),
      a.mostSigned <= 0 ? 0 : Math.min(most, a.mostSigned),
    );
  },
};

/** Range of a unary instruction with an i32 result; `operand` is undefined when it is no i32. */
export function unaryRange(op: string, operand: Range | undefined): Range {
  if (op === "eqz") {
    if (operand !== undefined && operand.least > 0) return constant(0);
    return operand?.most === 0 ? constant(1) : unsignedRange(0, 1);
  }
  if (op === "clz" || op === "ctz" || op === "popcnt") return unsignedRange(0, 32);
  const width = /^extend(8|16)_s$/.exec(op)?.[1];
  if (width === undefined || operand === undefined) return ANY;
  const half = 2 ** (Number(width) - 1);
  if (operand.leastSigned >= -half && operand.mostSigned < half) return operand;
  if (operand.most < half * 2 && operand.least >= half)
    return signedRange(operand.least - 2 * half, operand.most - 2 * half);
  return signedRange(-half, half - 1);
}

interface Bits {
  bits: number;
  low: number;
}

function sumBits(a: Range, b: Range, low: number): Bits {
  const bits = Math.min(a.bits, b.bits);
  return { bits, low: lowBits(low % TWO_32, bits) };
}

// An interval of exact results, taken modulo 2^32 where all of it wraps alike; else nothing is known.
function wrapped(
  unsigned: readonly [number, number],
  signed: readonly [number, number],
  { bits, low }: Bits,
): Range {
  const [least, most] = unsigned;
  const turns = Math.floor(least / TWO_32);
  const alike = turns === Math.floor(most / TWO_32) && Number.isSafeInteger(most);
  const fits = signed[0] >= SIGNED_LEAST && signed[1] <= SIGNED_MOST;
  return (
    makeRange({
      unsigned: alike ? [least - turns * TWO_32, most - turns * TWO_32] : [0, UNSIGNED_MOST],
      signed: fits ? signed : [SIGNED_LEAST, SIGNED_MOST],
      bits,
      low,
    }) ?? ANY
  );
}

// Known zeros at the low end: of the product they add up.
function lowZeros(a: Range): number {
  return Math.min(a.bits, trailingZeros(a.low));
}

function multiply(a: Range, b: Range): Range {
  if (isConstant(a) && isConstant(b)) return constant(Math.imul(a.least, b.least));
  const common = Math.min(a.bits, b.bits);
  const zeros = Math.min(31, lowZeros(a) + lowZeros(b));
  const bits = Math.max(common, zeros);
  const low = common >= zeros ? lowBits(Math.imul(a.low, b.low), bits) : 0;
  const products = [a.leastSigned, a.mostSigned].flatMap((x) => [
    x * b.leastSigned,
    x * b.mostSigned,
  ]);
  return wrapped(
    [a.least * b.least, a.most * b.most],
    [Math.min(...products), Math.max(...products)],
    { bits, low },
  );
}

function shiftLeft(a: Range, by: number): Range {
  const factor = 2 ** by;
  const bits = Math.min(32, a.bits + by);
  return wrapped(
    [a.least * factor, a.most * factor],
    [a.leastSigned * factor, a.mostSigned * factor],
    { bits, low: lowBits(a.low << by, bits) },
  );
}

function shiftRight(a: Range, b: Range): Range {
  if (!isConstant(b)) return unsignedRange(0, a.most);
  const by = b.least & 31;
  const bits = Math.max(0, a.bits - by);
  return unsignedRange(a.least >>> by, a.most >>> by, bits, lowBits(a.low >>> by, bits));
}

function shiftRightSigned(a: Range, b: Range): Range {
  if (!isConstant(b)) return a.leastSigned >= 0 ? signedRange(0, a.mostSigned) : ANY;
  const by = b.least & 31;
  const bits = Math.max(0, a.bits - by);
  return signedRange(a.leastSigned >> by, a.mostSigned >> by, bits, lowBits(a.low >> by, bits));
}

function and(a: Range, b: Range): Range {
  if (isConstant(a) && isConstant(b)) return constant(a.least & b.least);
  const most = Math.min(a.most, b.most);
  const common = Math.min(a.bits, b.bits);
  const known = { bits: common, low: lowBits(a.low & b.low, common) };
  for (const [mask, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (!isConstant(mask)) continue;
    const zeros = trailingZeros(mask.least);
    if (other.bits > known.bits)
      Object.assign(known, { bits: other.bits, low: lowBits(other.low & mask.least, other.bits) });
    if (zeros > known.bits) Object.assign(known, { bits: Math.min(zeros, 31), low: 0 });
  }
  return unsignedRange(0, most, known.bits, known.low);
}

function bitwise(least: number, a: Range, b: Range, low: number): Range {
  const largest = Math.max(a.most, b.most);
  const most = largest === 0 ? 0 : 2 ** (32 - Math.clz32(largest)) - 1;
  const bits = Math.min(a.bits, b.bits);
  return unsignedRange(least, most, bits, lowBits(low, bits));
}

function divideSigned(a: Range, b: Range): Range {
  if (b.leastSigned <= 0) return ANY;
  const quotients = [a.leastSigned, a.mostSigned].flatMap((x) => [
    Math.trunc(x / b.leastSigned),
    Math.trunc(x / b.mostSigned),
  ]);
  return signedRange(Math.min(...quotients), Math.max(...quotients));
}
