// SPDX-License-Identifier: MIT
// Loops in two parts: as far as no index test can fail, and what is left.
//
//   while (i < n) { ...; if (i >= C) trap; ... }
//     ► m = min(n, C); while (i < m) { ... }; if (i < n) { ...; trap }
//
// Both say the same whatever i, n and C are: the first runs the passes of the loop for which i < n and i < C.
// So nothing needs to be proven here; that the test cannot fail in the first part is for the analysis to find.
// Behind it i < n means i >= C, so that the pass which follows ends at the test: it is all that is left.

import { branchesTo, copyExpression, copyInside, freshLabel, sizeOf } from "../copy.ts";
import type { Binary, Expression, Func, If, Loop, Module, Statement } from "../ir.ts";
import { containsLoop } from "../walk.ts";
import { type CountedLoop, countedLoop } from "./counted.ts";
import type { Knowledge } from "./index.ts";
import { rangeAt } from "./simplify.ts";

const SAME = { local: (index: number): number => index, label: (label: number): number => label };
const SIZE_MAX = 400; // nodes of a loop: a second copy of its beginning is worth it

/** First parts of loops that were split, with what is tested before them. */
export type HoistedTests = ReadonlyMap<Loop, { counter: number; offset: number }>;

interface Splitting {
  known: Knowledge;
  hoisted: Map<Loop, { counter: number; offset: number }>;
}

/** Splits loops of a module; which ones. */
export function splitLoops(module: Module, known: Knowledge): HoistedTests {
  const splitting: Splitting = { known, hoisted: new Map() };
  for (const func of module.functions) func.body = splitIn(func, splitting, func.body);
  return splitting.hoisted;
}

function splitIn(func: Func, splitting: Splitting, list: readonly Statement[]): Statement[] {
  return list.flatMap((statement): Statement[] => {
    if (statement.kind === "if") {
      statement.yes = splitIn(func, splitting, statement.yes);
      statement.no = splitIn(func, splitting, statement.no);
    }
    if (statement.kind !== "block" && statement.kind !== "loop") return [statement];
    statement.body = splitIn(func, splitting, statement.body);
    return statement.kind === "loop" ? splitLoop(func, splitting, statement) : [statement];
  });
}

function splitLoop(func: Func, { known, hoisted }: Splitting, loop: Loop): Statement[] {
  const counted = countedLoop(loop);
  if (counted === undefined || !counted.signed || sizeOf(loop.body) > SIZE_MAX) return [loop];
  const at = counted.choice.yes.findIndex((statement) => bound(counted, statement) !== undefined);
  if (at < 0) return [loop];
  const test = counted.choice.yes[at]! as If;
  const most = bound(counted, test)!;
  const before = counted.choice.yes.slice(0, at);
  if (branchesTo(before, loop.label) > 0 || containsLoop(before)) return [loop];
  const limit = rangeAt(known, counted.limit)?.mostSigned ?? 2 ** 31 - 1;
  if (limit <= most) return [loop];
  const [trap] = test.yes;
  if (trap?.kind === "unreachable")
    hoisted.set(loop, { counter: counted.counter, offset: trap.offset });
  return parts(func, counted, before, test);
}

// The C of `if (i >= C) unreachable`, unsigned, 0 < C < 2^31.
function bound({ counter }: CountedLoop, statement: Statement): number | undefined {
  if (statement.kind !== "if" || statement.never || statement.yes[0]?.kind !== "unreachable")
    return undefined;
  const { condition, no } = statement;
  if (no.length > 0 || condition.kind !== "binary" || condition.op !== "ge_u") return undefined;
  const { left, right } = condition;
  if (left.kind !== "local" || left.index !== counter || right.kind !== "const") return undefined;
  const most = Number(right.value);
  return most > 0 && most < 2 ** 31 ? most : undefined;
}

function parts(
  func: Func,
  { loop, choice, counter, limit }: CountedLoop,
  before: readonly Statement[],
  test: If,
): Statement[] {
  const end = func.locals.push("i32") - 1;
  const copyOfLimit = (): Expression => copyExpression(limit, SAME);
  const counterNow = (): Expression => ({ kind: "local", type: "i32", index: counter });
  const most = (): Expression => copyExpression((test.condition as Binary).right, SAME);
  const least: Expression = {
    kind: "select",
    type: "i32",
    condition: less(copyOfLimit(), most()),
    yes: copyOfLimit(),
    no: most(),
  };
  const last: If = {
    kind: "if",
    condition: less(counterNow(), copyOfLimit()),
    yes: [...copyInside(before, freshLabel(func)), ...copyInside(test.yes, 0)],
    no: [],
  };
  choice.condition = less(counterNow(), { kind: "local", type: "i32", index: end });
  return [{ kind: "setLocal", index: end, value: least }, loop, last];
}

function less(left: Expression, right: Expression): Binary {
  return { kind: "binary", op: "lt_s", type: "i32", operandType: "i32", left, right, offset: 0 };
}
