// SPDX-License-Identifier: MIT
// Runs of the whole road for scenarios, with the invariants that hold after each.

import assert from "node:assert/strict";
import type { FaultPlan, PlantPlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import {
  runSimulation,
  type SimulationOptions,
  type SimulationResult,
} from "../../host-sim/simulation.ts";

/** One line of a trace. */
export type Line = Record<string, string | number | boolean> & { t: number; e: string };

export interface Run {
  result: SimulationResult;
  text: string; // the trace file
  lines: Line[];
}

/** Runs and keeps the trace. */
export function traced(plan: PlantPlan, options: SimulationOptions): Run {
  const texts: string[] = [];
  const result = runSimulation(plan, { ...options, trace: (line) => texts.push(line) });
  return { result, text: texts.join("\n"), lines: texts.map((line) => JSON.parse(line) as Line) };
}

/** Each QoS 1 reading that reached an outbox is in the hub exactly once or counted as gone. */
export function assertAccounted(result: SimulationResult, hint: string): void {
  const { queued, ingested, dropped, lost, waiting, finished } = result;
  const sums = `${hint}: ${JSON.stringify({ queued, ingested, dropped, lost, waiting })}`;
  assert.ok(finished, `not finished, ${sums}`);
  assert.equal(waiting, 0, sums);
  assert.equal(queued, ingested + dropped + lost, sums);
}

/** Probabilities and power cuts that follow from a seed. */
export function randomTrouble(
  plan: PlantPlan,
  seed: number,
  forMs: number,
): { plan: PlantPlan; options: SimulationOptions } {
  const prng = createPrng(seed).fork("trouble");
  const faults: FaultPlan[] = plan.nodes.flatMap(({ id }) =>
    Array.from({ length: prng.below(5) }, () => ({
      atMs: prng.below(forMs),
      node: id,
      fault: "power-cut" as const,
      forMs: 1 + prng.below(20_000),
    })),
  );
  const options = {
    seed,
    forMs,
    loss: prng.below(40) / 100,
    duplicate: prng.below(30) / 100,
    reorder: prng.below(30) / 100,
  };
  return { plan: { ...plan, faults }, options };
}

/** Messages that the broker took on topics that end so, their octets decoded from the trace. */
export function messages(
  lines: Line[],
  suffix: string,
): { t: number; topic: string; payload: Buffer; retain: boolean }[] {
  return lines
    .filter(({ e, topic }) => e === "broker" && String(topic).endsWith(suffix))
    .map(({ t, topic, hex, retain }) => ({
      t,
      topic: String(topic),
      payload: Buffer.from(String(hex), "hex"),
      retain: retain === true,
    }));
}
