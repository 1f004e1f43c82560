// SPDX-License-Identifier: MIT
// Loops twice: once as they are, and once for when no index test can fail.
//
//   while (i < n) { ...; if (E(i) >= C) trap; ... }    E(i) = B + K * i modulo 2^32, B and K stay
//     ► if (guard) while (i < n) { ... } else the loop as it was
//
// The guard: 0 <= i and n are at most 2^16, B < 2^31, K < 2^15, and B + K * (n - 1) < C. Then B + K * i is below
// 2^32 as an integer for each i of a pass, so nothing wraps, it does not fall as i rises, and each E(i) is below
// C. With n = 0 there is no pass. In that copy a test stays as one that never holds, for the analysis alone.

import { copyExpression, copyInside, freshLabel, localsSet, sizeOf } from "../copy.ts";
import type { Binary, Expression, If, Loop, Module, Statement } from "../ir.ts";
import { containsLoop, eachStatement } from "../walk.ts";
import { type CountedLoop, countedLoop } from "./counted.ts";

const SAME = { local: (index: number): number => index, label: (label: number): number => label };
const SIZE_MAX = 400; // nodes of a loop that is written twice
const TESTS_MAX = 4; // guards are tested each time the loop is come to
const FORM_SIZE_MAX = 12; // nodes of B and of K
const COUNT_MOST = 2 ** 16;
const FACTOR_END = 2 ** 15;
const BASE_END = 2 ** 31;

interface Affine {
  base: Expression;
  factor: Expression; // of the counter
}

interface Test {
  at: number; // in the body
  form: Affine;
  end: number; // C
}

/** Writes loops of a module twice, but those in `split`; true when there was one. */
export function versionLoops(module: Module, split: ReadonlyMap<Loop, unknown>): boolean {
  let found = false;
  for (const func of module.functions) {
    const labels = { next: freshLabel(func) };
    const version = (list: readonly Statement[]): Statement[] =>
      list.map((statement): Statement => {
        if (statement.kind === "if") {
          statement.yes = version(statement.yes);
          statement.no = version(statement.no);
        }
        if (statement.kind !== "block" && statement.kind !== "loop") return statement;
        statement.body = version(statement.body);
        if (statement.kind === "block" || split.has(statement)) return statement;
        const twice = versionLoop(statement, labels);
        found ||= twice !== undefined;
        return twice ?? statement;
      });
    func.body = version(func.body);
  }
  return found;
}

// Undefined where there is nothing to win.
function versionLoop(loop: Loop, labels: { next: number }): Statement | undefined {
  const counted = countedLoop(loop);
  if (counted === undefined || !counted.signed || sizeOf(loop.body) > SIZE_MAX) return undefined;
  if (containsLoop(counted.choice.yes)) return undefined;
  const tests = testsOf(counted);
  if (tests.length === 0 || tests.length > TESTS_MAX) return undefined;
  const [fast] = copyInside([loop], labels.next);
  eachStatement([loop], () => labels.next++); // at least one for each label
  const { yes } = countedLoop(fast as Loop)!.choice;
  for (const { at } of tests) (yes[at] as If).never = true;
  return { kind: "if", condition: guardOf(counted, tests), yes: [fast!], no: [loop] };
}

function testsOf({ choice, counter, changed }: CountedLoop): Test[] {
  const forms = new Map<number, Affine | undefined>([
    [counter, { base: number(0), factor: number(1) }],
  ]);
  for (const local of changed) if (local !== counter) forms.set(local, undefined);
  const tests: Test[] = [];
  choice.yes.slice(0, -2).forEach((statement, at) => {
    if (statement.kind === "setLocal") {
      forms.set(statement.index, affine(statement.value, forms));
      return;
    }
    const test = testOf(statement, forms);
    if (test !== undefined) tests.push({ at, ...test });
    for (const local of localsSet([statement])) forms.set(local, undefined);
  });
  return tests;
}

