// SPDX-License-Identifier: MIT
// Goal: a hub that starts again goes on where it was.
//
// Method: one script into a hub in memory and into one on a file that is closed and opened between.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import type { HistoryAnswer } from "../../hub/api.ts";
import { bucketsOf, createMemoryHistory } from "../../hub/history.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import {
  EVENTS_KEPT,
  FILE_POINTS_PENDING_MAX,
  HOURS_KEPT_MS,
  MINUTES_KEPT_MS,
  PRUNE_POINTS_MAX,
  RAW_KEPT_MS,
  SEQUENCE_WINDOW,
} from "../../hub/limits.ts";
import { readRange } from "../../hub/range.ts";
import { type FileHistory, openFileHistory } from "../../hub/server-sqlite.ts";
import { ovenBirth, PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, Decimal, pack, setResult, status } from "../support/pack.ts";

const folder = mkdtempSync(join(tmpdir(), "hub history "));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${files++}.db`);
const HOUR_MS = 3_600_000;

function open(path: string): FileHistory {
  return openFileHistory(path, assert.fail);
}

function say(hub: Hub, topic: string, payload: Uint8Array | string, atMs = T0): void {
  const message = { topic: `ferrule/${topic}`, payload: Buffer.from(payload), retain: false };
  hub.message({ ...message, qos: 1 }, atMs);
}

const reading = (q: number, centi: number, boot = 1): Buffer =>
  pack({ bt: T0 + q, b: boot, q, records: [{ n: "temperature", v: new Decimal(-2, centi) }] });

const pressBirth = (): Buffer =>
  birth({
    eui64: "0024befffe804ff3",
    channels: [
      [
        { name: "state", kind: 6, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
        { name: "parts", kind: 4, scale: new Decimal(0, 1) },
        { name: "target", kind: 8, scale: new Decimal(0, 1), setpoint: [0, 90, 10, 0] },
      ],
    ],
  })[0]!;

function press(q: number, atMs: number, state: number, parts: number): Buffer {
  const records = [
    { n: "state", v: state },
    { n: "parts", v: parts },
    { n: "target", v: 10 },
  ];
  return pack({ eui64: "0024befffe804ff3", bt: T0 + atMs, q, records });
}

/** A plant's day in steps; after each the hub may be started again. */
const STEPS: ((hub: Hub) => void)[] = [
  (hub) => ovenBirth().forEach((part, index) => say(hub, `oven-1/birth/${index}`, part)),
  (hub) => say(hub, "oven-1/presence", "online"),
  (hub) => say(hub, "oven-1/data", reading(1, 18_000)),
  (hub) => {
    const records = [{ n: "temperature/too-hot", vb: true, x: new Decimal(-2, 20_100) }];
    say(hub, "oven-1/event", pack({ bt: T0 + 2, q: 2, records }));
  },
  (hub) => say(hub, "oven-1/status", status({ roundTripMs: 12, sent: 99 })),
  (hub) => say(hub, "press-1/birth/0", pressBirth()),
  (hub) => say(hub, "press-1/data", press(1, 0, 2, 4_294_967_290)),
  (hub) => say(hub, "press-1/data", press(10, 2000, 1, 4)),
  (hub) => {
    const write = { node: "press-1", name: "target", value: 20, by: "Ann", seenMs: null };
    assert.deepEqual(hub.writeSetpoint(write, T0), { request: T0 / 1000 });
    hub.takePublications(); // it is on its way
  },
  (hub) =>
    say(
      hub,
      "press-1/set/result",
      setResult({ request: T0 / 1000, name: "target", code: 1, effective: 15 }),
    ),
  (hub) => say(hub, "press-1/data", press(10, 2000, 1, 4)), // again
  (hub) => say(hub, "oven-1/data", reading(1, 18_000)), // again
  (hub) =>
    say(hub, "oven-1/data", pack({ bt: T0 + 3, q: 3, records: [{ n: "odd", vs: "stale" }] })),
];

test("a hub started again after every step shows what one that never stopped shows", () => {
  const memory = createHub(PLANT);
  const path = newFile();
  for (const step of STEPS) {
    step(memory);
    const history = open(path);
    const hub = createHub(PLANT, history);
    step(hub);
    hub.commit();
    history.close();
  }
  const history = open(path);
  const hub = createHub(PLANT, history);
  assert.deepEqual(hub.snapshot(T0).nodes, memory.snapshot(T0).nodes);
  assert.deepEqual(hub.audit(10), memory.audit(10));
  assert.deepEqual(hub.snapshot(T0).events, memory.snapshot(T0).events);
  for (const channel of ["temperature", "odd"])
    assert.deepEqual(hub.history("oven-1", channel, 0), memory.history("oven-1", channel, 0));
  const retained = (one: Hub): string[] => {
    one.republish();
    return one
      .takePublications()
      .flatMap(({ topic, retain }) => (retain ? [topic] : []))
      .sort();
  };
  memory.takePublications();
  assert.deepEqual(
    retained(hub),
    retained(memory).filter((topic) => !topic.includes("/_oee/")),
  );
  history.close();
  assert.ok(!existsSync(`${path}.lock`) && !existsSync(`${path}.owner`));
});

test("a file keeps as many events as a snapshot shows, and their numbers go on", () => {
  const path = newFile();
  for (const count of [EVENTS_KEPT + 5, 1]) {
    const history = open(path);
    const hub = createHub(PLANT, history);
    for (let at = 0; at < count; at++) {
      const write = { node: `n-${at}`, name: "t", value: 1, by: "Ann", reason: "no" };
      hub.refuseWrite(write, T0 + at * 120_000);
    }
    hub.commit();
    history.close();
  }
  const last = open(path);
  const ids = createHub(PLANT, last)
    .snapshot(T0)
    .events.map(({ id }) => id);
  assert.equal(ids.length, EVENTS_KEPT);
  assert.deepEqual([ids[0], ids.at(-1)], [EVENTS_KEPT + 6, 7]);
  last.close();
});

test("a write that was under way when the hub stopped is timed out by the next one", () => {
  const path = newFile();
  const first = open(path);
  const before = createHub(PLANT, first);
  say(before, "press-1/birth/0", pressBirth());
  before.writeSetpoint({ node: "press-1", name: "target", value: 20, by: "Ann", seenMs: null }, T0);
  before.commit();
  first.close();
  const second = open(path);
  const hub = createHub(PLANT, second);
  hub.poll(T0 + 10_000);
  const [target] = hub.snapshot(T0).nodes[0]!.setpoints;
  assert.deepEqual([target?.state, target?.requested], ["timed-out", 20]);
  const write = { node: "press-1", name: "target", value: 30, by: "Bob", seenMs: null };
  assert.deepEqual(hub.writeSetpoint(write, T0), { request: T0 / 1000 + 1 });
  second.close();
});

test("windows of sequences come back exactly, over edges, jumps and many boots", () => {
  const prng = createPrng(Number(process.env["SEED"] ?? 5));
  const path = newFile();
  const memory = createHub(PLANT);
  let history = open(path);
  let hub = createHub(PLANT, history);
  let top = 1;
  for (let round = 0; round < 3000; round++) {
    top += prng.chance(0.01) ? prng.below(SEQUENCE_WINDOW * 1.2) : prng.below(40);
    const q = Math.max(0, top - prng.below(SEQUENCE_WINDOW * 1.05));
    const message = reading(q, 100, 1 + Math.floor(round / 75));
    say(hub, "oven-1/data", message);
    say(memory, "oven-1/data", message);
    if (!prng.chance(0.02)) continue;
    hub.commit();
    history.close();
    history = open(path);
    hub = createHub(PLANT, history);
  }
  for (let boot = 1; boot <= 40; boot++)
    for (let q = Math.max(0, top - 3 * SEQUENCE_WINDOW); q <= top; q++)
      if (hub.has("oven-1", boot, q) !== memory.has("oven-1", boot, q)) assert.fail(`${boot} ${q}`);
  history.close();
});

test("ranges from the file are those of memory: raw, minutes, hours, late points, bad ones", () => {
  const prng = createPrng(11);
  const file = open(newFile());
  const memory = createMemoryHistory();
  const a = file.open("n", "c");
  const b = memory.open("n", "c");
  let now = T0;
  for (let at = 0; at < 8000; at++) {
    now += prng.below(60_000);
    const late = prng.chance(0.02) ? prng.below(7_200_000) : 0;
    const value = prng.chance(0.01) ? NaN : prng.below(1000) / 8; // sums are exact
    a.put(now - late, value);
    b.put(now - late, value);
    if (prng.chance(0.05)) file.keeper.commit();
  }
  assert.deepEqual(a.points(0, Infinity, 1e6), b.points(0, Infinity, 1e6));
  assert.deepEqual(
    a.points(T0 + HOUR_MS, T0 + 2 * HOUR_MS, 9),
    b.points(T0 + HOUR_MS, T0 + 2 * HOUR_MS, 9),
  );
  assert.deepEqual(a.read(0, 50_000), b.read(0, 50_000));
  for (const widthMs of [7777, 60_000, 300_000, HOUR_MS, 26 * HOUR_MS])
    assert.deepEqual(a.buckets(0, now, widthMs), b.buckets(0, now, widthMs), `${widthMs}`);
  for (const points of [100, 1000]) {
    const whole = readRange(b, { sinceMs: 0, untilMs: now, points }, 120_000) as BandsAnswer;
    assert.ok(whole.bands.filter(([, min]) => min !== null).length <= points + 1);
    assert.ok(whole.bands.some(([, min]) => min === null) || points === 100, "gaps are told");
    for (const [, min, mean, max] of whole.bands)
      if (min !== null) assert.ok(min <= mean! && mean! <= max!);
  }
  file.close();
});

type BandsAnswer = Extract<HistoryAnswer, { bands: unknown }>;

test("few points are given as they are, with nulls where nothing was heard", () => {
  const series = createMemoryHistory().open("n", "c");
  for (const at of [0, 10, 200]) series.put(T0 + at, at);
  assert.deepEqual(readRange(series, { sinceMs: 0, untilMs: T0 + 1000, points: 100 }, 50), {
    points: [
      [T0, 0],
      [T0 + 10, 10],
      [T0 + 11, null],
      [T0 + 200, 200],
    ],
    bad: [],
  });
});

test("bad readings are told apart from silence, in points and in bands", () => {
  const series = createMemoryHistory().open("n", "c");
  // Good until 10 s, bad until 20 s, nothing until 40 s, good, bad at the end.
  for (let at = 0; at < 20_000; at += 100) series.put(T0 + at, at < 10_000 ? 1 : NaN);
  for (let at = 40_000; at < 50_000; at += 100) series.put(T0 + at, 2);
  series.put(T0 + 52_000, NaN);
  const range = { sinceMs: T0, untilMs: T0 + 60_000 };
  const few = readRange(series, { ...range, points: 5000 }, 1000);
  const many = readRange(series, { ...range, points: 100 }, 1000);
  const wanted = [
    [T0 + 10_000, T0 + 20_900],
    [T0 + 52_000, T0 + 53_000],
  ];
  assert.ok("points" in few && "bands" in many, "one of each form");
  assert.deepEqual(few.bad, wanted);
  assert.equal(many.bad.length, wanted.length);
  for (const [index, span] of many.bad.entries())
    for (const end of [0, 1] as const)
      // What shares a band with good readings is not told.
      assert.ok(Math.abs(span[end] - wanted[index]![end]!) <= many.widthMs, `${span[end]}`);
});

test("old raw points go first, then minutes, then hours; what is left still answers", () => {
  const file = open(newFile());
  const series = file.open("n", "c");
  for (let at = 0; at < 3000; at++) series.put(T0 + at * 10_000, at % 7);
  const judge = series.points(0, Infinity, 1e6);
  const endMs = T0 + 30_000_000;
  const buckets = (width: number) => series.buckets(0, endMs, width);
  file.keeper.prune(endMs + RAW_KEPT_MS);
  assert.deepEqual(series.points(0, Infinity, 1e6), []);
  assert.equal(series.wholeSinceMs(), endMs);
  assert.deepEqual(buckets(60_000), bucketsOf(judge, 60_000));
  assert.deepEqual(buckets(1000), bucketsOf(judge, 60_000), "nothing finer is left");
  const bands = readRange(
    series,
    { sinceMs: T0, untilMs: endMs, points: 1000 },
    1e9,
  ) as BandsAnswer;
  assert.deepEqual([bands.widthMs, bands.bands[0]?.[1]], [60_000, 0]);
  file.keeper.prune(endMs + MINUTES_KEPT_MS);
  assert.deepEqual(buckets(60_000), bucketsOf(judge, HOUR_MS));
  file.keeper.prune(endMs + HOURS_KEPT_MS + HOUR_MS);
  assert.deepEqual(buckets(60_000).buckets, []);
  file.close();
});

test("one call prunes a bounded number of points and the next goes on", () => {
  const file = open(newFile());
  const series = file.open("n", "c");
  for (let at = 0; at < PRUNE_POINTS_MAX + 10; at++) series.put(T0 + at, 1);
  file.keeper.prune(T0 + HOUR_MS + RAW_KEPT_MS);
  assert.equal(series.points(0, Infinity, 1e6).length, 10);
  file.keeper.prune(T0 + HOUR_MS + RAW_KEPT_MS);
  assert.equal(series.points(0, Infinity, 1e6).length, 0);
  file.close();
});

test("points without a commit are bounded, and those too many are counted", () => {
  const file = open(newFile());
  const series = file.open("n", "c");
  for (let at = 0; at < FILE_POINTS_PENDING_MAX + 3; at++) series.put(T0 + at, 1);
  assert.equal(file.dropped(), 3);
  file.keeper.commit();
  series.put(T0 + 1e6, 1);
  assert.equal(series.points(0, Infinity, 1e6).length, FILE_POINTS_PENDING_MAX + 1);
  file.close();
});

test("a disk that is full is said once; readings go on in memory and are counted", () => {
  const said: string[] = [];
  const path = newFile();
  const history = openFileHistory(path, (text) => said.push(text));
  history.limitPages(60);
  const hub = createHub(PLANT, history);
  let q = 1;
  for (; q < 20_000 && said.length === 0; q++) {
    say(hub, "oven-1/data", reading(q, q));
    if (q % 100 === 0) hub.commit();
  }
  assert.deepEqual(said, [
    `history ${path} cannot be written: the disk is full; ` +
      "readings are held in memory until the hub is started again",
  ]);
  for (const end = q + 500; q < end; q++) say(hub, "oven-1/data", reading(q, q));
  hub.commit();
  hub.prune(T0);
  assert.equal(said.length, 1);
  assert.equal(hub.historyState().place, "failed");
  const points = hub.rawPoints("oven-1", "temperature", { sinceMs: 0, untilMs: 1e15, max: 1e6 })!;
  assert.deepEqual(
    points.map(([at]) => at),
    Array.from({ length: q - 1 }, (_, at) => T0 + 1 + at),
  );
  assert.equal(hub.totals().historyUnsaved, 600);
  history.close();
});

test("what is no history file, or lies where nobody may write, is refused in one sentence", () => {
  const text = join(folder, "text.db");
  writeFileSync(text, "no database at all, but longer than the header of one would be ".repeat(4));
  const dir = join(folder, "folder.db");
  mkdirSync(dir);
  for (const [path, reason] of [
    [text, "it is no history file"],
    [dir, "it is a folder"],
    [join(folder, "nowhere", "x.db"), "there is no such folder"],
  ] as const)
    assert.throws(() => open(path), { message: `history ${path} cannot be opened: ${reason}` });
});

test("a living process keeps its file, a dead one's is taken over", async () => {
  const path = newFile();
  const own = open(path);
  const sentence = (pid: number): { message: string } => ({
    message: `history ${path} is in use by process ${pid}: stop that hub first`,
  });
  assert.throws(() => open(path), sentence(process.pid));
  own.close();
  const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  await once(other, "spawn");
  writeFileSync(`${path}.owner`, `${other.pid} `);
  mkdirSync(`${path}.lock`);
  assert.throws(() => open(path), sentence(other.pid!));
  writeFileSync(`${path}.owner`, `${other.pid} 1`);
  open(path).close(); // that number belongs to another process now
  const ended = once(other, "close");
  other.kill();
  await ended;
  writeFileSync(`${path}.owner`, `${other.pid} `);
  mkdirSync(`${path}.lock`);
  open(path).close();
  writeFileSync(`${path}.owner`, `${process.pid} `); // the same number in an earlier container
  open(path).close();
});
