// SPDX-License-Identifier: MIT
// `npm run soak`: many seeds of lossy networks and power cuts in the simulator.
//
// `npm run soak -- --minutes 60 --seeds 500`. For each seed every reading is ingested, dropped or lost, none twice
// and none forgotten. What was done stands in build/soak.json after each seed: an interrupted run goes on there.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { PlantPlan } from "../host-sim/plan.ts";
import { createPrng } from "../host-sim/prng.ts";
import { runSimulation, type SimulationOptions } from "../host-sim/simulation.ts";
import { writeWhole } from "./build/cache.ts";
import { readPlant, toPlantPlan } from "./build/plant.ts";
import { PROJECT } from "./build/sources.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./cli/failure.ts";
import { print, say } from "./cli/terminal.ts";
import { readWhole } from "./cli/values.ts";
import { EXAMPLE_PLANT } from "./run/example.ts";

const STATE_FILE = join(PROJECT, "build/soak.json");
const VIRTUAL_MS = 10 * 60_000; // a seed: ten minutes with faults, then the drain
const CUTS_MAX = 4;
const CUT_MS_MAX = 60_000;

interface State {
  next: number; // the first seed not yet run
  seeds: number; // run so far
  queued: number;
  lost: number;
  failures: string[]; // each repeats with `npm run soak -- --seed N`
}

const FRESH: State = { next: 1, seeds: 0, queued: 0, lost: 0, failures: [] };

/** The faults of a seed: how bad the network is and when which node loses its power. */
function faultsOf(seed: number, plan: PlantPlan): { plan: PlantPlan; options: SimulationOptions } {
  const prng = createPrng(seed).fork("soak");
  const upTo = (max: number): number => (prng.nextU32() / 2 ** 32) * max;
  const cuts = Array.from({ length: Math.floor(upTo(CUTS_MAX + 1)) }, () => ({
    atMs: Math.floor(upTo(VIRTUAL_MS)),
    node: plan.nodes[Math.floor(upTo(plan.nodes.length))]?.id ?? "",
    fault: "power-cut" as const,
    forMs: 1 + Math.floor(upTo(CUT_MS_MAX)),
  }));
  const faults = cuts.sort((a, b) => a.atMs - b.atMs);
  const network = { loss: upTo(0.4), duplicate: upTo(0.2), reorder: upTo(0.2) };
  return { plan: { ...plan, faults }, options: { seed, forMs: VIRTUAL_MS, ...network } };
}

/** Runs a seed; adds what is wrong to the state. */
function runSeed(seed: number, example: PlantPlan, state: State): State {
  const { plan, options } = faultsOf(seed, example);
  const { queued, ingested, dropped, lost, finished } = runSimulation(plan, options);
  const failures = [...state.failures];
  if (!finished) failures.push(`seed ${seed}: something still waits after the drain`);
  else if (queued !== ingested + dropped + lost)
    failures.push(`seed ${seed}: ${queued} queued, ${ingested} + ${dropped} + ${lost} found`);
  return {
    next: Math.max(state.next, seed + 1),
    seeds: state.seeds + 1,
    queued: state.queued + queued,
    lost: state.lost + lost,
    failures,
  };
}

function readState(): State {
  if (!existsSync(STATE_FILE)) return FRESH;
  return { ...FRESH, ...(JSON.parse(readFileSync(STATE_FILE, "utf8")) as Partial<State>) };
}

function readOptions(): { minutes: number; seeds: number; seed: number | undefined } | undefined {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      options: { minutes: text, seeds: text, seed: text, fresh: { type: "boolean" } },
    });
    if (values.fresh) rmSync(STATE_FILE, { force: true });
    return {
      minutes: readWhole(values.minutes ?? "10", 1, 10_000),
      seeds: readWhole(values.seeds ?? "1000000", 1, 1_000_000),
      seed: values.seed === undefined ? undefined : readWhole(values.seed, 0, 2 ** 32 - 1),
    };
  } catch (error) {
    say(`soak: ${error instanceof Error ? error.message : String(error)}`);
    say("  next: npm run soak -- --minutes 60 --seeds 500 [--fresh], or --seed N for one of them");
    return undefined;
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return EXIT_USAGE;
  const example = await toPlantPlan(readPlant(EXAMPLE_PLANT));
  if (options.seed !== undefined) {
    const { failures, queued } = runSeed(options.seed, example, FRESH);
    print(failures[0] ?? `seed ${options.seed}: ${queued} queued, all accounted for`);
    return failures.length === 0 ? EXIT_OK : EXIT_FAILED;
  }
  let state = readState();
  if (state.seeds > 0) say(`going on after ${state.seeds} seeds (build/soak.json)`);
  mkdirSync(dirname(STATE_FILE), { recursive: true });
  const endMs = Date.now() + options.minutes * 60_000;
  for (let done = 0; done < options.seeds && Date.now() < endMs; done++) {
    state = runSeed(state.next, example, state);
    writeWhole(STATE_FILE, JSON.stringify(state));
    if (done % 20 === 19) say(`${state.seeds} seeds, ${state.failures.length} failed`);
  }
  for (const failure of state.failures) print(failure);
  print(
    `${state.seeds} seeds, ${state.queued} readings, ${state.lost} lost with their node's power, ` +
      `${state.failures.length} seeds failed`,
  );
  return state.failures.length === 0 ? EXIT_OK : EXIT_FAILED;
}

process.exitCode = await main();
