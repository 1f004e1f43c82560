// SPDX-License-Identifier: MIT
// Which registers follow a value that somebody reads off a display.
//
// A reading is a number as the display rounded it, seen up to LATE_US before it was noted. Of every register the values that
// held in that time are kept, then every candidate (registers, type, order, scale) is tried on all readings. A fit is worth
// as many bits as it would be unlikely by chance: some times the range of the readings over what the display cannot tell apart, divided by the values tried. A candidate that never moved is worth nothing. Ties go to the plainer one.

import { registersOf, tableOf, type Table, type TapEvent } from "./event.ts";
import { registerKey } from "./inventory.ts";
import { ordersOf, TYPES, valueOf, wordsOf, type Order, type ValueType } from "./value.ts";

export const LATE_US = 2_000_000; // from the display to the note
export const READINGS_MAX = 1000;
const MISSES_SHARE = 0.2; // of the readings: slips of the pen
const MISS_BITS = 8; // a miss weighs as much as a good fit
const CHANGES_MAX = 64; // values of one register within LATE_US; a poll each 31 ms
const ROUNDING_SHARE = 1e-6; // what a 32-bit float cannot hold
const RANGE_FACTOR = 4; // a value that chance gives lies where the readings lie, or not far from there

/** A number read off a display. */
export interface DisplayReading {
  atUs: number;
  value: number;
  decimals: number; // digits behind the point
}

export interface Candidate extends Place {
  type: ValueType;
  order: Order;
  scale: number;
  fits: number; // readings
  bits: number; // evidence; 10 more are a thousand times less likely by chance
}

/** Values that a register had within LATE_US before a reading. */
interface Held {
  atUs: number[];
  values: number[];
}

/** What all registers held at each reading. */
export interface Snapshots {
  readings: DisplayReading[];
  held: Map<number, Held>[]; // of each reading, by registerKey()
  places: Map<number, Place>;
}

export interface Place {
  unit: number;
  table: Table;
  address: number;
}

export interface Watcher {
  readonly snapshots: Snapshots;
  /** A register was heard. */
  note(register: Place & { value: number }, atUs: number): void;
  /** A reading that was noted now, after all that was heard before. */
  read(reading: DisplayReading): void;
}

/** Keeps what registers held in the last LATE_US. */
export function createWatcher(): Watcher {
  const recent = new Map<number, Held>();
  const snapshots: Snapshots = { readings: [], held: [], places: new Map() };
  return {
    snapshots,
    note({ unit, table, address, value }, atUs) {
      if (table === "coil" || table === "discrete") return;
      const key = registerKey(unit, table, address);
      let held = recent.get(key);
      if (held === undefined) {
        recent.set(key, (held = { atUs: [], values: [] }));
        snapshots.places.set(key, { unit, table, address });
      }
      drop(held, atUs - LATE_US);
      held.atUs.push(atUs);
      held.values.push(value);
    },
    read(reading) {
      if (snapshots.readings.length >= READINGS_MAX) return;
      const taken = new Map<number, Held>();
      for (const [key, held] of recent) {
        drop(held, reading.atUs - LATE_US);
        taken.set(key, { atUs: [...held.atUs], values: [...held.values] });
      }
      snapshots.readings.push(reading);
      snapshots.held.push(taken);
    },
  };
}

/** Everything that an event says of registers. */
export function noteHeard(watcher: Watcher, event: TapEvent): void {
  const { unit, code, address, atUs } = event;
  const table = tableOf(code);
  if (table === undefined) return;
  registersOf(event).forEach((value, i) =>
    watcher.note({ unit, table, address: address + i, value }, atUs),
  );
}

// What was replaced before `fromUs`; the value that held then stays.
function drop({ atUs, values }: Held, fromUs: number): void {
  while (atUs.length > 1 && (atUs[1]! <= fromUs || atUs.length > CHANGES_MAX)) {
    atUs.shift();
    values.shift();
  }
}

// Powers of ten first, then what meters and drives multiply by.
const SCALES: readonly number[] = [
  ...[1, 0.1, 0.01, 0.001, 10, 100, 1000, 1e-4, 1e-5, 1e-6, 1e4, 1e5, 1e6],
  ...[0.5, 0.2, 0.25, 0.05, 0.02, 0.025, 0.125, 0.04, 2, 5, 20, 50, 4, 8, 16, 25],
  ...[1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256, 1 / 3.6, 3.6, 60, 1 / 60],
];

