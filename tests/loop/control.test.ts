// SPDX-License-Identifier: MIT
// Goal: outputs keep their limits, the controller its law, the oven its setpoint.
// Method: release modules with small loop.ts texts are ticked; duties are compared with a model in f64.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import { KIND_READING, QUALITY_BAD } from "../../firmware/wire/record.ts";

const TICK_US = 10_000;
const OVEN = join(import.meta.dirname, "../../firmware/nodes/oven");

const straight = {
  kind: "analog",
  everyMs: 10,
  decimals: 0,
  scale: { raw: [0, 4095], value: [0, 4095] },
};
const node = parseNode({
  type: "control",
  channels: {
    setpoint: { ...straight, input: 0 },
    measured: { ...straight, input: 1 },
    mode: { ...straight, input: 2 },
    duty: { kind: "computed", decimals: 4 },
  },
  outputs: {
    valve: { output: 3, min: 0.05, max: 0.9, safe: 0.5 },
    other: { output: 4, safe: 1 },
  },
});

// Modes: 0 by hand, 1 controlled, 2 safe, 3 far beyond the limits, 4 no value.
const CODE = `
import { control, drive, driveSafe, duty, pid } from "ferrule/loop";
import { release, report, reportBad, value } from "ferrule/loop";
import { DUTY, MEASURED, MODE, OTHER_OUTPUT, SETPOINT, VALVE_OUTPUT } from "ferrule/node";
const valve = pid(2000, 500, 300);
export function decide(): void {
  const mode = value(MODE);
  if (mode != 1) release(valve);
  if (mode == 0) drive(VALVE_OUTPUT, value(SETPOINT));
  if (mode == 1) control(valve, VALVE_OUTPUT, value(SETPOINT), value(MEASURED));
  if (mode == 2) driveSafe(VALVE_OUTPUT);
  if (mode == 3) drive(VALVE_OUTPUT, 2147483647);
  if (mode == 4) reportBad(DUTY, 1);
  else report(DUTY, duty(VALVE_OUTPUT));
  if (mode == 3) drive(OTHER_OUTPUT, -2147483648);
}
`;
const module = new WebAssembly.Module((await buildLoop(node, CODE)) as BufferSource);
const GAINS = { kp: 2, ki: 0.5, kd: 0.3, min: 500, max: 9000 };

function start(): LoopHost {
  const host = createLoopHost(module);
  host.adc = [0, 0, 0];
  host.init();
  return host;
}

function step(host: LoopHost, setpoint: number, measured: number, mode: number): number {
  host.adc = [setpoint, measured, mode];
  host.tick(host.nowUs + TICK_US);
  return host.records.findLast((r) => r.kind === KIND_READING && r.channel === 3)!.value!;
}

// The controller in f64: proportional to the error, derivative on the measurement, integral within the
// limits of the output.
function createModel(g: typeof GAINS) {
  const within = (value: number) => Math.min(Math.max(value, g.min), g.max);
  let integral = 0;
  let before = 0;
  let target = 0;
  return {
    start(setpoint: number, measured: number, duty: number) {
      target = setpoint;
      integral = within(duty - g.kp * (setpoint - measured));
      before = measured;
    },
    step(setpoint: number, measured: number, seconds: number) {
      integral = within(integral - g.kp * (setpoint - target)); // a new setpoint gives no bump
      target = setpoint;
      const error = setpoint - measured;
      const slope = seconds > 0 ? (measured - before) / seconds : 0;
      const direct = g.kp * error - g.kd * slope;
      // Anti-windup: what would push the output beyond a limit is cut off, but never turned back.
      const grown = integral + g.ki * error * seconds;
      const up = Math.max(integral, Math.min(grown, g.max - direct));
      const down = Math.min(integral, Math.max(grown, g.min - direct));
      integral = within(grown > integral ? up : down);
      before = measured;
      return within(direct + integral);
    },
  };
}

test("before anything is asked for, every output has its safe value", () => {
  const host = start();
  assert.deepEqual(
    [...host.duties],
    [
      [3, 32_768],
      [4, 65_535],
    ],
  );
});

test("a duty is clamped to its limits; the safe value is not", () => {
  const host = start();
  assert.equal(step(host, 4000, 0, 0), 4000);
  assert.equal(host.duties.get(3), Math.round(0.4 * 65_535));
  assert.equal(step(host, 100, 0, 0), 500);
  assert.equal(step(host, 0, 0, 3), 9000);
  assert.equal(host.duties.get(3), Math.round(0.9 * 65_535));
  assert.equal(host.duties.get(4), 0);
  assert.equal(step(host, 0, 0, 2), 5000);
});

test("the controller follows the f64 model to one step of 1/10,000", () => {
  const host = start();
  const model = createModel(GAINS);
  let state = 99;
  let measured = 1000;
  let worst = 0;
  for (let i = 0; i < 20_000; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const setpoint = i % 4000 < 2000 ? 1500 : 2800;
    measured = Math.max(
      0,
      Math.min(4095, measured + ((state >>> 20) % 41) - 20 + (setpoint > measured ? 2 : -2)),
    );
    if (i === 0) model.start(setpoint, measured, 5000);
    const duty = step(host, setpoint, measured, 1);
    worst = Math.max(worst, Math.abs(duty - model.step(setpoint, measured, i === 0 ? 0 : 0.01)));
  }
  assert.ok(worst <= 1, `${worst} steps off`);
});

