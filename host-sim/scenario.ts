// SPDX-License-Identifier: MIT
// Runs a scenario: a plant, its faults, and what is expected of them by when.
//
// Looks at the hub as a person at the page would: states of nodes, qualities of readings, alarms, each
// with the time of the look (100 ms). What is expected holds when it was seen once in its window. I/O-free.

import type { Change } from "../hub/api.ts";
import type { Hub } from "../hub/hub.ts";
import { randomCommands } from "./commands.ts";
import { randomFaults } from "./faults/random.ts";
import { NOT_ON_CHIPS } from "./faults/vocabulary.ts";
import { LIVENESS_US_MAX } from "./limits.ts";
import type { CommandPlan, FaultPlan, PlantPlan } from "./plan.ts";
import { createPrng } from "./prng.ts";
import { runSimulation, type SimulationOptions, type SimulationResult } from "./simulation.ts";

/** A stretch of the run, in ms from its start, both ends included. */
export interface Window {
  fromMs: number;
  toMs: number;
}

export type Expectation =
  | { kind: "node"; node: string; state: string; window: Window }
  | {
      kind: "channel";
      node: string;
      channel: string;
      quality: string;
      cause: string | undefined; // undefined: any
      value: number | undefined; // undefined: any
      window: Window;
    }
  | {
      kind: "alarm";
      node: string;
      channel: string;
      alarm: string;
      raised: boolean; // false: returned to normal
      window: Window;
    }
  | { kind: "counter"; node: string; counter: NodeCounter; atLeast: number; atMost: number }
  | { kind: "sums" };

export const NODE_COUNTERS = [
  "queued",
  "dropped",
  "lost",
  "ringDropped",
  "loopTraps",
  "loopOverruns",
  "linkTraps",
  "boot",
  "beyondLimits",
] as const;
export type NodeCounter = (typeof NODE_COUNTERS)[number];

export interface Scenario {
  name: string;
  seed: number;
  forMs: number;
  faults: FaultPlan[] | "by-seed"; // on top of those of the plant; by seed: commands as well
  commands: CommandPlan[];
  expect: Expectation[];
}

export interface Verdict {
  text: string; // what was expected
  met: boolean;
  seen: string; // when it was seen, or what was seen instead
}

export interface ScenarioResult {
  result: SimulationResult;
  verdicts: Verdict[]; // in the order of the scenario
}

/** Runs a plant through a scenario; the options may watch and trace, seed and length are its own. */
export function runScenario(
  plan: PlantPlan,
  scenario: Scenario,
  options: Pick<SimulationOptions, "trace" | "pcap" | "progress" | "compile"> = {},
): ScenarioResult {
  const { seed, forMs } = scenario;
  const judge = createJudge(scenario);
  const { faults, commands } = befalling(scenario, plan);
  const result = runSimulation(
    { ...plan, faults: [...plan.faults, ...faults] },
    { ...options, seed, forMs, loss: 0, duplicate: 0, reorder: 0, commands, watch: judge.watch },
  );
  return { result, verdicts: judge.verdicts(result) };
}

export interface Judge {
  /** Looks at the hub, again and again; the time is of the run. */
  watch(hub: Hub, virtualMs: number): void;
  /** At the end. */
  verdicts(result: SimulationResult): Verdict[];
}

/** Sees which expectations of a scenario are met, in virtual or real time. */
export function createJudge({ expect }: Scenario): Judge {
  const firstSeenMs = expect.map((): number | undefined => undefined);
  let changeId = 0;
  return {
    watch(hub, virtualMs) {
      const changes = hub.changesSince(changeId);
      changeId = hub.changeId();
      expect.forEach((wanted, i) => {
        if (!("window" in wanted) || firstSeenMs[i] !== undefined) return;
        if (virtualMs < wanted.window.fromMs || virtualMs > wanted.window.toMs) return;
        if (changes.some((change) => shows(change, wanted))) firstSeenMs[i] = virtualMs;
      });
    },
    verdicts: (result) => expect.map((wanted, i) => judge(wanted, firstSeenMs[i], result)),
  };
}