/** Candidates that fit, the likeliest first. */
export function rank(snapshots: Snapshots, most: number): Candidate[] {
  const found: Candidate[] = [];
  const sight = lookAt(snapshots.readings);
  for (const [key, place] of snapshots.places)
    for (const type of TYPES) {
      if (!hasWords(snapshots, key, wordsOf(type))) continue;
      for (const order of ordersOf(type)) {
        const series = seriesOf(snapshots, key, type, order);
        if (series === undefined) continue;
        for (const scale of SCALES) {
          const { fits, bits } = judge(sight, series, { scale, integer: isInteger(type) });
          if (bits > 0) found.push({ ...place, type, order, scale, fits, bits });
        }
      }
    }
  found.sort((a, b) => b.bits - a.bits || plainness(a) - plainness(b));
  return found.slice(0, most);
}

function hasWords({ places }: Snapshots, key: number, words: number): boolean {
  for (let i = 1; i < words; i++) if (!places.has(key + i)) return false;
  return (key & 0xffff) + words <= 65_536;
}

/** Values that a candidate had at each reading; none: it was not heard yet. */
type Series = readonly number[][];

// undefined: it never moved, or no scale makes it fit the first readings, of which at most `missesMax` may miss.
function seriesOf(
  { held, readings }: Snapshots,
  key: number,
  type: ValueType,
  order: Order,
): Series | undefined {
  const first = Math.min(held.length, missesMaxOf(readings) + 1);
  const values = held.slice(0, first).map((at) => valuesAt(at, key, type, order));
  if (!SCALES.some((scale) => values.some((tried, i) => fitsOne(readings[i]!, tried, scale))))
    return undefined;
  for (const at of held.slice(first)) values.push(valuesAt(at, key, type, order));
  const [sample] = values.flat();
  return values.some((tried) => tried.some((value) => value !== sample)) ? values : undefined;
}

// Words of one value come in one answer: they are put together as they stood at each time at which one was heard.
function valuesAt(at: Map<number, Held>, key: number, type: ValueType, order: Order): number[] {
  const parts: Held[] = [];
  for (let i = 0; i < wordsOf(type); i++) {
    const part = at.get(key + i);
    if (part === undefined) return [];
    parts.push(part);
  }
  const values: number[] = [];
  const words: number[] = [];
  for (const time of parts[0]!.atUs) {
    parts.forEach((part, i) => (words[i] = valueAt(part, time)));
    const value = valueOf(words, type, order);
    if (Number.isFinite(value) && !values.includes(value)) values.push(value);
  }
  return values;
}

function valueAt({ atUs, values }: Held, time: number): number {
  let at = 0;
  while (at + 1 < atUs.length && atUs[at + 1]! <= time) at++;
  return values[at]!;
}

interface Sight {
  readings: readonly DisplayReading[];
  range: number; // in which chance would have to hit
}

function lookAt(readings: readonly DisplayReading[]): Sight {
  const values = readings.map(({ value }) => value);
  const range = values.length === 0 ? 0 : Math.max(...values) - Math.min(...values);
  return { readings, range: range * RANGE_FACTOR };
}

function judge(
  { readings, range }: Sight,
  series: Series,
  { scale, integer }: { scale: number; integer: boolean },
): { fits: number; bits: number } {
  const missesMax = missesMaxOf(readings);
  let fits = 0;
  let bits = 0;
  for (let i = 0; i < readings.length; i++) {
    const tried = series[i]!;
    if (fitsOne(readings[i]!, tried, scale)) {
      fits++;
      const indistinct = (2 * slackOf(readings[i]!) + (integer ? scale : 0)) * tried.length;
      bits += Math.max(0, Math.log2(range / indistinct));
    } else if (i + 1 - fits > missesMax) return { fits, bits: 0 };
  }
  return { fits, bits: bits - (readings.length - fits) * MISS_BITS };
}

function fitsOne(reading: DisplayReading, tried: readonly number[], scale: number): boolean {
  const slack = slackOf(reading);
  for (const each of tried) if (Math.abs(each * scale - reading.value) <= slack) return true;
  return false;
}

function slackOf({ value, decimals }: DisplayReading): number {
  return 0.5 * 10 ** -decimals + Math.abs(value) * ROUNDING_SHARE;
}

function missesMaxOf({ length }: readonly DisplayReading[]): number {
  return Math.floor(length * MISSES_SHARE);
}

function isInteger(type: ValueType): boolean {
  return !type.startsWith("f");
}

// Fewer words, the usual order, unsigned before signed, a power of ten before another factor.
function plainness({ type, order, scale }: Candidate): number {
  const swapped = order === "ABCD" ? 0 : 1;
  return (
    wordsOf(type) * 100 +
    swapped * 10 +
    (type.startsWith("i") ? 5 : 0) +
    SCALES.indexOf(scale) / 100
  );
}
