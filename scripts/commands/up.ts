// SPDX-License-Identifier: MIT
// `ferrule up [PLANT]`: the whole road on this machine, in real time.

import type { Command } from "commander";
import { boardOption } from "../cli/engine.ts";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { addNetworkOptions, type NetworkOptions } from "../cli/network.ts";
import { print, printJson } from "../cli/terminal.ts";
import { type Endpoint, readBroker, readEndpoint, readLengthMs } from "../cli/values.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";
import { type PtyWish, readPty } from "../run/pty.ts";

interface Options extends NetworkOptions {
  for?: number;
  page?: Endpoint;
  broker?: string;
  watch?: boolean;
  history?: string;
  pty?: PtyWish;
  posix?: string;
  chip?: string;
  board: string;
  json?: boolean;
}

export function addUp(program: Command): void {
  const command = program
    .command("up")
    .description("run a plant in real time and show it on a page, until Ctrl-C")
    .argument("[PLANT]", "plant.json, its folder, or a node folder", EXAMPLE_PLANT)
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs)
    .option("--page <[HOST:]PORT>", "where the page is (8080, or the next free one)", readEndpoint)
    .option("--broker <URL>", "an MQTT broker in place of the built-in one", readBroker)
    .option("--watch", "a saved loop.ts or node.json runs at once on its nodes, as a new boot")
    .option("--history <FILE>", "keeps the past in this file; without it, in memory")
    .option("--pty <[NODE[/TAP]:]A,B>", "the tapped line as two ptys, links A and B", readPty);
  command.option(
    "--posix <NODE>",
    "one more node, as a process of this machine (needs a C compiler)",
  );
  command.option("--chip <NODE>", "one more node, as its flash image on a model of a Pico");
  addNetworkOptions(command)
    .addOption(boardOption("--chip"))
    .addHelpText("after", "\nExample:\n  ferrule up my-node --watch --page 8081")
    .action(run);
}

async function run(plant: string, options: Options): Promise<void> {
  const { loss, duplicate, reorder, for: forMs = Infinity, json = false, ...rest } = options;
  const drive = { forMs, json, interruption: watchInterruption() };
  const road = { ...rest, network: { loss, duplicate, reorder } };
  const { driveRoad } = await import("../run/drive.ts");
  const { describeTotals } = await import("../run/road.ts");
  const { totals, interrupted } = await driveRoad(plant, road, drive);
  if (json) printJson(totals);
  else print(describeTotals(totals));
  if (interrupted) process.exitCode = EXIT_INTERRUPTED;
}
