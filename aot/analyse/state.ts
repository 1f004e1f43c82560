// SPDX-License-Identifier: MIT
// What is known at one point of a function: values of locals, and of values.
//
// (I1) a value has one range, found by its number: a test on one copy holds for all of them.
// (I2) cells and globals in `cells` hold the value named there until a store or call may change them.

import { binaryRange } from "./arithmetic.ts";
import { type Numbers, numberOfPlace } from "./numbers.ts";
import {
  ANY,
  isWithin,
  joinRanges,
  meetRanges,
  narrow,
  type Range,
  sameRange,
  SIGNED_LEAST,
  SIGNED_MOST,
  TRUTH,
  unsignedRange,
  widenRange,
} from "./range.ts";

export interface State {
  locals: number[]; // value numbers
  ranges: Map<number, Range>; // by value number, i32 only
  cells: Map<number, number>; // see cellKey
  relations: Set<number>; // see relationKey
}

/** Key of a memory cell; those of globals are negative. */
export function cellKey(address: number, bytes: number): number {
  return address * 16 + bytes;
}

export function globalKey(index: number): number {
  return -1 - index;
}

const RELATIONS = ["lt_u", "lt_s", "le_u", "le_s"];
const NUMBERS_MAX = 2 ** 25;

/** Key of `left op right`, or undefined when it is not kept. */
export function relationKey(op: string, left: number, right: number): number | undefined {
  const kind = RELATIONS.indexOf(op);
  if (kind < 0 || left >= NUMBERS_MAX || right >= NUMBERS_MAX) return undefined;
  return (left * NUMBERS_MAX + right) * RELATIONS.length + kind;
}

export function cloneState(state: State): State {
  return {
    locals: [...state.locals],
    ranges: new Map(state.ranges),
    cells: new Map(state.cells),
    relations: new Set(state.relations),
  };
}

const TERM_DEPTH_MAX = 4;

/** The range of a number: as noted, or from its operands. */
export function rangeOf(numbers: Numbers, state: State, number: number, depth = 0): Range {
  const noted = state.ranges.get(number);
  if (noted !== undefined) return noted;
  const { op, left, right, range } = numbers.terms[number]!;
  if (range !== undefined) return range;
  if (depth >= TERM_DEPTH_MAX) return ANY;
  if (op === "load1") return unsignedRange(0, 255);
  if (op === "load2") return unsignedRange(0, 65_535);
  if (/\.(eqz?|ne|[lg][te])(_[su])?$/.test(op)) return TRUTH;
  if (!op.startsWith("i32.") || right < 0) return ANY;
  return binaryRange(
    op.slice(4),
    rangeOf(numbers, state, left, depth + 1),
    rangeOf(numbers, state, right, depth + 1),
  );
}

/** Notes that a value is within a range, and what follows for its operands; false when it cannot be. */
export function refine(
  numbers: Numbers,
  state: State,
  number: number,
  within: Range | undefined,
): boolean {
  const before = rangeOf(numbers, state, number);
  const range = within === undefined ? undefined : meetRanges(before, within);
  if (range === undefined) return false;
  if (numbers.terms[number]!.range !== undefined) return true;
  const noted = state.ranges.get(number);
  if (noted !== undefined && sameRange(noted, range)) return true;
  state.ranges.set(number, range);
  return sameRange(before, range) || refineOperands(numbers, state, number, range);
}

