// SPDX-License-Identifier: MIT
// What a chart shows besides its line: gaps, limits, events.
//
// Draws on uPlot's canvas from its hooks. Colours are the page's tokens, read when a chart is made.

import type uPlot from "uplot";
import type { AlarmView, ChannelView } from "../api.ts";
import type { Span } from "./history-range.ts";
import type { Trace } from "./history-trace.ts";

export interface ChartColours {
  trace: string;
  text: string;
  muted: string;
  line: string;
  critical: string;
  font: string;
}

/** The tokens in force for an element. */
export function readColours(element: Element): ChartColours {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    trace: token("--trace"),
    text: token("--text"),
    muted: token("--muted"),
    line: token("--line"),
    critical: token("--critical"),
    font: style.fontFamily,
  };
}

/** A moment that explains a line: a restart, an alarm, a set-point. */
export interface EventTick {
  atMs: number;
  critical: boolean;
  text: string;
}

/** Distance between two hatch lines, in CSS pixels. */
const HATCH_STEP = 6;

/** Hatches where the node had no good value; mere silence stays empty. */
export function drawBad(u: uPlot, bad: readonly Span[], colours: ChartColours): void {
  const { ctx, bbox } = u;
  const edge = bbox.left + bbox.width;
  for (const { fromMs, toMs } of bad) {
    const left = Math.max(bbox.left, u.valToPos(fromMs, "x", true));
    const right = Math.min(edge, u.valToPos(toMs, "x", true));
    if (right - left >= 1) hatch(ctx, { ...bbox, left, width: right - left }, colours.line);
  }
}

/** How much of the line's colour the band has. */
const BAND_ALPHA = 0.5;

/** Lowest to highest of each band as a bar of its width, so that a spike of one reading is seen. */
export function drawBands(
  u: uPlot,
  { times, low, high, widthMs }: Trace,
  { colours, factor }: { colours: ChartColours; factor: number },
): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.globalAlpha = BAND_ALPHA;
  ctx.fillStyle = colours.trace;
  for (let index = 0; index < times.length; index++) {
    const [lowest, highest] = [low[index] ?? null, high[index] ?? null];
    if (lowest === null || highest === null) continue;
    const middleMs = times[index] ?? 0;
    // Whole pixels: neighbours neither overlap nor leave a seam.
    const left = Math.floor(u.valToPos(middleMs - widthMs / 2, "x", true));
    const right = Math.floor(u.valToPos(middleMs + widthMs / 2, "x", true));
    const top = Math.floor(u.valToPos(highest * factor, "y", true));
    const bottom = Math.ceil(u.valToPos(lowest * factor, "y", true));
    const least = Math.ceil(devicePixelRatio);
    ctx.fillRect(left, top, Math.max(least, right - left), Math.max(least, bottom - top));
  }
  ctx.restore();
}

function hatch(ctx: CanvasRenderingContext2D, box: uPlot.BBox, colour: string): void {
  const step = HATCH_STEP * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.width, box.height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  // Lines keep their place in the plot while the gap moves through it.
  const first = Math.floor((box.left - box.height) / step) * step;
  for (let x = first; x < box.left + box.width; x += step) {
    ctx.moveTo(x, box.top + box.height);
    ctx.lineTo(x + box.height, box.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Room that the name of a limit needs, in CSS pixels. */
const NAME_HEIGHT = 15;

/** A dashed line a limit, its name at the left end: outside the normal band where there is room. */
export function drawLimits(u: uPlot, channel: ChannelView, colours: ChartColours): void {
  for (const alarm of channel.alarms) drawLimit(u, alarm, colours);
}

function drawLimit(u: uPlot, alarm: AlarmView, colours: ChartColours): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const y = Math.round(u.valToPos(alarm.limit, "y", true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.save();
  ctx.strokeStyle = alarm.active ? colours.critical : colours.muted;
  ctx.fillStyle = ctx.strokeStyle;
  ctx.lineWidth = (alarm.active ? 1.5 : 1) * ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * ratio}px ${colours.font}`;
  ctx.textAlign = "left";
  const room = NAME_HEIGHT * ratio;
  const over = alarm.above ? y - room >= bbox.top : y + room > bbox.top + bbox.height;
  ctx.textBaseline = over ? "bottom" : "top";
  ctx.fillText(alarm.name, bbox.left + 6 * ratio, y + (over ? -3 : 3) * ratio);
  ctx.restore();
}

/** A thin line down the plot for each event. */
export function drawTicks(u: uPlot, ticks: readonly EventTick[], colours: ChartColours): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  for (const tick of ticks) {
    const x = Math.round(u.valToPos(tick.atMs, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = tick.critical ? colours.critical : colours.muted;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
