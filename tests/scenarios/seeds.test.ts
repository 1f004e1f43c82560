// SPDX-License-Identifier: MIT
// All that can go wrong, by seed: sums match and everything is delivered in time.
//
// Goal: SEEDS schedules (from SEED on) of loss, duplicates, partitions, restarts, outages and power cuts. Method: one
// run a seed; a failure prints the line that plays it again.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { randomFaults } from "../../host-sim/faults/random.ts";
import { FAULT_NAMES } from "../../host-sim/faults/vocabulary.ts";
import { LIVENESS_US_MAX } from "../../host-sim/limits.ts";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { accountProblem, runScenario, type Scenario } from "../../host-sim/scenario.ts";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const SEEDS = Number(process.env["SEEDS"] ?? 50);
const FOR_MS = 100_000; // as in by-seed.json, which the replay line names
let plan: PlantPlan;

before(async () => {
  plan = await toPlantPlan(readPlant("plants/example"));
});

function scenarioOf(seed: number): Scenario {
  return {
    name: "by seed",
    seed,
    forMs: FOR_MS,
    faults: "by-seed",
    commands: [],
    expect: [{ kind: "sums" }],
  };
}

test(`${SEEDS} seeds: once or counted, and delivered within ${LIVENESS_US_MAX / 1e6} s`, () => {
  const failures: string[] = [];
  const sums = { ingested: 0, duplicates: 0, dropped: 0, lost: 0 };
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    const { result } = runScenario(plan, scenarioOf(seed));
    const problem = accountProblem(result);
    const replay = `ferrule sim --scenario host-sim/scenarios/by-seed.json --seed ${seed}`;
    if (problem !== undefined) failures.push(`${replay}  # ${problem}`);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += result[key];
  }
  assert.deepEqual(failures, []);
  if (SEEDS < 50) return; // one seed need not show all of it
  const { ingested, duplicates, dropped, lost } = sums;
  assert.ok(
    ingested > 10_000 && duplicates > 500 && dropped > 0 && lost > 500,
    JSON.stringify(sums),
  );
});

test("a schedule follows from its seed and holds what it must", () => {
  const nodes = ["a", "b"];
  const seen = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const faults = randomFaults(seed, nodes, FOR_MS);
    assert.deepEqual(randomFaults(seed, nodes, FOR_MS), faults);
    const named = faults.map(({ fault }) => fault);
    for (const name of named) seen.add(name);
    assert.equal(named.filter((name) => name === "partition").length, 2);
    for (const must of ["loss", "duplicate", "reorder", "gateway-restart", "broker-down"] as const)
      assert.ok(named.includes(must), must);
    assert.ok(named.includes("power-cut"));
    assert.ok(faults.every(({ atMs }) => atMs >= 0 && atMs < FOR_MS));
  }
  assert.ok(seen.size >= FAULT_NAMES.length - 3, [...seen].join());
});
