// SPDX-License-Identifier: MIT
// Each rule of the analysis where it would go wrong: ends, wraps, stale facts.
//
// Every program is one that a rule short by one, or without its guard, translates wrongly; V8 says what is
// right. They run under UBSan and ASan, since an access that is wrongly taken as aligned works on a desk.

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { assembleModule } from "./assemble.ts";
import { type Bits, type Case, difference, runEngine, runNative } from "./native.ts";

interface Rule {
  code: string; // of f, with parameters 0 and 1 and locals 2 to 5
  operands: [Bits, Bits][];
  callee?: string; // function 1
}

// Behind a callee's code: as far as is known it may call itself, so that it stays a call.
const AGAIN = "local.get 0; i32.const 0x5eed5eed; i32.eq; if; local.get 0; call 1; end";

const DATA = [{ at: "i32.const 64", bytes: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3] }];
const SMALL: [Bits, Bits][] = [0, 1, 2, 3, 4, 7, 8, 9, 16].map((p) => [p, 0]);
const WIDE: [Bits, Bits][] = [-1, -3, 0x7fff_ffff, 0x8000_0000, 0x4000_0001, 65_535].map((p) => [
  p >>> 0,
  0,
]);
const ALL = [...SMALL, ...WIDE];

// i in local 2 counts from 0 to a limit; the body may use it.
function counted(limit: string, body: string, counter = 2): string {
  const next = `local.get ${counter}; i32.const 1; i32.add; local.set ${counter}; br 1`;
  return `i32.const 0; local.set ${counter}
    loop; local.get ${counter}; ${limit}; i32.lt_s; if; ${body}; ${next}; end; end`;
}

function when(condition: string, result: string): string {
  return `${condition}; if; ${result}; return; end; i32.const 77`;
}

