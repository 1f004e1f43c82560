// SPDX-License-Identifier: MIT
// Goal: memory is read and written as in V8, to its last octet and no further.
//
// Method: each load and store at each misalignment at both ends of memory, with displacements that reach
// over 2^32; memory.fill, copy, init and grow at the same places; memory's sum is compared at the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryOperator, type MemoryOperator } from "../../aot/decode/opcodes.ts";
import { PAGE_BYTES } from "../../aot/ir.ts";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText } from "./assemble.ts";
import { type Bits, type Call, type Case, compare, runNative } from "./native.ts";

const OPERATORS = Array.from({ length: 0x3f - 0x28 }, (_, i) => memoryOperator(0x28 + i)!);
const DISPLACEMENTS = [0, 1, 8, PAGE_BYTES - 8, PAGE_BYTES, 0xffff_fff0, 0xffff_ffff];
const PATTERN = Array.from({ length: 256 }, (_, i) => (i * 167 + 13) & 255);
const VALUES: Record<string, Bits> = {
  i32: 0x89ab_cdef,
  i64: 0x8123_4567_89ab_cdefn,
  f32: 0xc12a_bcde,
  f64: 0x4123_4567_89ab_cdefn,
};

// The first and the last octets of memory, addresses that wrap, and those a displacement brings back.
const ADDRESSES = [
  ...Array.from({ length: 17 }, (_, i) => i),
  ...Array.from({ length: 26 }, (_, i) => PAGE_BYTES - 17 + i),
  ...Array.from({ length: 9 }, (_, i) => 0x8000_0000 - 4 + i),
  ...Array.from({ length: 17 }, (_, i) => 2 ** 32 - 17 + i),
];

const nameOf = ({ name }: MemoryOperator, displacement: number): string =>
  `${name} ${displacement}`;

function functionOf(operator: MemoryOperator, displacement: number): FuncText {
  const { name, store, type } = operator;
  const access = `${name} ${displacement}`;
  const common = { export: nameOf(operator, displacement) };
  if (store)
    return { ...common, type: `i32 ${type} ->`, code: `local.get 0; local.get 1; ${access}` };
  return { ...common, type: `i32 -> ${type}`, code: `local.get 0; ${access}` };
}

function accessCase(displacement: number): Case {
  const functions = OPERATORS.map((operator) => functionOf(operator, displacement));
  const calls = [...OPERATORS, ...OPERATORS].flatMap((operator) =>
    ADDRESSES.map((address): Call => {
      const operands: Bits[] = operator.store ? [address, VALUES[operator.type]!] : [address];
      return { name: nameOf(operator, displacement), operands };
    }),
  );
  const wasm = assembleModule({
    functions,
    memory: { pages: 1 },
    data: [
      { at: "i32.const 0", bytes: PATTERN },
      { at: `i32.const ${PAGE_BYTES - 256}`, bytes: PATTERN },
    ],
  });
  return { name: `displacement ${displacement}`, wasm, calls };
}

test("loads and stores reach to the last octet at every misalignment", program("gcc"), () => {
  const lines = compare(DISPLACEMENTS.map(accessCase), true);
  assert.ok(lines > DISPLACEMENTS.length * ADDRESSES.length * OPERATORS.length);
});

test("constant addresses are checked as others are", program("gcc"), () => {
  const functions = [0, 3, PAGE_BYTES - 4, PAGE_BYTES - 3, 2 ** 32 - 1].flatMap((address) =>
    [0, 1, 2 ** 32 - 4].map((displacement) => ({
      export: `${address} ${displacement}`,
      type: "-> i32",
      code: `i32.const ${address}; i32.load ${displacement}`,
    })),
  );
  const calls = functions.map((func) => ({ name: func.export, operands: [] }));
  compare([{ name: "constant", wasm: assembleModule({ functions, memory: { pages: 1 } }), calls }]);
});

const BULK = `local.get 0; local.get 1; local.get 2`;
const LENGTHS = [0, 1, 3, 4, 7, 64, 255, 256, 257, PAGE_BYTES, 2 ** 32 - 1];
const PLACES = [0, 1, 5, 100, PAGE_BYTES - 256, PAGE_BYTES - 4, PAGE_BYTES - 1, PAGE_BYTES];

function triples(name: string, third = LENGTHS): Call[] {
  return [...PLACES, PAGE_BYTES + 1, 2 ** 32 - 1].flatMap((first) =>
    [...PLACES, 256, 257].flatMap((second) =>
      third.map((length) => ({ name, operands: [first, second, length] })),
    ),
  );
}

test("memory.fill, copy and init write all or nothing", program("gcc"), () => {
  const one = (name: string, code: string): Case => ({
    name,
    wasm: assembleModule({
      functions: [
        { export: name, type: "i32 i32 i32 ->", code: `${BULK}; ${code}` },
        { export: "drop", type: "->", code: "data.drop 1" },
      ],
      memory: { pages: 1 },
      data: [{ at: "i32.const 64", bytes: PATTERN }, { bytes: PATTERN }],
    }),
    calls: [...triples(name), { name: "drop", operands: [] }, ...triples(name, [0, 1])],
    rounds: 2,
  });
  compare(
    [
      one("fill", "memory.fill"),
      one("copy", "memory.copy"),
      one("passive", "memory.init 1"),
      one("active", "memory.init 0"),
    ],
    true,
  );
});

