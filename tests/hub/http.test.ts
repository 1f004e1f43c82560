// SPDX-License-Identifier: MIT
// Goal: the page's server answers as the API says; a stream has no hole.
//
// Method: a fixture hub on a real loopback port, asked with fetch and with plain sockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { after, afterEach, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { Change, History, Snapshot } from "../../hub/api.ts";
import { createHub } from "../../hub/hub.ts";
import { startPageServer } from "../../hub/http.ts";
import { CHANGES_KEPT, STREAM_BYTES_MAX, STREAMS_MAX } from "../../hub/limits.ts";
import {
  type FixtureHub,
  PLAIN_PAGE,
  PLANT,
  START_MS,
  startFixtureHub,
} from "../support/fixture-hub.ts";
import { Decimal, pack } from "../support/pack.ts";

const fixture = await startFixtureHub();
const open: AbortController[] = [];
after(() => fixture.close());
afterEach(() => {
  for (const controller of open.splice(0)) controller.abort();
});

let sequence = 10_000;
function reading(value: number): void {
  const records = [{ n: "temperature", v: new Decimal(-2, value) }];
  fixture.say("ferrule/oven-1/data", pack({ bt: fixture.nowMs(), q: ++sequence, records }));
}

interface Message {
  id: string;
  event: string;
  data: string;
}

/** Reads messages of a stream until `enough` says so. */
async function readStream(
  hub: FixtureHub,
  path: string,
  enough: (messages: Message[]) => boolean,
  headers: Record<string, string> = {},
): Promise<Message[]> {
  const controller = new AbortController();
  open.push(controller);
  const response = await fetch(hub.url + path, { headers, signal: controller.signal });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  const messages: Message[] = [];
  let text = "";
  const body = response.body as unknown as AsyncIterable<Uint8Array>; // the DOM's type hides it
  for await (const chunk of body) {
    text += Buffer.from(chunk).toString();
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string): string =>
        new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
      if (/^(data|event):/m.test(block))
        messages.push({ id: field("id"), event: field("event"), data: field("data") });
    }
    if (enough(messages)) break;
  }
  controller.abort();
  return messages;
}

const ids = (messages: Message[]): number[] => messages.map(({ id }) => Number(id));

test("the page and its parts are served, compressed where that is wanted", async () => {
  const parts: [string, string, string][] = [
    ["/", "text/html; charset=utf-8", PLAIN_PAGE.html],
    ["/app.js", "text/javascript; charset=utf-8", Buffer.from(PLAIN_PAGE.js).toString()],
    ["/app.css", "text/css; charset=utf-8", PLAIN_PAGE.css],
    ["/icon.svg", "image/svg+xml", PLAIN_PAGE.icon],
  ];
  for (const [path, type, text] of parts) {
    const plain = await fetch(fixture.url + path, { headers: { "accept-encoding": "identity" } });
    assert.equal(plain.headers.get("content-type"), type);
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal(await plain.text(), text);
    const raw = await rawGet(path, { "accept-encoding": "br, gzip" });
    assert.equal(raw.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(raw.body).toString(), text);
  }
});

