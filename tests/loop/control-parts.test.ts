// SPDX-License-Identifier: MIT
// Goal: ramp, sequence, interlock and hysteresis work in a built module.
// Method: a small batch plant as loop.ts is ticked; the test turns its inputs and reads what was told.

import assert from "node:assert/strict";
import test from "node:test";
import { KIND_EVENT, KIND_READING } from "../../firmware/wire/record.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";

const TICK_US = 10_000;
const [LEVEL, GUARD, RESET, TARGET] = [0, 1, 2, 3]; // inputs
const [RAMP, STEP, TRIPPED] = [4, 5, 6]; // channels
const [FILL, STIR] = [7, 8]; // pins

const input = (number: number) => ({
  kind: "analog",
  input: number,
  everyMs: 10,
  decimals: 0,
  scale: { raw: [0, 4095], value: [0, 4095] },
});
const node = parseNode({
  type: "batch",
  channels: {
    level: input(LEVEL),
    guard: input(GUARD),
    reset: input(RESET),
    target: input(TARGET),
    ramp: { kind: "computed", decimals: 0 },
    step: { kind: "computed", decimals: 0 },
    tripped: {
      kind: "computed",
      decimals: 0,
      deadband: 0,
      alarms: {
        open: { above: -1, hysteresis: 0, delayMs: 20 },
        stays: { above: -1, hysteresis: 0, latch: true },
      },
    },
  },
  outputs: {
    fill: { kind: "digital", pin: FILL, safe: 0 },
    stir: { kind: "digital", pin: STIR, safe: 0 },
  },
});

// Fills between 1,000 and 2,000; stirs for 50 ms from the first filling on, then rests; 3 steps a second.
const CODE = `
import { enter, firstFailed, hysteresis, interlock, isOn, isPermitted } from "ferrule/loop";
import { leaveAfter, ramp, rampFrom, rampTo, report, requireThat } from "ferrule/loop";
import { resetInterlock, sequence, stepMs, turn, value } from "ferrule/loop";
import { FILL_OUTPUT, GUARD, LEVEL, RAMP, RESET, STEP } from "ferrule/node";
import { STIR_OUTPUT, TARGET, TRIPPED } from "ferrule/node";

const REST = 0;
const STIRRING = 1;
const DONE = 2;
const slope = ramp();
const batch = sequence();
const safety = interlock();

export function decide(): void {
  requireThat(safety, 0, value(LEVEL) < 4000);
  requireThat(safety, 1, value(GUARD) > 0);
  if (value(RESET) > 0) resetInterlock(safety);
  const isFull = hysteresis(!isOn(FILL_OUTPUT), value(LEVEL), 1000, 2000);
  turn(FILL_OUTPUT, isPermitted(safety) && !isFull);
  if (batch.step == REST && isOn(FILL_OUTPUT)) enter(batch, STIRRING);
  if (leaveAfter(batch, STIRRING, 50, DONE)) rampFrom(slope, 0);
  turn(STIR_OUTPUT, batch.step == STIRRING && stepMs(batch) < 50);
  report(RAMP, rampTo(slope, value(TARGET), 10800));
  report(STEP, batch.step);
  report(TRIPPED, firstFailed(safety));
}
`;
const module = new WebAssembly.Module((await buildLoop(node, CODE)) as BufferSource);

function start(adc: number[]): LoopHost {
  const host = createLoopHost(module);
  host.adc = adc;
  host.init();
  return host;
}

function run(host: LoopHost, ticks: number): void {
  for (let i = 0; i < ticks; i++) host.tick(host.nowUs + TICK_US);
}

const told = (host: LoopHost, channel: number) =>
  host.records.filter((r) => r.kind === KIND_READING && r.channel === channel).map((r) => r.value);
const events = (host: LoopHost) =>
  host.records.filter((r) => r.kind === KIND_EVENT).map((r) => [r.channel, r.alarm, r.active]);

test("a ramp starts at its target and then follows with the tick's clock", () => {
  const host = start([1500, 1, 0, 100]);
  run(host, 1);
  assert.deepEqual(told(host, RAMP), [100]);
  host.adc[TARGET] = 200;
  run(host, 100); // 3 steps a second
  assert.equal(told(host, RAMP).at(-1), 103);
  host.adc[TARGET] = 101;
  run(host, 100);
  assert.equal(told(host, RAMP).at(-1), 101);
});

test("a sequence leaves a step after its time, in the tick in which it is over", () => {
  const host = start([500, 1, 0, 100]);
  run(host, 5);
  assert.equal(host.levels.get(STIR), 1);
  run(host, 1);
  assert.equal(host.levels.get(STIR), 0);
  run(host, 4);
  assert.deepEqual(told(host, STEP), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  assert.equal(told(host, RAMP).at(-1), 0, "the ramp went on from 0");
});

test("an output follows its hysteresis, and an interlock holds it off until a reset", () => {
  const host = start([1500, 1, 0, 0]);
  const fills = (level: number, guard = 1, reset = 0) => {
    host.adc = [level, guard, reset, 0];
    run(host, 1);
    return host.levels.get(FILL);
  };
  // Off at the start, as if it had been full.
  assert.deepEqual(
    [1500, 1001, 1000, 1999, 2000, 1001].map((level) => fills(level)),
    [0, 0, 1, 1, 0, 0],
  );
  assert.equal(fills(900), 1);
  assert.equal(fills(900, 0), 0, "the guard is open");
  assert.equal(fills(900, 1), 0, "closing it is no reset");
  assert.equal(fills(900, 0, 1), 0, "no reset while it is open");
  assert.equal(fills(900, 1, 1), 1);
  assert.deepEqual(told(host, TRIPPED), [-1, 1, -1]);
});

test("alarms of a computed channel are raised after their delay, and a latching one stays", () => {
  const host = start([900, 1, 0, 0]);
  run(host, 5);
  host.adc[GUARD] = 0;
  run(host, 1);
  assert.deepEqual(events(host), [[TRIPPED, 1, 1]]);
  run(host, 2);
  assert.deepEqual(events(host).slice(1), [[TRIPPED, 0, 1]]);
  host.adc[GUARD] = 1;
  host.adc[RESET] = 1;
  run(host, 5);
  assert.deepEqual(events(host).slice(2), [[TRIPPED, 0, 0]]);
});

test("parts beyond their memory, and a condition that has no number, trap", async () => {
  const build = async (line: string): Promise<LoopHost> => {
    const code = `import { interlock, ramp, requireThat } from "ferrule/loop";
export function decide(): void { ${line} }
`;
    const host = createLoopHost(
      new WebAssembly.Module((await buildLoop(node, code)) as BufferSource),
    );
    host.init();
    return host;
  };
  const many = await build("ramp();");
  run(many, 64); // of 16 octets
  assert.throws(() => run(many, 1), WebAssembly.RuntimeError);
  const wrong = await build("requireThat(interlock(), 32, true);");
  assert.throws(() => run(wrong, 1), WebAssembly.RuntimeError);
});
