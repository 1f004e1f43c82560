// SPDX-License-Identifier: MIT
// Goal: what is not translated is refused by its name, before any C is written.
//
// Method: the smallest module with each feature, valid in V8 where V8 knows it; exact texts. Each names
// function, octet and instruction where there is one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AotError, translate } from "../../aot/index.ts";
import { assembleModule } from "./assemble.ts";

function refusal(wasm: Uint8Array, options: object = {}): string {
  try {
    translate(wasm, { name: "m", ...options });
    return "translated";
  } catch (error) {
    assert.ok(error instanceof AotError, String(error));
    return error.message;
  }
}

const body = (code: string): Uint8Array =>
  assembleModule({
    functions: [{ export: "f", type: "->", code }],
    memory: { pages: 1 },
    table: 1,
  });

const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const sections = (...octets: number[]): Uint8Array => Uint8Array.from([...MAGIC, ...octets]);
const importOf = (...kind: number[]): Uint8Array =>
  sections(2, 5 + kind.length, 1, 1, 0x65, 1, 0x78, ...kind);

const INSTRUCTIONS: [what: string, code: string, said: string][] = [
  [
    "SIMD",
    `octets fd 0c ${"00 ".repeat(16)}; drop`,
    "function 0, offset 41: a SIMD instruction is not supported",
  ],
  ["tail call", "octets 12 00", "function 0, offset 41: a tail call is not supported"],
  ["table.size", "octets fc 10 00; drop", "function 0, offset 41: opcode 0xfc 16 is not supported"],
  [
    "reference",
    "octets d0 70; drop",
    "function 0, offset 41: an instruction on references is not supported",
  ],
  [
    "block of SIMD",
    "octets 02 7b; unreachable; end; drop",
    "function 0, offset 42: a block that gives a SIMD vector is not supported",
  ],
  [
    "block of a reference",
    "octets 02 70; unreachable; end; drop",
    "function 0, offset 42: a block that gives a reference is not supported",
  ],
  [
    "table.get",
    "i32.const 0; octets 25 00; drop",
    "function 0, offset 43: table.get or table.set is not supported",
  ],
];

for (const [what, code, said] of INSTRUCTIONS)
  test(`an instruction of another proposal is refused: ${what}`, () => {
    assert.equal(refusal(body(code)), said);
  });

const MODULES: [what: string, wasm: Uint8Array, said: string][] = [
  ["shared memory", sections(5, 4, 1, 3, 1, 1), "shared and 64-bit memories are not supported"],
  [
    "an imported table of externref",
    importOf(1, 0x6f, 0, 1),
    "tables of externref are not supported",
  ],
  [
    "imported tag",
    sections(1, 4, 1, 0x60, 0, 0, 2, 8, 1, 1, 0x65, 1, 0x78, 4, 0, 0),
    "the import e.x is an exception tag: not supported, define it inside",
  ],
  ["externref", sections(4, 4, 1, 0x6f, 0, 1), "tables of externref are not supported"],
  ["reference type", sections(1, 5, 1, 0x60, 1, 0x70, 0), "a reference type is not supported"],
  ["v128", sections(1, 5, 1, 0x60, 1, 0x7b, 0), "SIMD (v128) is not supported"],
  ["two tables", sections(4, 7, 2, 0x70, 0, 1, 0x70, 0, 1), "more than one table is not supported"],
];

for (const [what, wasm, said] of MODULES)
  test(`a module of another proposal is refused: ${what}`, () => {
    assert.equal(refusal(wasm), said);
  });

test("what only newer engines know is refused by name in old and new ones", () => {
  const gc = refusal(sections(1, 3, 1, 0x5f, 0));
  assert.match(
    gc,
    /^(types of the GC proposal are|the WebAssembly proposal "gc" is) not supported$/,
  );
  const memory64 = refusal(sections(5, 3, 1, 4, 1));
  assert.match(
    memory64,
    /^(shared and 64-bit memories are|the WebAssembly proposal "memory64" is) not supported$/,
  );
  const atomic = refusal(body("octets fe 03 00; nop"));
  assert.equal(atomic, "function 0, offset 41: an atomic instruction is not supported");
});

test("what is no module is refused with the engine's reason", () => {
  assert.equal(
    refusal(new Uint8Array()),
    "not a valid WebAssembly module: BufferSource argument is empty",
  );
  assert.equal(
    refusal(body("i32.const 1")),
    "not a valid WebAssembly module: Compiling function #0 failed: " +
      "expected 0 elements on the stack for fallthru, found 1 @+43",
  );
});

test("data beyond --memory, and memories too large, are refused", () => {
  const data = [{ at: "i32.const 1000", bytes: [1, 2, 3] }];
  const wasm = assembleModule({ functions: [], memory: { pages: 1 }, data });
  assert.equal(
    refusal(wasm, { memoryBytes: 1002 }),
    "the module's data end at 1003: more than --memory 1002",
  );
  assert.equal(refusal(wasm, { memoryBytes: 1003 }), "translated");
  assert.equal(
    refusal(wasm, { memoryBytes: 2 ** 29 }),
    "a memory of 536870912 octets: 0..268435456 are possible",
  );
});
