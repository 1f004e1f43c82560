// SPDX-License-Identifier: MIT
// The charts of a machine on one time axis, with its state over them.
//
// Live from the page's ring, or a stretch of the past from the hub; which one stands in the address.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { AuditRow, ChannelView, NodeView } from "../api.ts";
import type { EventTick } from "./chart-draw.ts";
import { axisWidth, Chart, plotHeight } from "./chart.tsx";
import { clockTime } from "./clock.ts";
import { formatDuration, formatValue, NO_VALUE } from "./format.ts";
import { type Past, usePast } from "./history-load.ts";
import { fixedRange, rangeLabel, rangeQuery, readRange, spanOf } from "./history-range.ts";
import type { ShownRange, Span } from "./history-range.ts";
import {
  EMPTY_TRACE,
  heldTrace,
  liveTrace,
  traceAt,
  traceExtent,
  type Trace,
} from "./history-trace.ts";
import { RangeBar } from "./machine-range.tsx";
import { Empty } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { timeSpan } from "./scale.ts";
import { useCharts, useHeldMs } from "./spark.tsx";
import { isText } from "./texts.tsx";
import { eventTicks, tickNear, Timeline } from "./timeline.tsx";
import { Bar, bandText, stateWord, ValueNotes, ValueNumber } from "./value.tsx";

/** Charts shown before the reader asks for the rest. */
const CHARTS_FIRST = 6;

export function Trends(props: { node: NodeView; audit: readonly AuditRow[] }): JSX.Element {
  const { node, audit } = props;
  const { store, route } = usePage();
  const [all, setAll] = useState(false);
  const cursor = useMemo(() => signal<number | null>(null), []);
  const { query } = route.value;
  const range = readRange(query);
  const channels = shownChannels(node, query, all);
  const state = node.channels.find(({ kind }) => kind === "state");
  const needed = state === undefined || channels.includes(state) ? channels : [...channels, state];
  const { traces, span, past } = useTraces(node, needed, range);
  const states = state === undefined ? null : (traces[needed.indexOf(state)] ?? EMPTY_TRACE);
  const events = store.events.value;
  const ticks = useMemo(
    () => eventTicks(node.id, events, audit, span),
    [node.id, events, audit, span.fromMs, span.toMs],
  );
  if (node.channels.length === 0) return <NoChannels />;
  const width = axisWidth(channels, traces);
  const last = channels.length - 1;
  const charts = node.channels.filter((channel) => !isText(channel)).length;
  return (
    <section class="panel trends" aria-label="Values over time">
      <RangeBar node={node.id} range={range} past={past} />
      <TrendHead {...{ node, range, span, ticks, width, states }} cursorMs={cursor.value} />
      {channels.map((channel, index) => (
        <div class="trend" key={channel.name}>
          <TrendLabel
            node={node}
            channel={channel}
            trace={traces[index] ?? EMPTY_TRACE}
            isEmpty={past.state === "there" && traces[index]?.times.length === 0}
            cursorMs={cursor.value}
          />
          <Chart
            trace={traces[index] ?? EMPTY_TRACE}
            channel={channel}
            span={span}
            ticks={ticks}
            width={width}
            height={plotHeight(channels.length)}
            axis={index === last}
            onCursor={(atMs) => (cursor.value = atMs)}
            onZoom={(wanted) => showRange(node.id, query, fixedRange(wanted, span.toMs))}
          />
        </div>
      ))}
      {!all && channels.length > 1 && charts > channels.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {charts} charts
        </button>
      )}
    </section>
  );
}

/** One channel when the address names it, else the first ones. */
function shownChannels(
  node: NodeView,
  query: Readonly<Record<string, string>>,
  all: boolean,
): ChannelView[] {
  const charted = node.channels.filter((channel) => !isText(channel));
  const one = charted.filter((channel) => channel.name === query["channel"]);
  if (one.length > 0) return one;
  return all ? charted : charted.slice(0, CHARTS_FIRST);
}

/** Goes to the address of a range, so that a reload and the back button know it. */
function showRange(node: string, query: Readonly<Record<string, string>>, range: ShownRange): void {
  const { channel = "" } = query;
  location.hash = routeHref("machines", [node], { channel, ...rangeQuery(range) });
}

