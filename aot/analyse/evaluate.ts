// SPDX-License-Identifier: MIT
// Expressions over what is known: number and range of their value.

import type { Binary, Bulk, Expression, Load, Loop, Statement, Store, Unary } from "../ir.ts";
import { binaryRange, unaryRange } from "./arithmetic.ts";
import { decide, OPPOSITE, whenHolds } from "./compare.ts";
import { cellRange, type MemoryFacts, tableRange } from "./memory.ts";
import { type Parts, unionOf } from "./parts.ts";
import { numberOf, numberOfConstant, numberOfPlace } from "./numbers.ts";
import type { Program, Summary } from "./program.ts";
import {
  ANY,
  constant,
  isConstant,
  joinRanges,
  lowBits,
  meetRanges,
  narrow,
  partsOf,
  type Range,
  signedRange,
  trailingZeros,
  TRUTH,
  unsignedRange,
} from "./range.ts";
import { decideByRelation } from "./relations.ts";
import type { Growth } from "./trips.ts";
import { cellKey, globalKey, rangeOf, refine, type State } from "./state.ts";

/** A value: its number, and its range when it is an i32. */
export interface Value {
  number: number;
  range: Range;
}

/** Where an access may go: addresses of its first octet, and what is proven of it. */
export interface Reach {
  first: number;
  last: number;
  bits: number; // of the address that are known, and those bits
  low: number;
  inBounds: boolean;
  bytes: number;
  parts: Parts; // addresses of its first octet, in ascending order
  behind?: number; // octet of the check, of an access nearby, that proves it
}

/** Octets that an instruction on a whole range may write, and read. */
export interface BulkSpans {
  target: readonly [start: number, end: number];
  source: readonly [start: number, end: number] | undefined;
  inBounds: boolean;
}

/** One function under analysis. */
export interface Run {
  program: Program;
  summary: Summary;
  state: State | undefined; // undefined where nothing gets to
  values: Map<Expression, Value>; // as last evaluated
  reaches: Map<Load | Store, Reach>;
  thresholds: Set<number>;
  checks: Map<number, { most: number; offset: number }>; // by number of the address: what is checked of it
  steps: Set<Statement>; // that something gets to
  labels: Map<number, State[]>; // states of branches to a label
  heads: Map<Loop, State>; // what holds at the head of a loop in every pass
  growths: Map<Loop, Growth | undefined>; // as narrowByTrips finds them
  spans: Map<Bulk, BulkSpans>;
  entered: Map<Loop, boolean>; // that start with a condition: whether it surely holds the first time
  recording: boolean; // the last time: heads are taken as they are and must prove true
  refuted: boolean; // they did not
}

const NOTHING: Value = { number: 0, range: ANY };
const TABLE_STRIDE_BITS_MAX = 12;

/** The value of an expression; the state is undefined behind a trap that is sure. */
export function evaluate(run: Run, node: Expression): Value {
  if (run.state === undefined) return NOTHING;
  const value = valueOf(run, node);
  const before = run.recording ? run.values.get(node) : undefined;
  const range = before === undefined ? value.range : joinRanges(before.range, value.range);
  run.values.set(node, { number: value.number, range });
  return value;
}

function valueOf(run: Run, node: Expression): Value {
  const { program, state } = run;
  const { numbers } = program;
  switch (node.kind) {
    case "const":
      if (node.type === "i32") return constantValue(run, Number(node.value));
      return { number: numberOf(numbers, `${node.type}.${node.value}`, 0), range: ANY };
    case "local":
      return known(run, state!.locals[node.index]!);
    case "global":
      return globalValue(run, node, node.index);
    case "load":
      return load(run, node);
    case "unary":
      return unary(run, node);
    case "binary":
      return binary(run, node);
    case "select": {
      const yes = evaluate(run, node.yes);
      const no = evaluate(run, node.no);
      const condition = evaluate(run, node.condition);
      if (run.state === undefined) return NOTHING;
      return choose(run, yes, no, condition);
    }
    case "memorySize":
      return { number: numberOfPlace(numbers, "size", node), range: ANY };
  }
}

export function constantValue({ program }: Run, value: number): Value {
  return { number: numberOfConstant(program.numbers, value), range: constant(value) };
}

function known(run: Run, number: number): Value {
  const range = rangeOf(run.program.numbers, run.state!, number);
  return isConstant(range) ? constantValue(run, range.least) : { number, range };
}

// A number whose range may have been narrowed by a test of an equal value.
function made(run: Run, number: number, range: Range): Value {
  if (isConstant(range)) return constantValue(run, range.least);
  const noted = run.state!.ranges.get(number);
  const both = noted === undefined ? range : (meetRanges(noted, range) ?? range);
  return isConstant(both) ? constantValue(run, both.least) : { number, range: both };
}

