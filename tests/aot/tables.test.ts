// SPDX-License-Identifier: MIT
// Goal: an indirect call reaches the function of its slot, or traps as in V8.
//
// Method: slots of several types, empty ones and indices out of bounds; table.init, copy and elem.drop at
// the table's ends; imports in slots; types that are equal but not the same.

import { test } from "node:test";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText, type ModuleText } from "./assemble.ts";
import { type Call, compare } from "./native.ts";

const SLOTS = 8;
const INDICES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x8000_0000, 0xffff_ffff];

const FUNCTIONS: FuncText[] = [
  { type: "-> i32", code: "i32.const 11" },
  { type: "-> i32", code: "i32.const 22" },
  { type: "i32 -> i32", code: "local.get 0; i32.const 3; i32.mul" },
  { type: "i64 f32 -> f64", code: "f64.const 0x4008000000000000" },
  { type: "->", code: "nop" },
  { export: "none", type: "i32 -> i32", code: "local.get 0; call_indirect 0" },
  { export: "one", type: "i32 -> i32", code: "i32.const 14; local.get 0; call_indirect 1" },
  { export: "equal", type: "i32 -> i32", code: "i32.const 14; local.get 0; call_indirect 4" },
  {
    export: "mixed",
    type: "i32 -> f64",
    code: "i64.const 1; f32.const 0; local.get 0; call_indirect 2",
  },
  { export: "nothing", type: "i32 ->", code: "local.get 0; call_indirect 3" },
  {
    export: "init",
    type: "i32 i32 i32 ->",
    code: "local.get 0; local.get 1; local.get 2; table.init 1",
  },
  {
    export: "init active",
    type: "i32 i32 i32 ->",
    code: "local.get 0; local.get 1; local.get 2; table.init 0",
  },
  {
    export: "copy",
    type: "i32 i32 i32 ->",
    code: "local.get 0; local.get 1; local.get 2; table.copy",
  },
  { export: "drop", type: "->", code: "elem.drop 1" },
];
const TYPES = ["-> i32", "i32 -> i32", "i64 f32 -> f64", "->", "i32 -> i32"];

function moduleOf(more: Partial<ModuleText> = {}): Uint8Array {
  return assembleModule({
    types: TYPES,
    functions: FUNCTIONS,
    table: SLOTS,
    elements: [{ at: "i32.const 1", functions: [0, 2, 3, 4] }, { functions: [1, 0, 2] }],
    data: [],
    ...more,
  });
}

const callsOf = (name: string, rows: readonly number[][]): Call[] =>
  rows.map((operands) => ({ name, operands }));
const allIndirect: Call[] = ["none", "one", "equal", "mixed", "nothing"].flatMap((name) =>
  callsOf(
    name,
    INDICES.map((index) => [index]),
  ),
);

test("call_indirect checks bounds, null and signature", program("gcc"), () => {
  compare([{ name: "indirect", wasm: moduleOf(), calls: allIndirect, rounds: 2 }], true);
});

test("table.init, table.copy and elem.drop write all or nothing", program("gcc"), () => {
  const places = [0, 1, 5, 6, 7, 8, 9, 0xffff_ffff];
  const triples = places.flatMap((to) =>
    [0, 1, 2, 3, 4, 7, 8].flatMap((from) => [0, 1, 2, 3, 8].map((length) => [to, from, length])),
  );
  const one = (
    name: string,
  ): { name: string; wasm: Uint8Array; calls: Call[]; rounds: number } => ({
    name,
    wasm: moduleOf(),
    calls: [
      ...callsOf(name, triples).flatMap((call) => [call, ...allIndirect.slice(0, SLOTS)]),
      { name: "drop", operands: [] },
      ...callsOf(name, triples),
      ...allIndirect,
    ],
    rounds: 2,
  });
  compare(["init", "init active", "copy"].map(one));
});

test("an import in a slot is called through it", program("gcc"), () => {
  const functions: FuncText[] = [
    { export: "f", type: "i32 -> i32", code: "i32.const 6; local.get 0; call_indirect 0" },
    { export: "direct", type: "i32 -> i32", code: "local.get 0; call 0" },
  ];
  const wasm = assembleModule({
    types: ["i32 -> i32"],
    imports: [{ module: "host", field: "ask", type: "i32 -> i32" }],
    functions,
    table: 3,
    elements: [{ at: "i32.const 1", functions: [0, 2] }],
  });
  const calls = [...callsOf("f", [[0], [1], [2], [3]]), ...callsOf("direct", [[5]])];
  compare([{ name: "import", wasm, calls }], true);
});

test("segments that do not fit trap when the instance is made", program("gcc"), () => {
  const functions: FuncText[] = [{ export: "f", type: "->", code: "nop" }];
  const bytes = [1, 2, 3];
  const memory = { pages: 1 };
  const texts: ModuleText[] = [
    { functions, memory, data: [{ at: "i32.const 65534", bytes }] },
    { functions, memory, data: [{ at: "i32.const -1", bytes: [] }] },
    { functions, memory, data: [{ at: "i32.const 65536", bytes: [] }] },
    { functions, memory, data: [{ at: "i32.const 65533", bytes }] },
    { functions, table: 2, elements: [{ at: "i32.const 1", functions: [0, 0] }] },
    { functions, table: 2, elements: [{ at: "i32.const 2", functions: [] }] },
  ];
  const calls = [{ name: "f", operands: [] }];
  compare(texts.map((text, i) => ({ name: `segment ${i}`, wasm: assembleModule(text), calls })));
});
