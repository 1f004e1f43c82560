// SPDX-License-Identifier: MIT
// Puts the nodes of a plan on emulated chips, as images of their types.

import { resolve } from "node:path";
import { ChipFailure } from "../../host-sim/chips/failure.ts";
import { NOT_ON_CHIPS } from "../../host-sim/faults/vocabulary.ts";
import type { FaultPlan, NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import { cachedChip, type ChipImage } from "../build/chip.ts";
import { identitySector } from "../build/identity.ts";
import { buildNode, type BuildOptions } from "../build/modules.ts";
import type { Plant } from "../build/plant.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";

/** Refuses by name what nothing would come of. Throws Failure. */
export function refuseFaults(faults: readonly FaultPlan[]): void {
  const found = faults.find(({ fault }) => NOT_ON_CHIPS.has(fault));
  if (found === undefined) return;
  throw new Failure(
    EXIT_FAILED,
    `fault "${found.fault}" of ${found.node} does nothing to a flash image`,
    "leave it out, or run the plant without --engine chip",
  );
}

/** The same plan, its nodes as images; each type is built once. Throws Failure. */
export async function putOnChips(
  plant: Plant,
  plan: PlantPlan,
  options: BuildOptions & { board: string },
): Promise<PlantPlan> {
  const { board } = options;
  refuseFaults(plan.faults);
  const chips = new Map<string, ChipImage>();
  for (const { node } of plant.type.nodes) {
    const folder = resolve(plant.folder, node);
    if (chips.has(folder)) continue;
    const built = await buildNode(folder, options);
    const building = (): void => options.compiling?.(`${built.type.type} for ${board}`);
    chips.set(folder, cachedChip(board, built, building));
  }
  const nodes = plan.nodes.map((node, i) => ({
    ...node,
    chip: {
      ...chips.get(resolve(plant.folder, plant.type.nodes[i]!.node))!,
      identity: identityOf(node),
    },
  }));
  return { ...plan, nodes };
}

function identityOf({ id, eui64 }: NodePlan): Uint8Array {
  return identitySector({ id, eui64: Buffer.from(eui64).toString("hex") });
}

/** Does what runs chips; what a model does not know is told as a Failure. */
export function asFailure<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ChipFailure)) throw error;
    const next = "it is not your code: report it with your node.json and the seed";
    throw new Failure(EXIT_FAILED, error.message, next);
  }
}
