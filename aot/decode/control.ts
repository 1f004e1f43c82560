// SPDX-License-Identifier: MIT
// Blocks, branches and returns: results travel in locals of the block.
//
// Spec: WebAssembly 2.0 §3.4.8. A loop takes its parameters in locals that branches to its head set; every
// other block leaves its results in locals that branches behind it set. What waits on the stack when a block
// begins is evaluated before.

import { refuseAt } from "../failure.ts";
import type { If, Signature, Statement, ValueType } from "../ir.ts";
import { type Decoding, pop, popMany } from "./code.ts";
import { valueType } from "./opcodes.ts";
import { readSigned, readU32, readVector } from "./reader.ts";
import {
  disturbsControl,
  disturbsTraps,
  joinEffects,
  newLocal,
  type Operand,
  readLocal,
  setLocal,
  settle,
} from "./stack.ts";

export interface Frame {
  kind: "function" | "block" | "loop" | "if";
  label: number;
  signature: Signature;
  parameters: Operand[]; // as they were when an if began, for its else
  carried: number[]; // locals that a branch to it sets
  results: number[]; // locals that hold the results behind it
  height: number; // of the stack below
  outer: Statement[];
  dead: boolean; // behind a branch that is always taken
  choice?: If;
}

export function functionFrame(signature: Signature): Frame {
  const common = { kind: "function", label: -1, signature, height: 0, outer: [] } as const;
  return { ...common, outer: [], parameters: [], carried: [], results: [], dead: false };
}

/** What follows is never reached: the stack is empty, and statements go nowhere. */
export function leave(decoding: Decoding): void {
  const frame = decoding.frames.at(-1)!;
  frame.dead = true;
  decoding.stack.length = frame.height;
  decoding.statements = [];
}

export function beginBlock(decoding: Decoding, kind: "block" | "loop" | "if"): void {
  const signature = readBlockType(decoding);
  const condition = kind === "if" ? pop(decoding) : undefined;
  if (condition?.effects.traps) settle(decoding, disturbsTraps);
  settle(decoding, disturbsControl);
  const parameters = popMany(decoding, signature.parameters.length);
  const results = signature.results.map((type) => newLocal(decoding, type));
  const frame: Frame = {
    kind,
    label: decoding.labels++,
    signature,
    parameters,
    carried: results,
    results,
    height: decoding.stack.length,
    outer: decoding.statements,
    dead: false,
  };
  if (kind === "loop") frame.carried = carryParameters(decoding, signature.parameters, parameters);
  const inside: Statement[] = [];
  if (kind === "if") {
    const choice: If = { kind, condition: condition!.expression, yes: inside, no: [] };
    frame.choice = choice;
    decoding.statements.push({ kind: "block", label: frame.label, body: [choice] });
  } else decoding.statements.push({ kind, label: frame.label, body: inside });
  decoding.statements = inside;
  decoding.frames.push(frame);
  if (kind === "loop")
    for (const index of frame.carried) decoding.stack.push(readLocal(decoding, index));
  else decoding.stack.push(...parameters);
}

export function elseArm(decoding: Decoding): void {
  const frame = decoding.frames.at(-1)!;
  finishArm(decoding, frame);
  frame.dead = false;
  decoding.stack.length = frame.height;
  decoding.stack.push(...frame.parameters);
  decoding.statements = frame.choice!.no;
  delete frame.choice;
}

export function endBlock(decoding: Decoding): void {
  const frame = decoding.frames.at(-1)!;
  if (frame.kind === "function") return endFunction(decoding, frame);
  finishArm(decoding, frame);
  decoding.stack.length = frame.height;
  if (frame.choice !== undefined && frame.results.length > 0) {
    decoding.statements = frame.choice.no; // no else: parameters are the results
    frame.results.forEach((index, i) => setLocal(decoding, index, frame.parameters[i]!));
  }
  decoding.statements = frame.outer;
  decoding.frames.pop();
  for (const index of frame.results) decoding.stack.push(readLocal(decoding, index));
}

export function branch(decoding: Decoding, depth: number): void {
  const target = decoding.frames.at(-1 - depth)!;
  if (target.kind === "function") return returnNow(decoding);
  settle(decoding, disturbsTraps);
  setCarried(decoding, target, target.carried.length);
  decoding.statements.push({ kind: "branch", label: target.label });
  leave(decoding);
}

