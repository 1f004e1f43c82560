// SPDX-License-Identifier: MIT
// Who calls whom: what exports reach, and what may call itself.

import type { Func, Module } from "./ir.ts";
import { listedFunctions, sharesTable } from "./sharing.ts";
import { eachStatement } from "./walk.ts";

/**
 * Functions that a body calls. An indirect call may reach every function of the table; where other modules
 * share it, that and a call of an import may come back into whatever those can call.
 */
export function calleesOf(module: Module, func: Func): Set<number> {
  const callees = new Set<number>();
  const shared = sharesTable(module);
  eachStatement(func.body, (statement) => {
    if (statement.kind === "call") callees.add(statement.callee);
    const leaves = statement.kind === "call" && statement.callee < module.imports.length;
    if (statement.kind !== "callIndirect" && !(shared && leaves)) return;
    for (const index of listedFunctions(module)) callees.add(index);
    if (shared) for (const index of exportedFunctions(module)) callees.add(index);
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

/** Functions that a host or another module can enter: exports, start, and through a shared table all of it. */
export function rootsOf(module: Module): number[] {
  const roots = exportedFunctions(module);
  if (sharesTable(module)) roots.push(...listedFunctions(module));
  return module.start === null ? roots : [...roots, module.start];
}

function exportedFunctions({ exports }: Module): number[] {
  return exports.filter(({ kind }) => kind === "function").map(({ index }) => index);
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
