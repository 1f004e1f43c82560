// SPDX-License-Identifier: MIT
// What a bundle's known run must give: the same run in WebAssembly, at build time.
//
// The code that makes the run is the bundle's own (shim/start.js), so nothing is written down twice.

import { createContext, runInContext } from "node:vm";
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
    const bytes = (exports["memoryBytes"] as HostFunction)();
    const length = Math.ceil(bytes / MEMORY_STEP) * MEMORY_STEP;
    return { ...exports, memory: new Uint8Array(buffer, 0, length) };
  };
}

/** Digests of the known run of both modules. */
export function knownAnswers(
  plan: ShimPlan,
  wasm: { loop: Uint8Array; link: Uint8Array },
): KnownAnswers {
  const loop = wasmFactory(wasm.loop);
  const link = wasmFactory(wasm.link);
  const context = createContext({ loop, link });
  const [loopAnswer, linkAnswer] = runInContext(composeAnswers(plan), context) as number[];
  return { loop: loopAnswer!, link: linkAnswer! };
}