function globalValue(run: Run, node: Expression, index: number): Value {
  const { program, state } = run;
  const range = program.globals[index] ?? ANY;
  const key = globalKey(program.globalCells[index]!);
  const held = state!.cells.get(key);
  if (held !== undefined) return known(run, held);
  const number = numberOfPlace(program.numbers, "global", node);
  if (node.type === "i32") state!.ranges.set(number, range);
  state!.cells.set(key, number);
  return node.type === "i32" && isConstant(range)
    ? constantValue(run, range.least)
    : { number, range };
}

function unary(run: Run, node: Unary): Value {
  const operand = evaluate(run, node.operand);
  if (run.state === undefined) return NOTHING;
  const isInt = node.operandType === "i32";
  const number = numberOf(
    run.program.numbers,
    isInt && node.op === "eqz" ? "i32.eqz" : `${node.type}.${node.op}.${node.operandType}`,
    operand.number,
  );
  if (node.type !== "i32") return { number, range: ANY };
  const range = unaryRange(node.op, isInt ? operand.range : undefined);
  if (node.op.startsWith("extend") && range === operand.range) return operand;
  return made(run, number, range);
}

function binary(run: Run, node: Binary): Value {
  const a = evaluate(run, node.left);
  const b = evaluate(run, node.right);
  if (run.state === undefined) return NOTHING;
  const { numbers } = run.program;
  const number = numberOf(numbers, `${node.operandType}.${node.op}`, a.number, b.number);
  if (node.operandType !== "i32")
    return node.type === "i32" ? made(run, number, TRUTH) : { number, range: ANY };
  if (OPPOSITE[node.op] !== undefined) return compare(run, node.op, [a, b], number);
  if (/^(div|rem)/.test(node.op) && !divisorIsPossible(run, node.op, a, b)) return NOTHING;
  const range = binaryRange(node.op, a.range, b.range);
  if (node.op === "and" && isConstant(b.range) && masksNothing(a.range, b.range.least)) return a;
  return made(run, number, range);
}

function masksNothing(range: Range, mask: number): boolean {
  return ((mask + 1) & mask) === 0 && range.most <= mask;
}

// Behind a division its divisor is not 0.
function divisorIsPossible(run: Run, op: string, a: Value, b: Value): boolean {
  const [divisor] = whenHolds("ne", b.range, constant(0));
  const overflows =
    op === "div_s" &&
    isConstant(a.range) &&
    a.range.leastSigned === -(2 ** 31) &&
    b.range.mostSigned === -1 &&
    isConstant(b.range);
  if (overflows || divisor === undefined) run.state = undefined;
  else if (!refine(run.program.numbers, run.state!, b.number, divisor)) run.state = undefined;
  return run.state !== undefined;
}

function compare(run: Run, op: string, [a, b]: [Value, Value], number: number): Value {
  for (const { range } of [a, b])
    if (isConstant(range))
      for (const near of [-1, 0, 1]) run.thresholds.add(range.leastSigned + near);
  let truth = decide(op, a.range, b.range);
  if (a.number === b.number && a.number !== 0) truth ??= decide(op, constant(0), constant(0));
  truth ??= decideByRelation(run.program.numbers, run.state!, op, [a, b]);
  return truth === undefined ? made(run, number, TRUTH) : constantValue(run, Number(truth));
}

function choose(run: Run, yes: Value, no: Value, condition: Value): Value {
  if (condition.range.least > 0) return yes;
  if (condition.range.most === 0) return no;
  const { numbers } = run.program;
  const pair = numberOf(numbers, "pair", yes.number, no.number);
  const number = numberOf(numbers, "select", pair, condition.number);
  const range = joinRanges(
    underCondition(run, yes, condition, true),
    underCondition(run, no, condition, false),
  );
  return made(run, number, range);
}

// An arm that is an operand of the comparison has the range that its outcome leaves.
function underCondition(run: Run, arm: Value, condition: Value, truth: boolean): Range {
  const { op, left, right } = run.program.numbers.terms[condition.number]!;
  const plain = op.startsWith("i32.") ? op.slice(4) : "";
  if (OPPOSITE[plain] === undefined) return arm.range;
  const holds = truth ? plain : OPPOSITE[plain]!;
  const { numbers } = run.program;
  const ends = [left, right].map((number) => rangeOf(numbers, run.state!, number));
  const [a, b] = whenHolds(holds, ends[0]!, ends[1]!);
  if (arm.number === left) return a ?? arm.range;
  if (arm.number === right) return b ?? arm.range;
  return arm.range;
}