const CASES: Record<string, Rule> = {
  "memory ends behind the last word": {
    code: when("local.get 0; i32.const 2; i32.lt_u", "local.get 0; i32.load 65532"),
    operands: ALL,
  },
  "a store reaches its last element": {
    code: `${counted(
      "i32.const 8",
      `local.get 2
      i32.const 2; i32.shl; i32.const 7; i32.store 1024`,
    )}
      i32.const 0; i32.load 1052`,
    operands: [[0, 0]],
  },
  "a call changes what its callee stores": {
    code: "i32.const 0; i32.const 5; i32.store 16; local.get 0; call 1; i32.const 0; i32.load 16",
    callee: "i32.const 0; local.get 0; i32.store 16",
    operands: ALL,
  },
  "a call changes what its callee sets": {
    code: "i32.const 5; global.set 0; local.get 0; call 1; global.get 0",
    callee: "local.get 0; global.set 0",
    operands: ALL,
  },
  "a sum is complete behind the last pass": {
    code: `${counted("i32.const 8", "local.get 3; i32.const 4; i32.add; local.set 3")}
      local.get 3; i32.load8_u 65504`,
    operands: [[0, 0]],
  },
  "a sum in a loop inside is no sum of the outer one": {
    code: `${counted(
      "i32.const 4",
      counted(
        "i32.const 4",
        `local.get 4
      i32.const 1; i32.add; local.set 4`,
        3,
      ),
    )}
      local.get 4; i32.load8_u 65520`,
    operands: [[0, 0]],
  },
  "an index may have lost bits": {
    code: when(
      "local.get 0; i32.const 2; i32.shl; i32.const 32; i32.lt_u",
      "local.get 0; i32.const 2; i32.shl; i32.const 7; i32.store 1024; i32.const 3",
    ),
    operands: ALL,
  },
  "a shift that lost bits says nothing of them": {
    code: when(
      "local.get 0; i32.const 2; i32.shl; i32.const 32; i32.lt_u",
      "local.get 0; i32.load8_u 65528",
    ),
    operands: ALL,
  },
  "a wide store anywhere reaches a small variable": {
    code: `i32.const 0; i32.const 5; i32.store8 2000; local.get 0; i32.const -1; i32.store 0
      i32.const 0; i32.load8_u 2000`,
    operands: [1996, 1997, 1999, 2000, 2001, 65_533].map((p) => [p, 0]),
  },
  "a divisor may be 0": {
    code: "local.get 0; local.get 1; i32.div_u",
    operands: [
      [7, 0],
      [7, 2],
    ],
  },
  "an address may be aligned to something else": {
    code: when(
      "local.get 0; i32.const 8; i32.lt_u",
      "local.get 0; i32.const 2; i32.shl; i32.load 66",
    ),
    operands: ALL,
  },
  "a sum that wraps says nothing of its parts": {
    code: when(
      `local.get 0; i32.const 0; i32.ge_s; local.get 0
        i32.const 5; i32.add; i32.const 10; i32.lt_s; i32.and`,
      "local.get 0; i32.load8_u 65531",
    ),
    operands: ALL,
  },
  "a split loop makes no pass more": {
    code: `${counted(
      "local.get 0",
      `local.get 2; i32.const 8; i32.ge_u
      if; unreachable; end; local.get 3; i32.const 1; i32.add; local.set 3`,
    )}
      local.get 3`,
    operands: ALL.filter(([p]) => Number(p) < 2 ** 31),
  },
  "a value is not said again once its local changed": {
    code: `local.get 0; i32.const 1; i32.shr_u; local.set 2; local.get 0
      i32.const 1; i32.add; local.set 0; local.get 2; local.get 0; i32.add`,
    operands: ALL,
  },
  "less as signed is not less as unsigned": {
    code: when("local.get 0; local.get 1; i32.lt_s", "local.get 0; local.get 1; i32.lt_u"),
    operands: [...ALL, [0xffff_ffff, 1], [1, 0xffff_ffff], [1, 2]],
  },
  "a mask takes away": {
    code: when("local.get 0; i32.const 9; i32.lt_u", "local.get 0; i32.const 7; i32.and"),
    operands: ALL,
  },
  "a shift keeps a sign": {
    code: when(
      "local.get 0; i32.const -4; i32.ge_s; local.get 0; i32.const 4; i32.lt_s; i32.and",
      "local.get 0; i32.const 1; i32.shr_s",
    ),
    operands: ALL,
  },
  "a range of octets ends in memory": {
    code: when(
      "local.get 0; i32.const 9; i32.lt_u",
      "local.get 0; i32.const 65528; i32.add; i32.const 1; i32.const 1; memory.fill; i32.const 3",
    ),
    operands: ALL,
  },
  "cells that overlap are none": {
    code: `i32.const 0; i32.const 0x01020304; i32.store 16; i32.const 0; local.get 0; i32.store8 17
      i32.const 0; i32.load 16; i32.const 0x01020304; i32.gt_u`,
    operands: [...ALL, [255, 0]],
  },
  "a table with a stored octet is not read-only": {
    code: `i32.const 0; local.get 0; i32.store8 65
      local.get 1; i32.const 15; i32.and; i32.load8_u 64; i32.const 9; i32.gt_u`,
    operands: [
      [200, 1],
      [200, 2],
      [0, 1],
    ],
  },
  "a divisor that is not 0 may be -1": {
    code: when("local.get 1", "local.get 0; local.get 1; i32.div_s"),
    operands: [
      [0x8000_0000, 0xffff_ffff],
      [7, 0],
      [7, 2],
      [0x8000_0000, 1],
    ],
  },
};

const COMPARISONS: [op: string, limit: number][] = [
  ["lt_u", 9],
  ["le_u", 8],
  ["lt_s", 9],
  ["le_s", 8],
  ["eq", 8],
];
for (const [op, limit] of COMPARISONS)
  CASES[`the last value for which ${op} holds`] = {
    code: when(
      `local.get 0; i32.const 0; i32.ge_s; local.get 0; i32.const ${limit}; i32.${op}; i32.and`,
      "local.get 0; i32.load8_u 65528",
    ),
    operands: ALL,
  };

