// SPDX-License-Identifier: MIT
// Numeric instructions in C, with the checks that they need.
//
// Spec: WebAssembly 2.0 §4.3.2, §4.3.3. Integers are unsigned in C, so that nothing overflows; signed ones are
// cast where the sign matters (gcc shifts and converts as two's complement).

import type { Binary, Expression, Unary, ValueType } from "../ir.ts";
import { C_SIGNED, C_TYPES, check, hold, TRAP, use, type Writer } from "./writer.ts";

const SIGNS: Record<string, string> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  gt: ">",
  le: "<=",
  ge: ">=",
};
const PLAIN: Record<string, string> = {
  add: "+",
  sub: "-",
  mul: "*",
  and: "&",
  or: "|",
  xor: "^",
  div: "/",
};

/** The C operator of a comparison, or undefined for anything else. */
export function comparison(op: string): string | undefined {
  return SIGNS[op.split("_")[0]!];
}

const MIRRORED: Record<string, string> = {
  eq: "eq",
  ne: "ne",
  lt: "gt",
  gt: "lt",
  le: "ge",
  ge: "le",
};
const F32_INFINITY = 0x7f80_0000;

// A float beside a constant, without the library's soft floats; undefined for a constant that is NaN.
function compareBits(writer: Writer, op: string, value: string, bits: number): string | undefined {
  const magnitude = bits % 2 ** 31;
  if (magnitude > F32_INFINITY) return undefined;
  const side = magnitude === 0 ? "zero" : bits >= 2 ** 31 ? "negative" : "positive";
  const helper = op === "ne" ? `f32_eq_${side}` : `f32_${op}_${side}`;
  const call = `${use(writer, helper)}(${value}, ${bits}u)`;
  return op === "ne" ? `(!${call})` : call;
}

/** A comparison as a truth value of C. */
export function compare(writer: Writer, node: Binary, left: string, right: string): string {
  const sign = comparison(node.op)!;
  if (node.operandType === "f32" && node.right.kind === "const")
    return (
      compareBits(writer, node.op, left, Number(node.right.value)) ?? `(${left} ${sign} ${right})`
    );
  if (node.operandType === "f32" && node.left.kind === "const")
    return (
      compareBits(writer, MIRRORED[node.op]!, right, Number(node.left.value)) ??
      `(${left} ${sign} ${right})`
    );
  if (!node.op.endsWith("_s")) return `(${left} ${sign} ${right})`;
  const signed = C_SIGNED[node.operandType]!;
  return `((${signed})${left} ${sign} (${signed})${right})`;
}

export function binary(writer: Writer, node: Binary, left: string, right: string): string {
  const { op, type } = node;
  if (comparison(op) !== undefined) return `(uint32_t)${compare(writer, node, left, right)}`;
  const plain = PLAIN[op];
  if (plain !== undefined) return `(${left} ${plain} ${right})`;
  if (op.startsWith("sh")) return shift(node, left, right);
  if (op.startsWith("rot")) return `${use(writer, `${op}${type.slice(1)}`)}(${left}, ${right})`;
  if (/^(div|rem)_/.test(op)) return divide(writer, node, left, right);
  return `${use(writer, `${op}_${type}`)}(${left}, ${right})`; // min max copysign
}

function shift(node: Binary, left: string, right: string): string {
  const { op, type } = node;
  const mask = type === "i32" ? 31 : 63;
  const by =
    node.right.kind === "const"
      ? String(Number(BigInt(node.right.value) & BigInt(mask)))
      : `(${right} & ${mask})`;
  if (op === "shl") return `(${left} << ${by})`;
  if (op === "shr_u") return `(${left} >> ${by})`;
  return `(${C_TYPES[type]})((${C_SIGNED[type]})${left} >> ${by})`;
}

function divide(writer: Writer, node: Binary, left: string, right: string): string {
  const { op, type, offset } = node;
  const signed = op.endsWith("_s");
  const sign = op.startsWith("div") ? "/" : "%";
  const divisor = node.right.kind === "const" ? BigInt(node.right.value) : undefined;
  const minusOne = type === "i32" ? 0xffff_ffffn : 0xffff_ffff_ffff_ffffn;
  if (writer.shape.safeDivisions.has(node)) return safeQuotient(node, left, right);
  const a = signed ? hold(writer, type, left) : left;
  const b = hold(writer, type, right);
  if (divisor === undefined || divisor === 0n)
    check(writer, `${b} == 0`, TRAP.divideByZero, offset);
  if (!signed) return `(${a} ${sign} ${b})`;
  const c = C_SIGNED[type]!;
  const quotient = `(${C_TYPES[type]})((${c})${a} ${sign} (${c})${b})`;
  if (divisor !== undefined && divisor !== minusOne) return quotient;
  if (sign === "%") return `(${b} == (${C_TYPES[type]})-1 ? 0 : ${quotient})`;
  const least = type === "i32" ? "0x80000000u" : "0x8000000000000000ull";
  check(writer, `${a} == ${least} && ${b} == (${C_TYPES[type]})-1`, TRAP.integerOverflow, offset);
  return quotient;
}

