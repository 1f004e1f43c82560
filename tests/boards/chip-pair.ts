// SPDX-License-Identifier: MIT
// The same node twice: as WebAssembly, and as an image on the emulated chip.
//
// Both go the whole way to the hub. The chip's first tick is found by a short run before: it depends on image
// and seed alone. Analog inputs: the chip reads means of its ADC, up to two rounds old; the other node is given,
// tick by tick, what the chip had.

import { resolve } from "node:path";
import type { Device } from "../../host-sim/devices/device.ts";
import { createMachine } from "../../host-sim/fleet.ts";
import type { NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { runSimulation, type SimulationResult } from "../../host-sim/simulation.ts";
import type { Change } from "../../hub/api.ts";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";
import { putOnChips } from "../../scripts/run/chips.ts";
import { PROJECT } from "../support/ferrule.ts";
import { createShifted, createStepped, type Stepped } from "./stepped.ts";

export const SEED = 5;
const FIND_MS = 300; // boot, entropy and one erase take less
const START_MS = 1_767_225_600_000;

export interface Reading {
  wallMs: number; // since the run began, as the node has the time
  text: string; // value, quality, cause
}

export interface Ran {
  result: SimulationResult;
  readings: Map<string, Reading[]>; // by channel
  ticks: Tick[]; // of a chip
  machine: Device;
}

export interface Tick {
  us: number;
  means: number[];
  held: number[]; // what the machine had at the same inputs
}

/** A plant of one example node, or of a folder by its whole path, and the same with its image. */
export async function readPair(
  name: string,
  board = "pico",
): Promise<{ wasm: PlantPlan; chip: PlantPlan }> {
  const plant = readPlant(resolve(PROJECT, "firmware/nodes", name));
  const wasm = await toPlantPlan(plant);
  return { wasm, chip: await putOnChips(plant, wasm, { board }) };
}

/** Runs one of them with a machine of its own. */
export function run(
  plan: PlantPlan,
  forMs: number,
  machine: Device,
  lines: (line: string) => void = () => undefined,
): Omit<Ran, "ticks"> {
  const readings = new Map<string, Reading[]>();
  let seen = 0;
  const options = { seed: SEED, forMs, loss: 0, duplicate: 0, reorder: 0 };
  const note = (change: Change): void => {
    if (change.kind !== "reading") return;
    const { channel, value, quality, cause, wallMs } = change;
    const list = readings.get(channel) ?? [];
    list.push({ wallMs: wallMs - START_MS, text: `${value} ${quality} ${cause ?? ""}`.trim() });
    readings.set(channel, list);
  };
  const result = runSimulation(plan, {
    ...options,
    machine: () => machine,
    trace: lines,
    watch(hub) {
      hub.changesSince(seen).forEach(note);
      seen = hub.changeId();
    },
  });
  return { result, readings, machine };
}

/** Times of ticks; what the ADC had measured by each; `of` is asked at that moment of the trace. */
export function runChip(plan: PlantPlan, forMs: number, machine: Device): Ran {
  const ticks: Tick[] = [];
  const ran = run(plan, forMs, machine, (line) => {
    if (!line.includes('"e":"tick"')) return;
    const { us, adc } = JSON.parse(line) as { us: number; adc: string };
    const means = adc === "" ? [] : adc.split(" ").map(Number);
    const held = means.map((_, input) => (machine as Stepped).held?.(input) ?? -1);
    ticks.push({ us, means, held });
  });
  return { ...ran, ticks };
}

/** When the chip's first tick comes, in µs of the run. */
export function firstTickUs(plan: PlantPlan): number {
  const { ticks } = runChip(
    plan,
    FIND_MS,
    createShifted(machineOf(plan.nodes[0]!), FIND_MS * 1000),
  );
  return ticks[0]!.us;
}

/** When the first tick of the other node comes: a period after its power. */
export function firstWasmTickUs(plan: PlantPlan): number {
  let powerUs = 0;
  const { periodUs } = plan.nodes[0]!;
  run(plan, 150, machineOf(plan.nodes[0]!), (line) => {
    if (line.includes('"e":"power"')) powerUs = (JSON.parse(line) as { t: number }).t;
  });
  return powerUs + periodUs;
}

function machineOf(node: NodePlan): Device {
  return createMachine(node, createPrng(SEED).fork("machine"));
}

/** The node's own machine, moved to its first tick. */
export function createTwin(node: NodePlan, firstUs: number): Device {
  const machine = machineOf(node);
  return node.taps.length > 0 ? createShifted(machine, firstUs) : createStepped(machine, firstUs);
}

/** A machine whose analog inputs read what a chip had by its tick of the same number. */
export function withTape(
  machine: Device,
  firstUs: number,
  periodUs: number,
  ticks: Tick[],
): Device {
  let nowUs = 0;
  return {
    ...machine,
    advance(us, sink) {
      nowUs = us;
      machine.advance(us, sink);
    },
    adc(input) {
      const tick = Math.round((nowUs - firstUs) / periodUs);
      return ticks[Math.min(tick, ticks.length - 1)]?.means[input] ?? -1;
    },
  };
}
