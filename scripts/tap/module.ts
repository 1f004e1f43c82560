// SPDX-License-Identifier: MIT
// Modules of the commands: a decoder, a node that finds its line.
//
// Compiled once for each state of the sources, then from the cache; in a thread where a signal may end it.

import { hashTexts, putCached, takeCached } from "../build/cache.ts";
import { work, type Compiled, type CompileInput } from "../build/compile.ts";
import { createSourceTree } from "../build/sources.ts";
import { compilerVersion } from "../build/version.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { runApart } from "../run/apart.ts";

export interface ModuleBuild {
  signal?: AbortSignal; // ends the compiler, which then runs in a thread
  compiling?: (what: string) => void; // called when it is not in the cache
}

/** `kind` names it in the cache, `what` while it is compiled. Throws Failure. */
export async function buildOwnModule(
  kind: string,
  what: string,
  input: CompileInput,
  { signal, compiling }: ModuleBuild,
): Promise<WebAssembly.Module> {
  const texts = createSourceTree(input.parts).texts();
  const key = `${kind}-${hashTexts([["asc", compilerVersion()], ...texts]).slice(0, 40)}`;
  let wasm = takeCached(key);
  if (wasm === undefined) {
    compiling?.(what);
    const module = new URL("../build/compile.ts", import.meta.url).href;
    const compiled =
      signal === undefined
        ? await work(input)
        : await runApart<CompileInput, Compiled>(module, input, { signal });
    if (!compiled.ok)
      throw new Failure(
        EXIT_FAILED,
        compiled.errors.join("\n"),
        "this is not your code: report it",
      );
    putCached(key, (wasm = compiled.wasm));
  }
  return new WebAssembly.Module(wasm as BufferSource);
}
