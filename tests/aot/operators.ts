// SPDX-License-Identifier: MIT
// Every numeric operator as an exported function of its name.
//
// Floats go in as bits, so that no NaN is changed on the way; where the bits of a NaN are told they come out
// so as well.

import {
  numericOperator,
  type NumericOperator,
  saturatingOperator,
} from "../../aot/decode/opcodes.ts";
import type { FuncText, Type } from "./assemble.ts";

export const OPERATORS = [
  ...Array.from({ length: 0xc5 - 0x45 }, (_, i) => numericOperator(0x45 + i)!),
  ...Array.from({ length: 8 }, (_, i) => saturatingOperator(i)!),
];
const EXACT = /\.(abs|neg|copysign|reinterpret_\w+)$/; // the bits of a NaN are told (§4.3.3)
export const INTEGER: Record<Type, "i32" | "i64"> = {
  i32: "i32",
  i64: "i64",
  f32: "i32",
  f64: "i64",
};

export const isFloat = (type: Type): boolean => type.startsWith("f");

/** A function that takes bits, makes floats of them where the operator wants them, and applies it. */
export function operatorFunction({ name, arity, operandType, type }: NumericOperator): FuncText {
  const given = INTEGER[operandType];
  const make = isFloat(operandType) ? `${operandType}.reinterpret_${given}` : "nop";
  const exact = isFloat(type) && EXACT.test(name);
  const lines = Array.from({ length: arity }, (_, i) => `local.get ${i}; ${make}`);
  const result = exact ? INTEGER[type] : type;
  if (exact) lines.push(name, `${result}.reinterpret_${type}`);
  else lines.push(name);
  const parameters = Array.from({ length: arity }, () => given).join(" ");
  return { export: name, type: `${parameters} -> ${result}`, code: lines.join("\n") };
}
