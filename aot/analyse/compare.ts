// SPDX-License-Identifier: MIT
// Ranges and comparisons: what they decide, and what is known once one holds.
//
// Spec: WebAssembly 2.0 §4.3.2.

import {
  isConstant,
  lowBits,
  meetRanges,
  narrow,
  type Range,
  SIGNED_LEAST,
  SIGNED_MOST,
  UNSIGNED_MOST,
} from "./range.ts";

/** The comparison that holds exactly when this one does not. */
export const OPPOSITE: Readonly<Record<string, string>> = {
  eq: "ne",
  ne: "eq",
  lt_u: "ge_u",
  ge_u: "lt_u",
  gt_u: "le_u",
  le_u: "gt_u",
  lt_s: "ge_s",
  ge_s: "lt_s",
  gt_s: "le_s",
  le_s: "gt_s",
};

/** The comparison with its operands exchanged. */
export const EXCHANGED: Readonly<Record<string, string>> = {
  eq: "eq",
  ne: "ne",
  lt_u: "gt_u",
  gt_u: "lt_u",
  le_u: "ge_u",
  ge_u: "le_u",
  lt_s: "gt_s",
  gt_s: "lt_s",
  le_s: "ge_s",
  ge_s: "le_s",
};

/** True or false where the ranges decide a comparison, else undefined. */
export function decide(op: string, a: Range, b: Range): boolean | undefined {
  switch (op) {
    case "eq":
      if (isConstant(a) && isConstant(b)) return a.least === b.least;
      return meetRanges(a, b) === undefined ? false : undefined;
    case "lt_u":
      return a.most < b.least ? true : a.least >= b.most ? false : undefined;
    case "lt_s":
      return a.mostSigned < b.leastSigned
        ? true
        : a.leastSigned >= b.mostSigned
          ? false
          : undefined;
    case "gt_u":
    case "gt_s":
      return decide(EXCHANGED[op]!, b, a);
    default: {
      const opposite = decide(OPPOSITE[op]!, a, b);
      return opposite === undefined ? undefined : !opposite;
    }
  }
}

type Pair = [Range | undefined, Range | undefined];

/** Ranges of both operands when the comparison holds; undefined where nothing is left. */
export function whenHolds(op: string, a: Range, b: Range): Pair {
  switch (op) {
    case "lt_u":
      if (b.most === 0 || a.least === UNSIGNED_MOST) return [undefined, undefined];
      return [
        narrow(a, { unsigned: [0, b.most - 1] }),
        narrow(b, { unsigned: [a.least + 1, UNSIGNED_MOST] }),
      ];
    case "le_u":
      return [
        narrow(a, { unsigned: [0, b.most] }),
        narrow(b, { unsigned: [a.least, UNSIGNED_MOST] }),
      ];
    case "lt_s":
      if (b.mostSigned === SIGNED_LEAST || a.leastSigned === SIGNED_MOST)
        return [undefined, undefined];
      return [
        narrow(a, { signed: [SIGNED_LEAST, b.mostSigned - 1] }),
        narrow(b, { signed: [a.leastSigned + 1, SIGNED_MOST] }),
      ];
    case "le_s":
      return [
        narrow(a, { signed: [SIGNED_LEAST, b.mostSigned] }),
        narrow(b, { signed: [a.leastSigned, SIGNED_MOST] }),
      ];
    case "eq": {
      const both = meetRanges(a, b);
      return [both, both];
    }
    case "ne":
      return [without(a, b), without(b, a)];
    default: {
      const [right, left] = whenHolds(EXCHANGED[op]!, b, a);
      return [left, right];
    }
  }
}

// A constant is taken out only at an end, or when it is a part of its own.
function without(a: Range, b: Range): Range | undefined {
  if (!isConstant(b)) return a;
  const { least: value, leastSigned: signed } = b;
  if (lowBits(value, a.bits) !== a.low) return a;
  if (isConstant(a)) return a.least === value ? undefined : a;
  if (a.parts !== undefined) {
    const parts = a.parts.filter(([least, most]) => least !== value || most !== value);
    if (parts.length < a.parts.length) return narrow(a, { parts });
  }
  if (a.least === value) return narrow(a, { unsigned: [value + 1, UNSIGNED_MOST] });
  if (a.most === value) return narrow(a, { unsigned: [0, value - 1] });
  if (a.leastSigned === signed) return narrow(a, { signed: [signed + 1, SIGNED_MOST] });
  if (a.mostSigned === signed) return narrow(a, { signed: [SIGNED_LEAST, signed - 1] });
  return a;
}
