// SPDX-License-Identifier: MIT
// An image run in the chip's model with its machine at the pins: what it costs.
//
// DESIGN D10. The line has a gateway that answers by the book. Same image, same report. A model that does not know
// what the image does ends the run as a Failure.

import { readFileSync } from "node:fs";
import { attachDevice } from "../../host-sim/chips/rp2040/attach.ts";
import { formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { POLITE } from "../../host-sim/chips/measure/peer.ts";
import { runReport, type RunReport } from "../../host-sim/chips/report.ts";
import { createMachine } from "../../host-sim/fleet.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { readAddresses } from "../build/elf.ts";
import type { BuiltNode } from "../build/modules.ts";
import { readPlant, toPlantPlan } from "../build/plant.ts";
import { readBoard } from "../build/rp2040-board.ts";
import type { Rp2040Image } from "../build/rp2040.ts";
import { constantExport } from "../build/wasm-facts.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import { asFailure } from "./chips.ts";
import { requireBudget } from "./size.ts";

const RUN_S = 3; // of the chip's time: a session begins, an accelerometer's first burst ends
const SEED = 1;

/** Runs an image and reports, undefined: nothing plays this board's network. Throws Failure. */
export async function measureImage(
  board: string,
  built: BuiltNode,
  image: Rp2040Image,
): Promise<RunReport | undefined> {
  const { transport, taps, ...pins } = readBoard(board);
  if (transport.kind !== "serial") return undefined;
  say(`running the image for ${RUN_S} s of its own time in the chip's model`);
  const [plan] = (await toPlantPlan(readPlant(built.folder), { board })).nodes;
  const machine = createMachine(plan!, createPrng(SEED).fork("machine"));
  const { type, link } = built;
  const lines = Object.values(type.taps).map(({ uart, baud, format }) => ({
    rx: taps[uart]!.rx,
    format: formatOf(baud, format),
  }));
  return asFailure(() =>
    runReport({
      uf2: readFileSync(image.program),
      symbols: readAddresses(readFileSync(image.elf)),
      periodUs: Math.round(type.periodMs * 1000),
      ticks: Math.ceil((RUN_S * 1000) / type.periodMs),
      ...{ seed: SEED, line: transport, peer: POLITE },
      countersAt: constantExport(link.wasm, "counters"),
      attach: (chip) => void attachDevice(chip, machine, { ...pins, taps: lines }),
    }),
  );
}

/** Throws a Failure when the worst tick takes more than it may, or a period had none. */
export function requireTick(type: string, board: string, most: number, report: RunReport): void {
  const { tick, missed } = report;
  if (tick.max <= most && missed === 0) return;
  const what =
    missed > 0
      ? `${missed} of ${report.ticks} periods had no tick`
      : `the worst tick takes ${tick.max} cycles, the budget is ${most}`;
  throw new Failure(
    EXIT_FAILED,
    `${type} is over its budget on ${board}: ${what}`,
    'make loop.ts shorter or the period longer, or raise "budgets" in node.json',
  );
}

/** What a build ends with: octets, then the worst tick of a run. Throws Failure. */
export async function requireBudgets(
  board: string,
  built: BuiltNode,
  image: Rp2040Image,
  run: boolean,
): Promise<void> {
  const { type } = built.type;
  requireBudget(type, board, image.sizes);
  const report = run ? await measureImage(board, built, image) : undefined;
  if (report === undefined) return;
  const { tickCycles } = image.sizes.budget;
  requireTick(type, board, tickCycles, report);
  say(`the worst tick takes ${report.tick.max} cycles, the budget is ${tickCycles}`);
}

/** The report as a table. */
export function reportTable(report: RunReport): string {
  const { lateness, tick, link, handlers, stacks, queues } = report;
  const row = (cells: (string | number)[]): string =>
    cells
      .map((cell, i) => (i === 0 ? String(cell).padEnd(24) : String(cell).padStart(10)))
      .join("");
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const costs = [tick, link, ...handlers];
  return [
    row(["cycles", "p50", "p99", "max", "share"]),
    ...costs.map(({ name, p50, p99, max, share }) => row([name, p50, p99, max, percent(share)])),
    `CPU share ${percent(report.cpuShare)} over ${report.ticks} ticks of ` +
      `${report.periodCycles} cycles, ${report.missed} missed`,
    "",
    row(["start of tick", "cycles", "ticks"]),
    ...lateness.buckets.map(({ cause, cycles, count }) => row([cause, cycles, count])),
    "",
    row(["octets", "most", "of"]),
    ...stacks.map(({ name, peakBytes, bytes }) => row([`stack of ${name}`, peakBytes, bytes])),
    ...queues.map(({ name, most }) => row([name, most])),
  ].join("\n");
}
