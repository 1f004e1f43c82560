// SPDX-License-Identifier: MIT
// Takes out coercions that change nothing where they stand.
//
// A coercion changes nothing by what may come, or by what is done with it. wasm2js writes | 0, >>> 0 and Math.imul wherever WebAssembly wraps. One is dropped where the range shows that
// nothing wraps, or where what is done with the value wraps by itself: "wrap" needs it modulo 2^32,
// "truth" whether it is 0, "index" as an index of a view, "number" exactly and never as true or false.
// (I1) In the context "wrap" a value stays exact as a double: whole and at most 2^53.

import { binary, type Expression, type MemberExpression, literal } from "../tree.ts";
import { effectsOf, isPure } from "./effects.ts";
import { assignTo, both, type Flow, type Here, readOf, when } from "./flow.ts";
import {
  ANY,
  combine,
  I32,
  isExact,
  isNone,
  isWithin,
  join,
  NONE,
  type Range,
  range,
  toI32,
  TRUTH,
  U32,
} from "./ranges.ts";
import { learn } from "./world.ts";

export type Context = "void" | "truth" | "wrap" | "index" | "exact" | "number";

export interface Evaluated {
  to: Expression;
  range: Range;
}

const VIEW_RANGES: Readonly<Record<string, Range>> = {
  HEAP8: range(-128, 127),
  HEAPU8: range(0, 255),
  HEAP16: range(-32768, 32767),
  HEAPU16: range(0, 65535),
  HEAP32: I32,
  HEAPU32: U32,
};
const INDEX: Range = { ...I32, high: U32.high };

/** An expression as short as its context allows, and what may come of it. */
export function evaluate(flow: Flow, here: Here, e: Expression, context: Context): Evaluated {
  switch (e.type) {
    case "Literal":
      return { to: e, range: literalRange(e.value) };
    case "Identifier":
      return { to: e, range: readOf(flow, here, e.name) };
    case "UnaryExpression":
      return unary(flow, here, e, context);
    case "BinaryExpression":
      return binaryOf(flow, here, e, context);
    case "LogicalExpression":
    case "ConditionalExpression":
      return choice(flow, here, e, context);
    case "AssignmentExpression":
      return assignment(flow, here, e);
    case "SequenceExpression": {
      const last = e.expressions.length - 1;
      const parts = e.expressions.map((part, i) =>
        evaluate(flow, here, part, i === last ? context : "void"),
      );
      return { to: { ...e, expressions: parts.map(({ to }) => to) }, range: parts[last]!.range };
    }
    case "CallExpression":
      return called(flow, here, e, context);
    case "MemberExpression":
      return { to: member(flow, here, e), range: viewRange(e) };
    default:
      return { to: e, range: ANY };
  }
}

function literalRange(value: unknown): Range {
  return typeof value === "number" && Number.isInteger(value) ? range(value, value) : ANY;
}

function viewRange(e: MemberExpression): Range {
  return (e.object.type === "Identifier" ? VIEW_RANGES[e.object.name] : undefined) ?? ANY;
}

function member(flow: Flow, here: Here, e: MemberExpression): MemberExpression {
  if (!e.computed) return e;
  return { ...e, property: evaluate(flow, here, e.property, "index").to };
}

function unary(
  flow: Flow,
  here: Here,
  e: Expression & { type: "UnaryExpression" },
  context: Context,
): Evaluated {
  if (e.operator === "!") {
    const { to } = evaluate(flow, here, e.argument, "truth");
    if (context === "truth" && to.type === "UnaryExpression" && to.operator === "!")
      return { to: to.argument, range: TRUTH };
    return { to: inverse(to) ?? { ...e, argument: to }, range: TRUTH };
  }
  const inner = evaluate(flow, here, e.argument, e.operator === "~" ? "wrap" : "exact");
  const to = { ...e, argument: inner.to };
  if (e.operator === "-" && isExact(inner.range))
    return { to, range: combine("-", range(0, 0), inner.range) };
  if (e.operator === "~") return { to, range: combine("-", range(-1, -1), toI32(inner.range)) };
  return { to, range: ANY };
}

/** `!(a == b)` and the like the other way round; a NaN would differ for < and >. */
function inverse(e: Expression): Expression | null {
  if (e.type !== "BinaryExpression") return null;
  const opposite = { "==": "!=", "!=": "==" }[e.operator];
  return opposite === undefined ? null : { ...e, operator: opposite };
}

// --- operators ---

type Binary = Expression & { type: "BinaryExpression" };

const valueOf = (e: Expression): number | null =>
  e.type === "Literal" && typeof e.value === "number" ? e.value : null;

