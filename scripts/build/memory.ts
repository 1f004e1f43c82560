// SPDX-License-Identifier: MIT
// How many octets of memory a module can ever use, from the module itself.
//
// SPEC.md §1.1: memoryBytes() is a constant, the end of static data. Data alone is what a module uses unless it
// allocates, and the runtime that can allocate contains memory.grow: such a module is refused by name. An address
// that is computed wrongly traps on a board, where the memory ends there; V8 gives it the rest of a page of 64 KiB.

import { reachable, rootsOf } from "../../aot/calls.ts";
import { decodeModule } from "../../aot/decode/index.ts";
import { type Module, PAGE_BYTES } from "../../aot/ir.ts";
import { eachStatement } from "../../aot/walk.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";

const EXPORT = "memoryBytes";
const ALIGN = 8;

/** Octets of memory that a module needs. Throws Failure. */
export function memoryBound(name: string, wasm: Uint8Array): number {
  const module = decodeModule(wasm);
  if (allocates(module))
    throw new Failure(
      EXIT_FAILED,
      `${name} allocates memory while it runs, so nothing says how much a board must keep for it`,
      "take `new`, array literals and strings out of loop.ts: what lasts is made once, as by pid()",
    );
  const bytes = constantOf(module);
  if (bytes === undefined)
    throw new Failure(
      EXIT_FAILED,
      `${name} does not say how much memory it needs: ${EXPORT}() is no constant`,
      "take the function of that name out",
    );
  return Math.ceil(bytes / ALIGN) * ALIGN;
}

function allocates(module: Module): boolean {
  const live = reachable(module, rootsOf(module));
  return module.functions.some(({ index, body }) => {
    let grows = false;
    if (live.has(index)) eachStatement(body, ({ kind }) => (grows ||= kind === "grow"));
    return grows;
  });
}

// The whole body is `return N`. A module without the function has all of its pages.
function constantOf({ exports, functions, imports, memory }: Module): number | undefined {
  const found = exports.find(({ name, kind }) => name === EXPORT && kind === "function");
  if (found === undefined) return (memory?.pages ?? 0) * PAGE_BYTES;
  const body = functions[found.index - imports.length]?.body;
  const [only] = body ?? [];
  if (body?.length !== 1 || only?.kind !== "return") return undefined;
  const [value] = only.values;
  return value?.kind === "const" && value.type === "i32" ? Number(value.value) : undefined;
}
