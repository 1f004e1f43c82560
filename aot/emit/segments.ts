// SPDX-License-Identifier: MIT
// Segments of memory and table in C, and how a new instance is filled.

import type { DataSegment, ElementSegment } from "../ir.ts";
import { memoryInit } from "./memory.ts";
import { typeInSlot, typeVariable } from "./types.ts";
import { memoryBytes, type Shape, tableSlots, TRAP } from "./writer.ts";

const PER_LINE = 20;

/** Constants of the data segments; passive ones have a length that data.drop sets to 0. */
export function dataText(shape: Shape): string {
  const { module, names } = shape;
  return module.data
    .map(({ place, bytes }, i) => {
      const name = `${names.prefix}_data${i}`;
      const list: string[] = [];
      for (let at = 0; at < bytes.length; at += PER_LINE)
        list.push(`  ${[...bytes.subarray(at, at + PER_LINE)].join(",")},`);
      const octets = list.join("\n") || "  0";
      const size = Math.max(bytes.length, 1);
      const text = `static const uint8_t ${name}[${size}] = {\n${octets}\n};`;
      return needsLength(shape, "data", place, i)
        ? `${text}\nstatic uint32_t ${name}_length;`
        : text;
    })
    .join("\n");
}

/** The table and its segments. A slot holds its type, 0 when it is null. */
export function elementText(shape: Shape): string {
  const { module, names, shared } = shape;
  if (module.table === null && module.elements.length === 0) return "";
  const { prefix } = names;
  const slot = slotType(shape);
  const lines = shared.table
    ? module.types.map((type) => `__attribute__((weak)) const uint8_t ${typeVariable(type)} = 0;`)
    : [`${slot} { uint32_t type; void (*code)(void); };`];
  if (module.table !== null && module.table.imported === undefined) {
    const { initial } = module.table;
    lines.push(`${shared.table ? "" : "static "}${slot} ${names.table}[${Math.max(initial, 1)}];`);
    if (shared.table) lines.push(`const uint32_t ${names.table}_size = ${initial};`);
  }
  module.elements.forEach(({ place, functions }, i) => {
    const name = `${prefix}_element${i}`;
    const list = functions.map((index) => slotText(shape, index)).join(", ");
    const size = Math.max(functions.length, 1);
    lines.push(`static const ${slot} ${name}[${size}] = { ${list || "{ 0, 0 }"} };`);
    if (needsLength(shape, "element", place, i)) lines.push(`static uint32_t ${name}_length;`);
  });
  return [...new Set(lines)].join("\n");
}

function slotType({ shared, names }: Shape): string {
  return `struct ${shared.table ? "wasm" : names.prefix}_slot`;
}

const SLOT_STRUCT = `#ifndef WASM_SLOT
#define WASM_SLOT
struct wasm_slot { const uint8_t *type; void (*code)(void); };
#endif`;

/** Lines of the header for a table that modules share. */
export function tableHeader(
  { module, names, shared }: Shape,
  exported: readonly string[],
): string[] {
  if (!shared.table) return [];
  const { table } = names;
  const others = exported.filter(
    (name, i) => module.exports[i]!.kind === "table" && name !== table,
  );
  return [
    SLOT_STRUCT,
    ...new Set(module.types.map((type) => `extern const uint8_t ${typeVariable(type)};`)),
    `extern struct wasm_slot ${table}[];`,
    `extern const uint32_t ${table}_size;`,
    ...others.flatMap((name) => [`#define ${name} ${table}`, `#define ${name}_size ${table}_size`]),
  ];
}

function slotText(shape: Shape, index: number | null): string {
  if (index === null) return "{ 0, 0 }";
  const { module, names } = shape;
  const func = module.imports[index] ?? module.functions[index - module.imports.length]!;
  const code = shape.live.has(index) ? `(void (*)(void))${names.functions[index]}` : "0";
  return `{ ${typeInSlot(shape, func.type)}, ${code} }`;
}

// init and drop name a segment by its number; the others are never asked for.
function needsLength(
  shape: Shape,
  kind: "data" | "element",
  place: DataSegment["place"],
  index: number,
): boolean {
  return place === "passive" || shape.segmentsUsed.has(`${kind}${index}`);
}

/** Statements that fill memory and table: what is active, in the order of the module. */
export function initLines(shape: Shape): string[] {
  const { module } = shape;
  const lines = [...memoryInit(shape), ...tableInit(shape)];
  module.elements.forEach((segment, i) => lines.push(...elementLines(shape, segment, i)));
  module.data.forEach((segment, i) => lines.push(...dataLines(shape, segment, i)));
  return lines;
}

// An imported table has as many slots as are declared, or no instance is made.
function tableInit({ module, names }: Shape): string[] {
  if (module.table === null) return [];
  const { table, prefix } = names;
  const { initial, imported } = module.table;
  if (imported === undefined) return [`memset(${table}, 0, sizeof(${table}));`];
  return [`if (RARE(${table}_size < ${initial}u))`, `  ${prefix}_trap(${TRAP.table}, ~0u, 0);`];
}

function elementLines(shape: Shape, { place, functions }: ElementSegment, i: number): string[] {
  const { prefix, table } = shape.names;
  const name = `${prefix}_element${i}`;
  const length = needsLength(shape, "element", place, i);
  if (typeof place === "string") {
    const count = place === "passive" ? functions.length : 0;
    return length ? [`${name}_length = ${count};`] : [];
  }
  const at = placeText(shape, place);
  return [
    `if (RARE((uint64_t)${at} + ${functions.length}u > ${tableSlots(shape)}))`,
    `  ${prefix}_trap(${TRAP.table}, ~0u, 0);`,
    ...(functions.length > 0
      ? [`memcpy(${table} + ${at}, ${name}, ${functions.length} * sizeof(${name}[0]));`]
      : []),
    ...(length ? [`${name}_length = 0;`] : []),
  ];
}

function dataLines(shape: Shape, { place, bytes }: DataSegment, i: number): string[] {
  const { prefix, memory } = shape.names;
  const name = `${prefix}_data${i}`;
  const length = needsLength(shape, "data", place, i);
  if (typeof place === "string") return length ? [`${name}_length = ${bytes.length};`] : [];
  const at = placeText(shape, place);
  return [
    `if (RARE((uint64_t)${at} + ${bytes.length}u > ${memoryBytes(shape)}))`,
    `  ${prefix}_trap(${TRAP.memory}, ~0u, 0);`,
    ...(bytes.length > 0 ? [`memcpy(${memory} + ${at}, ${name}, ${bytes.length});`] : []),
    ...(length ? [`${name}_length = 0;`] : []),
  ];
}

function placeText(shape: Shape, place: { at: number } | { global: number }): string {
  return "at" in place ? `${place.at}u` : shape.names.globals[place.global]!;
}
