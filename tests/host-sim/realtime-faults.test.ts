// SPDX-License-Identifier: MIT
// Faults of a plan strike in real time as they do in virtual time.
//
// Goal: each kind is seen at the hub or in the counters, heals, and loses nothing that was not to be lost. Method:
// oven and meter on real sockets, one plan a test; waits are generous, nothing is timed.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { FaultPlan, PlantPlan } from "../../host-sim/plan.ts";
import { impossibleFaults, startRealtime, type Realtime } from "../../host-sim/realtime/run.ts";
import type { RealtimeOptions } from "../../host-sim/realtime/run.ts";
import { buildPair } from "../scenarios/plants.ts";
import { until } from "../support/until.ts";
import { startRealtimeRoad, type RealtimeRoad } from "./realtime-road.ts";

const LONG_MS = 3_600_000; // ends with the test
const OVEN = "oven-1";
let pair: PlantPlan;

before(async () => {
  pair = await buildPair();
});

interface Stage {
  road: RealtimeRoad;
  nodes: Realtime;
  said: string[];
}

type Wanted = Partial<RealtimeOptions> & { faults: FaultPlan[] };

/** Runs the pair under these faults; then all heals, everything drains and the sums are right. */
async function stage(
  { faults, ...more }: Wanted,
  see: (stage: Stage) => Promise<void>,
): Promise<void> {
  const road: RealtimeRoad = await startRealtimeRoad(pair.hub);
  const said: string[] = [];
  let nodes: Realtime | undefined;
  try {
    nodes = startRealtime(
      { ...pair, faults },
      {
        gateway: { host: "127.0.0.1", port: road.port },
        seed: 1,
        log: (text) => said.push(text),
        has: road.hub.has,
        ...more,
      },
    );
    await see({ road, nodes, said });
    nodes.stopSampling();
    await drained(nodes, road);
  } finally {
    await nodes?.close(); // what stays open would keep this process from ending
    await road.close();
  }
}

function drained(nodes: Realtime, { hub }: RealtimeRoad): Promise<void> {
  return until("that nothing waits and the sums are right", () => {
    const { queued, dropped, lost } = nodes.totals();
    return nodes.waiting() === 0 && hub.totals().ingested === queued - dropped - lost;
  });
}

const always = (fault: Omit<FaultPlan, "atMs" | "forMs">): FaultPlan => ({
  atMs: 0,
  forMs: LONG_MS,
  ...fault,
});

test("datagrams are lost, doubled, late, cut short and damaged; readings arrive once", () =>
  stage(
    {
      faults: [
        always({ fault: "loss", amount: 0.15 }),
        always({ fault: "duplicate", amount: 0.3 }),
        always({ fault: "reorder", amount: 0.2 }),
        always({ fault: "truncate", amount: 0.05 }),
        always({ fault: "corrupt", amount: 0.05 }),
        always({ fault: "delay", amount: 5 }),
      ],
    },
    async ({ nodes }) => {
      await until("each of it", () => {
        const { lost, duplicated, late, truncated, corrupted } = nodes.totals().network;
        return [lost, duplicated, late, truncated, corrupted].every((count) => count > 0);
      });
    },
  ));

test("losses of the whole run strike without a plan and heal", () =>
  stage({ faults: [], network: { loss: 0.3, duplicate: 0.3, reorder: 0.3 } }, async ({ nodes }) => {
    await until("each of it", () => {
      const { lost, duplicated, late } = nodes.totals().network;
      return lost > 0 && duplicated > 0 && late > 0;
    });
  }));

test("a partition of one node stops it alone, and what waited arrives after it", () =>
  stage({ faults: [always({ fault: "partition", node: OVEN })] }, async ({ nodes }) => {
    const [oven, meter] = [0, 1].map((i) => () => nodes.totals().perNode[i]!);
    await until("readings of the meter", () => meter!().acknowledged > 2);
    await until("readings that wait in the oven", () => oven!().waiting > 2);
    assert.equal(oven!().acknowledged, 0);
  }));

test("an open wire is a bad reading, and good again after it", () =>
  stage(
    { faults: [{ atMs: 1500, forMs: 2500, fault: "sensor-open-wire", node: OVEN, input: 0 }] },
    async ({ road, said }) => {
      const qualities = (): string[] =>
        (road.hub.history(OVEN, "temperature", 0) ?? []).map(([, value]) =>
          value === null ? "bad" : "good",
        );
      await until("a bad reading between good ones", () =>
        /^(good )+(bad )+good/.test(qualities().join(" ")),
      );
      assert.deepEqual(said, [
        `${OVEN}: sensor-open-wire for 2500 ms`,
        `${OVEN}: sensor-open-wire ended`,
      ]);
    },
  ));

test("ticks that overrun are counted and drive loop anew", () =>
  stage({ faults: [always({ fault: "overrun", node: OVEN })] }, async ({ nodes }) => {
    await until("overruns", () => nodes.totals().perNode[0]!.loopOverruns > 10);
    assert.equal(nodes.totals().perNode[1]!.loopOverruns, 0);
  }));

test("power and a torn flash write: the boot number goes on rising, nothing comes twice", () =>
  stage(
    {
      faults: [
        { atMs: 2000, forMs: 500, fault: "power-cut", node: OVEN },
        { atMs: 2400, forMs: 1000, fault: "flash-torn", node: OVEN, amount: 3 },
      ],
    },
    async ({ road, nodes }) => {
      await until("a boot after the torn one", () => nodes.totals().perNode[0]!.boot >= 2);
      const { boot } = nodes.totals().perNode[0]!;
      await until("its first reading", () => road.hub.has(OVEN, boot, 1));
      assert.ok(nodes.totals().perNode[0]!.powered, "the power is back");
    },
  ));

test("a node whose clock runs fast goes on delivering", () =>
  stage(
    { faults: [always({ fault: "clock-drift", node: OVEN, amount: 100_000 })] },
    async ({ nodes, said }) => {
      await until("readings", () => nodes.totals().perNode[0]!.acknowledged > 20);
      assert.deepEqual(said, [`${OVEN}: clock-drift 100000 for ${LONG_MS} ms`]);
    },
  ));

test("faults of what nodes share call what the road gave, and end", async () => {
  const calls: string[] = [];
  const note =
    (what: string) =>
    (amount?: number): (() => void) => {
      calls.push(`${what} ${amount ?? ""}`.trim());
      return () => void calls.push(`${what} ended`);
    };
  await stage(
    {
      faults: [
        { atMs: 10, forMs: LONG_MS, fault: "clock-step", amount: -5000 },
        { atMs: 20, forMs: 100, fault: "gateway-restart" },
      ],
      shared: { stepWall: note("step"), stopGateway: note("gateway") },
    },
    () => until("the end of the restart", () => calls.includes("gateway ended")),
  );
  assert.deepEqual(calls, ["step -5000", "gateway", "gateway ended", "step ended"]);
});

test("a fault that cannot strike is refused by name, and nothing starts", () => {
  const faults = [
    always({ fault: "broker-down" }),
    always({ fault: "broker-slow" }),
    always({ fault: "broker-slow" }),
    always({ fault: "loss" }),
  ];
  assert.deepEqual(impossibleFaults(faults, ["stopGateway"]), ["broker-down", "broker-slow"]);
  const options = { gateway: { host: "127.0.0.1", port: 9 }, seed: 1, log: () => undefined };
  assert.throws(() => startRealtime({ ...pair, faults }, options), {
    name: "RangeError",
    message: "cannot strike here: broker-down, broker-slow",
  });
});
