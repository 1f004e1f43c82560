// SPDX-License-Identifier: MIT
// `ferrule tap detect SOURCE`: rate, format, polarity and protocol of a line.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import { detectSource, showDetected, tellNext } from "../tap/detection.ts";

interface Options {
  channel?: string;
  for: number;
  json?: boolean;
}

export function addTapDetect(tap: Command): void {
  tap
    .command("detect")
    .description("find rate, format, polarity and protocol of a line")
    .argument("<SOURCE>", "serial port, pty or capture file, - for stdin")
    .option("--channel <NAME>", "of a capture of edges: this one only")
    .option("--for <T>", "of a port: no longer than this", readLengthMs, 300_000)
    .addHelpText(
      "after",
      "\nA port tells octets, not edges: rates and formats are tried in turn, 3 s each.\n\n" +
        "Examples:\n  ferrule tap detect edges.jsonl --channel RX\n" +
        "  ferrule tap detect /dev/ttyUSB0",
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const signal = AbortSignal.any([interruption.signal, AbortSignal.timeout(options.for)]);
  const found = await detectSource(name, options.channel, signal);
  if (options.json) found.forEach(printJson);
  else {
    print(found.flatMap(showDetected).join("\n"));
    tellNext(name, found);
  }
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
