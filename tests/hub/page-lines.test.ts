// SPDX-License-Identifier: MIT
// Goal: a line of text shows its fields; a machine shows its own states.
//
// Method: pure functions with traces made by hand; Debian's Chromium with a scripted press and scale.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTick } from "../../hub/web/format.ts";
import { EMPTY_TRACE, liveTrace, type Trace } from "../../hub/web/history-trace.ts";
import { machineStretches } from "../../hub/web/machine-states.ts";
import { chartRange, isStepped } from "../../hub/web/scale.ts";
import { appendPoint, createSeries } from "../../hub/web/series.ts";
import { program } from "../support/need.ts";
import { useBrowser } from "./page-open.ts";
import { pressNode, scaleNode } from "./page-plant.ts";
import { showsText } from "./page-settled.ts";

const NOW = 1_700_000_000_000;
const [STOPPED, IDLE, RUN, FAULT] = [0, 1, 2, 3];
const { open } = useBrowser();
const needs = program("chromium");

const stretches = (trace: Trace, fromMs: number, toMs: number): unknown =>
  machineStretches(trace, { fromMs: NOW + fromMs, toMs: NOW + toMs }).map((each) => [
    each.name,
    each.fromMs - NOW,
    each.toMs - NOW,
  ]);

test("states stand from one reading to the next, equal ones joined, within the span", () => {
  const series = createSeries(30_000);
  for (const [atMs, value] of [
    [0, RUN],
    [10_000, RUN],
    [14_000, IDLE],
    [15_000, FAULT],
    [18_000, STOPPED],
  ] as const)
    appendPoint(series, NOW + atMs, value!);
  assert.deepEqual(stretches(liveTrace(series, NOW + 20_000), 5_000, 60_000), [
    ["run", 5_000, 14_000],
    ["idle", 14_000, 15_000],
    ["fault", 15_000, 18_000],
    ["stopped", 18_000, 20_000],
  ]);
});

test("silence and bad readings are gaps, and a value that is no state is none", () => {
  const series = createSeries(30_000);
  appendPoint(series, NOW, RUN!);
  appendPoint(series, NOW + 5_000, null);
  appendPoint(series, NOW + 8_000, RUN!);
  appendPoint(series, NOW + 100_000, RUN!);
  appendPoint(series, NOW + 101_000, 7);
  assert.deepEqual(stretches(liveTrace(series, NOW + 110_000), 0, 110_000), [
    ["run", 0, 5_000],
    ["run", 8_000, 18_000], // until the heartbeat that did not come
    ["run", 100_000, 101_000],
  ]);
});

test("a band of the past with more than one state says so", () => {
  const times = [5_000, 15_000, 25_000, 35_000].map((at) => NOW + at);
  const low = [RUN!, IDLE!, null, RUN!];
  const high = [RUN!, RUN!, null, RUN!];
  const trace = { ...EMPTY_TRACE, times, values: [2, 1.5, null, 2], low, high, widthMs: 10_000 };
  assert.deepEqual(stretches(trace, 0, 60_000), [
    ["run", 0, 10_000],
    ["several", 10_000, 20_000],
    ["run", 30_000, 40_000],
  ]);
});

test("an axis names its lines as they are, and a code of a line is drawn in steps", () => {
  assert.deepEqual(
    [2.5, 5, 7.5].map((value) => formatTick(value, 2.5)),
    ["2.5", "5.0", "7.5"],
  );
  assert.equal(formatTick(0.25, 0.25), "0.25");
  assert.equal(formatTick(0.3, 0.30000000000000004), "0.3");
  const [weight] = scaleNode(NOW).channels;
  const code = { ...weight!, unit: null, decimals: 0 };
  assert.deepEqual([isStepped(weight!), isStepped(code)], [false, true]);
  assert.equal(chartRange(code, { low: 0, high: 2 }).low, 0);
  const velocity = pressNode(1, NOW).channels.find(({ kind }) => kind === "vibration")!;
  assert.equal(chartRange(velocity, { low: 0.00002, high: 0.002 }).low, 0);
  assert.ok(chartRange(code, { low: 0, high: 2 }).high <= 5, "a code fills its chart");
});

test("a tap of lines shows its fields and what became of its lines", needs, async () => {
  const { page, fixture, printed } = await open("#/taps/scale-1/line", { presses: 1 });
  const row = page.locator('tr:has-text("weight")');
  await showsText(row, /kg.*result.*gross/);
  await showsText(
    page.locator(".figures"),
    /understood99\.0\u00a0%lines heard2000matched1980not matched14damaged6/,
  );
  await page.waitForSelector('.tap-head :text("hears the line")');

  const counters = { bytes: 9_000, frames: 10, exceptions: 300, orphans: 90, junkBytes: 8_700 };
  const [tap] = scaleNode(NOW).taps;
  fixture.change("scale-1", { taps: [{ ...tap!, counters }] });
  await page.waitForSelector('.tap-head :text("hears it partly")');

  const [weight] = scaleNode(NOW).channels;
  fixture.change("scale-1", { channels: [{ ...weight!, field: null }] });
  await page.waitForSelector('main :text("does not tell which of its channels")');
  assert.deepEqual(printed, []);
});

test("a press says on one axis whether it is heard and what it does", needs, async () => {
  const { page, fixture } = await open("#/machines/press-1", { presses: 1 });
  await page.waitForSelector('.timeline[aria-label="state: connected; machine: running"]');
  await page.waitForSelector(".timeline .state-run");
  await page.goto(`${fixture.url}#/machines/press-1?channel=parts`);
  await page.waitForSelector(".timeline .state-run");
  await page.goto(`${fixture.url}#/machines/press-1?range=1h`);
  await page.waitForSelector(".timeline .state-run");
  fixture.change("press-1", { machine: { state: "fault", sinceMs: pressNode(1, NOW).sinceMs } });
  await page.waitForSelector('header .mark.tone-warning :text("fault")');
  await page.goto(`${fixture.url}#/machines/scale-1`);
  await page.waitForSelector('.timeline[aria-label="state: running"]');
});
