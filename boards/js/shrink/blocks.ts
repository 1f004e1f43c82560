// SPDX-License-Identifier: MIT
// Turns labelled blocks and endless loops into ifs and loops with conditions.
//
// wasm2js writes a jump forwards as a labelled block that is left. Three rewritings take nearly all of them out:
// a jump to where control goes anyway is dropped; what follows an if that jumps there becomes its else; what
// stands behind a block that is left in one place only moves to that place. (I1) Within, every loop and
// switch has a label of its own and every jump names one. Expressions and their order stay.

import {
  block,
  eachNode,
  type Expression,
  type IfStatement,
  type JumpStatement,
  type LabeledStatement,
  name,
  type Node,
  type Statement,
  statement,
} from "../tree.ts";

/** Jumps that go where control goes from the end of a list: "b" or "c" with a label, "r". */
type Ends = ReadonlySet<string>;

const ROUNDS_MAX = 12; // each one may open the way for another
const COPIED_MAX = 12; // nodes of a tail that stands in several places

const NOTHING: Ends = new Set();

/** The body of a function with fewer labels. */
export function structure(body: Statement[]): Statement[] {
  const counter = { next: 0 };
  let list = nameLoops(body, [], counter);
  for (let round = 0, before = ""; round < ROUNDS_MAX; round++) {
    list = sequence(list, new Set(["r"]));
    const now = JSON.stringify(list);
    if (now === before) break;
    before = now;
  }
  return takeNames(list, []);
}

// --- labels ---

interface Open {
  label: string;
  kind: "loop" | "switch" | "block";
}

const LOOP = /^(While|DoWhile|For)Statement$/;

function kindOf(s: Statement): Open["kind"] {
  if (LOOP.test(s.type)) return "loop";
  return s.type === "SwitchStatement" ? "switch" : "block";
}

// A new label for each loop and switch, and for each block that has one; jumps name them.
function nameLoops(
  list: readonly Statement[],
  open: readonly (Open & { was: string | null })[],
  counter: { next: number },
): Statement[] {
  return list.map((s) => {
    const was = s.type === "LabeledStatement" ? s.label.name : null;
    const inner = s.type === "LabeledStatement" ? s.body : s;
    const kind = kindOf(inner);
    if (was === null && kind === "block") {
      if (s.type === "BreakStatement" || s.type === "ContinueStatement") return rename(s, open);
      return within(s, (part) => nameLoops(part, open, counter));
    }
    const label = `l${counter.next++}`;
    const body = within(inner, (part) => nameLoops(part, [...open, { label, kind, was }], counter));
    return { type: "LabeledStatement", label: name(label), body };
  });
}

function rename(s: JumpStatement, open: readonly (Open & { was: string | null })[]): Statement {
  const to = open.findLast(({ was, kind }) => {
    if (s.label !== null) return was === s.label.name;
    return kind === "loop" || (kind === "switch" && s.type === "BreakStatement");
  });
  if (to === undefined) throw new Error(`${s.type} leaves nothing`);
  return { type: s.type, label: name(to.label) };
}

// Labels only where a jump needs them.
function takeNames(list: readonly Statement[], open: readonly Open[]): Statement[] {
  return list.map((s) => {
    if (s.type === "BreakStatement" || s.type === "ContinueStatement") {
      const innermost = open.findLast(
        ({ kind }) => kind === "loop" || (kind === "switch" && s.type === "BreakStatement"),
      );
      return innermost?.label === s.label?.name ? { type: s.type, label: null } : s;
    }
    if (s.type !== "LabeledStatement") return within(s, (part) => takeNames(part, open));
    const label = s.label.name;
    const inside: Open = { label, kind: kindOf(s.body) };
    const body = within(s.body, (part) => takeNames(part, [...open, inside]));
    return refs(body, label, "").length > 0 ? { ...s, body } : body;
  });
}

// A statement with each list of statements in it changed.
function within(s: Statement, change: (list: Statement[]) => Statement[]): Statement {
  const lone = (part: Statement): Statement => block(change(toList(part))); // no else may dangle
  switch (s.type) {
    case "BlockStatement":
      return block(change(s.body));
    case "IfStatement":
      return {
        ...s,
        consequent: lone(s.consequent),
        alternate: s.alternate === null ? null : lone(s.alternate),
      };
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
      return { ...s, body: lone(s.body) };
    case "LabeledStatement":
      return { ...s, body: within(s.body, change) };
    case "SwitchStatement":
      return {
        ...s,
        cases: s.cases.map((c) => ({ ...c, consequent: change(c.consequent) })),
      };
    default:
      return s;
  }
}

const toList = (s: Statement | null): Statement[] => {
  if (s === null || s.type === "EmptyStatement") return [];
  return s.type === "BlockStatement" ? s.body : [s];
};

// --- where control goes ---

