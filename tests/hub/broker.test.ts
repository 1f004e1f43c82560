// SPDX-License-Identifier: MIT
// Goal: the hub works with brokers and clients not ours, over their restarts.
//
// Method: mosquitto and aedes as brokers, mosquitto_pub as the node, mosquitto_sub as the reader.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Aedes } from "aedes";
import type { Health } from "../../hub/api.ts";
import { type RunningHub, startHub } from "../../hub/server.ts";
import { PLAIN_PAGE, PLANT, START_MS } from "../support/fixture-hub.ts";
import { startMosquitto, subscribe } from "../support/mosquitto.ts";
import { findProgram, program } from "../support/need.ts";
import { birth, Decimal, pack } from "../support/pack.ts";
import { until } from "../support/until.ts";

const MOSQUITTO = program("mosquitto", "mosquitto_pub", "mosquitto_sub");
const RAW = "umh/v1/acme/north/hall-1/line-2/cell-3/_raw/oven-1/temperature";
const STATE = "umh/v1/acme/north/hall-1/line-2/cell-3/_state/oven-1";

interface Broker {
  port: number;
  url: string;
  stop(): Promise<void>;
}

async function startAedes(secret?: string): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  if (secret !== undefined) restrict(aedes, secret);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    await new Promise<void>((done) => aedes.close(done));
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, url: `mqtt://127.0.0.1:${port}`, stop };
}

/** Only the client "the-hub" with the secret as its password may write set-points. */
function restrict(aedes: Aedes, secret: string): void {
  aedes.authenticate = (client, user, password, done) => {
    const known = user === "the-hub" && password?.toString() === secret;
    done(null, client.id !== "the-hub" || known);
  };
  aedes.authorizePublish = (client, { topic }, done) => {
    const allowed = !/^ferrule\/[^/]+\/set$/.test(topic) || client?.id === "the-hub";
    done(allowed ? null : new Error("not yours"));
  };
}

const lines: string[] = [];
const log = {
  info: (text: string) => void lines.push(text),
  warn: (text: string) => void lines.push(text),
};

function start(
  brokerUrl: string,
  more: { clientId?: string; password?: string } = {},
): Promise<RunningHub> {
  return startHub({
    config: PLANT,
    brokerUrl,
    pageHost: "127.0.0.1",
    pagePort: 0,
    log,
    page: PLAIN_PAGE,
    ...more,
  });
}

