// SPDX-License-Identifier: MIT
// Goal: texts are shown, published, kept over a restart and exported.
//
// Spec: SPEC.md §3, §5, §9, §10. Method: packs and births by the tests' own encoder into hubs in memory and on a file; Debian's
// Chromium with the page of a real hub.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Change, HistoryText } from "../../hub/api.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import {
  HISTORY_TEXTS_MAX,
  HISTORY_TEXTS_TOTAL_MAX,
  HOURS_KEPT_MS,
  MINUTES_KEPT_MS,
} from "../../hub/limits.ts";
import { createMemoryHistory, type HistoryStore } from "../../hub/history.ts";
import { openFileHistory } from "../../hub/server-sqlite.ts";
import { bundlePage } from "../../hub/web/bundle.ts";
import { PLANT, START_MS as T0, startFixtureHub } from "../support/fixture-hub.ts";
import { birth, Decimal, encode, pack, type RecordSpec } from "../support/pack.ts";
import { program } from "../support/need.ts";
import { useBrowser } from "./page-open.ts";
import { showsText } from "./page-settled.ts";

const { openAt, later } = useBrowser();
const folder = mkdtempSync(join(tmpdir(), "hub texts "));
after(() => rmSync(folder, { recursive: true }));

const channels = (registers: number, type = 8) => [
  [
    {
      ...{ name: "recipe", kind: 1, scale: new Decimal(0, 1), periodMs: 0, heartbeatMs: 10_000 },
      register: [0, 5, 3, 100, type, 0, registers] as [0, 5, 3, 100, number, 0, number],
    },
    {
      ...{ name: "speed", kind: 1, scale: new Decimal(0, 1), periodMs: 0 },
      register: [0, 5, 3, 110, 0, 0] as [number, number, number, number, number, number],
    },
  ],
];
const born = (registers = 4, type = 8): Buffer =>
  birth({ channels: channels(registers, type), taps: [["bus", "modbus-rtu", 9600, "8E1"]] })[0]!;

function say(hub: Hub, topic: string, payload: Uint8Array): void {
  const message = { topic: `ferrule/mixer/${topic}`, payload, retain: false, qos: 1 };
  hub.message(message, T0);
}

const text = (q: number, vs: string, more: Partial<RecordSpec> = {}): Buffer =>
  pack({ bt: T0 + q * 1000, q, records: [{ n: "recipe", vs, g: 0, ...more }] });

function heard(store: HistoryStore = createMemoryHistory()): Hub {
  const hub = createHub(PLANT, store);
  say(hub, "birth/0", born());
  return hub;
}

const ALL = { sinceMs: 0, untilMs: 1e15, max: 1000, newest: true };
const kept = (hub: Hub): HistoryText[] | null => hub.texts("mixer", "recipe", ALL);
const view = (hub: Hub) => hub.snapshot(T0).nodes[0]?.channels[0];
const at = (q: number): number => T0 + q * 1000;

test("a text channel is announced with its registers; other counts of fields are refused", () => {
  assert.equal(view(heard())?.register?.type, "text 4");
  for (const part of [
    born(33),
    born(4, 0),
    birth({ channels: [[{ name: "t", kind: 1, register: [0, 5, 3, 100, 8, 0] }]] })[0]!,
    birth({ channels: [[{ name: "t", kind: 1, register: [0, 5, 3, 100, 8, 0, 1, 1] }]] })[0]!,
  ]) {
    const hub = createHub(PLANT);
    say(hub, "birth/0", part);
    assert.deepEqual(hub.totals().refused, { "bad-field": 1 }, part.toString("hex"));
  }
});

