// SPDX-License-Identifier: MIT
// Conditions that hold: ranges, and `a < b` between two variables.

import type { Value } from "./evaluate.ts";
import { OPPOSITE, whenHolds } from "./compare.ts";
import type { Numbers } from "./numbers.ts";
import { constant, isConstant } from "./range.ts";
import { rangeOf, refine, relationKey, type State } from "./state.ts";

/** True or false where relations decide a comparison, else undefined. */
export function decideByRelation(
  state: State,
  op: string,
  a: Value,
  b: Value,
): boolean | undefined {
  if (state.relations.size === 0) return undefined;
  const sign = op.at(-1)!;
  switch (op.slice(0, 2)) {
    case "lt":
      return isLess(state, sign, a, b) ? true : isLessOrSame(state, sign, b, a) ? false : undefined;
    case "gt":
      return isLess(state, sign, b, a) ? true : isLessOrSame(state, sign, a, b) ? false : undefined;
    case "le":
      return isLessOrSame(state, sign, a, b) ? true : isLess(state, sign, b, a) ? false : undefined;
    case "ge":
      return isLessOrSame(state, sign, b, a) ? true : isLess(state, sign, a, b) ? false : undefined;
    default:
      return isLess(state, "u", a, b) || isLess(state, "u", b, a) ? op === "ne" : undefined;
  }
}

function has(state: State, op: string, a: Value, b: Value): boolean {
  const key = relationKey(op, a.number, b.number);
  return key !== undefined && state.relations.has(key);
}

// Where both are below 2^31 the two orders agree: 0 <= a < b as signed says a < b as unsigned, and so on.
function holds(state: State, op: string, sign: string, a: Value, b: Value): boolean {
  if (has(state, `${op}_${sign}`, a, b)) return true;
  if (sign === "u") return a.range.leastSigned >= 0 && has(state, `${op}_s`, a, b);
  return b.range.leastSigned >= 0 && has(state, `${op}_u`, a, b);
}

function isLess(state: State, sign: string, a: Value, b: Value): boolean {
  return holds(state, "lt", sign, a, b);
}

function isLessOrSame(state: State, sign: string, a: Value, b: Value): boolean {
  return isLess(state, sign, a, b) || holds(state, "le", sign, a, b);
}

/** Notes that a condition is true or false; false when it cannot be. */
export function assume(numbers: Numbers, state: State, number: number, truth: boolean): boolean {
  const range = rangeOf(numbers, state, number);
  const [left] = whenHolds(truth ? "ne" : "eq", range, constant(0));
  if (left === undefined || !refine(numbers, state, number, left)) return false;
  const term = numbers.terms[number]!;
  const op = term.op.startsWith("i32.") ? term.op.slice(4) : "";
  if (op === "eqz") return assume(numbers, state, term.left, !truth);
  if ((op === "and" && truth) || (op === "or" && !truth)) {
    const both = [term.left, term.right];
    if (both.some((part) => rangeOf(numbers, state, part).most > 1)) return true;
    return both.every((part) => assume(numbers, state, part, truth));
  }
  if (OPPOSITE[op] === undefined) return true;
  return assumeComparison(numbers, state, truth ? op : OPPOSITE[op]!, [term.left, term.right]);
}

function assumeComparison(
  numbers: Numbers,
  state: State,
  op: string,
  [left, right]: [number, number],
): boolean {
  const a = rangeOf(numbers, state, left);
  const b = rangeOf(numbers, state, right);
  const [leftThen, rightThen] = whenHolds(op, a, b);
  if (!refine(numbers, state, left, leftThen) || !refine(numbers, state, right, rightThen))
    return false;
  if (!isConstant(a) && !isConstant(b)) addRelation(state, op, left, right);
  return true;
}

function addRelation(state: State, op: string, left: number, right: number): void {
  const greater = op.startsWith("g");
  const plain = greater ? op.replace("g", "l") : op;
  const key = greater ? relationKey(plain, right, left) : relationKey(plain, left, right);
  if (key !== undefined) state.relations.add(key);
}
