// SPDX-License-Identifier: MIT
// Small functions where they are called.
//
// What is known of operands is then known inside.
//
//   r = call f(a, b)  ►  block { p = a; q = b; locals of f = 0; ...; r = result; branch behind }
//
// Callees come before callers, so that small ones in small ones are inlined too; what may call itself never
// is. A parameter that f never sets is its operand, where that is a local: results are in locals of their own, so
// nothing sets it before the end of f. Instructions keep their octet, and with it the function that a trap names.
//
// Time of the analysis grows with the module: LIMITS bounds how much larger inlining makes it, in nodes.

import { calleesOf, recursiveFunctions } from "./calls.ts";
import { copyStatements, freshLabel, localsSet, sizeOf } from "./copy.ts";
import type { Call, Expression, Func, Module, Statement } from "./ir.ts";

export const LIMITS = {
  callee: 32, // an access of AssemblyScript with its index test has 20..30
  caller: 4000, // what one function may become
  module: 3000, // what is added to all of them together
};

/** Inlines calls of small functions, as far as LIMITS let it. */
export function inlineSmall(module: Module): void {
  const recursive = recursiveFunctions(module);
  const sizes = new Map<number, number>();
  let room = LIMITS.module;
  for (const func of calleesFirst(module)) {
    let size = sizeOf(func.body);
    const wanted = (callee: Func): boolean => {
      const added = sizes.get(callee.index) ?? Infinity;
      if (recursive.has(callee.index) || added > LIMITS.callee) return false;
      if (added > room || size + added > LIMITS.caller) return false;
      size += added;
      room -= added;
      return true;
    };
    func.body = inlineIn({ module, func, label: freshLabel(func), wanted }, func.body);
    sizes.set(func.index, size);
  }
}

interface Caller {
  module: Module;
  func: Func;
  label: number; // the first that is free
  wanted: (callee: Func) => boolean;
}

// A depth-first order; where functions call each other in a circle, any.
function calleesFirst(module: Module): Func[] {
  const order: Func[] = [];
  const seen = new Set<Func>();
  const waiting: [func: Func, done: boolean][] = module.functions.map((f) => [f, false] as const);
  waiting.reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [func, done] = next;
    if (done) order.push(func);
    if (done || seen.has(func)) continue;
    seen.add(func);
    waiting.push([func, true]);
    for (const index of calleesOf(module, func)) {
      const callee = module.functions[index - module.imports.length];
      if (callee !== undefined && !seen.has(callee)) waiting.push([callee, false]);
    }
  }
  return order;
}

function inlineIn(caller: Caller, list: readonly Statement[]): Statement[] {
  return list.flatMap((statement): Statement[] => {
    switch (statement.kind) {
      case "call":
        return inlineCall(caller, statement);
      case "block":
      case "loop":
        statement.body = inlineIn(caller, statement.body);
        return [statement];
      case "if":
        statement.yes = inlineIn(caller, statement.yes);
        statement.no = inlineIn(caller, statement.no);
        return [statement];
      default:
        return [statement];
    }
  });
}

function inlineCall(caller: Caller, call: Call): Statement[] {
  const callee = caller.module.functions[call.callee - caller.module.imports.length];
  if (callee === undefined || !caller.wanted(callee)) return [call];
  const label = caller.label++;
  const { before, locals } = enter(caller, callee, call);
  const body = copyStatements(callee.body, {
    local: (index) => locals[index]!,
    label: (own) => own + caller.label,
  });
  caller.label += freshLabel(callee);
  return [{ kind: "block", label, body: [...before, ...leaveInto(body, call.results, label)] }];
}

// What the callee's locals are in the caller, and how they begin, in each pass of a loop around.
function enter(
  { func }: Caller,
  callee: Func,
  { operands }: Call,
): { before: Statement[]; locals: number[] } {
  const set = localsSet(callee.body);
  const before: Statement[] = [];
  const locals = callee.locals.map((type, i) => {
    const operand = operands[i];
    if (operand?.kind === "local" && !set.has(i)) return operand.index;
    const index = func.locals.push(type) - 1;
    before.push({ kind: "setLocal", index, value: operand ?? { kind: "const", type, value: 0 } });
    return index;
  });
  return { before, locals };
}

// A return sets the results and goes behind the block.
function leaveInto(
  list: readonly Statement[],
  results: readonly number[],
  label: number,
): Statement[] {
  return list.flatMap((statement): Statement[] => {
    switch (statement.kind) {
      case "return":
        return [...assign(results, statement.values), { kind: "branch", label }];
      case "block":
      case "loop":
        return [{ ...statement, body: leaveInto(statement.body, results, label) }];
      case "if":
        return [
          {
            ...statement,
            yes: leaveInto(statement.yes, results, label),
            no: leaveInto(statement.no, results, label),
          },
        ];
      default:
        return [statement];
    }
  });
}

function assign(results: readonly number[], values: readonly Expression[]): Statement[] {
  return results.map((index, i) => ({ kind: "setLocal", index, value: values[i]! }));
}
