// SPDX-License-Identifier: MIT
// `ferrule gateway`: MQTT-SN on UDP and serial lines to any MQTT broker.

import { Option, type Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import {
  type Endpoint,
  readBroker,
  readEndpoint,
  readSerial,
  showEndpoint,
} from "../cli/values.ts";

interface Options {
  udp: Endpoint;
  broker: string;
  serial?: ReturnType<typeof readSerial>;
  json?: boolean;
}

export function addGateway(program: Command): void {
  program
    .command("gateway")
    .description("carry MQTT-SN clients to an MQTT broker, until Ctrl-C")
    .addOption(
      new Option("--udp <[HOST:]PORT>", "where clients reach it")
        .argParser(readEndpoint)
        .default({ host: "127.0.0.1", port: 10_000 }, "127.0.0.1:10000"),
    )
    .option("--serial <PATH@BAUD>", "a port with a node at its end; may be given again", readSerial)
    .requiredOption("--broker <URL>", "mqtt://HOST[:PORT]", readBroker)
    .addHelpText(
      "after",
      "\nExamples:\n  ferrule gateway --udp 0.0.0.0:10000 --broker mqtt://127.0.0.1\n" +
        "  ferrule gateway --serial /dev/ttyUSB0@115200 --broker mqtt://127.0.0.1",
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { runGateway } = await import("../run/services.ts");
  const { udp, broker, serial = [] } = options;
  const service = await runGateway(udp, broker, serial);
  const gateway = `udp://${showEndpoint({ host: udp.host, port: service.port })}`;
  const ports = serial.map(({ path, baud }) => `${path}@${baud}`);
  if (options.json) printJson({ gateway, serial: ports, broker });
  else
    print(
      [`gateway ${gateway}`, ...ports.map((p) => `serial ${p}`), `broker ${broker}`].join("\n"),
    );
  await interruption.wait(Infinity);
  await service.close();
  if (interruption.signal.reason === "SIGINT") process.exitCode = EXIT_INTERRUPTED;
}
