// SPDX-License-Identifier: MIT
// Release modules of the firmware with sources of a test laid over it.

import assert from "node:assert/strict";
import { hashTexts, putCached, takeCached } from "../../scripts/build/cache.ts";
import { compile } from "../../scripts/build/compile.ts";
import { createSourceTree, LOOP_ENTRY } from "../../scripts/build/sources.ts";
import { compilerVersion } from "../../scripts/build/version.ts";

/** The module whose entry, LOOP_ENTRY, is in the overlay; kept by the hash of all sources. */
export async function buildRelease(overlay: Record<string, string>): Promise<Uint8Array> {
  const tree = createSourceTree({ folder: undefined, overlay });
  const key = `test-${hashTexts([["asc", compilerVersion()], ...tree.texts()]).slice(0, 40)}`;
  const cached = takeCached(key);
  if (cached !== undefined) return cached;
  const compiled = await compile(tree, LOOP_ENTRY);
  assert.ok(compiled.ok, compiled.ok ? "" : compiled.errors.join("\n"));
  putCached(key, compiled.wasm);
  return compiled.wasm;
}
