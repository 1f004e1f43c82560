// SPDX-License-Identifier: MIT
// Takes out variables that carry a value over a short way.
//
// `x = e` moves to the one place that reads x when nothing between changes what e gives, and nothing that e does
// comes too late; a store that nobody reads is dropped; two branches that give the same variable become one
// assignment. Evaluation of everything else stays in its order.

import {
  assign,
  block,
  eachNode,
  type Expression,
  type FunctionDeclaration,
  type Statement,
  statement,
} from "../tree.ts";
import {
  addEffects,
  commutes,
  effectsOf,
  isAssigned,
  isPure,
  noEffects,
  readsOf,
  substitute,
} from "./effects.ts";
import { type LiveAfter, livenessOf } from "./live.ts";

const ROUNDS_MAX = 40; // one pass opens the way for another
const WAY_MAX = 12; // statements between an assignment and its read

interface Scope {
  locals: ReadonlySet<string>;
  body: Statement[];
  after: LiveAfter;
  changed: boolean; // what is alive stays right: what a value reads is alive up to its new place
}

/** The function with fewer ways over variables. */
export function simplifyLocals(f: FunctionDeclaration): void {
  const locals = new Set(f.params.map(({ name }) => name));
  eachNode(f.body, (node) => void (node.type === "VariableDeclarator" && locals.add(node.id.name)));
  f.body.body = f.body.body.map(direct);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { after } = livenessOf(f.body.body);
    const scope: Scope = { locals, body: f.body.body, after, changed: false };
    f.body.body = list(f.body.body, scope);
    if (!scope.changed) return;
  }
}

// --- wasm2js' own temporaries ---

// ((i = address, v = value), view[i + k >> 2] = v) is view[address + k >> 2] = value: no view is ever replaced.
function direct<T extends Statement>(s: T): T {
  const seen = (node: Statement): void =>
    eachNode(node, (n) => {
      if (n.type !== "ExpressionStatement" || n.expression.type !== "SequenceExpression") return;
      const [pair, store] = n.expression.expressions;
      if (pair?.type !== "SequenceExpression" || store?.type !== "AssignmentExpression") return;
      const [at, value] = pair.expressions;
      if (at?.type !== "AssignmentExpression" || value?.type !== "AssignmentExpression") return;
      if (!isTemporary(at.left) || !isTemporary(value.left)) return;
      const left = put(store.left, nameOf(at.left), at.right);
      n.expression = { ...store, left, right: put(store.right, nameOf(value.left), value.right) };
    });
  seen(s);
  return s;
}

const nameOf = (e: Expression): string => (e.type === "Identifier" ? e.name : "");
const isTemporary = (e: Expression): boolean => /^wasm2js_(i32|f32|f64)\$/.test(nameOf(e));
const put = (into: Expression, name: string, by: Expression): Expression =>
  substitute(into, name, by, noEffects(), () => true) ?? into;

// --- statements ---

const assigned = (s: Statement): { name: string; value: Expression } | null => {
  const e = s.type === "ExpressionStatement" ? s.expression : null;
  if (e?.type !== "AssignmentExpression" || e.operator !== "=") return null;
  return e.left.type === "Identifier" ? { name: e.left.name, value: e.right } : null;
};

function list(statements: Statement[], scope: Scope): Statement[] {
  const out = statements.map((s) => inner(s, scope));
  for (let i = out.length - 1; i >= 0; i--) {
    i = merge(out, i, scope);
    carry(out, i, scope);
  }
  return out;
}

function inner(s: Statement, scope: Scope): Statement {
  if (s.type === "IfStatement") {
    const consequent = block(list(listOf(s.consequent), scope));
    const alternate = s.alternate === null ? null : block(list(listOf(s.alternate), scope));
    return keep(s, { ...s, consequent, alternate }, scope);
  }
  if (s.type === "BlockStatement") return keep(s, block(list(s.body, scope)), scope);
  if (s.type === "LabeledStatement") return keep(s, { ...s, body: inner(s.body, scope) }, scope);
  if (/^(For|While|DoWhile)Statement$/.test(s.type)) {
    const loop = s as Statement & { type: "WhileStatement" };
    return keep(s, { ...loop, body: block(list(listOf(loop.body), scope)) }, scope);
  }
  if (s.type === "SwitchStatement") {
    const cases = s.cases.map((c) => ({ ...c, consequent: list(c.consequent, scope) }));
    return keep(s, { ...s, cases }, scope);
  }
  return s;
}

