// SPDX-License-Identifier: MIT
// Goal: ranges, traces and typed set-points are right before anything is drawn.
//
// Method: pure functions of the machine view with values made by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChannelView, SetpointView } from "../../hub/api.ts";
import { oeeView } from "../../hub/oee.ts";
import {
  fixedRange,
  rangeQuery,
  RANGES,
  readRange,
  shifted,
  type ShownRange,
  spanOf,
  zoomedIn,
  zoomedOut,
} from "../../hub/web/history-range.ts";
import {
  heldTrace,
  liveTrace,
  pastTrace,
  traceAt,
  traceExtent,
} from "../../hub/web/history-trace.ts";
import { RANGE_MS_MAX, RANGE_MS_MIN } from "../../hub/web/limits.ts";
import { axisValues, chartRange } from "../../hub/web/scale.ts";
import { createSeries, loadHistory } from "../../hub/web/series.ts";
import {
  hasFallenBack,
  readEntry,
  setpointCondition,
  storyOf,
} from "../../hub/web/setpoint-text.ts";
import { eventTicks, tickNear } from "../../hub/web/timeline.tsx";
import { hubConfig, plantSchema } from "../../scripts/build/plant.ts";
import { ovenNode } from "./page-plant.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

const TARGET: SetpointView = {
  name: "target",
  unit: "Cel",
  decimals: 1,
  min: -20,
  max: 220,
  default: 180,
  staleMs: 0,
  effective: 180,
  effectiveAtMs: NOW,
  requested: null,
  requestedBy: null,
  requestedAtMs: null,
  state: "none",
  reason: null,
};

test("an address and its range are the same thing, and nonsense is live", () => {
  const fixed: ShownRange = { kind: "fixed", span: { fromMs: NOW - HOUR_MS, toMs: NOW } };
  for (const range of [...RANGES.map(({ key }) => readRange({ range: key })), fixed])
    assert.deepEqual(readRange(rangeQuery(range)), range);
  const nonsense: Record<string, string>[] = [
    { range: "9y" },
    { since: "5" },
    { since: "5", until: "4" },
    { since: "-5", until: "9000" },
    { since: "0", until: "99999999999999999" },
    { since: "0", until: String(RANGE_MS_MAX + 1) },
    { since: "0", until: String(RANGE_MS_MIN - 1) },
  ];
  for (const query of nonsense)
    assert.deepEqual(readRange(query), { kind: "live" }, JSON.stringify(query));
});

test("zooming out walks the choices, zooming in halves, nothing passes the present", () => {
  let range: ShownRange = { kind: "live" };
  const keys: string[] = [];
  for (let step = 0; step < 4; step++) {
    range = zoomedOut(range, NOW);
    if (range.kind === "moving") keys.push(range.key);
  }
  assert.deepEqual(keys, ["1h", "8h", "1d", "7d"]);
  const wide = spanOf(zoomedOut(range, NOW), NOW);
  assert.deepEqual([wide.toMs, wide.toMs - wide.fromMs], [NOW, 14 * 24 * HOUR_MS]);
  const hour = readRange({ range: "1h" });
  assert.deepEqual(spanOf(zoomedIn(hour, NOW), NOW), { fromMs: NOW - HOUR_MS / 2, toMs: NOW });
  const earlier = shifted(hour, -1, NOW);
  assert.deepEqual(spanOf(earlier, NOW), {
    fromMs: NOW - 1.5 * HOUR_MS,
    toMs: NOW - 0.5 * HOUR_MS,
  });
  assert.deepEqual(spanOf(shifted(earlier, 1, NOW), NOW), spanOf(hour, NOW));
  assert.equal(spanOf(shifted(hour, 1, NOW), NOW).toMs, NOW);
  const least = spanOf(fixedRange({ fromMs: NOW - 10, toMs: NOW - 10 }, NOW), NOW);
  assert.equal(least.toMs - least.fromMs, RANGE_MS_MIN);
  const most = spanOf(fixedRange({ fromMs: -1e15, toMs: NOW }, NOW), NOW);
  assert.ok(most.fromMs >= 0 && most.toMs <= NOW, "within what a hub keeps");
});

