// SPDX-License-Identifier: MIT
// A probe: small AssemblyScript entries around one stage, for tests.

import assert from "node:assert/strict";
import { compile } from "../../scripts/build/compile.ts";
import { createSourceTree } from "../../scripts/build/sources.ts";

const ENTRY = "node/probe.ts";

/** The exports of a module made from this source, which imports "../firmware/loop/...". */
export async function buildProbe(
  source: string,
): Promise<Record<string, (...values: number[]) => number>> {
  const tree = createSourceTree({ folder: undefined, overlay: { [ENTRY]: source } });
  const compiled = await compile(tree, ENTRY);
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(compiled.wasm as BufferSource),
  );
  return exports as Record<string, (...values: number[]) => number>;
}

/** Numbers 0..65535 by seed. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
