// SPDX-License-Identifier: MIT
// A sparkline: the last minutes of one value, with its limits, without axes.

import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { ChannelView, NodeView } from "../api.ts";
import { SPARK_POINTS } from "./limits.ts";
import { usePage } from "./page-context.ts";
import { chartRange, isStepped, smallestSpan } from "./scale.ts";
import { columnExtremes, extentOf, type Extent, type Series } from "./series.ts";
import { chartOf, type ChartBuffer } from "./store.ts";

const WIDTH = 240;
const HEIGHT = 36;

/** The chart buffer of a channel; its history is asked for, and the caller is drawn again when it changes. */
export function useChart(node: string, channel: string): ChartBuffer {
  const { store, live } = usePage();
  const chart = useMemo(() => chartOf(store, node, channel), [store, node, channel]);
  useEffect(() => live.wantHistory(chart), [chart, live]);
  void chart.version.value;
  return chart;
}

/** The same for several channels of one node; their number may change. */
export function useCharts(node: string, channels: readonly ChannelView[]): ChartBuffer[] {
  const { store, live } = usePage();
  const names = channels.map((channel) => channel.name).join("\n");
  const charts = useMemo(
    () => names.split("\n").flatMap((name) => (name === "" ? [] : [chartOf(store, node, name)])),
    [store, node, names],
  );
  useEffect(() => charts.forEach((chart) => live.wantHistory(chart)), [charts, live]);
  for (const chart of charts) void chart.version.value;
  return charts;
}

export interface SparkProps {
  channel: ChannelView;
  series: Series;
  span: { fromMs: number; toMs: number };
  heldMs: number; // until when the last value stands
}

/** One line over the span; limits are dashed where they are in sight. */
export function Spark({ channel, series, span, heldMs }: SparkProps): JSX.Element {
  const range = sparkRange(channel, extentOf(series));
  const x = (wallMs: number): number =>
    (WIDTH * (wallMs - span.fromMs)) / (span.toMs - span.fromMs);
  const y = (value: number): number =>
    HEIGHT - (HEIGHT * (value - range.low)) / (range.high - range.low);
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      {channel.alarms
        .filter(({ limit }) => limit >= range.low && limit <= range.high)
        .map(({ name, limit }) => (
          <line key={name} class="limit" x1="0" x2={WIDTH} y1={y(limit)} y2={y(limit)} />
        ))}
      <path
        class="trace"
        d={sparkPath(series, { ...span, heldMs }, isStepped(channel), { x, y })}
      />
    </svg>
  );
}

/** Near limits are in sight; far ones would flatten the line. */
function sparkRange(channel: ChannelView, extent: Extent | null): Extent {
  const bare = { ...channel, alarms: [] };
  if (extent === null) return chartRange(bare, extent);
  const height = Math.max(extent.high - extent.low, smallestSpan(channel, extent));
  const near = channel.alarms.filter(
    ({ limit }) => limit > extent.low - height && limit < extent.high + height,
  );
  return chartRange({ ...channel, alarms: near }, extent);
}

interface Places {
  x: (wallMs: number) => number;
  y: (value: number) => number;
}

/** Lowest and highest of each column, in their order; a null breaks the line. */
function sparkPath(
  series: Series,
  span: SparkProps["span"] & { heldMs: number },
  stepped: boolean,
  { x, y }: Places,
): string {
  const shown = columnExtremes(series, (span.toMs - span.fromMs) / SPARK_POINTS);
  let path = "";
  let pen = "M";
  for (const index of shown) {
    const value = series.values[index] ?? null;
    if (value !== null) {
      const [across, up] = [Math.max(0, x(series.times[index] ?? 0)), y(value)].map(coordinate);
      path += pen === "L" && stepped ? `H${across}V${up}` : `${pen}${across} ${up}`;
    }
    pen = value === null ? "M" : "L";
  }
  const last = series.values.at(-1) ?? null;
  if (last === null) return path;
  return `${path}L${x(lastShown(series, span.heldMs)).toFixed(1)} ${y(last).toFixed(1)}`;
}

function coordinate(value: number): string {
  return value.toFixed(1);
}

/** Until when the last value stands: until it is old, or until the machine or the hub was last heard. */
export function lastShown(series: Series, heldMs: number): number {
  const last = series.times.at(-1) ?? heldMs;
  const promisedMs = series.silenceMs > 0 ? last + series.silenceMs : Infinity;
  return Math.max(last, Math.min(heldMs, promisedMs));
}

/** Until when values of a machine are known to stand. */
export function useHeldMs(node: NodeView | undefined): number {
  const { live } = usePage();
  const hubMs = live.hubMs.value;
  const { state, sinceMs } = live.connection.value;
  const heardMs = node?.state === "online" ? hubMs : (node?.lastSeenMs ?? 0);
  return state === "live" ? heardMs : Math.min(sinceMs, heardMs);
}
