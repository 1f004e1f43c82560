// SPDX-License-Identifier: MIT
// Expressions as one would write them: small values where they are used.
//
// Optimisers of WebAssembly share `t = c >> 1` between two uses; a compiler of C does that again where it
// pays, and sees more when it is not done for it. A set is put into its uses when it is constants applied to
// one local; uses end where that local or the set one changes. Nodes are shared, not copied, so that what is
// known of them holds.

import { branchesTo, localsSet } from "./copy.ts";
import type { Expression, Func, Statement } from "./ir.ts";
import { eachExpression, eachStatement, replaceExpressions, replaceOperands } from "./walk.ts";

type Values = Map<number, Expression>; // what locals are, as long as it can be said again

const CHEAP = /^(add|sub|shl|shr_u|shr_s|and)$/;
const FACTOR_MAX = 255; // that a Cortex-M0+ has as an immediate
const DEPTH_MAX = 2;

/** Rewrites a body; `canTrap` says which values must be evaluated though nobody reads them. */
export function shapeBody(func: Func, canTrap: (node: Expression) => boolean): void {
  substituteIn(func.body, new Map());
  for (let removed = true; removed;) {
    const read = localsRead(func.body);
    const before = countSets(func.body);
    func.body = withoutUnread(func.body, read, canTrap);
    removed = countSets(func.body) < before;
  }
}

function substituteIn(list: readonly Statement[], values: Values): void {
  for (const statement of list) substituteStatement(statement, values);
}

function substituteStatement(node: Statement, values: Values): void {
  switch (node.kind) {
    case "block":
      substituteIn(node.body, values);
      if (branchesTo(node.body, node.label) > 0) forget(values, localsSet(node.body));
      return;
    case "loop":
      forget(values, localsSet(node.body));
      substituteIn(node.body, new Map(values));
      return;
    case "if": {
      node.condition = substitute(node.condition, values);
      const arms = [node.yes, node.no];
      for (const arm of arms) substituteIn(arm, new Map(values));
      return forget(values, localsSet([node]));
    }
    case "setLocal": {
      node.value = substitute(node.value, values);
      forget(values, new Set([node.index]));
      if (isCheap(node.value, DEPTH_MAX) && !reads(node.value, node.index))
        values.set(node.index, node.value);
      return;
    }
    default:
      replaceExpressions(node, (expression) => substitute(expression, values));
      forget(values, localsSet([node]));
  }
}

function substitute(node: Expression, values: Values): Expression {
  if (node.kind === "local") return values.get(node.index) ?? node;
  replaceOperands(node, (operand) => substitute(operand, values));
  return node;
}

function forget(values: Values, changed: ReadonlySet<number>): void {
  for (const [local, value] of values)
    if (changed.has(local) || [...changed].some((index) => reads(value, index)))
      values.delete(local);
}

function reads(node: Expression, index: number): boolean {
  if (node.kind === "local") return node.index === index;
  return node.kind === "binary" && (reads(node.left, index) || reads(node.right, index));
}

function isCheap(node: Expression, depth: number): boolean {
  if (node.kind !== "binary" || node.operandType !== "i32" || depth === 0) return false;
  if (node.right.kind !== "const") return false;
  const isSmall = node.op === "mul" && Number(node.right.value) <= FACTOR_MAX;
  if (!CHEAP.test(node.op) && !isSmall) return false;
  return node.left.kind === "local" || isCheap(node.left, depth - 1);
}

function localsRead(list: readonly Statement[]): Set<number> {
  const read = new Set<number>();
  eachStatement(list, (statement) =>
    eachExpression(statement, (node) => {
      if (node.kind === "local") read.add(node.index);
    }),
  );
  return read;
}

function countSets(list: readonly Statement[]): number {
  let count = 0;
  eachStatement(list, ({ kind }) => (count += kind === "setLocal" ? 1 : 0));
  return count;
}

function withoutUnread(
  list: readonly Statement[],
  read: ReadonlySet<number>,
  canTrap: (node: Expression) => boolean,
): Statement[] {
  return list.flatMap((node): Statement[] => {
    if (node.kind === "block" || node.kind === "loop")
      node.body = withoutUnread(node.body, read, canTrap);
    if (node.kind === "if") {
      node.yes = withoutUnread(node.yes, read, canTrap);
      node.no = withoutUnread(node.no, read, canTrap);
    }
    if (node.kind !== "setLocal" || read.has(node.index)) return [node];
    return canTrap(node.value) ? [{ kind: "drop", value: node.value }] : [];
  });
}
