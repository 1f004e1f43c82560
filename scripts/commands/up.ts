// SPDX-License-Identifier: MIT
// `ferrule up [PLANT]`: the whole road on this machine, in real time.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { type Endpoint, readBroker, readEndpoint, readFraction } from "../cli/values.ts";
import { readLengthMs, readSeed } from "../cli/values.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";
import { type PtyWish, readPty } from "../run/pty.ts";

interface Options {
  for?: number;
  page?: Endpoint;
  broker?: string;
  seed: number;
  watch?: boolean;
  history?: string;
  pty?: PtyWish;
  loss: number;
  duplicate: number;
  reorder: number;
  json?: boolean;
}

export function addUp(program: Command): void {
  program
    .command("up")
    .description("run a plant in real time and show it on a page, until Ctrl-C")
    .argument("[PLANT]", "plant.json, its folder, or a node folder", EXAMPLE_PLANT)
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs)
    .option("--page <[HOST:]PORT>", "where the page is (8080, or the next free one)", readEndpoint)
    .option("--broker <URL>", "an MQTT broker in place of the built-in one", readBroker)
    .option("--watch", "a saved loop.ts or node.json runs at once on its nodes, as a new boot")
    .option("--seed <N>", "decides the machines' noise", readSeed, 1)
    .option("--history <FILE>", "keeps the past in this file; without it, in memory")
    .option("--pty <[NODE[/TAP]:]A,B>", "the tapped line as two ptys, links A and B", readPty)
    .option("--loss <P>", "probability that a datagram is lost", readFraction, 0)
    .option("--duplicate <P>", "that it arrives twice", readFraction, 0)
    .option("--reorder <P>", "that it arrives late, after others", readFraction, 0)
    .addHelpText("after", "\nExample:\n  ferrule up my-node --watch --page 8081")
    .action(run);
}

async function run(plant: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { printPlaces, startRoad } = await import("../run/road.ts");
  const { loss, duplicate, reorder, ...rest } = options;
  const network = { loss, duplicate, reorder };
  const road = await startRoad(plant, { ...rest, network, signal: interruption.signal });
  printPlaces(road, options.json === true);
  await road.startNodes();
  const interrupted = await interruption.wait(options.for ?? Infinity);
  const { totals } = await road.finish();
  if (options.json) printJson(totals);
  else
    print(
      `${totals.nodes} nodes, ${totals.sent} readings sent, ${totals.acknowledged} acknowledged, ` +
        `${totals.ingested} ingested, ${totals.dropped} dropped`,
    );
  if (interrupted) process.exitCode = EXIT_INTERRUPTED;
}
