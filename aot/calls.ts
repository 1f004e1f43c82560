// SPDX-License-Identifier: MIT
// Who calls whom: what exports reach, and what may call itself.

import type { Func, Module } from "./ir.ts";
import { eachStatement } from "./walk.ts";

/** Functions that a body calls; an indirect call may reach every function of the table. */
export function calleesOf(module: Module, func: Func): Set<number> {
  const callees = new Set<number>();
  eachStatement(func.body, (statement) => {
    if (statement.kind === "call") callees.add(statement.callee);
    if (statement.kind !== "callIndirect") return;
    for (const { functions } of module.elements)
      for (const index of functions) if (index !== null) callees.add(index);
  });
  return callees;
}

/** Functions that some export or the start reaches. */
export function reachable(module: Module, roots: readonly number[]): Set<number> {
  const seen = new Set<number>();
  const waiting = [...roots];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const func = module.functions[index - module.imports.length];
    if (func !== undefined) waiting.push(...calleesOf(module, func));
  }
  return seen;
}

/** Functions that a host can enter: exports and start, and through an exported table all of it. */
export function rootsOf(module: Module): number[] {
  const roots = module.exports.filter(({ kind }) => kind === "function").map(({ index }) => index);
  return module.start === null ? roots : [...roots, module.start];
}

/** Functions that can be entered again before they return. */
export function recursiveFunctions(module: Module): Set<number> {
  const callees = new Map(module.functions.map((func) => [func.index, calleesOf(module, func)]));
  const recursive = new Set<number>();
  for (const func of module.functions)
    if ([...callees.get(func.index)!].some((callee) => reaches(callees, callee, func.index)))
      recursive.add(func.index);
  return recursive;
}

function reaches(
  callees: ReadonlyMap<number, ReadonlySet<number>>,
  from: number,
  to: number,
): boolean {
  const seen = new Set<number>();
  const waiting = [from];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (index === to) return true;
    if (seen.has(index)) continue;
    seen.add(index);
    waiting.push(...(callees.get(index) ?? []));
  }
  return false;
}
