// SPDX-License-Identifier: MIT
// Goes through a function as control does, with what variables can be.
//
// A condition narrows its variables where it holds; an assignment tells a variable's range until the next; at
// the head of a loop, and behind a labelled block, whatever is assigned within is as for the whole function.
// Expressions are rewritten on the way by coerce.ts.

import { eachNode, type Expression, type Node, type Statement } from "../tree.ts";
import { ANY, I32, isWithin, join, meet, type Range, refine, U32 } from "./ranges.ts";
import { type Known, learn, type World } from "./world.ts";
import { type Context, evaluate } from "./coerce.ts";

/** Ranges of variables at one place; a variable that is not there is as for the whole function. */
export type Here = Map<string, Range>;

export interface Flow {
  world: World;
  known: Known;
  writing: boolean; // expressions are replaced, not only looked at
}

/** One pass over all functions; `writing` also rewrites them. */
export function flowAll(world: World, writing: boolean): void {
  for (const known of world.functions.values()) {
    const flow = { world, known, writing };
    const here: Here = new Map();
    const { body } = known.declaration.body;
    for (const s of body)
      if (s.type === "VariableDeclaration")
        for (const { id, init } of s.declarations)
          if (init !== null)
            assignTo(flow, here, id.name, evaluate(flow, here, init, "exact").range);
    list(flow, here, body);
  }
}

/** Notes what a variable or global was given. */
export function assignTo(flow: Flow, here: Here, name: string, given: Range): void {
  const { world, known } = flow;
  if (world.globals.has(name)) learn(world, world.globals, name, given);
  else {
    learn(world, known.variables, name, given);
    here.set(name, given);
  }
}

/** The range of a variable at a place. */
export function readOf({ world, known }: Flow, here: Here, name: string): Range {
  const whole = world.globals.get(name) ?? known.variables.get(name) ?? ANY;
  const now = here.get(name);
  return now === undefined ? whole : { ...meet(now, whole), truth: now.truth && whole.truth };
}

// Null: control does not come to the end.
function list(flow: Flow, start: Here, statements: readonly Statement[]): Here | null {
  let here: Here | null = start;
  for (const s of statements) {
    if (here === null) break;
    here = one(flow, here, s);
  }
  return here;
}

const listOf = (s: Statement): Statement[] => (s.type === "BlockStatement" ? s.body : [s]);

function one(flow: Flow, here: Here, s: Statement): Here | null {
  switch (s.type) {
    case "ExpressionStatement":
      s.expression = put(flow, here, s.expression, "void");
      return endsIn(s.expression) ? null : here;
    case "ReturnStatement": {
      if (s.argument === null) return null;
      const { exported, result } = flow.known;
      const made = evaluate(flow, here, s.argument, exported ? "number" : "exact");
      if (flow.writing) s.argument = made.to;
      const results = new Map([["", result]]);
      learn(flow.world, results, "", made.range);
      flow.known.result = results.get("")!;
      return null;
    }
    case "IfStatement": {
      s.test = put(flow, here, s.test, "truth");
      const yes = list(flow, when(flow, here, s.test, true), listOf(s.consequent));
      const otherwise = when(flow, here, s.test, false);
      const no = s.alternate === null ? otherwise : list(flow, otherwise, listOf(s.alternate));
      return yes === null ? no : no === null ? yes : both(yes, no);
    }
    case "ForStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return loop(flow, here, s);
    case "LabeledStatement": {
      const behind = without(here, s);
      one(flow, here, s.body);
      return behind;
    }
    case "SwitchStatement": {
      s.discriminant = put(flow, here, s.discriminant, "number");
      const inside = without(here, s);
      for (const { consequent } of s.cases) list(flow, new Map(inside), consequent);
      return inside;
    }
    case "BlockStatement":
      return list(flow, here, s.body);
    default:
      return /^(Break|Continue|Throw)/.test(s.type) ? null : here;
  }
}

function put(flow: Flow, here: Here, e: Expression, context: Context): Expression {
  const { to } = evaluate(flow, here, e, context);
  return flow.writing ? to : e;
}

const endsIn = (e: Expression): boolean =>
  e.type === "CallExpression" && e.callee.type === "Identifier" && e.callee.name === "wasm2js_trap";

