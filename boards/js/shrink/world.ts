// SPDX-License-Identifier: MIT
// What is known of a factory: functions, imports, globals, their values.
//
// Ranges are found from below: nothing is known to come until an assignment or a call brings it, and passes
// over the whole factory go on until nothing new comes. Exported functions may be given anything.

import { eachNode, type FunctionDeclaration, type Statement } from "../tree.ts";
import { ANY, isSame, join, NONE, type Range, widen } from "./ranges.ts";

export interface Known {
  declaration: FunctionDeclaration;
  exported: boolean;
  result: Range;
  variables: Map<string, Range>; // parameters too, over the whole function
}

export interface World {
  functions: Map<string, Known>;
  imports: Set<string>;
  globals: Map<string, Range>;
  changes: number; // of ranges in the pass under way
  pass: number;
}

const GENTLE_PASSES = 4; // then bounds move by steps

/** Whether a function of a factory is one of run-time.ts; those stay as they are. */
export const isRunTime = ({ id }: FunctionDeclaration): boolean => id.name.startsWith("wasm2js_");

/** The factory with nothing known to come. */
export function createWorld(factory: FunctionDeclaration): World {
  const world: World = {
    functions: new Map(),
    imports: new Set(),
    globals: new Map(),
    changes: 0,
    pass: 0,
  };
  for (const s of factory.body.body) {
    if (s.type === "FunctionDeclaration" && !isRunTime(s))
      world.functions.set(s.id.name, {
        declaration: s,
        exported: false,
        result: NONE,
        variables: new Map(ownOf(s).map((name) => [name, NONE])),
      });
    if (s.type === "VariableDeclaration") declare(s, factory.params[0]!.name, world);
  }
  for (const s of factory.body.body) if (s.type !== "FunctionDeclaration") expose(s, world);
  return world;
}

// Parameters and variables; those without a value get one before they are read.
function ownOf(f: FunctionDeclaration): string[] {
  const own = f.params.map(({ name }) => name);
  for (const s of f.body.body)
    if (s.type === "VariableDeclaration") own.push(...s.declarations.map(({ id }) => id.name));
  return own;
}

function declare(s: Statement & { type: "VariableDeclaration" }, host: string, world: World): void {
  for (const { id, init } of s.declarations)
    if (init?.type === "MemberExpression" && init.object.type === "Identifier") {
      if (init.object.name === host) world.imports.add(id.name);
    } else if (init?.type === "Literal" && typeof init.value === "number")
      world.globals.set(id.name, Number.isInteger(init.value) ? whole(init.value) : ANY);
}

const whole = (value: number): Range => ({ low: value, high: value, whole: true, truth: false });

// A function that a statement of the factory names, in the object it returns or in a table, may be given anything.
function expose(s: Statement, world: World): void {
  eachNode(s, (node) => {
    if (node.type !== "Identifier") return;
    const known = world.functions.get(node.name);
    if (known === undefined) return;
    known.exported = true;
    for (const { name } of known.declaration.params) known.variables.set(name, ANY);
  });
}

/** Adds what may come to a variable, a parameter or a result. */
export function learn(world: World, of: Map<string, Range>, name: string, more: Range): void {
  const before = of.get(name) ?? NONE;
  let next = join(before, more);
  if (isSame(before, next)) return;
  if (world.pass > GENTLE_PASSES) next = widen(before, next);
  of.set(name, next);
  world.changes++;
}