/** Where an access goes; undefined when it surely traps, and then so does the state. */
export function reachOf(run: Run, node: Load | Store, address: Value): Reach | undefined {
  const { memory, numbers } = run.program;
  const { displacement, bytes } = node;
  const limit = memory.bytesMax - bytes - displacement;
  let { range } = address;
  const inBounds = range.most + displacement + bytes <= memory.bytesMin;
  const check = run.checks.get(address.number);
  const behind = inBounds && check?.most === range.most ? { behind: check.offset } : {};
  if (!inBounds) {
    const within = limit < 0 ? undefined : narrow(range, { unsigned: [0, limit] });
    if (within === undefined || !refine(numbers, run.state!, address.number, within)) {
      run.state = undefined;
      return undefined;
    }
    range = within;
    run.checks.set(address.number, { most: limit, offset: node.offset });
  }
  const reach: Reach = {
    first: range.least + displacement,
    last: range.most + displacement,
    bits: range.bits,
    low: (range.low + displacement) % 2 ** range.bits,
    inBounds,
    bytes,
    parts: partsOf(range).map(([least, most]) => [least + displacement, most + displacement]),
    ...behind,
  };
  const before = run.recording ? run.reaches.get(node) : undefined;
  run.reaches.set(node, before === undefined ? reach : joinReaches(before, reach));
  return reach;
}

// One node in two places of the tree.
function joinReaches(a: Reach, b: Reach): Reach {
  const bits = Math.min(a.bits, b.bits, trailingZeros((a.low ^ b.low) >>> 0));
  return {
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    bits,
    low: lowBits(a.low, bits),
    inBounds: a.inBounds && b.inBounds,
    bytes: a.bytes,
    parts: unionOf([...a.parts, ...b.parts], 1) ?? [
      [Math.min(a.first, b.first), Math.max(a.last, b.last)],
    ],
    ...((a.behind ?? b.behind) !== undefined && { behind: a.behind ?? b.behind }),
  };
}

function load(run: Run, node: Load): Value {
  const address = evaluate(run, node.address);
  if (run.state === undefined) return NOTHING;
  const reach = reachOf(run, node, address);
  if (reach === undefined) return NOTHING;
  const { numbers } = run.program;
  if (node.type !== "i32") return { number: numberOfPlace(numbers, "load", node), range: ANY };
  return extendLoaded(run, node, rawLoad(run, node, address, reach));
}

// The octets read, zero-extended.
function rawLoad(run: Run, node: Load, address: Value, reach: Reach): Value {
  const { program, state } = run;
  const { numbers, memory } = program;
  const { first, last } = reach;
  const full = node.bytes === 4 ? ANY : unsignedRange(0, 256 ** node.bytes - 1);
  const kind = node.bytes === 4 ? "load" : `load${node.bytes}`;
  if (first === last) {
    const key = cellKey(first, node.bytes);
    const range = cellRange(memory, first, node.bytes) ?? full;
    if (isConstant(range)) return constantValue(run, range.least);
    const held = state!.cells.get(key);
    if (held !== undefined) return known(run, held);
    const number = numberOfPlace(numbers, kind, node);
    state!.ranges.set(number, range);
    state!.cells.set(key, number);
    return { number, range };
  }
  const found = contentsOf(memory, reach);
  if (found?.fixed === true)
    return made(run, numberOf(numbers, fixedOp(node), address.number), found.range);
  const number = numberOfPlace(numbers, kind, node);
  const range = found?.range ?? full;
  state!.ranges.set(number, range);
  return { number, range };
}

const fixedOp = ({ bytes, displacement }: Load): string => `table${bytes} ${displacement}`;

// What is at any of the places; fixed when no store reaches one, so that equal addresses hold equal values.
function contentsOf(
  memory: MemoryFacts,
  { parts, bits, bytes }: Reach,
): { range: Range; fixed: boolean } | undefined {
  const stride = Math.max(2 ** Math.min(bits, TABLE_STRIDE_BITS_MAX), 1);
  let all: Range | undefined;
  let fixed = true;
  for (const [first, last] of parts) {
    const table = tableRange(memory, { first, last, stride, bytes });
    const range = table ?? (first === last ? cellRange(memory, first, bytes) : undefined);
    if (range === undefined) return undefined;
    if (table === undefined) fixed = false;
    all = all === undefined ? range : joinRanges(all, range);
  }
  return all === undefined ? undefined : { range: all, fixed };
}

function extendLoaded(run: Run, node: Load, raw: Value): Value {
  if (!node.signed || node.bytes === 4) return raw;
  const half = 256 ** node.bytes / 2;
  if (raw.range.most < half) return raw;
  if (isConstant(raw.range)) return constantValue(run, raw.range.least - 2 * half);
  const number = numberOf(run.program.numbers, `signed${node.bytes}`, raw.number);
  return made(run, number, signedRange(-half, half - 1));
}
