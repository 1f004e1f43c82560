// SPDX-License-Identifier: MIT
// Seed after seed of trouble; an interrupted run goes on where it was.
//
// After each seed build/soak.json says what was done, so that nothing is lost with Ctrl-C or a crash. Other firmware
// begins anew. At most FAILURES_KEPT failures are kept word by word.

import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { runSeed } from "../../host-sim/seeds.ts";
import { writeWhole } from "../build/cache.ts";
import { readPlant, toPlantPlan } from "../build/plant.ts";
import { PROJECT } from "../build/sources.ts";
import { createProgress, tellCompiling } from "../cli/progress.ts";
import { print, say } from "../cli/terminal.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";

const STATE_FILE = join(PROJECT, "build/soak.json");
const FAILURES_KEPT = 100;

export interface SeedsWanted {
  from: number; // the first one, unless an interrupted run goes on
  seeds: number; // the last one
  minutes: number;
  fresh: boolean;
  first: boolean; // stop at the first failure
}

interface State {
  firmware: string;
  next: number; // the first seed not yet run
  queued: number;
  dropped: number;
  lost: number;
  drainMsMax: number; // from heal to the last delivery
  failed: number;
  failures: string[]; // each begins with the line that repeats it
}

/** The plant that all of the soak runs. */
export async function readExample(): Promise<PlantPlan> {
  return tellCompiling((compiling) => toPlantPlan(readPlant(EXAMPLE_PLANT), { compiling }));
}

/** Runs one seed; whether it is as it must be. */
export async function soakOneSeed(seed: number): Promise<boolean> {
  const { failure, result } = runSeed(await readExample(), seed);
  const { queued, ingested, dropped, lost } = result;
  print(failure ?? `seed ${seed}: ${queued} = ${ingested} + ${dropped} + ${lost}`);
  return failure === undefined;
}

/** Runs seeds until all are done or the time is over; whether none failed. */
export async function soakSeeds(wanted: SeedsWanted): Promise<boolean> {
  const plan = await readExample();
  if (wanted.fresh) rmSync(STATE_FILE, { force: true });
  mkdirSync(dirname(STATE_FILE), { recursive: true });
  let state = readState(firmwareOf(plan), wanted.from);
  if (state.next > wanted.from)
    say(`going on after ${state.next - wanted.from} seeds (build/soak.json)`);
  const endMs = Date.now() + wanted.minutes * 60_000;
  const progress = createProgress();
  const enough = (): boolean => wanted.first && state.failed > 0;
  while (state.next <= wanted.seeds && Date.now() < endMs && !enough()) {
    state = addSeed(state, plan);
    writeWhole(STATE_FILE, JSON.stringify(state));
    const [done, all] = [state.next - wanted.from, wanted.seeds - wanted.from + 1];
    progress.show(`${done} of ${all} seeds, ${state.failed} failed`, done / all);
  }
  progress.end();
  report(state, wanted);
  return state.failed === 0;
}

function firmwareOf({ nodes }: PlantPlan): string {
  return nodes
    .flatMap(({ loopHash, linkHash }) => [loopHash, linkHash])
    .map((hash) => Buffer.from(hash).toString("hex").slice(0, 16))
    .join(" ");
}

function addSeed(state: State, plan: PlantPlan): State {
  const { failures } = state;
  const { result, failure } = runSeed(plan, state.next);
  return {
    firmware: state.firmware,
    next: state.next + 1,
    queued: state.queued + result.queued,
    dropped: state.dropped + result.dropped,
    lost: state.lost + result.lost,
    drainMsMax: Math.max(state.drainMsMax, result.drainMs),
    failed: state.failed + (failure === undefined ? 0 : 1),
    failures: failure === undefined ? failures : [...failures, failure].slice(0, FAILURES_KEPT),
  };
}

function readState(firmware: string, next: number): State {
  const sums = { queued: 0, dropped: 0, lost: 0, drainMsMax: 0 };
  const fresh: State = { firmware, next, ...sums, failed: 0, failures: [] };
  if (!existsSync(STATE_FILE)) return fresh;
  const read = { ...fresh, ...(JSON.parse(readFileSync(STATE_FILE, "utf8")) as Partial<State>) };
  return read.firmware === firmware && read.next >= next ? read : fresh;
}

function report(state: State, { from, seeds }: SeedsWanted): void {
  for (const failure of state.failures) print(failure);
  const { next, queued, dropped, lost, drainMsMax, failed } = state;
  print(
    `${next - from} of ${seeds - from + 1} seeds, ${queued} readings, ${dropped} dropped, ` +
      `${lost} lost with their node's RAM, all delivered within ${drainMsMax / 1000} s, ` +
      `${failed} seeds failed`,
  );
  if (next <= seeds) say("  next: the same command goes on from there");
}
