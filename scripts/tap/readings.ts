// SPDX-License-Identifier: MIT
// Readings of a display as people write them: TIME=VALUE, a file, a typed line.
//
// TIME is seconds since the beginning of the capture, or, where the capture says when it began, a time of day of this
// machine's zone (14:03:07) or a date and time (2026-11-30T14:03:07Z). VALUE is written as the display shows it:
// its digits behind the point say how it rounds.

import { readFileSync, statSync } from "node:fs";
import { EXIT_FAILED, EXIT_NOT_FOUND, EXIT_USAGE, Failure } from "../cli/failure.ts";
import type { DisplayReading } from "./find.ts";

const FILE_BYTES_MAX = 1 << 20;
const DAY_MS = 86_400_000;

/** A time of a reading: seconds of the capture, or a clock. */
export interface Written {
  time: string;
  value: string;
}

/** "12.5=23.4", behind those that were given before. */
export function splitReading(text: string, before: readonly Written[] = []): Written[] {
  const at = text.lastIndexOf("=");
  const value = text.slice(at + 1);
  if (at < 1 || decimalsOf(value) === undefined)
    throw new Failure(
      EXIT_USAGE,
      `${text} is no reading`,
      "write TIME=VALUE, as 12.5=23.40 or 14:03:07=23.40",
    );
  return [...before, { time: text.slice(0, at), value }];
}

/** Lines of "time,value"; a first line without numbers is a title. */
export function readReadings(path: string): Written[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw new Failure(EXIT_NOT_FOUND, `there is no file ${path}`, "give one with time,value lines");
  if (found.size > FILE_BYTES_MAX)
    throw new Failure(EXIT_FAILED, `${path} is larger than 1 MB`, "give readings, not data");
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return lines.flatMap((line, i): Written[] => {
    const [time = "", value = ""] = line.split(/[,;\t]/).map((cell) => cell.trim());
    if (line.trim() === "" || (i === 0 && !/\d/.test(line))) return [];
    if (decimalsOf(value) === undefined)
      throw new Failure(
        EXIT_FAILED,
        `${path}:${i + 1}: this is no reading`,
        "write time,value on each line, as 12.5,23.40",
      );
    return [{ time, value }];
  });
}

/** The reading of a capture that began at `startedMs`; throws a Failure where its time is none. */
export function placeReading(written: Written, startedMs: number | undefined): DisplayReading {
  const { time, value } = written;
  const atUs = /^\d+(\.\d+)?$/.test(time) ? Number(time) * 1e6 : clockUs(time, startedMs);
  return { atUs, value: Number(value), decimals: decimalsOf(value)! };
}

/** A number that was typed now; undefined: it is none. */
export function typedReading(text: string, atUs: number): DisplayReading | undefined {
  const decimals = decimalsOf(text.trim());
  return decimals === undefined ? undefined : { atUs, value: Number(text), decimals };
}

function decimalsOf(value: string): number | undefined {
  const match = /^[+-]?\d{1,15}(?:\.(\d{0,12}))?$/.exec(value);
  return match === null ? undefined : (match[1] ?? "").length;
}

function clockUs(time: string, startedMs: number | undefined): number {
  if (startedMs === undefined)
    throw new Failure(
      EXIT_USAGE,
      `${time}: this capture does not say when it began`,
      "give times as seconds since its beginning, as 12.5",
    );
  const ofDay = /^(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?$/.exec(time);
  let ms = Date.parse(time);
  if (ofDay !== null) {
    const [, hours, minutes, seconds = "0"] = ofDay;
    const midnight = new Date(startedMs).setHours(0, 0, 0, 0);
    ms = midnight + (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
    if (ms < startedMs) ms += DAY_MS;
  }
  if (Number.isNaN(ms))
    throw new Failure(
      EXIT_USAGE,
      `${time} is no time`,
      "give seconds, a time of day, or a date and time",
    );
  return (ms - startedMs) * 1000;
}
