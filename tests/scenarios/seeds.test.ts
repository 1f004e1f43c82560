// SPDX-License-Identifier: MIT
// All that can go wrong, by seed: sums match and everything is delivered in time.
//
// Goal: SEEDS schedules (from SEED on) of loss, duplicates, partitions, restarts, outages and power cuts. Method: one
// run a seed; a failure prints the line that plays it again.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { randomFaults } from "../../host-sim/faults/random.ts";
import { FAULT_NAMES } from "../../host-sim/faults/vocabulary.ts";
import { LIVENESS_US_MAX } from "../../host-sim/limits.ts";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { accountProblem } from "../../host-sim/scenario.ts";
import type { SimulationResult } from "../../host-sim/simulation.ts";
import { replayLine, runSeed, SEED_FOR_MS } from "../../host-sim/seeds.ts";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const SEEDS = Number(process.env["SEEDS"] ?? 50);
let plan: PlantPlan;

before(async () => {
  plan = await toPlantPlan(readPlant(join(import.meta.dirname, "../../plants/example")));
});

test(`${SEEDS} seeds: once or counted, and delivered within ${LIVENESS_US_MAX / 1e6} s`, () => {
  const failures: string[] = [];
  const sums = { ingested: 0, duplicates: 0, dropped: 0, lost: 0, applied: 0, refused: 0 };
  for (let seed = SEED; seed < SEED + SEEDS; seed++) {
    const { result, failure } = runSeed(plan, seed);
    if (failure !== undefined) failures.push(failure);
    const { applied = 0, refused = 0 } = result.writes;
    for (const key of ["ingested", "duplicates", "dropped", "lost"] as const)
      sums[key] += result[key];
    sums.applied += applied;
    sums.refused += refused;
  }
  assert.deepEqual(failures, []);
  if (SEEDS < 50) return; // one seed need not show all of it
  const { ingested, duplicates, dropped, lost, applied, refused } = sums;
  assert.ok(ingested > 10_000 && duplicates > 500, JSON.stringify(sums));
  assert.ok(dropped > 0 && lost > 500 && applied > 10 && refused > 50, JSON.stringify(sums));
});

test("the replay line runs what the test ran: the same result, number by number", () => {
  const seed = 7;
  const [program, ...args] = replayLine(seed).split(" ");
  assert.deepEqual([program, args[0]], ["npx", "ferrule"]);
  const root = join(import.meta.dirname, "../..");
  const command = [join(root, "scripts/ferrule.js"), ...args.slice(1), "--json"];
  const { status, stdout } = spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0);
  const { verdicts, ...replayed } = JSON.parse(stdout) as { verdicts: { met: boolean }[] };
  assert.deepEqual(replayed, JSON.parse(JSON.stringify(runSeed(plan, seed).result)));
  assert.ok(
    verdicts.every(({ met }) => met),
    "its expectations are met",
  );
});

test("each way in which a run is wrong has its sentence", () => {
  const good = runSeed(plan, 1).result;
  assert.equal(accountProblem(good), undefined);
  const [oven, ...others] = good.perNode;
  const wild = { ...good, perNode: [{ ...oven!, beyondLimits: 3 }, ...others] };
  const wrong: [SimulationResult, RegExp][] = [
    [{ ...good, waiting: 2 }, /^2 still wait$/],
    [{ ...good, finished: false }, /^0 still wait$/],
    [{ ...good, ingested: good.ingested - 1 }, /^\d+ queued, but \d+ ingested/],
    [{ ...good, lost: good.lost + 1 }, /^\d+ queued, but \d+ ingested/],
    [wild, /^press-1 put 3 values beyond the limits of node\.json$/],
    [{ ...good, drainMs: LIVENESS_US_MAX / 1000 + 1 }, /^120\.001 s until nothing waited$/],
  ];
  for (const [result, sentence] of wrong) assert.match(accountProblem(result) ?? "", sentence);
});

test("a schedule follows from its seed and holds what it must", () => {
  const nodes = ["a", "b"];
  const seen = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const faults = randomFaults(seed, nodes, SEED_FOR_MS);
    assert.deepEqual(randomFaults(seed, nodes, SEED_FOR_MS), faults);
    const named = faults.map(({ fault }) => fault);
    for (const name of named) seen.add(name);
    assert.equal(named.filter((name) => name === "partition").length, 2);
    for (const must of ["loss", "duplicate", "reorder", "gateway-restart", "broker-down"] as const)
      assert.ok(named.includes(must), must);
    assert.ok(named.includes("power-cut"));
    assert.ok(faults.every(({ atMs }) => atMs >= 0 && atMs < SEED_FOR_MS));
  }
  assert.deepEqual([...seen].sort(), FAULT_NAMES.toSorted(), "each word of the vocabulary");
});
