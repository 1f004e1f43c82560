// SPDX-License-Identifier: MIT
// Faults of serial lines, between what a machine says and what a tap hears.
//
// Without a fault characters pass as they are and no chance is drawn. While one is on, each is put onto a wire
// bit by bit (host-sim/line) and heard by a receiver of the tap's rate and format, LAG_CHARACTERS later but
// with its own time: until then an echo or a stray may still come. Afterwards it goes on so until the line
// rests. (L1) characters keep their order. A tap whose rate nobody knows is left alone.

import { TAP_FLAG_BREAK, TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import type { Device, TapSink } from "../devices/device.ts";
import { LINE_BURST_CHARACTERS_MAX } from "../limits.ts";
import { characterBits, formatOf, type Format } from "../line/format.ts";
import { createReceiver, type Receiver } from "../line/receiver.ts";
import { transmit, type Said } from "../line/sender.ts";
import { fraction } from "../line/wave.ts";
import type { TapPlan } from "../plan.ts";
import type { Prng } from "../prng.ts";

const LAG_CHARACTERS = 5;
const BURST_GAP_CHARACTERS = 2; // a longer silence ends a burst
const STRAY_AFTER_CHARACTERS = 0.3; // as a transmitter turns off
const GLITCH_BITS = 0.6;

export interface LineFault {
  kind: "rate" | "jitter" | "glitch" | "dropout" | "inverted" | "echo" | "collision" | "stray";
  amount: number; // see vocabulary.ts
}

export interface Lines extends Device {
  /** Begins a fault of all lines of the node; what it returns ends it. */
  begin(fault: LineFault): () => void;
}

/** Edges to come of one that drives the wire. */
interface Driver {
  level: number;
  freeNs: number; // it says nothing before
  readonly edges: number[];
}

interface Line {
  readonly tap: number;
  readonly prng: Prng;
  readonly format: Format;
  readonly characterNs: number;
  readonly receiver: Receiver;
  readonly machine: Driver;
  readonly others: Driver; // echoes, strays, another transmitter
  readonly spoiler: Driver; // what it drives is turned over
  burst: Said[];
  burstEndNs: number; // -Infinity: no burst is open
  inverted: number; // 0 or 1, as the spoiler has it already
  sink: TapSink;
  wire: number;
}

interface State {
  readonly active: Set<LineFault>;
  readonly lines: (Line | undefined)[];
}

/** The same machine behind lines that can fail. */
export function createLines(device: Device, taps: readonly TapPlan[], prng: Prng): Lines {
  const state: State = {
    active: new Set(),
    lines: taps.map(({ baud, format }, tap) =>
      baud > 0 ? createLine(tap, formatOf(baud, format), prng.fork(`tap ${tap}`)) : undefined,
    ),
  };
  return {
    ...device,
    advance(nowUs, sink) {
      if (state.active.size === 0 && state.lines.every((line) => line === undefined || rests(line)))
        return device.advance(nowUs, sink);
      device.advance(nowUs, (tap, endUs, byte, flags) => {
        const line = state.lines[tap];
        if (line === undefined) return sink(tap, endUs, byte, flags);
        closeBurst(state, line, endUs * 1000 - line.characterNs);
        say(state, line, endUs * 1000, { byte, flags });
      });
      for (const line of state.lines) if (line !== undefined) run(state, line, nowUs * 1000, sink);
    },
    begin(fault) {
      const own = { ...fault };
      state.active.add(own);
      return () => void state.active.delete(own);
    },
  };
}

function createLine(tap: number, format: Format, prng: Prng): Line {
  const driver = (level: number): Driver => ({ level, freeNs: 0, edges: [] });
  const toEndNs = (format.stopBits - 0.5) * format.bitNs; // from where a character is decided
  const line: Line = {
    ...{ tap, prng, format, characterNs: characterBits(format) * format.bitNs },
    receiver: createReceiver({ format }, (data, flags, atNs) =>
      line.sink(tap, Math.round((atNs + toEndNs) / 1000), data & 0xff, flags),
    ),
    ...{ machine: driver(1), others: driver(1), spoiler: driver(0) },
    ...{ burst: [], burstEndNs: -Infinity, inverted: 0, sink: () => undefined, wire: 1 },
  };
  return line;
}

function rests({ receiver, machine, others, spoiler, burstEndNs, inverted }: Line): boolean {
  const pending = machine.edges.length + others.edges.length + spoiler.edges.length;
  return (
    pending === 0 && burstEndNs === -Infinity && inverted === 0 && receiver.dueNs() === Infinity
  );
}

// ---- what is on: of faults that overlap, chances combine and sizes add up

function chanceOf({ active }: State, kind: LineFault["kind"]): number {
  let none = 1;
  for (const fault of active) if (fault.kind === kind) none *= 1 - fault.amount;
  return 1 - none;
}

function sumOf({ active }: State, kind: LineFault["kind"]): number {
  let sum = 0;
  for (const fault of active) if (fault.kind === kind) sum += fault.amount;
  return sum;
}

const countOf = ({ active }: State, kind: LineFault["kind"]): number =>
  [...active].filter((fault) => fault.kind === kind).length;

// ---- what is said

function say(
  state: State,
  line: Line,
  endNs: number,
  entry: { byte: number; flags: number },
): void {
  const { prng, format, characterNs } = line;
  const said = saidOf(entry, endNs - characterNs, format);
  if (line.burst.length < LINE_BURST_CHARACTERS_MAX) line.burst.push(said);
  line.burstEndNs = Math.max(endNs, line.machine.freeNs);
  if (prng.chance(chanceOf(state, "dropout"))) return;
  put(state, line, line.machine, said);
  const withinNs = (): number => said.startNs + fraction(prng) * characterNs;
  if (prng.chance(chanceOf(state, "collision")))
    put(state, line, line.others, { startNs: withinNs(), data: prng.below(256) });
  if (!prng.chance(chanceOf(state, "glitch"))) return;
  const glitchNs = Math.max(withinNs(), line.spoiler.freeNs);
  line.spoiler.freeNs = glitchNs + GLITCH_BITS * format.bitNs;
  line.spoiler.edges.push(glitchNs, line.spoiler.freeNs);
}

function saidOf(
  { byte, flags }: { byte: number; flags: number },
  startNs: number,
  format: Format,
): Said {
  if ((flags & TAP_FLAG_BREAK) !== 0) return { startNs, data: 0, breakBits: characterBits(format) };
  return {
    startNs,
    data: byte,
    badStop: (flags & TAP_FLAG_FRAMING) !== 0,
    badParity: (flags & TAP_FLAG_PARITY) !== 0,
  };
}

function put(state: State, { format, prng }: Line, driver: Driver, said: Said): void {
  const startNs = Math.max(said.startNs, driver.freeNs);
  const clockPpm = sumOf(state, "rate");
  const jitterBits = sumOf(state, "jitter");
  const sender = { format, clockPpm, jitterBits };
  const { edges } = transmit([{ ...said, startNs }], sender, prng);
  driver.freeNs = startNs + (characterBits(format) * format.bitNs) / (1 + clockPpm / 1e6);
  // An edge with jitter may lie before the last one: then they meet.
  for (const edge of edges) driver.edges.push(Math.max(edge, driver.edges.at(-1) ?? edge));
}

// A burst that was over long before this time is echoed, and something strays behind it.
function closeBurst(state: State, line: Line, nowNs: number): void {
  const { burst, burstEndNs, characterNs, prng } = line;
  if (nowNs - burstEndNs < BURST_GAP_CHARACTERS * characterNs || burst.length === 0) return;
  line.burst = [];
  line.burstEndNs = -Infinity;
  if (prng.chance(chanceOf(state, "stray"))) {
    const startNs = burstEndNs + STRAY_AFTER_CHARACTERS * characterNs;
    const zero = prng.chance(0.5);
    put(
      state,
      line,
      line.others,
      zero ? { startNs, data: 0, badStop: true } : { startNs, data: 0xfe },
    );
  }
  if (countOf(state, "echo") === 0) return;
  for (const said of burst)
    put(state, line, line.others, { ...said, startNs: burstEndNs + characterNs });
}

// ---- what is heard

function run(state: State, line: Line, nowNs: number, sink: TapSink): void {
  closeBurst(state, line, nowNs - line.characterNs);
  const untilNs = nowNs - LAG_CHARACTERS * line.characterNs;
  turnOver(state, line, untilNs);
  line.sink = sink;
  for (let atNs = nextEdgeNs(line); atNs < untilNs; atNs = nextEdgeNs(line)) {
    for (const driver of [line.machine, line.others, line.spoiler])
      for (; driver.edges[0] === atNs; driver.edges.shift()) driver.level ^= 1;
    const wire = (line.machine.level & line.others.level) ^ line.spoiler.level;
    if (wire !== line.wire) line.receiver.level(wire, atNs);
    line.wire = wire;
  }
  line.receiver.runTo(untilNs);
}

// Swapped wires are an edge of the spoiler when they are swapped, and one when they are no more.
function turnOver(state: State, line: Line, atNs: number): void {
  const inverted = countOf(state, "inverted") & 1;
  if (inverted === line.inverted) return;
  line.inverted = inverted;
  const { edges } = line.spoiler;
  const place = edges.findIndex((edge) => edge > atNs);
  edges.splice(place < 0 ? edges.length : place, 0, Math.max(atNs - 1, 0));
}

function nextEdgeNs({ machine, others, spoiler }: Line): number {
  return Math.min(
    machine.edges[0] ?? Infinity,
    others.edges[0] ?? Infinity,
    spoiler.edges[0] ?? Infinity,
  );
}
