// SPDX-License-Identifier: MIT
// Which variables are read later, at the end of each statement.
//
// From the end to the start; a loop is gone through until nothing more comes. `=` at the top of a statement ends
// what was known of its variable; one within an expression does not, which only keeps more alive.

import { childrenOf, type Expression, type Node, type Statement } from "../tree.ts";

type Live = ReadonlySet<string>;

/** For each statement, the variables that are read after it. */
export type LiveAfter = Map<Statement, Live>;

interface Targets {
  after: LiveAfter;
  breaks: Map<string, Live>; // label, "" is the innermost
  continues: Map<string, Live>;
}

/** What is read after each statement of a function's body, and before its first. */
export function livenessOf(body: readonly Statement[]): { after: LiveAfter; before: Live } {
  const targets: Targets = { after: new Map(), breaks: new Map(), continues: new Map() };
  const before = list(body, new Set(), targets);
  return { after: targets.after, before };
}

function list(statements: readonly Statement[], after: Live, to: Targets): Live {
  return statements.reduceRight((live, s) => {
    to.after.set(s, live);
    return one(s, live, to, []);
  }, after);
}

const union = (...sets: Live[]): Live => new Set(sets.flatMap((set) => [...set]));
const listOf = (s: Statement | null): Statement[] =>
  s === null ? [] : s.type === "BlockStatement" ? s.body : [s];

function one(s: Statement, after: Live, to: Targets, labels: string[]): Live {
  switch (s.type) {
    case "ExpressionStatement":
      return before(s.expression, after);
    case "ReturnStatement":
      return s.argument === null ? new Set() : before(s.argument, new Set());
    case "ThrowStatement":
      return before(s.argument, new Set());
    case "BreakStatement":
      return to.breaks.get(s.label?.name ?? "")!;
    case "ContinueStatement":
      return to.continues.get(s.label?.name ?? "")!;
    case "BlockStatement":
      return list(s.body, after, to);
    case "IfStatement": {
      const yes = list(listOf(s.consequent), after, to);
      return before(s.test, union(yes, list(listOf(s.alternate), after, to)));
    }
    case "LabeledStatement": {
      const inner = s.body;
      to.after.set(inner, after);
      if (!/^(For|While|DoWhile|Switch)/.test(inner.type))
        return one(
          inner,
          after,
          { ...to, breaks: new Map(to.breaks).set(s.label.name, after) },
          [],
        );
      return one(inner, after, to, [...labels, s.label.name]);
    }
    case "SwitchStatement": {
      const inside = { ...to, breaks: withAll(to.breaks, labels, after) };
      let next = after;
      let all = after;
      for (const { consequent } of s.cases.toReversed()) {
        next = list(consequent, next, inside);
        all = union(all, next);
      }
      return before(s.discriminant, all);
    }
    case "ForStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return loop(s, after, to, labels);
    default:
      return after;
  }
}

function loop(
  s: Statement & { type: "ForStatement" | "WhileStatement" | "DoWhileStatement" },
  after: Live,
  to: Targets,
  labels: string[],
): Live {
  let head: Live = new Set();
  for (;;) {
    const again = s.type === "DoWhileStatement" ? before(s.test, union(after, head)) : head;
    const inside = {
      ...to,
      breaks: withAll(to.breaks, labels, after),
      continues: withAll(to.continues, labels, again),
    };
    const body = list(listOf(s.body), again, inside);
    const next =
      s.type === "DoWhileStatement"
        ? body
        : s.test === null
          ? body
          : before(s.test, union(body, after));
    if (next.size === head.size) return next;
    head = next;
  }
}

const withAll = (map: Map<string, Live>, labels: string[], live: Live): Map<string, Live> =>
  new Map([...map, ...["", ...labels].map((label) => [label, live] as const)]);

function before(e: Expression, after: Live): Live {
  const live = new Set(after);
  if (e.type === "AssignmentExpression" && e.operator === "=" && e.left.type === "Identifier") {
    live.delete(e.left.name);
    addReads(e.right, live);
  } else addReads(e, live);
  return live;
}

function addReads(node: Node, live: Set<string>): void {
  if (node.type === "Identifier") live.add(node.name);
  else if (node.type === "AssignmentExpression" && node.left.type === "Identifier")
    addReads(node.right, live);
  else for (const child of childrenOf(node)) addReads(child, live);
}
