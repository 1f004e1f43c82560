// SPDX-License-Identifier: MIT
// Plants for scenarios, built from node folders as `ferrule sim` builds them.

import { resolve } from "node:path";
import type { SimulationOptions } from "../../host-sim/simulation.ts";
import type { NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import { plantSchema, toPlantPlan } from "../../scripts/build/plant.ts";

export const NODES_FOLDER = resolve(import.meta.dirname, "../../firmware/nodes");

/** A plant of these node folders, by node id; the machine is the one of the folder. */
export async function buildPlant(folders: Record<string, string>): Promise<PlantPlan> {
  const type = plantSchema.parse({
    ...{ enterprise: "acme", site: "north", area: "bake", line: "one", cell: "a" },
    nodes: Object.entries(folders).map(([id, node]) => ({ id, node })),
  });
  return toPlantPlan({ folder: NODES_FOLDER, type });
}

/** One oven and one meter, without faults. */
export function buildPair(): Promise<PlantPlan> {
  return buildPlant({ "oven-1": "oven", "meter-1": "meter" });
}

/** The same plant with one of its nodes changed. */
export function changeNode(plan: PlantPlan, id: string, changes: Partial<NodePlan>): PlantPlan {
  return {
    ...plan,
    nodes: plan.nodes.map((node) => (node.id === id ? { ...node, ...changes } : node)),
  };
}

/** Options of a run without faults. */
export function calm(forMs: number, seed = 1): SimulationOptions {
  return { seed, forMs, loss: 0, duplicate: 0, reorder: 0 };
}
