// SPDX-License-Identifier: MIT
// The module without what was proved superfluous.
//
// Nodes that stay keep their identity, so that facts about them hold on. An expression is replaced by its
// value only when nothing in it can trap.

import type { Binary, Expression, If, Statement, Unary } from "../ir.ts";
import { operandsOf } from "../walk.ts";
import type { Knowledge } from "./index.ts";
import { isConstant, type Range } from "./range.ts";

/** Rewrites the bodies of all functions. */
export function simplify(knowledge: Knowledge): void {
  for (const func of knowledge.program.module.functions)
    func.body = simplifyList(knowledge, func.body);
}

/** The range of a value as the last pass saw it; undefined when it is no i32 or was not reached. */
export function rangeAt({ values }: Knowledge, node: Expression): Range | undefined {
  return node.type === "i32" ? values.get(node)?.range : undefined;
}

function simplifyList(knowledge: Knowledge, list: readonly Statement[]): Statement[] {
  return list.flatMap((statement) =>
    knowledge.steps.has(statement) ? simplifyStatement(knowledge, statement) : [],
  );
}

function simplifyStatement(knowledge: Knowledge, node: Statement): Statement[] {
  switch (node.kind) {
    case "block":
    case "loop":
      node.body = simplifyList(knowledge, node.body);
      return node.kind === "block" && node.body.length === 0 ? [] : [node];
    case "if":
      return node.never === true ? [node] : simplifyIf(knowledge, node);
    case "setLocal":
    case "setGlobal":
      node.value = simplifyExpression(knowledge, node.value);
      return [node];
    case "drop":
      return canTrap(knowledge, node.value) ? [node] : [];
    case "store":
      node.address = simplifyExpression(knowledge, node.address);
      node.value = simplifyExpression(knowledge, node.value);
      return [node];
    case "call":
    case "callIndirect":
      node.operands = node.operands.map((operand) => simplifyExpression(knowledge, operand));
      return [node];
    case "return":
      node.values = node.values.map((value) => simplifyExpression(knowledge, value));
      return [node];
    case "branchTable":
      node.selector = simplifyExpression(knowledge, node.selector);
      return [node];
    default:
      return [node];
  }
}

function simplifyIf(knowledge: Knowledge, node: If): Statement[] {
  const range = rangeAt(knowledge, node.condition);
  const dropped: Statement[] = canTrap(knowledge, node.condition)
    ? [{ kind: "drop", value: node.condition }]
    : [];
  if (range?.most === 0 && dropped.length === 0 && isTest(node)) {
    node.never = true; // a further analysis may not come to prove it again
    return [node];
  }
  node.yes = simplifyList(knowledge, node.yes);
  node.no = simplifyList(knowledge, node.no);
  if (range === undefined) return [...dropped]; // it traps for sure
  if (range.least > 0) return [...dropped, ...node.yes];
  if (range.most === 0) return [...dropped, ...node.no];
  if (node.yes.length === 0 && node.no.length === 0) return dropped;
  node.condition = simplifyExpression(knowledge, node.condition);
  return [node];
}

function isTest({ yes, no }: If): boolean {
  return yes[0]?.kind === "unreachable" && no.length === 0;
}

/** Statements without tests that never hold. */
export function withoutProven(list: readonly Statement[]): Statement[] {
  return list.flatMap((node): Statement[] => {
    if (node.kind === "block" || node.kind === "loop") node.body = withoutProven(node.body);
    if (node.kind !== "if") return [node];
    if (node.never === true) return [];
    node.yes = withoutProven(node.yes);
    node.no = withoutProven(node.no);
    return [node];
  });
}

function simplifyExpression(knowledge: Knowledge, node: Expression): Expression {
  const range = rangeAt(knowledge, node);
  if (range !== undefined && isConstant(range) && !canTrap(knowledge, node))
    return { kind: "const", type: "i32", value: range.least };
  switch (node.kind) {
    case "load":
      node.address = simplifyExpression(knowledge, node.address);
      return node;
    case "unary":
      return simplifyUnary(knowledge, node);
    case "binary":
      return simplifyBinary(knowledge, node);
    case "select": {
      const chosen = rangeAt(knowledge, node.condition);
      node.condition = simplifyExpression(knowledge, node.condition);
      node.yes = simplifyExpression(knowledge, node.yes);
      node.no = simplifyExpression(knowledge, node.no);
      const pure = ![node.condition, node.yes, node.no].some((part) => canTrap(knowledge, part));
      if (pure && chosen !== undefined && chosen.least > 0) return node.yes;
      return pure && chosen?.most === 0 ? node.no : node;
    }
    default:
      return node;
  }
}

function simplifyUnary(knowledge: Knowledge, node: Unary): Expression {
  const inner = knowledge.values.get(node.operand);
  const same = inner !== undefined && inner.number === knowledge.values.get(node)?.number;
  node.operand = simplifyExpression(knowledge, node.operand);
  return same && node.op.startsWith("extend") && node.operand.type === node.type
    ? node.operand
    : node;
}

// A mask that takes nothing away goes; a shift of what is not negative needs no sign.
function simplifyBinary(knowledge: Knowledge, node: Binary): Expression {
  const left = rangeAt(knowledge, node.left);
  const right = rangeAt(knowledge, node.right);
  node.left = simplifyExpression(knowledge, node.left);
  node.right = simplifyExpression(knowledge, node.right);
  if (node.operandType !== "i32" || left === undefined || right === undefined) return node;
  if (node.op === "shr_s" && left.leastSigned >= 0) node.op = "shr_u";
  const mask = right.least;
  const idle = isConstant(right) && ((mask + 1) & mask) === 0 && left.most <= mask;
  return node.op === "and" && idle && !canTrap(knowledge, node.right) ? node.left : node;
}

/** True when evaluating an expression may trap, as far as is known. */
export function canTrap(knowledge: Knowledge, node: Expression): boolean {
  if (operandsOf(node).some((operand) => canTrap(knowledge, operand))) return true;
  if (node.kind === "load") return knowledge.reaches.get(node)?.inBounds !== true;
  if (node.kind === "unary") return node.op.startsWith("trunc_f");
  if (node.kind !== "binary" || !/^(div|rem)_/.test(node.op)) return false;
  return !divisionIsSafe(node, rangeAt(knowledge, node.left), rangeAt(knowledge, node.right));
}

/** True when a division of values in these ranges cannot trap. */
export function divisionIsSafe(node: Binary, left?: Range, right?: Range): boolean {
  if (node.right.kind === "const" && node.operandType === "i64") {
    const divisor = BigInt(node.right.value);
    return divisor !== 0n && divisor !== 0xffff_ffff_ffff_ffffn;
  }
  if (left === undefined || right === undefined || right.least === 0) return false;
  const overflows = left.leastSigned === -(2 ** 31) && right.most === 2 ** 32 - 1;
  return node.op !== "div_s" || !overflows;
}
