// SPDX-License-Identifier: MIT
// `ferrule sim [PLANT]`: the whole road from one seed, in virtual or real time.

import type { Command } from "commander";
import { boardOption, type Engine, engineOption } from "../cli/engine.ts";
import { addNetworkOptions, type NetworkOptions } from "../cli/network.ts";
import { readLengthMs } from "../cli/values.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";
import { type PtyWish, readPty } from "../run/pty.ts";
import type { SimulateOptions } from "../run/simulate.ts";

interface Options extends NetworkOptions {
  for: number;
  scenario?: string;
  trace?: string;
  pcap?: string;
  realtime?: boolean;
  pty?: PtyWish;
  engine: Engine;
  board: string;
  json?: boolean;
}

export function addSim(program: Command): void {
  const command = program
    .command("sim")
    .description("run a plant in virtual time, with network faults, the same for the same seed")
    .argument("[PLANT]", "plant.json, its folder, or a node folder", EXAMPLE_PLANT)
    .option("--for <T>", "how long nodes sample: 30, 30s, 10m, 1h", readLengthMs, 60_000);
  addNetworkOptions(command)
    .addOption(engineOption())
    .addOption(boardOption("--engine chip"))
    .option("--scenario <FILE>", "a file of faults and of what is expected by when")
    .option("--trace <FILE>", "writes every step, the same bytes for the same seed")
    .option("--pcap <FILE>", "writes the datagrams for Wireshark")
    .option("--realtime", "runs by the clock on real sockets, with broker and page, as up does")
    .option("--pty <[NODE[/TAP]:]A,B>", "in real time, a tapped line as two ptys", readPty)
    .addHelpText("after", "\nExample:\n  ferrule sim --seed 7 --for 10m --loss 0.2 --trace run.txt")
    .action(run);
}

async function run(plant: string, options: Options, command: Command): Promise<void> {
  const { for: forMs, scenario: file, realtime, json = false, ...rest } = options;
  const scenario = file === undefined ? {} : { scenario: scenarioOf(file, plant, command) };
  const { simulateReal, simulateVirtual } = await import("../run/outcome.ts");
  const byClock = realtime === true || options.pty !== undefined;
  await (byClock ? simulateReal : simulateVirtual)(plant, { ...rest, ...scenario, forMs, json });
}

// What was given on the command line wins over what the file says.
function scenarioOf(
  file: string,
  plant: string,
  command: Command,
): NonNullable<SimulateOptions["scenario"]> {
  const given = (option: string): boolean => command.getOptionValueSource(option) === "cli";
  const { seed, for: forMs } = command.opts<Options>();
  const own = { ...(given("seed") && { seed }), ...(given("for") && { forMs }) };
  return { file, ...(command.args.length > 0 && { plant }), ...own };
}