const GROW: FuncText[] = [
  { export: "size", type: "-> i32", code: "memory.size" },
  { export: "grow", type: "i32 -> i32", code: "local.get 0; memory.grow" },
  { export: "load", type: "i32 -> i32", code: "local.get 0; i32.load 0" },
  { export: "store", type: "i32 i32 ->", code: "local.get 0; local.get 1; i32.store 0" },
  {
    export: "before and after",
    type: "i32 -> i32 i32 i32",
    code: "memory.size; local.get 0; memory.grow; memory.size",
  },
];

test("memory.grow gives zeros up to the maximum and refuses more", program("gcc"), () => {
  const wasm = assembleModule({ functions: GROW, memory: { pages: 1, max: 3 } });
  const call = (name: string, ...operands: number[]): Call => ({ name, operands });
  const calls = [
    ...[call("size"), call("store", PAGE_BYTES - 4, 7), call("load", PAGE_BYTES)],
    ...[call("grow", 0), call("before and after", 1), call("load", PAGE_BYTES)],
    ...[call("store", 2 * PAGE_BYTES - 4, 9), call("load", 2 * PAGE_BYTES - 3)],
    ...[call("grow", 2), call("grow", 2 ** 32 - 1), call("grow", 2 ** 31), call("size")],
    ...[call("grow", 1), call("load", 3 * PAGE_BYTES - 4), call("load", 3 * PAGE_BYTES - 3)],
    ...[call("grow", 1), call("size")],
  ];
  const memoryBytes = 3 * PAGE_BYTES;
  compare([{ name: "grow", wasm, calls, options: { memoryBytes }, rounds: 2 }], true);
});

test("without room memory.grow says so", program("gcc"), () => {
  const wasm = assembleModule({ functions: GROW, memory: { pages: 1, max: 3 } });
  const calls = [0, 1, 2].map((delta) => ({ name: "grow", operands: [delta] }));
  const [outcome] = runNative([{ name: "fixed", wasm, calls }]);
  assert.deepEqual(
    outcome?.slice(0, 3).map((line) => line.trim()),
    ["00000001", "ffffffff", "ffffffff"],
  );
});

test("room that nobody grows into is no memory", program("gcc"), () => {
  const functions = GROW.filter(({ export: name }) => name === "load");
  const wasm = assembleModule({ functions, memory: { pages: 1 } });
  const growing = assembleModule({ functions: GROW, memory: { pages: 1 } });
  const at = [PAGE_BYTES - 4, PAGE_BYTES - 3, PAGE_BYTES, PAGE_BYTES + 4000, 2 * PAGE_BYTES];
  const calls = at.map((address) => ({ name: "load", operands: [address] }));
  const sizes = [PAGE_BYTES + 4096, 2 * PAGE_BYTES, 2 * PAGE_BYTES + 1];
  const cases = sizes.flatMap((memoryBytes) =>
    [wasm, growing].map((octets) => ({
      name: `${memoryBytes}`,
      wasm: octets,
      calls,
      options: { memoryBytes },
    })),
  );
  const traps = runNative(cases).map((lines) => lines.filter((line) => line.startsWith("trap 2")));
  assert.deepEqual(
    traps.map((lines) => lines.length),
    cases.map(() => 4),
  );
});

test("memory of less than a page ends where it is said to end", program("gcc"), () => {
  const wasm = assembleModule({ functions: GROW, memory: { pages: 1 } });
  const calls = [0, 995, 996, 997, 1000, 65_532].map((at) => ({ name: "load", operands: [at] }));
  const [outcome] = runNative(
    [{ name: "small", wasm, calls, options: { memoryBytes: 1000 } }],
    true,
  );
  const trap = "trap 2";
  assert.deepEqual(
    outcome?.slice(0, 6).map((line) => line.trim()),
    ["00000000", "00000000", "00000000", trap, trap, trap],
  );
});

test("an order of loads, stores and calls is kept", program("gcc"), () => {
  const swap = `local.get 0; i32.load 0; local.get 0; local.get 1; i32.store 0`;
  const functions: FuncText[] = [
    { export: "old", type: "i32 i32 -> i32", code: swap },
    {
      export: "through a call",
      type: "i32 -> i32",
      code: "local.get 0; i32.load 0; local.get 0; i32.const 77; call 0; i32.add",
    },
    {
      export: "trap before the store",
      type: "i32 -> i32",
      code: "local.get 0; i32.load 0; i32.const 8; i32.const 9; i32.store 0",
    },
  ];
  const calls = [
    { name: "old", operands: [8, 5] },
    { name: "old", operands: [8, 6] },
    { name: "through a call", operands: [8] },
    { name: "trap before the store", operands: [PAGE_BYTES] },
  ];
  compare([{ name: "order", wasm: assembleModule({ functions, memory: { pages: 1 } }), calls }]);
});
