// SPDX-License-Identifier: MIT
// Goal: the page's memory is right and bounded before anything is drawn.
//
// Method: snapshots, changes and points go in by hand; signals, series and texts are read back.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, EventView, NodeView, Snapshot } from "../../hub/api.ts";
import { openAlarms, stateSegments, worstCondition } from "../../hub/web/condition.ts";
import { eventsCsv, toCsv } from "../../hub/web/csv.ts";
import { filterEvents } from "../../hub/web/events-filter.ts";
import { formatCount, formatDuration, formatNumber, formatTick } from "../../hub/web/format.ts";
import { formatValue } from "../../hub/web/format.ts";
import { EVENTS_MAX, NODES_MAX, POINTS_MAX, SERIES_MAX } from "../../hub/web/limits.ts";
import { parseRoute, routeHref } from "../../hub/web/route.ts";
import { barRange, chartRange, timeSpan } from "../../hub/web/scale.ts";
import { appendPoint, columnExtremes, createSeries } from "../../hub/web/series.ts";
import { loadHistory, trimSeries } from "../../hub/web/series.ts";
import {
  applyChanges,
  chartOf,
  createStore,
  loadSnapshot,
  putHistory,
} from "../../hub/web/store.ts";
import { crowdNode, meterNode, ovenNode } from "./page-plant.ts";

const NOW = 1_700_000_000_000;

function snapshotOf(nodes: NodeView[], events: EventView[] = [], changeId = 100): Snapshot {
  const plant = { enterprise: "acme", site: "north", area: "heat", line: "l", cell: "c" };
  return { wallMs: NOW, changeId, plant, totals: {} as Snapshot["totals"], nodes, events };
}

function loaded(...nodes: NodeView[]): ReturnType<typeof createStore> {
  const store = createStore();
  loadSnapshot(store, snapshotOf(nodes.length === 0 ? [ovenNode(NOW)] : nodes));
  return store;
}

function reading(id: number, value: number | null, wallMs = NOW + id): Change {
  const quality = value === null ? "bad" : "good";
  const cause = value === null ? "open-wire" : null;
  const where = { node: "oven-1", channel: "temperature" };
  return { id, kind: "reading", ...where, wallMs, value, quality, cause };
}

function event(id: number, words: Partial<EventView> = {}): EventView {
  const none = { node: "oven-1", channel: null, alarm: null, value: null, count: 1 };
  return { ...none, id, wallMs: NOW + id, kind: "boot", text: `event ${id}`, ...words };
}

function temperature(store: ReturnType<typeof createStore>): NodeView["channels"][number] {
  return store.nodes.get("oven-1")!.value.channels[0]!;
}

test("a reading changes its channel only, and a bad one has its cause and no value", () => {
  const store = loaded();
  applyChanges(store, [reading(101, 181.5)], NOW);
  assert.equal(temperature(store).value, 181.5);
  assert.equal(store.nodes.get("oven-1")!.value.channels[1]!.value, null);
  applyChanges(store, [reading(102, null)], NOW);
  assert.equal(temperature(store).value, null);
  assert.equal(temperature(store).cause, "open-wire");
});

test("a change that the snapshot already holds is passed over", () => {
  const store = loaded();
  applyChanges(store, [reading(99, 20), reading(100, 21)], NOW);
  assert.equal(temperature(store).value, null);
  assert.equal(store.changeId, 100);
});

test("a machine that comes whole is newer than the readings before it", () => {
  const store = loaded();
  const whole = ovenNode(NOW);
  whole.channels[0]!.value = 55;
  applyChanges(store, [reading(101, 20), { id: 102, kind: "node", node: whole }], NOW);
  assert.equal(temperature(store).value, 55);
});

