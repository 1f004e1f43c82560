// SPDX-License-Identifier: MIT
// Writes what a line says into a file; its ending says the format.
//
// What was heard stays whatever ends the recording: each batch is written when it came. A file that is there is not
// written over unless that is wanted. Ends by itself at RECORDING_BYTES_MAX.

import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { extname } from "node:path";
import { about, EXIT_FAILED, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { encodeCharacter, encodeHeader } from "./capture.ts";
import type { Batch } from "./line.ts";
import type { Source } from "./source.ts";

const RECORDING_BYTES_MAX = 1 << 30; // two weeks of a busy line at 9,600 bit/s are less in .pcapng

/** Turns batches into octets of a file. */
export interface Encoder {
  start(): Uint8Array;
  put(batch: Batch): Uint8Array;
  end(): Uint8Array; // what still waits
}

export interface Recorded {
  file: string;
  characters: number;
  bytes: number;
  endedBy: "source" | "size";
}

const ENDINGS = [".jsonl", ".pcapng"] as const;
export type Ending = (typeof ENDINGS)[number];

/** The format that a file's ending asks for; throws a Failure for any other. */
export function endingOf(file: string): Ending {
  const ending = ENDINGS.find((each) => each === extname(file));
  if (ending !== undefined) return ending;
  throw new Failure(
    EXIT_USAGE,
    `${file}: the ending says no format`,
    "end it with .jsonl (our own) or .pcapng (for Wireshark)",
  );
}

/** Our own format. */
export function jsonEncoder({ line, startedMs }: Source): Encoder {
  const octets = (text: string): Uint8Array => Buffer.from(text);
  return {
    start: () => octets(encodeHeader(line, startedMs)),
    put: ({ characters }) => octets(characters.map(encodeCharacter).join("")),
    end: () => new Uint8Array(),
  };
}

/** Writes all that the source says; `told` gets the number of characters as it grows. */
export async function record(
  source: Source,
  encoder: Encoder,
  { file, force, told }: { file: string; force: boolean; told: (characters: number) => void },
): Promise<Recorded> {
  if (existsSync(file) && !force)
    throw new Failure(EXIT_FAILED, `${file} is there already`, "give another name, or add --force");
  let handle: number | undefined;
  const done: Recorded = { file, characters: 0, bytes: 0, endedBy: "source" };
  const write = (octets: Uint8Array): void => {
    handle ??= openSync(file, "w");
    for (let at = 0; at < octets.length;) at += writeSync(handle, octets, at);
    done.bytes += octets.length;
  };
  try {
    for await (const batch of source.batches) {
      if (handle === undefined) write(encoder.start()); // not before the source could be opened
      write(encoder.put(batch));
      told((done.characters += batch.characters.length));
      if (done.bytes < RECORDING_BYTES_MAX) continue;
      done.endedBy = "size";
      break;
    }
    write(handle === undefined ? encoder.start() : encoder.end());
  } catch (error) {
    throw about(error, file);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
  return done;
}
