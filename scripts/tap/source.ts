// SPDX-License-Identifier: MIT
// SOURCE of a command: a serial port, a pty, a capture file, or stdin.
//
// All give batches of characters. A port needs a rate, 9600 8N1 unless said; a capture has what its header says, and
// options win over it.

import { statSync } from "node:fs";
import { EXIT_NOT_FOUND, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { isCapture, openCapture, type Capture } from "./capture.ts";
import { hearPort } from "./port.ts";
import type { Batch, Line } from "./line.ts";

const LINE_DEFAULT: Line = { baud: 9600, format: "8N1" };

export interface Source {
  name: string; // as it was given
  live: boolean; // time passes by itself
  line: Line;
  startedMs: number | undefined; // since 1970
  batches: AsyncIterable<Batch>;
}

/** Opens a source; a live one ends with the signal. */
export async function openSource(
  name: string,
  wish: Partial<Line>,
  signal: AbortSignal,
): Promise<Source> {
  if (!isCapture(name)) {
    requirePlace(name);
    const line = { ...LINE_DEFAULT, ...wish };
    const batches = hearPort(name, line, signal);
    return { name, live: true, line, startedMs: Date.now(), batches };
  }
  return openCharacters(name, await openCapture(name), wish, signal);
}

/** The characters of a capture; throws a Failure where it has none, or does not say its rate. */
export function openCharacters(
  name: string,
  capture: Capture,
  wish: Partial<Line>,
  signal: AbortSignal,
): Source {
  const { header } = capture;
  if (header.kind === "edges") throw noCharacters(name);
  const { baud, format = LINE_DEFAULT.format } = { ...header.line, ...wish };
  if (baud === undefined)
    throw new Failure(EXIT_USAGE, `${name} does not say its rate`, "give it, as --baud 9600");
  const batches = readUntil(capture, signal);
  return { name, live: false, line: { baud, format }, startedMs: header.startedMs, batches };
}

async function* readUntil(capture: Capture, signal: AbortSignal): AsyncGenerator<Batch> {
  try {
    for await (const batch of capture.batches()) {
      if (signal.aborted) return;
      yield batch;
    }
  } finally {
    capture.close();
  }
}

// Said here, where a typing error in a file's name is as likely as a plug that is out.
export function requirePlace(name: string): void {
  const found = statSync(name, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Failure(
      EXIT_NOT_FOUND,
      `${name} is not there`,
      "give a serial port that is plugged in, a pty, or a capture file; ports: ls /dev/tty*",
    );
  if (found.isDirectory())
    throw new Failure(
      EXIT_NOT_FOUND,
      `${name} is a folder`,
      "give a port, a pty or a capture file",
    );
}

function noCharacters(name: string): Failure {
  return new Failure(
    EXIT_USAGE,
    `${name} holds edges, not characters`,
    `find out what the line is with: ferrule tap detect ${name}`,
  );
}
