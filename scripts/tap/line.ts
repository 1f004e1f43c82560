// SPDX-License-Identifier: MIT
// What the commands know of a serial line: characters, rates, formats.
//
// A character is an octet with the time at which it ended and the flags of SPEC.md §1.3. Times are microseconds
// since the beginning of the capture, or since the port was opened.

import { InvalidArgumentError } from "commander";

export const FORMATS = ["7E1", "7O1", "8N1", "8E1", "8O1", "8N2"] as const;
export type Format = (typeof FORMATS)[number];

export const BAUD_MIN = 300;
export const BAUD_MAX = 921_600;

export interface Line {
  baud: number;
  format: Format;
  inverted?: boolean; // it rests low; absent: high, or nobody can tell
}

export interface Character {
  atUs: number; // its end
  octet: number;
  flags: number;
}

/** What came together; `nowUs` is not before the last of the characters, of which there may be none. */
export interface Batch {
  characters: readonly Character[];
  nowUs: number;
}

/** How long a character takes on the line, µs. */
export function characterUs({ baud, format }: Line): number {
  const bits = format === "8N1" || format.startsWith("7") ? 10 : 11;
  return (bits * 1_000_000) / baud;
}

/** A rate in bit/s. */
export function readBaud(text: string): number {
  const baud = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(baud >= BAUD_MIN && baud <= BAUD_MAX))
    throw new InvalidArgumentError(`a rate is a whole number from ${BAUD_MIN} to ${BAUD_MAX}.`);
  return baud;
}

/** Seconds and milliseconds of a time in µs, as 12.345. */
export function showSeconds(atUs: number): string {
  return (atUs / 1_000_000).toFixed(3);
}
