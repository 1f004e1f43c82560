// SPDX-License-Identifier: MIT
// Gives each use of a variable that has nothing to do with the others a name.
//
// wasm2js' locals are shared by values of many kinds. Assignments that reach a common read belong together; those
// that never meet become variables of their own, so that ranges and liveness tell more of each. (slots.ts
// shares names again.) Control is followed as in live.ts, from the start to the end.

import {
  childrenOf,
  eachNode,
  type FunctionDeclaration,
  type Identifier,
  type Node,
  type Statement,
} from "../tree.ts";

/** Definitions that may have given a variable its value: identifiers on the left, or null for the start. */
type Reaching = Map<string, ReadonlySet<Identifier>>;

interface Walk {
  own: ReadonlySet<string>;
  parent: Map<Identifier, Identifier>; // union-find over identifiers
  breaks: Map<string, Reaching[]>;
  continues: Map<string, Reaching[]>;
}

/** Renames the variables of a function, web by web; parameters keep the names of their first values. */
export function splitWebs(f: FunctionDeclaration): void {
  const start = new Map<string, ReadonlySet<Identifier>>();
  for (const parameter of f.params) start.set(parameter.name, new Set([parameter]));
  for (const s of f.body.body)
    if (s.type === "VariableDeclaration")
      for (const { id } of s.declarations) start.set(id.name, new Set([id]));
  const walk: Walk = {
    own: new Set(start.keys()),
    parent: new Map(),
    breaks: new Map(),
    continues: new Map(),
  };
  const body = f.body.body.filter(({ type }) => type !== "VariableDeclaration");
  list(body, start, walk);
  rename(f, walk);
}

const root = (walk: Walk, id: Identifier): Identifier => {
  let at = id;
  for (let up = walk.parent.get(at); up !== undefined; up = walk.parent.get(at)) at = up;
  return at;
};

function unite(walk: Walk, a: Identifier, b: Identifier): void {
  const [x, y] = [root(walk, a), root(walk, b)];
  if (x !== y) walk.parent.set(x, y);
}

// --- control ---

const copy = (here: Reaching): Reaching => new Map(here);

function both(a: Reaching | null, b: Reaching | null): Reaching | null {
  if (a === null || b === null) return a ?? b;
  const joined = new Map(a);
  for (const [name, ids] of b) joined.set(name, new Set([...(joined.get(name) ?? []), ...ids]));
  return joined;
}

const sizeOf = (here: Reaching): number =>
  [...here.values()].reduce((sum, ids) => sum + ids.size, 0);
const listOf = (s: Statement | null): Statement[] =>
  s === null ? [] : s.type === "BlockStatement" ? s.body : [s];

// Null: control does not come to the end.
function list(
  statements: readonly Statement[],
  start: Reaching | null,
  walk: Walk,
): Reaching | null {
  return statements.reduce<Reaching | null>((here, s) => here && one(s, here, walk, []), start);
}

function one(s: Statement, here: Reaching, walk: Walk, labels: string[]): Reaching | null {
  switch (s.type) {
    case "ExpressionStatement":
      return evaluated(s.expression, here, walk);
    case "ReturnStatement":
      if (s.argument !== null) evaluated(s.argument, here, walk);
      return null;
    case "ThrowStatement":
      evaluated(s.argument, here, walk);
      return null;
    case "BreakStatement":
      walk.breaks.get(s.label?.name ?? "")!.push(here);
      return null;
    case "ContinueStatement":
      walk.continues.get(s.label?.name ?? "")!.push(here);
      return null;
    case "BlockStatement":
      return list(s.body, here, walk);
    case "IfStatement": {
      const after = evaluated(s.test, here, walk);
      const yes = list(listOf(s.consequent), copy(after), walk);
      return both(yes, list(listOf(s.alternate), after, walk));
    }
    case "LabeledStatement": {
      if (/^(For|While|DoWhile|Switch)/.test(s.body.type))
        return one(s.body, here, walk, [...labels, s.label.name]);
      const left: Reaching[] = [];
      const inside = { ...walk, breaks: new Map(walk.breaks).set(s.label.name, left) };
      return left.reduce(both, one(s.body, here, inside, []));
    }
    case "SwitchStatement":
      return choose(s, evaluated(s.discriminant, here, walk), walk, labels);
    case "ForStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return loop(s, here, walk, labels);
    default:
      return here;
  }
}

