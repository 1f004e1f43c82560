// SPDX-License-Identifier: MIT
// Linear memory in C: its octets, its size, and how it grows.
//
// The size is a literal where nobody can change it, else a variable, which other modules have under the same
// name when memory is shared. An imported memory is checked when an instance is made: what the module declares
// is there, and the analysis relies on it.

import { PAGE_BYTES } from "../ir.ts";
import { memoryBytes, type Shape, TRAP } from "./writer.ts";

const SIZE_STRUCT = `#ifndef WASM_MEMORY_SIZE
#define WASM_MEMORY_SIZE
struct wasm_memory_size { uint32_t bytes, pages, pages_max; };
#endif`;

/** Lines of the header. */
export function memoryHeader({ module, names, bytes, shared, grows }: Shape): string[] {
  if (module.memory === null) return [];
  const { memory, prefix } = names;
  const imported = module.memory.imported !== undefined;
  const exported = module.exports.some(({ kind }) => kind === "memory");
  return [
    ...(shared.memory || grows ? [SIZE_STRUCT] : []),
    `extern uint8_t ${memory}[${imported ? "" : Math.max(bytes, 1)}];`,
    ...(shared.memory ? [`extern struct wasm_memory_size ${memory}_size;`] : []),
    ...(imported && exported
      ? [`#define ${prefix}_memory ${memory}`, `#define ${prefix}_memory_size ${memory}_size`]
      : []),
  ];
}

/** Definitions. */
export function memoryText({ module, names, bytes, grows, shared }: Shape): string {
  if (module.memory === null) return "";
  const { memory, prefix } = names;
  const lines: string[] = [];
  if (module.memory.imported === undefined) {
    lines.push(`uint8_t ${memory}[${Math.max(bytes, 1)}] __attribute__((used, aligned(16)));`);
    const linkage = shared.memory ? "" : "static ";
    if (shared.memory || grows) lines.push(`${linkage}struct wasm_memory_size ${memory}_size;`);
  }
  if (grows)
    lines.push(`static inline uint32_t ${prefix}_grow(uint32_t delta) {
  const uint32_t before = ${memory}_size.pages;
  if (delta > ${memory}_size.pages_max - before) return ~0u;
  if (delta == 0) return before;
  ${memory}_size.pages = before + delta;
  ${memory}_size.bytes = (before + delta) << 16;
  return before;
}`);
  return lines.join("\n");
}

/** Statements that make memory new, or see that an imported one is as large as declared. */
export function memoryInit(shape: Shape): string[] {
  const { module, names, bytes, grows, shared } = shape;
  if (module.memory === null) return [];
  const { memory, prefix } = names;
  const { pages, pagesMax, imported } = module.memory;
  if (imported !== undefined)
    return [
      `if (RARE(${memoryBytes(shape)} < ${bytes}u))`,
      `  ${prefix}_trap(${TRAP.memory}, ~0u, 0);`,
    ];
  const most = Math.max(pages, Math.min(Math.floor(bytes / PAGE_BYTES), pagesMax));
  const size = `{ ${grows ? pages * PAGE_BYTES : bytes}u, ${pages}u, ${most}u }`;
  return [
    ...(shared.memory || grows ? [`${memory}_size = (struct wasm_memory_size)${size};`] : []),
    `memset(${memory}, 0, ${bytes});`,
  ];
}
