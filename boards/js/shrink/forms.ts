// SPDX-License-Identifier: MIT
// The shorter of two ways to say the same: steps, compound assignments.
//
// Last of all passes over expressions: the others know `=` alone. A view keeps of a value what fits, whatever
// its sign, so a store may go through the view that was read.

import {
  block,
  childrenOf,
  type Expression,
  type MemberExpression,
  type Node,
  type Statement,
} from "../tree.ts";
import { effectsOf, isPure } from "./effects.ts";

/** Rewrites the statements of a function. */
export function shortForms(list: Statement[]): Statement[] {
  return list.map((s) => {
    const made = inside(s, shortest) as Statement;
    return made.type === "ForStatement" ? withStep(made) : made;
  });
}

// Every part of a node rewritten: expressions by `change`, statements by themselves.
function inside(node: Node, change: (e: Expression) => Expression): Node {
  const made: Record<string, unknown> = { ...node };
  for (const [key, part] of Object.entries(node))
    if (Array.isArray(part))
      made[key] = part.map((one) => (isNode(one) ? piece(one, change) : one));
    else if (isNode(part)) made[key] = piece(part, change);
  if (made["type"] === "ExpressionStatement")
    made["expression"] = unused(made["expression"] as Expression);
  return made as unknown as Node;
}

const isNode = (part: unknown): part is Node =>
  typeof part === "object" && part !== null && "type" in part;

function piece(node: Node, change: (e: Expression) => Expression): Node {
  if (node.type.endsWith("Statement")) return shortForms([node as Statement])[0]!;
  const made = inside(node, change);
  return made.type === "AssignmentExpression" ? change(made) : made;
}

/** `x = x + 1` as `++x`, `v[i] = v[i] & 7` as `v[i] &= 7`. */
function shortest(e: Expression): Expression {
  if (e.type !== "AssignmentExpression" || e.operator !== "=") return e;
  const left = e.left.type === "MemberExpression" ? unsignedView(e.left) : e.left;
  const value = e.right;
  if (value.type !== "BinaryExpression" || !/^([-+*|&^]|<<|>>>?)$/.test(value.operator))
    return { ...e, left };
  if (!isPure(effectsOf(left))) return { ...e, left };
  let [target, operand] = [value.left, value.right];
  const turns = /^[+*|&^]$/.test(value.operator) && isPure(effectsOf(target));
  if (!isSamePlace(left, target) && turns) [target, operand] = [operand, target];
  if (!isSamePlace(left, target)) return { ...e, left };
  const step = operand.type === "Literal" && operand.value === 1;
  if (step && /^[-+]$/.test(value.operator))
    return {
      type: "UpdateExpression",
      operator: value.operator === "+" ? "++" : "--",
      prefix: true,
      argument: target,
    };
  return {
    type: "AssignmentExpression",
    operator: `${value.operator}=`,
    left: target,
    right: operand,
  };
}

// Stores go through one view of each width, so that the others may go.
function unsignedView(e: MemberExpression): MemberExpression {
  const name = e.object.type === "Identifier" ? e.object.name : "";
  const other = { HEAP8: "HEAPU8", HEAP16: "HEAPU16", HEAPU32: "HEAP32" }[name];
  return other === undefined ? e : { ...e, object: { type: "Identifier", name: other } };
}

const WIDTH = /\d+$/;

function isSamePlace(a: Expression, b: Expression): boolean {
  if (a.type === "Identifier") return b.type === "Identifier" && a.name === b.name;
  if (a.type !== "MemberExpression" || b.type !== "MemberExpression") return false;
  if (a.object.type !== "Identifier" || b.object.type !== "Identifier") return false;
  const [stored, read] = [a.object.name, b.object.name];
  if (/F/.test(stored + read) && stored !== read) return false;
  if (WIDTH.exec(stored)?.[0] !== WIDTH.exec(read)?.[0]) return false;
  return isSameText(a.property, b.property);
}

const isSameText = (a: Node, b: Node): boolean => {
  if (a.type !== b.type || childrenOf(a).length !== childrenOf(b).length) return false;
  const own = (node: Node): string =>
    JSON.stringify(node, (key, value: unknown) =>
      key === "start" || key === "end" ? undefined : value,
    );
  return own(a) === own(b);
};

// A value that nobody reads may be that of before the step.
function unused(e: Expression): Expression {
  return e.type === "UpdateExpression" ? { ...e, prefix: false } : e;
}

// The last statement of a loop as its step, where no continue would skip it.
function withStep(s: Statement & { type: "ForStatement" }): Statement {
  const list = s.body.type === "BlockStatement" ? s.body.body : [s.body];
  const last = list.at(-1);
  if (s.update !== null || s.test === null || list.length < 2) return s;
  if (last?.type !== "ExpressionStatement" || hasContinue(s.body)) return s;
  return { ...s, update: last.expression, body: block(list.slice(0, -1)) };
}

const hasContinue = (node: Node): boolean =>
  node.type === "ContinueStatement" || childrenOf(node).some(hasContinue);
