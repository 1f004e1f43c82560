// SPDX-License-Identifier: MIT
// Takes out of a packed factory what the host of a board never calls.
//
// Exports that are not named go, then functions that nothing names any more: the goodbye of link, for one. What only
// those would have written is constant from then on, and shrink takes it out as well.

import { eachNode, type FunctionDeclaration, type Node, read, write } from "./tree.ts";

/** The factories in a text with these exports alone. */
export function keepExports(code: string, kept: readonly string[]): string {
  const program = read(code);
  for (const statement of program.body)
    if (statement.type === "FunctionDeclaration" && hasExports(statement)) {
      dropExports(statement, kept);
      while (dropFunctions(statement));
    }
  return write(program);
}

// Its last statement gives back an object.
function hasExports({ body }: FunctionDeclaration): boolean {
  const last = body.body.at(-1);
  return last?.type === "ReturnStatement" && last.argument?.type === "ObjectExpression";
}

function dropExports({ body }: FunctionDeclaration, kept: readonly string[]): void {
  const last = body.body.at(-1);
  if (last?.type !== "ReturnStatement" || last.argument?.type !== "ObjectExpression") return;
  last.argument.properties = last.argument.properties.filter(({ key }) =>
    kept.includes(key.type === "Identifier" ? key.name : String((key as { value: unknown }).value)),
  );
}

// Functions that nobody but themselves names; true where there were some.
function dropFunctions({ body }: FunctionDeclaration): boolean {
  const named = new Set<string>();
  for (const statement of body.body) {
    const own = statement.type === "FunctionDeclaration" ? statement.id.name : undefined;
    eachNode(statement as Node, (node) => {
      if (node.type === "Identifier" && node.name !== own) named.add(node.name);
    });
  }
  const before = body.body.length;
  body.body = body.body.filter(
    (statement) => statement.type !== "FunctionDeclaration" || named.has(statement.id.name),
  );
  return body.body.length < before;
}
