// SPDX-License-Identifier: MIT
// Loops that count: `while (i < n) { ...; i += step }` with an n that stays.

import { branchesTo, localsSet } from "../copy.ts";
import type { Binary, Expression, If, Loop, Statement } from "../ir.ts";
import { eachStatement } from "../walk.ts";

export interface CountedLoop {
  loop: Loop;
  choice: If; // whose arm is the body, its last statement the branch back
  counter: number; // local
  limit: Expression; // a constant, or a local that the loop does not set
  signed: boolean;
  step: number; // 1..STEP_MAX
  changed: ReadonlySet<number>; // locals set in the body
}

const STEP_MAX = 4096;

/** A loop as a counted one, or undefined. The counter is set once, right before the only branch back. */
export function countedLoop(loop: Loop): CountedLoop | undefined {
  const [choice, ...rest] = loop.body;
  if (choice?.kind !== "if" || rest.length > 0 || choice.no.length > 0) return undefined;
  const { condition, yes } = choice;
  const [increment, back] = yes.slice(-2);
  if (back?.kind !== "branch" || back.label !== loop.label) return undefined;
  if (condition.kind !== "binary" || increment?.kind !== "setLocal") return undefined;
  if (branchesTo(loop.body, loop.label) !== 1) return undefined;
  const test = testOf(condition);
  if (test === undefined || test.counter !== increment.index) return undefined;
  const step = stepOf(increment.value, test.counter);
  if (step === undefined || setsOf(yes, test.counter) !== 1) return undefined;
  const changed = localsSet(yes);
  if (test.limit.kind === "local" && changed.has(test.limit.index)) return undefined;
  return { loop, choice, step, changed, ...test };
}

// i < n or n > i.
function testOf(
  condition: Binary,
): { counter: number; limit: Expression; signed: boolean } | undefined {
  const { op, left, right, operandType } = condition;
  if (operandType !== "i32" || !/^[lg]t_/.test(op)) return undefined;
  const [counter, limit] = op.startsWith("lt") ? [left, right] : [right, left];
  if (counter.kind !== "local" || (limit.kind !== "local" && limit.kind !== "const"))
    return undefined;
  return { counter: counter.index, limit, signed: op.endsWith("_s") };
}

function stepOf(value: Expression, counter: number): number | undefined {
  if (value.kind !== "binary" || value.op !== "add" || value.operandType !== "i32")
    return undefined;
  const [part, step] =
    value.left.kind === "const" ? [value.right, value.left] : [value.left, value.right];
  if (part.kind !== "local" || part.index !== counter || step.kind !== "const") return undefined;
  const by = Number(step.value);
  return by >= 1 && by <= STEP_MAX ? by : undefined;
}

function setsOf(list: readonly Statement[], local: number): number {
  let count = 0;
  eachStatement(list, (statement) => {
    if (statement.kind === "setLocal" && statement.index === local) count++;
    if (statement.kind === "call" || statement.kind === "callIndirect")
      count += statement.results.filter((result) => result === local).length;
    if (statement.kind === "grow" && statement.result === local) count++;
  });
  return count;
}
