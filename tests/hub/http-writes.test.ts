// SPDX-License-Identifier: MIT
// Goal: only who has the token writes; ranges and CSV come whole.
//
// Method: a fixture hub on a real loopback port, asked with fetch and with plain requests.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { after, beforeEach, test } from "node:test";
import type { Audit, HistoryAnswer, NodeView, Problem } from "../../hub/api.ts";
import { EXPORT_PAGE_POINTS, WRITES_PER_SECOND } from "../../hub/limits.ts";
import { START_MS, startFixtureHub, TOKEN } from "../support/fixture-hub.ts";
import { birth, Decimal, pack, status } from "../support/pack.ts";

const fixture = await startFixtureHub();
after(() => fixture.close());
beforeEach(() => fixture.step()); // a second later: the rate of writes starts anew

const SETPOINT = { name: "target", kind: 8, scale: new Decimal(0, 1) };
const born = birth({ type: "press", channels: [[{ ...SETPOINT, setpoint: [0, 90, 10, 0] }]] });
fixture.say("ferrule/press-1/birth/0", born[0]!);

const WRITE = { node: "press-1", name: "target", value: 20, by: "Ann" };

interface Reply {
  status: number;
  body: Partial<Problem> & { request?: number };
}

async function post(
  body: unknown,
  headers: Record<string, string | undefined> = {},
  path = "/api/setpoint",
): Promise<Reply> {
  const all = { "content-type": "application/json", "x-ferrule-token": TOKEN, ...headers };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  const asked = request(fixture.url + path, {
    method: "POST",
    agent: false,
    headers: Object.fromEntries(given) as Record<string, string>,
  });
  asked.end(typeof body === "string" ? body : JSON.stringify(body));
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode ?? 0, body: JSON.parse(text) as Reply["body"] };
}

const node = (): NodeView => fixture.hub.snapshot(0).nodes.find(({ id }) => id === "press-1")!;

test("a write with the token is taken, from the page's own origin too", async () => {
  const first = await post(WRITE);
  assert.equal(first.status, 200);
  const second = await post({ ...WRITE, value: 21 }, { origin: fixture.url, "x-ferrule-seen": "" });
  assert.deepEqual(second, { status: 200, body: { request: first.body.request! + 1 } });
  assert.deepEqual([node().setpoints[0]?.requested, node().setpoints[0]?.state], [21, "pending"]);
  const audit = (await (await fetch(`${fixture.url}/api/audit?limit=1`)).json()) as Audit;
  assert.deepEqual(
    audit.rows.map(({ value, by, outcome }) => [value, by, outcome]),
    [[21, "Ann", "sent"]],
  );
});

test("without the token, from another site or in another type nothing is written", async () => {
  fixture.hub.takePublications();
  const cases: [Record<string, string | undefined>, number][] = [
    [{ "x-ferrule-token": undefined }, 401],
    [{ "x-ferrule-token": `${TOKEN}x` }, 401],
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: `http://127.0.0.1:${fixture.port + 1}` }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "application/x-www-form-urlencoded" }, 415],
  ];
  const found: number[] = [];
  for (const [headers] of cases) found.push((await post(WRITE, headers)).status);
  assert.deepEqual(
    found,
    cases.map(([, code]) => code),
  );
  const sets = fixture.hub.takePublications().filter(({ topic }) => topic.endsWith("/set"));
  assert.deepEqual(sets, []);
  const rows = fixture.hub.audit(cases.length);
  assert.ok(rows.every(({ outcome, request: number }) => outcome === "refused" && number === null));
  const event = fixture.hub.snapshot(0).events.find(({ kind }) => kind === "refused-write");
  assert.match(event?.text ?? "", /^press-1 target was refused: /);
});

for (const [what, body, wanted, error] of [
  ["no JSON", "{", 400, /no JSON$/],
  ["no object", "7", 400, /no JSON object/],
  ["no number", { ...WRITE, value: "20" }, 400, /value is no number/],
  ["nobody's name", { ...WRITE, by: " " }, 400, /by is who writes/],
  ["a name with a line end", { ...WRITE, by: "a\nb" }, 400, /by is who writes/],
  ["a node of no id", { ...WRITE, node: "../x" }, 400, /node is no node id/],
  ["an unknown set-point", { ...WRITE, name: "other" }, 404, /no such set-point/],
  ["a value out of limits", { ...WRITE, value: 91 }, 422, /above the greatest value 90/],
  ["more than 1 kB", { ...WRITE, by: "x".repeat(2000) }, 413, /at most 1 kB/],
] as const)
  test(`a write with ${what} is refused in one sentence`, async () => {
    const reply = await post(body);
    assert.equal(reply.status, wanted);
    assert.match(reply.body.error ?? "", error);
  });

test("a page older than the node's value is refused, one that is up to date is not", async () => {
  const records = [{ n: "target", v: 20 }];
  fixture.say("ferrule/press-1/data", pack({ bt: START_MS + 1e6, q: 1, records }));
  assert.equal((await post(WRITE, { "x-ferrule-seen": String(START_MS + 999_999) })).status, 409);
  assert.equal((await post(WRITE, { "x-ferrule-seen": String(START_MS + 1e6) })).status, 200);
  assert.equal((await post(WRITE, { "x-ferrule-seen": "yesterday" })).status, 400);
});

test("a flood of writes is refused unseen after the first ones", async () => {
  const found: number[] = [];
  for (let at = 0; at < WRITES_PER_SECOND + 2; at++) found.push((await post("{")).status);
  assert.deepEqual(found.slice(WRITES_PER_SECOND), [429, 429]);
  assert.ok(found.slice(0, WRITES_PER_SECOND).every((code) => code === 400));
});

