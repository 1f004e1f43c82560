// SPDX-License-Identifier: MIT
// `ferrule sim [PLANT]`: the whole road in virtual time, from one seed.

import type { Command } from "commander";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readFraction, readLengthMs, readSeed } from "../cli/values.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";

interface Options {
  seed: number;
  for: number;
  loss: number;
  duplicate: number;
  reorder: number;
  scenario?: string;
  trace?: string;
  pcap?: string;
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
    .addHelpText("after", "\nExample:\n  ferrule sim --seed 7 --for 10m --loss 0.2 --trace run.txt")
    .action(run);
}

async function run(plant: string, options: Options, command: Command): Promise<void> {
  const { describeResult, describeVerdicts, simulate } = await import("../run/simulate.ts");
  const { signal } = watchInterruption();
  const { scenario: file, for: forMs, ...rest } = options;
  const scenario = file === undefined ? {} : { scenario: scenarioOf(file, plant, command) };
  const { result, verdicts } = await simulate(plant, { ...rest, forMs, ...scenario }, signal);
  if (options.json) printJson(file === undefined ? result : { ...result, verdicts });
  else print([describeResult(result), describeVerdicts(verdicts)].join("\n").trimEnd());
  const failed = verdicts.filter(({ met }) => !met);
  if (failed.length > 0)
    throw new Failure(
      EXIT_FAILED,
      `${failed.length} of ${verdicts.length} expectations were not met`,
      "look at a --trace of the same seed",
    );
  if (!result.finished)
    throw new Failure(
      EXIT_FAILED,
      "after 10 virtual minutes without faults something still waits",
      "look at the end of a --trace of the same seed",
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