// No remainder by -1 comes here: C does not define it for the least number.
function safeQuotient({ op, type }: Binary, left: string, right: string): string {
  const sign = op.startsWith("div") ? "/" : "%";
  if (op.endsWith("_u")) return `(${left} ${sign} ${right})`;
  const c = C_SIGNED[type]!;
  return `(${C_TYPES[type]})((${c})${left} ${sign} (${c})${right})`;
}

export function unary(writer: Writer, node: Unary, operand: string): string {
  const { op, type, operandType } = node;
  const c = C_TYPES[type];
  if (op === "eqz") return `(uint32_t)(${operand} == 0)`;
  if (/^(clz|ctz|popcnt)$/.test(op)) return `${use(writer, op + type.slice(1))}(${operand})`;
  const extended = /^extend(?:_i)?(8|16|32)_([su])$/.exec(op);
  if (extended !== null) return extend(type, operand, extended[1]!, extended[2] === "s");
  if (op.startsWith("wrap")) return `(uint32_t)${operand}`;
  if (op.startsWith("reinterpret")) return reinterpret(writer, type, operandType, operand);
  if (op.startsWith("demote") && isPromoted(node.operand)) return `(float)(${operand} * 1.0)`;
  if (op.startsWith("demote") || op.startsWith("promote")) return `(${c})${operand}`;
  if (op.startsWith("convert"))
    return op.endsWith("_s") ? `(${c})(${C_SIGNED[operandType]})${operand}` : `(${c})${operand}`;
  if (op.startsWith("trunc_sat")) {
    const helper = `sat_${op.at(-1)}${type.slice(1)}_${operandType}`;
    return `${use(writer, helper)}(${operand})`;
  }
  if (op.startsWith("trunc_f")) return truncate(writer, node, operand);
  return `${use(writer, `${op}_${type}`)}(${operand})`; // abs neg ceil floor trunc nearest sqrt
}

// gcc takes there and back for nothing; it makes a NaN quiet.
function isPromoted(operand: Expression): boolean {
  return operand.kind === "unary" && operand.op.startsWith("promote");
}

function extend(type: ValueType, operand: string, width: string, signed: boolean): string {
  if (!signed) return `(${C_TYPES[type]})${operand}`;
  return `(${C_TYPES[type]})(${C_SIGNED[type]})(int${width}_t)${operand}`;
}

function reinterpret(writer: Writer, type: ValueType, from: ValueType, operand: string): string {
  const float = type.startsWith("f") ? `${type}_of` : `${from}_bits`;
  return `${use(writer, float)}(${operand})`;
}

// The largest interval of floats whose integer parts fit; its ends are floats themselves.
function truncate(writer: Writer, node: Unary, operand: string): string {
  const { op, type, operandType, offset } = node;
  const width = Number(type.slice(1));
  const signed = op.endsWith("_s");
  const value = hold(writer, operandType, operand);
  const c = C_TYPES[operandType];
  check(writer, `${value} != ${value}`, TRAP.invalidConversion, offset);
  const above = `${value} >= (${c})${2 ** (signed ? width - 1 : width)}.0`;
  const exact = operandType === "f64" && width === 32;
  const least = signed ? -(2 ** (width - 1)) : 0;
  const below = !signed
    ? `${value} <= (${c})-1.0`
    : exact
      ? `${value} <= (${c})${least - 1}.0`
      : `${value} < (${c})${least}.0`;
  check(writer, `${above} || ${below}`, TRAP.integerOverflow, offset);
  return signed ? `(${C_TYPES[type]})(${C_SIGNED[type]})${value}` : `(${C_TYPES[type]})${value}`;
}

/** True when the value is 0 or 1 in the sense of C's conditions. */
export function isTruth(node: Expression): boolean {
  if (node.kind === "binary" && node.type === "i32" && /^(and|or)$/.test(node.op))
    return isTruth(node.left) && isTruth(node.right);
  if (node.kind === "binary") return comparison(node.op) !== undefined;
  return node.kind === "unary" && node.op === "eqz";
}
