// SPDX-License-Identifier: MIT
// One channel over time, drawn by uPlot; time axis and cursor are shared.
//
// The plot is made once and again only for another width or colour scheme; data goes in as it comes.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { ChannelView } from "../api.ts";
import { drawBad, drawBands, drawLimits, drawTicks, readColours } from "./chart-draw.ts";
import type { ChartColours, EventTick } from "./chart-draw.ts";
import { clockDay, clockMinutes, clockTime } from "./clock.ts";
import { formatTick, formatValue, unitView } from "./format.ts";
import { usePage } from "./page-context.ts";
import type { Span } from "./history-range.ts";
import { traceExtent, type Trace } from "./history-trace.ts";
import { axisValues, chartRange, isStepped, roundStep } from "./scale.ts";
import type { Extent } from "./series.ts";
import { stateWord } from "./value.tsx";

const RIGHT_PADDING = 12;

/** Half a label of the time axis: nearer to an edge it would be cut, or run into the value axis. */
const LABEL_HALF = 28;

/** Room for the labels of a value axis: about the width of a digit, and its bounds. */
const DIGIT_WIDTH = 6.8;
const AXIS_WIDTH_MIN = 48;
const AXIS_WIDTH_MAX = 112;
const AXIS_WIDTH_STEP = 8;

/** Room that the value axes of charts need; the same for all, so that their plots are in line. */
export function axisWidth(channels: readonly ChannelView[], traces: readonly Trace[]): number {
  const digits = channels.map((channel, index) => {
    if (channel.kind === "state")
      return Math.max(...[0, 1, 2, 3].map((at) => stateWord(at).length));
    const trace = traces[index];
    const [low, high] = shownRange(channel, trace === undefined ? null : traceExtent(trace));
    const step = roundStep((high - low) / 6);
    return Math.max(formatTick(low, step).length, formatTick(high, step).length);
  });
  const wanted = 12 + DIGIT_WIDTH * Math.max(...digits);
  const rounded = AXIS_WIDTH_STEP * Math.ceil(wanted / AXIS_WIDTH_STEP);
  return Math.min(AXIS_WIDTH_MAX, Math.max(AXIS_WIDTH_MIN, rounded));
}

/** Heights of a plot, by how many share the screen, and of the time axis under the last. */
const HEIGHT_FEW = 168;
const HEIGHT_SOME = 132;
const HEIGHT_MANY = 108;
const AXIS_HEIGHT = 26;

/** How high each of `count` charts is. */
export function plotHeight(count: number): number {
  if (count <= 2) return HEIGHT_FEW;
  return count <= 4 ? HEIGHT_SOME : HEIGHT_MANY;
}

export interface ChartProps {
  trace: Trace;
  channel: ChannelView;
  span: Span;
  ticks: readonly EventTick[];
  width: number; // of the value axis
  height: number; // of the plot, without the axis
  axis: boolean; // whether the time axis is written under it
  onCursor: (atMs: number | null) => void;
  onZoom: (span: Span) => void; // a stretch was dragged over
}

/** What the hooks of a plot read; changed in place, so that the plot need not be made again. */
type Drawn = ChartProps & { colours: ChartColours };

export function Chart(props: ChartProps): JSX.Element {
  const { trace, channel, span, ticks, width, height, axis } = props;
  const { scheme } = usePage();
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef<Drawn | null>(null);

  useEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    drawn.current = { ...props, colours: readColours(element) };
    const made = new uPlot(plotOptions(element, drawn as { current: Drawn }), [[]], element);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== made.width) resize(made, element, drawn.current);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [channel.name, channel.kind, axis, height, scheme.value]);

  useEffect(() => {
    if (drawn.current === null || plot.current === null) return;
    drawn.current = { ...drawn.current, ...props };
    plot.current.setData(plotData(trace, channel.unit));
  }, [trace, span.fromMs, span.toMs, ticks, width, channel, axis, height, scheme.value]);

  const label = chartLabel(trace, channel);
  return <div class="chart" ref={root} role="img" aria-label={label} />;
}

/** What a person who does not see the chart is told. */
function chartLabel(trace: Trace, channel: ChannelView): string {
  const extent = traceExtent(trace);
  if (extent === null) return `${channel.name} over time: no values`;
  const { unit, decimals } = channel;
  const low = formatValue(extent.low, unit, decimals);
  return `${channel.name} over time: ${low} to ${formatValue(extent.high, unit, decimals)}`;
}

/** Times and shown values. */
function plotData({ times, values }: Trace, unit: string | null): uPlot.AlignedData {
  const { factor } = unitView(unit);
  return [times, values.map((value) => (value === null ? null : value * factor))];
}

function plotSize(element: HTMLElement, drawn: Drawn): { width: number; height: number } {
  return { width: element.clientWidth, height: drawn.height + (drawn.axis ? AXIS_HEIGHT : 0) };
}

function resize(plot: uPlot, element: HTMLElement, drawn: Drawn | null): void {
  if (drawn !== null) plot.setSize(plotSize(element, drawn));
}

/** A drag shorter than this is a click, in CSS pixels. */
const DRAG_MIN = 6;

