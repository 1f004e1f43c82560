// SPDX-License-Identifier: MIT
// The same nodes in real time on real UDP sockets.
//
// Goal: readings arrive over loopback, ticks keep their pace, power cuts and the search work as in virtual
// time. Method: the release modules against the real cores behind one socket, a few seconds each.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createSocket } from "node:dgram";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { startRealtime, type Realtime } from "../../host-sim/realtime/run.ts";
import { buildPair, changeNode } from "../scenarios/plants.ts";
import { until } from "../support/until.ts";
import { startRealtimeRoad, type RealtimeRoad } from "./realtime-road.ts";
import { smallLink, smallLoop } from "./small-modules.ts";

let plan: PlantPlan;
let road: RealtimeRoad;

before(async () => {
  plan = await buildPair();
  road = await startRealtimeRoad(plan.hub);
});
after(() => road.close());

function start(wanted: PlantPlan, port = road.port): Realtime {
  return startRealtime(wanted, {
    gateway: { host: "127.0.0.1", port },
    seed: 1,
    log: () => undefined,
    has: road.hub.has,
  });
}

test("two nodes deliver; after sampling stops nothing waits and all is accounted for", async () => {
  const nodes = start(plan);
  try {
    await until("readings of both", () => nodes.totals().perNode.every((n) => n.acknowledged > 4));
    nodes.stopSampling();
    await until("the end of waiting", () => nodes.waiting() === 0);
    const { queued, acknowledged, dropped, lost, waiting, perNode } = nodes.totals();
    assert.deepEqual(
      { acknowledged, dropped, lost, waiting },
      { acknowledged: queued, dropped: 0, lost: 0, waiting: 0 },
    );
    assert.equal(road.hub.totals().ingested, queued);
    assert.ok(perNode.every(({ loopTraps, linkTraps }) => loopTraps + linkTraps === 0));
  } finally {
    await nodes.close();
  }
});

test("ticks keep their pace however late the timer is", async () => {
  const gateway = createSocket("udp4");
  await new Promise<void>((resolve) => gateway.bind(0, "127.0.0.1", () => resolve()));
  const small = changeNode({ ...plan, nodes: [plan.nodes[0]!] }, "oven-1", {
    loopWasm: smallLoop(),
    linkWasm: smallLink(), // counts the records it takes, one a tick
    periodUs: 700, // less than a timer can do
    machine: { kind: "none" },
  });
  const startMs = performance.now();
  const nodes = start(small, gateway.address().port);
  try {
    await wait(500);
    const blockedMs = performance.now();
    while (performance.now() < blockedMs + 100); // the event loop is blocked
    const due = (): number => ((performance.now() - startMs) * 1000) / 700;
    const dueNow = Math.floor(due());
    const done = (): number => nodes.totals().queued + nodes.totals().ticksSkipped;
    await until("every tick that was due", () => done() >= dueNow - 20); // it took a while to start
    assert.ok(done() <= due(), `${done()} ticks of ${due()}`);
  } finally {
    await nodes.close();
    gateway.close();
  }
});

test("a node whose power is cut comes back with the next boot number", async () => {
  const nodes = start(plan);
  try {
    const [oven] = plan.nodes;
    const online = (): boolean => nodes.totals().perNode[0]!.acknowledged > 2;
    await until("readings", online);
    const before = nodes.totals().queued;
    nodes.cutPower(oven!.id, 300);
    assert.equal(nodes.totals().perNode[0]!.powered, false);
    await until("power", () => nodes.totals().perNode[0]!.powered);
    await until("readings of the second boot", () => road.hub.has(oven!.id, 2, 1));
    assert.ok(nodes.totals().queued >= before);
    assert.throws(() => nodes.cutPower("nobody", 1), RangeError);
  } finally {
    await nodes.close();
  }
});

test("boots go on behind those that were used before", async () => {
  const nodes = startRealtime(plan, {
    gateway: { host: "127.0.0.1", port: road.port },
    seed: 1,
    log: () => undefined,
    bootsBefore: 41,
  });
  try {
    await until("a reading of boot 42", () => road.hub.has("oven-1", 42, 1));
  } finally {
    await nodes.close();
  }
});

test("a node that knows no gateway finds one by multicast on the loopback interface", async () => {
  const nodes = start(changeNode(plan, "oven-1", { gateways: 0 }));
  try {
    await until("a reading", () => nodes.totals().perNode[0]!.acknowledged > 0);
  } finally {
    await nodes.close();
  }
});
