// SPDX-License-Identifier: MIT
// `ferrule tap …`: a serial line, heard without a word.

import type { Command } from "commander";
import { addTapDetect } from "./tap-detect.ts";
import { addTapFind } from "./tap-find.ts";
import { addTapInit } from "./tap-init.ts";
import { addTapInventory } from "./tap-inventory.ts";
import { addTapListen } from "./tap-listen.ts";
import { addTapRecord } from "./tap-record.ts";
import { addTapReplay } from "./tap-replay.ts";

export function addTap(program: Command): void {
  const tap = program
    .command("tap")
    .description("listen to a serial line: a port, a pty, or a capture file")
    .addHelpText(
      "after",
      "\nSOURCE is a serial port, a pty, or a capture file (JSON lines), - for stdin.\n" +
        "Nothing but replay --transmit ever sends.\n\n" +
        "Example:\n  ferrule tap record /dev/ttyUSB0 --baud 9600 --out line.jsonl",
    );
  for (const add of [
    addTapDetect,
    addTapListen,
    addTapInventory,
    addTapFind,
    addTapInit,
    addTapRecord,
    addTapReplay,
  ])
    add(tap);
}
