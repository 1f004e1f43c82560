// SPDX-License-Identifier: MIT
// `ferrule tap find SOURCE`: which registers follow what a display shows.

import type { Command } from "commander";
import { EXIT_FAILED, EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { lineOf, withProtocol } from "../cli/tap-line.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import { createFinder, showCandidates } from "../tap/finder.ts";
import type { Wanted } from "../tap/known.ts";
import { readReadings, splitReading, type Written } from "../tap/readings.ts";
import { hear } from "../tap/session.ts";

interface Options extends Wanted {
  reading?: Written[];
  readings?: string;
  for?: number;
  json?: boolean;
}

export function addTapFind(tap: Command): void {
  const command = tap
    .command("find")
    .description("rank registers that follow a value read off the machine's display")
    .argument("<SOURCE>", "capture file, or a port: then readings are typed")
    .option("--reading <TIME=VALUE>", "seconds or clock time; may be given again", splitReading)
    .option("--readings <FILE>", "lines of time,value")
    .option("--for <T>", "of a port: ends after 30, 30s, 10m, 1h", readLengthMs);
  withProtocol(command)
    .addHelpText(
      "after",
      "\nExamples:\n  ferrule tap find line.jsonl --readings display.csv\n" +
        "  ferrule tap find line.jsonl --reading 12=20.1 --reading 40=23.5 --reading 61=19.8\n" +
        "  ferrule tap find /dev/ttyUSB0 --baud 19200",
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { protocol, reading = [], readings } = options;
  const finder = createFinder([...reading, ...(readings ? readReadings(readings) : [])]);
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, finder.done, ...limit]);
  await hear(name, { ...lineOf(options), protocol }, signal, finder.hearers);
  const candidates = finder.result();
  if (options.json) printJson({ readings: finder.count(), candidates });
  else print(showCandidates(candidates, finder.count()).join("\n"));
  if (candidates.length === 0) process.exitCode = EXIT_FAILED;
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
