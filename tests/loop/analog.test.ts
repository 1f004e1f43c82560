// SPDX-License-Identifier: MIT
// Goal: an analog channel tells the right value in time, and a bad one as a cause.
// Method: the release module samples counts set by the test; values are compared with a model in f64.

import assert from "node:assert/strict";
import test from "node:test";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import {
  CAUSE_NO_INPUT,
  CAUSE_OPEN_WIRE,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
  KIND_EVENT,
  KIND_READING,
  QUALITY_BAD,
  QUALITY_GOOD,
  TYPE_I32,
} from "../../firmware/wire/record.ts";

const TICK_US = 10_000;

// Channel numbers by name, in the order of this node.
const [PLAIN, STEEP, MEDIAN3, MEDIAN5, SMOOTH, QUIET, SLOW, GUARDED, ABSENT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
];

const every = { kind: "analog", everyMs: 10, decimals: 0 };
const straight = { raw: [0, 4095], value: [0, 4095] };
const node = parseNode({
  type: "analog",
  channels: {
    plain: {
      ...every,
      input: 0,
      decimals: 2,
      scale: { raw: [0, 4095], value: [-50, 350] },
      valid: [20, 4075],
      aboveCause: "open-wire",
    },
    steep: {
      ...every,
      input: 0,
      decimals: 6,
      scale: { raw: [4000, 100], value: [-7.25, 911.125] },
    },
    "median-3": { ...every, input: 1, scale: straight, median: 3 },
    "median-5": { ...every, input: 1, scale: straight, median: 5 },
    smooth: { ...every, input: 1, decimals: 3, scale: straight, ema: 0.07 },
    quiet: { ...every, input: 2, scale: straight, deadband: 10, heartbeatMs: 500 },
    slow: { ...every, input: 2, scale: straight, everyMs: 70 },
    guarded: {
      ...every,
      input: 3,
      scale: straight,
      valid: [100, 4000],
      belowCause: "open-wire",
      alarms: {
        high: { above: 1000, hysteresis: 50, delayMs: 100 },
        low: { below: 500 },
      },
    },
    absent: { ...every, input: 9, scale: straight },
  },
});
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

function start(nowUs = 0): LoopHost {
  const host = createLoopHost(module);
  host.nowUs = nowUs;
  host.adc = [2000, 2000, 2000, 2000];
  host.init();
  return host;
}

function step(host: LoopHost, ticks = 1): void {
  for (let i = 0; i < ticks; i++) host.tick(host.nowUs + TICK_US);
}

function readings(host: LoopHost, channel: number) {
  return host.records.filter((r) => r.kind === KIND_READING && r.channel === channel);
}

function events(host: LoopHost, channel: number) {
  return host.records
    .filter((r) => r.kind === KIND_EVENT && r.channel === channel)
    .map(({ alarm, active, value, timeUs }) => ({ alarm, active, value, timeUs }));
}

// A fixed walk with jumps, 0..4095.
function walk(length: number): number[] {
  let state = 12345;
  let at = 2000;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    at += ((state >>> 16) % 201) - 100 + (state >>> 24 === 7 ? 900 : 0);
    at = Math.max(0, Math.min(4095, at));
    return at;
  });
}

test("every raw count becomes the value of the line, to half a step and 1/65536", () => {
  const host = start();
  for (let raw = 0; raw <= 4095; raw++) {
    host.adc[0] = raw;
    step(host);
  }
  const plain = readings(host, PLAIN!);
  const steep = readings(host, STEEP!);
  let worst = 0;
  for (let raw = 0; raw <= 4095; raw++) {
    const wanted = (911.125 + 7.25) * ((raw - 4000) / (100 - 4000)) * 1e6 - 7.25e6;
    worst = Math.max(worst, Math.abs(steep[raw]!.value! - wanted));
    if (raw < 20 || raw > 4075) continue;
    const degrees = -50 + (400 * raw) / 4095;
    worst = Math.max(worst, Math.abs(plain[raw]!.value! - degrees * 100));
    assert.equal(plain[raw]!.type, TYPE_I32);
  }
  assert.ok(worst <= 0.5 + 2 / 65_536, `${worst} steps off`);
  assert.equal(steep[4000]!.value, -7_250_000);
  assert.equal(steep[100]!.value, 911_125_000);
});

