// SPDX-License-Identifier: MIT
// Takes readings of a display while a line is heard, and ranks what follows them.
//
// Readings of a capture are placed at their times; at a port they are typed: each counts when its line is finished.

import { createInterface } from "node:readline";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import {
  createWatcher,
  noteHeard,
  rank,
  type Candidate,
  type DisplayReading,
  type Watcher,
} from "./find.ts";
import type { Batch } from "./line.ts";
import { placeReading, typedReading, type Written } from "./readings.ts";
import { table } from "./table.ts";
import type { Hearers } from "./session.ts";
import type { Source } from "./source.ts";

const READINGS_MIN = 3; // fewer fit hundreds of registers
const TYPE_NOW = "type what the display shows, as it shows it, and Enter; Ctrl-D when done";
const SHOWN_MAX = 10;
const SHOWN_MEANWHILE = 3;

export interface Finder {
  hearers: Hearers;
  done: AbortSignal; // no more will be typed
  count(): number; // of readings
  /** Candidates for all readings, the likeliest first; throws a Failure where there are too few readings. */
  result(): Candidate[];
}

export function createFinder(written: readonly Written[]): Finder {
  const watcher = createWatcher();
  let due: DisplayReading[] = []; // of a capture, not yet reached
  let lastUs = 0;
  let close = (): void => undefined;
  const typedAll = new AbortController();

  function readUntil(atUs: number): void {
    while (due.length > 0 && due[0]!.atUs <= atUs) watcher.read(due.shift()!);
  }

  function listenForTyped(): void {
    const startMs = performance.now();
    const typed = createInterface({ input: process.stdin });
    const nowUs = (): number => Math.max(lastUs, (performance.now() - startMs) * 1000);
    typed.on("line", (text) => takeTyped(watcher, text, nowUs()));
    typed.on("close", () => typedAll.abort());
    close = () => typed.close();
  }

  return {
    done: typedAll.signal,
    count: () => watcher.snapshots.readings.length,
    hearers: {
      opened({ live, startedMs, name }: Source) {
        if (live && written.length > 0)
          throw new Failure(EXIT_USAGE, `${name} is a port: readings are typed`, "leave them away");
        if (live) say(TYPE_NOW);
        if (live) listenForTyped();
        due = written.map((each) => placeReading(each, startedMs)).sort((a, b) => a.atUs - b.atUs);
      },
      event(event) {
        readUntil(event.atUs - 1);
        noteHeard(watcher, event);
      },
      batch: ({ nowUs }: Batch) => (lastUs = nowUs),
      ended() {
        readUntil(lastUs);
        close();
      },
    },
    result() {
      const { length } = watcher.snapshots.readings;
      if (due.length > 0) say(`${due.length} readings lie behind the end of the capture`);
      if (length < READINGS_MIN)
        throw new Failure(
          EXIT_USAGE,
          `${length} readings are too few`,
          `give ${READINGS_MIN} at least, better 10, while the value moves`,
        );
      return rank(watcher.snapshots, SHOWN_MAX);
    },
  };
}

function takeTyped(watcher: Watcher, text: string, nowUs: number): void {
  const reading = typedReading(text, nowUs);
  if (reading === undefined) return say(`${text} is no number`);
  watcher.read(reading);
  const count = watcher.snapshots.readings.length;
  if (count < READINGS_MIN) return say(`${count} of at least ${READINGS_MIN} readings`);
  showCandidates(rank(watcher.snapshots, SHOWN_MEANWHILE), count).forEach(say);
}

/** Candidates as rows of text. */
export function showCandidates(candidates: readonly Candidate[], readings: number): string[] {
  if (candidates.length === 0) return ["no register follows these readings"];
  const rows = candidates.map(({ unit, table: name, address, type, order, scale, fits, bits }) => [
    ...[String(unit), name, String(address), type, order, showScale(scale)],
    ...[`${fits} of ${readings}`, `${bits.toFixed(0)} bits`],
  ]);
  return table([
    ["unit", "table", "address", "type", "order", "scale", "fits", "evidence"],
    ...rows,
  ]);
}

/** A factor as it can be written in a node.json. */
export function showScale(scale: number): string {
  return String(Number(scale.toPrecision(9)));
}