function rawGet(
  path: string,
  headers: Record<string, string>,
  method = "GET",
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(fixture.url + path, { headers, method, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("every answer carries the strict headers", async () => {
  for (const path of ["/", "/api/snapshot", "/metrics", "/nothing", "/healthz"]) {
    const { headers } = await fetch(fixture.url + path);
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

test("the snapshot has the shape of the API", async () => {
  fixture.step();
  const snapshot = (await (await fetch(`${fixture.url}/api/snapshot`)).json()) as Snapshot;
  assert.deepEqual(Object.keys(snapshot), [
    "wallMs",
    "changeId",
    "plant",
    "totals",
    "nodes",
    "events",
  ]);
  assert.deepEqual(
    snapshot.nodes.map(({ id, state, type }) => [id, state, type]),
    [
      ["meter-1", "online", "meter"],
      ["oven-1", "online", "oven"],
    ],
  );
  const [voltage] = snapshot.nodes[0]!.channels;
  assert.deepEqual(voltage, {
    name: "voltage",
    unit: "V",
    kind: "register",
    decimals: 1,
    value: 230.1,
    text: null,
    quality: "good",
    cause: null,
    atMs: START_MS,
    periodMs: 0,
    heartbeatMs: 0,
    alarms: [],
    register: { tap: "bus", unitId: 17, functionCode: 4, address: 8, type: "u16", order: "ABCD" },
    field: null,
    object: null,
  });
});

test("the history gives points since a time; wrong questions get a sentence", async () => {
  const get = async (query: string): Promise<[number, unknown]> => {
    const answer = await fetch(`${fixture.url}/api/history?${query}`);
    return [answer.status, await answer.json()];
  };
  const [status, all] = await get("node=oven-1&channel=temperature&since=0");
  assert.equal(status, 200);
  const { points } = all as History;
  assert.ok(points.length >= 10);
  const [, some] = await get(`node=oven-1&channel=temperature&since=${points[5]![0]}`);
  assert.deepEqual((some as History).points, points.slice(5));
  for (const query of ["node=oven-9&channel=temperature", "node=oven-1&channel=nothing"])
    assert.deepEqual(await get(query), [404, { error: "there is no such channel" }]);
  for (const query of [
    "",
    "node=oven-1",
    "node=oven-1&channel=t&since=-1",
    "node=a&channel=b&since=x",
  ])
    assert.equal((await get(query))[0], 400, query);
});

test("only GET and HEAD of known paths are answered", async () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const answer = await fetch(`${fixture.url}/api/snapshot`, { method });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"]);
  }
  for (const path of ["/nothing", "/api", "/../etc/passwd", "/app.js.map", "/%2e%2e/x", "//x"])
    assert.equal((await rawGet(path, {})).status, 404, path);
  assert.equal((await rawGet(`/${"x".repeat(600)}`, {})).status, 414);
  const head = await rawGet("/", {}, "HEAD");
  assert.deepEqual([head.status, head.body.length], [200, 0]);
});

test("on loopback a request that names another host is refused", async () => {
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "192.0.2.1:80"])
    assert.equal((await rawGet("/api/snapshot", { host })).status, 403, host);
  for (const host of [
    "localhost",
    `localhost:${fixture.port}`,
    "127.0.0.1",
    "[::1]:80",
    "127.9.9.9",
  ])
    assert.equal((await rawGet("/api/snapshot", { host })).status, 200, host);
  const socket = connect(fixture.port, "127.0.0.1");
  socket.end("GET /api/snapshot HTTP/1.0\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 403 /);
});

test("octets that are no HTTP end their connection, and the next request is answered", async () => {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.end("\x16\x03\x01 nonsense\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  assert.equal((await fetch(`${fixture.url}/healthz`)).status, 200);
});

test("a stream goes on from the snapshot, and resumes from the last id", async () => {
  const { changeId } = fixture.hub.snapshot(fixture.nowMs());
  for (let value = 1; value <= 5; value++) reading(value);
  const first = await readStream(fixture, `/api/stream?since=${changeId}`, (m) => m.length >= 5);
  assert.deepEqual(
    ids(first),
    [1, 2, 3, 4, 5].map((more) => changeId + more),
  );
  const change = JSON.parse(first[0]!.data) as Change;
  assert.deepEqual(change, {
    id: changeId + 1,
    kind: "reading",
    node: "oven-1",
    channel: "temperature",
    wallMs: fixture.nowMs(),
    value: 0.01,
    quality: "good",
    cause: null,
  });
  reading(6);
  const header = { "last-event-id": first[2]!.id };
  const rest = await readStream(
    fixture,
    `/api/stream?since=${changeId}`,
    (m) => m.length >= 3,
    header,
  );
  assert.deepEqual(
    ids(rest),
    [4, 5, 6].map((more) => changeId + more),
  );
});

test("a stream without an id starts now and brings what comes", async () => {
  const started = fixture.hub.changeId();
  const reader = readStream(fixture, "/api/stream", (m) => m.length >= 2);
  const timer = setInterval(() => reading(7), 20);
  const messages = await reader;
  clearInterval(timer);
  assert.ok(ids(messages)[0]! > started);
});

test("a stream whose place is gone is told to start over and goes on", async () => {
  const old = fixture.hub.changeId();
  for (let count = 0; count <= CHANGES_KEPT; count++) reading(count);
  for (const id of [String(old), "5", String(fixture.hub.changeId() + 1_000_000), "x", "-1"]) {
    const reader = readStream(fixture, "/api/stream", (m) => m.length >= 2, {
      "last-event-id": id,
    });
    const timer = setInterval(() => reading(8), 20);
    const [reset, next] = await reader;
    clearInterval(timer);
    assert.equal(reset?.event, "reset", id);
    assert.equal(Number(next?.id), Number(reset?.id) + 1);
  }
});

test("a page that reads nothing costs a bounded buffer and starts over later", async () => {
  const socket = connect(fixture.port, "127.0.0.1");
  socket.write("GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "readable");
  socket.pause();
  const bytesEach = 180;
  for (let round = 0; round < 120_000; round++) reading(round);
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.resume();
  const timer = setInterval(() => reading(1), 20);
  while (!text.includes("event: reset")) await once(socket, "data");
  clearInterval(timer);
  socket.destroy();
  // What was in the kernel's buffers comes on top of ours.
  assert.ok(text.length < (120_000 * bytesEach) / 2 + STREAM_BYTES_MAX, `${text.length}`);
});

test("so many pages as the limit says are served, one more is told to wait", async () => {
  const controller = new AbortController();
  open.push(controller);
  const ask = (): Promise<Response> =>
    fetch(`${fixture.url}/api/stream`, { signal: controller.signal });
  let served = 0;
  let answer = await ask();
  while (answer.status === 200 && served < 2 * STREAMS_MAX) {
    served++;
    answer = await ask();
  }
  assert.ok(served <= STREAMS_MAX && served >= STREAMS_MAX - 4, `${served}`);
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "10"]);
});

test("a port in use is refused in one sentence that says what to do", async () => {
  const options = {
    hub: createHub(PLANT),
    host: "127.0.0.1",
    port: fixture.port,
    page: PLAIN_PAGE,
    wallMs: fixture.nowMs,
    health: () => ({
      ok: true,
      broker: "connected" as const,
      awaySinceMs: null,
      nodes: 0,
      history: "memory" as const,
      reason: null,
    }),
    metrics: () => Promise.resolve(""),
    token: "token",
  };
  const sentence = `port ${fixture.port} of 127.0.0.1 is in use: choose another for the page`;
  await assert.rejects(startPageServer(options), { message: sentence });
  const next = await startPageServer({ ...options, spare: 50 });
  assert.ok(next.port > fixture.port && next.port <= fixture.port + 50, `${next.port}`);
  await next.close();
  const foreign = startPageServer({ ...options, host: "192.0.2.1", port: 0 });
  await assert.rejects(foreign, { message: "192.0.2.1 is no address of this machine" });
});
