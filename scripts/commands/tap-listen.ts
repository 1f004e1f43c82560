// SPDX-License-Identifier: MIT
// `ferrule tap listen SOURCE`: what a line says, decoded, as it comes.

import type { Command } from "commander";
import { EXIT_INTERRUPTED } from "../cli/failure.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { lineOf, withProtocol } from "../cli/tap-line.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readLengthMs } from "../cli/values.ts";
import type { Wanted } from "../tap/known.ts";
import { jsonOf, showEvent } from "../tap/listen.ts";
import { readMap, type RegisterMap } from "../tap/map.ts";
import type { Heard } from "../tap/report.ts";
import { createScreen } from "../tap/screen.ts";
import { hear, type Hearers } from "../tap/session.ts";

interface Options extends Wanted {
  map?: string;
  for?: number;
  lines?: boolean;
  json?: boolean;
}

export function addTapListen(tap: Command): void {
  const command = tap
    .command("listen")
    .description("show what a line says, decoded, until Ctrl-C")
    .argument("<SOURCE>", "serial port, pty or capture file, - for stdin")
    .option("--map <NODE>", "a node.json, or its folder, that names registers")
    .option("--lines", "a line for each event at a terminal too")
    .option("--for <T>", "ends after 30, 30s, 10m, 1h", readLengthMs);
  withProtocol(command)
    .addHelpText("after", "\nExample:\n  ferrule tap listen /dev/ttyUSB0 --baud 19200 --map meter")
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const interruption = watchInterruption();
  const map: RegisterMap = options.map === undefined ? new Map() : readMap(options.map);
  const limit = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
  const signal = AbortSignal.any([interruption.signal, ...limit]);
  const hearers =
    options.json || options.lines || !process.stdout.isTTY
      ? tellEvents(map, options.json === true)
      : createScreen(map);
  const { protocol } = options;
  await hear(name, { ...lineOf(options), protocol, quiet: true }, signal, hearers);
  if (interruption.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
}

function tellEvents(map: RegisterMap, json: boolean): Hearers {
  let heard: Heard;
  return {
    opened: (_source, it) => (heard = it),
    event: (event) =>
      json ? printJson(jsonOf(event, heard, map)) : print(showEvent(event, heard, map)),
  };
}
