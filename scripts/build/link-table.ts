// SPDX-License-Identifier: MIT
// Constants and tables of octets as AssemblyScript, laid out as prettier has it.
//
// For firmware/generated/link.ts. Little-endian; a table of rows says how it is aligned.

const COLUMNS_MAX = 100;
const ROW_ALIGN = 2; // fields of u16

/** Two octets, the low one first. */
export function u16(value: number): number[] {
  if (value > 0xffff) throw new Error("the tables of a node exceed 64 KiB");
  return [value & 0xff, value >> 8];
}

export function constant(name: string, value: number): string {
  return `export const ${name}: i32 = ${value};`;
}

/** Rows of fields: aligned, so that a board without unaligned loads can read them. */
export function rows(name: string, bytes: number[], align = ROW_ALIGN): string {
  const oneLine = `${tableStart(name)}[${bytes.join(", ")}], ${align});`;
  if (oneLine.length <= COLUMNS_MAX) return oneLine;
  const inner = `  [${bytes.join(", ")}],`;
  const lines = inner.length <= COLUMNS_MAX ? [inner] : ["  [", ...fill(bytes, "    "), "  ],"];
  return [tableStart(name), ...lines, `  ${align},`, ");"].join("\n");
}

/** Octets, as prettier lays them out: on one line if they fit, else filled lines. */
export function octets(name: string, bytes: number[]): string {
  const oneLine = `${tableStart(name)}[${bytes.join(", ")}]);`;
  if (oneLine.length <= COLUMNS_MAX) return oneLine;
  return [`${tableStart(name)}[`, ...fill(bytes, "  "), "]);"].join("\n");
}

function tableStart(name: string): string {
  return `export const ${name}: usize = memory.data<u8>(`;
}

function fill(bytes: number[], indent: string): string[] {
  const lines = [indent];
  for (const byte of bytes) {
    const line = lines.at(-1) as string;
    const item = line === indent ? `${byte},` : ` ${byte},`;
    if (line.length + item.length <= COLUMNS_MAX) lines[lines.length - 1] = line + item;
    else lines.push(`${indent}${byte},`);
  }
  return lines;
}