test("other addresses take no POST, and a set-point's no GET", async () => {
  assert.equal((await post(WRITE, {}, "/api/snapshot")).status, 405);
  assert.equal((await post(WRITE, {}, "/api/setpoint?x=1")).status, 405);
  const answer = await fetch(`${fixture.url}/api/setpoint`);
  assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"]);
});

const COUNT = EXPORT_PAGE_POINTS + 1508; // memory holds 8,192 of a channel

function fill(): void {
  for (let at = 0; at < COUNT; at += 50) {
    const records = Array.from({ length: Math.min(50, COUNT - at) }, (_, index) => ({
      n: "n",
      // Two points share each time: pages must not lose one between them.
      ...(at + index === 3 ? { vs: "stale" } : { v: at + index }),
      ...(index > 1 ? { t: Math.floor(index / 2) } : {}),
    }));
    fixture.say("ferrule/many/data", pack({ bt: START_MS + at / 2, q: 1 + at, records }));
  }
}

test("CSV holds every raw point of the range once, in full precision and UTC", async () => {
  fill();
  const answer = await fetch(`${fixture.url}/api/export.csv?node=many&channel=n`);
  assert.equal(answer.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(answer.headers.get("content-disposition"), 'attachment; filename="many_n.csv"');
  const [head, ...lines] = (await answer.text()).split("\r\n");
  assert.deepEqual([head, lines.pop()], ["time,value", ""]);
  const wanted = Array.from({ length: COUNT }, (_, at) => {
    const time = new Date(START_MS + Math.floor(at / 2)).toISOString();
    return `${time},${at === 3 ? "" : at}`;
  });
  assert.deepEqual(lines, wanted);
  const part = `since=${START_MS + 1}&until=${START_MS + 1}`;
  const few = await fetch(`${fixture.url}/api/export.csv?node=many&channel=n&${part}`);
  assert.equal(await few.text(), `time,value\r\n${wanted[2]}\r\n${wanted[3]}\r\n`);
  const missing = await fetch(`${fixture.url}/api/export.csv?node=many&channel=x`);
  assert.equal(missing.status, 404);
});

test("a range is given as points while they are few, else as bands", async () => {
  const ask = async (query: string): Promise<HistoryAnswer & { error?: string }> =>
    (await (
      await fetch(`${fixture.url}/api/history?node=many&channel=n&${query}`)
    ).json()) as never;
  const few = await ask(`since=${START_MS}&until=${START_MS + 40}&points=100`);
  assert.ok("points" in few && few.points.length === 82);
  const many = await ask(`since=0&until=${START_MS + COUNT / 2}&points=100`);
  assert.ok("bands" in many && many.bands.length <= 101 && many.bands.length > 50);
  const [first] = many.bands;
  assert.deepEqual(first?.[1], 0);
  assert.equal(many.bands.at(-1)?.[3], COUNT - 1);
  const plain = await ask(`since=${START_MS}`);
  assert.ok("points" in plain, "who asks for no number of points gets them all");
  for (const query of ["points=99", "points=5001", "points=x", "until=x", "since=5&until=4"])
    assert.match((await ask(query)).error ?? "", /^(points|until) is/, query);
});

test("a status tells round trip and datagrams, a birth a latching alarm", async () => {
  const counters = new Array<number>(18).fill(0).with(11, 7);
  fixture.say("ferrule/oven-1/status", status({ roundTripMs: 23, sent: 400, counters }));
  fixture.say("ferrule/meter-1/status", status({ roundTripMs: 0 }));
  const alarms: [string, 1, number, number, number, 1][] = [["hot", 1, 5, 1, 0, 1]];
  fixture.say("ferrule/press-2/birth/0", birth({ channels: [[{ name: "a", alarms }]] })[0]!);
  const nodes = new Map(fixture.hub.snapshot(0).nodes.map((one) => [one.id, one]));
  const link = { roundTripMs: 23, sent: 400, retransmissions: 7 };
  assert.deepEqual(nodes.get("oven-1")?.link, link);
  assert.equal(nodes.get("meter-1")?.link.roundTripMs, null);
  assert.equal(nodes.get("press-2")?.channels[0]?.alarms[0]?.latch, true);
  assert.equal(nodes.get("oven-1")?.channels[0]?.alarms[0]?.latch, false);
});

test("every kind of channel is named; a set-point without limits is no birth", () => {
  const kinds = ["digital", "counter", "vibration", "state", "field"];
  const channels = kinds.map((name, at) => ({ name, kind: 3 + at }));
  fixture.say("ferrule/all-1/birth/0", birth({ channels: [channels] })[0]!);
  const all = fixture.hub.snapshot(0).nodes.find(({ id }) => id === "all-1");
  assert.deepEqual(
    all?.channels.map(({ kind }) => kind),
    kinds,
  );
  const refused = (): number => fixture.hub.totals().refused["bad-field"] ?? 0;
  const before = refused();
  for (const bad of [
    SETPOINT,
    { ...SETPOINT, setpoint: [5, 1, 3, 0] as [number, number, number, number] },
    { ...SETPOINT, kind: 0, setpoint: [0, 9, 1, 0] as [number, number, number, number] },
    { name: "x", kind: 9 },
  ])
    fixture.say("ferrule/all-1/birth/0", birth({ boot: 2, channels: [[bad]] })[0]!);
  assert.equal(refused() - before, 4);
});
