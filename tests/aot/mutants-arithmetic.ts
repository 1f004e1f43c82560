// SPDX-License-Identifier: MIT
// Mutants of ranges and of i32 instructions on them.

import { element, get, last, type Mutant, n, op, p, q, set, when } from "./mutants.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const code = (text: string): { code: string }[] => [{ code: text }];

const BY = "const by = b.least & 31;\n  const bits = Math.max(0, a.bits - by);\n";
const FAR = BY.replace("b.least & 31", "Math.min(b.least, 31)");

const RANGE: Omit<Mutant, "file">[] = [
  {
    rule: "an upper end with known low bits is the last such value",
    old: "most - modulo(most - low, step)]",
    now: "most - step]",
    programs: last(28, low(28)),
  },
  {
    rule: "a join has the values of both sides",
    old: "unsigned: [Math.min(a.least, b.least), Math.max(a.most, b.most)],",
    now: "unsigned: [a.least, a.most],",
    programs: last(8, `${set(2, low(15))}; ${q}; if; ${set(2, n(3))}; end; ${get(2)}`),
  },
  {
    rule: "a join knows the low bits in which both agree",
    old: "const bits = Math.min(a.bits, b.bits, trailingZeros(differing));\n  return (",
    now: "const bits = Math.min(a.bits, b.bits);\n  return (",
    programs: code(`${set(2, n(64))}; ${p}; if; ${set(2, n(66))}; end; ${get(2)}; i32.load 0`),
  },
  {
    rule: "low bits contradict as far as both are known",
    old: "if (lowBits(fine.low, coarse.bits) !== coarse.low)",
    now: "if (fine.low !== coarse.low)",
    programs: code(op("eq", op("shl", p, n(1)), n(6))),
  },
  {
    rule: "zeros end below the lowest one",
    old: "31 - Math.clz32(value & -value)",
    now: "32 - Math.clz32(value & -value)",
    programs: code(`${low(0xfe)}; i32.load 0`),
  },
  {
    rule: "low bits are those of the mask",
    old: "(value & (2 ** bits - 1)) >>> 0",
    now: "(value & (2 ** bits - 2)) >>> 0",
    programs: code(op("eq", low(1, op("or", op("shl", p, n(1)), n(1))), n(1))),
  },
];