function binaryOf(flow: Flow, here: Here, e: Binary, context: Context): Evaluated {
  const { operator } = e;
  if (/^[=!<>]=?=?$/.test(operator) && !/^(>>|<<)/.test(operator))
    return comparison(flow, here, e, context);
  if (/^[|^&]$|^(<<|>>>?)$/.test(operator)) return bits(flow, here, e, context);
  if (context === "wrap" && /^[-+]$/.test(operator)) {
    const loose = operands(flow, new Map(here), e, "wrap");
    if (isExact(loose.range)) return operands(flow, here, e, "wrap");
  }
  return operands(flow, here, e, "exact");
}

function operands(flow: Flow, here: Here, e: Binary, context: Context): Evaluated {
  const left = evaluate(flow, here, e.left, context);
  const right = evaluate(flow, here, e.right, context);
  return {
    to: { ...e, left: left.to, right: right.to },
    range: combine(e.operator, left.range, right.range),
  };
}

function comparison(flow: Flow, here: Here, e: Binary, context: Context): Evaluated {
  const { operator } = e;
  const isZero = valueOf(e.right) === 0 && /^[=!]=$/.test(operator);
  if (isZero && context === "truth") {
    const { to } = evaluate(flow, here, e.left, "truth");
    if (operator === "!=") return { to, range: TRUTH };
    return {
      to: inverse(to) ?? { type: "UnaryExpression", operator: "!", prefix: true, argument: to },
      range: TRUTH,
    };
  }
  const made = operands(flow, here, e, "exact");
  return { to: made.to, range: TRUTH };
}

function bits(flow: Flow, here: Here, e: Binary, context: Context): Evaluated {
  const left = evaluate(flow, here, e.left, "wrap");
  const right = evaluate(flow, here, e.right, "wrap");
  const by = valueOf(right.to);
  const made = combine(e.operator, left.range, right.range);
  const isNothing =
    by !== null && ((e.operator === "|" && by === 0) || (e.operator === ">>>" && by === 0));
  if (isNothing && mayStay(left.range, e.operator === "|" ? I32 : U32, context)) return left;
  if (e.operator === "&" && by !== null && by > 0 && (by & (by + 1)) === 0)
    if (isWithin(left.range, range(0, by)) && !(context === "number" && left.range.truth))
      return left;
  return { to: { ...e, left: left.to, right: right.to }, range: made };
}

// Whether a value needs no | 0 (I32) or >>> 0 (U32) where it is used.
function mayStay(value: Range, type: Range, context: Context): boolean {
  if (context === "number" && value.truth) return false;
  if (isWithin(value, type)) return true;
  if (context === "wrap") return isExact(value);
  if (context === "truth") return isWithin(value, range(-U32.high, U32.high));
  return context === "index" && type === I32 && isWithin(value, INDEX);
}

// --- choices ---

type Choice = Expression & { type: "LogicalExpression" | "ConditionalExpression" };

function choice(flow: Flow, here: Here, e: Choice, context: Context): Evaluated {
  if (e.type === "LogicalExpression") return logical(flow, here, e, context);
  const test = evaluate(flow, here, e.test, "truth");
  const [yes, no] = [when(flow, here, test.to, true), when(flow, here, test.to, false)];
  const a = evaluate(flow, yes, e.consequent, context);
  const b = evaluate(flow, no, e.alternate, context);
  replace(here, both(yes, no));
  const made = { ...e, test: test.to, consequent: a.to, alternate: b.to };
  if (isSameVariable(e.test, e.consequent))
    return {
      to: { type: "LogicalExpression", operator: "||", left: a.to, right: b.to },
      range: join(a.range, b.range),
    };
  const result = isNone(a.range) && isNone(b.range) ? NONE : join(a.range, b.range);
  const to = context === "number" ? made : shorter(made, context, test.range);
  return { to, range: to === made ? result : { ...result, truth: true } };
}

const isSameVariable = (a: Expression, b: Expression): boolean =>
  a.type === "Identifier" && b.type === "Identifier" && a.name === b.name;

// c ? a : 0 is c && a where c is 0 otherwise and false may stand for 0; likewise the others.
function shorter(
  e: Expression & { type: "ConditionalExpression" },
  context: Context,
  test: Range,
): Expression {
  const [yes, no] = [valueOf(e.consequent), valueOf(e.alternate)];
  const isTruth = context === "truth" || isWithin(test, TRUTH);
  const logical = (operator: "&&" | "||", left: Expression, right: Expression): Expression => ({
    type: "LogicalExpression",
    operator,
    left,
    right,
  });
  const not = (): Expression =>
    inverse(e.test) ?? { type: "UnaryExpression", operator: "!", prefix: true, argument: e.test };
  if (yes === 1 && no === 0 && isTruth) return e.test;
  if (yes === 0 && no === 1) return not();
  if (no === 0 && test.whole) return logical("&&", e.test, e.consequent);
  if (yes === 1 && isTruth) return logical("||", e.test, e.alternate);
  if (yes === 0) return logical("&&", not(), e.alternate);
  if (no === 1) return logical("||", not(), e.consequent);
  return e;
}

