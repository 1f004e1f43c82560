// SPDX-License-Identifier: MIT
// The busy node with everything around it in trouble, for so many ticks.
//
// Test and soak share it. Peer and tap line never pause, analog inputs never stand still.

import { readFileSync } from "node:fs";
import { SATURATING } from "../../host-sim/chips/measure/peer.ts";
import { runReport, type RunReport } from "../../host-sim/chips/report.ts";
import type { Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { readAddresses } from "../../scripts/build/elf.ts";
import { readBoard } from "../../scripts/build/rp2040-board.ts";
import { constantExport } from "../../scripts/build/wasm-facts.ts";
import { readRegisters } from "../support/modbus.ts";
import { type BusyNode, REGISTER, TAP, UNIT } from "./busy-node.ts";

const SETTLE_S = 4; // there have been sessions and lost answers by then
const LATE_CYCLES_MAX = 60; // DESIGN D1, at 125 MHz
const ENTRY_CYCLES = 15;
// Beyond the entry: PUSH of 9 takes 10, POP with PC 12 and the return 12, another entry 15, an APB store 5.
const BEYOND_MAX: readonly (readonly [cause: RegExp, cycles: number])[] = [
  [/^none$/, 0],
  [/^instruction$/, 12],
  [/^return from \w+$/, 24],
  [/^entry of \w+$/, 15],
  [/^bus$/, 5],
];
const ERASES_A_SECOND_MIN = 4;
const SATURATED = 0.95; // of what the line can carry

/** Runs it for so many ticks. */
export function runBusyNode({ built, image }: BusyNode, ticks: number, seed: number): RunReport {
  const { line } = boardLine();
  const { periodMs } = built.type;
  return runReport({
    uf2: readFileSync(image.program),
    symbols: readAddresses(readFileSync(image.elf)),
    periodUs: Math.round(periodMs * 1000),
    settleTicks: Math.round((SETTLE_S * 1000) / periodMs),
    ...{ ticks, seed, line, peer: SATURATING },
    countersAt: constantExport(built.link.wasm, "counters"),
    attach: (chip) => attachTrouble(chip, seed),
  });
}

function attachTrouble(chip: Rp2040, seed: number): void {
  const { analog, taps } = boardLine();
  analog.forEach((pin, i) => chip.pins.setVolts(pin, swing(chip, i)));
  speakModbus(chip, taps[0]!.rx, seed);
}

function boardLine() {
  const { transport: line, analog, taps } = readBoard("pico");
  if (line.kind !== "serial") throw new Error("this board speaks on a serial line");
  return { line, analog, taps };
}

// A volt and a half, and a new value at each look.
function swing(chip: Rp2040, input: number): () => number {
  return () => 1.5 + Math.sin(chip.time.nowNs() / 5e6 + input);
}

// Requests and answers without end, with the least pauses that RTU has.
function speakModbus(chip: Rp2040, rx: number, seed: number): void {
  const format = formatOf(TAP.baud, TAP.format);
  const prng = createPrng(seed).fork("tap");
  const characterNs = 10 * format.bitNs;
  let octets: number[] = [];
  const next = (): void => {
    if (octets.length === 0) {
      const [request, answer] = readRegisters(UNIT, 3, REGISTER, [prng.below(65_536)]);
      octets = [...(prng.chance(0.5) ? request : answer)];
    }
    const octet = octets.shift()!;
    const pauseNs = octets.length === 0 ? 4 * characterNs : 0;
    chip.time.atNs(chip.time.nowNs() + characterNs + pauseNs, () => {
      chip.serial.hear(rx, { octet, errors: 0, format });
      next();
    });
  };
  next();
}

/** What is not as it must be. */
export function lateProblems(report: RunReport): string[] {
  const { lateness, missed, counted, resets, ticks } = report;
  const found: string[] = [];
  const expect = (good: boolean, text: string): void => void (good || found.push(text));
  for (const { cycles, cause, count } of lateness.buckets) {
    const beyond = BEYOND_MAX.find(([name]) => name.test(cause))?.[1] ?? -1;
    const text = `${count} ticks ${cycles} cycles late: ${cause}`;
    expect(cycles >= ENTRY_CYCLES && cycles <= ENTRY_CYCLES + beyond, text);
  }
  expect(lateness.max <= LATE_CYCLES_MAX, `the latest tick is ${lateness.max} cycles late`);
  const told = lateness.buckets.reduce((sum, { count }) => sum + count, 0);
  expect(told === ticks, `${told} of ${ticks} ticks are in the histogram`);
  expect(missed === 0 && counted.missed === 0, `missed ticks: ${missed}, ${counted.missed}`);
  expect(counted.overruns === 0 && counted.traps === 0, JSON.stringify(counted));
  expect(resets === 1, `${resets} resets`);
  return found;
}

/** What did not happen that should: then little was shown. */
export function calmProblems({ lateness, erases, peer, uptimeS }: RunReport): string[] {
  const found: string[] = [];
  const expect = (good: boolean, text: string): void => void (good || found.push(text));
  const causes = lateness.buckets.map(({ cause }) => cause.split(" ")[0]!);
  for (const wanted of ["none", "instruction", "bus"])
    expect(causes.includes(wanted), `no tick met: ${wanted}`);
  expect(erases >= ERASES_A_SECOND_MIN * uptimeS, `only ${erases} erases in ${uptimeS} s`);
  expect(peer.connects >= 2, `only ${peer.connects} sessions`);
  expect(peer.repeated >= 1, "nothing was sent again");
  const full = (SATURATED * uptimeS * boardLine().line.baud) / 10;
  expect(peer.octets >= full, `only ${peer.octets} octets on the line`);
  return found;
}
