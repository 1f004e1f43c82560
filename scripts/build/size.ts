// SPDX-License-Identifier: MIT
// What an image takes of flash and SRAM, by part, and whether it keeps its budget.
//
// DESIGN D10. Flash is counted to the last octet, SRAM as it is after start-up: the image, cleared memory, stacks.

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
  budget: { flashBytes: number; sramBytes: number };
  kept: boolean;
}

const STACK_BYTES = 8192; // SRAM4 and SRAM5, whole: handlers, link, the crash record

/** Sizes of an ELF file of a board with an RP2040. Throws ElfError. */
export function imageSizes(elf: Uint8Array, budget: Sizes["budget"]): Sizes {
  const sections = new Map(readSections(elf).map(({ name, size }) => [name, size]));
  const symbols = new Map(readSymbols(elf).map(({ name, size }) => [name, size]));
  const section = (name: string): number => sections.get(name) ?? 0;
  const memory = (name: string): number => symbols.get(`${name}_memory`) ?? 0;
  const modules = memory("loop") + memory("link");
  const row = (part: string, flashBytes: number, sramBytes: number): SizeRow => ({
    part,
    flashBytes,
    sramBytes,
  });
  const rows = [
    row("second stage", section(".boot2"), 0),
    row("start-up", section(".flash"), 0),
    row("code and data", section(".image"), section(".image")),
    row("memory of loop", 0, memory("loop")),
    row("memory of link", 0, memory("link")),
    row("memory of the host", 0, section(".bss") - modules),
    row("stacks", 0, STACK_BYTES),
  ];
  const sum = (key: "flashBytes" | "sramBytes"): number =>
    rows.reduce((total, of) => total + of[key], 0);
  const [flashBytes, sramBytes] = [sum("flashBytes"), sum("sramBytes")];
  const kept = flashBytes <= budget.flashBytes && sramBytes <= budget.sramBytes;
  return { rows, flashBytes, sramBytes, budget, kept };
}

/** The table that the build prints and writes. */
export function sizeTable({ rows, flashBytes, sramBytes, budget, kept }: Sizes): string {
  const line = (part: string, flash: number, sram: number): string =>
    `${part.padEnd(20)}${String(flash).padStart(8)}${String(sram).padStart(8)}`;
  return [
    `${"octets".padEnd(20)}${"flash".padStart(8)}${"SRAM".padStart(8)}`,
    ...rows.map((row) => line(row.part, row.flashBytes, row.sramBytes)),
    line("sum", flashBytes, sramBytes),
    line("budget", budget.flashBytes, budget.sramBytes),
    kept ? "the image keeps its budget" : "the image is over its budget",
  ].join("\n");
}
