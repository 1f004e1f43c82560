// SPDX-License-Identifier: MIT
// What writes: stores, calls, globals, and instructions on whole ranges of memory.

import type { Bulk, Call, CallIndirect, Module, Store } from "../ir.ts";
import { listedFunctions, sharesTable } from "../sharing.ts";
import { constantValue, evaluate, reachOf, type Run, type Value } from "./evaluate.ts";
import { type MemoryFacts, scatter, storeCell } from "./memory.ts";
import { numberOf, numberOfPlace } from "./numbers.ts";
import {
  addAnything,
  addEffects,
  addGlobal,
  addWrite,
  growGlobal,
  growRange,
  type HostPointer,
  isShared,
  type Summary,
  summaryOf,
} from "./program.ts";
import { ANY, isConstant, lowBits, type Range, unsignedRange } from "./range.ts";
import { cellKey, globalKey, refine, type State } from "./state.ts";

export function setGlobal(run: Run, index: number, value: Value): void {
  const { program, state, summary } = run;
  if (state === undefined) return;
  if (program.module.globals[index]!.type === "i32") growGlobal(program, index, value.range);
  const cell = program.globalCells[index]!;
  addGlobal(program, summary, cell);
  state.cells.set(globalKey(cell), value.number);
  if (program.numbers.terms[value.number]!.range === undefined)
    state.ranges.set(value.number, value.range);
}

export function applyStore(run: Run, node: Store): void {
  const address = evaluate(run, node.address);
  const value = evaluate(run, node.value);
  if (run.state === undefined) return;
  const reach = reachOf(run, node, address);
  if (reach === undefined) return;
  const { program, summary, state } = run;
  const stored = node.value.type === "i32" ? narrowed(run, value, node.bytes) : undefined;
  for (const [first, last] of reach.parts) {
    const end = last + node.bytes;
    forgetCells(state, first, end);
    addWrite(program, summary, first, end);
    if (first === last && stored !== undefined)
      storeCell(program.memory, first, node.bytes, stored.range);
    else scatter(program.memory, first, end);
  }
  if (reach.first !== reach.last || stored === undefined) return;
  state.cells.set(cellKey(reach.first, node.bytes), stored.number);
  if (program.numbers.terms[stored.number]!.range === undefined)
    state.ranges.set(stored.number, stored.range);
}

// What a later load of as many octets gives, zero-extended.
function narrowed(run: Run, value: Value, bytes: number): Value {
  const most = 256 ** bytes - 1;
  if (value.range.most <= most) return value;
  if (isConstant(value.range)) return constantValue(run, lowBits(value.range.least, bytes * 8));
  const number = numberOf(run.program.numbers, `load${bytes}`, value.number);
  return { number, range: unsignedRange(0, most) };
}

function forgetCells({ cells }: State, start: number, end: number): void {
  for (const key of cells.keys()) {
    if (key < 0) continue;
    const at = Math.floor(key / 16);
    if (at < end && start < at + (key % 16)) cells.delete(key);
  }
}

export function applyCall(run: Run, node: Call): void {
  const operands = node.operands.map((operand) => evaluate(run, operand));
  if (run.state === undefined) return;
  const { program, summary } = run;
  if (node.callee < program.module.imports.length) {
    applyImport(run, node.callee, operands);
    return setResults(run, node, node.results, undefined);
  }
  const callee = summaryOf(program, node.callee);
  enter(run, callee, operands);
  addEffects(program, summary, callee);
  forgetWhatChanges(run.state, callee);
  if (callee.results === undefined) {
    run.state = undefined; // as far as is known it does not return
    return;
  }
  setResults(run, node, node.results, callee.results);
}

function enter({ program }: Run, callee: Summary, operands: readonly Value[]): void {
  let changed = !callee.reached;
  callee.reached = true;
  operands.forEach(({ range }, i) => {
    if (growRange(callee.parameters, i, range, callee.growths)) changed = true;
  });
  if (!changed) return;
  callee.growths++;
  callee.inVersion = ++program.clock;
}