test("the newest text is shown and streamed, bad quality takes it away", () => {
  const hub = heard();
  const since = hub.changeId();
  say(hub, "data", text(1, "RED"));
  assert.deepEqual([view(hub)?.text, view(hub)?.value, view(hub)?.quality], ["RED", null, "good"]);
  say(hub, "data", text(2, "R?D", { g: 1 }));
  assert.deepEqual([view(hub)?.text, view(hub)?.quality], ["R?D", "uncertain"]);
  say(hub, "data", text(3, "stale", { g: 2 }));
  assert.deepEqual([view(hub)?.text, view(hub)?.cause], [null, "stale"]);
  say(hub, "data", text(5, "BLUE"));
  say(hub, "data", text(4, "LATE"));
  assert.equal(view(hub)?.text, "BLUE", "a late one is not the newest");
  const streamed = hub
    .changesSince(since)
    .filter((change): change is Extract<Change, { kind: "reading" }> => change.kind === "reading");
  assert.deepEqual(
    streamed.map((change) => [change.text, change.cause]),
    [
      ["RED", null],
      ["R?D", null],
      [undefined, "stale"],
      ["BLUE", null],
      ["LATE", null],
    ],
  );
});

test("history keeps changes, a late one in its place; the namespace gets each text", () => {
  const hub = heard();
  hub.takePublications();
  for (const [q, vs] of ["RED", "RED", "BLUE", "BLUE", "RED"].entries())
    say(hub, "data", text(2 * q + 2, vs));
  say(hub, "data", text(3, "LATE"));
  say(hub, "data", text(20, "over-range", { g: 2 }));
  say(hub, "data", text(21, ""));
  assert.deepEqual(kept(hub), [
    [at(2), "RED"],
    [at(3), "LATE"],
    [at(6), "BLUE"],
    [at(10), "RED"],
    [at(20), null],
    [at(21), ""],
  ]);
  assert.deepEqual(hub.texts("mixer", "recipe", { ...ALL, max: 2 })?.[0], [at(20), null]);
  const first = hub.texts("mixer", "recipe", { ...ALL, max: 2, newest: false, sinceMs: at(3) });
  assert.deepEqual(first, [
    [at(3), "LATE"],
    [at(6), "BLUE"],
  ]);
  assert.equal(hub.texts("mixer", "speed", ALL), null, "a channel of numbers has none");
  assert.deepEqual(hub.history("mixer", "recipe", 0), [], "and no points");
  const values = hub.takePublications().filter(({ retain }) => !retain);
  assert.deepEqual(
    values.slice(-2).map(({ payload }) => payload),
    [`{"timestamp_ms":${at(3)},"value":"LATE"}`, `{"timestamp_ms":${at(21)},"value":""}`],
  );
});

test("a file has texts after a restart, prunes old ones, and goes on in memory", () => {
  const path = join(folder, "texts.db");
  const warnings: string[] = [];
  let store = openFileHistory(path, (line) => warnings.push(line));
  let hub = heard(store);
  say(hub, "data", text(1, "RED"));
  say(hub, "data", text(2, "'; DROP TABLE text; --"));
  hub.commit();
  store.close();
  store = openFileHistory(path, (line) => warnings.push(line));
  hub = createHub(PLANT, store);
  assert.equal(view(hub)?.text, "'; DROP TABLE text; --");
  say(hub, "data", text(3, "'; DROP TABLE text; --"));
  say(hub, "data", text(4, "BLUE"));
  const whole: HistoryText[] = [
    [at(1), "RED"],
    [at(2), "'; DROP TABLE text; --"],
    [at(4), "BLUE"],
  ];
  assert.deepEqual(kept(hub), whole);
  hub.prune(at(3) + MINUTES_KEPT_MS);
  hub.prune(at(3) + MINUTES_KEPT_MS);
  assert.deepEqual(kept(hub), whole.slice(2));
  assert.ok(MINUTES_KEPT_MS < HOURS_KEPT_MS);
  store.limitPages(1);
  for (let q = 5; warnings.length === 0 && q < 5000; q++) {
    say(hub, "data", text(q, `RECIPE ${q} ${"x".repeat(40)}`));
    hub.commit();
  }
  assert.match(warnings.join(), /cannot be written/);
  say(hub, "data", text(6000, "IN MEMORY"));
  assert.deepEqual(kept(hub)?.at(-1), [at(6000), "IN MEMORY"]);
  assert.deepEqual(kept(hub)?.[0], [at(4), "BLUE"], "what the file has is read still");
  store.close();
});

