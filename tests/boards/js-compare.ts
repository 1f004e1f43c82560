// SPDX-License-Identifier: MIT
// A module as WebAssembly and as JavaScript side by side.
//
// Compared are results, host calls, and the whole memory after each call.

import { Script } from "node:vm";
import { createJsHost, type HostFunction, type JsHost } from "./js-host.ts";

type Exports = Record<string, (...operands: number[]) => number>;

interface Instance {
  exports: Exports;
  memory: () => Uint8Array;
  host: JsHost;
}

const LINES_KEPT = 4; // of the trace, before the difference

/** The first difference in `calls` rounds of the module's cyclic export, or null. */
export function compareModule(
  name: "loop" | "link",
  wasm: Uint8Array,
  code: string,
  { seed, calls }: { seed: number; calls: number },
): string | null {
  const both = [instantiate(wasm, seed), evaluate(name, code, seed)] as const;
  const cycle = name === "loop" ? "tick" : "poll";
  for (let i = 0; i <= calls; i++) {
    const [expected, found] = both.map((one) => outcome(one, i === 0 ? "init" : cycle));
    if (expected !== found) return `call ${i}: ${found} instead of ${expected}`;
    const different = differentTrace(both[0].host.trace, both[1].host.trace);
    if (different !== null) return `call ${i}: ${different}`;
    const [memory, made] = [both[0].memory(), both[1].memory()];
    for (let at = 0; at < made.length; at++)
      if (memory[at] !== made[at])
        return `call ${i}: octet ${at} is ${made[at]} instead of ${memory[at]}`;
    if (expected === "trap") return null;
    both.forEach(({ host }) => host.trace.splice(0));
  }
  return null;
}

function outcome({ exports }: Instance, name: string): string {
  try {
    return String(exports[name]!());
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || (error as Error).message === "trap")
      return "trap";
    return String((error as Error).stack);
  }
}

function differentTrace(expected: readonly string[], found: readonly string[]): string | null {
  const at = expected.findIndex((line, i) => found[i] !== line);
  if (at < 0 && expected.length === found.length) return null;
  const from = at < 0 ? expected.length : at;
  const before = expected.slice(Math.max(0, from - LINES_KEPT), from).join(" ");
  return `${found[from]} instead of ${expected[from]} after ${before}`;
}

/** The module as the engine runs it. */
function instantiate(wasm: Uint8Array, seed: number): Instance {
  const host = createJsHost(seed);
  const module = new WebAssembly.Module(wasm as BufferSource);
  const { exports } = new WebAssembly.Instance(module, { host: host.functions });
  host.memory = () => new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
  return { exports: exports as Exports, memory: host.memory, host };
}

/** The module as the factory `name` of `code` makes it. */
function evaluate(name: string, code: string, seed: number): Instance {
  const host = createJsHost(seed);
  const script = new Script(`${code}\n${name}`);
  const factory = script.runInThisContext() as (host: Record<string, HostFunction>) => object;
  const exports = factory(host.functions) as Exports & { memory: Uint8Array };
  host.memory = () => exports.memory;
  return { exports, memory: host.memory, host };
}
