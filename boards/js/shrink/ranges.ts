// SPDX-License-Identifier: MIT
// Which numbers an expression can have: intervals, and the arithmetic on them.
//
// A range holds every value that may come; ANY also holds NaN and what is no number. `whole` says that only
// integers come, `truth` that JavaScript's true or false may come instead of 1 or 0. NONE: nothing comes.

export interface Range {
  low: number;
  high: number;
  whole: boolean;
  truth: boolean;
}

const EXACT_MAX = 2 ** 53; // integers up to here are exact as doubles

export const range = (low: number, high: number): Range => ({
  low,
  high,
  whole: true,
  truth: false,
});
export const ANY: Range = { low: -Infinity, high: Infinity, whole: false, truth: true };
export const NONE: Range = range(Infinity, -Infinity);
export const I32 = range(-(2 ** 31), 2 ** 31 - 1);
export const U32 = range(0, 2 ** 32 - 1);
export const TRUTH: Range = { low: 0, high: 1, whole: true, truth: true };

export const isNone = (r: Range): boolean => r.low > r.high;
export const isWithin = (r: Range, outer: Range): boolean =>
  isNone(r) || (r.whole && r.low >= outer.low && r.high <= outer.high);
/** Whether whole numbers, each exact as a double. */
export const isExact = (r: Range): boolean => isWithin(r, range(-EXACT_MAX, EXACT_MAX));
export const isSame = (a: Range, b: Range): boolean =>
  a.low === b.low && a.high === b.high && a.whole === b.whole && a.truth === b.truth;

export function join(a: Range, b: Range): Range {
  if (isNone(a)) return b;
  if (isNone(b)) return a;
  return {
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    whole: a.whole && b.whole,
    truth: a.truth || b.truth,
  };
}

export function meet(a: Range, b: Range): Range {
  return {
    low: Math.max(a.low, b.low),
    high: Math.min(a.high, b.high),
    whole: a.whole || b.whole,
    truth: a.truth && b.truth,
  };
}

const STEPS_LOW = [0, -1, -128, -32768, I32.low, -EXACT_MAX];
const STEPS_HIGH = [0, 1, 255, 65535, I32.high, U32.high, EXACT_MAX];

/** `next` with bounds that moved since `before` at the next of a few steps, so that loops come to an end. */
export function widen(before: Range, next: Range): Range {
  const { low, high } = next;
  return {
    ...next,
    low: low < before.low ? (STEPS_LOW.find((step) => step <= low) ?? -Infinity) : low,
    high: high > before.high ? (STEPS_HIGH.find((step) => step >= high) ?? Infinity) : high,
  };
}

/** What `operator` makes of two ranges. */
export function combine(operator: string, a: Range, b: Range): Range {
  if (/^([<>]=?|[!=]=)$/.test(operator)) return TRUTH;
  if (isNone(a) || isNone(b)) return NONE;
  switch (operator) {
    case "+":
      return arithmetic(a, b, [a.low + b.low, a.high + b.high]);
    case "-":
      return arithmetic(a, b, [a.low - b.high, a.high - b.low]);
    case "*":
      return arithmetic(a, b, [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]);
    case "/":
      return b.low === b.high && b.low > 0 && isExact(a)
        ? { low: a.low / b.low, high: a.high / b.low, whole: false, truth: false }
        : ANY;
    case "%":
      return remainder(a, b);
    case "|":
    case "^":
    case "&":
      return bitwise(operator, toI32(a), toI32(b));
    default:
      return shift(operator, a, b);
  }
}

function arithmetic(a: Range, b: Range, corners: number[]): Range {
  if (!isExact(a) || !isExact(b)) return ANY;
  const made = range(Math.min(...corners), Math.max(...corners));
  return isExact(made) ? made : ANY;
}

function remainder(a: Range, b: Range): Range {
  if (!isExact(a) || !isExact(b) || b.low <= 0) return ANY;
  const most = b.high - 1;
  return range(a.low >= 0 ? 0 : Math.max(a.low, -most), Math.max(0, Math.min(a.high, most)));
}

/** What `| 0` makes of it. */
export function toI32(a: Range): Range {
  if (isNone(a)) return NONE;
  if (a.low < I32.low || a.high > I32.high) return I32;
  return range(Math.trunc(a.low), Math.trunc(a.high));
}

const mask = (high: number): number => 2 ** (32 - Math.clz32(high)) - 1;

function bitwise(operator: string, a: Range, b: Range): Range {
  if (operator === "&") {
    if (a.low >= 0 && b.low >= 0) return range(0, Math.min(a.high, b.high));
    if (a.low >= 0 || b.low >= 0) return range(0, a.low >= 0 ? a.high : b.high);
    return I32;
  }
  if (a.low === 0 && a.high === 0) return b;
  if (b.low === 0 && b.high === 0) return a;
  if (a.low >= 0 && b.low >= 0) return range(0, mask(Math.max(a.high, b.high)));
  return I32;
}

function shift(operator: string, a: Range, b: Range): Range {
  const by = b.low === b.high ? b.low & 31 : null;
  const signed = toI32(a);
  if (operator === "<<") {
    if (by === null) return I32;
    const made = range(signed.low * 2 ** by, signed.high * 2 ** by);
    return isWithin(made, I32) ? made : I32;
  }
  if (operator === ">>" || signed.low >= 0) {
    if (by !== null) return range(signed.low >> by, signed.high >> by);
    return range(Math.min(0, signed.low), Math.max(0, signed.high));
  }
  if (isWithin(a, U32)) return range(a.low >>> (by ?? 31), by === null ? a.high : a.high >>> by);
  return range(0, by === null ? U32.high : U32.high >>> by);
}

/** `a` where `a operator b` is true. */
export function refine(operator: string, a: Range, b: Range): Range {
  if (!a.whole || !b.whole) return a;
  const all = range(-Infinity, Infinity);
  const bounds: Readonly<Record<string, Range>> = {
    "<": { ...all, high: b.high - 1 },
    "<=": { ...all, high: b.high },
    ">": { ...all, low: b.low + 1 },
    ">=": { ...all, low: b.low },
    "==": b,
  };
  const bound = bounds[operator];
  if (bound !== undefined) return { ...meet(a, bound), truth: a.truth };
  if (operator === "!=" && b.low === b.high) {
    if (a.low === b.low) return { ...a, low: a.low + 1 };
    if (a.high === b.low) return { ...a, high: a.high - 1 };
  }
  return a;
}
