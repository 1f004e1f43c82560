// SPDX-License-Identifier: MIT
// Goal: pins, counters, states and latching alarms do what node.json says.
// Method: a release module with one of each; levels and counts are set by the test, records are read.

import assert from "node:assert/strict";
import test from "node:test";
import {
  CAUSE_NO_INPUT,
  CAUSE_OPEN_WIRE,
  KIND_EVENT,
  KIND_READING,
  QUALITY_BAD,
  TYPE_U32,
} from "../../firmware/wire/record.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";

const TICK_US = 10_000;
const [GUARD, RAW, PARTS, LOAD, DOING] = [0, 1, 2, 3, 4];

const node = parseNode({
  type: "pins",
  channels: {
    guard: { kind: "digital", pin: 3, invert: true, debounceMs: 50 },
    raw: { kind: "digital", pin: 4, debounceMs: 0, heartbeatMs: 1000 },
    parts: { kind: "counter", input: 1, everyMs: 50, scale: 0.5, unit: "count", deadband: 1 },
    load: {
      kind: "analog",
      input: 0,
      everyMs: 10,
      decimals: 0,
      scale: { raw: [0, 4095], value: [0, 4095] },
      valid: [10, 4095],
      belowCause: "open-wire",
      deadband: 5000,
      alarms: {
        high: { above: 3000, hysteresis: 100, latch: true },
        warm: { above: 2500, hysteresis: 100 },
        low: { below: 100, latch: true },
      },
    },
    doing: {
      kind: "state",
      fault: { channel: "raw", equals: 1 },
      run: { channel: "load", above: 1000 },
      idle: { channel: "load", above: 200 },
      dwellMs: { run: 100, idle: 300, stopped: 500 },
    },
  },
  outputs: {
    lamp: { kind: "digital", pin: 7, safe: 1 },
    fan: { output: 2, safe: 0.25 },
    valve: { kind: "digital", pin: 0 },
  },
});

// The fourth ADC input chooses what node code does.
const CODE = `
import { drive, driveSafe, isOn, nowMs, resetAlarms, turn, value } from "ferrule/loop";
import { FAN_OUTPUT, GUARD, LAMP_OUTPUT, VALVE_OUTPUT } from "ferrule/node";
export function decide(): void {
  turn(VALVE_OUTPUT, value(GUARD) == 1);
  turn(LAMP_OUTPUT, isOn(VALVE_OUTPUT));
  drive(FAN_OUTPUT, 5000);
  if (nowMs() == 3000) resetAlarms();
  if (nowMs() == 4000) resetAlarms();
  if (nowMs() >= 5000) driveSafe(LAMP_OUTPUT);
  if (nowMs() == 6000) drive(LAMP_OUTPUT, 10000);
  if (nowMs() == 7000) turn(FAN_OUTPUT, true);
}
`;
const module = new WebAssembly.Module((await buildLoop(node, CODE)) as BufferSource);

function start(nowUs = 0): LoopHost {
  const host = createLoopHost(module);
  host.nowUs = nowUs;
  host.adc = [500];
  host.digital[3] = 1;
  host.digital[4] = 0;
  host.init();
  return host;
}

function step(host: LoopHost, ticks = 1): void {
  for (let i = 0; i < ticks; i++) host.tick(host.nowUs + TICK_US);
}

const readings = (host: LoopHost, channel: number) =>
  host.records.filter((r) => r.kind === KIND_READING && r.channel === channel);
const values = (host: LoopHost, channel: number) =>
  readings(host, channel).map(({ value, cause }) => value ?? -cause);

test("a pin counts when its level has lasted, inverted where asked", () => {
  const host = start();
  step(host, 10);
  assert.deepEqual(values(host, GUARD), [0]);
  for (const level of [0, 0, 0, 0, 1, 0, 0, 1]) {
    host.digital[3] = level;
    step(host);
  }
  assert.deepEqual(values(host, GUARD), [0]);
  host.digital[3] = 0;
  step(host, 5);
  assert.deepEqual(values(host, GUARD), [0]);
  step(host);
  assert.deepEqual(values(host, GUARD), [0, 1]);
});

test("without a debounce each tick counts; a change and a heartbeat are told, nothing else", () => {
  const host = start(2 ** 32 - 300_000);
  for (const level of [0, 1, 0, 1, 1]) {
    host.digital[4] = level;
    step(host);
  }
  assert.deepEqual(values(host, RAW), [0, 1, 0, 1]);
  step(host, 98);
  assert.equal(values(host, RAW).length, 4);
  step(host, 1);
  assert.deepEqual(values(host, RAW), [0, 1, 0, 1, 1]);
});

test("a pin that is not there is bad; once it is, its level counts at once", () => {
  const host = start();
  step(host);
  delete host.digital[3];
  step(host, 3);
  assert.deepEqual(values(host, GUARD), [0, -CAUSE_NO_INPUT]);
  assert.equal(readings(host, GUARD)[1]!.quality, QUALITY_BAD);
  host.digital[3] = 0;
  step(host);
  assert.deepEqual(values(host, GUARD), [0, -CAUSE_NO_INPUT, 1]);
});

