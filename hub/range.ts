// SPDX-License-Identifier: MIT
// A range of a channel's past: points, or bands when they are many.
//
// (R1) an answer has at most the points asked for, and nulls between them where nothing was heard.
// (R2) a silence longer than the gap shows as nulls in both forms, one longer than a band in bands.
// (R3) bad stretches are told apart from silence for as long as raw points are kept; for bands those
//      between two of them, of at most RAW_SCAN_MAX bad readings in all.

import type { BadSpan, HistoryAnswer, HistoryBand, HistoryPoint } from "./api.ts";
import { type Buckets, type Series, withGaps } from "./history.ts";
import { RAW_SCAN_MAX } from "./limits.ts";

export interface Range {
  sinceMs: number;
  untilMs: number;
  points: number; // at most so many
}

/** Reads a range; `gapMs`: a longer silence is a hole. */
export function readRange(series: Series, range: Range, gapMs: number): HistoryAnswer {
  const { sinceMs, untilMs, points } = range;
  if (sinceMs >= series.wholeSinceMs()) {
    const few = series.points(sinceMs, untilMs, points + 1);
    if (few.length <= points)
      return { points: withGaps(few, gapMs), bad: badRuns(few, gapMs, untilMs) };
  }
  // From the first point there is, so that "all" does not mean since 1970.
  const firstMs = Math.max(sinceMs, firstOf(series, sinceMs, untilMs));
  const widthMs = Math.max(1, Math.ceil((untilMs - firstMs + 1) / points));
  const found = series.buckets(firstMs, untilMs, widthMs);
  const bad = badHoles(series, found, { sinceMs: firstMs, untilMs, points }, gapMs);
  return { bands: bandsOf(found, gapMs), widthMs: found.widthMs, bad };
}

/** The oldest point, or the oldest bucket where points are gone. */
function firstOf(series: Series, sinceMs: number, untilMs: number): number {
  const firstMs = series.points(sinceMs, untilMs, 1)[0]?.[0] ?? untilMs;
  if (sinceMs >= series.wholeSinceMs()) return firstMs;
  const [oldest] = series.buckets(sinceMs, untilMs, HOUR_MS).buckets;
  return Math.min(firstMs, Math.max(sinceMs, oldest?.startMs ?? untilMs));
}

const HOUR_MS = 3_600_000;

function bandsOf({ buckets, widthMs }: Buckets, gapMs: number): HistoryBand[] {
  const bands: HistoryBand[] = [];
  let endMs = Infinity;
  for (const { startMs, min, max, sum, count } of buckets) {
    if (startMs - endMs > Math.max(gapMs, widthMs)) bands.push([endMs, null, null, null]);
    bands.push([startMs, min, sum / count, max]);
    endMs = startMs + widthMs;
  }
  return bands;
}

/** Runs of bad readings, each until the next good one, or until nothing was heard for the gap. */
function badRuns(points: readonly HistoryPoint[], gapMs: number, untilMs: number): BadSpan[] {
  const runs: BadSpan[] = [];
  let open: BadSpan | null = null;
  let lastMs = -Infinity;
  for (const [wallMs, value] of points) {
    if (open !== null && wallMs - lastMs > gapMs) {
      open[1] = lastMs + gapMs;
      open = null;
    }
    if (open !== null) open[1] = wallMs;
    if (value !== null) open = null;
    else if (open === null) runs.push((open = [wallMs, wallMs]));
    lastMs = wallMs;
  }
  if (open !== null) open[1] = Math.min(untilMs, lastMs + gapMs);
  return runs;
}

/** Bad readings where no bucket is; nearer to each other than a band they are one stretch. */
function badHoles(
  series: Series,
  { buckets, widthMs }: Buckets,
  range: Range,
  gapMs: number,
): BadSpan[] {
  const spans: BadSpan[] = [];
  let left = RAW_SCAN_MAX;
  let endMs = Math.max(range.sinceMs, series.wholeSinceMs());
  for (const startMs of [...buckets.map((bucket) => bucket.startMs), range.untilMs + 1]) {
    if (startMs > endMs && left > 0) {
      const found = series.points(endMs, startMs - 1, left);
      left -= found.length;
      for (const run of badRuns(found, gapMs, startMs)) {
        const last = spans[spans.length - 1];
        if (last !== undefined && run[0] - last[1] < widthMs) last[1] = run[1];
        else spans.push(run);
      }
    }
    endMs = Math.max(endMs, startMs + widthMs);
  }
  return spans;
}