test("taking over by the controller gives no bump", () => {
  const host = start();
  for (const duty of [1000, 3000, 4000]) {
    step(host, duty, 0, 0);
    assert.equal(step(host, 2000, 1950, 1), duty);
  }
});

test("after an hour at the limit the controller leaves it as soon as the error turns", () => {
  const host = start();
  step(host, 4000, 0, 1);
  for (let i = 0; i < 60; i++) {
    host.nowUs += 60_000_000;
    assert.equal(step(host, 4000, 0, 1), 9000);
  }
  step(host, 4000, 4010, 1); // the derivative of the jump
  const left = step(host, 4000, 4010, 1);
  assert.ok(left < 9000, `${left}`);
});

test("a computed channel without a value is bad with its cause", () => {
  const host = start();
  step(host, 0, 0, 4);
  const [record] = host.records.filter((r) => r.channel === 3);
  assert.deepEqual([record!.quality, record!.cause, record!.value], [QUALITY_BAD, 1, null]);
});

const WRONGS = [
  ["a channel that is not there", "value(4)"],
  ["a negative channel", "quality(-1)"],
  ["an output that is not there", "drive(2, 0)"],
  ["a report on an analog channel", "report(0, 1)"],
  ["a gain beyond its bound", "pid(1 << 21, 0, 0)"],
  ["more controllers than there is memory for", "for (let i = 0; i < 22; i++) pid(1, 0, 0)"],
];
const WRONG_CODE = `
import { drive, pid, quality, report, value } from "ferrule/loop";
export function decide(): void {
${WRONGS.map(([, code], i) => `  if (value(2) == ${i}) { ${code}; }`).join("\n")}
}
`;

test("what would give a wrong value traps instead", async () => {
  const wrong = new WebAssembly.Module((await buildLoop(node, WRONG_CODE)) as BufferSource);
  const tick = (mode: number) => {
    const host = createLoopHost(wrong);
    host.adc = [0, 0, mode];
    host.init();
    host.tick(TICK_US);
  };
  WRONGS.forEach(([what], i) => {
    assert.throws(() => tick(i), WebAssembly.RuntimeError, what);
  });
  tick(WRONGS.length);
});

const oven = parseNode(JSON.parse(readFileSync(join(OVEN, "node.json"), "utf8")));
const ovenModule = new WebAssembly.Module(
  (await buildLoop(oven, readFileSync(join(OVEN, "loop.ts"), "utf8"))) as BufferSource,
);

// A first-order oven: 2.4 kW, 400 J/K, 5 W/K to a room of 22 Cel. Gives the duty of each tick.
function runOven(
  ringFull: boolean,
  seconds: number,
  wire = (_second: number) => true,
  target = 1800,
) {
  const host = createLoopHost(ovenModule);
  let degrees = 22;
  const duties: number[] = [];
  host.ringFull = ringFull;
  host.init();
  host.command({ setpoint: 0, request: 1, mantissa: target });
  for (let i = 0; i < seconds * 100; i++) {
    const count = Math.round(((degrees + 50) / 400) * 4095);
    host.adc[0] = wire(i / 100) ? count : 4095;
    host.tick(host.nowUs + TICK_US);
    const duty = host.duties.get(0)!;
    duties.push(duty);
    degrees += ((2400 * duty) / 65_535 - 5 * (degrees - 22)) / 400 / 100;
  }
  return { host, duties, degrees };
}

test("the oven reaches its setpoint within 3 K and holds it to half a kelvin", () => {
  const { host, degrees } = runOven(false, 300);
  const values = host.records.filter((r) => r.kind === KIND_READING && r.channel === 0);
  const highest = Math.max(...values.map(({ value }) => value!));
  assert.ok(highest < 18_300, `${highest}`);
  assert.ok(Math.abs(degrees - 180) < 0.5, `${degrees}`);
  const heater = host.records.filter((r) => r.kind === KIND_READING && r.channel === 1);
  const duty = heater.at(-1)!.value!;
  assert.ok(Math.abs(duty - 329) < 25, `${duty}`); // 790 W of 2.4 kW
});

test("a new target moves the duty of the oven without a jump, and is reached", () => {
  const { host, degrees: before } = runOven(false, 300);
  const settled = host.duties.get(0)!;
  host.adc[0] = Math.round(((before + 50) / 400) * 4095);
  host.command({ setpoint: 0, request: 1, mantissa: 1801 }); // 0.1 K more: 50 of 10,000 at once
  for (let i = 0; i < 10; i++) host.tick(host.nowUs + TICK_US);
  const moved = Math.abs(host.duties.get(0)! - settled) / 65_535;
  assert.ok(moved < 0.004, `${moved}`);
  assert.ok(Math.abs(runOven(false, 600, undefined, 2000).degrees - 200) < 0.5);
});

test("an open thermocouple switches the heater off, and a mended one on again", () => {
  const { duties } = runOven(false, 30, (second) => second < 10 || second >= 20);
  assert.notEqual(duties[995], 0);
  assert.deepEqual(new Set(duties.slice(1000 + 10, 1990)), new Set([0]));
  assert.notEqual(duties.at(-1), 0);
});

test("what is driven does not depend on whether anybody takes the records", () => {
  assert.deepEqual(runOven(true, 60).duties, runOven(false, 60).duties);
});
