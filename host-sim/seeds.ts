// SPDX-License-Identifier: MIT
// One seed of trouble, run and judged; the tests and the soak share it.
//
// Phase 1: SEED_FOR_MS of faults and commands that follow from the seed. Phase 2: all healed, everything delivered
// within LIVENESS_US_MAX. A failure is one line that, pasted, repeats it.

import type { PlantPlan } from "./plan.ts";
import { accountProblem, runScenario, type Scenario } from "./scenario.ts";
import type { SimulationOptions, SimulationResult } from "./simulation.ts";

export const SEED_FOR_MS = 100_000; // as in the file that the replay line names
const SEED_SCENARIO = "host-sim/scenarios/by-seed.json";

export interface SeedRun {
  result: SimulationResult;
  /** Replay line and what is wrong, or undefined: nothing. */
  failure: string | undefined;
}

/** The scenario of SEED_SCENARIO with this seed. */
export function seedScenario(seed: number): Scenario {
  const expect = [{ kind: "sums" as const }];
  return { name: "by seed", seed, forMs: SEED_FOR_MS, faults: "by-seed", commands: [], expect };
}

/** Runs the plant that SEED_SCENARIO names. */
export function runSeed(
  plan: PlantPlan,
  seed: number,
  options: Pick<SimulationOptions, "trace"> = {},
): SeedRun {
  const { result } = runScenario(plan, seedScenario(seed), options);
  const problem = accountProblem(result);
  return { result, failure: problem && `${replayLine(seed)}  # ${problem}` };
}

/** What to paste to run a seed again. */
export function replayLine(seed: number): string {
  return `npx ferrule sim --scenario ${SEED_SCENARIO} --seed ${seed}`;
}
