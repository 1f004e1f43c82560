// SPDX-License-Identifier: MIT
// The operand stack of one function while its body becomes statements.
//
// An operand waits on the stack as an expression until something takes it. Before a statement that would
// change what it reads, or that others could see before its trap, it is put into a local of its own.
// (I1) waiting operands are evaluated in their order, and before every later effect that they depend on.
// (I2) an operand that is kept never moves: below a block all are, so that every way through it leaves them.

import type { Expression, Statement, ValueType } from "../ir.ts";

/** What evaluating an expression depends on, or does. */
export interface Effects {
  locals: ReadonlySet<number>; // read
  globals: boolean; // reads a global that may change
  memory: boolean; // reads memory, or its size
  traps: boolean;
}

export interface Operand {
  expression: Expression;
  effects: Effects;
  kept?: true; // in a local of its own, which nothing sets again
}

const NO_LOCALS: ReadonlySet<number> = new Set();
export const NO_EFFECTS: Effects = {
  locals: NO_LOCALS,
  globals: false,
  memory: false,
  traps: false,
};

/** Effects of several operands, and of what is done with them. */
export function joinEffects(operands: readonly Operand[], more: Partial<Effects> = {}): Effects {
  const read = operands.filter(({ effects }) => effects.locals.size > 0);
  const locals =
    read.length <= 1
      ? (read[0]?.effects.locals ?? NO_LOCALS)
      : new Set(read.flatMap(({ effects }) => [...effects.locals]));
  return {
    locals,
    globals: (more.globals ?? false) || operands.some(({ effects }) => effects.globals),
    memory: (more.memory ?? false) || operands.some(({ effects }) => effects.memory),
    traps: (more.traps ?? false) || operands.some(({ effects }) => effects.traps),
  };
}

/** The body under construction: its locals, its waiting operands, and the list that statements go to. */
export interface Builder {
  locals: ValueType[];
  stack: Operand[];
  statements: Statement[];
}

export function newLocal(builder: Builder, type: ValueType): number {
  return builder.locals.push(type) - 1;
}

export function readLocal(builder: Builder, index: number): Operand {
  const type = builder.locals[index]!;
  return {
    expression: { kind: "local", type, index },
    effects: { ...NO_EFFECTS, locals: new Set([index]) },
  };
}

/** Puts operands that match into locals, with those below that may trap when one of them may (I1). */
export function settle(builder: Builder, disturbs: (effects: Effects) => boolean): void {
  const { stack } = builder;
  let trapsAbove = false;
  const chosen: number[] = [];
  for (let i = stack.length - 1; i >= 0; i--) {
    const { expression, effects, kept } = stack[i]!;
    if (expression.kind === "const" || kept) continue;
    if (!disturbs(effects) && !(trapsAbove && effects.traps)) continue;
    chosen.push(i);
    trapsAbove ||= effects.traps;
  }
  for (const i of chosen.toReversed()) stack[i] = keep(builder, stack[i]!);
}

/** A statement that sets a local. */
export function setLocal(builder: Builder, index: number, value: Operand): void {
  settle(builder, (effects) => effects.locals.has(index) || (value.effects.traps && effects.traps));
  builder.statements.push({ kind: "setLocal", index, value: value.expression });
}

/** Before a statement that writes memory, or calls: what reads it, and what traps, is evaluated. */
export const disturbsMemory = (effects: Effects): boolean => effects.memory || effects.traps;
export const disturbsGlobals = (effects: Effects): boolean => effects.globals || effects.traps;
export const disturbsCall = (effects: Effects): boolean =>
  effects.memory || effects.globals || effects.traps;
export const disturbsControl = (): boolean => true;
export const disturbsTraps = (effects: Effects): boolean => effects.traps;

function keep(builder: Builder, operand: Operand): Operand {
  const index = newLocal(builder, operand.expression.type);
  builder.statements.push({ kind: "setLocal", index, value: operand.expression });
  return { ...readLocal(builder, index), kept: true };
}
