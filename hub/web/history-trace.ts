// SPDX-License-Identifier: MIT
// What one chart draws: a line, the band around it, what was bad.
//
// Pure. From the page's own ring, or from the hub's answer for a stretch of the past.
// (T1) `times`, `values`, `low` and `high` have one length; a null breaks the line.
// (T2) in bands `values` are means, at the middle of their band; lowest and highest are kept, so no spike vanishes.

import type { HistoryAnswer, HistoryBand, HistoryPoint } from "../api.ts";
import type { Span } from "./history-range.ts";
import { extentOf, type Extent, type Series } from "./series.ts";
import { lastShown } from "./spark.tsx";

export interface Trace {
  times: number[]; // wall milliseconds
  values: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  widthMs: number; // of a band; 0: single readings
  bad: Span[]; // hatched
}

export const EMPTY_TRACE: Trace = {
  times: [],
  values: [],
  low: [],
  high: [],
  widthMs: 0,
  bad: [],
};

/** The newest readings; the last value stands until it is old. */
export function liveTrace(series: Series, heldMs: number): Trace {
  const times = [...series.times];
  const values = [...series.values];
  const last = values.at(-1) ?? null;
  if (last !== null) {
    times.push(lastShown(series, heldMs));
    values.push(last);
  }
  return { times, values, low: values, high: values, widthMs: 0, bad: badOf(series, heldMs) };
}

/** The same with its last value standing until it is old. Bands reach as far as their last one. */
export function heldTrace(trace: Trace, silenceMs: number, heldMs: number): Trace {
  const lastMs = trace.times.at(-1);
  const last = trace.values.at(-1) ?? null;
  if (lastMs === undefined || last === null || trace.widthMs > 0) return trace;
  const untilMs = silenceMs > 0 ? Math.min(heldMs, lastMs + silenceMs) : heldMs;
  if (untilMs <= lastMs) return trace;
  const values = [...trace.values, last];
  return { ...trace, times: [...trace.times, untilMs], values, low: values, high: values };
}

/** What the hub gave for a stretch of the past. */
export function pastTrace(answer: HistoryAnswer): Trace {
  const bad = (answer.bad ?? []).map(([fromMs, toMs]) => ({ fromMs, toMs }));
  return "points" in answer
    ? pointsTrace(answer.points, bad)
    : bandsTrace(answer.bands, answer.widthMs, bad);
}

/** Lowest and highest of all; null when there is no value. */
export function traceExtent({ low, high }: Trace): Extent | null {
  const [lowest, highest] = [low, high].map((values) => extentOf({ values }));
  return lowest && highest ? { low: lowest.low, high: highest.high } : null;
}

export interface TraceValue {
  mean: number;
  low: number;
  high: number;
}

/** What the trace shows at a moment: the last reading before it, or its band. Null: nothing. */
export function traceAt(trace: Trace, atMs: number): TraceValue | null {
  const lateMs = atMs + trace.widthMs / 2;
  let index = trace.times.length - 1;
  while (index >= 0 && (trace.times[index] ?? 0) > lateMs) index--;
  const mean = trace.values[index] ?? null;
  const low = trace.low[index] ?? null;
  const high = trace.high[index] ?? null;
  if (mean === null || low === null || high === null) return null;
  return { mean, low, high };
}

function pointsTrace(points: readonly HistoryPoint[], bad: Span[]): Trace {
  const values = points.map(([, value]) => value);
  return { times: points.map(([at]) => at), values, low: values, high: values, widthMs: 0, bad };
}

function bandsTrace(bands: readonly HistoryBand[], widthMs: number, bad: Span[]): Trace {
  return {
    times: bands.map(([startMs]) => startMs + widthMs / 2),
    values: bands.map(([, , mean]) => mean),
    low: bands.map(([, low]) => low),
    high: bands.map(([, , , high]) => high),
    widthMs,
    bad,
  };
}

/** Runs of bad readings, each until the next good one. */
function badOf({ times, marks }: Series, nowMs: number): Span[] {
  const found: Span[] = [];
  for (let index = 0; index < times.length; index++) {
    if (marks[index] !== "bad" || marks[index - 1] === "bad") continue;
    let end = index + 1;
    while (marks[end] === "bad") end++;
    found.push({ fromMs: times[index] ?? 0, toMs: times[end] ?? nowMs });
  }
  return found;
}
