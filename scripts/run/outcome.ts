// SPDX-License-Identifier: MIT
// What `ferrule sim` came to: told, and a Failure where it is not as it must be.

import type { Verdict } from "../../host-sim/scenario.ts";
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { driveRoad } from "./drive.ts";
import type { RoadOptions } from "./road.ts";
import { describeResult, describeVerdicts, simulate, type SimulateOptions } from "./simulate.ts";
import type { Simulated } from "./simulate.ts";

export type SimOptions = SimulateOptions & Pick<RoadOptions, "pty"> & { json: boolean };

/** Simulates in virtual time and tells the result. */
export async function simulateVirtual(plant: string, options: SimOptions): Promise<void> {
  const { signal } = watchInterruption();
  const simulated = await simulate(plant, options, signal);
  tell(simulated, options, "simulated");
  refuseNotMet(simulated.verdicts);
  if (!simulated.result.finished)
    throw new Failure(
      EXIT_FAILED,
      "after 10 virtual minutes without faults something still waits",
      "look at the end of a --trace of the same seed",
    );
}

/** Runs by the clock and tells the result in the same words. */
export async function simulateReal(plant: string, options: SimOptions): Promise<void> {
  for (const name of ["trace", "pcap"] as const)
    if (options[name] !== undefined)
      throw new Failure(
        EXIT_USAGE,
        `--${name} is for virtual time`,
        `leave it away, or leave --realtime and --pty away`,
      );
  const { engine = "wasm" } = options;
  if (engine !== "wasm") {
    const next = "leave --realtime and --pty away";
    throw new Failure(
      EXIT_USAGE,
      `--engine ${engine} is for virtual time`,
      engine === "chip" ? `${next}, or run ferrule up --chip NODE` : next,
    );
  }
  const { loss, duplicate, reorder, forMs, json, ...rest } = options;
  const drive = { forMs, json, interruption: watchInterruption() };
  const road = { ...rest, network: { loss, duplicate, reorder } };
  const { result, verdicts, interrupted } = await driveRoad(plant, road, drive);
  if (result !== undefined) tell({ result, verdicts }, options, "passed");
  if (interrupted) {
    process.exitCode = EXIT_INTERRUPTED;
    return;
  }
  refuseNotMet(verdicts);
  if (result?.finished === false)
    throw new Failure(
      EXIT_FAILED,
      `10 s after sampling stopped ${result.waiting} readings still wait`,
      "look at what the gateway and the broker said above",
    );
}

function tell({ result, verdicts }: Simulated, options: SimOptions, passed: string): void {
  if (options.json) printJson(options.scenario === undefined ? result : { ...result, verdicts });
  else print([describeResult(result, passed), describeVerdicts(verdicts)].join("\n").trimEnd());
}

function refuseNotMet(verdicts: readonly Verdict[]): void {
  const failed = verdicts.filter(({ met }) => !met).length;
  if (failed === 0) return;
  throw new Failure(
    EXIT_FAILED,
    `${failed} of ${verdicts.length} expectations were not met`,
    "look at a --trace of the same seed",
  );
}