function keep(before: Statement, now: Statement, scope: Scope): Statement {
  scope.after.set(now, scope.after.get(before)!);
  return now;
}

const listOf = (s: Statement): Statement[] => (s.type === "BlockStatement" ? s.body : [s]);
const onlyOf = (s: Statement | null): Statement | null => {
  const all = s === null ? [] : listOf(s);
  return all.length === 1 ? all[0]! : null;
};

// Two branches that assign the same variable; an assignment and a branch that does.
function merge(out: Statement[], i: number, scope: Scope): number {
  const s = out[i]!;
  if (s.type !== "IfStatement") return i;
  const yes = assigned(onlyOf(s.consequent) ?? s);
  const no = assigned(onlyOf(s.alternate) ?? s);
  const { test } = s;
  if (yes === null) return i;
  if (no !== null && yes.name === no.name) {
    out[i] = keep(s, choose(yes.name, test, yes.value, no.value), scope);
    scope.changed = true;
    return i;
  }
  const before = i > 0 && s.alternate === null ? assigned(out[i - 1]!) : null;
  if (before?.name !== yes.name) return i;
  if (readsOf(test, yes.name) + readsOf(yes.value, yes.name) > 0) return i;
  const effects = effectsOf(before.value);
  if (!isPure(effects) || !commutes(effects, effectsOf(test), isLocal(scope))) return i;
  out.splice(i - 1, 2, keep(s, choose(yes.name, test, yes.value, before.value), scope));
  scope.changed = true;
  return i - 1;
}

const choose = (name: string, test: Expression, yes: Expression, no: Expression): Statement =>
  statement(
    assign(
      { type: "Identifier", name },
      { type: "ConditionalExpression", test, consequent: yes, alternate: no },
    ),
  );

const isLocal =
  ({ locals }: Scope) =>
  (name: string): boolean =>
    locals.has(name) || !/^(global\$|__wasm_|i64toi32_)/.test(name);

// An assignment to the place that reads it, or away.
function carry(out: Statement[], i: number, scope: Scope): void {
  const s = out[i]!;
  const given = assigned(s);
  if (given === null || !scope.locals.has(given.name)) return;
  const { name, value } = given;
  if (!scope.after.get(s)!.has(name)) {
    out.splice(i, 1, ...(isPure(effectsOf(value)) ? [] : [keep(s, statement(value), scope)]));
    scope.changed = true;
    return;
  }
  const past = noEffects();
  for (let at = i + 1; at < out.length && at <= i + WAY_MAX; at++) {
    const to = out[at]!;
    if (readsOf(to, name) > 0) {
      if (!arrive(to, name, value, past, scope)) return;
      const { reads } = effectsOf(value);
      for (const passed of out.slice(i + 1, at))
        scope.after.set(passed, new Set([...scope.after.get(passed)!, ...reads]));
      out.splice(i, 1);
      return;
    }
    if (isAssigned(to, name)) return;
    addEffects(past, to);
    if (past.jumps && totalReads(scope, name) > 1) return;
  }
}

const totalReads = ({ body }: Scope, name: string): number =>
  body.reduce((sum, s) => sum + readsOf(s, name), 0);

function arrive(
  to: Statement,
  name: string,
  value: Expression,
  past: ReturnType<typeof noEffects>,
  scope: Scope,
): boolean {
  const head = headOf(to);
  if (head === null || readsOf(to, name) !== 1 || readsOf(head, name) !== 1) return false;
  const again = assigned(to);
  if (scope.after.get(to)!.has(name) && again?.name !== name) return false;
  const made = substitute(head, name, value, past, isLocal(scope));
  if (made === null) return false;
  setHead(to, made);
  scope.changed = true;
  return true;
}

// The expression of a statement that is evaluated once, before all else of it.
function headOf(s: Statement): Expression | null {
  switch (s.type) {
    case "ExpressionStatement":
      return s.expression;
    case "IfStatement":
      return s.test;
    case "ReturnStatement":
      return s.argument;
    case "SwitchStatement":
      return s.discriminant;
    default:
      return null;
  }
}

function setHead(s: Statement, e: Expression): void {
  if (s.type === "ExpressionStatement") s.expression = e;
  else if (s.type === "IfStatement") s.test = e;
  else if (s.type === "ReturnStatement") s.argument = e;
  else if (s.type === "SwitchStatement") s.discriminant = e;
}
