// SPDX-License-Identifier: MIT
// The thread of `ferrule up --chip`: one board in real time on a UDP socket.
//
// The fleet of real time with one node. Its time follows the clock; what this machine is too slow for is
// given up, in which the chip stands still, and told. Ends with a message "stop": what was sampled is sent first.

import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { startRealtime } from "../../host-sim/realtime/run.ts";
import { asFailure } from "./chips.ts";

const LOOK_MS = 5000;
const DRAIN_MS_MAX = 5000;
const DRAIN_STEP_MS = 50;
const PERCENT = 100;

export interface ChipWork {
  plan: PlantPlan; // of one node
  gateway: { host: string; port: number };
  seed: number;
  bootsBefore: number;
}

export interface ChipSaid {
  log: string;
}

/** What became of it. */
export interface ChipEnd {
  sent: number;
  acknowledged: number;
  givenUpMs: number;
}

/** What is said when so much of a time was given up, undefined: nothing. */
export function describeLag(id: string, givenUpMs: number, passedMs: number): string | undefined {
  if (givenUpMs <= 0) return undefined;
  const percent = Math.ceil((PERCENT * Math.min(givenUpMs, passedMs)) / passedMs);
  const share = `it stood still for ${percent} % of the time`;
  return `${id}: this machine cannot keep up with the chip: ${share}`;
}

/** What the thread does. */
export async function work(input: ChipWork, report: (said: ChipSaid) => void): Promise<ChipEnd> {
  const { plan, ...options } = input;
  const [{ id, periodUs }] = plan.nodes as [PlantPlan["nodes"][number]];
  const log = (text: string): void => report({ log: text });
  const running = asFailure(() => startRealtime(plan, { ...options, log }));
  const givenUpMs = (): number => (running.totals().ticksSkipped * periodUs) / 1000;
  let told = 0;
  const look = setInterval(() => {
    const text = describeLag(id, givenUpMs() - told, LOOK_MS);
    told = givenUpMs();
    if (text !== undefined) log(text);
  }, LOOK_MS);
  await once(parentPort!, "message");
  clearInterval(look);
  running.stopSampling();
  const untilMs = performance.now() + DRAIN_MS_MAX;
  while (performance.now() < untilMs && running.waiting() > 0) await wait(DRAIN_STEP_MS);
  const { queued: sent, acknowledged } = running.totals();
  await running.close();
  return { sent, acknowledged, givenUpMs: givenUpMs() };
}
