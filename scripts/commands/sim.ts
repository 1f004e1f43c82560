// SPDX-License-Identifier: MIT
// `ferrule sim [PLANT]`: the whole road from one seed, in virtual or real time.

import type { Command } from "commander";
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readFraction, readLengthMs, readSeed } from "../cli/values.ts";
import type { Verdict } from "../../host-sim/scenario.ts";
import type { SimulationResult } from "../../host-sim/simulation.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";
import { type PtyWish, readPty } from "../run/pty.ts";

interface Options {
  seed: number;
  for: number;
  loss: number;
  duplicate: number;
  reorder: number;
  scenario?: string;
  trace?: string;
  pcap?: string;
  realtime?: boolean;
  pty?: PtyWish;
  json?: boolean;
}

export function addSim(program: Command): void {
  program
    .command("sim")
    .description("run a plant in virtual time, with network faults, the same for the same seed")
    .argument("[PLANT]", "plant.json, its folder, or a node folder", EXAMPLE_PLANT)
    .option("--seed <N>", "decides everything that is random", readSeed, 1)
    .option("--for <T>", "how long nodes sample: 30, 30s, 10m, 1h", readLengthMs, 60_000)
    .option("--loss <P>", "probability that a datagram is lost", readFraction, 0)
    .option("--duplicate <P>", "that it arrives twice", readFraction, 0)
    .option("--reorder <P>", "that it arrives late, after others", readFraction, 0)
    .option("--scenario <FILE>", "a file of faults and of what is expected by when")
    .option("--trace <FILE>", "writes every step, the same bytes for the same seed")
    .option("--pcap <FILE>", "writes the datagrams for Wireshark")
    .option("--realtime", "runs by the clock on real sockets, with broker and page, as up does")
    .option("--pty <[NODE[/TAP]:]A,B>", "in real time, a tapped line as two ptys", readPty)
    .addHelpText("after", "\nExample:\n  ferrule sim --seed 7 --for 10m --loss 0.2 --trace run.txt")
    .action(run);
}

async function run(plant: string, options: Options, command: Command): Promise<void> {
  if (options.realtime === true || options.pty !== undefined)
    return runRealtime(plant, options, command);
  const { describeResult, describeVerdicts, simulate } = await import("../run/simulate.ts");
  const { signal } = watchInterruption();
  const { scenario: file, for: forMs, ...rest } = options;
  const scenario = file === undefined ? {} : { scenario: scenarioOf(file, plant, command) };
  const { result, verdicts } = await simulate(plant, { ...rest, forMs, ...scenario }, signal);
  if (options.json) printJson(file === undefined ? result : { ...result, verdicts });
  else print([describeResult(result), describeVerdicts(verdicts)].join("\n").trimEnd());
  if (verdicts.some(({ met }) => !met)) throw notMet(verdicts);
  if (!result.finished)
    throw new Failure(
      EXIT_FAILED,
      "after 10 virtual minutes without faults something still waits",
      "look at the end of a --trace of the same seed",
    );
}

async function runRealtime(plant: string, options: Options, command: Command): Promise<void> {
  for (const name of ["trace", "pcap"] as const)
    if (options[name] !== undefined)
      throw new Failure(
        EXIT_USAGE,
        `--${name} is for virtual time`,
        `leave it away, or leave --realtime and --pty away`,
      );
  const interruption = watchInterruption();
  const { printPlaces, startRoad } = await import("../run/road.ts");
  const { describeResult, describeVerdicts } = await import("../run/simulate.ts");
  const { seed, loss, duplicate, reorder, pty, scenario: file } = options;
  const road = await startRoad(plant, {
    seed,
    network: { loss, duplicate, reorder },
    signal: interruption.signal,
    ...(pty !== undefined && { pty }),
    ...(file !== undefined && { scenario: scenarioOf(file, plant, command) }),
  });
  printPlaces(road, options.json === true);
  await road.startNodes();
  const interrupted = await interruption.wait(road.forMs ?? options.for);
  const { result, verdicts } = await road.finish();
  if (options.json) printJson(file === undefined ? result : { ...result, verdicts });
  else if (result !== undefined)
    print([describeResult(result, "passed"), describeVerdicts(verdicts)].join("\n").trimEnd());
  if (interrupted) process.exitCode = EXIT_INTERRUPTED;
  else if (verdicts.some(({ met }) => !met)) throw notMet(verdicts);
  else if (result?.finished === false) throw stillWaiting(result);
}

function notMet(verdicts: readonly Verdict[]): Failure {
  const failed = verdicts.filter(({ met }) => !met).length;
  return new Failure(
    EXIT_FAILED,
    `${failed} of ${verdicts.length} expectations were not met`,
    "look at a --trace of the same seed",
  );
}

function stillWaiting({ waiting }: SimulationResult): Failure {
  return new Failure(
    EXIT_FAILED,
    `10 s after sampling stopped ${waiting} readings still wait`,
    "look at what the gateway and the broker said above",
  );
}

// What was given on the command line wins over what the file says.
function scenarioOf(
  file: string,
  plant: string,
  command: Command,
): { file: string; plant?: string; seed?: number; forMs?: number } {
  const given = (option: string): boolean => command.getOptionValueSource(option) === "cli";
  const options = command.opts<Options>();
  return {
    file,
    ...(command.args.length > 0 && { plant }),
    ...(given("seed") && { seed: options.seed }),
    ...(given("for") && { forMs: options.for }),
  };
}
