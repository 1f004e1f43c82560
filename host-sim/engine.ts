// SPDX-License-Identifier: MIT
// Runs one module of a node as WebAssembly: import tables, memory checks, traps.
//
// Spec: SPEC.md §1.1, §1.2. A module that imports anything outside its table is refused by name.
// A pointer and length from the module are checked against its memory: a bad one is a trap of that
// module, never an error of the simulator. Views are renewed when the memory has grown.

export type ModuleName = "loop" | "link";

/** What each module may import from `host`, and nothing else. */
export const HOST_IMPORTS: Record<ModuleName, readonly string[]> = {
  loop: [
    "now_us",
    "adc_read",
    "pwm_write",
    "tap_take",
    "tap_put",
    "edge_take",
    "edge_unit_ps",
    "tap_open",
    "ring_put",
    "digital_read",
    "digital_write",
    "pulse_count",
    "burst_take",
    "mailbox_take",
  ],
  link: [
    "now_us",
    "ring_take",
    "datagram_put",
    "datagram_take",
    "flash_read",
    "flash_erase",
    "flash_program",
    "entropy",
    "info",
    "mailbox_put",
  ],
};

const EXPORTS: Record<ModuleName, readonly string[]> = {
  loop: ["memory", "init", "tick"],
  link: ["memory", "init", "poll", "counters", "waiting", "memoryBytes"],
};

const PAGE_BYTES = 65_536;

/** The module did what a host must not allow; unwinds the module like any other trap. */
export class HostTrap extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "HostTrap";
  }
}

/** The module cannot be run at all: it lacks an export or wants an import outside its table. */
export class ModuleError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "ModuleError";
  }
}

/** The linear memory of one instance, as host functions see it. */
export interface ModuleMemory {
  /** All octets, valid until the module runs on. */
  octets(): Uint8Array;
  /** Checks an area and returns its offset; throws HostTrap when it is not inside. */
  reach(address: number, length: number): number;
  /** Makes octets up to `end`, where the module itself has no use for them. */
  extend(end: number): void;
  attach(memory: MemorySource): void;
}

/** Where the octets of an instance are. */
export interface MemorySource {
  readonly buffer: ArrayBuffer;
  /** Makes it larger by pages; a memory of another engine has a page to spare from the start. */
  grow(pages: number): unknown;
}

/** A module that another engine runs; its errors are HostTrap where they are the module's. */
export interface ForeignModule {
  instantiate(functions: HostFunctions, memory: ModuleMemory): ModuleExports;
}

export type CompiledModule = WebAssembly.Module | ForeignModule;

export type HostFunctions = Record<string, (...values: number[]) => number>;
export type ModuleExports = Record<string, (...values: number[]) => number>;

/** Compiles a module after checking its imports and exports; throws ModuleError. */
export function compileModule(name: ModuleName, wasm: Uint8Array): WebAssembly.Module {
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  for (const wanted of WebAssembly.Module.imports(module)) {
    const allowed = wanted.module === "host" && HOST_IMPORTS[name].includes(wanted.name);
    if (!allowed || wanted.kind !== "function") {
      throw new ModuleError(`${name} imports ${wanted.module}.${wanted.name}, outside its table`);
    }
  }
  const exported = WebAssembly.Module.exports(module).map((e) => e.name);
  for (const needed of EXPORTS[name]) {
    if (!exported.includes(needed)) throw new ModuleError(`${name} does not export ${needed}`);
  }
  return module;
}

export type Compile = (name: ModuleName, wasm: Uint8Array) => CompiledModule;

/** Compiles the same octets once: nodes of one image share a module, and with it its machine code. */
export function createCompiler(): typeof compileModule {
  const compiled = {
    loop: new WeakMap<Uint8Array, WebAssembly.Module>(),
    link: new WeakMap<Uint8Array, WebAssembly.Module>(),
  };
  return (name, wasm) => {
    const module = compiled[name].get(wasm) ?? compileModule(name, wasm);
    compiled[name].set(wasm, module);
    return module;
  };
}

/** A memory without an instance: everything is out of reach until attach(). */
export function createModuleMemory(): ModuleMemory {
  let memory: MemorySource | undefined;
  let view = new Uint8Array(0);

  // Growing detaches the view; to ask the memory for its buffer each time would cost more than the copy.
  function octets(): Uint8Array {
    if (view.length === 0 && memory !== undefined) view = new Uint8Array(memory.buffer);
    return view;
  }

  return {
    octets,
    reach(address, length) {
      const offset = address >>> 0;
      if (offset + (length >>> 0) > octets().length) {
        throw new HostTrap(`address ${offset}, length ${length} outside memory`);
      }
      return offset;
    },
    extend(end) {
      const missing = end - octets().length;
      if (missing > 0) memory?.grow(Math.ceil(missing / PAGE_BYTES));
    },
    attach(attached) {
      memory = attached;
      view = new Uint8Array(memory.buffer);
    },
  };
}

/** Makes an instance; `init` is not called yet. A trap of its start function is thrown. */
export function instantiate(
  module: CompiledModule,
  functions: HostFunctions,
  memory: ModuleMemory,
): ModuleExports {
  if (!(module instanceof WebAssembly.Module)) return module.instantiate(functions, memory);
  const instance = new WebAssembly.Instance(module, { host: functions });
  memory.attach(instance.exports["memory"] as WebAssembly.Memory);
  return instance.exports as unknown as ModuleExports;
}

/** Whether what a call into a module threw is a trap of the module, the stack's end included. */
export function isTrap(error: unknown): error is Error {
  if (error instanceof WebAssembly.RuntimeError || error instanceof HostTrap) return true;
  return error instanceof RangeError && error.message.includes("call stack");
}
