// SPDX-License-Identifier: MIT
// Goal: every numeric operator gives what V8 gives, or traps as it does.
//
// Method: a function for each operator; limits, their neighbours, zeros and NaNs as operands, all pairs of
// them. Floats go in as bits, so that no NaN is changed on the way; where the standard leaves the NaN of a
// result open, any is right.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  numericOperator,
  type NumericOperator,
  saturatingOperator,
} from "../../aot/decode/opcodes.ts";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText, type Type } from "./assemble.ts";
import { EDGES } from "./edges.ts";
import { type Bits, type Call, compare } from "./native.ts";

const OPERATORS = [
  ...Array.from({ length: 0xc5 - 0x45 }, (_, i) => numericOperator(0x45 + i)!),
  ...Array.from({ length: 8 }, (_, i) => saturatingOperator(i)!),
];
const EXACT = /\.(abs|neg|copysign|reinterpret_\w+)$/; // the bits of a NaN are told (§4.3.3)
const INTEGER: Record<Type, "i32" | "i64"> = { i32: "i32", i64: "i64", f32: "i32", f64: "i64" };

const isFloat = (type: Type): boolean => type.startsWith("f");

// A function that takes bits, makes floats of them where the operator wants them, and applies it.
function functionOf({ name, arity, operandType, type }: NumericOperator): FuncText {
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

function callsOf({ name, arity, operandType }: NumericOperator): Call[] {
  const edges = EDGES[operandType];
  if (arity === 1) return edges.map((value) => ({ name, operands: [value] }));
  return edges.flatMap((left) => edges.map((right) => ({ name, operands: [left, right] })));
}

const typesOf = (type: Type): readonly NumericOperator[] =>
  OPERATORS.filter(({ operandType }) => operandType === type);

for (const type of ["i32", "i64", "f32", "f64"] as const)
  test(`operators on ${type} give what V8 gives at every edge`, program("gcc"), () => {
    const operators = typesOf(type);
    const wasm = assembleModule({ functions: operators.map(functionOf) });
    const calls = operators.flatMap(callsOf);
    const lines = compare([{ name: type, wasm, calls }]);
    assert.equal(lines, calls.length);
  });

test("constants arrive with all their bits", program("gcc"), () => {
  const one = (type: Type, bits: Bits): FuncText => ({
    export: `${type} ${bits}`,
    type: `-> ${INTEGER[type]}`,
    code: `${type}.const ${bits}${isFloat(type) ? `; ${INTEGER[type]}.reinterpret_${type}` : ""}`,
  });
  const functions = (["i32", "i64", "f32", "f64"] as const).flatMap((type) =>
    EDGES[type].map((bits) => one(type, bits)),
  );
  const calls = functions.map((func) => ({ name: func.export!, operands: [] }));
  assert.equal(
    compare([{ name: "constants", wasm: assembleModule({ functions }), calls }]),
    calls.length,
  );
});

test("operators on constants are computed as V8 does", program("gcc"), () => {
  const divisions = ["i32.div_s", "i32.rem_s", "i64.div_s", "i64.rem_s", "i32.shl", "i64.rotl"];
  const functions = divisions.flatMap((name) => {
    const type = name.slice(0, 3) as "i32" | "i64";
    const edges = [EDGES[type].at(0)!, EDGES[type].at(-1)!, type === "i32" ? 2 ** 31 : 2n ** 63n];
    return edges.flatMap((left) =>
      edges.map((right) => ({
        export: `${name} ${left} ${right}`,
        type: `-> ${type}`,
        code: `${type}.const ${left}; ${type}.const ${right}; ${name}`,
      })),
    );
  });
  const calls = functions.map((func) => ({ name: func.export, operands: [] }));
  compare([{ name: "folded", wasm: assembleModule({ functions }), calls }], true);
});
