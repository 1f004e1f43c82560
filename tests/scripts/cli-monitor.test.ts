// SPDX-License-Identifier: MIT
// Goal: a terminal shows what a plant says, also after the other side was away.
//
// Method: the command beside a running plant; a server in place of the hub that ends and comes back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ferrule, startUp } from "../support/ferrule.ts";
import { startTalking } from "../support/talk.ts";

const SNAPSHOT = {
  changeId: 1,
  nodes: [{ id: "n", channels: [{ name: "t", unit: "Cel" }] }],
};
const READING = { id: 2, kind: "reading", node: "n", channel: "t", wallMs: 3_723_004 };
const EVENT = { id: 1, wallMs: 0, kind: "alarm", text: "too hot", channel: "t", value: 201 };
const CHANGES = [
  { ...READING, value: 21.5, quality: "good", cause: null },
  { ...READING, node: "other", value: 1, quality: "good", cause: null },
  { ...READING, value: null, quality: "bad", cause: "open-wire" },
  { id: 3, kind: "event", event: { ...EVENT, node: "n", alarm: "hot", count: 1 } },
];

// Says all it has to each stream, in two pieces that end inside a line.
async function startHub(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === "/api/snapshot") return void response.end(JSON.stringify(SNAPSHOT));
    assert.equal(request.url, "/api/stream?since=1");
    const text = CHANGES.map((c) => `id: ${c.id}\ndata: ${JSON.stringify(c)}\n\n`).join("");
    response.write(text.slice(0, 50));
    setImmediate(() => response.write(text.slice(50)));
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function endHub(server: Server): void {
  server.close();
  server.closeAllConnections();
}

test("a reading is a line with time, node, channel, value, unit and quality", async (t) => {
  const server = await startHub(0);
  t.after(() => endHub(server));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const monitor = startTalking(["monitor", url, "--node", "n"]);
  await monitor.says(/too hot\n/);
  const { code, stdout, stderr } = await monitor.end();
  assert.deepEqual([code, stderr], [130, ""]);
  assert.equal(
    stdout,
    "01:02:03.004 n t 21.5 Cel\n" +
      "01:02:03.004 n t - Cel bad (open-wire)\n" +
      "00:00:00.000 n too hot\n",
  );
});

test("a hub that goes away is said once, and followed again when it is there", async () => {
  let server = await startHub(0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const monitor = startTalking(["monitor", `${url}/`, "--json"]);
  await monitor.says(/too hot/);
  endHub(server);
  await monitor.says(new RegExp(`${url} went away \\([^)]+\\); trying again\\n`));
  server = await startHub(port);
  await monitor.says(new RegExp(`${url} is there again\\n`));
  await monitor.says(/too hot/);
  const { stdout } = await monitor.end();
  endHub(server);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2 * CHANGES.length);
  const nothing = { quality: null, cause: null, unit: null };
  assert.deepEqual(JSON.parse(lines[3]!), {
    ...{ atMs: 0, node: "n", kind: "event", channel: "t", value: 201, ...nothing, text: "too hot" },
  });
});

test("a real plant is followed at its page and at its broker alike", async (t) => {
  const road = await startUp(["--page", "0"]);
  t.after(() => road.end());
  for (const url of [road.page, road.broker]) {
    const monitor = startTalking(["monitor", url, "--node", "oven-1"]);
    await monitor.says(/^[\d:.]{12} oven-1 temperature \d+(\.\d+)? Cel$/m);
    const { code, stdout, stderr } = await monitor.end();
    assert.deepEqual([code, stderr], [130, ""]);
    assert.doesNotMatch(stdout, /meter/);
  }
});

test("--for ends it with 0", async (t) => {
  const server = await startHub(0);
  t.after(() => endHub(server));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await ferrule(["monitor", url, "--for", "1"]);
  assert.deepEqual([code, stderr], [0, ""]);
});

test("where nobody answers, the address is named and the next step", async () => {
  const server = await startHub(0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  endHub(server);
  const page = await ferrule(["monitor", url]);
  assert.deepEqual([page.code, page.stdout], [1, ""]);
  assert.equal(
    page.stderr,
    `ferrule: no hub answers at ${url} (ECONNREFUSED)\n` +
      "  next: start ferrule up, or give the address of its page, " +
      "as ferrule monitor http://127.0.0.1:8081\n",
  );
  const other = await ferrule(["monitor", "ftp://x"]);
  assert.deepEqual(
    [other.code, other.stderr],
    [2, "ferrule: ftp://x is no page and no broker\n  next: give http:// or mqtt://\n"],
  );
});
