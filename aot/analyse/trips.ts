// SPDX-License-Identifier: MIT
// Counted loops bound what grows along: a local that each pass adds something to.
//
// In a loop of at most T passes a local that is only set by `v = v + d`, outside of inner loops, stays within
// its start + T times what one pass may add, as long as that sum does not leave 32 bits. What d may be is
// known from the pass before: as the head holds for all passes up to one, the sum holds at its end.

import type { Expression, Loop, Statement } from "../ir.ts";
import { bodiesOf } from "../walk.ts";
import { countedLoop } from "./counted.ts";
import type { Run } from "./evaluate.ts";
import { narrow, SIGNED_LEAST, SIGNED_MOST } from "./range.ts";
import { rangeOf, type State } from "./state.ts";

export interface Growth {
  counter: number; // local
  limit: Expression;
  step: number;
  added: Map<number, Expression[]>; // by local: what is added to it
}

const PASSES_MAX = 1_000_000;

/** What grows in a loop, or undefined when it does not count. */
export function growthOf(loop: Loop): Growth | undefined {
  const counted = countedLoop(loop);
  if (counted === undefined || !counted.signed) return undefined;
  const { counter, limit, step, choice, changed } = counted;
  const added = new Map<number, Expression[]>();
  for (const local of changed) {
    const sums = local === counter ? undefined : sumsOf(choice.yes, local);
    if (sums !== undefined) added.set(local, sums);
  }
  return { counter, limit, step, added };
}

// The d of each `v = v + d`; undefined when v is set in any other way, or in a loop inside.
function sumsOf(list: readonly Statement[], local: number): Expression[] | undefined {
  const sums: Expression[] = [];
  for (const statement of list) {
    const found = sumsIn(statement, local);
    if (found === undefined) return undefined;
    sums.push(...found);
  }
  return sums;
}

function sumsIn(statement: Statement, local: number): Expression[] | undefined {
  switch (statement.kind) {
    case "setLocal": {
      if (statement.index !== local) return [];
      const added = addedTo(statement.value, local);
      return added === undefined ? undefined : [added];
    }
    case "call":
    case "callIndirect":
      return statement.results.includes(local) ? undefined : [];
    case "grow":
      return statement.result === local ? undefined : [];
    default: {
      const sums = bodiesOf(statement).map((body) => sumsOf(body, local));
      if (sums.includes(undefined)) return undefined;
      const all = sums.flatMap((part) => part!);
      return statement.kind === "loop" && all.length > 0 ? undefined : all;
    }
  }
}

function addedTo(value: Expression, local: number): Expression | undefined {
  if (value.kind !== "binary" || value.op !== "add" || value.operandType !== "i32")
    return undefined;
  const { left, right } = value;
  if (left.kind === "local" && left.index === local) return right;
  return right.kind === "local" && right.index === local ? left : undefined;
}

/** Narrows what a head knows of locals that grow; `head` is changed. */
export function narrowByTrips(run: Run, loop: Loop, entry: State, head: State): void {
  if (!run.growths.has(loop)) run.growths.set(loop, growthOf(loop));
  const growth = run.growths.get(loop);
  if (growth === undefined) return;
  const passes = passesMost(run, growth, entry);
  if (passes === undefined) return;
  const { numbers } = run.program;
  for (const [local, sums] of growth.added) {
    const start = rangeOf(numbers, entry, entry.locals[local]!);
    let [up, down] = [0, 0];
    for (const sum of sums) {
      const range = run.values.get(sum)?.range;
      up += Math.max(0, range?.mostSigned ?? 0);
      down += Math.min(0, range?.leastSigned ?? 0);
    }
    const least = start.leastSigned + passes * down;
    const most = start.mostSigned + passes * up;
    if (least < SIGNED_LEAST || most > SIGNED_MOST) continue;
    const number = head.locals[local]!;
    const known = narrow(rangeOf(numbers, head, number), { signed: [least, most] });
    if (known !== undefined) head.ranges.set(number, known);
  }
}

// The counter must not wrap on its way beyond the limit.
function passesMost(run: Run, { counter, limit, step }: Growth, entry: State): number | undefined {
  const { numbers } = run.program;
  const start = rangeOf(numbers, entry, entry.locals[counter]!).leastSigned;
  const end =
    limit.kind === "local"
      ? rangeOf(numbers, entry, entry.locals[limit.index]!).mostSigned
      : Number(limit.kind === "const" ? limit.value : 0) | 0;
  if (end > SIGNED_MOST - step) return undefined;
  const passes = Math.max(0, Math.ceil((end - start) / step));
  return passes > PASSES_MAX ? undefined : passes;
}