test("an alarm event raises the alarm at once; its return asks until it is acknowledged", () => {
  const store = loaded();
  const where = { channel: "temperature", alarm: "too-hot" };
  const raised = event(1, { ...where, kind: "alarm" });
  applyChanges(store, [{ id: 101, kind: "event", event: raised }], NOW);
  const [alarm] = openAlarms([store.nodes.get("oven-1")!.value]);
  assert.equal(alarm?.alarm.name, "too-hot");
  assert.equal(worstCondition(store.nodes.get("oven-1")!.value).word, "alarm");
  const returned = event(2, { ...where, kind: "returned" });
  applyChanges(store, [{ id: 102, kind: "event", event: returned }], NOW);
  const oven = store.nodes.get("oven-1")!;
  const [open] = openAlarms([oven.value]);
  assert.deepEqual(
    [open?.alarm.active, open?.alarm.raises, open?.alarm.returnedMs, open?.condition.word],
    [false, 1, returned.wallMs, "returned"],
  );
  assert.equal(worstCondition(oven.value).word, "returned");
  applyChanges(store, [{ id: 103, kind: "event", event: { ...raised, id: 3 } }], NOW);
  assert.equal(openAlarms([oven.value])[0]?.alarm.raises, 2);
});

test("an event with a known id replaces its line, and the oldest go beyond the bound", () => {
  const store = loaded();
  const flood = Array.from({ length: EVENTS_MAX + 50 }, (_, index): Change => {
    return { id: 101 + index, kind: "event", event: event(index) };
  });
  applyChanges(store, flood, NOW);
  assert.equal(store.events.value.length, EVENTS_MAX);
  assert.equal(store.events.value[0]!.id, EVENTS_MAX + 49);
  const again = { ...event(60), count: 7 };
  applyChanges(store, [{ id: 5_000, kind: "event", event: again }], NOW);
  assert.equal(store.events.value.length, EVENTS_MAX);
  assert.deepEqual(store.events.value[0], again);
});

test("a day of readings, events and alarms leaves the store as large as its bounds", () => {
  const store = loaded();
  const chart = chartOf(store, "oven-1", "temperature");
  const where = { channel: "temperature", alarm: "too-hot" };
  const changes: Change[] = [];
  const pitchMs = 86_400_000 / 100_000;
  for (let index = 0; index < 100_000; index++) {
    const wallMs = NOW + index * pitchMs;
    changes.push(reading(101 + 2 * index, index % 251, wallMs));
    const kind = index % 20 === 0 ? "alarm" : index % 20 === 10 ? "returned" : null;
    if (kind === null) continue;
    const happened = event(index, { ...where, kind, wallMs });
    changes.push({ id: 102 + 2 * index, kind: "event", event: happened });
  }
  while (changes.length > 0) applyChanges(store, changes.splice(0, 250), NOW + 86_400_000);
  assert.equal(temperature(store).value, 99_999 % 251);
  assert.equal(store.events.value.length, EVENTS_MAX);
  assert.ok(chart.series.times.length <= POINTS_MAX, `${chart.series.times.length} points`);
  assert.deepEqual([store.charts.size, store.valueChanges.size, store.nodes.size], [1, 1, 1]);
  assert.equal(temperature(store).alarms[0]?.raises, 5_000, "of an alarm that nobody acknowledged");
  loadSnapshot(store, snapshotOf([meterNode(NOW)]));
  assert.equal(store.valueChanges.size, 0, "of machines that are gone nothing is kept");
});

test("machines beyond the bound are counted and not held", () => {
  const crowd = Array.from({ length: NODES_MAX + 3 }, (_, index) => crowdNode(index, NOW));
  const store = loaded(...crowd);
  assert.equal(store.nodes.size, NODES_MAX);
  assert.equal(store.hiddenNodes.value, 3);
  const change: Change = { id: 101, kind: "node", node: crowdNode(5_000, NOW) };
  applyChanges(store, [change], NOW);
  assert.equal(store.nodes.size, NODES_MAX);
  assert.equal(store.hiddenNodes.value, 4);
});

test("a new snapshot forgets machines that are gone and wants all histories again", () => {
  const store = loaded(ovenNode(NOW), meterNode(NOW));
  const chart = chartOf(store, "oven-1", "temperature");
  putHistory(chart, [[NOW - 10, 1]], NOW);
  loadSnapshot(store, snapshotOf([ovenNode(NOW)], [], 200));
  assert.deepEqual(store.nodeIds.value, ["oven-1"]);
  assert.equal(store.nodes.has("meter-1"), false);
  assert.equal(chart.history, "wanted");
});

