// SPDX-License-Identifier: MIT
// Visiting every statement and expression of a body once.

import type { Expression, Statement } from "./ir.ts";

/** Visits statements, outer ones first. */
export function eachStatement(
  body: readonly Statement[],
  visit: (statement: Statement) => void,
): void {
  for (const statement of body) {
    visit(statement);
    for (const inner of bodiesOf(statement)) eachStatement(inner, visit);
  }
}

/** Visits expressions of a statement itself, not of those inside it; operands first. */
export function eachExpression(
  statement: Statement,
  visit: (expression: Expression) => void,
): void {
  for (const expression of expressionsOf(statement)) visitDeep(expression, visit);
}

/** Lists of statements inside one. */
export function bodiesOf(statement: Statement): Statement[][] {
  if (statement.kind === "block" || statement.kind === "loop") return [statement.body];
  if (statement.kind === "if") return [statement.yes, statement.no];
  return [];
}

/** What a statement itself evaluates, in order. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "setLocal":
    case "setGlobal":
    case "drop":
      return [statement.value];
    case "store":
      return [statement.address, statement.value];
    case "call":
    case "bulk":
      return statement.operands;
    case "callIndirect":
      return [...statement.operands, statement.slot];
    case "grow":
      return [statement.delta];
    case "if":
      return [statement.condition];
    case "branchTable":
      return [statement.selector];
    case "return":
      return statement.values;
    default:
      return [];
  }
}

/** Operands of an expression, in order. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "load":
      return [expression.address];
    case "unary":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "select":
      return [expression.yes, expression.no, expression.condition];
    default:
      return [];
  }
}

function visitDeep(expression: Expression, visit: (expression: Expression) => void): void {
  for (const operand of operandsOf(expression)) visitDeep(operand, visit);
  visit(expression);
}
