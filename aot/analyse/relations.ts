// SPDX-License-Identifier: MIT
// Conditions that hold: ranges, and `a < b` between two variables.

import type { Value } from "./evaluate.ts";
import { EXCHANGED, OPPOSITE, whenHolds } from "./compare.ts";
import type { Numbers, Term } from "./numbers.ts";
import { constant, isConstant, UNSIGNED_MOST } from "./range.ts";
import { rangeOf, refine, relationKey, type State } from "./state.ts";

/** True or false where relations decide a comparison, else undefined. */
export function decideByRelation(
  numbers: Numbers,
  state: State,
  op: string,
  [a, b]: readonly [Value, Value],
): boolean | undefined {
  if (isSumOf(numbers, state, a, b)) return COMPARED_WITH_SUM[op];
  if (isSumOf(numbers, state, b, a)) return COMPARED_WITH_SUM[EXCHANGED[op]!];
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

const COMPARED_WITH_SUM: Readonly<Record<string, boolean>> = {
  eq: false,
  ne: true,
  lt_u: true,
  le_u: true,
  gt_u: false,
  ge_u: false,
};

// b is a + d with d > 0, and the sum does not wrap: then a < b as unsigned.
function isSumOf(numbers: Numbers, state: State, a: Value, b: Value): boolean {
  const { op, left, right } = numbers.terms[b.number]!;
  if (op !== "i32.add" || (left !== a.number && right !== a.number)) return false;
  const { least, most } = rangeOf(numbers, state, left === a.number ? right : left);
  return least > 0 && a.range.most + most <= UNSIGNED_MOST;
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
  if (term.op === "select") return assumeChoice(numbers, state, term, truth);
  if (OPPOSITE[op] === undefined) return true;
  return assumeComparison(numbers, state, truth ? op : OPPOSITE[op]!, [term.left, term.right]);
}

// `c ? yes : no` is of a truth that one arm cannot have: then it is the other arm, and c is known too.
function assumeChoice(numbers: Numbers, state: State, term: Term, truth: boolean): boolean {
  const { left: yes, right: no } = numbers.terms[term.left]!;
  const [canBeYes, canBeNo] = [yes, no].map((arm) => {
    const { least, most } = rangeOf(numbers, state, arm);
    return truth ? most > 0 : least === 0;
  });
  if (canBeYes && canBeNo) return true;
  const chosen = canBeYes ? yes : no;
  return (
    (canBeYes || canBeNo) === true &&
    assume(numbers, state, term.right, canBeYes === true) &&
    assume(numbers, state, chosen, truth)
  );
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