/** What a scenario brings on top of the faults of the plant; by seed, both follow from it. */
export function befalling(
  { seed, forMs, faults, commands }: Scenario,
  { nodes }: PlantPlan,
): { faults: FaultPlan[]; commands: CommandPlan[] } {
  if (faults !== "by-seed") return { faults, commands };
  const ids = nodes.map(({ id }) => id);
  const random = randomCommands(createPrng(seed).fork("commands"), nodes, forMs);
  const onChip = new Set(nodes.filter(({ chip }) => chip !== undefined).map(({ id }) => id));
  const drawn = randomFaults(seed, ids, forMs).filter(
    ({ fault, node = "" }) => !(NOT_ON_CHIPS.has(fault) && onChip.has(node)),
  );
  return { faults: drawn, commands: [...commands, ...random] };
}

/** What is wrong with the sums, the limits and the liveness of a run, undefined: nothing. */
export function accountProblem(result: SimulationResult): string | undefined {
  const { queued, ingested, dropped, lost, waiting, finished, drainMs, perNode } = result;
  if (!finished || waiting > 0) return `${waiting} still wait`;
  if (queued !== ingested + dropped + lost)
    return `${queued} queued, but ${ingested} ingested + ${dropped} dropped + ${lost} lost`;
  const wild = perNode.find(({ beyondLimits }) => beyondLimits > 0);
  if (wild !== undefined)
    return `${wild.id} put ${wild.beyondLimits} values beyond the limits of node.json`;
  if (drainMs * 1000 > LIVENESS_US_MAX) return `${drainMs / 1000} s until nothing waited`;
  return undefined;
}

function shows(change: Change, wanted: Expectation): boolean {
  switch (wanted.kind) {
    case "node":
      return (
        change.kind === "node" &&
        change.node.id === wanted.node &&
        change.node.state === wanted.state
      );
    case "channel":
      return (
        change.kind === "reading" &&
        change.node === wanted.node &&
        change.channel === wanted.channel &&
        change.quality === wanted.quality &&
        (wanted.cause === undefined || change.cause === wanted.cause) &&
        (wanted.value === undefined || change.value === wanted.value)
      );
    case "alarm":
      return (
        change.kind === "event" &&
        change.event.node === wanted.node &&
        change.event.channel === wanted.channel &&
        change.event.alarm === wanted.alarm &&
        change.event.kind === (wanted.raised ? "alarm" : "returned")
      );
    default:
      return false;
  }
}

function judge(wanted: Expectation, seenMs: number | undefined, result: SimulationResult): Verdict {
  const text = describeExpectation(wanted);
  if (wanted.kind === "sums") {
    const problem = accountProblem(result);
    const { queued, ingested, dropped, lost } = result;
    const sums = `${queued} = ${ingested} + ${dropped} + ${lost}`;
    return { text, met: problem === undefined, seen: problem ?? sums };
  }
  if (wanted.kind === "counter") {
    const value = result.perNode.find(({ id }) => id === wanted.node)?.[wanted.counter] ?? 0;
    return { text, met: value >= wanted.atLeast && value <= wanted.atMost, seen: String(value) };
  }
  if (seenMs === undefined) return { text, met: false, seen: "never in that time" };
  return { text, met: true, seen: `at ${seconds(seenMs)}` };
}

/** One line for people. */
export function describeExpectation(wanted: Expectation): string {
  switch (wanted.kind) {
    case "node":
      return `${wanted.node} becomes ${wanted.state} ${describeWindow(wanted.window)}`;
    case "channel": {
      const cause = wanted.cause === undefined ? "" : ` (${wanted.cause})`;
      const value = wanted.value === undefined ? "" : ` at ${wanted.value}`;
      const { node, channel, quality, window } = wanted;
      return `${node}/${channel} becomes ${quality}${cause}${value} ${describeWindow(window)}`;
    }
    case "alarm": {
      const { node, channel, alarm, raised } = wanted;
      const what = raised ? "is raised" : "returns to normal";
      return `${node}/${channel}/${alarm} ${what} ${describeWindow(wanted.window)}`;
    }
    case "counter": {
      const { node, counter, atLeast, atMost } = wanted;
      const most = atMost === Infinity ? "" : `, at most ${atMost}`;
      return `${node} counts ${counter}: at least ${atLeast}${most}`;
    }
    case "sums":
      return `queued = ingested + dropped + lost, all within ${seconds(LIVENESS_US_MAX / 1000)}`;
  }
}

function describeWindow({ fromMs, toMs }: Window): string {
  return `between ${seconds(fromMs)} and ${seconds(toMs)}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms) / 1000} s`;
}
