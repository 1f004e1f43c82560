// SPDX-License-Identifier: MIT
// Goal: whatever a stack machine's control does, statements of C do as well.
//
// Method: hand-written functions, one for each way that values pass through blocks, loops, branches, calls
// and traps; each with operands that take every path.

import assert from "node:assert/strict";
import { test } from "node:test";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText, type ModuleText } from "./assemble.ts";
import { type Bits, type Case, compare, runNative } from "./native.ts";

const OPERANDS = [0, 1, 2, 3, 4, 5, 100, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function caseOf(text: ModuleText, operands: readonly Bits[] = OPERANDS): Case {
  const calls = text.functions.flatMap(({ export: name, type }) => {
    const count = type
      .split("->")[0]!
      .split(" ")
      .filter((word) => word !== "").length;
    if (name === undefined) return [];
    return operands.map((bits) => ({ name, operands: Array.from({ length: count }, () => bits) }));
  });
  return { name: text.functions[0]!.export ?? "module", wasm: assembleModule(text), calls };
}

const func = (name: string, type: string, code: string, locals = ""): FuncText => ({
  export: name,
  type,
  code,
  locals,
});

test("br_table takes values out of blocks of any depth", program("gcc"), () => {
  const inner = `
    block i32
      block i32
        block i32
          i32.const 10; local.get 0; br_table 0 1 2 1
        end
        i32.const 1; i32.add; br 1
      end
      i32.const 2; i32.add
    end
    i32.const 100; i32.add`;
  const toLoop = `
    loop
      local.get 1; i32.const 1; i32.add; local.tee 1
      i32.const 5; i32.ge_u
      br_if 1
      local.get 0; br_table 0 1 0
    end`;
  const text: ModuleText = {
    functions: [
      func("three levels", "i32 -> i32", inner),
      func(
        "only the default",
        "i32 -> i32",
        "block i32; i32.const 7; local.get 0; br_table 0; end",
      ),
      func("out of the function", "i32 -> i32", "i32.const 8; local.get 0; br_table 0 0"),
      func("to a loop", "i32 -> i32", `block; ${toLoop}; end; local.get 1`, "i32"),
      func(
        "many labels",
        "i32 -> i32",
        `block; block; block; local.get 0; br_table 0 1 2 0 1 2 0 1 2 1; end
         i32.const 3; return; end
         i32.const 4; return; end; i32.const 5`,
      ),
    ],
  };
  compare([caseOf(text)]);
});

test("blocks, loops and branches carry several values", program("gcc"), () => {
  const types = ["-> i32 i32", "i32 i32 -> i32 i32", "i32 -> i32 i64 f32 f64"];
  const text: ModuleText = {
    types,
    functions: [
      func("pair of a block", "i32 -> i32", "block 0; local.get 0; i32.const 3; end; i32.sub"),
      func(
        "branch with a pair",
        "i32 -> i32",
        "block 0; i32.const 50; i32.const 8; local.get 0; br_if 0; drop; i32.const 9; end; i32.sub",
      ),
      func(
        "loop with parameters",
        "i32 -> i32 i32",
        `i32.const 0; local.get 0; i32.const 15; i32.and
         loop 1
           local.set 1; local.get 1; i32.add
           local.get 1; i32.const 1; i32.sub; local.tee 1
           local.get 1; i32.const 0; i32.gt_s; br_if 0
         end`,
        "i32",
      ),
      func(
        "swap in a loop",
        "i32 i32 -> i32 i32",
        `i32.const 1; i32.const 2
         loop 1
           local.set 2; local.set 3; local.get 2; local.get 3
           local.get 4; i32.const 1; i32.add; local.tee 4; i32.const 7; i32.lt_u; br_if 0
         end`,
        "i32 i32 i32",
      ),
      func(
        "if with parameters",
        "i32 -> i32 i32",
        `i32.const 11; i32.const 22; local.get 0
         if 1; drop; i32.const 33; else; i32.add; i32.const 1; end`,
      ),
      func("four types", types[2]!, "local.get 0; i64.const -5; f32.const 0x3fc00000; f64.const 0"),
      func(
        "of a call",
        "i32 -> f64",
        "local.get 0; call 5; local.set 2; drop; drop; drop; local.get 2",
        "f32 f64",
      ),
    ],
  };
  compare([caseOf(text)]);
});

test("what follows a branch is dead, with any stack", program("gcc"), () => {
  const text: ModuleText = {
    types: ["-> i32 i32"],
    functions: [
      func("return", "i32 -> i32", "local.get 0; return; i32.add; drop; unreachable"),
      func("branch", "i32 -> i32", "block i32; i32.const 4; br 0; i32.add; i64.const 1; drop; end"),
      func(
        "nested",
        "i32 -> i32",
        "block; br 0; block; loop; br 0; end; end; if; else; end; end; i32.const 1",
      ),
      func(
        "select",
        "i32 -> i32",
        "i32.const 1; return; select; drop; f32.const 0; drop; i32.const 2",
      ),
      func("polymorphic", "i32 -> i32", "block 0; unreachable; end; i32.add"),
      func(
        "else of nothing",
        "i32 -> i32",
        "local.get 0; if i32; unreachable; else; i32.const 3; end",
      ),
      func(
        "table",
        "i32 -> i32",
        "block i32; i32.const 6; local.get 0; br_table 0 0; i32.mul; end",
      ),
      func("loop", "i32 -> i32", "loop i32; i32.const 3; br 1; end"),
    ],
  };
  compare([caseOf(text)]);
});

test("what waits below a block survives each way through it", program("gcc"), () => {
  const arm = "block; local.get 0; br_if 0; i32.const 5; local.set 0; end";
  const text: ModuleText = {
    functions: [
      func("then", "i32 -> i32", `local.get 0; local.get 0; if; ${arm}; end; local.get 0; i32.sub`),
      func(
        "else",
        "i32 -> i32",
        `local.get 0; local.get 0; if; else; ${arm}; end; local.get 0; i32.sub`,
      ),
      func(
        "with results",
        "i32 -> i32",
        `local.get 0; block i32; i32.const 7; local.get 0; br_if 0; ${arm}; end; i32.sub`,
      ),
      func(
        "deep",
        "i32 -> i32",
        `local.get 0; local.get 0; if i32; local.get 0; local.get 0; if i32; i32.const 1; else
         ${arm}; i32.const 2; end; i32.mul; else; i32.const 9; end; i32.sub`,
      ),
    ],
  };
  compare([caseOf(text)]);
});

test("a stack keeps its order across assignments and traps", program("gcc"), () => {
  const text: ModuleText = {
    globals: [{ type: "i32", start: "i32.const 5", export: "g" }],
    functions: [
      func("local", "i32 -> i32", "local.get 0; i32.const 9; local.set 0; local.get 0; i32.sub"),
      func(
        "tee",
        "i32 -> i32",
        "local.get 0; local.get 0; i32.const 3; i32.add; local.tee 0; i32.mul",
      ),
      func(
        "global",
        "i32 -> i32",
        "global.get 0; local.get 0; global.set 0; global.get 0; i32.sub",
      ),
      func("call", "i32 -> i32", "global.get 0; local.get 0; call 2; i32.sub"),
      func(
        "trap first",
        "i32 -> i32",
        "i32.const 1; local.get 0; i32.div_u; i32.const 77; global.set 0",
      ),
      func("dropped trap", "i32 ->", "i32.const 1; local.get 0; i32.rem_s; drop"),
      func("no trap", "i32 -> i32", "i32.const 4; i32.const 5; local.get 0; select"),
      func(
        "both arms",
        "i32 -> i32",
        "i32.const 4; i32.const 8; local.get 0; i32.div_s; local.get 0; select",
      ),
      func(
        "condition",
        "i32 ->",
        "local.get 0; i32.const 0; i32.div_s; if; i32.const 1; global.set 0; end",
      ),
      func("unreachable", "i32 ->", "local.get 0; global.set 0; unreachable"),
    ],
  };
  compare([caseOf(text)], true);
});

const RECURSION: FuncText[] = [
  func(
    "down",
    "i32 -> i32",
    "local.get 0; if i32; local.get 0; i32.const 1; i32.sub; call 0; else; i32.const 3; end",
  ),
  func("for ever", "->", "call 1"),
  func(
    "even",
    "i32 -> i32",
    `local.get 0; i32.eqz; if i32; i32.const 1; else
     local.get 0; i32.const 1; i32.sub; call 3; end`,
  ),
  func(
    "odd",
    "i32 -> i32",
    `local.get 0; i32.eqz; if i32; i32.const 0; else
     local.get 0; i32.const 1; i32.sub; call 2; end`,
  ),
  func("twice", "i32 -> i32", "local.get 0; call 0; local.get 0; call 0; i32.add"),
];

test("endless recursion traps, and the next call begins anew", program("gcc"), () => {
  const depths = [0, 1, 2, 50, 99];
  const down = ["down", "even", "odd", "twice"].flatMap((name) =>
    depths.map((depth) => ({ name, operands: [depth] })),
  );
  const calls = [...down, { name: "for ever", operands: [] }, ...down];
  const wasm = assembleModule({ functions: RECURSION });
  compare([{ name: "recursion", wasm, calls, rounds: 2 }], true);
});

test("256 calls deep are the limit", program("gcc"), () => {
  const calls = [254, 255, 256, 257].map((depth) => ({ name: "down", operands: [depth] }));
  const wasm = assembleModule({ functions: RECURSION });
  const [outcome] = runNative([{ name: "limit", wasm, calls }]);
  assert.deepEqual(
    outcome?.map((line) => line.trim()),
    ["00000003", "00000003", "trap 9", "trap 9"],
  );
});

const COUNT = "global.get 0; i32.const 1; i32.add; global.set 0";
const GET = func("get", "-> i32", "global.get 0; i32.const 16; i32.load 0; i32.add");
const ADD = func("add", "->", `${COUNT}; i32.const 16; i32.const 90; i32.store 0`);

const startOf = (code: string, more: Partial<ModuleText> = {}): ModuleText => ({
  start: 0,
  functions: [func("start", "->", code), GET, ADD],
  ...more,
});

const STARTS: [name: string, text: ModuleText][] = [
  ["plain", startOf(`${COUNT}; i32.const 16; i32.const 4; i32.store 0`)],
  ["traps", startOf(`${COUNT}; unreachable`)],
  ["out of memory", startOf("i32.const 65533; i32.const 4; i32.store 0")],
  ["grows", startOf("i32.const 1; memory.grow; drop")],
  [
    "calls an import",
    startOf(`${COUNT}; global.get 0; call 0; drop`, {
      imports: [{ module: "host", field: "log", type: "i32 -> i32" }],
      start: 1,
    }),
  ],
  [
    "table",
    startOf("i32.const 1; call_indirect 0", {
      table: 2,
      elements: [{ at: "i32.const 1", functions: [2] }],
    }),
  ],
];

test("start runs once for each instance", program("gcc"), () => {
  const globals = [{ type: "i32" as const, start: "i32.const 5", export: "g" }];
  const calls = ["get", "add", "get"].map((name) => ({ name, operands: [] }));
  const cases = STARTS.map(([name, text]) => {
    const wasm = assembleModule({ memory: { pages: 1 }, globals, ...text });
    return { name, wasm, calls, rounds: 3 };
  });
  compare(cases, true);
});

test("globals of every type are exported and start anew", program("gcc"), () => {
  const globals: NonNullable<ModuleText["globals"]> = [
    { type: "i32", start: "i32.const -2", export: "a" },
    { type: "i64", start: "i64.const -3", export: "b" },
    { type: "f32", start: "f32.const 0x80000000", export: "c" },
    { type: "f64", start: "f64.const 0x7ff0000000000000", export: "d" },
    { type: "i32", start: "i32.const 6", mutable: false, export: "e" },
  ];
  const set = `global.get 0; i32.const 3; i32.mul; global.set 0
    global.get 1; i64.const 5; i64.mul; global.set 1
    global.get 2; f32.const 0x3f800000; f32.add; global.set 2; global.get 3; f64.neg; global.set 3`;
  const wasm = assembleModule({ globals, functions: [func("set", "->", set)] });
  compare([{ name: "globals", wasm, calls: [{ name: "set", operands: [] }], rounds: 2 }]);
});
