// SPDX-License-Identifier: MIT
// What is known of a module: analysed to rest, then checked in one pass.
//
//   functions ► flow ► facts of memory, globals, parameters, results ► again, whatever depends on a change
//
// The last pass takes all facts as they are and must not change one: so what it records is proven by it
// alone, however the facts were found. If it does change one, nothing is claimed and every check stays.

import type { Bulk, Expression, Func, Load, Loop, Module, Statement, Store } from "../ir.ts";
import { eachStatement } from "../walk.ts";
import { flow } from "./flow.ts";
import type { BulkSpans, Reach, Run, Value } from "./evaluate.ts";
import { numberOfConstant, numberOf, numberOfPlace } from "./numbers.ts";
import { type HostRules, makeProgram, type Program, type Sizes, summaryOf } from "./program.ts";
import { ANY } from "./range.ts";
import type { HoistedTests } from "./split.ts";
import type { State } from "./state.ts";

export type { HostPointer, HostRules } from "./program.ts";

/** What is proven. A node that is in neither map is never evaluated. */
export interface Knowledge {
  values: ReadonlyMap<Expression, Value>;
  reaches: ReadonlyMap<Load | Store, Reach>;
  steps: ReadonlySet<Statement>;
  spans: ReadonlyMap<Bulk, BulkSpans>;
  entered: ReadonlyMap<Loop, boolean>;
  program: Program;
  hoisted: HoistedTests;
}

const ROUNDS_MAX = 200;

/** Analyses a module; undefined when it came to no end. */
export function analyse(
  module: Module,
  sizes: Sizes,
  host: HostRules,
  hoisted: HoistedTests = new Map(),
): Knowledge | undefined {
  const program = makeProgram(module, sizes, host);
  const heads: Run["heads"] = new Map();
  const callees = new Map(module.functions.map((func) => [func.index, calledBy(func)]));
  const seen = new Map<number, Stamp>(); // when a function was last analysed
  for (let round = 0; round < ROUNDS_MAX; round++) {
    let changed = false;
    for (const func of module.functions) {
      if (!summaryOf(program, func.index).reached) continue;
      if (!isStale(program, seen.get(func.index), func.index, callees.get(func.index)!)) continue;
      changed = true;
      seen.set(func.index, stamp(program));
      if (runFunction(program, func, heads, false).refuted) return undefined;
    }
    if (!changed) return record(program, heads, hoisted);
  }
  return undefined;
}

function record(
  program: Program,
  heads: Run["heads"],
  hoisted: HoistedTests,
): Knowledge | undefined {
  const before = stamp(program);
  const values = new Map<Expression, Value>();
  const reaches = new Map<Load | Store, Reach>();
  const steps = new Set<Statement>();
  const spans = new Map<Bulk, BulkSpans>();
  const entered = new Map<Loop, boolean>();
  for (const func of program.module.functions) {
    if (!summaryOf(program, func.index).reached) continue;
    const run = runFunction(program, func, heads, true);
    if (run.refuted) return undefined;
    for (const [node, value] of run.values) values.set(node, value);
    for (const [node, reach] of run.reaches) reaches.set(node, reach);
    for (const statement of run.steps) steps.add(statement);
    for (const [node, span] of run.spans) spans.set(node, span);
    for (const [node, surely] of run.entered) entered.set(node, surely);
  }
  const { clock, memory } = stamp(program);
  return clock === before.clock && memory === before.memory
    ? { values, reaches, steps, spans, entered, program, hoisted }
    : undefined;
}

function runFunction(program: Program, func: Func, heads: Run["heads"], recording: boolean): Run {
  const run: Run = {
    program,
    summary: summaryOf(program, func.index),
    state: entryState(program, func),
    values: new Map(),
    reaches: new Map(),
    checks: new Map(),
    steps: new Set(),
    thresholds: new Set([-1, 0, 1, 255, 256, 65_535, 65_536, 2 ** 31 - 1]),
    labels: new Map(),
    heads,
    growths: new Map(),
    spans: new Map(),
    entered: new Map(),
    recording,
    refuted: false,
  };
  flow(run, func.body);
  return run;
}

function entryState({ numbers, summaries }: Program, func: Func): State {
  const state: State = {
    locals: [],
    ranges: new Map(),
    cells: new Map(),
    relations: new Set(),
  };
  const { parameters } = func.signature;
  func.locals.forEach((type, i) => {
    if (i >= parameters.length) {
      const zero =
        type === "i32" ? numberOfConstant(numbers, 0) : numberOf(numbers, `${type}.0`, 0);
      return state.locals.push(zero);
    }
    const number = numberOfPlace(numbers, "parameter", func, i);
    state.ranges.set(number, summaries.get(func.index)!.parameters[i] ?? ANY);
    return state.locals.push(number);
  });
  return state;
}

// A function depends on its parameters, on memory and globals, and on what its callees do and give.
function isStale(
  program: Program,
  seen: Stamp | undefined,
  index: number,
  callees: readonly number[],
): boolean {
  if (seen === undefined) return true;
  const newest = Math.max(
    summaryOf(program, index).inVersion,
    program.globalsVersion,
    ...callees
      .filter((callee) => callee >= program.module.imports.length)
      .map((callee) => summaryOf(program, callee).outVersion),
  );
  return newest > seen.clock || program.memory.version > seen.memory;
}

interface Stamp {
  clock: number;
  memory: number;
}

function stamp({ clock, memory }: Program): Stamp {
  return { clock, memory: memory.version };
}

function calledBy({ body }: Func): number[] {
  const callees = new Set<number>();
  eachStatement(body, (statement) => {
    if (statement.kind === "call") callees.add(statement.callee);
  });
  return [...callees];
}
