// SPDX-License-Identifier: MIT
// Where a command's words go: data to stdout, talk to stderr.
//
// Colour only where a person reads: NO_COLOR and pipes get plain text. A reader that closes the pipe ends the command quietly.

import { styleText } from "node:util";

export type Colour = "red" | "green" | "yellow" | "bold" | "dim";

/** Text in a colour where it goes to a terminal (stderr unless said) and NO_COLOR is not set. */
export function paint(colour: Colour, text: string, terminal = process.stderr.isTTY): string {
  const wanted = terminal && (process.env["NO_COLOR"] ?? "") === "";
  return wanted ? styleText(colour, text) : text;
}

/** One line of data on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One JSON value on a line of stdout. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** One line of talk on stderr. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Lets `ferrule ... | head -1` end without an error; a full disk behind stdout is one. */
export function allowClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      if (stream === process.stdout) say(`ferrule: stdout cannot be written (${error.code})`);
      process.exit(1);
    });
}