const keyOf = (s: Statement): string | null => {
  if (s.type === "BreakStatement") return `b${s.label!.name}`;
  if (s.type === "ContinueStatement") return `c${s.label!.name}`;
  if (s.type === "ReturnStatement" && s.argument === null) return "r";
  return null;
};
const isJump = (s: Statement): boolean => /^(Break|Continue|Return|Throw)Statement$/.test(s.type);

/** Jumps below a node to a label; `kind` "b", "c" or "" for both. */
function refs(node: Node, label: string, kind: string): JumpStatement[] {
  const found: JumpStatement[] = [];
  eachNode(node, (n) => {
    if (n.type !== "BreakStatement" && n.type !== "ContinueStatement") return;
    if (n.label?.name === label && (kind === "" || keyOf(n)![0] === kind)) found.push(n);
  });
  return found;
}

/** Whether control comes to the end of a list. */
function falls(list: readonly Statement[]): boolean {
  const last = list.at(-1);
  if (last === undefined) return true;
  if (isJump(last)) return false;
  if (last.type === "BlockStatement") return falls(last.body);
  if (last.type === "IfStatement")
    return (
      last.alternate === null || falls(toList(last.consequent)) || falls(toList(last.alternate))
    );
  if (last.type !== "LabeledStatement") return true;
  const { body, label } = last;
  if (refs(body, label.name, "b").length > 0) return true;
  if (body.type === "BlockStatement") return falls(body.body);
  return !isEndless(body);
}

const isEndless = (s: Statement): boolean =>
  (s.type === "WhileStatement" && s.test.type === "Literal" && s.test.value === 1) ||
  (s.type === "ForStatement" && s.test === null);

// --- rewriting ---

function sequence(list: readonly Statement[], ends: Ends): Statement[] {
  const out: Statement[] = [];
  for (let i = 0; i < list.length; i++) {
    const s = list[i]!;
    const rest = list.slice(i + 1);
    if (s.type === "EmptyStatement") continue;
    if (s.type === "BlockStatement") return [...out, ...sequence([...s.body, ...rest], ends)];
    if (isJump(s)) return ends.has(keyOf(s) ?? "") ? out : [...out, s];
    if (s.type === "IfStatement") {
      const made = branch(s, rest, ends);
      out.push(...made.statements);
      if (made.done) return out;
    } else if (s.type === "LabeledStatement") {
      const made = labelled(s, rest, ends);
      out.push(...made.statements);
      if (made.done || !falls(out)) return out;
    } else if (s.type === "SwitchStatement") out.push(within(s, (part) => sequence(part, NOTHING)));
    else out.push(s);
  }
  return out;
}

interface Made {
  statements: Statement[];
  done: boolean; // what followed is in them
}

function branch(s: IfStatement, rest: readonly Statement[], ends: Ends): Made {
  const [yes, no] = [toList(s.consequent), toList(s.alternate)];
  if (rest.length === 0)
    return { statements: either(s.test, sequence(yes, ends), sequence(no, ends)), done: true };
  if (!falls(yes)) return jumping(s.test, yes, [...no, ...rest], ends);
  if (!falls(no)) return jumping(not(s.test), no, [...yes, ...rest], ends);
  const [only, ...more] = rest;
  if (more.length === 0 && keyOf(only!) !== null && reachesEnd(s, ends))
    return branch(withBoth(s, [...yes, only!], [...no, only!]), [], ends);
  const statements = either(s.test, sequence(yes, NOTHING), sequence(no, NOTHING));
  return { statements, done: false };
}

const withBoth = (s: IfStatement, yes: Statement[], no: Statement[]): IfStatement => ({
  ...s,
  consequent: block(yes),
  alternate: block(no),
});

// Whether a jump within goes where control goes anyway at the end.
function reachesEnd(s: Statement, ends: Ends): boolean {
  let found = false;
  eachNode(s, (node) => {
    if (isStatement(node) && ends.has(keyOf(node) ?? "")) found = true;
  });
  return found;
}
const isStatement = (node: Node): node is Statement => node.type.endsWith("Statement");

// `yes` never comes to its end: `rest` is an else.
function jumping(test: Expression, yes: Statement[], rest: Statement[], ends: Ends): Made {
  const made = sequence(yes, ends);
  const isShorter = falls(made) || JSON.stringify(made).length < JSON.stringify(yes).length;
  const statements = isShorter
    ? either(test, made, sequence(rest, ends))
    : [...either(test, sequence(yes, NOTHING), []), ...sequence(rest, ends)];
  return { statements, done: true };
}

function either(test: Expression, yes: Statement[], no: Statement[]): Statement[] {
  if (yes.length === 0 && no.length === 0) return [statement(test)];
  if (yes.length === 0) return either(not(test), no, []);
  const alternate = no.length === 0 ? null : block(no);
  return [{ type: "IfStatement", test, consequent: block(yes), alternate }];
}

