// SPDX-License-Identifier: MIT
// Statements over what is known: branches join, loops come to rest.
//
// A loop's head starts from its entry, grows by what comes back (from the third time on by thresholds), and
// then takes two steps down. What results is only a claim: the recording pass runs each body once from it
// and checks that what comes back is within it.

import { localsSet } from "../copy.ts";
import type { If, Loop, Statement } from "../ir.ts";
import { applyBulk, applyCall, applyCallIndirect, applyStore, setGlobal } from "./effects.ts";
import { evaluate, type Run } from "./evaluate.ts";
import { numberOfPlace } from "./numbers.ts";
import { growRange } from "./program.ts";
import { assume } from "./relations.ts";
import { ANY } from "./range.ts";
import { narrowByTrips } from "./trips.ts";
import { cloneState, implies, joinStates, type State, widenState } from "./state.ts";

const WIDEN_FROM = 2; // passes before ends move on to thresholds
const WIDEN_ALL_FROM = 7; // and to the ends of 32 bits
const STEPS_DOWN = 2;
const PASSES_MAX = 40;

/** Runs statements; the state is undefined behind them when nothing gets there. */
export function flow(run: Run, list: readonly Statement[]): void {
  for (const statement of list) {
    if (run.state === undefined) return;
    run.steps.add(statement);
    step(run, statement);
  }
}

function step(run: Run, node: Statement): void {
  switch (node.kind) {
    case "setLocal": {
      const { number, range } = evaluate(run, node.value);
      if (run.state === undefined) return;
      run.state.locals[node.index] = number;
      if (node.value.type === "i32" && run.program.numbers.terms[number]!.range === undefined)
        run.state.ranges.set(number, range);
      return;
    }
    case "setGlobal":
      return setGlobal(run, node.index, evaluate(run, node.value));
    case "drop":
      evaluate(run, node.value);
      return;
    case "store":
      return applyStore(run, node);
    case "call":
      return applyCall(run, node);
    case "callIndirect":
      return applyCallIndirect(run, node);
    case "bulk":
      return applyBulk(run, node);
    case "grow":
      evaluate(run, node.delta);
      return setUnknown(run, node.result, node);
    case "dropSegment":
      return;
    case "block":
      return block(run, node.label, node.body, node);
    case "loop":
      return loop(run, node);
    case "if":
      return choice(run, node);
    case "branch":
      return branch(run, [node.label]);
    case "branchTable":
      evaluate(run, node.selector);
      return branch(run, [...new Set([...node.labels, node.otherwise])]);
    case "return":
      return leave(
        run,
        node.values.map((value) => evaluate(run, value).range),
      );
    case "unreachable":
      run.state = undefined;
  }
}

function setUnknown(run: Run, local: number, place: object): void {
  if (run.state === undefined) return;
  const number = numberOfPlace(run.program.numbers, "unknown", place, local);
  run.state.ranges.set(number, ANY);
  run.state.locals[local] = number;
}

function branch(run: Run, labels: readonly number[]): void {
  const { state } = run;
  if (state === undefined) return;
  labels.forEach((label, i) => {
    const arriving = i === 0 ? state : cloneState(state);
    const waiting = run.labels.get(label);
    if (waiting === undefined) run.labels.set(label, [arriving]);
    else waiting.push(arriving);
  });
  run.state = undefined;
}

function block(run: Run, label: number, body: readonly Statement[], place: object): void {
  flow(run, body);
  const arrived = run.labels.get(label) ?? [];
  run.labels.delete(label);
  if (arrived.length === 0) return;
  if (run.state !== undefined) arrived.push(run.state);
  run.state = arrived.length === 1 ? arrived[0] : joinStates(run.program.numbers, place, arrived);
}

