// SPDX-License-Identifier: MIT
// What the page knows: the last snapshot with every change since, as signals.
//
// No I/O and no clock. A batch of changes touches each machine's signal once, so a screen update costs the same for
// one reading as for a hundred. Changes that a snapshot already holds are passed over by their id.
// Bounds: NODES_MAX machines, EVENTS_MAX events, SERIES_MAX chart buffers.

import { batch, signal, type Signal } from "@preact/signals";
import type { AlarmView, Change, ChannelView, EventView, HistoryPoint } from "../api.ts";
import type { NodeView, Plant, Snapshot, Totals } from "../api.ts";
import { CHART_WINDOW_MS, EVENTS_MAX, NODES_MAX, OLD_PERIODS, SERIES_MAX } from "./limits.ts";
import { appendPoint, createSeries, loadHistory, trimSeries, type Series } from "./series.ts";

type ReadingChange = Extract<Change, { kind: "reading" }>;

/** A chart's buffer; `version` counts its changes. */
export interface ChartBuffer {
  node: string;
  channel: string;
  series: Series;
  version: Signal<number>;
  history: "wanted" | "asked" | "there"; // whether the hub's history is under the live points
}

/** When a value last changed and from what, for the change marks. */
export interface ValueChange {
  atMs: number;
  from: number;
  to: number;
  count: number; // changes since the page was opened
}

export interface Store {
  plant: Signal<Plant | null>; // null: no snapshot yet
  totals: Signal<Totals | null>;
  nodeIds: Signal<string[]>;
  hiddenNodes: Signal<number>; // machines beyond NODES_MAX
  events: Signal<EventView[]>; // newest first
  nodes: Map<string, Signal<NodeView>>;
  valueChanges: Map<string, ValueChange>; // by `node/channel`
  charts: Map<string, ChartBuffer>; // by `node/channel`, the one used longest ago first
  changeId: number; // newest change in here
}

export function createStore(): Store {
  return {
    plant: signal(null),
    totals: signal(null),
    nodeIds: signal([]),
    hiddenNodes: signal(0),
    events: signal([]),
    nodes: new Map(),
    valueChanges: new Map(),
    charts: new Map(),
    changeId: -1,
  };
}

/** Replaces everything but the chart buffers, which want their history again. */
export function loadSnapshot(store: Store, snapshot: Snapshot): void {
  batch(() => {
    store.changeId = snapshot.changeId;
    store.plant.value = snapshot.plant;
    store.totals.value = snapshot.totals;
    store.events.value = snapshot.events.slice(0, EVENTS_MAX);
    const shown = snapshot.nodes.slice(0, NODES_MAX);
    store.hiddenNodes.value = snapshot.nodes.length - shown.length;
    const ids = new Set(shown.map((node) => node.id));
    for (const id of store.nodes.keys()) if (!ids.has(id)) store.nodes.delete(id);
    for (const key of store.valueChanges.keys())
      if (!ids.has(key.slice(0, key.indexOf("/")))) store.valueChanges.delete(key);
    for (const node of shown) putNode(store, node);
    store.nodeIds.value = [...ids].sort();
    for (const chart of store.charts.values()) chart.history = "wanted";
  });
}

/** Takes changes in their order; `hubMs` is the hub's clock now, for the charts' window. */
export function applyChanges(store: Store, changes: readonly Change[], hubMs: number): void {
  batch(() => {
    const readings = new Map<string, ReadingChange[]>();
    for (const change of changes) {
      if (change.kind === "reading") {
        appendToChart(store, change, hubMs);
        if (change.id <= store.changeId) continue;
        const known = readings.get(change.node);
        if (known === undefined) readings.set(change.node, [change]);
        else known.push(change);
      }
      if (change.id <= store.changeId) continue;
      store.changeId = change.id;
      if (change.kind === "node") takeNode(store, change.node, readings);
      if (change.kind === "event") takeEvent(store, change.event);
    }
    for (const [id, ofNode] of readings) takeReadings(store, id, ofNode);
  });
}

/** The buffer of a channel's chart; made when it is first wanted. */
export function chartOf(store: Store, node: string, channel: string): ChartBuffer {
  const key = `${node}/${channel}`;
  const view = store.nodes
    .get(node)
    ?.peek()
    .channels.find((each) => each.name === channel);
  const known = store.charts.get(key);
  const series = createSeries(view === undefined ? 0 : OLD_PERIODS * silenceOf(view));
  const chart = known ?? { node, channel, series, version: signal(0), history: "wanted" as const };
  store.charts.delete(key);
  store.charts.set(key, chart);
  const [oldest] = store.charts.keys();
  if (store.charts.size > SERIES_MAX && oldest !== undefined) store.charts.delete(oldest);
  return chart;
}