function not(test: Expression): Expression {
  if (test.type === "UnaryExpression" && test.operator === "!") return test.argument;
  if (test.type === "BinaryExpression" && (test.operator === "==" || test.operator === "!="))
    return { ...test, operator: test.operator === "==" ? "!=" : "==" };
  return { type: "UnaryExpression", operator: "!", prefix: true, argument: test };
}

function labelled(s: LabeledStatement, rest: readonly Statement[], ends: Ends): Made {
  const label = s.label.name;
  if (s.body.type === "SwitchStatement") {
    // Where control goes on behind the switch anyway, any jump there is its break.
    const own: Statement[] = [{ type: "BreakStatement", label: s.label }];
    const ending = rest.length === 0 ? [...ends] : [];
    const change = (part: Statement[]): Statement[] =>
      ending.reduce((list, key) => replaceJumps(list, key, own), sequence(part, NOTHING));
    return { statements: [within(s, change)], done: false };
  }
  if (LOOP.test(s.body.type)) return loop(s, label);
  const inside = new Set([...(rest.length === 0 ? ends : []), `b${label}`]);
  const body = sequence(toList(s.body), inside);
  const leaving = refs(block(body), label, "b");
  if (leaving.length === 0) return { statements: body, done: false };
  if (rest.length > 0 && !falls(body)) {
    const moved = sink(body, label, leaving.length, [...rest], ends);
    if (moved !== null) return { statements: moved, done: true };
  }
  return { statements: [{ ...s, body: block(body) }], done: false };
}

// The block is left by its jumps only: what follows stands where they are.
function sink(
  body: Statement[],
  label: string,
  count: number,
  rest: Statement[],
  ends: Ends,
): Statement[] | null {
  if (falls(rest)) {
    const [end] = ends;
    if (end === undefined) return null;
    rest.push(jumpOf(end));
  }
  if (count > 1) {
    let nodes = 0;
    eachNode(block(rest), () => void nodes++);
    if (nodes > COPIED_MAX) return null;
  }
  return replaceJumps(body, `b${label}`, rest);
}

function jumpOf(key: string): Statement {
  if (key === "r") return { type: "ReturnStatement", argument: null };
  const type = key[0] === "b" ? "BreakStatement" : "ContinueStatement";
  return { type, label: name(key.slice(1)) };
}

function replaceJumps(
  list: readonly Statement[],
  key: string,
  by: readonly Statement[],
): Statement[] {
  return list.flatMap((s) =>
    keyOf(s) === key
      ? structuredClone([...by])
      : [within(s, (part) => replaceJumps(part, key, by))],
  );
}

// --- loops ---

function loop(s: LabeledStatement, label: string): Made {
  const made = s.body;
  if (
    made.type !== "WhileStatement" &&
    made.type !== "ForStatement" &&
    made.type !== "DoWhileStatement"
  )
    throw new Error(`a loop ${made.type}`);
  const body = sequence(toList(made.body), new Set([`c${label}`]));
  if (!isEndless(made))
    return { statements: [{ ...s, body: { ...made, body: block(body) } }], done: false };
  const shaped = shape(body, label);
  const { test, inside, behind } = shaped ?? { test: null, inside: body, behind: [] };
  const last = inside.at(-1);
  if (test === null && last?.type === "IfStatement" && last.alternate === null) {
    const [only, ...more] = toList(last.consequent);
    if (more.length === 0 && only !== undefined && keyOf(only) === `b${label}`)
      if (refs(block(inside), label, "c").length === 0) {
        const repeated = block(inside.slice(0, -1));
        const body: Statement = { type: "DoWhileStatement", test: not(last.test), body: repeated };
        return { statements: [{ ...s, body }], done: false };
      }
  }
  const whole: Statement = {
    type: "ForStatement",
    init: null,
    test,
    update: null,
    body: block(inside),
  };
  return { statements: [{ ...s, body: whole }, ...behind], done: false };
}

// An endless loop whose first statement is its condition.
function shape(
  body: readonly Statement[],
  label: string,
): { test: Expression; inside: Statement[]; behind: Statement[] } | null {
  const [first, ...others] = body;
  if (first?.type !== "IfStatement") return null;
  const [yes, no] = [toList(first.consequent), toList(first.alternate)];
  for (const [test, stay, go] of [
    [not(first.test), no, yes],
    [first.test, yes, no],
  ] as const) {
    const last = go.at(-1);
    if (last === undefined || keyOf(last) !== `b${label}`) continue;
    const behind = go.slice(0, -1);
    const inside = [...stay, ...others];
    if (
      behind.length > 0 &&
      refs(block([...inside, ...behind]), label, "").some((j) => keyOf(j) === `b${label}`)
    )
      continue;
    if (refs(block(behind), label, "c").length > 0) continue;
    return { test, inside, behind };
  }
  return null;
}
