// SPDX-License-Identifier: MIT
// Ranges of axes and bars, and the length of the time axis.
//
// Ranges end at round numbers, so that they stand still while a value moves a little.

import type { ChannelView } from "../api.ts";
import { CHART_WINDOW_MS } from "./limits.ts";
import type { Extent, Series } from "./series.ts";

/** Lengths of the time axis: the shortest that holds what is there. */
const SPANS_MS = [60_000, 120_000, 300_000, CHART_WINDOW_MS];

/** Room above and below, as a share of the range. */
const PADDING = 0.08;

/** From when to when charts of these series run; the same for all, so that one axis serves. */
export function timeSpan(
  series: readonly Series[],
  nowMs: number,
): { fromMs: number; toMs: number } {
  const first = Math.min(...series.map((each) => each.times[0] ?? nowMs));
  const wantedMs = nowMs - first;
  const spanMs = SPANS_MS.find((each) => each >= wantedMs) ?? CHART_WINDOW_MS;
  return { fromMs: nowMs - spanMs, toMs: nowMs };
}

/** Kinds whose values are 0, 1 and so on, each with a meaning of its own: how many there are. */
const NUMBERED: Partial<Record<ChannelView["kind"], number>> = { digital: 2, state: 4 };

/** Room above and below such values, in steps. */
const STEP_ROOM = 0.25;

/** The values that an axis names, of a channel that has only these; null: any value may come. */
export function axisValues({ kind }: ChannelView): number[] | null {
  const count = NUMBERED[kind];
  return count === undefined ? null : Array.from({ length: count }, (_, value) => value);
}

/** The y range of a chart: its values and its alarm limits, with room. */
export function chartRange(channel: ChannelView, extent: Extent | null): Extent {
  const steps = NUMBERED[channel.kind];
  if (steps !== undefined) return { low: -STEP_ROOM, high: steps - 1 + STEP_ROOM };
  const limits = channel.alarms.map((alarm) => alarm.limit);
  const values = extent === null ? [] : [extent.low, extent.high];
  const shown = [...limits, ...values];
  const isShare = channel.unit === "/" && shown.every((value) => value >= 0 && value <= 1);
  if (isShare) return { low: 0, high: 1 };
  const range = roundRange(shown, smallestSpan(channel, extent));
  return isNeverNegative(channel, extent) ? { ...range, low: Math.max(0, range.low) } : range;
}

/** Nothing is counted or swings below zero, and no code below it was heard. */
function isNeverNegative(channel: ChannelView, extent: Extent | null): boolean {
  if (channel.kind === "counter" || channel.kind === "vibration") return true;
  return isCode(channel) && (extent?.low ?? 0) >= 0;
}

/** The range of a bar; null: nothing gives the value a context. */
export function barRange(channel: ChannelView, extent: Extent | null): Extent | null {
  if (channel.unit !== "/" && channel.alarms.length === 0) return null;
  return chartRange(channel, extent);
}

/** Where a value stands in a range, 0..1. */
export function shareOf(range: Extent, value: number): number {
  return Math.min(1, Math.max(0, (value - range.low) / (range.high - range.low)));
}

/** Kinds whose value holds from one reading to the next. */
const STEPPED: readonly ChannelView["kind"][] = [
  "computed",
  "counter",
  "digital",
  "state",
  "setpoint",
];

/** Whether a line would tell values that never were: those between two of a stepped channel. */
export function isStepped(channel: ChannelView): boolean {
  return STEPPED.includes(channel.kind) || isCode(channel);
}

/** Whole numbers of a text line without a unit are what its words stand for. */
function isCode({ kind, unit, decimals }: ChannelView): boolean {
  return kind === "field" && unit === null && decimals === 0;
}

/** What has no noise: counters and codes. */
const EXACT_SPAN_MIN = 4;

/** Noise of a few steps must not fill a chart: 20 steps of resolution, or 1 % of a float. */
export function smallestSpan(channel: ChannelView, extent: Extent | null): number {
  if (channel.kind === "counter" || isCode(channel))
    return EXACT_SPAN_MIN * 10 ** -(channel.decimals ?? 0);
  if (channel.decimals !== null) return 20 * 10 ** -channel.decimals;
  const size = extent === null ? 0 : Math.max(Math.abs(extent.low), Math.abs(extent.high));
  return Math.max(0.01 * size, 1e-9);
}

function roundRange(values: readonly number[], spanMin: number): Extent {
  if (values.length === 0) return { low: 0, high: 1 };
  let low = Math.min(...values);
  let high = Math.max(...values);
  const missing = Math.max(0, spanMin - (high - low)) / 2;
  const padding = PADDING * (high - low + 2 * missing);
  low -= missing + padding;
  high += missing + padding;
  const step = roundStep((high - low) / 8);
  return { low: Math.floor(low / step) * step, high: Math.ceil(high / step) * step };
}

/** 1, 2 or 5 times a power of ten, at least `step`. */
export function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const lead = step / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}
