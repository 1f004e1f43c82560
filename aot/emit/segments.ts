// SPDX-License-Identifier: MIT
// Segments of memory and table in C, and how a new instance is filled.

import type { DataSegment, ElementSegment } from "../ir.ts";
import { canonicalType } from "./types.ts";
import { type Shape, TRAP } from "./writer.ts";

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

/** The table and its segments. A slot holds the canonical type plus one, 0 when it is null. */
export function elementText(shape: Shape): string {
  const { module, names } = shape;
  if (module.table === null && module.elements.length === 0) return "";
  const { prefix } = names;
  const slots = Math.max(module.table?.initial ?? 0, 1);
  const lines = [
    `struct ${prefix}_slot { uint32_t type; void (*code)(void); };`,
    ...(module.table === null ? [] : [`static struct ${prefix}_slot ${prefix}_table[${slots}];`]),
  ];
  module.elements.forEach(({ place, functions }, i) => {
    const name = `${prefix}_element${i}`;
    const list = functions.map((index) => slotText(shape, index)).join(", ");
    const size = Math.max(functions.length, 1);
    lines.push(`static const struct ${prefix}_slot ${name}[${size}] = { ${list || "{ 0, 0 }"} };`);
    if (needsLength(shape, "element", place, i)) lines.push(`static uint32_t ${name}_length;`);
  });
  return lines.join("\n");
}

function slotText(shape: Shape, index: number | null): string {
  if (index === null) return "{ 0, 0 }";
  const { module, names } = shape;
  const func = module.imports[index] ?? module.functions[index - module.imports.length]!;
  const code = shape.live.has(index) ? `(void (*)(void))${names.functions[index]}` : "0";
  return `{ ${canonicalType(module.types, func.type) + 1}, ${code} }`;
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
  const { module, names, bytes, grows } = shape;
  const { prefix, memory } = names;
  const lines: string[] = [];
  if (module.memory !== null) {
    if (grows) lines.push(`${memory}_pages = ${module.memory.pages};`);
    lines.push(`memset(${memory}, 0, ${bytes});`);
  }
  if (module.table !== null) lines.push(`memset(${prefix}_table, 0, sizeof(${prefix}_table));`);
  module.elements.forEach((segment, i) => lines.push(...elementLines(shape, segment, i)));
  module.data.forEach((segment, i) => lines.push(...dataLines(shape, segment, i)));
  return lines;
}

function elementLines(shape: Shape, { place, functions }: ElementSegment, i: number): string[] {
  const { prefix } = shape.names;
  const name = `${prefix}_element${i}`;
  const length = needsLength(shape, "element", place, i);
  if (typeof place === "string") {
    const count = place === "passive" ? functions.length : 0;
    return length ? [`${name}_length = ${count};`] : [];
  }
  const at = placeText(shape, place);
  const slots = shape.module.table?.initial ?? 0;
  return [
    `if (RARE((uint64_t)${at} + ${functions.length}u > ${slots}u))`,
    `  ${prefix}_trap(${TRAP.table}, ~0u, 0);`,
    ...(functions.length > 0
      ? [`memcpy(${prefix}_table + ${at}, ${name}, ${functions.length} * sizeof(${name}[0]));`]
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
  const size = shape.grows ? `${memory}_bytes` : `${shape.bytes}u`;
  return [
    `if (RARE((uint64_t)${at} + ${bytes.length}u > ${size}))`,
    `  ${prefix}_trap(${TRAP.memory}, ~0u, 0);`,
    ...(bytes.length > 0 ? [`memcpy(${memory} + ${at}, ${name}, ${bytes.length});`] : []),
    ...(length ? [`${name}_length = 0;`] : []),
  ];
}

function placeText(shape: Shape, place: { at: number } | { global: number }): string {
  return "at" in place ? `${place.at}u` : shape.names.globals[place.global]!;
}
