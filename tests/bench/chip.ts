// SPDX-License-Identifier: MIT
// Instructions that the chip emulator runs a second of CPU, beside rp2040js.
//
// The program is compiled C of the translator's bench, called over and over from SRAM; both processors run the same
// bytes, round by round in turn. Ours are counted by running some of it an instruction at a time.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RP2040 } from "rp2040js";
import { type Core, createCore } from "../../host-sim/chips/armv6m/core.ts";
import { ChipFailure, hex32 } from "../../host-sim/chips/failure.ts";
import { type Figure, QUICK, report } from "../../scripts/bench/report.ts";
import { cpuMs, measureRates } from "../../scripts/bench/rounds.ts";
import { build, CORES } from "./aot/cores.ts";
import { type Image, RAM_BASE, symbolOf } from "./aot/image.ts";
import { KERNELS } from "./aot/kernels.ts";
import { findProgram } from "../support/need.ts";

const SRAM_BYTES = 264 * 1024;
const STACK_TOP = RAM_BASE + 0x4_0000;
const LOOP = STACK_TOP + 0x100;
const LOOP_CODE = [0x4640, 0x47c8, 0xe7fc]; // MOV r0, r8; BLX r9; B back
const NAMES = QUICK ? ["sha256"] : ["sha256", "pid_f32", "modbus_tap", "cbor_map"];
const ROUNDS = QUICK ? 1 : 5;
const INSTRUCTIONS = QUICK ? 100_000 : 20_000_000; // a round
const COUNTED_CYCLES = QUICK ? 10_000 : 1_000_000;
const CLOCK_HZ = 125_000_000;
const GOAL_MIPS = 65;

interface Start {
  registers: number[];
  sram: Uint8Array;
}

/** SRAM and registers from which the kernel is called for ever. */
function startOf({ bytes, symbols }: Image, n: number): Start {
  const sram = bytes.slice(0, SRAM_BYTES);
  const view = new DataView(sram.buffer);
  const call = (name: string): number => symbolOf({ bytes, symbols }, name) | 1;
  const start = ["native_init", "native_prepare", "native_run"].filter((name) => symbols.has(name));
  // What comes before run() is called once, by a chain of the same calls.
  const halves = start.flatMap((_, i) => (i < start.length - 1 ? [0x4640, 0x47d0 + 8 * i] : []));
  halves.push(...LOOP_CODE);
  halves.forEach((half, i) => view.setUint16(LOOP - RAM_BASE + 2 * i, half, true));
  const registers = new Array<number>(16).fill(0);
  registers[8] = n;
  registers[9] = call("native_run");
  start.slice(0, -1).forEach((name, i) => (registers[10 + i] = call(name)));
  registers[13] = STACK_TOP;
  return { registers, sram };
}

function ourCore({ registers, sram }: Start): Core {
  const refuse = (address: number): never => {
    throw new ChipFailure(`access at ${hex32(address)}: no RAM`);
  };
  const vectors = [STACK_TOP, LOOP | 1];
  const bus = {
    read: (at: number) => vectors.shift() ?? refuse(at),
    write: refuse,
    waits: () => 0,
  };
  const regions = [{ base: RAM_BASE, bytes: sram, writable: true }];
  const core = createCore(regions, bus, { failOnFault: true });
  core.registers.set(registers.slice(0, 15));
  return core;
}

function theirCore({ registers, sram }: Start): RP2040 {
  const mcu = new RP2040();
  mcu.sram.set(sram);
  mcu.core.registers.set(registers);
  mcu.core.PC = LOOP;
  return mcu;
}

/** Instructions a cycle, counted one by one. */
function instructionsPerCycle(start: Start): number {
  const core = ourCore({ ...start, sram: start.sram.slice() });
  let count = 0;
  for (; core.cycle < COUNTED_CYCLES; count++) core.run(core.cycle + 1);
  return count / core.cycle;
}

async function measureKernel(name: string, start: Start): Promise<Figure[]> {
  const perCycle = instructionsPerCycle(start);
  const core = ourCore({ ...start, sram: start.sram.slice() });
  const { core: theirs } = theirCore(start);
  const ours = (): number => {
    const startCycle = core.cycle;
    core.run(startCycle + INSTRUCTIONS / perCycle);
    return ((core.cycle - startCycle) * perCycle) / 1e6;
  };
  const rp2040js = (): number => {
    for (let i = 0; i < INSTRUCTIONS; i++) theirs.executeInstruction();
    return INSTRUCTIONS / 1e6;
  };
  const contestants = [
    { name: "theirs", run: rp2040js },
    { name: "ours", run: ours },
  ];
  const rates = await measureRates(contestants, ROUNDS, cpuMs);
  const [mips, baseline] = [rates.get("ours")!, `${name}, rp2040js`];
  const goal = { of: "value", atLeast: GOAL_MIPS } as const;
  return [
    { name: baseline, value: rates.get("theirs")!, unit: "MIPS" },
    { name, value: mips, unit: "MIPS", beside: baseline, goal },
    {
      ...{ name: `${name}, of real time`, unit: "virtual s/CPU s at 125 MHz" },
      ...{ value: (mips * 1e6) / perCycle / CLOCK_HZ, goal: { of: "value", atLeast: 1 } as const },
    },
  ];
}

async function main(): Promise<void> {
  const { compiler } = CORES[0]!;
  if (findProgram(compiler) === undefined)
    return report({ bench: "chip", notes: [`left out: needs ${compiler}`], figures: [] });
  const folder = mkdtempSync(join(tmpdir(), "bench-chip-"));
  try {
    const figures: Figure[] = [];
    for (const { name, c, n } of KERNELS.filter((kernel) => NAMES.includes(kernel.name))) {
      const image = build(CORES[0]!, [c], join(folder, `${name}.elf`));
      figures.push(...(await measureKernel(name, startOf(image, n))));
    }
    report({
      bench: "chip",
      notes: [`median of ${ROUNDS} interleaved rounds of ${INSTRUCTIONS / 1e6} M instructions`],
      figures,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
