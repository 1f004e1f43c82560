// SPDX-License-Identifier: MIT
// What a bundle's known run must give: the same run in WebAssembly, at build time.
//
// The code that makes the run is the bundle's own (shim/start.js), so nothing is written down twice.

import { createContext, runInContext } from "node:vm";
import { createWatch, type Watch } from "./align.ts";
import { composeAnswers, type KnownAnswers, type ShimPlan } from "./compose.ts";

type HostFunction = (...values: number[]) => number;

/** What a factory makes of host functions: the exports of a module and its memory. */
export type Factory = (host: Record<string, HostFunction>) => Record<string, unknown>;

const MEMORY_STEP = 16; // of a packed module's memory

/** A WebAssembly module in the shape of a packed one; its memory is as large as the module says. */
export function wasmFactory(wasm: Uint8Array): Factory {
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  return (host) => {
    const { exports } = new WebAssembly.Instance(module, { host });
    const { buffer } = exports["memory"] as WebAssembly.Memory;
    return { ...exports, memory: new Uint8Array(buffer, 0, memoryEnd(exports)) };
  };
}

export interface WatchedFactory {
  factory: Factory;
  accesses(): number; // of all its instances
  problems(): string[]; // "loop stores 4 octets at 1026, no multiple of 4"
}

/** The same of an instrumented module (align.ts), which tells what JavaScript would get wrong. */
export function watchedFactory(name: string, instrumented: Uint8Array): WatchedFactory {
  const module = new WebAssembly.Module(instrumented as Uint8Array<ArrayBuffer>);
  const made: { watch: Watch; memory: WebAssembly.Memory }[] = [];
  return {
    factory(host) {
      let end = Infinity; // until the module can be asked
      const watch = createWatch(() => end);
      const { exports } = new WebAssembly.Instance(module, { host, ...watch.imports });
      const memory = exports["memory"] as WebAssembly.Memory;
      end = memoryEnd(exports);
      made.push({ watch, memory });
      return { ...exports, memory: new Uint8Array(memory.buffer, 0, end) };
    },
    accesses: () => made.reduce((sum, { watch }) => sum + watch.accesses(), 0),
    problems() {
      const found = made.flatMap(({ watch, memory }) => watch.problems(memory));
      return [...new Set(found)].map((problem) => `${name} ${problem}`);
    },
  };
}

// A packed module's memory ends here.
function memoryEnd(exports: WebAssembly.Exports): number {
  const bytes = (exports["memoryBytes"] as HostFunction)();
  return Math.ceil(bytes / MEMORY_STEP) * MEMORY_STEP;
}

/** Digests of the known run of both modules. */
export function knownAnswers(
  plan: ShimPlan,
  factories: { loop: Factory; link: Factory },
): KnownAnswers {
  const context = createContext({ ...factories });
  const [loop, link] = runInContext(composeAnswers(plan), context) as number[];
  return { loop: loop!, link: link! };
}
