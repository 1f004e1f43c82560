// SPDX-License-Identifier: MIT
// `ferrule hub`: the IT side by itself, from any MQTT broker to the page.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { type Endpoint, readBroker, readEndpoint } from "../cli/values.ts";
import { EXAMPLE_PLANT } from "../run/example.ts";

interface Options {
  broker: string;
  page?: Endpoint;
  plant: string;
  history?: string;
  json?: boolean;
}

export function addHub(program: Command): void {
  program
    .command("hub")
    .description("take readings from an MQTT broker and serve the page, until Ctrl-C")
    .requiredOption("--broker <URL>", "mqtt://HOST[:PORT]", readBroker)
    .option("--page <[HOST:]PORT>", "where the page is (8080, or the next free one)", readEndpoint)
    .option("--plant <PLANT>", "plant.json that says where the nodes stand", EXAMPLE_PLANT)
    .option("--history <FILE>", "keeps the past in this file; without it, in memory")
    .addHelpText("after", "\nExample:\n  ferrule hub --broker mqtt://127.0.0.1 --history plant.db")
    .action(run);
}

async function run(options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { runHub } = await import("../run/services.ts");
  const service = await runHub(options.plant, options.broker, options);
  if (options.json) printJson({ page: service.page, broker: options.broker, token: service.token });
  else print(`page ${service.page}\nbroker ${options.broker}\ntoken ${service.token}`);
  await interruption.wait(Infinity);
  await service.close();
  if (interruption.signal.reason === "SIGINT") process.exitCode = EXIT_INTERRUPTED;
}
