// SPDX-License-Identifier: MIT
// Makes packed factories small: the same calls and the same memory with less text.

import { eachNode, type FunctionDeclaration, read, write } from "./tree.ts";
import { structure } from "./shrink/blocks.ts";
import { shortForms } from "./shrink/forms.ts";
import { flowAll } from "./shrink/flow.ts";
import { simplifyLocals } from "./shrink/locals.ts";
import { assignSlots } from "./shrink/slots.ts";
import { createWorld, isRunTime } from "./shrink/world.ts";

/** The text of packed factories, smaller. */
export function shrink(code: string): string {
  const program = read(code);
  eachNode(program, (node) => {
    if (node.type === "FunctionDeclaration" && FACTORY.test(node.id.name)) shrinkFactory(node);
  });
  return write(program);
}

const FACTORY = /^(loop|link)$/;

function shrinkFactory(factory: FunctionDeclaration): void {
  const functions = factory.body.body.filter(
    (s): s is FunctionDeclaration => s.type === "FunctionDeclaration" && !isRunTime(s),
  );
  for (const f of functions) f.body.body = structure(f.body.body);
  for (let round = 0; round < ROUNDS; round++) {
    for (const f of functions) simplifyLocals(f);
    coerce(factory);
    for (const f of functions) f.body.body = structure(f.body.body);
  }
  for (const f of functions) {
    assignSlots(f);
    f.body.body = shortForms(f.body.body);
  }
  dropUnused(factory);
}

// A view or import that nothing names.
function dropUnused(factory: FunctionDeclaration): void {
  const uses = new Map<string, number>();
  eachNode(factory, (node) => {
    if (node.type === "Identifier") uses.set(node.name, (uses.get(node.name) ?? 0) + 1);
  });
  for (const s of factory.body.body)
    if (s.type === "VariableDeclaration")
      s.declarations = s.declarations.filter(({ id }) => uses.get(id.name)! > 1);
}

const ROUNDS = 3; // measured: a fourth changes nothing in the example nodes
const PASSES_MAX = 60; // bounds go by steps, so that far fewer are enough

function coerce(factory: FunctionDeclaration): void {
  const world = createWorld(factory);
  do {
    world.changes = 0;
    flowAll(world, false);
    if (++world.pass > PASSES_MAX) throw new Error("ranges do not settle");
  } while (world.changes > 0);
  flowAll(world, true);
}
