// SPDX-License-Identifier: MIT
// What an image takes of flash and SRAM, by part, and what its budget says.
//
// DESIGN D10. Flash is counted to the last octet, SRAM as it is after start-up: the image, cleared memory, what lies
// between them for alignment, stacks. Code is told apart by the linker's map.

import type { Budget } from "./budget.ts";
import { readSections, readSymbols } from "./elf.ts";

export interface SizeRow {
  part: string;
  flashBytes: number;
  sramBytes: number;
}

export interface Sizes {
  rows: SizeRow[];
  flashBytes: number;
  sramBytes: number;
  budget: Budget;
  kept: boolean;
}

const STACK_BYTES = 8192; // SRAM4 and SRAM5, whole: handlers, link, the crash record
const MAP_LINE = /^ \.\S+\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (.+)$/gm; // a part of a section, its size and object
const OBJECTS: readonly [part: string, object: RegExp][] = [
  ["code of loop", /^loop\.o$/],
  ["code of link", /^link\.o$/],
  ["code of libgcc", /libgcc\.a\(/],
];

/** Sizes of an image of a board with an RP2040, from its ELF file and the linker's map. Throws ElfError. */
export function imageSizes(elf: Uint8Array, map: string, budget: Budget): Sizes {
  const sections = new Map(readSections(elf).map((section) => [section.name, section]));
  const symbols = new Map(readSymbols(elf).map(({ name, size }) => [name, size]));
  const size = (name: string): number => sections.get(name)?.size ?? 0;
  const memory = (name: string): number => symbols.get(`${name}_memory`) ?? 0;
  const image = sections.get(".image");
  const gap = (sections.get(".bss")?.address ?? 0) - (image?.address ?? 0) - size(".image");
  const row = (part: string, flashBytes: number, sramBytes: number): SizeRow => ({
    part,
    flashBytes,
    sramBytes,
  });
  const code = codeByObject(map);
  const others = size(".image") - code.reduce((sum, [, bytes]) => sum + bytes, 0);
  const rows = [
    row("second stage", size(".boot2"), 0),
    row("start-up", size(".flash"), 0),
    ...code.map(([part, bytes]) => row(part, bytes, bytes)),
    row("code of the host", others, others),
    row("memory of loop", 0, memory("loop")),
    row("memory of link", 0, memory("link")),
    row("memory of the host", 0, size(".bss") + gap - memory("loop") - memory("link")),
    row("stacks", 0, STACK_BYTES),
  ];
  const sum = (key: "flashBytes" | "sramBytes"): number =>
    rows.reduce((total, of) => total + of[key], 0);
  const [flashBytes, sramBytes] = [sum("flashBytes"), sum("sramBytes")];
  const kept = flashBytes <= budget.flashBytes && sramBytes <= budget.sramBytes;
  return { rows, flashBytes, sramBytes, budget, kept };
}

// Within .image: code and what it reads. A name too long for its column has the rest on the next line.
function codeByObject(map: string): [string, number][] {
  const start = map.indexOf("\n.image ");
  const part = map
    .slice(start, map.indexOf("\n.bss ", start))
    .replaceAll(/^( \.\S+)\n +0x/gm, "$1 0x");
  const found = [...part.matchAll(MAP_LINE)].map(([, hex, object]) => ({
    bytes: parseInt(hex!, 16),
    object: object!,
  }));
  return OBJECTS.map(([name, pattern]) => [
    name,
    found.reduce((sum, { object, bytes }) => sum + (pattern.test(object) ? bytes : 0), 0),
  ]);
}

/** The table that the build prints; beside an earlier build's, what changed. */
export function sizeTable(sizes: Sizes, before?: Sizes): string {
  const { rows, flashBytes, sramBytes, budget, kept } = sizes;
  const earlier = new Map(before?.rows.map((row) => [row.part, row]));
  const line = (part: string, flash: number, sram: number, was?: Omit<SizeRow, "part">): string => {
    const change = was && { flash: flash - was.flashBytes, sram: sram - was.sramBytes };
    return [
      part.padEnd(20),
      ...[cell(flash), change && delta(change.flash), cell(sram), change && delta(change.sram)],
    ]
      .join("")
      .trimEnd();
  };
  const none = { flashBytes: 0, sramBytes: 0 };
  const wide = before === undefined ? 8 : 16;
  return [
    `${"octets".padEnd(20)}${"flash".padStart(8)}${"SRAM".padStart(wide)}`,
    ...rows.map(({ part, flashBytes: flash, sramBytes: sram }) =>
      line(part, flash, sram, before && (earlier.get(part) ?? none)),
    ),
    line("sum", flashBytes, sramBytes, before),
    `${"budget".padEnd(20)}${cell(budget.flashBytes)}${cell(budget.sramBytes).padStart(wide)}`,
    kept ? "the image keeps its budget" : "the image is over its budget",
  ].join("\n");
}

function cell(value: number): string {
  return String(value).padStart(8);
}

function delta(value: number): string {
  return (value === 0 ? "" : value > 0 ? `+${value}` : String(value)).padStart(8);
}

/** What is over, a sentence each; none: the budget is kept. */
export function overBudget({ flashBytes, sramBytes, budget }: Sizes): string[] {
  const check = (name: string, bytes: number, most: number): string[] =>
    bytes <= most ? [] : [`${name}: ${bytes} of ${most} octets, ${bytes - most} too many`];
  return [
    ...check("flash", flashBytes, budget.flashBytes),
    ...check("SRAM", sramBytes, budget.sramBytes),
  ];
}
