// SPDX-License-Identifier: MIT
// Goal: every numeric operator gives what V8 gives, or traps as it does.
//
// Method: a function for each operator; limits, their neighbours, zeros and NaNs as operands, all pairs of
// them. Floats go in as bits, so that no NaN is changed on the way; where the standard leaves the NaN of a
// result open, any is right.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NumericOperator } from "../../aot/decode/opcodes.ts";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText, type Type } from "./assemble.ts";
import { EDGES } from "./edges.ts";
import { type Bits, type Call, compare } from "./native.ts";
import { INTEGER, isFloat, operatorFunction, OPERATORS } from "./operators.ts";

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
    const wasm = assembleModule({ functions: operators.map(operatorFunction) });
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