const ARITHMETIC: Omit<Mutant, "file">[] = [
  {
    rule: "a signed sum that may overflow says nothing",
    old: "const fits = signed[0] >= SIGNED_LEAST && signed[1] <= SIGNED_MOST;",
    now: "const fits = true;",
    programs: code(op("lt_s", op("add", low(0x7fff_ffff), n(1)), n(0))),
  },
  {
    rule: "an unsigned sum that may wrap says nothing",
    old: "turns === Math.floor(most / TWO_32) && Number.isSafeInteger(most)",
    now: "Number.isSafeInteger(most)",
    programs: code(op("lt_u", op("add", op("or", p, n(-16)), n(8)), n(16))),
  },
  {
    rule: "a difference is largest less the least",
    old: "[a.least - b.most, a.most - b.least]",
    now: "[a.least - b.least, a.most - b.most]",
    programs: last(9, op("sub", low(15), low(7, q))),
  },
  {
    rule: "a sum is as large as both parts",
    old: "a.mostSigned + b.mostSigned],\n      sumBits(a, b, a.low + b.low)",
    now: "a.mostSigned],\n      sumBits(a, b, a.low + b.low)",
    programs: last(8, op("add", low(7), low(7, q))),
  },
  {
    rule: "low bits of a difference are a difference",
    old: "sumBits(a, b, a.low - b.low)",
    now: "sumBits(a, b, a.low + b.low)",
    programs: code(low(3, op("sub", op("shl", p, n(2)), n(1)))),
  },
  {
    rule: "a product's ends are among four",
    old: "[Math.min(...products), Math.max(...products)]",
    now: "[products[0]!, products[3]!]",
    programs: code(
      op("lt_s", op("mul", op("sub", low(15), n(1)), op("sub", low(15, q), n(1))), n(1)),
    ),
  },
  {
    rule: "zeros of a product are those of both factors",
    old: "Math.min(31, lowZeros(a) + lowZeros(b))",
    now: "Math.min(31, lowZeros(a) + lowZeros(b) + 1)",
    programs: code(low(2, op("mul", p, n(2)))),
  },
  {
    rule: "a shift to the left brings as many zeros",
    old: "Math.min(32, a.bits + by)",
    now: "Math.min(32, a.bits + by + 1)",
    programs: code(low(2, op("shl", p, n(1)))),
  },
  {
    rule: "a shift to the left is by the distance modulo 32",
    old: "shiftLeft(a, b.least & 31)",
    now: "shiftLeft(a, Math.min(b.least, 31))",
    programs: code(low(14, op("shl", low(7), n(33)))),
  },
  {
    rule: "a shift to the right is by the distance modulo 32",
    old: `${BY}  return unsignedRange(`,
    now: `${FAR}  return unsignedRange(`,
    programs: last(8, op("shr_u", low(255), n(32))),
  },
  {
    rule: "an arithmetic shift is by the distance modulo 32",
    old: `${BY}  return signedRange(`,
    now: `${FAR}  return signedRange(`,
    programs: code(op("lt_s", op("shr_s", p, n(34)), n(-1))),
  },
  {
    rule: "a shift to the right by an unknown distance may be none",
    old: "return unsignedRange(0, a.most);",
    now: "return unsignedRange(0, a.most >>> 1);",
    programs: last(8, op("shr_u", low(15), q)),
  },
  {
    rule: "what is negative rises when it is shifted",
    old: "a.leastSigned >= 0 ? signedRange(0, a.mostSigned) : ANY",
    now: "signedRange(a.leastSigned, a.mostSigned)",
    programs: code(op("gt_s", op("shr_s", op("sub", low(4), n(8)), q), n(-4))),
  },
  {
    rule: "a mask bounds as unsigned",
    old: "const most = Math.min(a.most, b.most);\n  const common",
    now: "const most = Math.min(a.mostSigned, b.mostSigned);\n  const common",
    programs: code(op("lt_s", op("and", p, q), n(0))),
  },
  {
    rule: "zeros of a mask are zeros of the result",
    old: "const zeros = trailingZeros(mask.least);",
    now: "const zeros = trailingZeros(mask.least) + 1;",
    programs: [...code(`${low(0xfe)}; i32.load 0`), ...code(low(2, low(6)))],
  },
  {
    rule: "or fills bits below the highest",
    old: "2 ** (32 - Math.clz32(largest)) - 1",
    now: "largest",
    programs: ["or", "xor"].flatMap((name) => last(5, op(name, low(4), low(3, q)))),
  },
  {
    rule: "xor may be less than both",
    old: "bitwise(0, a, b, a.low ^ b.low)",
    now: "bitwise(Math.min(a.least, b.least), a, b, a.low ^ b.low)",
    programs: code(op("eqz", op("xor", op("or", low(3), n(8)), op("or", low(3, q), n(8))))),
  },
  {
    rule: "a quotient is largest by the least divisor",
    old: "Math.floor(a.most / Math.max(b.least, 1))",
    now: "Math.floor(a.most / b.most)",
    programs: last(32, op("div_u", low(63), op("or", low(3, q), n(1)))),
  },
  {
    rule: "a remainder is up to the divisor less 1",
    old: "Math.max(b.most - 1, 0)",
    now: "Math.max(b.most - 2, 0)",
    programs: last(8, op("rem_u", p, n(9))),
  },
  {
    rule: "a remainder by itself is 0",
    old: "if (a.most < b.least) return a;",
    now: "if (a.most <= b.least) return a;",
    programs: code(op("lt_u", op("rem_u", op("or", low(7), n(8)), n(15)), n(8))),
  },
  {
    rule: "a signed remainder has the sign of the dividend",
    old: "a.leastSigned >= 0 ? 0 : Math.max(-most, a.leastSigned)",
    now: "0",
    programs: code(op("lt_s", op("rem_s", p, n(8)), n(0))),
  },
  {
    rule: "a signed remainder is up to the divisor less 1",
    old: "const most = b.mostSigned - 1;",
    now: "const most = b.mostSigned - 2;",
    programs: last(8, low(15, op("rem_s", low(255), n(9)))),
  },
  {
    rule: "a divisor on both sides of 0 says nothing",
    old: "Range {\n  if (b.leastSigned <= 0)",
    now: "Range {\n  if (b.leastSigned === 0)",
    programs: code(
      `${set(2, op("div_s", low(127), op("sub", low(7, q), n(4))))}; ${op("gt_s", get(2), n(99))}`,
    ),
  },
  {
    rule: "128 becomes negative when its sign is extended",
    old: "operand.leastSigned >= -half && operand.mostSigned < half",
    now: "operand.leastSigned >= -half && operand.mostSigned <= half",
    programs: code(op("lt_s", op("extend8_s", op("add", low(127), n(1))), n(0))),
  },
  {
    rule: "127 stays when its sign is extended",
    old: "operand.most < half * 2 && operand.least >= half",
    now: "operand.most < half * 2 && operand.least >= 0",
    programs: code(op("lt_s", op("extend8_s", low(255)), n(0))),
  },
  {
    rule: "0 has 32 leading zeros",
    old: "return unsignedRange(0, 32);",
    now: "return unsignedRange(0, 31);",
    programs: last(32, op("clz", p)),
  },
  {
    rule: "only 0 is equal to 0",
    old: "operand.least > 0) return constant(0)",
    now: "operand.most > 0) return constant(0)",
    programs: code(op("eqz", p)),
  },
];

