// SPDX-License-Identifier: MIT
// The two cores of the bench: how a program is built for each, and run.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { callThumb } from "./m0plus.ts";
import { type Image, ramOf, readElf, symbolOf } from "./image.ts";
import { callRiscv } from "./rv32imc.ts";

export interface Counted {
  result: number;
  count: number; // cycles or instructions
}

export interface Core {
  name: "m0plus" | "rv32imc";
  unit: string;
  compiler: string;
  flags: readonly string[];
  call: typeof callThumb;
}

const COUNT_MAX = 500_000_000;
const FOLDER = import.meta.dirname;
const FLAGS = [
  ...["-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-ffreestanding", "-nostdlib", "-w"],
  ...["-Wl,--no-warn-rwx-segments", "-Wl,-e,0x20000000", "-T", join(FOLDER, "link.ld")],
];

export const CORES: readonly Core[] = [
  {
    name: "m0plus",
    unit: "cycles",
    compiler: "arm-none-eabi-gcc",
    flags: ["-mcpu=cortex-m0plus", "-mthumb"],
    call: callThumb,
  },
  {
    name: "rv32imc",
    unit: "instructions",
    compiler: "riscv64-unknown-elf-gcc",
    flags: ["-march=rv32imc", "-mabi=ilp32"],
    call: callRiscv,
  },
];

/** Builds a program of C files, and flags between them. Throws with what the compiler said. */
export function build(core: Core, sources: readonly string[], elf: string): Image {
  const args = [...core.flags, ...FLAGS, ...sources, join(FOLDER, "runtime.c"), "-lgcc", "-o", elf];
  const ran = spawnSync(core.compiler, args, { encoding: "utf8" });
  if (ran.status !== 0)
    throw new Error(`${core.compiler}: ${(ran.error?.message ?? ran.stderr).slice(0, 4000)}`);
  return readElf(readFileSync(elf));
}

/** Calls functions in turn in one memory: what the last one gave and took. Absent ones are passed over. */
export function measure(
  core: Core,
  image: Image,
  functions: readonly string[],
  n: number,
): Counted {
  const ram = ramOf(image);
  const gp = image.symbols.get("__global_pointer$") ?? 0;
  let last: Counted = { result: 0, count: 0 };
  for (const name of functions) {
    if (!image.symbols.has(name)) continue;
    const call = { address: symbolOf(image, name), operand: n, gp };
    last = core.call(ram, call, COUNT_MAX);
  }
  return last;
}
