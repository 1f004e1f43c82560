// SPDX-License-Identifier: MIT
// One channel over time, drawn by uPlot; time axis and cursor are shared.
//
// The plot is made once and again only for another width or colour scheme; data goes in as it comes.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { ChannelView } from "../api.ts";
import { drawGaps, drawLimits, drawTicks, readColours } from "./chart-draw.ts";
import type { ChartColours, EventTick } from "./chart-draw.ts";
import { clockMinutes, clockTime } from "./clock.ts";
import { formatTick, formatValue, unitView } from "./format.ts";
import { usePage } from "./page-context.ts";
import { chartRange, roundStep } from "./scale.ts";
import { extentOf, type Extent, type Series } from "./series.ts";
import { lastShown } from "./spark.tsx";
import type { ChartBuffer } from "./store.ts";

const RIGHT_PADDING = 12;

/** Half a label of the time axis: nearer to an edge it would be cut, or run into the value axis. */
const LABEL_HALF = 28;

/** Room for the labels of a value axis: about the width of a digit, and its bounds. */
const DIGIT_WIDTH = 6.8;
const AXIS_WIDTH_MIN = 48;
const AXIS_WIDTH_MAX = 112;
const AXIS_WIDTH_STEP = 8;

/** Room that the value axes of charts need; the same for all, so that their plots are in line. */
export function axisWidth(
  channels: readonly ChannelView[],
  charts: readonly ChartBuffer[],
): number {
  const digits = channels.map((channel, index) => {
    const series = charts[index]?.series;
    const [low, high] = shownRange(channel, series === undefined ? null : extentOf(series));
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
  chart: ChartBuffer;
  channel: ChannelView;
  span: { fromMs: number; toMs: number };
  heldMs: number; // until when the last value stands
  ticks: readonly EventTick[];
  width: number; // of the value axis
  height: number; // of the plot, without the axis
  axis: boolean; // whether the time axis is written under it
  onCursor: (atMs: number | null) => void;
}

/** What the hooks of a plot read; changed in place, so that the plot need not be made again. */
type Drawn = Omit<ChartProps, "chart"> & { series: Series; colours: ChartColours };

export function Chart(props: ChartProps): JSX.Element {
  const { chart, channel, span, heldMs, height, axis } = props;
  const { scheme } = usePage();
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawn = useRef<Drawn | null>(null);

  useEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    drawn.current = { ...props, series: chart.series, colours: readColours(element) };
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
  }, [chart, axis, height, scheme.value]);

  const version = chart.version.value;
  useEffect(() => {
    if (drawn.current === null || plot.current === null) return;
    drawn.current = { ...drawn.current, ...props, series: chart.series };
    plot.current.setData(plotData(chart.series, heldMs, channel.unit));
  }, [version, span.fromMs, span.toMs, heldMs, channel, chart, axis, height, scheme.value]);

  return <div class="chart" ref={root} role="img" aria-label={chartLabel(chart.series, channel)} />;
}

/** What a person who does not see the chart is told. */
function chartLabel(series: Series, channel: ChannelView): string {
  const extent = extentOf(series);
  if (extent === null) return `${channel.name} over time: no values yet`;
  const { unit, decimals } = channel;
  const low = formatValue(extent.low, unit, decimals);
  return `${channel.name} over time: ${low} to ${formatValue(extent.high, unit, decimals)}`;
}

/** Times and shown values; the last value holds until it is old. */
function plotData(series: Series, heldMs: number, unit: string | null): uPlot.AlignedData {
  const { factor } = unitView(unit);
  const values = series.values.map((value) => (value === null ? null : value * factor));
  const last = values.at(-1) ?? null;
  if (last === null) return [series.times, values];
  return [
    [...series.times, lastShown(series, heldMs)],
    [...values, last],
  ];
}

function plotSize(element: HTMLElement, drawn: Drawn): { width: number; height: number } {
  return { width: element.clientWidth, height: drawn.height + (drawn.axis ? AXIS_HEIGHT : 0) };
}

function resize(plot: uPlot, element: HTMLElement, drawn: Drawn | null): void {
  if (drawn !== null) plot.setSize(plotSize(element, drawn));
}

function plotOptions(element: HTMLElement, drawn: { current: Drawn }): uPlot.Options {
  const { colours, channel, axis } = drawn.current;
  const stepped = channel.kind === "computed" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const line: uPlot.Series = { stroke: colours.trace, width: 1.5, points: { show: false } };
  if (stepped !== undefined) line.paths = stepped;
  return {
    ...plotSize(element, drawn.current),
    ms: 1,
    padding: [10, RIGHT_PADDING, axis ? 0 : 8, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7, fill: colours.trace, stroke: colours.trace },
      sync: { key: "time" },
    },
    scales: {
      x: { time: true, range: () => [drawn.current.span.fromMs, drawn.current.span.toMs] },
      y: { range: () => shownRange(drawn.current.channel, extentOf(drawn.current.series)) },
    },
    axes: [timeAxis(axis, colours), valueAxis(drawn, colours)],
    series: [{}, line],
    hooks: {
      drawClear: [(u) => drawGaps(u, drawn.current.series, colours)],
      draw: [
        (u) => drawLimits(u, shownChannel(drawn.current.channel), colours),
        (u) => drawTicks(u, drawn.current.ticks, colours),
      ],
      setCursor: [(u) => drawn.current.onCursor(cursorMs(u))],
    },
  };
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

function timeAxis(shown: boolean, colours: ChartColours): uPlot.Axis {
  const label = (wallMs: number, stepMs: number): string =>
    stepMs % 60_000 === 0 ? clockMinutes(wallMs) : clockTime(wallMs, wallMs);
  return {
    ...axisStyle(colours),
    size: shown ? AXIS_HEIGHT : 0,
    space: 84,
    gap: 4,
    incrs: [10_000, 15_000, 30_000, 60_000, 120_000, 300_000],
    values: (u, splits) => {
      const stepMs = (splits[1] ?? 0) - (splits[0] ?? 0);
      const isCut = (wallMs: number): boolean => {
        const x = u.valToPos(wallMs, "x");
        return x < LABEL_HALF / 2 || x > u.over.clientWidth + RIGHT_PADDING - LABEL_HALF;
      };
      return splits.map((wallMs) => (!shown || isCut(wallMs) ? "" : label(wallMs, stepMs)));
    },
  };
}

function valueAxis(drawn: { current: Drawn }, colours: ChartColours): uPlot.Axis {
  return {
    ...axisStyle(colours),
    size: () => drawn.current.width,
    space: 28,
    gap: 6,
    values: (_u, splits) => {
      const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1;
      return splits.map((value) => formatTick(value, step));
    },
  };
}

function axisStyle(colours: ChartColours): uPlot.Axis {
  return {
    stroke: colours.muted,
    font: `11px ${colours.font}`,
    grid: { stroke: colours.line, width: 1 },
    ticks: { show: false },
  };
}