/** mosquitto_pub with the payload on its standard input. */
async function publish(
  port: number,
  topic: string,
  payload: Uint8Array | string,
  ...more: string[]
): Promise<void> {
  const args = ["-h", "127.0.0.1", "-p", String(port), "-t", topic, "-s", "-q", "1", ...more];
  const child = spawn(findProgram("mosquitto_pub")!, args, {
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.stdin.end(payload);
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0);
}

const reading = (q: number, centi: number): Buffer =>
  pack({ bt: START_MS + q, q, records: [{ n: "temperature", v: new Decimal(-2, centi) }] });
const text = (hex: string): string => Buffer.from(hex, "hex").toString();

for (const [name, startBroker] of [
  ["mosquitto", startMosquitto],
  ["aedes", startAedes],
] as const)
  test(
    `with ${name}: what a node says is ingested once and comes out as flat JSON`,
    MOSQUITTO,
    async () => {
      const broker = await startBroker();
      const born = birth({ channels: [[{ name: "temperature", unit: "Cel" }]] })[0]!;
      await publish(broker.port, "ferrule/oven-1/birth/0", born, "-r");
      await publish(broker.port, "ferrule/oven-1/presence", "online", "-r");
      const hub = await start(broker.url);
      const flat = await subscribe(broker.port, "umh/v1/#");
      await until(
        "the retained birth is there",
        () => hub.hub.snapshot(0).nodes[0]?.type === "oven",
      );
      await until("the reader is there", () => flat.messages.some(({ topic }) => topic === STATE));
      await publish(broker.port, "ferrule/oven-1/data", reading(1, 2350));
      await publish(broker.port, "ferrule/oven-1/data", reading(1, 2350));
      await publish(broker.port, "ferrule/oven-1/data", reading(2, 2360), "-q", "0");
      await publish(broker.port, "ferrule/oven-1/data", "nonsense");
      await until(
        "all is published",
        () => flat.messages.filter(({ topic }) => topic === RAW).length >= 2,
      );
      await until("all has come", () => hub.hub.totals().messages >= 6);
      const { ingested, unconfirmed, duplicates, refused } = hub.hub.totals();
      assert.deepEqual(
        { ingested, unconfirmed, duplicates, refused },
        { ingested: 1, unconfirmed: 1, duplicates: 1, refused: { truncated: 1 } },
      );
      const values = flat.messages.filter(({ topic }) => topic === RAW).map(({ hex }) => text(hex));
      assert.deepEqual(values, [
        `{"timestamp_ms":${START_MS + 1},"value":23.5}`,
        `{"timestamp_ms":${START_MS + 2},"value":23.6}`,
      ]);
      const late = await subscribe(broker.port, "umh/v1/#");
      await publish(broker.port, "umh/v1/after", "what is retained");
      const came = (): string[] => late.messages.map(({ topic }) => topic).sort();
      await until("what comes after what is retained", () => came().includes("umh/v1/after"));
      assert.deepEqual(came(), [`${RAW}/_meta`, STATE, "umh/v1/after"]);
      late.stop();
      flat.stop();
      await hub.close();
      await broker.stop();
    },
  );

test("what a node says while the hub is away waits at the broker", MOSQUITTO, async () => {
  const broker = await startMosquitto();
  const first = await start(broker.url);
  await publish(broker.port, "ferrule/oven-1/data", reading(1, 2350));
  await until("the first one is there", () => first.hub.totals().ingested === 1);
  await first.close();
  await publish(broker.port, "ferrule/oven-1/data", reading(2, 2360));
  const second = await start(broker.url);
  await until("the waiting one is there", () => second.hub.totals().ingested === 1);
  assert.ok(second.hub.has("oven-1", 1, 2));
  await second.close();
  await broker.stop();
});

test(
  "a broker that is away is said once with its address and met when it comes",
  MOSQUITTO,
  async () => {
    const place = await startMosquitto();
    await place.stop();
    lines.length = 0;
    const beforeMs = Date.now();
    const hub = await start(place.url);
    const health = async (): Promise<[number, Health]> => {
      const answer = await fetch(`http://127.0.0.1:${hub.pagePort}/healthz`);
      return [answer.status, (await answer.json()) as Health];
    };
    const [status, { ok, broker, awaySinceMs, reason }] = await health();
    assert.deepEqual([status, ok, broker], [503, false, "waiting"]);
    assert.ok(awaySinceMs !== null && awaySinceMs >= beforeMs, `away since ${awaySinceMs}`);
    assert.match(reason ?? "", /^the broker at 127\.0\.0\.1:\d+ is away/);
    await delay(2500); // one more attempt in vain, or none yet where time is short
    assert.equal((await health())[1].awaySinceMs, awaySinceMs, "the same outage");
    assert.deepEqual(lines, [`broker ${place.url} is away (ECONNREFUSED), tried again every 2 s`]);
    const back = await startMosquitto(place.port);
    await until("the hub is connected", async () => (await health())[0] === 200);
    await publish(back.port, "ferrule/oven-1/data", reading(1, 2350));
    await until("it hears", () => hub.hub.totals().ingested === 1);
    assert.equal((await health())[1].awaySinceMs, null);
    await hub.close();
    await back.stop();
  },
);

test(
  "after a broker that forgot all, retained topics are published again",
  MOSQUITTO,
  async (t) => {
    const before = await startMosquitto();
    const hub = await start(before.url);
    t.after(() => hub.close());
    await publish(before.port, "ferrule/oven-1/presence", "online");
    await publish(before.port, "ferrule/oven-1/data", reading(1, 2350));
    await until("it is ingested", () => hub.hub.totals().ingested === 1);
    await before.stop();
    const after = await startMosquitto(before.port);
    t.after(() => after.stop());
    const reader = await subscribe(after.port, "umh/v1/#");
    t.after(() => reader.stop());
    // What the broker had not acknowledged when it died is sent again as well.
    const retained = (): Set<string> =>
      new Set(reader.messages.map(({ topic }) => topic).filter((topic) => topic !== RAW));
    await until("both are there again", () => retained().size >= 2);
    assert.deepEqual([...retained()].sort(), [`${RAW}/_meta`, STATE]);
  },
);

test(
  "a hub with name and password writes where the broker lets nobody else",
  MOSQUITTO,
  async () => {
    const broker = await startAedes("a secret");
    const more = { clientId: "the-hub", password: "a secret" };
    const hub = await start(broker.url, more);
    const setpoint: [number, number, number, number] = [0, 90, 10, 0];
    const channels = [[{ name: "target", kind: 8, scale: new Decimal(0, 1), setpoint }]];
    await publish(broker.port, "ferrule/oven-1/birth/0", birth({ channels })[0]!, "-r");
    await until("it is born", () => hub.hub.nodeCount() === 1);
    const heard = await subscribe(broker.port, "ferrule/+/set");
    const answer = await fetch(`http://127.0.0.1:${hub.pagePort}/api/setpoint`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-ferrule-token": hub.token },
      body: JSON.stringify({ node: "oven-1", name: "target", value: 20, by: "Ann" }),
    });
    assert.equal(answer.status, 200);
    await until("the write is out", () => heard.messages.length === 1);
    assert.match(heard.messages[0]!.hex, /^a4001a[0-9a-f]{8}01667461726765740214030{2}$/i);
    assert.match(hub.token, /^[A-Za-z0-9_-]{16}$/);
    heard.stop();
    await hub.close();
    await broker.stop();
  },
);

test("an address that is no broker's is refused in one sentence", async () => {
  for (const url of ["foo://127.0.0.1:1", "127.0.0.1", ""])
    await assert.rejects(start(url), {
      message: `"${url}" is no broker address: give mqtt://HOST:PORT`,
    });
});