function logical(
  flow: Flow,
  here: Here,
  e: Expression & { type: "LogicalExpression" },
  context: Context,
): Evaluated {
  const left = evaluate(flow, here, e.left, context === "truth" ? "truth" : "exact");
  const after = when(flow, here, left.to, e.operator === "&&");
  const right = evaluate(flow, after, e.right, context === "truth" ? "truth" : "exact");
  replace(here, both(here, after));
  return { to: { ...e, left: left.to, right: right.to }, range: join(left.range, right.range) };
}

function replace(here: Here, by: Here): void {
  here.clear();
  for (const [name, known] of by) here.set(name, known);
}

// --- assignments and calls ---

function assignment(
  flow: Flow,
  here: Here,
  e: Expression & { type: "AssignmentExpression" },
): Evaluated {
  if (e.operator !== "=") throw new Error(`an assignment ${e.operator} before its time`);
  if (e.left.type === "Identifier") {
    const right = evaluate(flow, here, e.right, "exact");
    assignTo(flow, here, e.left.name, right.range);
    return { to: { ...e, right: right.to }, range: right.range };
  }
  if (e.left.type !== "MemberExpression") throw new Error(`an assignment to ${e.left.type}`);
  const left = member(flow, here, e.left);
  const isWhole = VIEW_RANGES[(e.left.object as { name: string }).name] !== undefined;
  const right = evaluate(flow, here, e.right, isWhole ? "wrap" : "exact");
  return { to: { ...e, left, right: right.to }, range: right.range };
}

function called(
  flow: Flow,
  here: Here,
  e: Expression & { type: "CallExpression" },
  context: Context,
): Evaluated {
  const { world } = flow;
  const name = e.callee.type === "Identifier" ? e.callee.name : "";
  if (name === "Math_imul") return imul(flow, here, e, context);
  const known = world.functions.get(name);
  const how: Context = known === undefined && world.imports.has(name) ? "number" : "exact";
  const given = e.arguments.map((operand) => evaluate(flow, here, operand, how));
  const callee = e.callee.type === "MemberExpression" ? member(flow, here, e.callee) : e.callee;
  const to: Expression = { ...e, callee, arguments: given.map(({ to: operand }) => operand) };
  if (known === undefined) return { to, range: name === "Math_clz32" ? range(0, 32) : ANY };
  if (!known.exported)
    known.declaration.params.forEach((parameter, i) =>
      learn(world, known.variables, parameter.name, given[i]?.range ?? ANY),
    );
  return { to, range: known.result };
}

// x * 0x9e3779b1 is (x * 0x9e37 << 16) + x * 0x79b1, exact as doubles, where x is short enough to stand twice.
function halves(left: Evaluated, right: Evaluated, context: Context): Evaluated | null {
  const by = valueOf(right.to) ?? (right.range.low === right.range.high ? right.range.low : null);
  if (by === null || !isWithin(left.range, I32) || !isPure(effectsOf(left.to))) return null;
  if (JSON.stringify(left.to).length > TWICE_MAX) return null;
  const times = (factor: number): Expression => binary("*", left.to, literal(factor));
  const high = binary("<<", times((by >>> 16) & 0xffff), literal(16));
  const sum = binary("+", high, times(by & 0xffff));
  const to = context === "wrap" ? sum : binary("|", sum, literal(0));
  return { to, range: context === "wrap" ? range(-(2 ** 49), 2 ** 49) : I32 };
}

const TWICE_MAX = 250; // of the tree as JSON: two short names and an operator

// A product that is exact as a double needs no imul.
function imul(
  flow: Flow,
  here: Here,
  e: Expression & { type: "CallExpression" },
  context: Context,
): Evaluated {
  const [left, right] = e.arguments.map((operand) => evaluate(flow, here, operand, "wrap"));
  const product = combine("*", left!.range, right!.range);
  const call: Evaluated = {
    to: { ...e, arguments: [left!.to, right!.to] },
    range: isWithin(product, I32) ? product : I32,
  };
  if (!isExact(product)) return halves(left!, right!, context) ?? call;
  const to: Expression = {
    type: "BinaryExpression",
    operator: "*",
    left: left!.to,
    right: right!.to,
  };
  if (mayStay(product, I32, context)) return { to, range: product };
  return {
    to: { type: "BinaryExpression", operator: "|", left: to, right: literal(0) },
    range: I32,
  };
}
