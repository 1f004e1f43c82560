// SPDX-License-Identifier: MIT
// What an instance of a module says of itself without a host.

/** What an export without parameters gives that computes nothing: `counters`, `memoryBytes` of SPEC.md §1.2. */
export function constantExport(wasm: Uint8Array, name: "counters" | "memoryBytes"): number {
  const module = new WebAssembly.Module(wasm as BufferSource);
  const host: Record<string, () => number> = {};
  for (const one of WebAssembly.Module.imports(module)) host[one.name] = () => 0;
  const { exports } = new WebAssembly.Instance(module, { host });
  return (exports[name] as () => number)();
}
