// SPDX-License-Identifier: MIT
// T10 and T11: host functions in one place, no allocation in the tick.

import ts from "typescript";
import { IMPORTS, type ModuleName } from "../build/imports.ts";
import { eachNode, lineOf, type Problem, type Rule, type TidyFile } from "./file.ts";

const ABI = /^firmware\/(loop|link)\/abi\.ts$/;
const IN_TICK = /^firmware\/(loop\/|wire\/|limits\.ts)/;
const FLOAT_FILES = [
  "firmware/loop/compare.ts", // an f32 register has to be compared as the number it is
];

/** T10: only the two abi files declare host functions, and exactly those of SPEC.md. */
export const hostFunctions: Rule = (file) => {
  if (!file.path.startsWith("firmware/") || file.path.endsWith(".d.ts")) return [];
  const module = ABI.exec(file.path)?.[1] as ModuleName | undefined;
  const found: Problem[] = [];
  const declared = new Map<string, number>();
  eachNode(file, (node) => {
    if (!ts.isFunctionDeclaration(node) || node.body !== undefined) return;
    const name = externalName(file, node);
    declared.set(name, node.parameters.length);
    if (module === undefined || !Object.hasOwn(IMPORTS[module], name))
      found.push(say(file, node, "T10", `${name} is declared here: SPEC.md and abi.ts say no`));
    else if (IMPORTS[module][name]?.[0] !== node.parameters.length)
      found.push(say(file, node, "T10", `${name} takes ${IMPORTS[module][name]?.[0]} values`));
  });
  return found;
};

function externalName(file: TidyFile, node: ts.FunctionDeclaration): string {
  const before = file.text.slice(node.getFullStart(), node.name?.getStart() ?? node.end);
  return /@external\(\s*"host"\s*,\s*"(\w+)"/.exec(before)?.[1] ?? node.name?.text ?? "a function";
}

function say(file: TidyFile, node: ts.Node, rule: string, text: string): Problem {
  return { path: file.path, line: lineOf(node), rule, text };
}

/** T11: nothing is allocated and nothing is a float where the tick can reach. */
export const noAllocation: Rule = (file) => {
  if (!IN_TICK.test(file.path)) return [];
  const found: Problem[] = [];
  const wire = !file.path.startsWith("firmware/loop/");
  eachNode(file, (node) => {
    const problem = wire ? undefined : allocation(node);
    if (problem !== undefined) found.push(say(file, node, "T11", problem));
    if (!ts.isIdentifier(node)) return;
    if (node.text === "f64") found.push(say(file, node, "T11", "f64: neither chip has an FPU"));
    if (node.text === "f32" && !FLOAT_FILES.includes(file.path))
      found.push(say(file, node, "T11", "f32: list the file with its reason"));
  });
  return found;
};

function allocation(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node)) return "new: use memory.data or a field of the state";
  if (ts.isArrayLiteralExpression(node) && !isStaticData(node))
    return "array literal: use memory.data";
  if (ts.isPropertyAccessExpression(node) && node.getText() === "memory.grow")
    return "memory.grow: memory is fixed at build time";
  const text = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
  return text && !isNamePart(node) ? "string: text belongs to link" : undefined;
}

// memory.data<u8>([1, 2]) lays octets into the image and allocates nothing.
function isStaticData(node: ts.Node): boolean {
  const { parent } = node;
  return ts.isCallExpression(parent) && parent.expression.getText().startsWith("memory.data");
}

// The name of a module or of a host function is no text at run time.
function isNamePart(node: ts.Node): boolean {
  for (let up: ts.Node = node.parent; !ts.isSourceFile(up); up = up.parent)
    if (ts.isImportDeclaration(up) || ts.isExportDeclaration(up) || ts.isDecorator(up)) return true;
  return false;
}
