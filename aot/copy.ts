// SPDX-License-Identifier: MIT
// Copies of statements, with labels of their own.

import type { Expression, Func, Statement } from "./ir.ts";
import { bodiesOf, eachStatement, expressionsOf, operandsOf } from "./walk.ts";

/** How a copy differs: what locals and labels become. */
export interface Renaming {
  local: (index: number) => number;
  label: (label: number) => number;
}

/** The first label that a function has not given out. */
export function freshLabel({ body }: Func): number {
  let next = 0;
  eachStatement(body, (statement) => {
    if (statement.kind === "block" || statement.kind === "loop")
      next = Math.max(next, statement.label + 1);
  });
  return next;
}

/** A copy in the same function: labels inside are new ones from `first` on, locals the same. */
export function copyInside(list: readonly Statement[], first: number): Statement[] {
  const labels = new Map<number, number>();
  eachStatement(list, (statement) => {
    if (statement.kind === "block" || statement.kind === "loop")
      labels.set(statement.label, first + labels.size);
  });
  return copyStatements(list, {
    local: (index) => index,
    label: (label) => labels.get(label) ?? label,
  });
}

export function copyStatements(list: readonly Statement[], renaming: Renaming): Statement[] {
  return list.map((statement) => copyStatement(statement, renaming));
}

function copyStatement(node: Statement, renaming: Renaming): Statement {
  const { local, label } = renaming;
  const one = (expression: Expression): Expression => copyExpression(expression, renaming);
  const many = (list: readonly Expression[]): Expression[] => list.map(one);
  switch (node.kind) {
    case "setLocal":
      return { ...node, index: local(node.index), value: one(node.value) };
    case "setGlobal":
    case "drop":
      return { ...node, value: one(node.value) };
    case "store":
      return { ...node, address: one(node.address), value: one(node.value) };
    case "call":
      return { ...node, operands: many(node.operands), results: node.results.map(local) };
    case "callIndirect":
      return {
        ...node,
        slot: one(node.slot),
        operands: many(node.operands),
        results: node.results.map(local),
      };
    case "bulk": {
      const [a, b, c] = node.operands;
      return { ...node, operands: [one(a), one(b), one(c)] };
    }
    case "grow":
      return { ...node, result: local(node.result), delta: one(node.delta) };
    case "block":
    case "loop":
      return { ...node, label: label(node.label), body: copyStatements(node.body, renaming) };
    case "if":
      return {
        ...node,
        condition: one(node.condition),
        yes: copyStatements(node.yes, renaming),
        no: copyStatements(node.no, renaming),
      };
    case "branch":
      return { ...node, label: label(node.label) };
    case "branchTable":
      return {
        ...node,
        selector: one(node.selector),
        labels: node.labels.map(label),
        otherwise: label(node.otherwise),
      };
    case "return":
      return { ...node, values: many(node.values) };
    default:
      return { ...node };
  }
}

export function copyExpression(node: Expression, renaming: Renaming): Expression {
  const one = (expression: Expression): Expression => copyExpression(expression, renaming);
  switch (node.kind) {
    case "local":
      return { ...node, index: renaming.local(node.index) };
    case "load":
      return { ...node, address: one(node.address) };
    case "unary":
      return { ...node, operand: one(node.operand) };
    case "binary":
      return { ...node, left: one(node.left), right: one(node.right) };
    case "select":
      return { ...node, condition: one(node.condition), yes: one(node.yes), no: one(node.no) };
    default:
      return { ...node };
  }
}

/** Locals that statements set. */
export function localsSet(list: readonly Statement[]): Set<number> {
  const found = new Set<number>();
  eachStatement(list, (statement) => {
    if (statement.kind === "setLocal") found.add(statement.index);
    if (statement.kind === "call" || statement.kind === "callIndirect")
      for (const local of statement.results) found.add(local);
    if (statement.kind === "grow") found.add(statement.result);
  });
  return found;
}

/** How often statements branch to a label. */
export function branchesTo(list: readonly Statement[], label: number): number {
  let count = 0;
  eachStatement(list, (statement) => {
    if (statement.kind === "branch" && statement.label === label) count++;
    if (statement.kind === "branchTable")
      count += [...statement.labels, statement.otherwise].filter((to) => to === label).length;
  });
  return count;
}

/** How many nodes statements have, expressions too. */
export function sizeOf(list: readonly Statement[]): number {
  let size = 0;
  for (const statement of list) {
    size += 1 + expressionsOf(statement).reduce((sum, part) => sum + sizeOfExpression(part), 0);
    for (const body of bodiesOf(statement)) size += sizeOf(body);
  }
  return size;
}

function sizeOfExpression(node: Expression): number {
  return operandsOf(node).reduce((sum, part) => sum + sizeOfExpression(part), 1);
}
