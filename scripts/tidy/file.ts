// SPDX-License-Identifier: MIT
// A tracked file as the rules see it, and what a rule says about it.

import ts from "typescript";

export interface TidyFile {
  path: string; // from the top of the repository, with "/"
  text: string;
  lines: string[];
  source: ts.SourceFile | undefined; // parsed where it is TypeScript or JavaScript
}

export interface Problem {
  path: string;
  line: number; // from 1
  rule: string; // T1 to T14
  text: string; // what is wrong and what to do
}

export type Rule = (file: TidyFile) => Problem[];

/** A file ready for the rules. */
export function tidyFile(path: string, text: string): TidyFile {
  const parsed = /\.(ts|tsx|js|mjs)$/.test(path);
  const source = parsed ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true) : undefined;
  return { path, text, lines: text.split("\n"), source };
}

export const isTest = (path: string): boolean => path.startsWith("tests/");

/** The line of a node, from 1. */
export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Calls `visit` for every node of a file. */
export function eachNode(file: TidyFile, visit: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, walk);
  };
  if (file.source) walk(file.source);
}