test("a count outside the valid range is its cause and carries no number", () => {
  const host = start();
  for (const raw of [19, 20, 4075, 4076, -1]) {
    host.adc[0] = raw;
    step(host);
  }
  assert.deepEqual(
    readings(host, PLAIN!).map(({ quality, cause }) => [quality, cause]),
    [
      [QUALITY_BAD, CAUSE_UNDER_RANGE],
      [QUALITY_GOOD, 0],
      [QUALITY_GOOD, 0],
      [QUALITY_BAD, CAUSE_OPEN_WIRE],
      [QUALITY_BAD, CAUSE_NO_INPUT],
    ],
  );
  assert.deepEqual(
    readings(host, PLAIN!).map(({ value }) => value === null),
    [true, false, false, true, true],
  );
  host.adc[3] = 99;
  step(host);
  host.adc[3] = 4001;
  step(host);
  assert.deepEqual(
    readings(host, GUARDED!)
      .slice(-2)
      .map(({ cause }) => cause),
    [CAUSE_OPEN_WIRE, CAUSE_OVER_RANGE],
  );
  assert.equal(readings(host, ABSENT!)[0]!.cause, CAUSE_NO_INPUT);
});

test("median and moving average follow the f64 model", () => {
  const samples = walk(5000);
  const host = start();
  for (const raw of samples) {
    host.adc[1] = raw;
    step(host);
  }
  const values = (channel: number) => readings(host, channel).map(({ value }) => value!);
  const middle = (i: number, n: number): number =>
    Array.from({ length: n }, (_, k) => samples[Math.max(0, i - k)]!).sort((a, b) => a - b)[
      n >> 1
    ]!;
  const indices = samples.map((_, i) => i);
  assert.deepEqual(
    values(MEDIAN3!),
    indices.map((i) => middle(i, 3)),
  );
  assert.deepEqual(
    values(MEDIAN5!),
    indices.map((i) => middle(i, 5)),
  );

  // Absolute: one step, against the weight as tabled. Relative: 1/5000 of the span, against 0.07 itself.
  const models = [Math.round(0.07 * 65_536) / 65_536, 0.07].map((weight) => {
    let average = samples[0]! * 1000;
    return samples.map((raw) => (average += weight * (raw * 1000 - average)));
  });
  const worst = models.map((model) =>
    Math.max(...values(SMOOTH!).map((value, i) => Math.abs(value - model[i]!))),
  );
  assert.ok(worst[0]! <= 1, `${worst[0]} steps off the tabled weight`);
  assert.ok(worst[1]! <= 4_095_000 / 5000, `${worst[1]} steps off the exact weight`);
});

test("the average settles on a constant input to the last step", () => {
  const host = start();
  host.adc[1] = 0;
  step(host, 1);
  host.adc[1] = 4095;
  step(host, 500);
  assert.equal(readings(host, SMOOTH!).at(-1)!.value, 4_095_000);
});

test("a bad sample empties the filters: the next value is the next sample", () => {
  const host = start();
  step(host, 10);
  host.adc[1] = -1;
  step(host);
  host.adc[1] = 100;
  step(host);
  for (const channel of [MEDIAN3!, MEDIAN5!])
    assert.equal(readings(host, channel).at(-1)!.value, 100);
  assert.equal(readings(host, SMOOTH!).at(-1)!.value, 100_000);
});

