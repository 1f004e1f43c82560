// SPDX-License-Identifier: MIT
// Which stretch of time a machine's charts show, and how the address says it.
//
// Pure. Nothing in the address: the last ten minutes, live. `range=8h`: moves with the clock. `since` and `until`,
// milliseconds since 1970 as in the HTTP API: stands still.

import { CHART_WINDOW_MS, RANGE_MS_MAX, RANGE_MS_MIN } from "./limits.ts";

export interface Span {
  fromMs: number;
  toMs: number;
}

export type ShownRange =
  | { kind: "live" } // the page's own ring of the newest readings
  | { kind: "moving"; key: string; lengthMs: number } // ends now
  | { kind: "fixed"; span: Span };

export interface RangeChoice {
  key: string; // in the address; "": live
  label: string;
  lengthMs: number;
}

const HOUR_MS = 3_600_000;

export const RANGES: readonly RangeChoice[] = [
  { key: "", label: "10\u00a0min", lengthMs: CHART_WINDOW_MS },
  { key: "1h", label: "1\u00a0h", lengthMs: HOUR_MS },
  { key: "8h", label: "8\u00a0h", lengthMs: 8 * HOUR_MS },
  { key: "1d", label: "1\u00a0d", lengthMs: 24 * HOUR_MS },
  { key: "7d", label: "7\u00a0d", lengthMs: 7 * 24 * HOUR_MS },
];

const TIME_MS_MAX = 8.64e15; // the latest that a Date can show

/** What an address asks for; one that makes no sense is live. */
export function readRange(query: Readonly<Record<string, string>>): ShownRange {
  const { range = "", since = "", until = "" } = query;
  const choice = RANGES.find(({ key }) => key !== "" && key === range);
  if (choice !== undefined) return { kind: "moving", key: choice.key, lengthMs: choice.lengthMs };
  const [fromMs, toMs] = [wholeOf(since), wholeOf(until)];
  const lengthMs = toMs - fromMs;
  if (!(lengthMs >= RANGE_MS_MIN && lengthMs <= RANGE_MS_MAX)) return { kind: "live" };
  return { kind: "fixed", span: { fromMs, toMs } };
}

/** What stands in the address for a range. */
export function rangeQuery(range: ShownRange): Record<string, string> {
  if (range.kind === "live") return {};
  if (range.kind === "moving") return { range: range.key };
  return { since: String(range.span.fromMs), until: String(range.span.toMs) };
}

/** `8 h`: how the choice is written. */
export function rangeLabel({ key }: { key: string }): string {
  return RANGES.find((choice) => choice.key === key)?.label ?? "";
}

/** The stretch of time at a moment. */
export function spanOf(range: ShownRange, nowMs: number): Span {
  if (range.kind === "fixed") return range.span;
  const lengthMs = range.kind === "live" ? CHART_WINDOW_MS : range.lengthMs;
  return { fromMs: nowMs - lengthMs, toMs: nowMs };
}

/** A range that stands still; shorter or longer than allowed, or in the future, it is moved there. */
export function fixedRange({ fromMs, toMs }: Span, nowMs: number): ShownRange {
  const wanted = Math.min(RANGE_MS_MAX, Math.max(RANGE_MS_MIN, toMs - fromMs));
  const middleMs = (fromMs + toMs) / 2;
  const endMs = Math.round(Math.min(nowMs, middleMs + wanted / 2));
  const startMs = Math.max(0, Math.round(endMs - wanted));
  return { kind: "fixed", span: { fromMs: startMs, toMs: endMs } };
}

/** Half as long: the newer half of what ends now, else the middle. */
export function zoomedIn(range: ShownRange, nowMs: number): ShownRange {
  const { fromMs, toMs } = spanOf(range, nowMs);
  const quarterMs = (toMs - fromMs) / 4;
  const isFixed = range.kind === "fixed";
  return fixedRange(
    { fromMs: fromMs + quarterMs * (isFixed ? 1 : 2), toMs: toMs - quarterMs * (isFixed ? 1 : 0) },
    nowMs,
  );
}

/** What ends now gets the next longer choice; a standing one gets twice as long around its middle. */
export function zoomedOut(range: ShownRange, nowMs: number): ShownRange {
  const { fromMs, toMs } = spanOf(range, nowMs);
  const lengthMs = toMs - fromMs;
  const longer = RANGES.find((choice) => choice.lengthMs > lengthMs);
  if (range.kind !== "fixed" && longer !== undefined)
    return { kind: "moving", key: longer.key, lengthMs: longer.lengthMs };
  return fixedRange({ fromMs: fromMs - lengthMs / 2, toMs: toMs + lengthMs / 2 }, nowMs);
}

/** Half a length earlier (\u22121) or later (1); what would pass the present ends there. */
export function shifted(range: ShownRange, direction: 1 | -1, nowMs: number): ShownRange {
  const { fromMs, toMs } = spanOf(range, nowMs);
  const byMs = (direction * (toMs - fromMs)) / 2;
  return fixedRange({ fromMs: fromMs + byMs, toMs: toMs + byMs }, nowMs);
}

function wholeOf(text: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
  return value <= TIME_MS_MAX ? value : NaN;
}
