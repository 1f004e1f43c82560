// SPDX-License-Identifier: MIT
// Bodies of functions: from instructions on a stack to statements.
//
// Spec: WebAssembly 2.0 §3.4, §5.4. Behind a branch that is always taken, operands are missing and whatever
// follows goes to a list that nobody keeps, until the block ends.

import { refuseAt } from "../failure.ts";
import type { Expression, Func, Module, ValueType } from "../ir.ts";
import { decodeBulk } from "./bulk.ts";
import {
  beginBlock,
  branch,
  branchIf,
  branchTable,
  elseArm,
  endBlock,
  type Frame,
  functionFrame,
  leave,
  returnNow,
} from "./control.ts";
import { memoryOperator, numericOperator, type NumericOperator, valueType } from "./opcodes.ts";
import {
  readBits32,
  readBits64,
  readByte,
  type Reader,
  readerOf,
  readSigned,
  readU32,
  readVector,
} from "./reader.ts";
import {
  type Builder,
  disturbsCall,
  disturbsGlobals,
  disturbsMemory,
  joinEffects,
  newLocal,
  NO_EFFECTS,
  type Operand,
  readLocal,
  setLocal,
  settle,
} from "./stack.ts";

/** A function being decoded. */
export interface Decoding extends Builder {
  module: Module;
  functionIndex: number;
  reader: Reader;
  frames: Frame[];
  labels: number; // given out
}

const TRAPPING = /^(div_|rem_)|^trunc_f/;

/** Decodes the body of a function, locals first. Throws AotError on what is not translated. */
export function decodeBody(
  module: Module,
  func: Func,
  bytes: Uint8Array,
  place: { position: number; end: number },
): void {
  const reader = readerOf(bytes, place.position, place.end);
  const locals: ValueType[] = [...func.signature.parameters];
  readVector(reader, () => {
    const count = readU32(reader);
    const code = readByte(reader);
    const type = valueType(code) ?? refuseAt(func.index, reader.position, "local", "is no number");
    for (let i = 0; i < count; i++) locals.push(type);
  });
  const frame = functionFrame(func.signature);
  const decoding: Decoding = {
    module,
    functionIndex: func.index,
    reader,
    frames: [frame],
    labels: 0,
    locals,
    stack: [],
    statements: func.body,
  };
  while (decoding.frames.length > 0) decodeInstruction(decoding);
  func.locals = decoding.locals;
}

/** Takes the top operand; behind a branch there may be none, and any will do. */
export function pop(decoding: Decoding): Operand {
  const frame = decoding.frames.at(-1)!;
  if (decoding.stack.length > frame.height) return decoding.stack.pop()!;
  return { expression: { kind: "const", type: "i32", value: 0 }, effects: NO_EFFECTS };
}

export function popMany(decoding: Decoding, count: number): Operand[] {
  const list: Operand[] = [];
  for (let i = 0; i < count; i++) list.push(pop(decoding));
  return list.toReversed();
}

export function push(decoding: Decoding, expression: Expression, effects = NO_EFFECTS): void {
  decoding.stack.push({ expression, effects });
}

function decodeInstruction(decoding: Decoding): void {
  const { reader } = decoding;
  const offset = reader.position;
  const opcode = readByte(reader);
  const numeric = numericOperator(opcode);
  if (numeric !== undefined) return decodeNumeric(decoding, numeric, offset);
  if (memoryOperator(opcode) !== undefined) return decodeAccess(decoding, opcode, offset);
  const decode = INSTRUCTIONS[opcode];
  if (decode !== undefined) return decode(decoding, offset);
  refuseAt(decoding.functionIndex, offset, nameOf(opcode), "is not supported");
}

function nameOf(opcode: number): string {
  if (opcode === 0xfd) return "a SIMD instruction";
  if (opcode === 0xfe) return "an atomic instruction";
  if (opcode === 0x12 || opcode === 0x13) return "a tail call";
  if (opcode >= 0xd0 && opcode <= 0xd2) return "an instruction on references";
  if (opcode === 0x25 || opcode === 0x26) return "table.get or table.set";
  return `opcode 0x${opcode.toString(16)}`;
}

/** Pushes what a numeric instruction makes of its operands. */
export function decodeNumeric(decoding: Decoding, operator: NumericOperator, offset: number): void {
  const { op, type, operandType } = operator;
  const operands = popMany(decoding, operator.arity);
  const effects = joinEffects(operands, { traps: TRAPPING.test(op) });
  const [left, right] = operands.map(({ expression }) => expression);
  const common = { op, type, operandType, offset };
  if (right === undefined) push(decoding, { kind: "unary", ...common, operand: left! }, effects);
  else push(decoding, { kind: "binary", ...common, left: left!, right }, effects);
}

function decodeAccess(decoding: Decoding, opcode: number, offset: number): void {
  const { type, bytes, signed, store } = memoryOperator(opcode)!;
  readU32(decoding.reader); // the alignment is a hint that nobody may rely on
  const displacement = readU32(decoding.reader);
  const value = store ? pop(decoding) : undefined;
  const address = pop(decoding);
  if (value === undefined) {
    const effects = joinEffects([address], { memory: true, traps: true });
    const load = { kind: "load", type, bytes, signed, displacement, offset } as const;
    return push(decoding, { ...load, address: address.expression }, effects);
  }
  settle(decoding, disturbsMemory);
  decoding.statements.push({
    kind: "store",
    bytes,
    displacement,
    address: address.expression,
    value: value.expression,
    offset,
  });
}

