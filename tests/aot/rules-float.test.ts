// SPDX-License-Identifier: MIT
// f32 by its bits: comparisons with constants, and conversions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleModule, type FuncText } from "./assemble.ts";
import { type Call, difference, runEngine, runNative } from "./native.ts";

// Zeros, least and largest of either sign, 1, 2^31 and its neighbours, infinities, NaNs of either sign.
const POSITIVE = [
  0, 1, 0x007f_ffff, 0x0080_0000, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001, 0x4b00_0000, 0x4b80_0000,
  0x4eff_ffff, 0x4f00_0000, 0x4f00_0001, 0x4f7f_ffff, 0x4f80_0000, 0x7f7f_ffff, 0x7f80_0000,
  0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff,
];
const FLOATS = [...POSITIVE, ...POSITIVE.map((bits) => bits + 2 ** 31)];
const OPERATORS = ["eq", "ne", "lt", "gt", "le", "ge"];

function constantOf(bits: number): string {
  return `f32.const 0x${bits.toString(16)}`;
}

test("comparisons with constants are those of V8", () => {
  const functions: FuncText[] = FLOATS.flatMap((bits) =>
    OPERATORS.flatMap((op) => [
      { type: "f32 -> i32", code: `local.get 0; ${constantOf(bits)}; f32.${op}` },
      { type: "f32 -> i32", code: `${constantOf(bits)}; local.get 0; f32.${op}; i32.eqz` },
    ]),
  ).map((func, i) => ({ ...func, export: `c${i}` }));
  compareAll(functions);
});

test("saturating conversions are those of V8", () => {
  compareAll(
    ["s", "u"].map((sign) => ({
      type: "f32 -> i32",
      code: `local.get 0; i32.trunc_sat_f32_${sign}`,
      export: `sat_${sign}`,
    })),
  );
});

function compareAll(functions: FuncText[]): void {
  const calls: Call[] = functions.flatMap(({ export: name }) =>
    FLOATS.map((bits) => ({ name: name!, operands: [bits] })),
  );
  const item = { name: "floats", wasm: assembleModule({ functions }), calls };
  const [native] = runNative([item]);
  assert.equal(difference(native!, runEngine(item)), null);
}