test("with a dead band only a move, a heartbeat and a change of quality are told", () => {
  const host = start();
  const told = () => readings(host, QUIET!).map(({ value, cause }) => value ?? -cause);
  step(host);
  host.adc[2] = 2010; // exactly the dead band: not more than it
  step(host, 10);
  assert.deepEqual(told(), [2000]);
  host.adc[2] = 2011;
  step(host, 10);
  assert.deepEqual(told(), [2000, 2011]);
  host.adc[2] = 2001; // the band is around the value last told
  step(host, 10);
  assert.deepEqual(told(), [2000, 2011]);
  step(host, 41); // 500 ms after the last one
  assert.deepEqual(told(), [2000, 2011, 2001]);
  host.adc[2] = -1;
  step(host, 10);
  assert.deepEqual(told(), [2000, 2011, 2001, -CAUSE_NO_INPUT]);
  step(host, 50); // bad is repeated by the heartbeat as well
  assert.deepEqual(told().length, 5);
  host.adc[2] = 2001;
  step(host, 2);
  assert.deepEqual(told().at(-1), 2001);
});

test("a channel is sampled at its period, first in the first tick", () => {
  const host = start();
  step(host, 30);
  const times = readings(host, SLOW!).map(({ timeUs }) => timeUs / TICK_US);
  assert.deepEqual(times, [1, 8, 15, 22, 29]);
});

test("an alarm waits for its delay, holds through its hysteresis, one event a change", () => {
  const host = start();
  const sample = (raw: number, ticks = 1): void => {
    host.adc[3] = raw;
    step(host, ticks);
  };
  sample(1000, 20); // the limit itself is not above it
  sample(1001, 10); // 90 ms above: not yet
  sample(1000, 1); // and back: the delay starts anew
  assert.deepEqual(events(host, GUARDED!), []);
  const raisedAt = host.nowUs + 11 * TICK_US;
  sample(1200, 30);
  assert.deepEqual(events(host, GUARDED!), [
    { alarm: 0, active: 1, value: 1200, timeUs: raisedAt },
  ]);
  sample(951, 30);
  assert.equal(events(host, GUARDED!).length, 1);
  sample(950, 30);
  assert.deepEqual(
    events(host, GUARDED!)
      .slice(1)
      .map(({ active, value }) => [active, value]),
    [[0, 950]],
  );
  sample(499);
  sample(500);
  assert.deepEqual(
    events(host, GUARDED!)
      .slice(2)
      .map(({ alarm, active, value }) => [alarm, active, value]),
    [
      [1, 1, 499],
      [1, 0, 500],
    ],
  );
});

test("a bad sample neither raises nor ends an alarm, and starts its delay anew", () => {
  const host = start();
  host.adc[3] = 450;
  step(host);
  host.adc[3] = 4050;
  step(host, 50);
  assert.deepEqual(
    events(host, GUARDED!).map(({ alarm, active }) => [alarm, active]),
    [[1, 1]],
  );
  host.adc[3] = 1500;
  step(host, 10);
  host.adc[3] = 50;
  step(host);
  host.adc[3] = 1500;
  step(host, 10);
  assert.deepEqual(
    events(host, GUARDED!).map(({ alarm, active }) => [alarm, active]),
    [
      [1, 1],
      [1, 0],
    ],
  );
  step(host);
  assert.equal(events(host, GUARDED!).length, 3);
});

test("what a full ring refuses is told as soon as there is room, alarms included", () => {
  const host = start();
  step(host);
  host.ringFull = true;
  host.adc[2] = 3000;
  host.adc[3] = 450;
  step(host, 5);
  host.ringFull = false;
  const before = host.records.length;
  step(host);
  const after = host.records.slice(before);
  assert.ok(
    after.some((r) => r.channel === QUIET && r.value === 3000),
    "the reading",
  );
  assert.ok(
    after.some((r) => r.kind === KIND_EVENT && r.channel === GUARDED && r.alarm === 1),
    "the alarm",
  );
  step(host);
  assert.equal(events(host, GUARDED!).length, 1);
});

test("the clock of the host may wrap: heartbeats and delays go on", () => {
  const host = start(2 ** 32 - 300_000);
  step(host, 200); // 2 s, across the wrap
  const heartbeats = readings(host, QUIET!).map(({ timeUs }) => timeUs);
  assert.equal(heartbeats.length, 4);
  assert.deepEqual(
    heartbeats.slice(1).map((timeUs, i) => (timeUs - heartbeats[i]!) >>> 0),
    [500_000, 500_000, 500_000],
  );
});
