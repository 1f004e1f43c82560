// SPDX-License-Identifier: MIT
// Puts values for names into a script, and takes out what they leave unused.
//
// What is taken out: a branch whose condition became a literal; a function or variable of the top level that
// nothing names any more, if its value has no effect. ES5: a variable of a block belongs to its function.

import {
  eachNode,
  type Expression,
  type Node,
  type Program,
  read,
  type Statement,
  type VariableDeclaration,
} from "./tree.ts";

type Value = string | number | boolean | null;

const CONSTANT = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;

/** Values by name, each as the text of an expression. */
export type Values = Record<string, string>;

/** Changes the script; a name in capitals that has no value is an error. */
export function fold(program: Program, given: Values): void {
  const values = { ...given, ...constantsOf(program) };
  program.body = program.body.flatMap((statement) => foldStatement(statement, values));
  for (let before = -1; before !== program.body.length;) {
    before = program.body.length;
    program.body = program.body.filter((statement) => isUsed(program, statement));
  }
  eachNode(program, (node) => {
    if (node.type !== "Identifier" || !CONSTANT.test(node.name)) return;
    if (values[node.name] === undefined && !isDeclared(program, node.name))
      throw new Error(`the shim knows no ${node.name}`);
  });
}

// `var NAME = literal;` of the top level: a value as well.
function constantsOf(program: Program): Values {
  const constants: Values = {};
  for (const { type, ...rest } of program.body)
    if (type === "VariableDeclaration")
      for (const { id, init } of (rest as VariableDeclaration).declarations)
        if (CONSTANT.test(id.name) && init?.type === "Literal")
          constants[id.name] = JSON.stringify(init.value);
  return constants;
}

function isDeclared(program: Program, name: string): boolean {
  return program.body.some((statement) => namesOf(statement).includes(name));
}

function namesOf(statement: Statement): string[] {
  if (statement.type === "FunctionDeclaration") return [statement.id.name];
  if (statement.type !== "VariableDeclaration") return [];
  return statement.declarations.map(({ id }) => id.name);
}

function isUsed(program: Program, statement: Statement): boolean {
  const names = namesOf(statement);
  if (names.length === 0 || hasEffect(statement)) return statement.type !== "EmptyStatement";
  return program.body.some((other) => other !== statement && mentions(other, names));
}

function mentions(node: Node, names: readonly string[]): boolean {
  let found = false;
  eachNode(node, (inner) => {
    found ||= inner.type === "Identifier" && names.includes(inner.name);
  });
  return found;
}

// Functions are not run by being there; calls and assignments of a variable's value are effects.
function hasEffect(statement: Statement): boolean {
  if (statement.type !== "VariableDeclaration") return false;
  return statement.declarations.some(({ init }) => init !== null && !isPure(init));
}

function isPure(value: Expression): boolean {
  if (value.type === "ArrayExpression") return value.elements.every((e) => e === null || isPure(e));
  if (value.type === "ObjectExpression") return value.properties.every((p) => isPure(p.value));
  return ["Literal", "FunctionExpression", "Identifier"].includes(value.type);
}

// ---- values

function foldStatement(statement: Statement, values: Values): Statement[] {
  const folded = foldNode(statement, values) as Statement;
  if (folded.type === "EmptyStatement") return [];
  if (folded.type !== "IfStatement") return [folded];
  const test = literalOf(folded.test);
  if (test === undefined) return [folded];
  const taken = test.value ? folded.consequent : folded.alternate;
  if (taken === null) return [];
  return taken.type === "BlockStatement" ? taken.body : [taken];
}

function foldNode(node: Node, values: Values): Node {
  if (node.type === "Identifier" && values[node.name] !== undefined)
    return expression(values[node.name]!);
  const parts = node as unknown as Record<string, unknown>;
  for (const [key, part] of Object.entries(parts)) {
    if (isName(node, key)) continue;
    if (Array.isArray(part)) parts[key] = part.flatMap((each) => foldPart(each, values));
    else if (isStatementPart(key) && isNode(part)) parts[key] = single(foldPart(part, values));
    else if (isNode(part)) parts[key] = foldNode(part, values);
  }
  return simplify(node);
}

// A name that stands for itself: a member's, a key's, what is declared.
function isName(node: Node, key: string): boolean {
  if (node.type === "MemberExpression") return key === "property" && !node.computed;
  return key === "key" || key === "id" || key === "params";
}

const isStatementPart = (key: string): boolean =>
  ["consequent", "alternate", "body", "block"].includes(key);

function isNode(part: unknown): part is Node {
  return typeof part === "object" && part !== null && "type" in part;
}

function foldPart(part: unknown, values: Values): Node[] {
  if (!isNode(part)) return [part as Node];
  return /Statement$|Declaration$/.test(part.type)
    ? foldStatement(part as Statement, values)
    : [foldNode(part, values)];
}

function single(nodes: Node[]): Node {
  if (nodes.length === 1) return nodes[0]!;
  return { type: "BlockStatement", body: nodes as Statement[] };
}

function expression(text: string): Expression {
  const statement = read(`(${text});`).body[0]!;
  if (statement.type !== "ExpressionStatement") throw new Error(`no expression: ${text}`);
  return statement.expression;
}

function literalOf(node: Node): { value: Value } | undefined {
  return node.type === "Literal" ? node : undefined;
}

function simplify(node: Node): Node {
  if (node.type === "LogicalExpression") {
    const left = literalOf(node.left);
    if (left === undefined) return node;
    const keepsLeft = node.operator === "&&" ? !left.value : Boolean(left.value);
    return keepsLeft ? node.left : node.right;
  }
  if (node.type === "ConditionalExpression") {
    const test = literalOf(node.test);
    if (test !== undefined) return test.value ? node.consequent : node.alternate;
  }
  return node;
}
