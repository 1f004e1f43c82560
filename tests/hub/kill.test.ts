// SPDX-License-Identifier: MIT
// Goal: a hub that is killed loses nothing that it acknowledged.
//
// Method: hub processes on real brokers get SIGKILL at seeded moments; the file is read afterwards.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectAsync, type MqttClient } from "mqtt";
import { createPrng } from "../../host-sim/prng.ts";
import { createHub } from "../../hub/hub.ts";
import { openFileHistory } from "../../hub/server-sqlite.ts";
import { PLANT } from "../support/fixture-hub.ts";
import { listen, type Listener } from "../support/listen.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { program } from "../support/need.ts";
import { birth, Decimal, pack } from "../support/pack.ts";

const SEED = Number(process.env["SEED"] ?? 3);
const CHILD = fileURLToPath(new URL("kill-hub.ts", import.meta.url));
const NOW_MS = Date.now(); // old readings would be deleted
const MESSAGES = 1200;
const READINGS = 5; // of a message
const KILLS = 3;
const LAST = String(MESSAGES * READINGS);

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const valueOf = (sequence: number): number => (sequence * 37) % 1000;

function message(index: number): Buffer {
  const q = 1 + index * READINGS;
  const records = Array.from({ length: READINGS }, (_, at) => ({
    n: "count",
    v: valueOf(q + at),
    ...(at > 0 ? { t: at } : {}),
  }));
  return pack({ bt: NOW_MS + q, q, records });
}

interface Child {
  process: ChildProcess;
  said: Listener;
}

async function startChild(url: string, file: string): Promise<Child> {
  const child = spawn(process.execPath, ["--import", "tsx", CHILD, url, file, LAST], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanups.push(() => child.kill("SIGKILL"));
  const said = listen(child);
  await said.says(/ready/);
  return { process: child, said };
}

async function kill(child: Child): Promise<void> {
  child.process.kill("SIGKILL");
  await child.said.closed;
}

async function publishAll(node: MqttClient, onIndex: (index: number) => void): Promise<void> {
  for (let index = 0; index < MESSAGES; index++) {
    onIndex(index);
    await node.publishAsync("ferrule/press-1/data", message(index), { qos: 1 });
    if (index % 10 === 0) await delay(5);
  }
}

test(
  `killed ${KILLS} times, every reading is in the file exactly once, seed ${SEED}`,
  program("mosquitto"),
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "hub kill "));
    const file = join(folder, "history.db");
    // A hub that is slow to come back finds more than the 1,000 messages that mosquitto keeps else.
    const broker = await startMosquitto(undefined, ["max_queued_messages 0"]);
    cleanups.push(broker.stop);
    const node = await connectAsync(broker.url);
    cleanups.push(() => node.endAsync(true));
    const prng = createPrng(SEED);
    let child = await startChild(broker.url, file);
    const born = birth({ channels: [[{ name: "count", kind: 4, scale: new Decimal(0, 1) }]] })[0]!;
    await node.publishAsync("ferrule/press-1/birth/0", born, { qos: 1, retain: true });
    const killAt = Array.from({ length: KILLS }, (_, at) =>
      Math.round(((at + prng.below(1000) / 1000) * MESSAGES) / KILLS),
    );
    const restarts: Promise<void>[] = [];
    let lockStayed = false;
    await publishAll(node, (index) => {
      if (!killAt.includes(index)) return;
      restarts.push(
        (restarts.at(-1) ?? Promise.resolve()).then(async () => {
          await kill(child);
          lockStayed ||= existsSync(`${file}.lock`);
          child = await startChild(broker.url, file);
        }),
      );
    });
    await Promise.all(restarts);
    await child.said.says(/heard/); // the last ones are handed over, and committed
    await kill(child);
    assert.ok(lockStayed, "the kill left the database's lock behind");

    const history = openFileHistory(file, assert.fail);
    const hub = createHub(PLANT, history);
    const found = hub.rawPoints("press-1", "count", { sinceMs: 0, untilMs: 1e15, max: 1e6 }) ?? [];
    const wanted = Array.from({ length: MESSAGES * READINGS }, (_, at) => [
      NOW_MS + 1 + at,
      valueOf(1 + at),
    ]);
    assert.deepEqual(found, wanted);
    for (let q = 1; q <= MESSAGES * READINGS; q++) assert.ok(hub.has("press-1", 1, q), `${q}`);
    const [view] = hub.snapshot(NOW_MS).nodes;
    assert.deepEqual(
      [view?.boot, view?.type, view?.channels[0]?.value],
      [1, "oven", valueOf(MESSAGES * READINGS)],
    );
    history.close();
    rmSync(folder, { recursive: true });
  },
);
