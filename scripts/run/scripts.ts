// SPDX-License-Identifier: MIT
// Nodes whose modules run as JavaScript, in Node itself or in duktape.
//
// The same factories as in the bundle of a board, under the host functions of the simulator. Their memory has a page to
// spare: who accounts for a power cut puts a list behind the module's own. A trap says what WebAssembly says, so that
// traces are the same.

import { createHash } from "node:crypto";
import { runInThisContext } from "node:vm";
import {
  type Compile,
  compileModule,
  type ForeignModule,
  type HostFunctions,
  HostTrap,
  type ModuleExports,
  type ModuleName,
} from "../../host-sim/engine.ts";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { packCached } from "../build/js-pack.ts";
import { constantExport } from "../build/wasm-facts.ts";
import type { Engine } from "../cli/engine.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { installLine, isInstalled } from "./debian.ts";
import { startDuktape } from "./duktape.ts";

/** A module as the text of its factory. */
export interface Script {
  name: ModuleName;
  hash: string; // SHA-256 of the module
  code: string;
  memoryBytes: number;
}

/** Makes the instances of a module in an engine. */
export interface ScriptEngine {
  load(script: Script, index: number): ForeignModule;
  close(): void;
}

const MEMORY_STEP = 16;
const SPARE_BYTES = 65_536;
const TRAP = "unreachable"; // as V8 calls it

/** The modules of a plan as scripts, each once; none for other engines. Throws Failure. */
export function packScripts(plan: PlantPlan, engine: Engine | undefined): Script[] {
  if (engine !== "js" && engine !== "duktape") return [];
  if (engine === "duktape" && !isInstalled("duk"))
    throw new Failure(EXIT_FAILED, "duktape is not installed", installLine(["duktape"]));
  const scripts = new Map<string, Script>();
  for (const { loopWasm, linkWasm } of plan.nodes)
    for (const [name, wasm] of [["loop", loopWasm] as const, ["link", linkWasm] as const]) {
      const hash = hashOf(wasm);
      if (wasm.length > 0 && !scripts.has(hash))
        scripts.set(hash, { name, hash, ...roomy(packCached(name, wasm), wasm) });
    }
  return [...scripts.values()];
}

/** What compiles modules for a simulation, undefined for other engines; close() ends the engine. */
export function startScripts(
  scripts: Script[],
  engine: Engine | undefined,
): { compile: Compile; close(): void } | undefined {
  if (engine !== "js" && engine !== "duktape") return undefined;
  const started = engine === "js" ? inNode() : startDuktape(scripts);
  const loaded = new Map<string, ForeignModule>();
  return {
    compile(name, wasm) {
      compileModule(name, wasm); // its tables hold here as well
      const hash = hashOf(wasm);
      const index = scripts.findIndex((script) => script.hash === hash);
      const module = loaded.get(hash) ?? started.load(scripts[index]!, index);
      loaded.set(hash, module);
      return module;
    },
    close: () => started.close(),
  };
}

function hashOf(wasm: Uint8Array): string {
  return createHash("sha256").update(wasm).digest("hex");
}

function roomy(code: string, wasm: Uint8Array): Pick<Script, "code" | "memoryBytes"> {
  const bytes = Math.ceil(constantExport(wasm, "memoryBytes") / MEMORY_STEP) * MEMORY_STEP;
  const memoryBytes = bytes + SPARE_BYTES;
  const pieces = code.split(`new ArrayBuffer(${bytes})`);
  if (pieces.length !== 2) throw new Error(`a factory without its memory of ${bytes} octets`);
  return { code: pieces.join(`new ArrayBuffer(${memoryBytes})`), memoryBytes };
}

function inNode(): ScriptEngine {
  return {
    load({ name, code }) {
      type Factory = (host: HostFunctions) => ModuleExports & { memory: Uint8Array<ArrayBuffer> };
      const factory = runInThisContext(`(function () {\n${code}\nreturn ${name};\n})()`) as Factory;
      return {
        instantiate(functions, memory) {
          const { memory: octets, ...exports } = factory(functions);
          memory.attach({ buffer: octets.buffer, grow: noMore });
          return Object.fromEntries(
            Object.entries(exports).map(([key, action]) => [key, trapping(action!)]),
          );
        },
      };
    },
    close: () => undefined,
  };
}

/** The list of a power cut is longer than the spare page: 16,384 readings. */
export function noMore(): never {
  throw new RangeError("a module's memory has no more room");
}

/** What a packed module throws as a trap; anything else as it is. */
export function asTrap(error: unknown): unknown {
  return error instanceof Error && error.message === "trap" ? new HostTrap(TRAP) : error;
}

function trapping(action: (a: number, b: number) => number): (...values: number[]) => number {
  return (a = 0, b = 0) => {
    try {
      return action(a, b);
    } catch (error) {
      throw asTrap(error);
    }
  };
}
