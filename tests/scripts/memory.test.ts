// SPDX-License-Identifier: MIT
// How much memory a module needs: what the build reads from it.
//
// Goal: a board keeps as much as static data takes, and a module of which that is not all is refused. Method: modules
// from the compiler itself, and what a run in V8 writes.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { compile } from "../../scripts/build/compile.ts";
import { memoryBound } from "../../scripts/build/memory.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { createSourceTree } from "../../scripts/build/sources.ts";
import { PROJECT } from "../support/ferrule.ts";

const MEMORY_BYTES = "export function memoryBytes(): i32 { return __heap_base as i32; }\n";

async function compiled(source: string): Promise<Uint8Array> {
  const result = await compile(
    createSourceTree({ folder: undefined, overlay: { "a.ts": source } }),
    "a.ts",
  );
  assert.ok(result.ok);
  return result.wasm;
}

test("the bound is the end of static data, zeros that no segment holds included", async () => {
  const wasm = await compiled(
    `${MEMORY_BYTES}const A = memory.data(500, 8);\n` +
      "export function at(i: i32): i32 { return (A as i32) + i; }\n" +
      "export function put(i: i32): void { store<u8>(A + i, 1); }\n",
  );
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource));
  const at = exports["at"] as (i: number) => number;
  assert.equal(memoryBound("it", wasm), Math.ceil(at(500) / 8) * 8);
});

test("a module that allocates is refused", async () => {
  const allocating = await compiled(
    `${MEMORY_BYTES}class Box { value: i32 = 0; }\nlet last: Box | null = null;\n` +
      "export function tick(): void { last = new Box(); }\n" +
      "export function value(): i32 { return last ? last!.value : 0; }\n",
  );
  assert.throws(() => memoryBound("loop of t", allocating), /^Error: loop of t allocates memory/);
});

test("a module that says nothing has its pages, one that says no constant is refused", async () => {
  const silent = await compiled(
    "const A = memory.data(70_000);\nexport function at(): usize { return A; }\n",
  );
  assert.equal(memoryBound("it", silent), 2 * 65_536);
  const varying = await compiled(
    "let n = 7;\nexport function memoryBytes(): i32 { return n++; }\n",
  );
  assert.throws(() => memoryBound("it", varying), /memoryBytes\(\) is no constant/);
});

for (const name of ["oven", "meter", "press", "scale"])
  test(`${name}: the host's own reading of memoryBytes() is the same`, async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes", name));
    for (const part of ["loop", "link"] as const) {
      const module = new WebAssembly.Module(built[part].wasm as BufferSource);
      const host = Object.fromEntries(
        WebAssembly.Module.imports(module).map((i) => [i.name, () => 0]),
      );
      const { exports } = new WebAssembly.Instance(module, { host });
      const said = (exports["memoryBytes"] as () => number)();
      assert.equal(memoryBound(part, built[part].wasm), Math.ceil(said / 8) * 8);
    }
  });