test("chart buffers beyond the bound are dropped, the one used longest ago first", () => {
  const store = loaded();
  const first = chartOf(store, "oven-1", "temperature");
  for (let index = 0; index < SERIES_MAX - 1; index++) chartOf(store, "x", `c${index}`);
  assert.equal(chartOf(store, "oven-1", "temperature"), first);
  chartOf(store, "x", "one more");
  assert.equal(store.charts.size, SERIES_MAX);
  assert.equal(chartOf(store, "oven-1", "temperature"), first);
  assert.equal(store.charts.has("x/c0"), false);
});

test("a change of value is noted with what it was, and a bad reading between is none", () => {
  const store = loaded();
  const key = "oven-1/temperature";
  applyChanges(store, [reading(101, 20)], NOW);
  assert.equal(store.valueChanges.get(key), undefined);
  applyChanges(store, [reading(102, 20), reading(103, null), reading(104, 20)], NOW);
  assert.equal(store.valueChanges.get(key), undefined);
  applyChanges(store, [reading(105, 21), reading(106, 19)], NOW);
  assert.deepEqual(store.valueChanges.get(key), { atMs: NOW + 106, from: 21, to: 19, count: 2 });
});

test("history goes under what came live, once each, and its nulls stay gaps", () => {
  const series = createSeries(0);
  appendPoint(series, NOW + 20, 3);
  appendPoint(series, NOW + 30, 4);
  const past: [number, number | null][] = [
    [NOW, 1],
    [NOW + 10, null],
    [NOW + 20, 3],
  ];
  loadHistory(series, past);
  assert.deepEqual(series.times, [NOW, NOW + 10, NOW + 20, NOW + 30]);
  assert.deepEqual(series.values, [1, null, 3, 4]);
  assert.deepEqual(series.marks, ["value", "bad", "value", "value"]);
});

test("three periods of silence break the line, and an older point is passed over", () => {
  const series = createSeries(3_000);
  appendPoint(series, NOW, 1);
  appendPoint(series, NOW + 3_000, 2);
  appendPoint(series, NOW + 6_001, 3);
  appendPoint(series, NOW + 6_000, 9);
  assert.deepEqual(series.values, [1, 2, null, 3]);
  assert.deepEqual(series.marks, ["value", "value", "silence", "value"]);
});

test("a series never exceeds its bound, and a spike survives the thinning", () => {
  const series = createSeries(0);
  for (let index = 0; index < 4 * POINTS_MAX; index++) {
    appendPoint(series, NOW + index, index === 100 ? 1_000 : Math.sin(index));
    assert.ok(series.times.length <= POINTS_MAX);
  }
  assert.ok(series.values.includes(1_000));
  assert.ok(series.times.every((at, index) => index === 0 || at > series.times[index - 1]!));
  const gaps = createSeries(0);
  for (let index = 0; index < 3 * POINTS_MAX; index++) {
    appendPoint(gaps, NOW + index, index % 2 === 0 ? null : 1);
  }
  assert.ok(gaps.times.length <= POINTS_MAX);
});

test("trimming leaves one point before the window, so that the line begins at its edge", () => {
  const series = createSeries(0);
  for (let index = 0; index < 10; index++) appendPoint(series, NOW + 10 * index, index);
  trimSeries(series, NOW + 45);
  assert.deepEqual(series.times[0], NOW + 40);
});

test("a column of a sparkline shows its lowest, its highest and its gap", () => {
  const series = createSeries(0);
  for (const [index, value] of [5, 1, 9, null, 4].entries())
    appendPoint(series, 1_000 + index, value);
  const shown = columnExtremes(series, 1_000).map((index) => series.values[index]);
  assert.deepEqual(shown, [1, 9, null]);
});

