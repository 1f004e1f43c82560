// SPDX-License-Identifier: MIT
// One machine: state and values over time, limits, outputs, versions.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { ChannelView, NodeView } from "../api.ts";
import { AlarmList } from "./alarms.tsx";
import { axisWidth, Chart, plotHeight } from "./chart.tsx";
import { clockTime } from "./clock.ts";
import { activeAlarms, stateCondition } from "./condition.ts";
import { EventLines } from "./event-lines.tsx";
import { formatDuration, formatValue, NO_VALUE } from "./format.ts";
import { ChannelTable, Delivery, OutputTable, Versions } from "./machine-tables.tsx";
import { Empty, For, Mark } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { timeSpan } from "./scale.ts";
import { extentOf } from "./series.ts";
import { useCharts, useHeldMs } from "./spark.tsx";
import { eventTicks, Timeline, type Span } from "./timeline.tsx";
import { Bar, bandText, ValueNotes, ValueNumber } from "./value.tsx";

/** Charts shown before the reader asks for the rest. */
const CHARTS_FIRST = 6;

/** Events under the tables. */
const LATEST_EVENTS = 8;

export function MachineView({ id }: { id: string }): JSX.Element {
  const { store } = usePage();
  void store.nodeIds.value;
  const node = store.nodes.get(id)?.value;
  if (node === undefined) return <UnknownMachine id={id} />;
  const alarms = activeAlarms([node]);
  const events = store.events.value.filter((event) => event.node === id).slice(0, LATEST_EVENTS);
  return (
    <>
      <header class="head">
        <p class="crumb">
          <a href={routeHref("machines")}>Machines</a>
        </p>
        <h1 tabIndex={-1}>{id}</h1>
        <Mark condition={stateCondition(node)}>
          <span class="muted">
            <For sinceMs={node.sinceMs} />
          </span>
        </Mark>
        <p class="sub">
          {node.type ?? "type not known yet"} · {node.line} / {node.cell}
        </p>
      </header>
      {alarms.length > 0 && (
        <section class="panel">
          <h2>Alarms</h2>
          <AlarmList alarms={alarms} />
        </section>
      )}
      <Trends key={id} node={node} />
      <ChannelTable node={node} />
      {node.outputs.length > 0 && <OutputTable node={node} />}
      <div class="columns">
        <Versions node={node} />
        <Delivery node={node} />
      </div>
      <section class="panel">
        <div class="panel-head">
          <h2>Latest events</h2>
          <a href={routeHref("events", [], { node: id })}>All of {id}</a>
        </div>
        <EventLines events={events} />
      </section>
    </>
  );
}

function UnknownMachine({ id }: { id: string }): JSX.Element {
  return (
    <Empty
      title={`No machine \u201c${id}\u201d`}
      why="The hub has not heard of it since it started."
    >
      <p>
        <a href={routeHref("machines")}>Show all machines</a>
      </p>
    </Empty>
  );
}

function Trends({ node }: { node: NodeView }): JSX.Element | null {
  const { store, live } = usePage();
  const [all, setAll] = useState(false);
  const cursor = useMemo(() => signal<number | null>(null), []);
  const channels = all ? node.channels : node.channels.slice(0, CHARTS_FIRST);
  const charts = useCharts(node.id, channels);
  const heldMs = useHeldMs(node);
  const hubMs = live.hubMs.value;
  const span = timeSpan(
    charts.map((chart) => chart.series),
    hubMs,
  );
  const ticks = eventTicks(node.id, store.events.value, span);
  if (channels.length === 0) return <NoChannels />;
  const width = axisWidth(channels, charts);
  return (
    <section class="panel trends">
      <TrendHead node={node} span={span} cursorMs={cursor.value} width={width} />
      {channels.map((channel, index) => {
        const chart = charts[index];
        return (
          chart !== undefined && (
            <div class="trend" key={channel.name}>
              <TrendLabel node={node} channel={channel} chart={chart} cursorMs={cursor.value} />
              <Chart
                chart={chart}
                channel={channel}
                span={span}
                heldMs={heldMs}
                ticks={ticks}
                width={width}
                height={plotHeight(channels.length)}
                axis={index === channels.length - 1}
                onCursor={(atMs) => (cursor.value = atMs)}
              />
            </div>
          )
        );
      })}
      {!all && node.channels.length > CHARTS_FIRST && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {node.channels.length} charts
        </button>
      )}
    </section>
  );
}

interface TrendHeadProps {
  node: NodeView;
  span: Span;
  cursorMs: number | null;
  width: number; // of the charts' value axes
}

function TrendHead({ node, span, cursorMs, width }: TrendHeadProps): JSX.Element {
  const events = usePage().store.events.value;
  const at = cursorMs === null ? "" : `at ${clockTime(cursorMs, span.toMs)}`;
  return (
    <div class="trend state">
      <div class="trend-label">
        <span class="muted">
          {at === "" ? `last ${formatDuration(span.toMs - span.fromMs)}` : at}
        </span>
      </div>
      <div class="timeline-box" style={{ paddingLeft: `${width}px` }}>
        <Timeline node={node} events={events} span={span} />
      </div>
    </div>
  );
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
  chart: ReturnType<typeof useCharts>[number];
  cursorMs: number | null;
}

/** Name, value now, its place between the limits; while the cursor is in a chart, the value there. */
function TrendLabel({ node, channel, chart, cursorMs }: TrendLabelProps): JSX.Element {
  const band = bandText(channel);
  return (
    <div class="trend-label">
      <h3>{channel.name}</h3>
      <span class="big">
        <ValueNumber node={node} channel={channel} />
      </span>
      <Bar node={node} channel={channel} extent={extentOf(chart.series)} />
      {cursorMs !== null ? (
        <span class="muted">{valueAt(chart, channel, cursorMs)} at the cursor</span>
      ) : (
        band !== "" && <span class="muted">{band}</span>
      )}
      <ValueNotes node={node} channel={channel} />
    </div>
  );
}

/** The last reading at or before a moment. */
function valueAt(chart: TrendLabelProps["chart"], channel: ChannelView, atMs: number): string {
  const { times, values } = chart.series;
  let index = times.length - 1;
  while (index >= 0 && (times[index] ?? 0) > atMs) index--;
  const value = values[index] ?? null;
  return value === null ? NO_VALUE : formatValue(value, channel.unit, channel.decimals);
}
