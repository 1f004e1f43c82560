// SPDX-License-Identifier: MIT
// `ferrule tap replay FILE`: a capture with its timing, onto a pty or a port.

import type { Command } from "commander";
import { EXIT_INTERRUPTED, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { lineOf, withLine } from "../cli/tap-line.ts";
import { print, printJson, say } from "../cli/terminal.ts";
import { readSpeed, readWhole } from "../cli/values.ts";
import type { Line } from "../tap/line.ts";
import { openPortTarget, openPtyTarget, play, requireWord } from "../tap/replay.ts";
import { openSource } from "../tap/source.ts";

interface Options extends Partial<Line> {
  port?: string;
  transmit?: boolean;
  speed: number;
  repeat: number;
  json?: boolean;
}

const TIMES_MAX = 1_000_000;

export function addTapReplay(tap: Command): void {
  const command = tap
    .command("replay")
    .description("play a capture onto a pty that it makes, or onto a port")
    .argument("<FILE>", "capture file")
    .option("--port <PATH>", "a serial port; only with --transmit, since it drives a line")
    .option("--transmit", "yes, send on that port")
    .option("--speed <N>", "times as fast as it was", readSpeed, 1)
    .option("--repeat <N>", "times in all", (text) => readWhole(text, 1, TIMES_MAX), 1);
  withLine(command)
    .addHelpText("after", "\nExample:\n  ferrule tap replay line.jsonl --speed 10")
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const { port, transmit = false, speed, repeat } = options;
  requireWord(port, transmit);
  const { signal } = watchInterruption();
  let source = await openSource(file, lineOf(options), signal);
  if (source.live) throw new Failure(EXIT_USAGE, `${file} is a port`, "give a capture file");
  const target = await (port === undefined ? openPtyTarget() : openPortTarget(port, source.line));
  if (options.json) printJson({ target: target.name, ...source.line });
  else print(`plays onto ${target.name}, ${source.line.baud} ${source.line.format}`);
  let characters = 0;
  if (port === undefined) say("begins when a program opens it; Ctrl-C ends it");
  await target.ready(signal);
  for (let times = 0; times < repeat && !signal.aborted; times++) {
    if (times > 0) source = await openSource(file, lineOf(options), signal);
    characters += (await play(source.batches, target, { speed, signal })).characters;
  }
  await target.close();
  if (options.json) printJson({ characters });
  else print(`${characters} characters played`);
  if (signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}
