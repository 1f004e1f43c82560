// SPDX-License-Identifier: MIT
// Options that say what a serial line runs at.

import { Option, type Command } from "commander";
import { PROTOCOLS } from "../tap/decoder-entry.ts";
import { FORMATS, readBaud, type Line } from "../tap/line.ts";

/** Adds --baud and --format. */
export function withLine(command: Command): Command {
  return command
    .option("--baud <BAUD>", "rate of the line (9600, or what the capture says)", readBaud)
    .addOption(
      new Option("--format <F>", "its format (8N1, or what the capture says)").choices(FORMATS),
    );
}

/** Adds --baud, --format and --protocol. */
export function withProtocol(command: Command): Command {
  return withLine(command).addOption(
    new Option("--protocol <P>", "what it speaks; auto: it is found out")
      .choices(["auto", ...PROTOCOLS])
      .default("auto"),
  );
}

/** The part of a line that options say. */
export function lineOf({ baud, format }: Partial<Line>): Partial<Line> {
  return { ...(baud !== undefined && { baud }), ...(format !== undefined && { format }) };
}