function choice(run: Run, node: If): void {
  const condition = evaluate(run, node.condition);
  if (run.state === undefined) return;
  const { numbers } = run.program;
  const entry = run.state;
  const mayFail = node.never === true || condition.range.least === 0;
  const otherwise = mayFail ? cloneState(entry) : undefined;
  const taken =
    node.never !== true &&
    condition.range.most > 0 &&
    assume(numbers, entry, condition.number, true);
  run.state = taken ? entry : undefined;
  flow(run, node.yes);
  const afterYes = run.state;
  const skipped = otherwise !== undefined && assume(numbers, otherwise, condition.number, false);
  run.state = skipped ? otherwise : undefined;
  flow(run, node.no);
  const ends = [afterYes, run.state].filter((state) => state !== undefined);
  run.state = ends.length === 1 ? ends[0] : joinStates(numbers, node, ends);
}

function leave(run: Run, ranges: readonly (typeof ANY)[]): void {
  const { state, summary, program } = run;
  run.state = undefined;
  if (state === undefined) return;
  let changed = summary.results === undefined;
  summary.results ??= ranges.map(() => undefined);
  ranges.forEach((range, i) => {
    if (growRange(summary.results!, i, range, summary.growths)) changed = true;
  });
  if (!changed) return;
  summary.growths++;
  summary.outVersion = ++program.clock;
}

function loop(run: Run, node: Loop): void {
  const entry = run.state!;
  const kept = run.recording ? run.heads.get(node) : undefined;
  if (kept !== undefined) {
    noteFirstTest(run, node, entry);
    const backs = pass(run, node, kept);
    const next = joinHead(run, node, entry, backs);
    if (!implies(run.program.numbers, next, kept)) run.refuted = true;
    return;
  }
  run.heads.set(node, findHead(run, node, entry));
}

// The condition that a loop starts with, as it is in the first pass alone.
function noteFirstTest(run: Run, node: Loop, entry: State): void {
  const [first] = node.body;
  if (first?.kind !== "if") return;
  run.state = cloneState(entry);
  const holds = evaluate(run, first.condition).range.least > 0 && run.state !== undefined;
  run.entered.set(node, holds && run.entered.get(node) !== false);
}

// The last pass is one from the head that is returned, so that inner loops have their heads from it.
function findHead(run: Run, node: Loop, entry: State): State {
  const { numbers } = run.program;
  let head = joinHead(run, node, entry, []);
  let stable: State | undefined;
  let stepsDown = 0;
  for (let passes = 1; passes <= PASSES_MAX; passes++) {
    const backs = pass(run, node, head);
    const next = joinHead(run, node, entry, backs);
    const holds = implies(numbers, next, head);
    if (!holds && stable !== undefined) {
      pass(run, node, stable); // the last step down went too far
      return stable;
    }
    if (holds) {
      if (stepsDown++ >= STEPS_DOWN || implies(numbers, head, next)) return head;
      stable = head;
    } else if (passes >= WIDEN_FROM) {
      const all = passes >= WIDEN_ALL_FROM;
      widenState(head, next, all ? [] : [...run.thresholds].toSorted((a, b) => a - b));
      narrowByTrips(run, node, entry, next);
    }
    head = next;
  }
  run.refuted = true;
  return head;
}

function pass(run: Run, node: Loop, head: State): State[] {
  run.labels.delete(node.label);
  run.state = cloneState(head);
  flow(run, node.body);
  const backs = run.labels.get(node.label) ?? [];
  run.labels.delete(node.label);
  return backs;
}

function joinHead(run: Run, node: Loop, entry: State, backs: readonly State[]): State {
  const head = joinStates(run.program.numbers, node, [entry, ...backs], localsSetIn(node))!;
  narrowByTrips(run, node, entry, head);
  return head;
}

const setInLoop = new WeakMap<Loop, ReadonlySet<number>>();

function localsSetIn(node: Loop): ReadonlySet<number> {
  const known = setInLoop.get(node);
  if (known !== undefined) return known;
  const found = localsSet(node.body);
  setInLoop.set(node, found);
  return found;
}
