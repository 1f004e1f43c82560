// SPDX-License-Identifier: MIT
// What line a recorded wave or a row of octets is, found by the node's own tap.
//
// Only samples go in. The edges are told as fast as the node takes them; once it has set its UART the wave is heard
// from its start at that rate, by a receiver that shares nothing with the node. Silence at the end ends all waits.

import { formatOf } from "../../host-sim/line/format.ts";
import { createReceiver } from "../../host-sim/line/receiver.ts";
import {
  createProbe,
  TICK_US,
  type LineFinding,
  type ProbeCharacter,
  type ProbeHost,
} from "./probe.ts";

const PICOSECONDS_A_NS = 1000;
const LEVEL = 0x8000_0000;
const DISTANCE_MAX = 0x7fff_ffff;
const SILENCE_US = 12_000_000; // after the last octet or edge: longer than any wait of the node
const TICKS_MAX = 2_000_000; // 5.5 hours of line
const LEAP_US = 4_000_000; // silence that is leapt over: longer than what ends a sample, and its scoring
const TIMES_AGAIN = 4;
const AGAIN_US = 3_900_000; // silence that ends a telegram and a sample, and in which it is scored
const LEAP_TO_US = 20_000; // before what comes then

/** The levels of a wire. */
export interface RecordedWave {
  unitPs: number; // length of a unit in picoseconds
  initial: number; // level before the first edge
  edges: ArrayLike<number>; // distances in units; the level toggles at each
}

export interface Detection {
  baud: number | null; // null: no serial line
  format: string | null;
  inverted: boolean;
  protocol: string | null; // null: unknown
  confidence: number; // percent, of baud, format and polarity
  why: string[];
}

/** The line of a wave. */
export function detect(module: WebAssembly.Module, wave: RecordedWave): Detection {
  return conclude(runToEnd(module, waveHost(wave)));
}

/** The protocol of octets with their times; the rate is not in them. What was said once is heard several times. */
export function detectOctets(
  module: WebAssembly.Module,
  characters: readonly ProbeCharacter[],
): Detection {
  let found = conclude(runToEnd(module, octetHost(characters)));
  if (found.protocol === null && characters.length > 0)
    found = conclude(runToEnd(module, octetHost(saidAgain(characters))));
  const why = found.protocol === null ? ["nothing decodes these octets"] : found.why;
  return { ...found, baud: null, format: null, inverted: false, why };
}

// The node wants several frames before it says what they are; a recording may hold one telegram.
function saidAgain(characters: readonly ProbeCharacter[]): ProbeCharacter[] {
  const stepUs = characters.at(-1)!.atUs + AGAIN_US;
  return Array.from({ length: TIMES_AGAIN }, (_, i) =>
    characters.map((each) => ({ ...each, atUs: each.atUs + i * stepUs })),
  ).flat();
}

/** A host, and when its line is over. */
export interface Line {
  host: ProbeHost;
  /** When the next edge or octet comes, Infinity: there is none. */
  nextUs(): number;
}

/** Ticks until the line is over and its silence as well; all that was told. */
export function runToEnd(module: WebAssembly.Module, line: Line): LineFinding[] {
  const probe = createProbe(module, line.host);
  const told: LineFinding[] = [];
  let nowUs = 0;
  let heardUs = 0;
  for (let i = 0; i < TICKS_MAX && nowUs - heardUs < SILENCE_US; i++) {
    nowUs += TICK_US;
    told.push(...probe.tick(nowUs));
    const next = line.nextUs();
    if (next !== Infinity) heardUs = Math.max(nowUs, heardUs);
    if (next !== Infinity && next - nowUs > LEAP_US && nowUs - heardUs >= 0)
      nowUs = leap(probe.tick, nowUs, next, told);
  }
  return told;
}

// Enough of a long silence for its sample to be scored; the rest is left out.
function leap(
  tick: (nowUs: number) => LineFinding[],
  fromUs: number,
  nextUs: number,
  told: LineFinding[],
): number {
  let nowUs = fromUs;
  for (; nowUs < fromUs + LEAP_US; nowUs += TICK_US) told.push(...tick(nowUs));
  return Math.max(nowUs, Math.floor((nextUs - LEAP_TO_US) / TICK_US) * TICK_US);
}