function moduleOf({ code, callee }: Rule): Uint8Array {
  return assembleModule({
    functions: [
      { type: "i32 i32 -> i32", locals: "i32 i32 i32 i32", code, export: "f" },
      { type: "i32 ->", code: `${callee ?? ""}; ${AGAIN}` },
    ],
    memory: { pages: 1 },
    globals: [{ type: "i32", start: "i32.const 0" }],
    data: DATA,
  });
}

test("each rule is right where it could be wrong by one", { timeout: 600_000 }, () => {
  const cases: Case[] = Object.entries(CASES).map(([name, rule]) => ({
    name,
    wasm: moduleOf(rule),
    calls: rule.operands.map((operands) => ({ name: "f", operands })),
  }));
  const native = runNative(cases, true);
  cases.forEach((item, i) => {
    assert.equal(difference(native[i]!, runEngine(item)), null, item.name);
  });
});

test("memory that the host may write is not constant", () => {
  const wasm = assembleModule({
    functions: [{ type: "-> i32", code: "i32.const 0; i32.load 64", export: "f" }],
    memory: { pages: 1, export: "memory" },
    data: DATA,
  });
  const value = "return 17039619u;"; // 3, 1, 4, 1
  const texts = [undefined, [], [{ from: 67, to: 68 }], [{ from: 68, to: 72 }]].map(
    (hostWrites) => translate(wasm, { name: "x", ...(hostWrites && { hostWrites }) }).c,
  );
  assert.deepEqual(
    texts.map((c) => c.includes(value)),
    [false, true, false, true],
  );
});

test("an import may write everywhere, or where it is declared to", () => {
  const wasm = assembleModule({
    imports: [{ module: "env", field: "fill", type: "i32 i32 ->" }],
    functions: [
      { type: "-> i32", code: "i32.const 0; i32.load 64", export: "f" },
      { type: "->", code: "i32.const 60; i32.const 4; call 0", export: "g" },
    ],
    memory: { pages: 1 },
    data: DATA,
  });
  const declare = (octets: number): string =>
    translate(wasm, {
      name: "x",
      hostPointers: { "env.fill": [{ address: 0, length: octets, access: "write" }] },
    }).c;
  const value = "return 17039619u;";
  assert.equal(translate(wasm, { name: "x" }).c.includes(value), false);
  assert.equal(declare(4).includes(value), true);
  assert.equal(declare(5).includes(value), false);
});

test("an import in the table writes as one that is called by name", () => {
  const wasm = assembleModule({
    types: ["i32 ->"],
    imports: [{ module: "env", field: "fill", type: "i32 ->" }],
    functions: [
      { type: "-> i32", code: "i32.const 0; i32.load 64", export: "f" },
      { type: "->", code: "i32.const 60; i32.const 0; call_indirect 0", export: "g" },
    ],
    table: 1,
    elements: [{ at: "i32.const 0", functions: [0] }],
    memory: { pages: 1 },
    data: DATA,
  });
  const declare = (octets: number): boolean =>
    translate(wasm, {
      name: "x",
      hostPointers: { "env.fill": [{ address: 0, length: octets, access: "write" }] },
    }).c.includes("return 17039619u;");
  assert.equal(translate(wasm, { name: "x" }).c.includes("return 17039619u;"), false);
  assert.deepEqual([declare(4), declare(5)], [true, false]);
});

test("a global imported twice is one variable", () => {
  const imported = { module: "env", field: "level", type: "i32", mutable: true } as const;
  const wasm = assembleModule({
    globalImports: [imported, imported],
    functions: [
      {
        type: "i32 -> i32",
        locals: "i32",
        code: `global.get 1; local.set 1; local.get 0; global.set 0
          global.get 1; local.get 1; i32.eq`,
        export: "f",
      },
    ],
  });
  assert.match(translate(wasm, { name: "x" }).c, /return \(uint32_t\)\(env_level == l1\);/);
});
