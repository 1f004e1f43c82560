// SPDX-License-Identifier: MIT
// Makes packed factories small: the same calls and the same memory with less text.

import {
  eachNode,
  type FunctionDeclaration,
  type Node,
  type Program,
  read,
  write,
} from "./tree.ts";
import { structure } from "./shrink/blocks.ts";
import { shortForms } from "./shrink/forms.ts";
import { flowAll } from "./shrink/flow.ts";
import { simplifyLocals } from "./shrink/locals.ts";
import { assignSlots } from "./shrink/slots.ts";
import { splitWebs } from "./shrink/webs.ts";
import { createWorld, isRunTime } from "./shrink/world.ts";

/** The text of packed factories, smaller. */
export function shrink(code: string): string {
  const program = read(code);
  eachNode(program, (node) => {
    if (node.type === "FunctionDeclaration" && FACTORY.test(node.id.name)) shrinkFactory(node);
  });
  dropRunTime(program);
  return write(program);
}

// A run-time function that no factory calls any more.
function dropRunTime(program: Program): void {
  const uses = usesOf(program);
  program.body = program.body.filter((s) => {
    if (s.type === "FunctionDeclaration")
      return FACTORY.test(s.id.name) || uses.get(s.id.name)! > 1;
    if (s.type !== "VariableDeclaration") return true;
    return s.declarations.some(({ id }) => uses.get(id.name)! > 1);
  });
}

function usesOf(node: Node): Map<string, number> {
  const uses = new Map<string, number>();
  eachNode(node, (n) => {
    if (n.type === "Identifier") uses.set(n.name, (uses.get(n.name) ?? 0) + 1);
  });
  return uses;
}

const FACTORY = /^(loop|link)$/;

function shrinkFactory(factory: FunctionDeclaration): void {
  const functions = factory.body.body.filter(
    (s): s is FunctionDeclaration => s.type === "FunctionDeclaration" && !isRunTime(s),
  );
  for (const f of functions) {
    f.body.body = structure(f.body.body);
    splitWebs(f);
  }
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
  const uses = usesOf(factory);
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
