// SPDX-License-Identifier: MIT
// How much faster than time itself the simulator runs the example plant.
//
// The baseline is the clock on the wall; a run is ten virtual minutes, warmed up, best of three.

import { join } from "node:path";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";
import { PROJECT } from "../../scripts/build/sources.ts";
import { runSimulation } from "../../host-sim/simulation.ts";

const FOR_MS = 10 * 60_000;
const RUNS = 3;

const plan = await toPlantPlan(readPlant(join(PROJECT, "plants/example")));
const optionsOf = (loss: number) => ({ seed: 1, forMs: FOR_MS, loss, duplicate: 0, reorder: 0 });
const LOSSES = [0, 0.2];
for (const loss of LOSSES) runSimulation(plan, optionsOf(loss)); // warms up
for (const loss of LOSSES) {
  const options = optionsOf(loss);
  let bestMs = Infinity;
  let queued = 0;
  for (let run = 0; run < RUNS; run++) {
    const startMs = performance.now();
    ({ queued } = runSimulation(plan, options));
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  const ratio = Math.round(FOR_MS / bestMs);
  console.log(
    `  ${plan.nodes.length} nodes, loss ${loss}: ${FOR_MS / 1000} s in ${Math.round(bestMs)} ms, ` +
      `${ratio} times as fast as time; ${queued} readings`,
  );
}
