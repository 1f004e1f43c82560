// SPDX-License-Identifier: MIT
// binaryen's wasm-opt within this process, compiled once however often it runs.
//
// As a process of its own each run would compile its 10 MB again: most of the time that a random module takes.

import { constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { PROJECT } from "../support/ferrule.ts";

const FILE = join(PROJECT, "node_modules/binaryen/bin/wasm-opt");

export type WasmOpt = (args: readonly string[]) => Promise<void>;

/** Reads the program. What it gives runs it once, and throws with what it said when it fails. */
export function loadWasmOpt(): WasmOpt {
  const script = new Script(readFileSync(FILE, "utf8").replace(/^#!.*/, ""), { filename: FILE });
  let compiled: WebAssembly.Module | undefined;
  return async (args) => {
    const said: string[] = [];
    const ready = compiled;
    const context = contextOf(said, async (bytes, imports) => {
      compiled = new WebAssembly.Module(bytes);
      return { instance: new WebAssembly.Instance(compiled, imports) };
    });
    context["Module"] = {
      arguments: [...args],
      ...(ready !== undefined && {
        instantiateWasm: (imports: WebAssembly.Imports, then: (made: unknown) => void) =>
          then(new WebAssembly.Instance(ready, imports)),
      }),
    };
    await script.runInNewContext(context); // its last statement is a promise of the end
    if (context["EXITSTATUS"] !== 0) throw new Error(`wasm-opt: ${said.join("\n")}`);
  };
}

type Instantiate = (bytes: BufferSource, imports: WebAssembly.Imports) => Promise<unknown>;

// What Emscripten's loader asks of Node.
function contextOf(said: string[], instantiate: Instantiate): Record<string, unknown> {
  const { versions, platform, cwd, env } = process;
  const binding = (): unknown => ({ fs: constants });
  const talk = (text: string): void => void said.push(text);
  return {
    require: createRequire(FILE),
    __filename: FILE,
    __dirname: dirname(FILE),
    process: { versions, platform, cwd, env, binding, argv: [] },
    console: { log: talk, error: talk, warn: talk },
    WebAssembly: { RuntimeError: WebAssembly.RuntimeError, instantiate },
  };
}