test("a counter is read at its period as u32, across its wrap", () => {
  const host = start();
  host.pulses[1] = 2 ** 32 - 4;
  step(host, 5);
  for (const more of [2, 1, 4, 0, 100]) {
    host.pulses[1] = (host.pulses[1]! + more) % 2 ** 32;
    step(host, 5);
  }
  assert.ok(readings(host, PARTS).every(({ type }) => type === TYPE_U32));
  // A dead band of 1 is two pulses of 0.5: the first two moves are no more than that.
  const top = 2 ** 32;
  assert.deepEqual(values(host, PARTS), [top - 4, top - 1, 3, 103]);
  assert.deepEqual(
    readings(host, PARTS).map(({ timeUs }) => timeUs / TICK_US),
    [1, 11, 16, 26],
  );
});

test("the first true of fault, run, idle counts once it has lasted, else stopped", () => {
  const host = start();
  const load = (raw: number, ticks: number): void => {
    host.adc[0] = raw;
    step(host, ticks);
  };
  load(500, 5); // the first one counts at once
  assert.deepEqual(values(host, DOING), [1]);
  load(2000, 10);
  load(500, 1); // 100 ms of run were not over
  load(2000, 10);
  assert.deepEqual(values(host, DOING), [1]);
  load(2000, 1);
  assert.deepEqual(values(host, DOING), [1, 2]);
  load(150, 49); // stopped, but not for long enough
  load(500, 31); // idle for 300 ms
  assert.deepEqual(values(host, DOING), [1, 2, 1]);
  load(150, 50);
  assert.deepEqual(values(host, DOING), [1, 2, 1]);
  load(150, 1);
  assert.deepEqual(values(host, DOING), [1, 2, 1, 0]);
  host.digital[4] = 1; // no dwell for a fault, and it goes before run
  load(2000, 1);
  assert.deepEqual(values(host, DOING), [1, 2, 1, 0, 3]);
});

test("a state whose channel is bad is bad with its cause, unless what goes before is true", () => {
  const host = start();
  step(host, 3);
  host.adc[0] = 5;
  step(host, 3);
  assert.deepEqual(values(host, DOING), [1, -CAUSE_OPEN_WIRE]);
  host.digital[4] = 1;
  step(host, 1);
  assert.deepEqual(values(host, DOING).at(-1), 3);
  host.digital[4] = 0;
  step(host, 1);
  host.adc[0] = 3000;
  step(host, 1); // nobody knew what was before: run counts at once
  assert.deepEqual(values(host, DOING), [1, -CAUSE_OPEN_WIRE, 3, -CAUSE_OPEN_WIRE, 2]);
});

test("digital outputs start safe and follow node code", () => {
  const host = start();
  assert.deepEqual(
    [...host.levels],
    [
      [7, 1],
      [0, 0],
    ],
  );
  step(host);
  assert.deepEqual([host.levels.get(7), host.levels.get(0)], [0, 0]);
  host.digital[3] = 0;
  step(host, 6);
  assert.deepEqual([host.levels.get(7), host.levels.get(0)], [1, 1]);
  host.digital[3] = 1;
  step(host, 6);
  assert.deepEqual([host.levels.get(7), host.levels.get(0)], [0, 0]);
  step(host, 487);
  assert.equal(host.nowUs, 5_000_000);
  assert.equal(host.levels.get(7), 1, "its safe value");
  assert.equal(host.duties.get(2), 32_768);
});

test("a duty to a digital output, or a level to one of a duty, traps", () => {
  for (const seconds of [6, 7]) {
    const host = start((seconds - 1) * 1_000_000);
    host.nowUs = 0;
    host.init();
    step(host, 1);
    assert.throws(() => host.tick(seconds * 1_000_000), WebAssembly.RuntimeError);
  }
});

test("a latching alarm stays until it is reset with its value back", () => {
  const host = start();
  const load = (raw: number, untilMs: number): void => {
    host.adc[0] = raw;
    while (host.nowUs < untilMs * 1000) step(host);
  };
  const events = () =>
    host.records
      .filter((r) => r.kind === KIND_EVENT && r.channel === LOAD)
      .map(({ alarm, active, timeUs }) => [alarm, active, timeUs / 1000]);
  load(500, 1000);
  load(3500, 2000);
  load(500, 2500);
  load(3200, 3500); // reset while it is beyond its limit: it stays
  load(500, 4500); // reset once the value is back: it returns
  load(3200, 4600); // and may be raised again
  load(2000, 4800);
  assert.deepEqual(events(), [
    [0, 1, 1010],
    [1, 1, 1010],
    [1, 0, 2010],
    [1, 1, 2510],
    [1, 0, 3510],
    [0, 0, 4000],
    [0, 1, 4510],
    [1, 1, 4510],
    [1, 0, 4610],
  ]);
});