test("memory keeps the newest changes of a channel, and no more than its bound of all", () => {
  const store = createMemoryHistory();
  const one = store.open("a", "a");
  for (let i = 0; i < HISTORY_TEXTS_MAX + 10; i++) one.putText(i, String(i));
  assert.equal(one.texts({ ...ALL, max: 1e6 }).length, HISTORY_TEXTS_MAX);
  assert.deepEqual(one.texts({ ...ALL, max: 1 }), [
    [HISTORY_TEXTS_MAX + 9, String(HISTORY_TEXTS_MAX + 9)],
  ]);
  assert.equal(store.dropped(), 10);
  const others = Array.from({ length: HISTORY_TEXTS_TOTAL_MAX / HISTORY_TEXTS_MAX }, (_, i) =>
    store.open("b", String(i)),
  );
  for (const other of others) for (let i = 0; i < HISTORY_TEXTS_MAX; i++) other.putText(i, "x");
  assert.deepEqual(others.at(-1)?.texts(ALL), [], "no room at all is said by the count");
  assert.equal(store.dropped(), 10 + HISTORY_TEXTS_MAX);
  one.putText(5000, "newest");
  assert.equal(one.texts({ ...ALL, max: 1 })[0]?.[1], "newest");
});

test("the API gives the texts, a CSV has each change, and no cell is a formula", async () => {
  const fixture = await startFixtureHub();
  after(() => fixture.close());
  for (let second = 0; second < 5; second++) fixture.step();
  fixture.say("ferrule/mixer/birth/0", born());
  for (const [q, vs] of ['=cmd|"x"', "a,b", "plain"].entries())
    fixture.say("ferrule/mixer/data", text(q + 1, vs));
  fixture.say(
    "ferrule/mixer/data",
    encode([
      new Map<string | number, string | number | Decimal>([
        [-2, "urn:dev:mac:0024befffe804ff1_"],
        [-3, new Decimal(-3, at(4))],
        ["b", 1],
        ["q", 4],
        [0, "speed"],
        [2, 7],
      ]),
    ]),
  );
  const get = async (path: string): Promise<string> =>
    (await fetch(`${fixture.url}${path}`)).text();
  const history = await get("/api/history?node=mixer&channel=recipe");
  assert.deepEqual(JSON.parse(history), {
    points: [],
    texts: [
      [at(1), '=cmd|"x"'],
      [at(2), "a,b"],
      [at(3), "plain"],
    ],
  });
  const time = (q: number): string => new Date(at(q)).toISOString();
  assert.equal(
    await get("/api/export.csv?node=mixer"),
    [
      "time,node,channel,value",
      `${time(1)},mixer,recipe,"'=cmd|""x"""`,
      `${time(2)},mixer,recipe,"a,b"`,
      `${time(3)},mixer,recipe,plain`,
      `${time(4)},mixer,speed,7`,
      "",
    ].join("\r\n"),
  );
});

test(
  "the page shows the text, its changes, and no octet of it as markup",
  program("chromium"),
  async () => {
    const fixture = await startFixtureHub(await bundlePage());
    later(() => fixture.close());
    for (let second = 0; second < 5; second++) fixture.step();
    fixture.say("ferrule/mixer/birth/0", born());
    fixture.say("ferrule/mixer/presence", Buffer.from("online"));
    for (const [q, vs] of ["RED", "<img src=x onerror=alert(1)>"].entries())
      fixture.say("ferrule/mixer/data", text(q + 1, vs));
    const { page, printed } = await openAt(`${fixture.url}/#/machines/mixer`);
    await showsText(page.locator('[data-value="mixer/recipe"]').first(), /^<img src=x onerror/);
    await showsText(page.locator(".texts tbody"), /<img src=x onerror=alert\(1\)>.*RED/s);
    assert.deepEqual(
      await page.locator(".trends h3").allTextContents(),
      ["speed"],
      "no chart of a text",
    );
    fixture.say("ferrule/mixer/data", text(3, "BLUE"));
    await showsText(page.locator('[data-value="mixer/recipe"]').first(), /^BLUE$/);
    await showsText(page.locator(".texts tbody"), /BLUE.*<img.*RED/s);
    fixture.say("ferrule/mixer/data", text(4, "stale", { g: 2 }));
    await showsText(page.locator(".texts tbody"), /bad.*BLUE/s);
    assert.deepEqual(printed, []);
  },
);
