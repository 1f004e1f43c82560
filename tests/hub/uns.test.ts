// SPDX-License-Identifier: MIT
// Goal: what is published is flat, exact, and says no value for a bad reading.
//
// Method: messages into the core, publications compared as whole texts; the queue is filled to its bound.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createHub, type Hub, type HubConfig } from "../../hub/hub.ts";
import { PUBLICATIONS_MAX } from "../../hub/limits.ts";
import type { Publication } from "../../hub/uns.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, type ChannelSpec, Decimal, Float, pack, type RecordSpec } from "../support/pack.ts";

const AT = "umh/v1/acme/north/hall-1/line-2/cell-3";

function say(hub: Hub, topic: string, payload: Uint8Array | string): void {
  hub.message(
    { topic: `ferrule/${topic}`, payload: Buffer.from(payload), qos: 1, retain: false },
    T0,
  );
}
function read(hub: Hub, q: number, ...records: RecordSpec[]): void {
  say(hub, "oven-1/data", pack({ bt: T0, q, records }));
}
function born(...channels: ChannelSpec[]): Hub {
  const hub = createHub(PLANT);
  say(hub, "oven-1/birth/0", birth({ channels: [channels] })[0]!);
  return hub;
}
const values = (publications: Publication[]): [string, string][] =>
  publications
    .filter(({ retain }) => !retain)
    .map(({ topic, payload }) => [topic, String(payload)]);
const metas = (publications: Publication[]): { topic: string; payload: string }[] =>
  publications
    .filter(({ topic }) => topic.endsWith("/_meta"))
    .map((publication) => ({ ...publication, payload: String(publication.payload) }));

test("a value is exactly {timestamp_ms, value} on a topic of its own, not retained", () => {
  const hub = born({ name: "temperature" });
  hub.takePublications();
  const cases: [RecordSpec["v"], string][] = [
    [new Decimal(-2, 2350), "23.5"],
    [new Decimal(-1, 3), "0.3"],
    [new Decimal(-1, 2301), "230.1"],
    [new Decimal(-3, -1), "-0.001"],
    [new Decimal(1, 36), "360"],
    [0, "0"],
    [-40, "-40"],
    [4_294_967_295, "4294967295"],
    [new Float(Math.fround(0.1)), "0.10000000149011612"],
    [new Float(-0), "0"],
  ];
  for (const [index, [v, text]] of cases.entries()) {
    read(hub, index, { n: "temperature", v: v!, t: index });
    assert.deepEqual(values(hub.takePublications()), [
      [`${AT}/_raw/oven-1/temperature`, `{"timestamp_ms":${T0 + index},"value":${text}}`],
    ]);
  }
});

test("_meta says unit, limits and quality, retained, and only when one of them changes", () => {
  const hub = born({
    name: "temperature",
    unit: "Cel",
    alarms: [
      ["too-hot", 1, new Decimal(0, 200), new Decimal(-1, 35), 1000],
      ["too-cold", 0, 160, 3, 0],
    ],
  });
  const limits =
    '[{"name":"too-hot","above":200,"hysteresis":3.5,"delay_ms":1000},' +
    '{"name":"too-cold","below":160,"hysteresis":3,"delay_ms":0}]';
  const meta = (rest: string): Publication => ({
    topic: `${AT}/_raw/oven-1/temperature/_meta`,
    payload:
      '{"name":"temperature","unit":"Cel","kind":"analog","decimals":2,' +
      `${rest},"limits":${limits}}`,
    retain: true,
  });
  assert.deepEqual(metas(hub.takePublications()), [
    meta('"quality":null,"cause":null,"quality_since_ms":null'),
  ]);
  read(hub, 1, { n: "temperature", v: 20 });
  read(hub, 2, { n: "temperature", v: 21, t: 100 });
  assert.deepEqual(metas(hub.takePublications()), [
    meta(`"quality":"good","cause":null,"quality_since_ms":${T0}`),
  ]);
  read(hub, 3, { n: "temperature", v: 22, t: 200 });
  assert.deepEqual(metas(hub.takePublications()), []);
});

test("a bad reading publishes only its cause, an uncertain one both", () => {
  const hub = born({ name: "t" });
  hub.takePublications();
  read(hub, 1, { n: "t", vs: "open-wire" });
  const bad = hub.takePublications();
  assert.deepEqual(values(bad), []);
  assert.match(metas(bad)[0]!.payload, /"quality":"bad","cause":"open-wire"/);
  read(hub, 2, { n: "t", v: 5, g: 1, t: 100 });
  const uncertain = hub.takePublications();
  assert.equal(values(uncertain).length, 1);
  assert.match(metas(uncertain)[0]!.payload, /"quality":"uncertain","cause":null/);
});

test("a duplicate publishes nothing", () => {
  const hub = born({ name: "t" });
  read(hub, 1, { n: "t", v: 5 });
  hub.takePublications();
  read(hub, 1, { n: "t", v: 5 });
  assert.deepEqual(hub.takePublications(), []);
});

