// SPDX-License-Identifier: MIT
// One more node beside those of a plant, run by something else than the simulator.

import { type Plant, readPlant } from "../build/plant.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";

const ID_MAX = 23;

/** What the road knows of it. */
export interface BesideNode {
  readonly id: string;
  died(): number; // 1 once it has ended by itself
  /** Lets it say goodbye; then it is gone. */
  stop(): Promise<void>;
}

export interface BesideOptions {
  gateway: string; // HOST:PORT
  seed: number;
  signal: AbortSignal; // ends the build
  log(text: string): void;
}

/** The plant of the one node of a folder, its id unlike those of the others. Throws Failure. */
export function chooseBeside(folder: string, plant: Plant, kind: "posix" | "chip"): Plant {
  const own = readPlant(folder);
  const [node] = own.type.nodes;
  if (node === undefined || own.type.nodes.length !== 1)
    throw new Failure(EXIT_USAGE, `--${kind} takes one node`, "give the folder of a node.json");
  const taken = new Set(plant.type.nodes.map(({ id }) => id));
  const stem = node.id.slice(0, ID_MAX - kind.length - 4);
  let id = `${stem}-${kind}`;
  for (let i = 2; taken.has(id); i++) id = `${stem}-${kind}-${i}`;
  return { ...own, type: { ...own.type, nodes: [{ ...node, id }] } };
}
