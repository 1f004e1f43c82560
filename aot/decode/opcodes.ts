// SPDX-License-Identifier: MIT
// Numeric and memory instructions by opcode.
//
// Spec: WebAssembly 2.0 §5.4.7, §5.4.8. The numeric ones stand in the order of their opcodes.

import type { ValueType } from "../ir.ts";

export interface NumericOperator {
  name: string;
  op: string;
  arity: 1 | 2;
  operandType: ValueType;
  type: ValueType;
}

export interface MemoryOperator {
  name: string;
  store: boolean;
  type: ValueType;
  bytes: 1 | 2 | 4 | 8;
  signed: boolean;
}

const FIRST_NUMERIC = 0x45;
const COMPARE_INT = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const COMPARE_FLOAT = "eq ne lt gt le ge";
const ARITHMETIC_INT = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
const ARITHMETIC_FLOAT = "add sub mul div min max copysign";
const UNARY_FLOAT = "abs neg ceil floor trunc nearest sqrt";
const CONVERSIONS =
  "i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s " +
  "i64.extend_i32_u i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u " +
  "f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64 " +
  "f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32 " +
  "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64 " +
  "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s";
const SATURATING =
  "i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u " +
  "i64.trunc_sat_f32_s i64.trunc_sat_f32_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u";

/** Operator of an opcode 0x45..0xc4, or undefined. */
export function numericOperator(opcode: number): NumericOperator | undefined {
  return NUMERIC[opcode - FIRST_NUMERIC];
}

/** Operator of 0xfc 0..7. */
export function saturatingOperator(opcode: number): NumericOperator | undefined {
  return SATURATING_OPERATORS[opcode];
}

/** Operator of an opcode 0x28..0x3e, or undefined. */
export function memoryOperator(opcode: number): MemoryOperator | undefined {
  return MEMORY[opcode - 0x28];
}

/** Types of the module format: 0x7f i32, 0x7e i64, 0x7d f32, 0x7c f64. */
export function valueType(code: number): ValueType | undefined {
  return (["f64", "f32", "i64", "i32"] as const)[code - 0x7c];
}

function compare(type: ValueType, ops: string): NumericOperator[] {
  return ops
    .split(" ")
    .map((op) => ({ name: `${type}.${op}`, op, arity: 2, operandType: type, type: "i32" }));
}

function arithmetic(type: ValueType, ops: string, arity: 1 | 2): NumericOperator[] {
  return ops
    .split(" ")
    .map((op) => ({ name: `${type}.${op}`, op, arity, operandType: type, type }));
}

function isZero(type: ValueType): NumericOperator {
  return { name: `${type}.eqz`, op: "eqz", arity: 1, operandType: type, type: "i32" };
}

// The operand's type is in the name, or the same as the result's.
function conversion(name: string): NumericOperator {
  const [type, op] = name.split(".") as [ValueType, string];
  const operandType = (/[if](32|64)/.exec(op)?.[0] ?? type) as ValueType;
  return { name, op, arity: 1, operandType, type };
}

const NUMERIC: readonly NumericOperator[] = [
  isZero("i32"),
  ...compare("i32", COMPARE_INT),
  isZero("i64"),
  ...compare("i64", COMPARE_INT),
  ...compare("f32", COMPARE_FLOAT),
  ...compare("f64", COMPARE_FLOAT),
  ...arithmetic("i32", "clz ctz popcnt", 1),
  ...arithmetic("i32", ARITHMETIC_INT, 2),
  ...arithmetic("i64", "clz ctz popcnt", 1),
  ...arithmetic("i64", ARITHMETIC_INT, 2),
  ...arithmetic("f32", UNARY_FLOAT, 1),
  ...arithmetic("f32", ARITHMETIC_FLOAT, 2),
  ...arithmetic("f64", UNARY_FLOAT, 1),
  ...arithmetic("f64", ARITHMETIC_FLOAT, 2),
  ...CONVERSIONS.split(" ").map(conversion),
];

const SATURATING_OPERATORS = SATURATING.split(" ").map(conversion);

const LOADS =
  "i32.load:4 i64.load:8 f32.load:4 f64.load:8 i32.load8_s:1 i32.load8_u:1 i32.load16_s:2 " +
  "i32.load16_u:2 i64.load8_s:1 i64.load8_u:1 i64.load16_s:2 i64.load16_u:2 i64.load32_s:4 " +
  "i64.load32_u:4 i32.store:4 i64.store:8 f32.store:4 f64.store:8 i32.store8:1 i32.store16:2 " +
  "i64.store8:1 i64.store16:2 i64.store32:4";

const MEMORY: readonly MemoryOperator[] = LOADS.split(" ").map((entry) => {
  const [name = "", bytes] = entry.split(":");
  return {
    name,
    store: name.includes("store"),
    type: name.slice(0, 3) as ValueType,
    bytes: Number(bytes) as 1 | 2 | 4 | 8,
    signed: name.endsWith("_s"),
  };
});