test("bands keep the spike and stand at their middle; gaps stay gaps", () => {
  const trace = pastTrace({
    widthMs: 100,
    bands: [
      [NOW, 1, 2, 3],
      [NOW + 100, 1, 2.5, 999],
      [NOW + 200, null, null, null],
      [NOW + 900, 4, 4, 4],
    ],
    bad: [[NOW + 200, NOW + 900]],
  });
  assert.deepEqual(trace.times, [NOW + 50, NOW + 150, NOW + 250, NOW + 950]);
  assert.deepEqual(trace.values, [2, 2.5, null, 4]);
  assert.deepEqual(traceExtent(trace), { low: 1, high: 999 });
  assert.deepEqual(traceAt(trace, NOW + 101), { mean: 2.5, low: 1, high: 999 });
  assert.equal(traceAt(trace, NOW + 500), null);
  assert.equal(traceAt(trace, NOW - 1), null);
  assert.deepEqual(trace.bad, [{ fromMs: NOW + 200, toMs: NOW + 900 }]);
  assert.equal(heldTrace(trace, 0, NOW + 5_000), trace);
});

test("a last reading stands until it is old, a bad one not at all", () => {
  const good = pastTrace({ points: [[NOW, 7]] });
  assert.deepEqual(heldTrace(good, 3_000, NOW + 9_000).times, [NOW, NOW + 3_000]);
  assert.deepEqual(heldTrace(good, 0, NOW + 9_000).times, [NOW, NOW + 9_000]);
  const bad = pastTrace({ points: [[NOW, null]] });
  assert.equal(heldTrace(bad, 0, NOW + 9_000), bad);
});

test("what the hub calls a silence is hatched neither live nor after a reload", () => {
  const series = createSeries(3_000);
  loadHistory(series, [
    [NOW, 1],
    [NOW + 1, null],
    [NOW + 60_000, null],
    [NOW + 60_100, 2],
  ]);
  assert.deepEqual(series.marks, ["value", "silence", "bad", "value"]);
  const { bad, values } = liveTrace(series, NOW + 60_100);
  assert.deepEqual(bad, [{ fromMs: NOW + 60_000, toMs: NOW + 60_100 }]);
  assert.deepEqual(values, [1, null, null, 2, 2]);
});

test("restarts, clock steps, alarms and set-points are marks, a request alone is none", () => {
  const none = { id: 1, channel: null, alarm: null, value: null, count: 1, node: "oven-1" };
  const events = [
    { ...none, kind: "clock", wallMs: NOW + 4, text: "clock" },
    { ...none, kind: "alarm", wallMs: NOW + 3, text: "hot" },
    { ...none, kind: "boot", wallMs: NOW + 1, text: "boot" },
    { ...none, kind: "online", wallMs: NOW + 1, text: "online" },
    { ...none, kind: "boot", wallMs: NOW + 99, text: "later" },
    { ...none, kind: "boot", wallMs: NOW + 1, node: "other", text: "other" },
  ] as const;
  const row = { id: 1, node: "oven-1", name: "target", value: 190, by: "Ann", reason: null };
  const audit = [
    { ...row, wallMs: NOW + 2, effective: 190, request: 1, outcome: "applied" },
    { ...row, wallMs: NOW + 2, effective: null, request: 1, outcome: "sent" },
    { ...row, wallMs: NOW + 2, effective: null, request: null, outcome: "refused" },
  ] as const;
  const span = { fromMs: NOW, toMs: NOW + 10 };
  const ticks = eventTicks("oven-1", events, audit, span);
  assert.deepEqual(
    ticks.map(({ text, critical }) => [text, critical]),
    [
      ["boot", false],
      ["target is 190, applied, asked for by Ann.", false],
      ["hot", true],
      ["clock", false],
    ],
  );
  assert.equal(tickNear(ticks, NOW + 3.01, { fromMs: NOW, toMs: NOW + 10 })?.text, "hot");
  assert.equal(tickNear(ticks, NOW + 8, span), null);
});

test("a state has its four lines, a digital input two, whatever came", () => {
  const channel = (kind: ChannelView["kind"]): ChannelView => ({
    ...ovenNode(0).channels[0]!,
    kind,
  });
  assert.deepEqual(axisValues(channel("state")), [0, 1, 2, 3]);
  assert.deepEqual(axisValues(channel("digital")), [0, 1]);
  assert.equal(axisValues(channel("analog")), null);
  const range = chartRange(channel("state"), { low: 2, high: 2 });
  assert.ok(range.low < 0 && range.high > 3, "all four are in sight");
});

