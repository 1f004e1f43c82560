// SPDX-License-Identifier: MIT
// A range of a channel's past: points, or bands when they are many.
//
// (R1) an answer has at most the points asked for, and nulls between them where nothing was heard.
// (R2) a silence longer than the gap shows as nulls in both forms, one longer than a band in bands.

import type { HistoryAnswer, HistoryBand } from "./api.ts";
import { type Buckets, type Series, withGaps } from "./history.ts";

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
    if (few.length <= points) return { points: withGaps(few, gapMs) };
  }
  // From the first point there is, so that "all" does not mean since 1970.
  const firstMs = Math.max(sinceMs, firstOf(series, sinceMs, untilMs));
  const widthMs = Math.max(1, Math.ceil((untilMs - firstMs + 1) / points));
  const found = series.buckets(firstMs, untilMs, widthMs);
  return { bands: bandsOf(found, gapMs), widthMs: found.widthMs };
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