function useTraces(
  node: NodeView,
  channels: readonly ChannelView[],
  range: ShownRange,
): { traces: Trace[]; span: Span; past: Past } {
  const { live } = usePage();
  const charts = useCharts(node.id, channels);
  const heldMs = useHeldMs(node);
  const hubMs = live.hubMs.value;
  const names = channels.map(({ name }) => name);
  const past = usePast(node.id, names, range);
  const isLive = range.kind === "live";
  const series = charts.map((chart) => chart.series);
  const versions = charts.map((chart) => chart.version.value).join();
  const traces = useMemo(
    () =>
      names.map((name, index) => {
        const one = series[index];
        if (one === undefined) return EMPTY_TRACE;
        if (isLive) return liveTrace(one, heldMs);
        const trace = past.traces.get(name) ?? EMPTY_TRACE;
        return range.kind === "fixed" ? trace : heldTrace(trace, one.silenceMs, heldMs);
      }),
    [names.join("\n"), range.kind, isLive ? versions : past.traces, heldMs],
  );
  return { traces, span: isLive ? timeSpan(series, hubMs) : spanOf(range, hubMs), past };
}

interface TrendHeadProps {
  node: NodeView;
  range: ShownRange;
  span: Span;
  ticks: readonly EventTick[];
  cursorMs: number | null;
  width: number; // of the charts' value axes
  states: Trace | null;
}

function TrendHead(props: TrendHeadProps): JSX.Element {
  const { node, range, span, ticks, cursorMs, width, states } = props;
  const events = usePage().store.events.value;
  const near = cursorMs === null ? null : tickNear(ticks, cursorMs, span);
  const nowMs = usePage().live.hubMs.value;
  return (
    <div class="trend state">
      <div class="trend-label">
        <span class="muted">
          {cursorMs === null ? spanText(range, span, nowMs) : `at ${clockTime(cursorMs, nowMs)}`}
        </span>
        {near !== null && <span class="muted">{near.text}</span>}
      </div>
      <div class="timeline-box" style={{ paddingLeft: `${width}px` }}>
        <Timeline {...{ node, events, ticks, span, states }} />
      </div>
    </div>
  );
}

function spanText(range: ShownRange, { fromMs, toMs }: Span, nowMs: number): string {
  if (range.kind === "live") return `last ${formatDuration(toMs - fromMs)}`;
  if (range.kind === "moving") return `last ${rangeLabel(range)}`;
  return `${clockTime(fromMs, nowMs)} \u2013 ${clockTime(toMs, nowMs)}`;
}

function NoChannels(): JSX.Element {
  return (
    <Empty
      title="No channels yet"
      why="Its birth message is not complete yet. It comes with the next connect."
    />
  );
}

interface TrendLabelProps {
  node: NodeView;
  channel: ChannelView;
  trace: Trace;
  isEmpty: boolean; // the hub answered, and has nothing of that time
  cursorMs: number | null;
}

/** Name, value now, its place between the limits; while the cursor is in a chart, the value there. */
function TrendLabel(props: TrendLabelProps): JSX.Element {
  const { node, channel, trace, isEmpty, cursorMs } = props;
  const { route } = usePage();
  const band = bandText(channel);
  const { channel: one = "", ...query } = route.value.query;
  const alone = one === channel.name;
  const isPast = readRange(query).kind === "fixed";
  const href = routeHref("machines", [node.id], {
    ...query,
    channel: alone ? "" : channel.name,
  });
  return (
    <div class="trend-label">
      <h3>
        <a href={href} title={alone ? "Show all channels" : "Show this channel alone"}>
          {channel.name}
        </a>
      </h3>
      <span class="big">
        <ValueNumber node={node} channel={channel} />
        {isPast && <span class="muted small"> now</span>}
      </span>
      <Bar node={node} channel={channel} extent={traceExtent(trace)} />
      {cursorMs !== null ? (
        <span class="muted">{valueAt(trace, channel, cursorMs)} at the cursor</span>
      ) : (
        band !== "" && <span class="muted">{band}</span>
      )}
      <ValueNotes node={node} channel={channel} />
      {isEmpty && <span class="muted">no reading in this time</span>}
    </div>
  );
}

/** The value at a moment; of a band the lowest and the highest. */
function valueAt(trace: Trace, { kind, unit, decimals }: ChannelView, atMs: number): string {
  const found = traceAt(trace, atMs);
  if (found === null) return NO_VALUE;
  const { mean, low, high } = found;
  if (kind === "state") return low === high ? stateWord(low) : "several states";
  if (low === high) return formatValue(mean, unit, decimals);
  return `${formatValue(low, unit, decimals)} \u2013 ${formatValue(high, unit, decimals)}`;
}