test("numbers keep their decimals, group by thin spaces, and have a true minus", () => {
  assert.equal(formatValue(23.5, "Cel", 2), "23.50\u00a0°C");
  assert.equal(formatValue(-7000, "W", 1), "\u22127000.0\u00a0W");
  assert.equal(formatValue(0.337, "/", 3), "33.7\u00a0%");
  assert.equal(formatNumber(44_435_520, "J", 0), "44\u2009435\u2009520");
  assert.equal(formatNumber(-0.001, null, 1), "0.0");
  assert.equal(formatNumber(0.1 + 0.2, null, null), "0.3");
  assert.equal(formatCount(10_000), "10\u2009000");
  assert.equal(formatTick(444_444_120, 10), "444.44412\u00a0M");
  assert.equal(formatTick(0.2, 0.1), "0.2");
});

test("lengths of time have two units at most", () => {
  const texts = [900, 59_999, 60_000, 3_900_000, 90_000_000].map(formatDuration);
  const wanted = ["0 s", "59 s", "1 min", "1 h 05 min", "1 d 1 h"];
  assert.deepEqual(
    texts,
    wanted.map((text) => text.replaceAll(" ", "\u00a0")),
  );
});

test("an address survives its way there and back, and an unknown one is the plant", () => {
  const href = routeHref("events", [], { kind: "alarm", text: "a&b=c", node: "" });
  const route = { view: "events", path: [], query: { kind: "alarm", text: "a&b=c" } };
  assert.deepEqual(parseRoute(href), route);
  assert.deepEqual(parseRoute(routeHref("taps", ["a/b", "%"])).path, ["a/b", "%"]);
  for (const odd of ["", "#", "#/nowhere", "#/%E0%A4%A", "#//"]) {
    assert.equal(parseRoute(odd).view, "plant");
  }
});

test("a filter lets through what it says, and a sort keeps the hub's order among equals", () => {
  const events = [event(3, { kind: "alarm" }), event(2, { node: null }), event(1, { text: "Hot" })];
  assert.deepEqual(filterEvents(events, { kind: "alarm" }), [events[0]]);
  assert.deepEqual(filterEvents(events, { text: "hot" }), [events[2]]);
  assert.deepEqual(filterEvents(events, { node: "oven-1" }), [events[0], events[2]]);
  assert.deepEqual(
    filterEvents(events, { sort: "-time" }).map(({ id }) => id),
    [1, 2, 3],
  );
  assert.deepEqual(
    filterEvents(events, { sort: "node" }).map(({ id }) => id),
    [2, 3, 1],
  );
});

test("a cell that a spreadsheet would run is text, and quotes and lines are kept", () => {
  const rows = [["=1+1", "@x", -5, 'say "a", b\nc', null]];
  assert.equal(toCsv(["a"], rows), `a\r\n'=1+1,'@x,-5,"say ""a"", b\nc",\r\n`);
  assert.match(eventsCsv([event(1, { wallMs: 1e18 })]), /\r\n,oven-1,boot/);
});

test("the time axis is the shortest that holds what is there", () => {
  const series = createSeries(0);
  appendPoint(series, NOW - 61_000, 1);
  assert.equal(timeSpan([series], NOW).fromMs, NOW - 120_000);
  assert.equal(timeSpan([createSeries(0)], NOW).fromMs, NOW - 60_000);
});

test("ranges hold values and limits; a share stays within 0 to 100 %; no context, no bar", () => {
  const [hot, heater] = ovenNode(NOW).channels;
  const range = chartRange(hot!, { low: 150, high: 181 });
  assert.ok(range.low <= 150 && range.high >= 200);
  assert.deepEqual(barRange(heater!, { low: 0.4, high: 0.6 }), { low: 0, high: 1 });
  assert.equal(barRange(meterNode(NOW).channels[1]!, { low: 1, high: 2 }), null);
});

test("the state over time comes from the events, and the last one from the machine", () => {
  const node = { ...ovenNode(NOW), sinceMs: NOW - 10, state: "lost" as const };
  const events = [
    event(2, { kind: "lost", wallMs: NOW - 10 }),
    event(1, { kind: "online", wallMs: NOW - 50 }),
  ];
  assert.deepEqual(stateSegments(node, events, NOW - 100, NOW), [
    { state: "online", fromMs: NOW - 50, toMs: NOW - 10 },
    { state: "lost", fromMs: NOW - 10, toMs: NOW },
  ]);
});
