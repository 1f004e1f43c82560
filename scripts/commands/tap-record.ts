// SPDX-License-Identifier: MIT
// `ferrule tap record SOURCE --out FILE`: what a line says, with its timing.

import { Option, type Command } from "commander";
import { show } from "../build/node.ts";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { createProgress } from "../cli/progress.ts";
import { lineOf, withLine } from "../cli/tap-line.ts";
import { print, printJson, say } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import { PROTOCOLS } from "../tap/decoder-entry.ts";
import { openRecording, type RecordWish } from "../tap/encoders.ts";
import { endingOf, record } from "../tap/record.ts";

interface Options extends RecordWish {
  out: string;
  for?: number;
  force?: boolean;
  json?: boolean;
}

export function addTapRecord(tap: Command): void {
  const command = tap
    .command("record")
    .description("write what a line says into a file, with its timing, until Ctrl-C")
    .argument("<SOURCE>", "serial port, pty or capture file")
    .requiredOption("--out <FILE>", ".jsonl: our own format, .pcapng: Wireshark's")
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs)
    .option("--force", "writes over a file that is there");
  withLine(command)
    .addOption(new Option("--protocol <P>", "cuts frames of .pcapng").choices(PROTOCOLS))
    .addHelpText(
      "after",
      "\nExample:\n  ferrule tap record /dev/ttyUSB0 --baud 19200 --format 8E1 --out line.jsonl",
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const { out: file, force = false } = options;
  const ending = endingOf(file);
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, ...limit]);
  const wish = { ...lineOf(options), protocol: options.protocol };
  const { source, encoder } = await openRecording(name, ending, wish, signal);
  const progress = createProgress();
  const told = (characters: number): void => progress.show(`${characters} characters heard`);
  const done = await record(source, encoder, { file, force, told });
  progress.end();
  const { characters, bytes, endedBy } = done;
  if (options.json) printJson({ file, ...source.line, characters, bytes });
  else print(`${show(file)}: ${characters} characters, ${bytes} octets`);
  if (endedBy === "size") say("the file has its largest size: the recording ended");
  if (characters === 0) say("the line was silent: is the tap connected, is the rate right?");
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