// `if (E >= C) unreachable`, unsigned, 0 < C < 2^31, with an E that the counter moves.
function testOf(
  statement: Statement,
  forms: ReadonlyMap<number, Affine | undefined>,
): Omit<Test, "at"> | undefined {
  if (statement.kind !== "if" || statement.never || statement.yes[0]?.kind !== "unreachable")
    return undefined;
  const { condition, no } = statement;
  if (no.length > 0 || condition.kind !== "binary" || condition.op !== "ge_u") return undefined;
  if (condition.operandType !== "i32" || condition.right.kind !== "const") return undefined;
  const end = Number(condition.right.value);
  const form = affine(condition.left, forms);
  if (form === undefined || end <= 0 || end >= BASE_END) return undefined;
  return isNumber(form.factor, 0) ? undefined : { form, end };
}

// A ring's rules: they hold modulo 2^32 whatever the values are.
function affine(
  node: Expression,
  forms: ReadonlyMap<number, Affine | undefined>,
): Affine | undefined {
  if (node.type !== "i32") return undefined;
  if (node.kind === "const") return { base: node, factor: number(0) };
  if (node.kind === "local") {
    if (forms.has(node.index)) return forms.get(node.index);
    return { base: node, factor: number(0) };
  }
  if (node.kind !== "binary" || !/^(add|sub|mul|shl)$/.test(node.op)) return undefined;
  const [left, right] = [affine(node.left, forms), affine(node.right, forms)];
  if (left === undefined || right === undefined) return undefined;
  const form = combine(node.op, left, right);
  if (form === undefined) return undefined;
  const size = sizeOf([form.base, form.factor].map((value) => ({ kind: "drop", value })));
  return size > FORM_SIZE_MAX ? undefined : form;
}

function combine(op: string, left: Affine, right: Affine): Affine | undefined {
  if (op === "add")
    return { base: sum(left.base, right.base), factor: sum(left.factor, right.factor) };
  if (op === "mul" && isNumber(left.factor, 0)) return combine("mul", right, left);
  if (!isNumber(right.factor, 0)) return undefined;
  if (op === "mul")
    return { base: product(left.base, right.base), factor: product(left.factor, right.base) };
  if (right.base.kind !== "const") return undefined;
  const by = Number(right.base.value);
  if (op === "sub") return { base: sum(left.base, number(-by)), factor: left.factor };
  const times = number(2 ** (by & 31));
  return { base: product(left.base, times), factor: product(left.factor, times) };
}

function guardOf({ counter, limit }: CountedLoop, tests: readonly Test[]): Expression {
  const start: Expression = { kind: "local", type: "i32", index: counter };
  const bounds = [start, limit].map((value) => binary("le_u", value, number(COUNT_MOST)));
  const last = sum(limit, number(-1));
  const parts = tests.flatMap(({ form: { base, factor }, end }) => [
    binary("lt_u", base, number(BASE_END)),
    binary("lt_u", factor, number(FACTOR_END)),
    binary("lt_u", sum(base, product(factor, last)), number(end)),
  ]);
  return copyExpression(
    [...bounds, ...parts].reduce((all, part) => binary("and", all, part)),
    SAME,
  );
}

function number(value: number): Expression {
  return { kind: "const", type: "i32", value: value >>> 0 };
}

function isNumber(node: Expression, value: number): boolean {
  return node.kind === "const" && Number(node.value) === value;
}

function sum(left: Expression, right: Expression): Expression {
  if (left.kind === "const" && right.kind === "const")
    return number(Number(left.value) + Number(right.value));
  if (isNumber(left, 0)) return right;
  return isNumber(right, 0) ? left : binary("add", left, right);
}

function product(left: Expression, right: Expression): Expression {
  if (left.kind === "const" && right.kind === "const")
    return number(Math.imul(Number(left.value), Number(right.value)));
  if (isNumber(left, 1) || isNumber(right, 0)) return right;
  return isNumber(right, 1) || isNumber(left, 0) ? left : binary("mul", left, right);
}

function binary(op: string, left: Expression, right: Expression): Binary {
  return { kind: "binary", op, type: "i32", operandType: "i32", left, right, offset: 0 };
}