for (const [text, wanted] of [
  ["182", 182],
  [" 182.0 ", 182],
  ["182,5", 182.5],
  ["\u22125", -5],
  ["-20", -20],
  ["1.50", 1.5],
  [".5", 0.5],
  ["-0", 0],
  ["", "Enter a value first."],
  ["hot", /^That is no number\. Enter one such as 180\.0\.$/],
  ["1e2", /no number/],
  ["1,2,3", /no number/],
  ["0x10", /no number/],
  ["182.55", "The smallest step is 0.1\u00a0°C."],
  ["220.1", "The most is 220.0\u00a0°C."],
  ["-20.1", "The least is \u221220.0\u00a0°C."],
] as const)
  test(`"${text}" typed for a set-point is ${String(wanted)}`, () => {
    const entry = readEntry(text, TARGET);
    if (typeof wanted === "number") {
      assert.ok("value" in entry, JSON.stringify(entry));
      assert.ok(Object.is(entry.value, wanted), `${entry.value}`);
    } else {
      assert.ok("error" in entry, JSON.stringify(entry));
      if (typeof wanted === "string") assert.equal(entry.error, wanted);
      else assert.match(entry.error, wanted);
    }
  });

test("a share is typed in percent", () => {
  const duty = { ...TARGET, unit: "/", decimals: 3, min: 0, max: 0.95, default: 0.4 };
  assert.deepEqual(readEntry("45.5", duty), { value: 0.455 });
  assert.deepEqual(readEntry("96", duty), { error: "The most is 95.0\u00a0%." });
  assert.deepEqual(readEntry("45.55", duty), { error: "The smallest step is 0.1\u00a0%." });
});

test("each outcome is said with who asked, and a fall back to the default is no success", () => {
  const asked = { ...TARGET, requested: 190, requestedBy: "Ann", requestedAtMs: NOW };
  const said = (change: Partial<SetpointView>): string => storyOf({ ...asked, ...change });
  assert.match(
    said({ state: "pending" }),
    /^Ann asked for 190\.0\u00a0°C; the node has not answered/,
  );
  assert.equal(said({ state: "applied", effective: 190 }), "Set by Ann.");
  const clamped = said({ state: "clamped", effective: 210, reason: "a limit" });
  assert.equal(clamped, "Ann asked for 190.0\u00a0°C; the node applied 210.0\u00a0°C: a limit.");
  assert.match(said({ state: "refused", reason: "an interlock" }), /refused: an interlock\.$/);
  assert.match(said({ state: "timed-out", reason: "no answer" }), /no answer\. Whether it holds/);
  assert.match(said({ state: "stale", reason: "no write came in time" }), /no write came in time/);
  const fallen = { ...asked, state: "applied", effective: 180 } as const;
  assert.ok(hasFallenBack(fallen), "the node restarted");
  assert.equal(setpointCondition(fallen).tone, "warning");
  assert.match(storyOf(fallen), /gone back to its default/);
  assert.ok(!hasFallenBack({ ...fallen, requested: 180 }), "the default was asked for");
});

test("a plan in plant.json reaches the hub, and one of more than all the time is refused", () => {
  const plan = { busyShare: 0.8, itemMs: 1_200, total: "parts", rejects: "rejects" };
  const levels = { enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };
  const plant = (change: object): unknown => ({
    ...levels,
    nodes: [{ id: "press-1", node: ".", plan: { ...plan, ...change } }],
  });
  const config = hubConfig({ folder: "", type: plantSchema.parse(plant({})) });
  assert.deepEqual(config.nodes, { "press-1": { plan } });
  const refused = plantSchema.safeParse(plant({ busyShare: 1.1 }));
  assert.deepEqual(refused.error?.issues[0]?.path, ["nodes", 0, "plan", "busyShare"]);
  const times = { run: 6_000, idle: 4_000, stopped: 0, fault: 0 };
  const told = oeeView(plan, { stateMs: times, counts: { parts: 5, rejects: 1 } });
  assert.deepEqual([told.busyMs, told.produced, told.good], [8_000, 5, 4]);
  assert.deepEqual([told.availability, told.effectiveness, told.quality], [0.75, 1, 0.8]);
  const nothing = oeeView(plan, { stateMs: null, counts: {} });
  const factors = [nothing.availability, nothing.effectiveness, nothing.quality, nothing.oee];
  assert.deepEqual(factors, [null, null, null, null]);
  assert.deepEqual([nothing.produced, nothing.good], [null, null]);
});
