// SPDX-License-Identifier: MIT
// Loops written twice: the guard where it would be wrong by one, or wrap.
//
// As rules.test.ts: V8 says what is right, and the programs run under UBSan and ASan. Each loop reads memory at
// its index from C octets before the very end on, so that a test which was left out wrongly reads outside.

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { assembleModule } from "./assemble.ts";
import { type Bits, type Case, difference, runEngine, runNative } from "./native.ts";

interface Program {
  start?: string;
  limit?: string;
  index: string; // of i in local 2; local 3 is free, and 0 in the first pass
  before?: string; // the test
  behind?: string;
  first: readonly number[]; // values of p, to be called with each of q
  second: readonly number[];
}

const END = 65_536;
const C = 64;
const I = "local.get 2";
const P = "local.get 0";
const Q = "local.get 1";
const COUNTS = [
  0, 1, 2, 3, 7, 8, 9, 10, 63, 64, 65, 32_769, 65_536, 65_537, 262_145, -1, -0x8000_0000,
];
const FACTORS = [
  0,
  1,
  2,
  7,
  8,
  9,
  31,
  32,
  0x7fff,
  0x8000,
  16_384,
  65_536,
  2 ** 17,
  2 ** 30,
  2 ** 31,
  -1,
  -8,
];
const BASES = [0, 1, 54, 55, 56, 57, 62, 63, 64, 0x7fff_ffff, 0x8000_0000, -1, -2, -8, -64];
const STARTS = [0, 1, 8, 62, 63, 64, 65_536, 65_537, -1, -2, -64, -0x8000_0000];

const PROGRAMS: Record<string, Program> = {
  "the factor": { index: `${I}; ${P}; i32.mul`, first: FACTORS, second: COUNTS },
  "the base": { index: `${I}; ${P}; i32.add`, first: BASES, second: COUNTS },
  "the base, from the other side": {
    index: `${P}; ${I}; i32.add`,
    first: BASES,
    second: COUNTS,
  },
  "the start": {
    start: P,
    index: `${I}; i32.const 1; i32.add`,
    first: STARTS,
    second: COUNTS,
  },
  "a constant taken away": {
    start: P,
    index: `${I}; i32.const 2; i32.sub`,
    first: STARTS,
    second: COUNTS,
  },
  "factor and base": {
    index: `${I}; ${P}; i32.mul; i32.const 8; i32.add`,
    first: FACTORS,
    second: COUNTS,
  },
  "a factor that is multiplied on": {
    index: `${I}; ${P}; i32.add; i32.const 3; i32.mul`,
    first: [...BASES, 0x5555_5556, 0x5555_5555, 20, 21, 22],
    second: COUNTS,
  },
  "a shift": {
    index: `${I}; ${P}; i32.add; i32.const 33; i32.shl`,
    first: [...BASES, 30, 31, 32],
    second: COUNTS,
  },
  "an index that falls": { index: `i32.const 63; ${I}; i32.sub`, first: [0], second: COUNTS },
  "an index that falls by a factor": {
    index: `${I}; ${P}; i32.mul; i32.const 63; i32.add`,
    first: FACTORS,
    second: COUNTS,
  },
  "a limit that is a constant": {
    limit: "i32.const 9",
    index: `${I}; ${P}; i32.mul`,
    first: FACTORS,
    second: [0],
  },
  "a local that a choice sets": {
    before: `${I}; local.set 3; ${I}; ${P}; i32.eq; if; i32.const 64; local.set 3; end`,
    index: "local.get 3; i32.const 0; i32.add",
    first: [0, 5, 8, 9, 10],
    second: COUNTS,
  },
  "a local of the pass before": {
    index: "local.get 3; i32.const 0; i32.add",
    behind: `${I}; i32.const 8; i32.mul; local.set 3`,
    first: [0],
    second: COUNTS,
  },
  "a base that moves": {
    index: `${I}; ${P}; i32.add`,
    behind: `${P}; i32.const 7; i32.add; local.set 0`,
    first: BASES,
    second: COUNTS,
  },
  "a base set from the counter": {
    before: `${I}; ${P}; i32.add; local.set 3`,
    index: `local.get 3; ${I}; i32.add`,
    first: BASES,
    second: COUNTS,
  },
};

function codeOf({
  start = "i32.const 0",
  limit = Q,
  index,
  before = "",
  behind = "",
}: Program): string {
  return `${start}; local.set 2
    loop; ${I}; ${limit}; i32.lt_s; if; ${before}
      ${index}; local.tee 4; i32.const ${C}; i32.ge_u; if; unreachable; end
      local.get 4; i32.load8_u ${END - C}; local.get 5; i32.add; i32.const 1; i32.add; local.tee 5
      i32.const 70000; i32.eq; if; unreachable; end; ${behind}
      ${I}; i32.const 1; i32.add; local.set 2; br 1
    end; end; local.get 5`;
}

function moduleOf(program: Program): Uint8Array {
  return assembleModule({
    functions: [
      { type: "i32 i32 -> i32", locals: "i32 i32 i32 i32", code: codeOf(program), export: "f" },
    ],
    memory: { pages: 1 },
    data: [
      { at: `i32.const ${END - 16}`, bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7] },
    ],
  });
}

test("a loop written twice does what it did", { timeout: 600_000 }, () => {
  const cases: Case[] = Object.entries(PROGRAMS).map(([name, program]) => ({
    name,
    wasm: moduleOf(program),
    calls: program.first.flatMap((p) =>
      program.second.map((q) => ({ name: "f", operands: [p >>> 0, q >>> 0] as [Bits, Bits] })),
    ),
  }));
  const native = runNative(cases, true);
  cases.forEach((item, i) => {
    assert.equal(difference(native[i]!, runEngine(item)), null, item.name);
  });
});

test("in one of the two copies no index is tested", () => {
  const traps = (name: string): number =>
    translate(moduleOf(PROGRAMS[name]!), { name: "x" }).c.match(/x_trap\(1, /g)?.length ?? 0;
  // Two tests a pass: of the index, and of the passes.
  assert.equal(traps("the factor"), 3);
  assert.equal(traps("the base"), 3);
  assert.equal(traps("a local that a choice sets"), 2);
  assert.equal(traps("a local of the pass before"), 2);
  assert.equal(traps("a base that moves"), 2);
});
