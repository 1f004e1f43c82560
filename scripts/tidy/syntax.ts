// SPDX-License-Identifier: MIT
// Rules about code as the parser sees it: T2, T6, T8, T9, T13.

import ts from "typescript";
import { eachNode, isTest, lineOf, type Problem, type Rule, type TidyFile } from "./file.ts";

const FUNCTION_LINES_MAX = 60;
const PARAMETERS_MAX = 5;

/** T2: a function is short and takes few things. Blocks of describe() only hold tests. */
export const functions: Rule = (file) => {
  const found: Problem[] = [];
  eachNode(file, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const { parameters } = node;
    if (parameters.length > PARAMETERS_MAX)
      found.push(
        at(file, node, "T2", `${parameters.length} parameters, at most 5: pass an object`),
      );
    const lines = lastLine(node) - lineOf(node) + 1;
    if (lines > FUNCTION_LINES_MAX && !isBlockOfTests(node) && !isTable(node))
      found.push(at(file, node, "T2", `function of ${lines} lines, at most 60: take parts out`));
  });
  return found;
};

function at(file: TidyFile, node: ts.Node, rule: string, text: string): Problem {
  return { path: file.path, line: lineOf(node), rule, text };
}

function lastLine(node: ts.Node): number {
  return node.getSourceFile().getLineAndCharacterOfPosition(node.end).line + 1;
}

function isBlockOfTests(node: ts.Node): boolean {
  const call = node.parent;
  return ts.isCallExpression(call) && ["describe", "suite"].includes(call.expression.getText());
}

// A switch that is a table: the body is that switch alone and every clause is a line or two.
function isTable(node: ts.SignatureDeclaration): boolean {
  const body = "body" in node ? node.body : undefined;
  if (body === undefined || !ts.isBlock(body)) return false;
  const statement = body.statements.find(ts.isSwitchStatement);
  return (
    statement !== undefined &&
    body.statements.length <= 2 &&
    statement.caseBlock.clauses.every((clause) => lastLine(clause) - lineOf(clause) <= 3)
  );
}

const HIDDEN_NAMES = new Set([
  "Date",
  "performance",
  "EventEmitter",
  "eval",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "randomBytes",
  "randomUUID",
]);
const HIDDEN_MEMBERS = new Set(["process.env", "process.hrtime", "Math.random"]);
const HIDDEN_MODULES = new Set(
  "fs fs/promises net dgram http https http2 tls child_process timers timers/promises events"
    .split(" ")
    .map((name) => `node:${name}`),
);
const HIDDEN_IN_TESTS = new Set(["Math.random", "randomBytes"]);

/** T6: time, entropy and the outside world come as arguments, except in adapter files. */
export const hidden: Rule = (file) => {
  const found: Problem[] = [];
  const say = (node: ts.Node, name: string): void => {
    if (isTest(file.path) && !HIDDEN_IN_TESTS.has(name)) return;
    found.push(at(file, node, "T6", `${name} in a core: pass it in, or list an adapter file`));
  };
  eachNode(file, (node) => {
    if (ts.isIdentifier(node) && HIDDEN_NAMES.has(node.text) && isUse(node)) say(node, node.text);
    if (ts.isPropertyAccessExpression(node) && HIDDEN_MEMBERS.has(node.getText()))
      say(node, node.getText());
    if (ts.isNewExpression(node) && node.expression.getText() === "Function")
      say(node, "new Function");
    if (ts.isStringLiteral(node) && HIDDEN_MODULES.has(node.text) && isModuleName(node))
      say(node, node.text);
  });
  return found;
};

function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent))
    return parent.name !== node;
  return !ts.isImportSpecifier(parent) && !ts.isTypeReferenceNode(parent);
}

/** True for the text in import ... from "here", export ... from "here" and import("here"). */
export function isModuleName(node: ts.StringLiteral): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
  return ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** T8: no inheritance; outside firmware only TypeScript that vanishes when types are taken out. */
