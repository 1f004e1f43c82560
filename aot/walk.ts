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

/** True when there is a loop among statements or inside them. */
export function containsLoop(list: readonly Statement[]): boolean {
  let found = false;
  eachStatement(list, ({ kind }) => (found ||= kind === "loop"));
  return found;
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

/** Puts other expressions in the places of those that a statement itself evaluates. */
export function replaceExpressions(node: Statement, one: (node: Expression) => Expression): void {
  switch (node.kind) {
    case "setLocal":
    case "setGlobal":
    case "drop":
      node.value = one(node.value);
      return;
    case "store":
      node.address = one(node.address);
      node.value = one(node.value);
      return;
    case "callIndirect":
      node.slot = one(node.slot);
      node.operands = node.operands.map(one);
      return;
    case "call":
      node.operands = node.operands.map(one);
      return;
    case "bulk":
      node.operands = [one(node.operands[0]), one(node.operands[1]), one(node.operands[2])];
      return;
    case "grow":
      node.delta = one(node.delta);
      return;
    case "if":
      node.condition = one(node.condition);
      return;
    case "branchTable":
      node.selector = one(node.selector);
      return;
    case "return":
      node.values = node.values.map(one);
      return;
    default:
  }
}

/** Puts other expressions in the places of an expression's operands. */
export function replaceOperands(node: Expression, one: (node: Expression) => Expression): void {
  switch (node.kind) {
    case "load":
      node.address = one(node.address);
      return;
    case "unary":
      node.operand = one(node.operand);
      return;
    case "binary":
      node.left = one(node.left);
      node.right = one(node.right);
      return;
    case "select":
      node.condition = one(node.condition);
      node.yes = one(node.yes);
      node.no = one(node.no);
      return;
    default:
  }
}
