// SPDX-License-Identifier: MIT
// What an expression reads and changes, and whether two change places.
//
// Memory is one thing: any store may change what any load gives. A call may read and change memory and every
// global, but no local variable. Math_ functions do nothing but give a number.

import { childrenOf, eachNode, type Expression, type Node } from "../tree.ts";

export interface Effects {
  reads: Set<string>;
  writes: Set<string>;
  loads: boolean;
  stores: boolean;
  calls: boolean;
  jumps: boolean; // control may leave
}

export const isView = (name: string): boolean => /^HEAP[UF]?\d+$/.test(name);

export const noEffects = (): Effects => ({
  reads: new Set(),
  writes: new Set(),
  loads: false,
  stores: false,
  calls: false,
  jumps: false,
});

/** Adds what a node does, all of its parts included. */
export function addEffects(to: Effects, node: Node): void {
  eachNode(node, (n) => addOwn(to, n));
  // Names of views, functions and fields were counted as reads: they never change.
}

/** Adds what a node itself does once its parts are evaluated. */
export function addOwn(to: Effects, n: Node): void {
  if (n.type === "Identifier") {
    if (!isView(n.name)) to.reads.add(n.name);
  } else if (n.type === "MemberExpression") to.loads = true;
  else if (n.type === "CallExpression") {
    if (n.callee.type !== "Identifier" || !n.callee.name.startsWith("Math_")) to.calls = true;
  } else if (n.type === "AssignmentExpression" || n.type === "UpdateExpression") {
    const target = n.type === "UpdateExpression" ? n.argument : n.left;
    if (target.type === "Identifier") to.writes.add(target.name);
    else to.stores = true;
  } else if (/^(Break|Continue|Return|Throw|Switch|For|While|DoWhile)/.test(n.type))
    to.jumps = true;
}

export const effectsOf = (node: Node): Effects => {
  const effects = noEffects();
  addEffects(effects, node);
  return effects;
};

/** Whether evaluating changes nothing. */
export const isPure = ({ writes, stores, calls, jumps }: Effects): boolean =>
  writes.size === 0 && !stores && !calls && !jumps;

const meets = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  [...a].some((name) => b.has(name));

/** Whether `e` may be evaluated behind `past` instead of before; `isLocal` tells variables from globals. */
export function commutes(e: Effects, past: Effects, isLocal: (name: string) => boolean): boolean {
  if (past.jumps && !isPure(e)) return false;
  if (e.stores && (past.loads || past.stores)) return false;
  if (e.loads && past.stores) return false;
  if (meets(e.writes, past.reads) || meets(e.writes, past.writes)) return false;
  if (meets(e.reads, past.writes)) return false;
  return !(e.calls && isOpen(past, isLocal)) && !(past.calls && isOpen(e, isLocal));
}

// Whether it has to do with anything that a call may read or change.
const isOpen = (of: Effects, isLocal: (name: string) => boolean): boolean =>
  of.calls || of.loads || of.stores || [...of.reads, ...of.writes].some((name) => !isLocal(name));

/** How often a name stands below a node as a value: reads, not targets of `=`. */
export function readsOf(node: Node, name: string): number {
  if (node.type === "Identifier") return node.name === name ? 1 : 0;
  if (node.type === "AssignmentExpression" && node.left.type === "Identifier")
    return readsOf(node.right, name) + (node.operator !== "=" && node.left.name === name ? 1 : 0);
  return childrenOf(node).reduce((sum, child) => sum + readsOf(child, name), 0);
}

/** Whether a name is assigned below a node. */
export function isAssigned(node: Node, name: string): boolean {
  let found = false;
  eachNode(node, (n) => {
    if (n.type === "AssignmentExpression" && n.left.type === "Identifier")
      found ||= n.left.name === name;
  });
  return found;
}

interface Way {
  name: string;
  by: Expression;
  effects: Effects;
  past: Effects;
  isLocal: (name: string) => boolean;
  state: "looking" | "done" | "stuck";
}

/** `root` with its one read of `name` replaced by `by`, or null where `by` may not be evaluated there. */
export function substitute(
  root: Expression,
  name: string,
  by: Expression,
  past: Effects,
  isLocal: (name: string) => boolean,
): Expression | null {
  const way: Way = { name, by, effects: effectsOf(by), past, isLocal, state: "looking" };
  const made = into(root, way, false);
  return way.state === "done" ? made : null;
}

// In the order of evaluation; `maybe`: only evaluated on a condition.
function into(e: Expression, way: Way, maybe: boolean): Expression {
  if (way.state !== "looking") return e;
  if (e.type === "Identifier" && e.name === way.name) {
    const fits = commutes(way.effects, way.past, way.isLocal) && (!maybe || isPure(way.effects));
    way.state = fits ? "done" : "stuck";
    return way.by;
  }
  const made = parts(e, way, maybe);
  addOwn(way.past, e);
  return made;
}

function parts(e: Expression, way: Way, maybe: boolean): Expression {
  const go = (part: Expression, conditional = maybe): Expression => into(part, way, conditional);
  switch (e.type) {
    case "UnaryExpression":
      return { ...e, argument: go(e.argument) };
    case "BinaryExpression":
      return { ...e, left: go(e.left), right: go(e.right) };
    case "LogicalExpression":
      return { ...e, left: go(e.left), right: go(e.right, true) };
    case "ConditionalExpression":
      return {
        ...e,
        test: go(e.test),
        consequent: go(e.consequent, true),
        alternate: go(e.alternate, true),
      };
    case "SequenceExpression":
      return { ...e, expressions: e.expressions.map((part) => go(part)) };
    case "MemberExpression":
      return e.computed ? { ...e, property: go(e.property) } : e;
    case "CallExpression": {
      const callee = e.callee.type === "MemberExpression" ? go(e.callee) : e.callee;
      return { ...e, callee, arguments: e.arguments.map((part) => go(part)) };
    }
    case "AssignmentExpression": {
      if (e.left.type !== "MemberExpression") return { ...e, right: go(e.right) };
      const left = { ...e.left, property: go(e.left.property) };
      return { ...e, left, right: go(e.right) };
    }
    default:
      return e;
  }
}
