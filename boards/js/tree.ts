// SPDX-License-Identifier: MIT
// ES5 as a syntax tree: its types, reading it, writing it, walking it.
//
// Nodes have the shape of ESTree; acorn reads them and astring writes them. Only the kinds below exist for
// the passes of this folder: a kind that is not listed is refused by name when the text is read.

import { parse } from "acorn";
import { generate } from "astring";

export interface Identifier {
  type: "Identifier";
  name: string;
}
export interface Literal {
  type: "Literal";
  value: string | number | boolean | null;
}
export interface UnaryExpression {
  type: "UnaryExpression";
  operator: string;
  prefix: true;
  argument: Expression;
}
export interface UpdateExpression {
  type: "UpdateExpression";
  operator: "++" | "--";
  prefix: boolean;
  argument: Expression;
}
export interface BinaryExpression {
  type: "BinaryExpression";
  operator: string;
  left: Expression;
  right: Expression;
}
export interface LogicalExpression {
  type: "LogicalExpression";
  operator: "||" | "&&";
  left: Expression;
  right: Expression;
}
export interface AssignmentExpression {
  type: "AssignmentExpression";
  operator: string;
  left: Expression;
  right: Expression;
}
export interface ConditionalExpression {
  type: "ConditionalExpression";
  test: Expression;
  consequent: Expression;
  alternate: Expression;
}
export interface CallExpression {
  type: "CallExpression";
  callee: Expression;
  arguments: Expression[];
}
export interface NewExpression {
  type: "NewExpression";
  callee: Expression;
  arguments: Expression[];
}
export interface MemberExpression {
  type: "MemberExpression";
  object: Expression;
  property: Expression;
  computed: boolean;
}
export interface SequenceExpression {
  type: "SequenceExpression";
  expressions: Expression[];
}
export interface ArrayExpression {
  type: "ArrayExpression";
  elements: (Expression | null)[];
}
export interface Property {
  type: "Property";
  kind: "init" | "get" | "set";
  key: Expression;
  value: Expression;
}
export interface ObjectExpression {
  type: "ObjectExpression";
  properties: Property[];
}
export interface ThisExpression {
  type: "ThisExpression";
}
export interface FunctionExpression {
  type: "FunctionExpression";
  id: Identifier | null;
  params: Identifier[];
  body: BlockStatement;
}

export type Expression =
  | Identifier
  | Literal
  | UnaryExpression
  | UpdateExpression
  | BinaryExpression
  | LogicalExpression
  | AssignmentExpression
  | ConditionalExpression
  | CallExpression
  | NewExpression
  | MemberExpression
  | SequenceExpression
  | ArrayExpression
  | ObjectExpression
  | ThisExpression
  | FunctionExpression;

export interface BlockStatement {
  type: "BlockStatement";
  body: Statement[];
}
export interface ExpressionStatement {
  type: "ExpressionStatement";
  expression: Expression;
}
export interface IfStatement {
  type: "IfStatement";
  test: Expression;
  consequent: Statement;
  alternate: Statement | null;
}
export interface ForStatement {
  type: "ForStatement";
  init: VariableDeclaration | Expression | null;
  test: Expression | null;
  update: Expression | null;
  body: Statement;
}
export interface ForInStatement {
  type: "ForInStatement";
  left: VariableDeclaration | Expression;
  right: Expression;
  body: Statement;
}
export interface WhileStatement {
  type: "WhileStatement";
  test: Expression;
  body: Statement;
}
export interface DoWhileStatement {
  type: "DoWhileStatement";
  test: Expression;
  body: Statement;
}
export interface SwitchCase {
  type: "SwitchCase";
  test: Expression | null;
  consequent: Statement[];
}
export interface SwitchStatement {
  type: "SwitchStatement";
  discriminant: Expression;
  cases: SwitchCase[];
}
export interface LabeledStatement {
  type: "LabeledStatement";
  label: Identifier;
  body: Statement;
}
export interface JumpStatement {
  type: "BreakStatement" | "ContinueStatement";
  label: Identifier | null;
}
export interface ReturnStatement {
  type: "ReturnStatement";
  argument: Expression | null;
}
export interface ThrowStatement {
  type: "ThrowStatement";
  argument: Expression;
}
export interface CatchClause {
  type: "CatchClause";
  param: Identifier;
  body: BlockStatement;
}
export interface TryStatement {
  type: "TryStatement";
  block: BlockStatement;
  handler: CatchClause | null;
  finalizer: BlockStatement | null;
}
export interface VariableDeclarator {
  type: "VariableDeclarator";
  id: Identifier;
  init: Expression | null;
}
export interface VariableDeclaration {
  type: "VariableDeclaration";
  kind: "var";
  declarations: VariableDeclarator[];
}
export interface FunctionDeclaration {
  type: "FunctionDeclaration";
  id: Identifier;
  params: Identifier[];
  body: BlockStatement;
}
export interface EmptyStatement {
  type: "EmptyStatement";
}

export type Statement =
  | BlockStatement
  | ExpressionStatement
  | IfStatement
  | ForStatement
  | ForInStatement
  | WhileStatement
  | DoWhileStatement
  | SwitchStatement
  | LabeledStatement
  | JumpStatement
  | ReturnStatement
  | ThrowStatement
  | TryStatement
  | VariableDeclaration
  | FunctionDeclaration
  | EmptyStatement;

export interface Program {
  type: "Program";
  body: Statement[];
}

export type Node =
  Expression | Statement | Program | Property | SwitchCase | CatchClause | VariableDeclarator;

/** What stands for a part of a node: nodes, lists of them with holes, or anything else. */
type Part = unknown;

const isNode = (part: Part): part is Node =>
  typeof part === "object" && part !== null && "type" in part && typeof part.type === "string";

/** The nodes directly below a node, in the order in which they stand. */
export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const part of Object.values(node) as Part[])
    if (Array.isArray(part)) found.push(...part.filter(isNode));
    else if (isNode(part)) found.push(part);
  return found;
}

/** Visits a node and all below it, outermost first. */
export function eachNode(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of childrenOf(node)) eachNode(child, visit);
}

/** Text to tree; throws SyntaxError on anything that is not ES5. */
export function read(text: string): Program {
  return parse(text, { ecmaVersion: 5 }) as unknown as Program;
}

/** Tree to text; `indent` "" still has line ends. */
export function write(program: Node, indent = " "): string {
  return generate(program as never, { indent });
}

export const name = (text: string): Identifier => ({ type: "Identifier", name: text });
export const literal = (value: string | number): Literal => ({ type: "Literal", value });
export const statement = (expression: Expression): ExpressionStatement => ({
  type: "ExpressionStatement",
  expression,
});
export const block = (body: Statement[]): BlockStatement => ({ type: "BlockStatement", body });
export const assign = (left: Expression, right: Expression): AssignmentExpression => ({
  type: "AssignmentExpression",
  operator: "=",
  left,
  right,
});
export const binary = (operator: string, left: Expression, right: Expression): Expression => ({
  type: "BinaryExpression",
  operator,
  left,
  right,
});
export const call = (callee: string, operands: Expression[]): CallExpression => ({
  type: "CallExpression",
  callee: name(callee),
  arguments: operands,
});
export const jump = (type: JumpStatement["type"]): JumpStatement => ({ type, label: null });
export const variables = (declarations: [string, Expression | null][]): VariableDeclaration => ({
  type: "VariableDeclaration",
  kind: "var",
  declarations: declarations.map(([id, init]) => ({
    type: "VariableDeclarator",
    id: name(id),
    init,
  })),
});
