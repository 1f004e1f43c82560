// SPDX-License-Identifier: MIT
// Goal: small functions become part of their callers, and do there what they did.
//
// Method: hand-made modules with callees that return early, from loops, several values, or trap; V8 says what
// is right. What is inlined is seen in the C: its function is gone, or a check that only it needed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { LIMITS } from "../../aot/inline.ts";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText } from "./assemble.ts";
import { type Bits, type Case, compare } from "./native.ts";

// i in local 2 counts to 8; the body may use it.
function counted(body: string): string {
  return `loop; local.get 2; i32.const 8; i32.lt_s; if; ${body}
    local.get 2; i32.const 1; i32.add; local.set 2; br 1; end; end`;
}

const GET: FuncText = {
  type: "i32 i32 -> i32",
  code: `local.get 1; local.get 0; i32.load 0; i32.ge_u; if; unreachable; end
    local.get 0; local.get 1; i32.const 2; i32.shl; i32.add; i32.load 4`,
};
const DATA = [
  { at: "i32.const 64", bytes: [8, 0, 0, 0, ...Array.from({ length: 32 }, (_, i) => i)] },
];

const sumOf = (get: string): string =>
  `${counted(`local.get 3; i32.const 64; local.get 2; ${get}; i32.add; local.set 3`)}; local.get 3`;

function moduleOf(code: string, ...callees: FuncText[]): Uint8Array {
  return assembleModule({
    functions: [{ type: "i32 i32 -> i32", locals: "i32 i32 i32", code, export: "f" }, ...callees],
    memory: { pages: 1 },
    data: DATA,
  });
}

test("an index test in a getter is proven where its operands are known", () => {
  const other = "i32.const 96; local.get 0; call 1; drop";
  const small = moduleOf(`${other}; ${sumOf("call 1")}`, GET);
  const nops = Array.from({ length: LIMITS.callee }, () => "local.get 0; local.set 0").join("; ");
  const large = moduleOf(`${other}; ${sumOf("call 1")}`, { ...GET, code: `${nops}; ${GET.code}` });
  const trapsOf = (wasm: Uint8Array): number =>
    [...translate(wasm, { name: "x" }).c.matchAll(/RARE\(.*\) (?:\{|x_trap)/g)].length;
  const loopOf = (wasm: Uint8Array): string =>
    /do \{.*?\} while|for \(;;\) \{.*?\n {2}\}/s.exec(translate(wasm, { name: "x" }).c)![0];
  assert.equal(trapsOf(small), 2); // the unknown index: it, and its address
  assert.doesNotMatch(loopOf(small), /RARE|f1\(/);
  assert.match(loopOf(large), /f1\(/);
});

test("a trap of what is inlined names the function it was written in", () => {
  const { c } = translate(moduleOf("i32.const 64; local.get 0; call 1", GET), { name: "x" });
  assert.doesNotMatch(c, /f1\(/);
  assert.match(c, /x_trap\(1, 1, \d+\)/);
  assert.doesNotMatch(c, /x_trap\(\d, 0,/);
});

const pair = (code: string): string => `${code}; i32.const 16; i32.shl; i32.add`;
const CALLEES: [name: string, caller: string, callee: FuncText][] = [
  [
    "returns early",
    "local.get 0; call 1",
    {
      type: "i32 -> i32",
      code: "local.get 0; i32.const 3; i32.lt_s; if; i32.const 7; return; end; local.get 0",
    },
  ],
  [
    "returns out of a loop",
    "local.get 0; call 1; local.get 1; call 1; i32.const 100; i32.mul; i32.add",
    {
      type: "i32 -> i32",
      locals: "i32",
      code: `loop; local.get 1; local.get 0; i32.ge_u; if; local.get 1; return; end
        local.get 1; i32.const 40; i32.gt_u; if; i32.const 99; return; end
        local.get 1; i32.const 1; i32.add; local.set 1; br 0; end; unreachable`,
    },
  ],
  [
    "begins with zeros in each pass",
    `${counted("local.get 3; local.get 2; call 1; i32.add; local.set 3")}; local.get 3`,
    {
      type: "i32 -> i32",
      locals: "i32",
      code: "local.get 1; local.get 0; i32.add; local.tee 1",
    },
  ],
  [
    "sets its parameter",
    "local.get 0; call 1; local.get 0; i32.mul",
    {
      type: "i32 -> i32",
      code: "local.get 0; i32.const 5; i32.add; local.set 0; local.get 0",
    },
  ],
  [
    "swaps two values",
    pair("local.get 0; local.get 1; call 1; local.set 1; local.set 0; local.get 0; local.get 1"),
    { type: "i32 i32 -> i32 i32", code: "local.get 1; local.get 0" },
  ],
  [
    "traps",
    "local.get 0; call 1",
    { type: "i32 -> i32", code: "i32.const 9; local.get 0; i32.div_s" },
  ],
  [
    "calls itself",
    "local.get 0; i32.const 15; i32.and; call 1",
    {
      type: "i32 -> i32",
      code: `local.get 0; i32.eqz; if; i32.const 1; return; end
        local.get 0; local.get 0; i32.const 1; i32.sub; call 1; i32.mul`,
    },
  ],
];
const OPERANDS: [Bits, Bits][] = [
  [0, 1],
  [2, 3],
  [3, 2],
  [7, 0xffff_ffff],
  [0x8000_0000, 50],
];

test("a small function does in its caller what it did", program("gcc"), () => {
  const cases = [...CALLEES, ["tests an index", sumOf("call 1"), GET] as const].map(
    ([name, caller, callee]): Case => ({
      name,
      wasm: moduleOf(caller, callee),
      calls: OPERANDS.map((operands) => ({ name: "f", operands })),
    }),
  );
  compare(cases);
});

test("what is inlined in a function and in a module is bounded", () => {
  const callee: FuncText = {
    type: "i32 -> i32",
    code: "local.get 0; i32.const 3; i32.mul; i32.const 5; i32.add",
  };
  const callerOf = (calls: number): FuncText => ({
    type: "i32 -> i32",
    code: `local.get 0; ${"call 0; ".repeat(calls)}`,
    export: `f${calls}`,
  });
  const callsLeft = (...callers: FuncText[]): number => {
    const wasm = assembleModule({ functions: [callee, ...callers] });
    return [...translate(wasm, { name: "x" }).c.matchAll(/= f0\(/g)].length;
  };
  assert.equal(callsLeft(callerOf(100)), 0);
  const inOne = callsLeft(callerOf(900)); // 2700 nodes before
  assert.ok(inOne > 500 && inOne < 900, `${inOne} calls are left in a function`);
  const four = [201, 202, 203, 204].map(callerOf); // each well below the bound of a caller
  const inAll = callsLeft(...four);
  assert.ok(inAll > 200 && inAll < 810, `${inAll} calls are left in a module`);
});
