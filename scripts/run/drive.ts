// SPDX-License-Identifier: MIT
// Drives a road from its start to its totals, or until Ctrl-C.
//
// Once it is started it is always ended in order, also when its nodes cannot be built.

import type { Interruption } from "../cli/interrupt.ts";
import { type Finished, printPlaces, type RoadOptions, startRoad } from "./road.ts";

export interface Drive {
  forMs: number; // a scenario's length comes first; Infinity: until Ctrl-C
  json: boolean;
  interruption: Interruption;
}

export interface Driven extends Finished {
  interrupted: boolean;
}

/** Starts the road of a plant, tells its places, lets it run and ends it. */
export async function driveRoad(
  plant: string,
  options: Omit<RoadOptions, "signal">,
  { forMs, json, interruption }: Drive,
): Promise<Driven> {
  const road = await startRoad(plant, { ...options, signal: interruption.signal });
  printPlaces(road, json);
  try {
    await road.startNodes();
  } catch (error) {
    await road.finish();
    throw error;
  }
  const interrupted = await interruption.wait(road.forMs ?? forMs);
  return { interrupted, ...(await road.finish()) };
}