/** A wave at the pin: edges on demand, then octets at the rate that the node sets. */
export function waveHost(wave: RecordedWave): Line {
  let edge = 0;
  let characters: ProbeCharacter[] = [];
  let character = 0;
  let open = false;
  const next = (): number => {
    if (open) return characters[character]?.atUs ?? Infinity;
    return edge < wave.edges.length ? 0 : Infinity;
  };
  return {
    nextUs: next,
    host: {
      unitPs: wave.unitPs,
      edges(capacity) {
        const from = edge;
        edge = Math.min(edge + capacity, wave.edges.length);
        return Array.from({ length: edge - from }, (_, i) => entryOf(wave, from + i));
      },
      characters(capacity, nowUs) {
        const from = character;
        while (character < characters.length && character - from < capacity) {
          if (characters[character]!.atUs > nowUs) break;
          character++;
        }
        return characters.slice(from, character);
      },
      open(baud, format, inverted, nowUs) {
        open = baud !== 0;
        characters = open ? hearWave(wave, { baud, format, inverted }, nowUs) : [];
        character = 0;
        return true;
      },
    },
  };
}

/** Octets at a port that has no rate. */
export function octetHost(all: readonly ProbeCharacter[]): Line {
  let next = 0;
  return {
    nextUs: () => all[next]?.atUs ?? Infinity,
    host: {
      unitPs: 0,
      edges: () => [],
      characters(capacity, nowUs) {
        const from = next;
        while (next < all.length && next - from < capacity && all[next]!.atUs <= nowUs) next++;
        return all.slice(from, next);
      },
      open: () => true,
    },
  };
}

function entryOf({ initial, edges }: RecordedWave, index: number): number {
  const level = ((initial ^ index) & 1) === 1 ? LEVEL : 0;
  return level + Math.min(edges[index]!, DISTANCE_MAX);
}

/** Its characters at a rate, from its start, which is now. */
export function hearWave(
  { unitPs, initial, edges }: RecordedWave,
  { baud, format, inverted }: { baud: number; format: string; inverted: boolean },
  nowUs: number,
): ProbeCharacter[] {
  const heard: ProbeCharacter[] = [];
  const settings = { format: formatOf(baud, format), inverted };
  const receiver = createReceiver(
    settings,
    (data, flags, atNs) => heard.push({ atUs: nowUs + atNs / 1000, octet: data & 0xff, flags }),
    initial,
  );
  let level = initial;
  let ns = 0;
  for (let i = 0; i < edges.length; i++) {
    ns += (edges[i]! * unitPs) / PICOSECONDS_A_NS;
    receiver.level((level = 1 - level), ns);
  }
  receiver.runTo(ns + 20 * settings.format.bitNs);
  return heard;
}

/** What was told in the end. What was known best counts: a capture may end within a frame. */
export function conclude(told: readonly LineFinding[]): Detection {
  const protocol = mostFrames(told);
  const line = protocol ?? told.findLast(({ baud }) => baud !== null);
  const none = told.findLast(({ phase }) => phase === "none");
  const edges = told.at(-1)?.edges ?? 0;
  if (line === undefined || (none !== undefined && none.atUs > line.atUs)) {
    const why = edges < 16 ? "too few edges to tell" : "no rate, format and polarity fits";
    const confidence = none?.confidence ?? 0;
    const nothing = { baud: null, format: null, inverted: false, protocol: null };
    return { ...nothing, confidence, why: [`${edges} edges: ${why}`] };
  }
  return {
    baud: line.baud,
    format: line.format,
    inverted: line.inverted,
    protocol: line.protocol,
    confidence: line.confidence,
    why: reasons(line),
  };
}

// Of the latest protocol: its counts begin anew where it is decoded.
function mostFrames(told: readonly LineFinding[]): LineFinding | undefined {
  const known = told.filter(({ phase }) => phase === "protocol");
  const last = known.at(-1);
  const same = known.filter((one) => one.protocol === last?.protocol && one.baud === last.baud);
  return same.reduce((best, one) => (one.frames >= best.frames ? one : best), same[0]!);
}

function reasons({ baud, format, inverted, edges, ...of }: LineFinding): string[] {
  const polarity = inverted ? "inverted, the line rests low" : "the line rests high";
  const line = `${edges} edges fit ${baud} baud, ${format}, ${polarity}`;
  const share = `${of.coverage} % of the octets are in frames whose check holds`;
  const protocol =
    of.protocol === null
      ? "no protocol that is known covers enough of the octets"
      : `${share}: ${of.protocol}, ${of.frames} frames`;
  return edges === 0 ? [protocol] : [line, protocol];
}