function loop(
  flow: Flow,
  before: Here,
  s: Statement & { type: "ForStatement" | "WhileStatement" | "DoWhileStatement" },
): Here | null {
  const head = without(before, s);
  const leaves = leavesOf(s.body);
  if (s.type === "DoWhileStatement") {
    list(flow, new Map(head), listOf(s.body));
    s.test = put(flow, head, s.test, "truth");
    return leaves ? head : when(flow, head, s.test, false);
  }
  const inside = new Map(head);
  const { test } = s;
  if (test !== null) s.test = put(flow, inside, test, "truth");
  const start = s.test === null ? inside : when(flow, inside, s.test, true);
  list(flow, start, listOf(s.body));
  if (s.test === null) return leaves ? head : null;
  return leaves ? head : when(flow, inside, s.test, false);
}

// Whether a break may leave the loop: any that is not of a loop or switch within.
function leavesOf(body: Statement): boolean {
  let found = false;
  eachNode(body, (node) => void (found ||= node.type === "BreakStatement"));
  return found;
}

function without(here: Here, node: Node): Here {
  const left = new Map(here);
  eachNode(node, (n) => {
    if (n.type === "AssignmentExpression" && n.left.type === "Identifier") left.delete(n.left.name);
  });
  return left;
}

export function both(a: Here, b: Here): Here {
  const joined: Here = new Map();
  for (const [name, range] of a) {
    const other = b.get(name);
    if (other !== undefined) joined.set(name, join(range, other));
  }
  return joined;
}

const OPPOSITE: Readonly<Record<string, string>> = {
  ...{ "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==" },
};
const TURNED: Readonly<Record<string, string>> = {
  ...{ "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" },
};

/** What is known where `test`, which was evaluated, came out as `holds`. */
export function when(flow: Flow, here: Here, test: Expression, holds: boolean): Here {
  const narrowed = new Map(here);
  narrow(flow, narrowed, test, holds);
  return narrowed;
}

function narrow(flow: Flow, here: Here, test: Expression, holds: boolean): void {
  if (test.type === "UnaryExpression" && test.operator === "!")
    narrow(flow, here, test.argument, !holds);
  else if (/^[&|]{1,2}$/.test(operatorOf(test))) {
    // (a & b) is not 0: neither is a nor b
    const { operator, left, right } = test as Expression & { type: "BinaryExpression" };
    if ((operator[0] === "&") === holds) {
      narrow(flow, here, left, holds);
      narrow(flow, here, right, holds);
    }
  } else if (test.type === "BinaryExpression" && OPPOSITE[test.operator] !== undefined) {
    const operator = holds ? test.operator : OPPOSITE[test.operator]!;
    narrowOne(flow, here, test.left, operator, test.right);
    narrowOne(flow, here, test.right, TURNED[operator]!, test.left);
  } else narrowOne(flow, here, test, holds ? "!=" : "==", { type: "Literal", value: 0 });
}

const operatorOf = (e: Expression): string =>
  e.type === "BinaryExpression" || e.type === "LogicalExpression" ? e.operator : "";

function narrowOne(flow: Flow, here: Here, e: Expression, operator: string, to: Expression): void {
  if (hasAssignment(e) || hasAssignment(to)) return;
  const bound = evaluate({ ...flow, writing: false }, new Map(here), to, "exact").range;
  const { name, as } = variableOf(e);
  if (name === null || flow.world.globals.has(name)) return;
  const now = readOf(flow, here, name);
  if (as === "" ? now.whole : isWithin(now, as === "|" ? I32 : U32))
    here.set(name, refine(operator, now, bound));
  else if (as === ">>>" && isWithin(now, I32) && /^<=?$/.test(operator) && bound.high < 2 ** 31)
    here.set(name, refine(operator, meet(now, U32), bound));
}

function hasAssignment(e: Expression): boolean {
  let found = false;
  eachNode(e, (node) => void (found ||= node.type === "AssignmentExpression"));
  return found;
}

// x, x | 0 or x >>> 0.
function variableOf(e: Expression): { name: string | null; as: string } {
  if (e.type === "Identifier") return { name: e.name, as: "" };
  if (e.type === "BinaryExpression" && e.right.type === "Literal" && e.right.value === 0)
    if ((e.operator === "|" || e.operator === ">>>") && e.left.type === "Identifier")
      return { name: e.left.name, as: e.operator };
  return { name: null, as: "" };
}
