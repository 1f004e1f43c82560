// SPDX-License-Identifier: MIT
// Recorded waveforms for tests, and a detector to feed.
//
// A channel is a list of distances between edges in samples. What a header says of rate or format is expectation
// only: it never reaches what is tested.

import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Wave } from "../../host-sim/line/wave.ts";
import { buildProbe } from "./probe.ts";

const PICOSECONDS = 1e12;
const LEVEL = 0x8000_0000;
const DISTANCE_MAX = 0x7fff_ffff;
export const FRAMING_ERROR = 0x10000; // CHARACTER_FRAMING of bits.ts
const FORMATS = [null, "7E1", "7O1", "8N1", "8E1", "8O1", "9N1"];

export interface Expected {
  uart: boolean;
  baud: number;
  format: string;
  format_accept: string[];
  inverted: boolean;
  bytes_hex: string;
  framing_errors: number;
  framing_error_at?: number[];
  too_short_for_rate_detection?: boolean;
  baud_ambiguous?: string;
}

export interface EdgeChannel {
  name: string; // file and channel
  unitPs: number;
  initial: number;
  samples: number;
  edges: number[];
  expected: Expected;
}

interface Line {
  sample_rate_hz: number;
  channel: string;
  initial: number;
  samples: number;
  edges: number[];
}

/** All channels of a folder of edge captures. */
export function readEdgeFolder(folder: string): EdgeChannel[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return files.sort().flatMap((name) => readEdgeCapture(join(folder, name)));
}

/** The channels of one edge capture. */
export function readEdgeCapture(file: string): EdgeChannel[] {
  const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { expected } = JSON.parse(head!) as { expected: { channels: Record<string, Expected> } };
  return lines.map((text) => {
    const line = JSON.parse(text) as Line;
    return {
      name: `${basename(file, ".jsonl")} ${line.channel}`,
      unitPs: Math.round(PICOSECONDS / line.sample_rate_hz),
      initial: line.initial,
      samples: line.samples,
      edges: line.edges,
      expected: expected.channels[line.channel]!,
    };
  });
}

/** Edges as edge_take gives them. */
export function edgeEntries({ initial, edges }: EdgeChannel, count = edges.length): Uint32Array {
  return entriesOf(initial, edges.slice(0, count));
}

/** Distances between the edges of a wave as a capture with this unit sees them. */
export function waveDistances({ edges }: Wave, unitPs: number): number[] {
  const at = edges.map((ns) => Math.round((ns * 1000) / unitPs));
  return at.map((units, i) => units - (at[i - 1] ?? 0));
}

/** Edges of a wave as edge_take gives them. */
export function waveEntries(wave: Wave, unitPs: number): Uint32Array {
  return entriesOf(wave.initial, waveDistances(wave, unitPs));
}

function entriesOf(initial: number, distances: readonly number[]): Uint32Array {
  const level = (i: number): number => ((initial ^ (i & 1)) === 1 ? LEVEL : 0);
  return Uint32Array.from(distances, (units, i) => level(i) + Math.min(units, DISTANCE_MAX));
}

export interface Verdict {
  baud: number; // 0: no serial line
  format: string | null;
  inverted: boolean;
  confidence: number;
  edges: number; // that it took
}

const DETECTOR = `
import {
  baudOf, DETECT_STEPS, Detector, DETECTOR_BYTES, edgesOf, formatOf, isInverted,
  look, nextWindow, startDetector, stepDetector,
} from "../firmware/loop/tap/detect";
import { putEdge } from "../firmware/loop/tap/edges";
const D = changetype<Detector>(memory.data(DETECTOR_BYTES, 4));
export function start(unitPs: i32): void { startDetector(D, unitPs); }
export function put(edge: i32): i32 { return putEdge(edgesOf(D), edge) ? 1 : 0; }
export function run(): i32 {
  look(D);
  let steps = 1;
  while (!stepDetector(D)) steps++;
  return steps;
}
export function next(): void { nextWindow(D); }
export function baud(): i32 { return D.best < 0 ? 0 : baudOf(D.best); }
export function format(): i32 { return D.best < 0 ? 0 : formatOf(D.best); }
export function inverted(): i32 { return D.best >= 0 && isInverted(D.best) ? 1 : 0; }
export function confidence(): i32 { return D.confidence; }
export function promised(): i32 { return DETECT_STEPS; }
`;

export interface Detection {
  /** The verdict on edges, window by window until it is sure or they end. */
  judge(unitPs: number, entries: Uint32Array): Verdict;
  stepsMax(): number; // of a window, so far
  stepsPromised: number;
}

/** The detector alone, as it is compiled into loop. */
export async function buildDetection(sure = 95): Promise<Detection> {
  const p = await buildProbe(DETECTOR);
  let stepsMax = 0;
  return {
    stepsMax: () => stepsMax,
    stepsPromised: p["promised"]!(),
    judge(unitPs, entries) {
      p["start"]!(unitPs);
      for (let at = 0; ;) {
        while (at < entries.length && p["put"]!(entries[at]! | 0) === 1) at++;
        stepsMax = Math.max(stepsMax, p["run"]!());
        const confidence = p["confidence"]!();
        if (confidence >= sure || at === entries.length)
          return {
            baud: p["baud"]!(),
            format: FORMATS[p["format"]!()]!,
            inverted: p["inverted"]!() === 1,
            confidence,
            edges: at,
          };
        p["next"]!();
      }
    },
  };
}

const BITS = `
import { hold, Receiver, Scale, scaled, scaleFor, startReceiver } from "../firmware/loop/tap/bits";
const S = changetype<Scale>(memory.data(offsetof<Scale>(), 4));
const R = changetype<Receiver>(memory.data(offsetof<Receiver>(), 4));
export function start(baud: i32, unitPs: i32, idle: i32, bits: i32): i32 {
  const fits = scaleFor(S, baud, unitPs);
  startReceiver(R, idle, bits, S.bit);
  return fits ? 1 : 0;
}
export function put(level: i32, distance: i32): i32 { return hold(R, level, scaled(S, distance)); }
`;

/** A receiver at a given rate; gives the characters of a channel, framing errors with FRAMING_ERROR set. */
export async function buildReceiver(): Promise<(channel: EdgeChannel) => number[]> {
  const p = await buildProbe(BITS);
  return ({ unitPs, initial, samples, edges, expected: { baud, format, inverted } }) => {
    const bits = Number(format[0]) + (format[1] === "N" ? 0 : 1);
    if (p["start"]!(baud, unitPs, inverted ? 0 : 1, bits) !== 1) throw new Error("no such rate");
    // A capture may end within the last stop bit: the line stays as it is.
    const rest =
      samples - edges.reduce((sum, distance) => sum + distance, 0) + PICOSECONDS / unitPs / baud;
    return [...edges, Math.round(rest)].flatMap((distance, i) => {
      const character = p["put"]!(initial ^ (i & 1), distance);
      return character < 0 ? [] : [character];
    });
  };
}