const COMPARE: Omit<Mutant, "file">[] = [
  {
    rule: "less is decided when no values are equal",
    old: "a.most < b.least ? true",
    now: "a.most <= b.least ? true",
    programs: code(op("lt_u", low(7), op("or", low(8, q), n(7)))),
  },
  {
    rule: "less as signed is decided by signed ends",
    old: "return a.mostSigned < b.leastSigned\n",
    now: "return a.most < b.least\n",
    programs: code(op("lt_s", low(7), n(-1))),
  },
  {
    rule: "not less is decided by the largest on the right",
    old: "a.least >= b.most ? false",
    now: "a.least >= b.least ? false",
    programs: code(op("lt_u", op("or", low(3), n(4)), op("or", low(8, q), n(4)))),
  },
  {
    rule: "what is less is up to the limit less 1",
    old: "narrow(a, { unsigned: [0, b.most - 1] })",
    now: "narrow(a, { unsigned: [0, b.most - 2] })",
    programs: last(8, p).map(({ code: text }) => ({ code: when(op("lt_u", p, n(9)), text) })),
  },
  {
    rule: "what is less or equal is up to the limit",
    old: "narrow(a, { unsigned: [0, b.most] })",
    now: "narrow(a, { unsigned: [0, b.most - 1] })",
    programs: code(when(op("le_u", p, n(8)), element(8, p))),
  },
  {
    rule: "what is less as signed may be negative",
    old: "narrow(a, { signed: [SIGNED_LEAST, b.mostSigned - 1] })",
    now: "narrow(a, { signed: [0, b.mostSigned - 1] })",
    programs: code(when(op("lt_s", p, n(8)), element(8, p))),
  },
  {
    rule: "what is more as signed is from the limit plus 1 on",
    old: "narrow(b, { signed: [a.leastSigned + 1, SIGNED_MOST] })",
    now: "narrow(b, { signed: [a.leastSigned + 2, SIGNED_MOST] })",
    programs: code(when(op("gt_s", p, n(0)), op("eq", p, n(1)))),
  },
  {
    rule: "what is more as unsigned is from the limit plus 1 on",
    old: "narrow(b, { unsigned: [a.least + 1, UNSIGNED_MOST] })",
    now: "narrow(b, { unsigned: [a.least + 2, UNSIGNED_MOST] })",
    programs: code(when(op("gt_u", p, n(4)), op("eq", p, n(5)))),
  },
  {
    rule: "unequal takes one value away",
    old: "narrow(a, { unsigned: [value + 1, UNSIGNED_MOST] })",
    now: "narrow(a, { unsigned: [value + 2, UNSIGNED_MOST] })",
    programs: code(when(op("ne", low(7), n(0)), op("eq", low(7), n(1)))),
  },
  {
    rule: "unequal to something takes nothing away",
    old: "if (!isConstant(b)) return a;",
    now: "if (b.bits > 32) return a;",
    programs: code(when(op("ne", low(7), low(7, q)), op("eqz", low(7)))),
  },
  {
    rule: "operands that were exchanged are exchanged back",
    old: "const [right, left] = whenHolds",
    now: "const [left, right] = whenHolds",
    programs: code(when(op("gt_u", low(15), n(12)), op("eq", low(15), n(13)))),
  },
  {
    rule: "not less is more or equal",
    old: 'lt_u: "ge_u",\n  ge_u: "lt_u"',
    now: 'lt_u: "gt_u",\n  ge_u: "lt_u"',
    programs: code(when(op("lt_u", p, n(8)), n(1), op("eq", p, n(8)))),
  },
];

export const ARITHMETIC_MUTANTS: Mutant[] = [
  ...RANGE.map((mutant) => ({ ...mutant, file: "analyse/range.ts" })),
  ...ARITHMETIC.map((mutant) => ({ ...mutant, file: "analyse/arithmetic.ts" })),
  ...COMPARE.map((mutant) => ({ ...mutant, file: "analyse/compare.ts" })),
];
