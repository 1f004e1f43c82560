// SPDX-License-Identifier: MIT
// What typed arrays would get wrong is told.
//
// Goal: an access between two elements or behind the end is named with width and address, an honest one is not, and a
// build for a board refuses a module that makes one. Method: small modules, and oven with a store of its own planted.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import binaryen from "binaryen";
import { instrument } from "../../boards/js/align.ts";
import { type Factory, watchedFactory } from "../../boards/js/known.ts";
import { makeJs } from "../../scripts/build/js.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { Failure } from "../../scripts/cli/failure.ts";
import { PROJECT } from "../support/ferrule.ts";

const END = 112; // of a memory of 100 octets

function assemble(body: string): Uint8Array {
  const module = binaryen.parseText(`(module (memory 1)
    (export "memory" (memory 0)) (export "memoryBytes" (func $bytes)) (export "tick" (func $tick))
    (func $bytes (result i32) (i32.const 100)) (func $tick ${body}))`);
  module.setFeatures(binaryen.Features.BulkMemory);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function problemsOf(body: string): string[] {
  const { factory, problems } = watchedFactory("loop", instrument(assemble(body)));
  (factory({}) as unknown as { tick(): void } & ReturnType<Factory>).tick();
  return problems();
}

const CASES: readonly [string, string, readonly string[]][] = [
  ["a store on its multiple", "(i32.store (i32.const 96) (i32.const 7))", []],
  [
    "a store between two elements",
    "(i32.store (i32.const 94) (i32.const 7))",
    ["loop stores 4 octets at 94, no multiple of 4"],
  ],
  ["one that says so", "(i32.store align=2 (i32.const 94) (i32.const 7))", []],
  [
    "a load whose offset is odd",
    "(drop (i32.load16_u offset=3 (i32.const 40)))",
    ["loop loads 2 octets at 43, no multiple of 2"],
  ],
  [
    "a double at a multiple of 4",
    "(f64.store (i32.const 20) (f64.const 1))",
    ["loop stores 8 octets at 20, no multiple of 8"],
  ],
  [
    "a load behind the end",
    `(drop (i32.load8_u (i32.const ${END})))`,
    [`loop loads 1 octets at ${END}, of ${END}`],
  ],
  ["the last octet", `(i32.store8 (i32.const ${END - 1}) (i32.const 1))`, []],
  [
    "a fill behind the end",
    `(memory.fill (i32.const 100) (i32.const 9) (i32.const 20))`,
    [`loop copies octets to ${END}, of ${END}`],
  ],
];

for (const [what, body, expected] of CASES)
  test(`${what}: ${expected.length === 0 ? "nothing to tell" : "told"}`, () => {
    assert.deepEqual(problemsOf(body), expected);
  });

test("a build for a board refuses a module that stores between two elements", async () => {
  const built = await buildNode(join(PROJECT, "firmware/nodes/oven"), { board: "kaluma-pico" });
  const module = binaryen.readBinary(built.loop.wasm);
  const at = module.i32.const(1026);
  const tick = binaryen.getExportInfo(module.getExport("tick")).value;
  const steps = [
    module.call(tick, [], binaryen.none),
    module.i32.store(0, 4, at, module.i32.load(0, 4, at)),
  ];
  module.addFunction("planted", binaryen.none, binaryen.none, [], module.block(null, steps));
  module.removeExport("tick");
  module.addFunctionExport("planted", "tick");
  const wasm = module.emitBinary();
  module.dispose();
  const planted = { ...built, loop: { ...built.loop, wasm } };
  await assert.rejects(makeJs("kaluma-pico", planted), (error) => {
    assert.ok(error instanceof Failure);
    assert.match(error.message, /loop loads 4 octets at 1026, no multiple of 4/);
    assert.match(error.message, /loop stores 4 octets at 1026, no multiple of 4/);
    return true;
  });
});
