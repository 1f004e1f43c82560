// SPDX-License-Identifier: MIT
// Variables that are never alive together share one name.
//
// Those left become parameters: `function f(a) { var b = 0, c = 0; … }` is `function f(a, b, c) { … }`, with b = 0 at its start only where
// something reads it before anything is assigned. Nobody calls a factory's function with more than its parameters.

import {
  assign,
  eachNode,
  type Expression,
  type FunctionDeclaration,
  literal,
  name,
  type Node,
  type Statement,
  statement,
  variables,
} from "../tree.ts";
import { type LiveAfter, livenessOf } from "./live.ts";

const PARAMETERS_MAX = 40; // beyond them a call costs more than `var` does

/** Shares names and declares what is left. */
export function assignSlots(f: FunctionDeclaration): void {
  const body = f.body.body.filter(({ type }) => type !== "VariableDeclaration");
  const parameters = f.params.map((parameter) => parameter.name);
  const own = new Set(parameters);
  for (const s of f.body.body)
    if (s.type === "VariableDeclaration") s.declarations.forEach(({ id }) => own.add(id.name));
  const { after, before } = livenessOf(body);
  const apart = interferences(body, after, own, [...parameters, ...[...before]]);
  const shared = share(own, parameters, apart, usesOf(body, own));
  for (const s of body) renameAll(s, shared);
  f.body.body = withoutCopies(body);
  const zeros = [...before].filter((id) => own.has(id) && !parameters.includes(id));
  const left = new Set([...own].map((id) => shared.get(id)!));
  parameters.forEach((id) => left.delete(id));
  declare(f, [...left], [...new Set(zeros.map((id) => shared.get(id)!))]);
}

function declare(f: FunctionDeclaration, left: string[], zeros: string[]): void {
  if (f.params.length + left.length > PARAMETERS_MAX) {
    const init = (id: string): Expression | null => (zeros.includes(id) ? literal(0) : null);
    f.body.body.unshift(variables(left.map((id) => [id, init(id)])));
    return;
  }
  f.params.push(...left.map(name));
  if (zeros.length === 0) return;
  const all = zeros.reduceRight<Expression>((value, id) => assign(name(id), value), literal(0));
  f.body.body.unshift(statement(all));
}

type Apart = Map<string, Set<string>>;

// Two variables are apart when one is assigned while the other is alive.
function interferences(
  body: readonly Statement[],
  after: LiveAfter,
  own: ReadonlySet<string>,
  start: readonly string[],
): Apart {
  const apart: Apart = new Map([...own].map((id) => [id, new Set<string>()]));
  const part = (a: string, b: string): void => {
    if (a === b || !own.has(a) || !own.has(b)) return;
    apart.get(a)!.add(b);
    apart.get(b)!.add(a);
  };
  for (const a of start) for (const b of start) part(a, b);
  const visit = (s: Statement): void => {
    const live = after.get(s) ?? new Set<string>();
    const copied = copyOf(s);
    const [written, read] = namesIn(s);
    for (const a of written) {
      for (const b of live) if (copied === null || b !== copied) part(a, b);
      // Within one statement the order of reads and writes is not looked at.
      if (copied === null && !isPlain(s)) for (const b of [...read, ...written]) part(a, b);
    }
    if (s.type.endsWith("Statement")) for (const inner of statementsIn(s)) visit(inner);
  };
  body.forEach(visit);
  return apart;
}

// `x = y`: they may be one, both alive or not, as long as neither changes.
function copyOf(s: Statement): string | null {
  const e = s.type === "ExpressionStatement" ? s.expression : null;
  if (e?.type !== "AssignmentExpression" || e.left.type !== "Identifier") return null;
  return e.right.type === "Identifier" ? e.right.name : null;
}

// `x = …` with no other assignment in it.
function isPlain(s: Statement): boolean {
  const e = s.type === "ExpressionStatement" ? s.expression : null;
  if (e?.type !== "AssignmentExpression" || e.left.type !== "Identifier") return false;
  let assignments = 0;
  eachNode(
    e,
    (node) => void (node.type === "AssignmentExpression" && isName(node.left) && assignments++),
  );
  return assignments === 1;
}

const isName = (e: Expression): boolean => e.type === "Identifier";

// Names written and read in the expressions of a statement, not in the statements within it.
function namesIn(s: Statement): [Set<string>, Set<string>] {
  const [written, read] = [new Set<string>(), new Set<string>()];
  const go = (node: Node): void => {
    if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
      written.add(node.left.name);
      go(node.right);
    } else if (node.type === "Identifier") read.add(node.name);
    else for (const child of partsOf(node)) go(child);
  };
  for (const child of partsOf(s)) if (!isStatement(child)) go(child);
  return [written, read];
}

const isStatement = (node: Node): node is Statement => /Statement$|Declaration$/.test(node.type);

function partsOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const part of Object.values(node) as unknown[])
    for (const one of Array.isArray(part) ? (part as unknown[]) : [part])
      if (typeof one === "object" && one !== null && "type" in one) found.push(one as Node);
  return found;
}

function statementsIn(s: Statement): Statement[] {
  return partsOf(s).flatMap((part) => {
    if (part.type === "SwitchCase") return part.consequent;
    return isStatement(part) ? [part] : [];
  });
}

function usesOf(body: readonly Statement[], own: ReadonlySet<string>): Map<string, number> {
  const uses = new Map<string, number>();
  for (const s of body)
    eachNode(s, (node) => {
      if (node.type === "Identifier" && own.has(node.name))
        uses.set(node.name, (uses.get(node.name) ?? 0) + 1);
    });
  return uses;
}

// Greedy: the most used first, each to the first name that it is not apart from.
function share(
  own: ReadonlySet<string>,
  parameters: readonly string[],
  apart: Apart,
  uses: ReadonlyMap<string, number>,
): Map<string, string> {
  const shared = new Map(parameters.map((id) => [id, id]));
  const members = new Map(parameters.map((id) => [id, [id]]));
  const others = [...own].filter((id) => !shared.has(id) && uses.has(id));
  others.sort((a, b) => uses.get(b)! - uses.get(a)!);
  for (const id of others) {
    const fits = [...members].find(([, ids]) => ids.every((other) => !apart.get(id)!.has(other)));
    if (fits === undefined) members.set(id, [id]);
    else fits[1].push(id);
    shared.set(id, fits === undefined ? id : fits[0]);
  }
  return shared;
}

function renameAll(node: Node, shared: ReadonlyMap<string, string>): void {
  eachNode(node, (n) => {
    if (n.type === "Identifier") n.name = shared.get(n.name) ?? n.name;
  });
}

// `x = x` is nothing.
function withoutCopies(list: Statement[]): Statement[] {
  return list.filter((s) => {
    for (const inner of statementsIn(s))
      if (inner.type === "BlockStatement") inner.body = withoutCopies(inner.body);
    if (s.type === "BlockStatement") s.body = withoutCopies(s.body);
    const e = s.type === "ExpressionStatement" ? s.expression : null;
    if (e?.type !== "AssignmentExpression" || e.left.type !== "Identifier") return true;
    return !(e.right.type === "Identifier" && e.right.name === e.left.name);
  });
}
