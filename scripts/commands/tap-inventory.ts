// SPDX-License-Identifier: MIT
// `ferrule tap inventory SOURCE`: units, registers, polls, health of a line.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { lineOf, withProtocol } from "../cli/tap-line.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import type { Wanted } from "../tap/known.ts";
import { reportOf, showReport } from "../tap/report.ts";
import { hear } from "../tap/session.ts";

interface Options extends Wanted {
  for?: number;
  json?: boolean;
}

export function addTapInventory(tap: Command): void {
  const command = tap
    .command("inventory")
    .description("list units, registers, polls, answer times and the health of a line")
    .argument("<SOURCE>", "serial port, pty or capture file, - for stdin")
    .option("--for <T>", "of a port: ends after 30, 30s, 10m, 1h, else with Ctrl-C", readLengthMs);
  withProtocol(command)
    .addHelpText(
      "after",
      "\nExamples:\n  ferrule tap inventory line.jsonl\n" +
        "  ferrule tap inventory /dev/ttyUSB0 --baud 19200 --format 8E1 --for 10m",
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, ...limit]);
  const { protocol } = options;
  const report = reportOf(await hear(name, { ...lineOf(options), protocol }, signal));
  if (options.json) printJson(report);
  else print(showReport(report));
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
