// SPDX-License-Identifier: MIT
// The points of one chart: a bounded window of one channel.
//
// Times ascend strictly. A null is no value: `bad` (the node said so) or `silence` (three periods without a reading).
// No line is drawn over either.
// (I1) never more than POINTS_MAX points; thinning keeps the lowest and the highest of each four, so no spike vanishes.

import type { HistoryPoint } from "../api.ts";
import { POINTS_MAX } from "./limits.ts";

export type Mark = "value" | "bad" | "silence";

export interface Series {
  times: number[]; // wall milliseconds
  values: (number | null)[];
  marks: Mark[];
  silenceMs: number; // longest time between two readings while all is well; 0: none promised
}

/** What lies between two times, for the scale of a bar or an axis; null when there is no value. */
export interface Extent {
  low: number;
  high: number;
}

export function createSeries(silenceMs: number): Series {
  return { times: [], values: [], marks: [], silenceMs };
}

/** Adds a reading; one that is not newer than the last is passed over. */
export function appendPoint(series: Series, wallMs: number, value: number | null): void {
  const last = series.times.at(-1);
  if (last !== undefined && wallMs <= last) return;
  const silent = last !== undefined && series.silenceMs > 0 && wallMs - last > series.silenceMs;
  if (silent && series.marks.at(-1) === "value") put(series, last + series.silenceMs / 3, null);
  put(series, wallMs, value, "bad");
  if (series.times.length > POINTS_MAX) thin(series);
}

/** Puts the hub's history under what came live since. */
export function loadHistory(series: Series, points: readonly HistoryPoint[]): void {
  const live = { ...series };
  const newest = points.at(-1)?.[0] ?? -Infinity;
  series.times = [];
  series.values = [];
  series.marks = [];
  let before = NaN;
  for (const [wallMs, value] of points) {
    // The hub marks silence by a null right after the last reading before it.
    if (value === null && wallMs === before + 1) put(series, wallMs, null);
    else appendPoint(series, wallMs, value);
    before = wallMs;
  }
  for (const [index, wallMs] of live.times.entries()) {
    const isReading = live.marks[index] !== "silence";
    if (wallMs > newest && isReading) appendPoint(series, wallMs, live.values[index] ?? null);
  }
}

/** Drops what is older than `fromMs`, except the last point before it: the line begins at the edge. */
export function trimSeries(series: Series, fromMs: number): void {
  let drop = 0;
  while (drop + 1 < series.times.length && (series.times[drop + 1] ?? Infinity) <= fromMs) drop++;
  if (drop > 0) dropOldest(series, drop);
}

export function extentOf(series: Pick<Series, "values">): Extent | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of series.values) {
    if (value === null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : null;
}

/** Indexes to draw: of each column of time the lowest and the highest value, and every gap. */
export function columnExtremes(series: Series, columnMs: number): number[] {
  const shown: number[] = [];
  let start = 0;
  for (let index = 1; index <= series.times.length; index++) {
    const column = Math.floor((series.times[index] ?? Infinity) / columnMs);
    if (column === Math.floor((series.times[start] ?? 0) / columnMs)) continue;
    shown.push(...extremes(series, start, index));
    start = index;
  }
  return shown;
}

function put(
  series: Series,
  wallMs: number,
  value: number | null,
  missing: Mark = "silence",
): void {
  series.times.push(wallMs);
  series.values.push(value);
  series.marks.push(value === null ? missing : "value");
}

function dropOldest(series: Series, count: number): void {
  series.times.splice(0, count);
  series.values.splice(0, count);
  series.marks.splice(0, count);
}

/** Halves the older half; the bound holds even when every second point is a gap. */
function thin(series: Series): void {
  const half = series.times.length >> 1;
  const kept = createSeries(series.silenceMs);
  for (let index = 0; index < half; index += 4) keepExtremes(series, kept, index, half);
  for (const name of ["times", "values", "marks"] as const) {
    series[name].splice(0, half, ...(kept[name] as never[]));
  }
  if (series.times.length > POINTS_MAX) dropOldest(series, series.times.length - POINTS_MAX);
}

function keepExtremes(from: Series, to: Series, start: number, end: number): void {
  for (const index of extremes(from, start, Math.min(start + 4, end))) {
    put(to, from.times[index] ?? 0, from.values[index] ?? null, from.marks[index] ?? "bad");
  }
}

/** Of some points: the first gap, the lowest and the highest value, in their order. */
function extremes(series: Series, start: number, end: number): number[] {
  let gap = -1;
  let low = -1;
  let high = -1;
  for (let index = start; index < end; index++) {
    const value = series.values[index] ?? null;
    if (value === null) gap = gap < 0 ? index : gap;
    else {
      if (low < 0 || value < (series.values[low] ?? 0)) low = index;
      if (high < 0 || value > (series.values[high] ?? 0)) high = index;
    }
  }
  const found = [...new Set([gap, low, high])].filter((index) => index >= 0);
  return found.sort((left, right) => left - right);
}
