// SPDX-License-Identifier: MIT
// Goal: totals of a machine are exact over wraps, restarts and silences.
//
// Method: the textbook vector of OEE; scripted readings into the core, sums made by hand.

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { test } from "node:test";
import type { MachineTotals } from "../../hub/api.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import { oee } from "../../hub/oee.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, Decimal, pack, type RecordSpec, status } from "../support/pack.ts";

const U32 = 2 ** 32;

function born(): Hub {
  const hub = createHub(PLANT);
  const channels = [
    { name: "state", kind: 6, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
    { name: "parts", kind: 4, scale: new Decimal(0, 1), heartbeatMs: 10_000 },
    { name: "litres", kind: 4, scale: new Decimal(-1, 1), heartbeatMs: 10_000 },
  ];
  say(hub, "birth/0", birth({ type: "press", channels: [channels] })[0]!);
  return hub;
}

function say(hub: Hub, topic: string, payload: Buffer): void {
  hub.message({ topic: `ferrule/press-1/${topic}`, payload, qos: 1, retain: false }, T0);
}

let q = 0;
function read(hub: Hub, boot: number, atMs: number, ...records: RecordSpec[]): void {
  say(hub, "data", pack({ bt: T0 + atMs, b: boot, q: (q += 10), records }));
}

const totals = (hub: Hub): MachineTotals => hub.snapshot(T0).nodes[0]!.totals;
const parts = (n: number): RecordSpec => ({ n: "parts", v: n });
const state = (n: number): RecordSpec => ({ n: "state", v: n });
const linkTrapped = (boot: number, traps: number): Buffer =>
  status({ boot, counters: [...new Array<number>(17).fill(0), traps] });

test("OEE of the textbook comes out to six digits", () => {
  const {
    availability,
    effectiveness,
    quality,
    oee: whole,
    warning,
  } = oee(373 * 60, 420 * 60, 1, 19_271, 18_848);
  const digits = [availability, effectiveness, quality, whole].map((x) => x?.toFixed(6));
  assert.deepEqual(digits, ["0.888095", "0.861081", "0.978050", "0.747937"]);
  assert.equal(warning, null);
});

test("what cannot be told is null, never 1, and nothing is clamped", () => {
  const { availability, oee: noPlan } = oee(60, 0, 1, 10, 10);
  assert.deepEqual([availability, noPlan], [null, null]);
  const nothing = oee(60, 100, 1, 0, 0);
  assert.deepEqual([nothing.effectiveness, nothing.quality, nothing.oee], [null, null, null]);
  assert.equal(oee(0, 100, 1, 5, 5).effectiveness, null);
  const wrong = oee(60, 100, 12, 10, 10);
  assert.equal(wrong.effectiveness, 2);
  assert.match(wrong.warning ?? "", /^effectiveness is above 1: the planned run time/);
});

test("a state counts from its reading to the next, however the pack was cut", () => {
  const hub = born();
  read(hub, 1, 0, state(0), { n: "state", v: 2, t: 4000 });
  read(hub, 1, 9000, state(2), { n: "state", v: 1, t: 500 }, { n: "state", v: 3, t: 1500 });
  read(hub, 1, 11_000, state(0));
  assert.deepEqual(totals(hub).stateMs, { stopped: 4000, run: 5500, idle: 1000, fault: 500 });
});

test("the state that lasts counts up to the newest count, once, and not over silence", () => {
  const hub = born();
  const run = (): number | undefined => totals(hub).stateMs?.run;
  read(hub, 1, 0, parts(0), state(2));
  read(hub, 1, 6000, parts(5));
  assert.equal(run(), 6000, "five items were made in six seconds, not in none");
  assert.equal(run(), 6000, "looking adds nothing");
  read(hub, 1, 9000, state(1));
  assert.deepEqual([run(), totals(hub).stateMs?.idle], [9000, 0]);
  read(hub, 1, 45_000, parts(6)); // more than three heartbeats after the state
  read(hub, 2, 46_000, parts(0));
  assert.deepEqual([run(), totals(hub).stateMs?.idle], [9000, 0]);
});

test("a machine is in its state since the reading that changed it, and in none without one", () => {
  const hub = born();
  const machine = (): [string, number] | null => {
    const found = hub.snapshot(T0).nodes[0]!.machine;
    return found === null ? null : [found.state, found.sinceMs - T0];
  };
  assert.equal(machine(), null, "nothing was read");
  read(hub, 1, 0, state(0), { n: "state", v: 2, t: 4000 }, { n: "state", v: 2, t: 6000 });
  assert.deepEqual(machine(), ["run", 4000]);
  read(hub, 1, 9000, { n: "state", g: 2, vs: "stale" });
  assert.equal(machine(), null, "a bad reading tells none");
  read(hub, 1, 9500, state(3));
  read(hub, 2, 20_000, state(3));
  assert.deepEqual(machine(), ["fault", 9500], "a restart that finds it as it was changes nothing");
});

test("silence, a bad reading, a clock set back and a restart count for no state", () => {
  const hub = born();
  read(hub, 1, 0, state(2));
  read(hub, 1, 40_000, state(2)); // more than three heartbeats
  read(hub, 1, 41_000, { n: "state", vs: "stale" });
  read(hub, 1, 45_000, state(2));
  read(hub, 1, 44_000, state(2));
  read(hub, 2, 46_000, state(1));
  read(hub, 2, 47_000, state(0));
  assert.deepEqual(totals(hub).stateMs, { stopped: 0, run: 1000, idle: 1000, fault: 0 });
});

test("a counter goes on over its wrap, over restarts of the node and of loop alone", () => {
  const hub = born();
  read(hub, 1, 0, parts(U32 - 10));
  read(hub, 1, 1000, parts(5)); // 15 more
  assert.equal(totals(hub).counts["parts"], U32 + 5);
  read(hub, 2, 2000, parts(3)); // a power cut: it starts at 0
  read(hub, 2, 3000, parts(100));
  assert.equal(totals(hub).counts["parts"], U32 + 105);
  read(hub, 2, 4000, parts(2)); // loop trapped
  assert.equal(totals(hub).counts["parts"], U32 + 107);
  read(hub, 2, 5000, { n: "litres", v: new Decimal(-1, 3) });
  assert.equal(totals(hub).counts["litres"], 0.3);
});

for (const order of ["first", "later"])
  test(`a count that went on over a restart of link is not taken twice, status ${order}`, () => {
    const hub = born();
    read(hub, 1, 0, parts(100));
    say(hub, "status", linkTrapped(1, 0));
    if (order === "first") say(hub, "status", linkTrapped(2, 1));
    read(hub, 2, 1000, parts(103));
    if (order === "later") say(hub, "status", linkTrapped(2, 1));
    assert.equal(totals(hub).counts["parts"], 103);
    read(hub, 3, 2000, parts(104));
    say(hub, "status", linkTrapped(3, 0)); // a power cut this time
    assert.equal(totals(hub).counts["parts"], 207);
  });

test("late and repeated readings change no total", () => {
  const hub = born();
  const first = pack({ bt: T0, b: 1, q: (q += 10), records: [parts(10)] });
  const late = pack({ bt: T0 + 500, b: 1, q: (q += 10), records: [parts(15)] });
  say(hub, "data", first);
  read(hub, 1, 1000, parts(20));
  for (const again of [first, late, late]) say(hub, "data", again);
  assert.equal(totals(hub).counts["parts"], 20);
});

test("totals are published as flat JSON, retained, at most every 10 s", () => {
  const hub = born();
  hub.takePublications();
  const told = (): string[] =>
    hub
      .takePublications()
      .flatMap(({ topic, payload }) =>
        topic.includes("/_oee/") ? [`${topic.split("/").at(-1)} ${String(payload)}`] : [],
      );
  read(hub, 1, 0, state(2), parts(7));
  read(hub, 1, 1000, state(2));
  assert.equal(hub.poll(T0), Infinity);
  assert.deepEqual(told().sort(), [
    `count_parts {"timestamp_ms":${T0},"value":7}`,
    `fault_ms {"timestamp_ms":${T0},"value":0}`,
    `idle_ms {"timestamp_ms":${T0},"value":0}`,
    `run_ms {"timestamp_ms":${T0},"value":1000}`,
    `stopped_ms {"timestamp_ms":${T0},"value":0}`,
  ]);
  read(hub, 1, 2000, parts(8));
  assert.equal(hub.poll(T0 + 9999), T0 + 10_000);
  assert.deepEqual(told(), []);
  hub.poll(T0 + 10_000);
  assert.ok(told().includes(`count_parts {"timestamp_ms":${T0 + 10_000},"value":8}`));
});