const INSTRUCTIONS: Record<number, (decoding: Decoding, offset: number) => void> = {
  0x00: (to, offset) => {
    settleTraps(to);
    to.statements.push({ kind: "unreachable", offset });
    leave(to);
  },
  0x01: () => undefined,
  0x02: (to) => beginBlock(to, "block"),
  0x03: (to) => beginBlock(to, "loop"),
  0x04: (to) => beginBlock(to, "if"),
  0x05: elseArm,
  0x0b: endBlock,
  0x0c: (to) => branch(to, readU32(to.reader)),
  0x0d: (to) => branchIf(to, readU32(to.reader)),
  0x0e: branchTable,
  0x0f: returnNow,
  0x10: (to) => call(to, readU32(to.reader)),
  0x11: callIndirect,
  0x1a: drop,
  0x1b: select,
  0x1c: (to) => {
    readVector(to.reader, readByte);
    select(to);
  },
  0x20: (to) => to.stack.push(readLocal(to, readU32(to.reader))),
  0x21: (to) => setLocal(to, readU32(to.reader), pop(to)),
  0x22: (to) => {
    const index = readU32(to.reader);
    setLocal(to, index, pop(to));
    to.stack.push(readLocal(to, index));
  },
  0x23: getGlobal,
  0x24: setGlobal,
  0x3f: (to) => {
    readByte(to.reader);
    push(to, { kind: "memorySize", type: "i32" }, { ...NO_EFFECTS, memory: true });
  },
  0x40: grow,
  0x41: (to) => pushConst(to, "i32", Number(readSigned(to.reader, 32))),
  0x42: (to) => pushConst(to, "i64", readSigned(to.reader, 64)),
  0x43: (to) => pushConst(to, "f32", readBits32(to.reader)),
  0x44: (to) => pushConst(to, "f64", readBits64(to.reader)),
  0xfc: decodeBulk,
};

function pushConst(decoding: Decoding, type: ValueType, value: number | bigint): void {
  push(decoding, { kind: "const", type, value });
}

function settleTraps(decoding: Decoding): void {
  settle(decoding, ({ traps }) => traps);
}

function call(decoding: Decoding, callee: number): void {
  const { module } = decoding;
  const signature =
    module.imports[callee]?.signature ??
    module.functions[callee - module.imports.length]!.signature;
  const operands = popMany(decoding, signature.parameters.length);
  settle(decoding, disturbsCall);
  const results = signature.results.map((type) => newLocal(decoding, type));
  const expressions = operands.map(({ expression }) => expression);
  decoding.statements.push({ kind: "call", callee, operands: expressions, results });
  for (const index of results) decoding.stack.push(readLocal(decoding, index));
}

function callIndirect(decoding: Decoding, offset: number): void {
  const type = readU32(decoding.reader);
  if (readU32(decoding.reader) !== 0)
    refuseAt(decoding.functionIndex, offset, "call_indirect", "of a second table is not supported");
  const signature = decoding.module.types[type]!;
  const slot = pop(decoding).expression;
  const operands = popMany(decoding, signature.parameters.length);
  settle(decoding, disturbsCall);
  const results = signature.results.map((result) => newLocal(decoding, result));
  const expressions = operands.map(({ expression }) => expression);
  const common = { kind: "callIndirect", type, slot, results, offset } as const;
  decoding.statements.push({ ...common, operands: expressions });
  for (const index of results) decoding.stack.push(readLocal(decoding, index));
}

function drop(decoding: Decoding): void {
  const { expression, effects } = pop(decoding);
  if (!effects.traps) return;
  settleTraps(decoding);
  decoding.statements.push({ kind: "drop", value: expression });
}

function select(decoding: Decoding): void {
  const operands = popMany(decoding, 3);
  const [yes, no, condition] = operands.map(({ expression }) => expression);
  const { type } = yes!;
  const expression: Expression = {
    kind: "select",
    type,
    condition: condition!,
    yes: yes!,
    no: no!,
  };
  push(decoding, expression, joinEffects(operands));
}

function getGlobal(decoding: Decoding): void {
  const index = readU32(decoding.reader);
  const { type, mutable } = decoding.module.globals[index]!;
  push(decoding, { kind: "global", type, index }, { ...NO_EFFECTS, globals: mutable });
}

function setGlobal(decoding: Decoding): void {
  const index = readU32(decoding.reader);
  const value = pop(decoding).expression;
  settle(decoding, disturbsGlobals);
  decoding.statements.push({ kind: "setGlobal", index, value });
}

function grow(decoding: Decoding): void {
  readByte(decoding.reader);
  const delta = pop(decoding).expression;
  settle(decoding, disturbsMemory);
  const result = newLocal(decoding, "i32");
  decoding.statements.push({ kind: "grow", result, delta });
  decoding.stack.push(readLocal(decoding, result));
}
