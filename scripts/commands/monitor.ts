// SPDX-License-Identifier: MIT
// `ferrule monitor [NODE|URL]`: what a running plant says, line by line.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readLengthMs, readRoot } from "../cli/values.ts";

interface Options {
  node?: string;
  for?: number;
  root?: string;
  json?: boolean;
}

export function addMonitor(program: Command): void {
  program
    .command("monitor")
    .description("show each reading and event of a running plant, until Ctrl-C")
    .argument("[NODE|URL]", "node id or folder; http:// of a page, mqtt:// of a broker")
    .option("--node <ID>", "of this node only")
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs)
    .option("--root <TOPIC>", "at a broker, what the hub's topics begin with (umh/v1)", readRoot)
    .addHelpText("after", "\nExample:\n  ferrule monitor http://127.0.0.1:8081 --node oven-1")
    .action(run);
}

async function run(target: string | undefined, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { describeSaid } = await import("../run/said.ts");
  const { chooseSide, followSide } = await import("../run/monitor-side.ts");
  const side = chooseSide(target, options);
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, ...limit]);
  await followSide(side, signal, (said) =>
    options.json ? printJson(said) : print(describeSaid(said)),
  );
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