test("the state of a node is retained in the same flat form", () => {
  const hub = createHub(PLANT);
  say(hub, "oven-1/presence", "online");
  assert.deepEqual(hub.takePublications(), [
    {
      topic: `${AT}/_state/oven-1`,
      payload: `{"timestamp_ms":${T0},"value":"online"}`,
      retain: true,
    },
  ]);
});

test("names of channels become levels that every broker takes, and no two the same", () => {
  const hub = createHub(PLANT);
  const names = ["a.b", "a:b", "a/b", "a_b", "a_b-2", "A.b", "x+y#"];
  for (const [q, n] of names.slice(0, 6).entries()) read(hub, q, { n, v: q });
  const topics = values(hub.takePublications()).map(([topic]) => topic);
  assert.deepEqual(
    topics.map((topic) => topic.slice(`${AT}/_raw/oven-1/`.length)),
    ["a_b", "a_b-2", "a_b-3", "a_b-4", "a_b-2-2", "A_b"],
  );
  for (const topic of topics) assert.match(topic, /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/);
  read(hub, 9, { n: names[6]!, v: 1 });
  assert.deepEqual(hub.takePublications(), []);
});

test("a channel that a new birth does not announce has its _meta cleared", () => {
  const hub = born({ name: "a" }, { name: "b" });
  hub.takePublications();
  say(hub, "oven-1/birth/0", birth({ boot: 2, channels: [[{ name: "b" }]] })[0]!);
  const cleared = { topic: `${AT}/_raw/oven-1/a/_meta`, payload: "", retain: true };
  assert.deepEqual(hub.takePublications(), [cleared]);
  hub.republish();
  assert.deepEqual(
    metas(hub.takePublications()).map(({ topic }) => topic),
    [`${AT}/_raw/oven-1/b/_meta`],
  );
});

test("a channel that goes and comes back before anything is published keeps its _meta", () => {
  const hub = born({ name: "a" });
  hub.takePublications();
  say(hub, "oven-1/birth/0", birth({ boot: 2, channels: [[{ name: "b" }]] })[0]!);
  say(hub, "oven-1/birth/0", birth({ boot: 3, channels: [[{ name: "a" }]] })[0]!);
  const last = new Map(
    hub.takePublications().map(({ topic, payload }) => [topic, String(payload)]),
  );
  assert.match(last.get(`${AT}/_raw/oven-1/a/_meta`) ?? "", /"name":"a"/);
  assert.equal(last.get(`${AT}/_raw/oven-1/b/_meta`), "");
});

test("after a reconnect all retained topics are published again, values are not", () => {
  const hub = born({ name: "t" });
  say(hub, "oven-1/presence", "online");
  read(hub, 1, { n: "t", v: 5 });
  const before = hub.takePublications().filter(({ retain }) => retain);
  hub.republish();
  assert.deepEqual(hub.takePublications(), before);
  assert.equal(before.length, 2);
});

test("at the bound the oldest value goes and is counted, retained topics stay", () => {
  const hub = born({ name: "t" });
  for (let q = 0; q < PUBLICATIONS_MAX + 3; q++) read(hub, q, { n: "t", v: q });
  const all = hub.takePublications();
  assert.equal(metas(all).length, 1);
  const kept = values(all).map(([, payload]) => (JSON.parse(payload) as { value: number }).value);
  assert.deepEqual(
    [kept.length, kept[0], kept.at(-1)],
    [PUBLICATIONS_MAX, 3, PUBLICATIONS_MAX + 2],
  );
  assert.ok(kept.every((value, index) => value === index + 3));
  assert.equal(hub.totals().publicationsDropped, 3);
});

test("a node stands in the line and cell that the plant gives it", () => {
  const hub = createHub({ ...PLANT, nodes: { "oven-1": { line: "line-9", cell: "c" } } });
  read(hub, 1, { n: "t", v: 5 });
  const [[topic] = [""]] = values(hub.takePublications());
  assert.equal(topic, "umh/v1/acme/north/hall-1/line-9/c/_raw/oven-1/t");
});

test("a plant whose names cannot stand in a topic is refused with the name", () => {
  const wrong: [Partial<HubConfig>, RegExp][] = [
    [{ site: "north hall" }, /"site" is "north hall"/],
    [{ area: "" }, /"area" is ""/],
    [{ root: "/umh" }, /"root" is "\/umh"/],
    [{ cell: "a/b" }, /"cell" is "a\/b"/],
    [{ enterprise: "acme.com" }, /"enterprise" is "acme.com"/],
    [{ nodes: { "oven-1": { line: "ü" } } }, /"line" is "ü"/],
    [{ root: "ferrule" }, /"root"/],
  ];
  for (const [part, message] of wrong)
    assert.throws(() => createHub({ ...PLANT, ...part }), message);
});
