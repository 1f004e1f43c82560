// SPDX-License-Identifier: MIT
// `ferrule gateway`: MQTT-SN over UDP to any MQTT broker, a product by itself.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { type Endpoint, readBroker, readEndpoint, showEndpoint } from "../cli/values.ts";

interface Options {
  udp: Endpoint;
  broker: string;
  json?: boolean;
}

export function addGateway(program: Command): void {
  program
    .command("gateway")
    .description("carry MQTT-SN clients on UDP to an MQTT broker, until Ctrl-C")
    .option("--udp <[HOST:]PORT>", "where clients reach it", readEndpoint, {
      host: "127.0.0.1",
      port: 10_000,
    })
    .requiredOption("--broker <URL>", "mqtt://HOST[:PORT]", readBroker)
    .addHelpText(
      "after",
      "\nExample:\n  ferrule gateway --udp 0.0.0.0:10000 --broker mqtt://127.0.0.1",
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { runGateway } = await import("../run/services.ts");
  const service = await runGateway(options.udp, options.broker);
  const address = showEndpoint({ host: options.udp.host, port: service.port });
  if (options.json) printJson({ gateway: `udp://${address}`, broker: options.broker });
  else print(`gateway udp://${address}\nbroker ${options.broker}`);
  await interruption.wait(Infinity);
  await service.close();
  if (interruption.signal.reason === "SIGINT") process.exitCode = EXIT_INTERRUPTED;
}
