// SPDX-License-Identifier: MIT
// Conducts a scenario in real time: writes its commands, watches the hub.
//
// Commands are written at the hub. What cannot be had is refused before anything starts: commands past the hub,
// which the built-in broker refuses, and faults by seed, which take in all kinds.

import type { FaultPlan } from "../../host-sim/plan.ts";
import { createJudge, type Scenario, type Verdict } from "../../host-sim/scenario.ts";
import type { SimulationResult } from "../../host-sim/simulation.ts";
import type { Hub } from "../../hub/hub.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";

const WATCH_MS = 100; // as often as in virtual time
const BY = "plan";

export interface Conductor {
  /** Nothing is written any more; the watch goes on until the verdicts. */
  stopCommands(): void;
  verdicts(result: SimulationResult): Verdict[];
}

/** Faults of a scenario; throws a Failure when something of it cannot be had in real time. */
export function checkScenario(scenario: Scenario | undefined): readonly FaultPlan[] {
  if (scenario === undefined) return [];
  const { faults, commands } = scenario;
  const next = "change the file, or run it in virtual time, without --realtime and --pty";
  if (faults === "by-seed")
    throw new Failure(EXIT_FAILED, "faults by seed are for virtual time alone", next);
  if (commands.some(({ by }) => by === "broker"))
    throw new Failure(EXIT_FAILED, "in real time commands are written at the hub alone", next);
  return faults;
}

/** Begins now. */
export function conduct(scenario: Scenario, hub: Hub): Conductor {
  const startMs = performance.now();
  const judge = createJudge(scenario);
  const watch = (): void => judge.watch(hub, Math.round(performance.now() - startMs));
  const watching = setInterval(watch, WATCH_MS);
  const timers = scenario.commands.map(({ atMs, node, setpoint: name, value }) =>
    setTimeout(
      () => hub.writeSetpoint({ node, name, value, by: BY, seenMs: null }, Date.now()),
      atMs,
    ),
  );
  return {
    stopCommands: () => timers.forEach(clearTimeout),
    verdicts(result) {
      watch();
      clearInterval(watching);
      return judge.verdicts(result);
    },
  };
}