/** Puts the hub's history under the live points of a chart. */
export function putHistory(
  chart: ChartBuffer,
  points: readonly HistoryPoint[],
  hubMs: number,
): void {
  loadHistory(chart.series, points);
  trimSeries(chart.series, hubMs - CHART_WINDOW_MS);
  chart.history = "there";
  chart.version.value++;
}

/** Longest time between two readings while all is well; 0: the channel promises none. */
export function silenceOf(channel: ChannelView): number {
  return channel.heartbeatMs > 0 ? channel.heartbeatMs : channel.periodMs;
}

function putNode(store: Store, node: NodeView): void {
  const known = store.nodes.get(node.id);
  if (known !== undefined) known.value = node;
  else store.nodes.set(node.id, signal(node));
}

/** A whole machine replaces the readings collected for it so far: it is newer than they are. */
function takeNode(store: Store, node: NodeView, readings: Map<string, ReadingChange[]>): void {
  const isNew = !store.nodes.has(node.id);
  if (isNew && store.nodes.size >= NODES_MAX) {
    store.hiddenNodes.value++;
    return;
  }
  for (const reading of readings.get(node.id) ?? []) noteChange(store, reading);
  readings.delete(node.id);
  putNode(store, node);
  if (isNew) store.nodeIds.value = [...store.nodes.keys()].sort();
}

function takeReadings(store: Store, id: string, readings: readonly ReadingChange[]): void {
  const held = store.nodes.get(id);
  if (held === undefined) return;
  const newest = new Map<string, ReadingChange>();
  for (const reading of readings) {
    noteChange(store, reading);
    newest.set(reading.channel, reading);
  }
  const node = held.peek();
  const lastMs = Math.max(node.lastSeenMs ?? 0, ...readings.map((reading) => reading.wallMs));
  const channels = node.channels.map((channel) => {
    const reading = newest.get(channel.name);
    if (reading === undefined) return channel;
    const { value, text = null, quality, cause } = reading;
    return { ...channel, value, text, quality, cause, atMs: reading.wallMs };
  });
  held.value = { ...node, lastSeenMs: lastMs, channels };
}

/** Notes a change of value; a bad reading between two equal ones is none. */
function noteChange(store: Store, reading: ReadingChange): void {
  if (reading.value === null) return;
  const key = `${reading.node}/${reading.channel}`;
  const known = store.valueChanges.get(key);
  const before = channelOf(store, reading.node, reading.channel)?.value ?? null;
  const from = known?.to ?? before;
  if (from === null || from === reading.value) return;
  store.valueChanges.set(key, {
    atMs: reading.wallMs,
    from,
    to: reading.value,
    count: (known?.count ?? 0) + 1,
  });
}

function channelOf(store: Store, node: string, channel: string): ChannelView | undefined {
  return store.nodes
    .get(node)
    ?.peek()
    .channels.find((each) => each.name === channel);
}

/** A known id replaces its line: a flood counts up in one place. */
function takeEvent(store: Store, event: EventView): void {
  const known = store.events.peek().findIndex((each) => each.id === event.id);
  const rest = store.events.peek().filter((_, index) => index !== known);
  store.events.value = [event, ...rest].slice(0, EVENTS_MAX);
  if (event.kind === "alarm" || event.kind === "returned") takeAlarm(store, event);
}

/** Shows an alarm at once; the machine's next whole view says the same. */
function takeAlarm(store: Store, event: EventView): void {
  const held = event.node === null ? undefined : store.nodes.get(event.node);
  if (held === undefined) return;
  const active = event.kind === "alarm";
  const node = held.peek();
  const channels = node.channels.map((channel) => {
    if (channel.name !== event.channel) return channel;
    const alarms = channel.alarms.map((alarm): AlarmView => {
      if (alarm.name !== event.alarm || alarm.active === active) return alarm;
      const asks = !alarm.acknowledged && (alarm.active || alarm.returnedMs !== null);
      const anew = { acknowledged: false, acknowledgedBy: null, raises: asks ? alarm.raises : 0 };
      if (!active)
        return {
          ...alarm,
          ...anew,
          active,
          sinceMs: asks ? alarm.sinceMs : null,
          returnedMs: asks ? event.wallMs : null,
        };
      const sinceMs = event.wallMs;
      return { ...alarm, ...anew, active, sinceMs, returnedMs: null, raises: anew.raises + 1 };
    });
    return { ...channel, alarms };
  });
  held.value = { ...node, channels };
}

function appendToChart(store: Store, reading: ReadingChange, hubMs: number): void {
  const chart = store.charts.get(`${reading.node}/${reading.channel}`);
  if (chart === undefined) return;
  appendPoint(chart.series, reading.wallMs, reading.value);
  trimSeries(chart.series, hubMs - CHART_WINDOW_MS);
  chart.version.value++;
}