function plotOptions(element: HTMLElement, drawn: { current: Drawn }): uPlot.Options {
  const { colours, channel, axis } = drawn.current;
  const stepped = isStepped(channel) ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const line: uPlot.Series = { stroke: colours.trace, width: 1.5, points: { show: false } };
  if (stepped !== undefined) line.paths = stepped;
  return {
    ...plotSize(element, drawn.current),
    ms: 1,
    padding: [10, RIGHT_PADDING, axis ? 0 : 8, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: DRAG_MIN },
      points: { size: 7, fill: colours.trace, stroke: colours.trace },
      // The cursor is shared, a drag is not: one chart tells the stretch.
      sync: {
        key: "time",
        filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
      },
    },
    scales: {
      x: { time: true, range: () => [drawn.current.span.fromMs, drawn.current.span.toMs] },
      y: { range: () => shownRange(drawn.current.channel, traceExtent(drawn.current.trace)) },
    },
    axes: [timeAxis(axis, colours), valueAxis(drawn, colours)],
    series: [{}, line],
    hooks: {
      drawClear: [(u) => drawUnder(u, drawn.current)],
      draw: [
        (u) => drawLimits(u, shownChannel(drawn.current.channel), colours),
        (u) => drawTicks(u, drawn.current.ticks, colours),
      ],
      setCursor: [(u) => drawn.current.onCursor(cursorMs(u))],
      setSelect: [(u) => zoomTo(u, drawn.current)],
    },
  };
}

function drawUnder(u: uPlot, { trace, channel, colours }: Drawn): void {
  drawBad(u, trace.bad, colours);
  if (trace.widthMs > 0) drawBands(u, trace, { colours, factor: unitView(channel.unit).factor });
}

/** The plot that was dragged in tells the stretch; those in line with it get the same one silently. */
function zoomTo(u: uPlot, { onZoom }: Drawn): void {
  const { left, width } = u.select;
  if (width < DRAG_MIN) return;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom({ fromMs: u.posToVal(left, "x"), toMs: u.posToVal(left + width, "x") });
}

function cursorMs(u: uPlot): number | null {
  const { left } = u.cursor;
  return left === undefined || left < 0 ? null : u.posToVal(left, "x");
}

function shownRange(channel: ChannelView, extent: Extent | null): [number, number] {
  const { factor } = unitView(channel.unit);
  const range = chartRange(channel, extent);
  return [range.low * factor, range.high * factor];
}

/** Limits in the unit that is shown. */
function shownChannel(channel: ChannelView): ChannelView {
  const { factor } = unitView(channel.unit);
  const alarms = channel.alarms.map((alarm) => ({ ...alarm, limit: alarm.limit * factor }));
  return { ...channel, alarms };
}

const DAY_MS = 86_400_000;

/** Steps between two times of the axis: seconds, minutes, hours, days. */
const TIME_STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * 1_000),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * 60_000),
  ...[1, 2, 3, 6, 12].map((count) => count * 3_600_000),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => count * DAY_MS),
];

/** A day at midnight, else the time as fine as the step. */
function timeLabel(wallMs: number, stepMs: number): string {
  const minutes = clockMinutes(wallMs);
  if (stepMs >= DAY_MS || (stepMs >= 3_600_000 && minutes === "00:00")) return clockDay(wallMs);
  return stepMs % 60_000 === 0 ? minutes : clockTime(wallMs, wallMs);
}

function timeAxis(shown: boolean, colours: ChartColours): uPlot.Axis {
  return {
    ...axisStyle(colours),
    size: shown ? AXIS_HEIGHT : 0,
    space: 84,
    gap: 4,
    incrs: TIME_STEPS_MS,
    values: (u, splits) => {
      const stepMs = (splits[1] ?? 0) - (splits[0] ?? 0);
      const isCut = (wallMs: number): boolean => {
        const x = u.valToPos(wallMs, "x");
        return x < LABEL_HALF / 2 || x > u.over.clientWidth + RIGHT_PADDING - LABEL_HALF;
      };
      return splits.map((wallMs) => (!shown || isCut(wallMs) ? "" : timeLabel(wallMs, stepMs)));
    },
  };
}

/** 1, 2 and 5 times every power of ten from 1e-12 to 1e15: no half steps, since pieces are whole. */
const VALUE_STEPS = Array.from({ length: 28 }, (_, index) => index - 12).flatMap((exponent) =>
  [1, 2, 5].map((lead) => Number(`${lead}e${exponent}`)),
);

function valueAxis(drawn: { current: Drawn }, colours: ChartColours): uPlot.Axis {
  return {
    ...axisStyle(colours),
    size: () => drawn.current.width,
    space: 28,
    incrs: VALUE_STEPS,
    gap: 6,
    ...namedSplits(drawn.current.channel),
    values: (_u, splits) => {
      if (drawn.current.channel.kind === "state") return splits.map((value) => stateWord(value));
      const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1;
      return splits.map((value) => formatTick(value, step));
    },
  };
}

/** Each value of a state or a digital input has its line. */
function namedSplits(channel: ChannelView): Pick<uPlot.Axis, "splits"> {
  const values = axisValues(channel);
  return values === null ? {} : { splits: () => values };
}

function axisStyle(colours: ChartColours): uPlot.Axis {
  return {
    stroke: colours.muted,
    font: `11px ${colours.font}`,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
  };
}