function forgetWhatChanges(state: State, callee: Summary): void {
  if (callee.anything) return state.cells.clear();
  for (const [start, end] of callee.writes) forgetCells(state, start, end);
  for (const index of callee.globals) state.cells.delete(globalKey(index));
}

// An import may call exports, and so change what any function of the module changes; one that is listed may not.
function applyImport(run: Run, index: number, operands: readonly Value[]): void {
  const { program } = run;
  const { module, field } = program.module.imports[index]!;
  const pointers = program.host.hostPointers?.[`${module}.${field}`];
  if (pointers !== undefined) return applyListed(run, pointers, operands);
  applyUnknown(run);
}

function applyUnknown({ program, summary, state }: Run): void {
  addAnything(program, summary);
  state!.cells.clear();
  scatter(program.memory, 0, program.memory.bytesMax);
}

function applyListed(
  { program, summary, state }: Run,
  pointers: readonly HostPointer[],
  operands: readonly Value[],
): void {
  for (const { address, length, access } of pointers) {
    if (access !== "write") continue;
    const { least: start, most } = operands[address]?.range ?? ANY;
    const end = most + octetsMax(length, operands);
    forgetCells(state!, start, end);
    addWrite(program, summary, start, end);
    scatter(program.memory, start, end);
  }
  program.module.globals.forEach((_, index) => {
    if (!isShared(program.module, index)) return;
    addGlobal(program, summary, index);
    state!.cells.delete(globalKey(index));
  });
}

function octetsMax(length: HostPointer["length"], operands: readonly Value[]): number {
  if (typeof length === "number") return length;
  return (operands[length.parameter]?.range ?? ANY).most * (length.octetsEach ?? 1);
}

/** Everything in the table may be called, and has been entered with anything; so may imports, and strangers. */
export function applyCallIndirect(run: Run, node: CallIndirect): void {
  const operands = node.operands.map((operand) => evaluate(run, operand));
  evaluate(run, node.slot);
  if (run.state === undefined) return;
  for (const index of importsInTable(run.program.module, node.type))
    applyImport(run, index, operands);
  if (sharesTable(run.program.module)) applyUnknown(run);
  addAnything(run.program, run.summary);
  run.state.cells.clear();
  setResults(run, node, node.results, undefined);
}

function importsInTable(module: Module, type: number): Set<number> {
  const { imports, types } = module;
  const wanted = JSON.stringify(types[type]);
  return new Set(
    listedFunctions(module).filter(
      (index) => index < imports.length && JSON.stringify(imports[index]!.signature) === wanted,
    ),
  );
}

function setResults(
  run: Run,
  place: object,
  locals: readonly number[],
  ranges: readonly (Range | undefined)[] | undefined,
): void {
  const { program, state } = run;
  locals.forEach((local, i) => {
    const number = numberOfPlace(program.numbers, "result", place, i);
    state!.ranges.set(number, ranges?.[i] ?? ANY);
    state!.locals[local] = number;
  });
}

export function applyBulk(run: Run, node: Bulk): void {
  const values = node.operands.map((operand) => evaluate(run, operand));
  if (run.state === undefined || !node.op.startsWith("memory")) return;
  const { program, summary, state } = run;
  const [target, source, length] = values.map(({ range }) => range);
  const span = spanOf(program.memory, target!, length!);
  const from = node.op === "memory.copy" ? spanOf(program.memory, source!, length!) : undefined;
  const last = Math.max(target!.most, from === undefined ? 0 : source!.most) + length!.most;
  const inBounds = node.op !== "memory.init" && last <= program.memory.bytesMin;
  run.spans.set(node, { target: span, source: from, inBounds });
  const [start, end] = span;
  forgetCells(state, start, end);
  addWrite(program, summary, start, end);
  scatter(program.memory, start, end);
  const limit = unsignedRange(0, program.memory.bytesMax);
  for (const value of [values[0]!, values[2]!])
    if (run.state !== undefined && !refine(program.numbers, state, value.number, limit))
      run.state = undefined;
}

function spanOf(memory: MemoryFacts, at: Range, length: Range): [start: number, end: number] {
  return [Math.min(at.least, memory.bytesMax), Math.min(at.most + length.most, memory.bytesMax)];
}
