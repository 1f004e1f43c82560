// SPDX-License-Identifier: MIT
// Lowers labelled statements to ES5 without labels, which Espruino has none of.
//
// A labelled block becomes for(;;){ … break }. A jump that leaves more than one statement that can be left
// stores a number in one variable of its function and leaves the innermost; behind each statement that it
// crosses the number is looked at, and the jump goes on. (I1) The variable is 0 but between such a jump and
// its arrival. Nothing else changes: expressions and the order of statements stay.

import {
  assign,
  binary,
  block,
  childrenOf,
  type Expression,
  type IfStatement,
  jump,
  type JumpStatement,
  literal,
  name,
  type Node,
  type Program,
  type Statement,
  statement,
  variables,
} from "./tree.ts";

const VARIABLE = "jump$";

// A statement that a jump can leave, with the jumps from inside it that go on behind it.
interface Left {
  labels: readonly string[];
  kind: "loop" | "switch" | "block";
  passing: Map<number, Target>;
}

interface Target {
  to: Left;
  kind: JumpStatement["type"];
  code: number;
}

interface Scope {
  open: Left[]; // innermost last
  targets: Target[];
}

/** Takes the labels out, in place. */
export function delabel<T extends Program>(program: T): T {
  program.body = inFunction(program.body);
  return program;
}

function inFunction(body: Statement[]): Statement[] {
  const scope: Scope = { open: [], targets: [] };
  const lowered = list(body, scope);
  if (scope.targets.length === 0) return lowered;
  return [variables([[VARIABLE, literal(0)]]), ...lowered];
}

const ends = (s: Statement | undefined): boolean =>
  s !== undefined && /^(Break|Continue|Return|Throw)Statement$/.test(s.type);

// What stands behind a jump is never reached, but a function in it is known everywhere.
function list(statements: readonly Statement[], scope: Scope): Statement[] {
  const out: Statement[] = [];
  for (const s of statements)
    if (!ends(out.at(-1)) || s.type === "FunctionDeclaration" || s.type === "VariableDeclaration")
      for (const lowered of lower(s, [], scope)) {
        if (ends(out.at(-1)) && lowered.type !== "FunctionDeclaration") continue;
        out.push(lowered);
      }
  return out;
}

function one(s: Statement, scope: Scope): Statement {
  const lowered = list([s], scope);
  return lowered.length === 1 ? lowered[0]! : block(lowered);
}

function lower(s: Statement, labels: readonly string[], scope: Scope): Statement[] {
  switch (s.type) {
    case "LabeledStatement":
      return lower(s.body, [...labels, s.label.name], scope);
    case "BreakStatement":
    case "ContinueStatement":
      return lowerJump(s, scope);
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
    case "ForInStatement":
      eachExpression(s);
      return leave({ labels, kind: "loop", passing: new Map() }, scope, () => {
        s.body = one(s.body, scope);
        return s;
      });
    case "SwitchStatement":
      eachExpression(s);
      return leave({ labels, kind: "switch", passing: new Map() }, scope, () => {
        for (const c of s.cases) c.consequent = list(c.consequent, scope);
        return s;
      });
    default:
      return labels.length === 0 ? [lowerPlain(s, scope)] : lowerLabelled(s, labels, scope);
  }
}

function lowerPlain(s: Statement, scope: Scope): Statement {
  if (s.type === "BlockStatement") s.body = list(s.body, scope);
  else if (s.type === "IfStatement") {
    s.consequent = one(s.consequent, scope);
    if (s.alternate !== null) s.alternate = one(s.alternate, scope);
  } else if (s.type === "TryStatement")
    for (const part of [s.block, s.handler?.body, s.finalizer]) {
      if (part) part.body = list(part.body, scope);
    }
  else if (s.type === "FunctionDeclaration") s.body.body = inFunction(s.body.body);
  eachExpression(s);
  return s;
}

// Functions that stand in expressions have jumps of their own.
function eachExpression(node: Node): void {
  for (const child of childrenOf(node))
    if (child.type === "FunctionExpression") child.body.body = inFunction(child.body.body);
    else if (!/Statement$|^FunctionDeclaration$|^SwitchCase$|^CatchClause$/.test(child.type))
      eachExpression(child);
}

function lowerLabelled(s: Statement, labels: readonly string[], scope: Scope): Statement[] {
  return leave({ labels, kind: "block", passing: new Map() }, scope, () => {
    const body = list(s.type === "BlockStatement" ? s.body : [s], scope);
    if (!ends(body.at(-1))) body.push(jump("BreakStatement"));
    return { type: "ForStatement", init: null, test: null, update: null, body: block(body) };
  });
}

function leave(left: Left, scope: Scope, build: () => Statement): Statement[] {
  scope.open.push(left);
  const built = build();
  scope.open.pop();
  const outer = scope.open.at(-1);
  const passing = [...left.passing.values()];
  const arriving = passing.filter(({ to }) => to === outer);
  const going = passing.filter(({ to }) => to !== outer);
  const out = [built];
  for (const target of arriving) {
    const test = passing.length === 1 ? name(VARIABLE) : isCode(target.code);
    out.push(when(test, [statement(set(0)), jump(target.kind)]));
  }
  for (const target of going) outer!.passing.set(target.code, target);
  if (going.length > 0) out.push(when(name(VARIABLE), [jump("BreakStatement")]));
  return out;
}

const isCode = (code: number): Expression => binary("==", name(VARIABLE), literal(code));
const set = (code: number): Expression => assign(name(VARIABLE), literal(code));
const when = (test: Expression, body: Statement[]): IfStatement => ({
  type: "IfStatement",
  test,
  consequent: body.length === 1 ? body[0]! : block(body),
  alternate: null,
});

function lowerJump(s: JumpStatement, scope: Scope): Statement[] {
  const { label, type } = s;
  const to = scope.open.findLast(({ labels, kind }) => {
    if (label !== null) return labels.includes(label.name);
    return kind === "loop" || (kind === "switch" && type === "BreakStatement");
  });
  if (to === undefined) throw new Error(`${type} ${label?.name ?? ""} leaves nothing`);
  const innermost = scope.open.findLast(
    ({ kind }) => kind !== "switch" || type === "BreakStatement",
  );
  if (to === innermost) return [jump(type)];
  let target = scope.targets.find((known) => known.to === to && known.kind === type);
  if (target === undefined) {
    target = { to, kind: type, code: scope.targets.length + 1 };
    scope.targets.push(target);
  }
  scope.open.at(-1)!.passing.set(target.code, target);
  return [statement(set(target.code)), jump("BreakStatement")];
}