function refineOperands(numbers: Numbers, state: State, number: number, range: Range): boolean {
  const { op, left, right } = numbers.terms[number]!;
  if (op !== "i32.add" && op !== "i32.sub" && op !== "i32.shl") return true;
  const a = rangeOf(numbers, state, left);
  const b = rangeOf(numbers, state, right);
  if (op === "i32.shl") {
    const factor = 2 ** (b.least & 31);
    if (b.least !== b.most || a.most * factor > 0xffff_ffff) return true;
    const ends = [Math.ceil(range.least / factor), Math.floor(range.most / factor)] as const;
    return refine(numbers, state, left, narrow(a, { unsigned: ends }));
  }
  if (op === "i32.sub") {
    if (!fits(a.leastSigned - b.mostSigned, a.mostSigned - b.leastSigned)) return true;
    return (
      refineSigned(numbers, state, left, [
        range.leastSigned + b.leastSigned,
        range.mostSigned + b.mostSigned,
      ]) &&
      refineSigned(numbers, state, right, [
        a.leastSigned - range.mostSigned,
        a.mostSigned - range.leastSigned,
      ])
    );
  }
  if (!fits(a.leastSigned + b.leastSigned, a.mostSigned + b.mostSigned)) return true;
  return (
    refineSigned(numbers, state, left, [
      range.leastSigned - b.mostSigned,
      range.mostSigned - b.leastSigned,
    ]) &&
    refineSigned(numbers, state, right, [
      range.leastSigned - a.mostSigned,
      range.mostSigned - a.leastSigned,
    ])
  );
}

function fits(least: number, most: number): boolean {
  return least >= SIGNED_LEAST && most <= SIGNED_MOST;
}

function refineSigned(
  numbers: Numbers,
  state: State,
  number: number,
  ends: readonly [number, number],
): boolean {
  const range = rangeOf(numbers, state, number);
  return refine(numbers, state, number, narrow(range, { signed: ends }));
}

/** What holds behind a place that several states reach; undefined when none does. */
export function joinStates(
  numbers: Numbers,
  place: object,
  states: readonly State[],
  fresh?: ReadonlySet<number>, // locals that get a number of their own in any case
): State | undefined {
  const [first, ...rest] = states;
  if (first === undefined) return undefined;
  if (rest.length === 0 && fresh === undefined) return cloneState(first);
  const joined: State = {
    locals: [],
    ranges: joinNoted(first, rest),
    cells: new Map(),
    relations: new Set(
      [...first.relations].filter((key) => rest.every((s) => s.relations.has(key))),
    ),
  };
  const join = (slot: number, values: readonly number[], own: boolean): number => {
    if (!own && values.every((value) => value === values[0])) return values[0]!;
    const number = numberOfPlace(numbers, "join", place, slot);
    const range = states
      .map((state, i) => rangeOf(numbers, state, values[i]!))
      .reduce((a, b) => joinRanges(a, b));
    joined.ranges.set(number, range);
    return number;
  };
  joined.locals = first.locals.map((_, slot) =>
    join(
      slot,
      states.map(({ locals }) => locals[slot]!),
      fresh?.has(slot) ?? false,
    ),
  );
  for (const key of first.cells.keys()) {
    const values = states.map(({ cells }) => cells.get(key));
    if (values.includes(undefined)) continue;
    const slot = key < 0 ? 1_000_000 - key : 2_000_000 + key;
    joined.cells.set(key, join(slot, values as number[], false));
  }
  return joined;
}

function joinNoted(first: State, rest: readonly State[]): Map<number, Range> {
  const ranges = new Map<number, Range>();
  for (const [number, range] of first.ranges) {
    let joined: Range | undefined = range;
    for (const state of rest) {
      const other = state.ranges.get(number);
      joined = other === undefined ? undefined : joinRanges(joined, other);
      if (joined === undefined) break;
    }
    if (joined !== undefined) ranges.set(number, joined);
  }
  return ranges;
}

/** True when all that `weaker` says holds in `state`. */
export function implies(numbers: Numbers, state: State, weaker: State): boolean {
  if (state.locals.some((value, slot) => value !== weaker.locals[slot])) return false;
  for (const [key, value] of weaker.cells) if (state.cells.get(key) !== value) return false;
  for (const key of weaker.relations) if (!state.relations.has(key)) return false;
  for (const [number, range] of weaker.ranges)
    if (!isWithin(rangeOf(numbers, state, number), range)) return false;
  return true;
}

/** Ranges of `next` that grew since `last`, moved on to thresholds. */
export function widenState(last: State, next: State, thresholds: readonly number[]): void {
  for (const [number, range] of next.ranges) {
    const before = last.ranges.get(number);
    if (before === undefined || isWithin(range, before)) continue;
    next.ranges.set(number, widenRange(before, range, thresholds));
  }
}