export const plainTypes: Rule = (file) => {
  const found: Problem[] = [];
  eachNode(file, (node) => {
    if (ts.isHeritageClause(node) && ts.isClassLike(node.parent) && !extendsError(node))
      found.push(at(file, node, "T8", "inheritance: use a function or a struct"));
    if (file.path.startsWith("firmware/")) return;
    if (ts.isEnumDeclaration(node))
      found.push(at(file, node, "T8", "enum: use constants or a union of strings"));
    if (ts.isModuleDeclaration(node)) found.push(at(file, node, "T8", "namespace: use a file"));
    if (ts.isParameter(node) && ts.isParameterPropertyDeclaration(node, node.parent))
      found.push(at(file, node, "T8", "parameter property: write the field out"));
  });
  return found;
};

function extendsError(clause: ts.HeritageClause): boolean {
  if (clause.token === ts.SyntaxKind.ImplementsKeyword) return true;
  return clause.types.every((type) => type.expression.getText() === "Error");
}

const UNFINISHED = /\b(?:TODO|FIXME|XXX)\b/;
const KEYWORDS = "const|let|var|return|import|export|if|for|while|function|throw|await";
const CODE_IN_COMMENT = new RegExp(
  `^\\s*//+\\s*(?:(?:${KEYWORDS})\\b.*[;{]|[\\w.]+\\(.*\\);|\\})\\s*$`,
);

/** T9: no unfinished business, no code in comments. (Files nobody imports: see graph.ts.) */
export const deadText: Rule = ({ path, lines }) =>
  lines.flatMap((line, index) => {
    const problem = (text: string): Problem => ({ path, line: index + 1, rule: "T9", text });
    if (UNFINISHED.test(line) && !path.endsWith(".json"))
      return [problem("unfinished: do it, or take the note out")];
    if (/\.(ts|tsx|js|c|h)$/.test(path) && CODE_IN_COMMENT.test(line))
      return [problem("code in a comment: take it out")];
    return [];
  });

const SKIPS_REFUSED = new Set(["skip", "todo", "only"]);
const RUNNERS = new Set(["test", "it", "describe", "suite", "t", "context"]);
const SPEC_NAMES_REFUSED = new Set(["xit", "xtest", "xdescribe", "fit", "fdescribe"]);

/** T13: every test runs or says what is missing; nothing is left out of coverage. */
export const wholeTests: Rule = (file) => {
  if (!isTest(file.path)) return [];
  const found: Problem[] = [];
  eachNode(file, (node) => {
    const member = ts.isPropertyAccessExpression(node) && ts.isCallExpression(node.parent);
    if (member && SKIPS_REFUSED.has(node.name.text) && RUNNERS.has(node.expression.getText()))
      found.push(at(file, node, "T13", `.${node.name.text}(): use tests/support/need.ts`));
    const named = ts.isPropertyAssignment(node) && !file.path.endsWith("support/need.ts");
    if (named && SKIPS_REFUSED.has(node.name.getText()) && isTestOption(node))
      found.push(at(file, node, "T13", `${node.name.getText()}: use tests/support/need.ts`));
    const call = ts.isCallExpression(node) && SPEC_NAMES_REFUSED.has(node.expression.getText());
    if (call) found.push(at(file, node, "T13", "a test that does not run: let it run"));
  });
  file.lines.forEach((line, index) => {
    if (/(?:c8|v8|istanbul) ignore/.test(line))
      found.push({ path: file.path, line: index + 1, rule: "T13", text: "coverage left out" });
  });
  return found;
};

// { skip: ... } as an argument of test(), it(), describe() or suite().
function isTestOption(node: ts.PropertyAssignment): boolean {
  const call = node.parent.parent;
  if (!ts.isCallExpression(call)) return false;
  return RUNNERS.has(call.expression.getText());
}