export function branchIf(decoding: Decoding, depth: number): void {
  const target = decoding.frames.at(-1 - depth)!;
  const condition = pop(decoding);
  const count = arity(target);
  settle(decoding, count > 0 ? disturbsControl : disturbsTraps);
  const choice: If = { kind: "if", condition: condition.expression, yes: [], no: [] };
  decoding.statements.push(choice);
  const { statements } = decoding;
  const kept = [...decoding.stack];
  decoding.statements = choice.yes;
  branchTo(decoding, target);
  decoding.stack = kept;
  decoding.statements = statements;
}

// With values, each target first gets its locals: one block around the table for each.
export function branchTable(decoding: Decoding): void {
  const depths = readVector(decoding.reader, readU32);
  const last = readU32(decoding.reader);
  const selector = pop(decoding);
  settle(decoding, disturbsTraps);
  const targets = [...new Set([...depths, last])];
  const labels = new Map(targets.map((depth) => [depth, decoding.labels++]));
  const { statements } = decoding;
  const labelOf = (depth: number): number => labels.get(depth)!;
  if (arity(decoding.frames.at(-1 - last)!) > 0) {
    const kept = newLocal(decoding, "i32");
    setLocal(decoding, kept, selector);
    settle(decoding, disturbsControl);
    selector.expression = readLocal(decoding, kept).expression;
  }
  let inner: Statement[] = [
    {
      kind: "branchTable",
      selector: selector.expression,
      labels: depths.map(labelOf),
      otherwise: labelOf(last),
    },
  ];
  for (const depth of targets) {
    const arm: Statement[] = [];
    const kept = [...decoding.stack];
    decoding.statements = arm;
    branchTo(decoding, decoding.frames.at(-1 - depth)!);
    decoding.stack = kept;
    inner = [{ kind: "block", label: labelOf(depth), body: inner }, ...arm];
  }
  statements.push(...inner);
  leave(decoding);
}

export function returnNow(decoding: Decoding): void {
  const { results } = decoding.frames[0]!.signature;
  const values = popMany(decoding, results.length);
  settle(decoding, disturbsTraps);
  decoding.statements.push({ kind: "return", values: values.map(({ expression }) => expression) });
  leave(decoding);
}

function endFunction(decoding: Decoding, frame: Frame): void {
  if (!frame.dead) returnNow(decoding);
  decoding.frames.pop();
}

function finishArm(decoding: Decoding, frame: Frame): void {
  if (frame.dead) return;
  if (joinEffects(decoding.stack).traps) settle(decoding, disturbsTraps);
  moveInto(decoding, frame.results);
}

function branchTo(decoding: Decoding, target: Frame): void {
  if (target.kind === "function") {
    const values = popMany(decoding, target.signature.results.length);
    decoding.statements.push({ kind: "return", values: values.map((value) => value.expression) });
    return;
  }
  setCarried(decoding, target, target.carried.length);
  decoding.statements.push({ kind: "branch", label: target.label });
}

function setCarried(decoding: Decoding, target: Frame, count: number): void {
  if (count > 0) moveInto(decoding, target.carried);
}

// Sets several locals at once: a value that waits and reads one of them is kept before.
function moveInto(decoding: Decoding, locals: readonly number[]): void {
  const values = popMany(decoding, locals.length);
  const base = decoding.stack.length;
  decoding.stack.push(...values);
  locals.forEach((index) => {
    const [value] = decoding.stack.splice(base, 1);
    setLocal(decoding, index, value!);
  });
}

function carryParameters(
  decoding: Decoding,
  types: readonly ValueType[],
  parameters: readonly Operand[],
): number[] {
  const locals = types.map((type) => newLocal(decoding, type));
  locals.forEach((index, i) => setLocal(decoding, index, parameters[i]!));
  return locals;
}

function arity(target: Frame): number {
  return target.kind === "function" ? target.signature.results.length : target.carried.length;
}

function readBlockType(decoding: Decoding): Signature {
  const { reader, module } = decoding;
  const code = reader.bytes[reader.position]!;
  if (code === 0x40 || valueType(code) !== undefined) {
    reader.position++;
    return { parameters: [], results: code === 0x40 ? [] : [valueType(code)!] };
  }
  const type = module.types[Number(readSigned(reader, 33))];
  if (type !== undefined) return type;
  const what =
    code === V128 ? "a block that gives a SIMD vector" : "a block that gives a reference";
  refuseAt(decoding.functionIndex, reader.position - 1, what, "is not supported");
}

const V128 = 0x7b;