const under = (
  map: Map<string, Reaching[]>,
  labels: string[],
  left: Reaching[],
): Map<string, Reaching[]> =>
  new Map([...map, ...["", ...labels].map((label) => [label, left] as const)]);

function choose(
  s: Statement & { type: "SwitchStatement" },
  here: Reaching,
  walk: Walk,
  labels: string[],
): Reaching | null {
  const left: Reaching[] = [];
  const inside = { ...walk, breaks: under(walk.breaks, labels, left) };
  let end: Reaching | null = null;
  for (const { consequent } of s.cases) end = list(consequent, both(copy(here), end), inside);
  return [...left, here].reduce(both, end);
}

function loop(
  s: Statement & { type: "ForStatement" | "WhileStatement" | "DoWhileStatement" },
  before: Reaching,
  walk: Walk,
  labels: string[],
): Reaching | null {
  for (let head = before; ;) {
    const [left, again]: [Reaching[], Reaching[]] = [[], []];
    const inside = {
      ...walk,
      breaks: under(walk.breaks, labels, left),
      continues: under(walk.continues, labels, again),
    };
    const test =
      s.type === "DoWhileStatement" || s.test === null ? copy(head) : evaluated(s.test, head, walk);
    const end = list(listOf(s.body), copy(test), inside);
    let back = again.reduce(both, end); // `again` is complete only now
    if (s.type === "DoWhileStatement" && back !== null) back = evaluated(s.test, back, walk);
    const next = both(head, back)!;
    if (sizeOf(next) > sizeOf(head)) {
      head = next;
      continue;
    }
    const done = s.type === "DoWhileStatement" ? back : s.test === null ? null : test;
    return left.reduce(both, done);
  }
}

// --- expressions ---

function evaluated(node: Node, before: Reaching, walk: Walk): Reaching {
  const here = new Map(before);
  visit(node, here, walk);
  return here;
}

function visit(node: Node, here: Reaching, walk: Walk): void {
  if (node.type === "Identifier") {
    for (const id of here.get(node.name) ?? []) unite(walk, id, node);
  } else if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
    visit(node.right, here, walk);
    if (walk.own.has(node.left.name)) here.set(node.left.name, new Set([node.left]));
  } else if (node.type === "ConditionalExpression" || node.type === "LogicalExpression") {
    const [first, ...others] = childrenOf(node);
    visit(first!, here, walk);
    const ways = others.map((way) => evaluated(way, here, walk));
    if (node.type === "LogicalExpression") ways.push(new Map(here));
    const joined = ways.reduce<Reaching | null>(both, null)!;
    for (const [name, ids] of joined) here.set(name, ids);
  } else for (const child of childrenOf(node)) visit(child, here, walk);
}

function rename(f: FunctionDeclaration, walk: Walk): void {
  const names = new Map<Identifier, string>();
  const declared = new Set<string>();
  for (const parameter of f.params) names.set(root(walk, parameter), parameter.name);
  for (const s of f.body.body)
    if (s.type === "VariableDeclaration")
      for (const { id } of s.declarations) names.set(root(walk, id), id.name);
  let count = 0;
  eachNode(f.body, (node) => {
    if (node.type !== "Identifier" || !walk.own.has(node.name)) return;
    const of = root(walk, node);
    let name = names.get(of);
    if (name === undefined) names.set(of, (name = `${node.name}w${count++}`));
    if (name !== node.name) declared.add(name);
    node.name = name;
  });
  if (declared.size === 0) return;
  f.body.body.unshift({
    type: "VariableDeclaration",
    kind: "var",
    declarations: [...declared].map((name) => ({
      type: "VariableDeclarator",
      id: { type: "Identifier", name },
      init: null,
    })),
  });
}
