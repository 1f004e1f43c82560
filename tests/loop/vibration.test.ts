// SPDX-License-Identifier: MIT
// Goal: a burst becomes features over many ticks; what is lost is no number.
// Method: a release module takes bursts that the test makes; the press runs on the simulated one.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { BURST_SAMPLES_PER_TICK } from "../../firmware/limits.ts";
import { CAUSE_NO_INPUT, CAUSE_OVER_RANGE, KIND_READING } from "../../firmware/wire/record.ts";
import { createAccelerometer } from "../../host-sim/accelerometer.ts";
import { createPress } from "../../host-sim/devices/press.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { valuePeriodMs } from "../../scripts/build/periods.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";

const TICK_US = 10_000;
const RATE_HZ = 3200;
const SAMPLES = 2048;
const G = 9.80665;
const RANGE_G = 16;
const [VELOCITY, ACCELERATION, PEAK, CREST, KURTOSIS, OTHER] = [0, 1, 2, 3, 4, 5];

const feature = (name: string, decimals: number, accelerometer = "spindle") => ({
  kind: "vibration",
  accelerometer,
  feature: name,
  decimals,
});
const node = parseNode({
  type: "vibration",
  accelerometers: {
    spindle: { device: 2, rateHz: RATE_HZ, samples: SAMPLES, rangeG: RANGE_G, everyMs: 2000 },
    other: { device: 0, rateHz: 400, samples: 256, rangeG: 2, everyMs: 1000 },
  },
  channels: {
    velocity: feature("velocity-rms", 6),
    acceleration: feature("acceleration-rms", 3),
    peak: feature("peak", 3),
    crest: feature("crest", 3),
    kurtosis: feature("kurtosis", 3),
    other: feature("acceleration-rms", 2, "other"),
  },
});
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

// A device whose samples come in time; what is not taken waits, as in its FIFO.
function createDevice(host: LoopHost, signal: (seconds: number) => number, rateHz = RATE_HZ) {
  const perUnit = 32_768 / (RANGE_G * G);
  const device = { next: 0, lose: false, silent: false, most: 0 };
  const take = (capacity: number): Int16Array | null => {
    device.most = Math.max(device.most, capacity);
    if (device.silent) return new Int16Array(0);
    if (device.lose) {
      device.lose = false;
      device.next += 100;
      return null;
    }
    const ready = Math.floor((host.nowUs / 1e6) * rateHz) - device.next;
    const taken = Int16Array.from({ length: Math.min(ready, capacity) }, () =>
      Math.max(-32_768, Math.min(32_767, Math.round(signal(device.next++ / rateHz) * perUnit))),
    );
    return taken;
  };
  return { device, take };
}

const sine = (hz: number, peak: number) => (s: number) => peak * Math.sin(2 * Math.PI * hz * s);

function start(signal: (seconds: number) => number) {
  const host = createLoopHost(module);
  const { device, take } = createDevice(host, signal);
  host.bursts.set(2, take);
  host.init();
  return { host, device };
}

function run(host: LoopHost, ms: number): void {
  for (let i = 0; i < ms / 10; i++) host.tick(host.nowUs + TICK_US);
}

const readings = (host: LoopHost, channel: number) =>
  host.records.filter((r) => r.kind === KIND_READING && r.channel === channel);
const last = (host: LoopHost, channel: number) => readings(host, channel).at(-1)!;

test("the features of a sine are those of the textbook", () => {
  const [hz, peak] = [163, 20]; // no whole number of samples: some come near the peak
  const { host, device } = start(sine(hz, peak));
  run(host, 1000);
  const near = (channel: number, wanted: number, relative: number): void => {
    const { value } = last(host, channel);
    assert.ok(Math.abs(value! / wanted - 1) < relative, `${channel}: ${value}, wanted ${wanted}`);
  };
  near(VELOCITY, (peak / Math.SQRT2 / (2 * Math.PI * hz)) * 1e6, 0.02);
  near(ACCELERATION, (peak / Math.SQRT2) * 1000, 0.01);
  near(PEAK, peak * 1000, 0.01);
  near(CREST, Math.SQRT2 * 1000, 0.01);
  near(KURTOSIS, 1500, 0.02);
  assert.ok(device.most <= BURST_SAMPLES_PER_TICK, `${device.most} samples in a tick`);
});

test("a burst is due at its period, and all features of it come in one tick", () => {
  const { host } = start(sine(100, 5));
  run(host, 9000);
  const times = [VELOCITY, ACCELERATION, PEAK, CREST, KURTOSIS].map((channel) =>
    readings(host, channel).map(({ timeUs }) => timeUs / 1000),
  );
  assert.equal(new Set(times.map(String)).size, 1);
  // 960 samples to settle and 2,048 take 940 ms; what waited meanwhile is taken twice as fast.
  assert.equal(times[0]!.length, 5);
  assert.equal(times[0]![0], 950);
  for (const [i, at] of times[0]!.slice(1).entries())
    assert.ok(at > 2000 * (i + 1) && at <= 2000 * (i + 1) + 1000, `${at}`);
});

test("bursts are as far apart as the birth says, also where they follow each other", async () => {
  for (const everyMs of [2000, 100]) {
    const bursts = parseNode({
      type: "bursts",
      accelerometers: { one: { device: 2, rateHz: RATE_HZ, rangeG: RANGE_G, everyMs } },
      channels: { peak: feature("peak", 3, "one") },
    });
    const host = createLoopHost(await buildLoop(bursts));
    host.bursts.set(2, createDevice(host, sine(100, 5)).take);
    host.init();
    run(host, 20_000);
    const times = readings(host, 0).map(({ timeUs }) => timeUs / 1000);
    const meanMs = (times.at(-1)! - times[1]!) / (times.length - 2);
    const wantedMs = valuePeriodMs(bursts.channels["peak"]!, bursts);
    assert.ok(Math.abs(meanMs - wantedMs) < 5, `${meanMs} ms, the birth says ${wantedMs}`);
  }
});

test("when samples were lost the burst starts again: no feature spans the gap", () => {
  const { host, device } = start(sine(100, 5));
  run(host, 700);
  device.lose = true;
  run(host, 900);
  assert.equal(readings(host, VELOCITY).length, 0);
  run(host, 200);
  const rms = last(host, ACCELERATION).value!;
  assert.ok(Math.abs(rms / (5000 / Math.SQRT2) - 1) < 0.01, `${rms}`);
});

test("a silent device is bad after a second and heard again at the next burst", () => {
  const { host, device } = start(sine(100, 5));
  device.silent = true;
  run(host, 1000);
  assert.equal(readings(host, VELOCITY).length, 0);
  run(host, 10);
  assert.deepEqual(
    [VELOCITY, KURTOSIS].map((channel) => last(host, channel).cause),
    [CAUSE_NO_INPUT, CAUSE_NO_INPUT],
  );
  assert.equal(last(host, OTHER).cause, CAUSE_NO_INPUT); // no such device
  device.silent = false;
  run(host, 2500);
  assert.equal(last(host, VELOCITY).cause, 0);
});

test("samples at the end of the range give a cause, not a number", () => {
  const { host } = start(sine(100, 17 * G));
  run(host, 1000);
  for (const channel of [VELOCITY, PEAK]) {
    const { cause, value } = last(host, channel);
    assert.deepEqual([cause, value], [CAUSE_OVER_RANGE, null]);
  }
});

test("an accelerometer that is not there, shared or too fast is refused with its field", () => {
  const spindle = { device: 0, rateHz: 3200, rangeG: 16 };
  const refused = (more: object): string[] => {
    const read = nodeSchema.safeParse({
      type: "t",
      channels: { v: feature("peak", 2) },
      accelerometers: { spindle },
      ...more,
    });
    return read.success ? [] : read.error.issues.map((i) => `${i.path.join(".")}: ${i.message}`);
  };
  assert.deepEqual(refused({}), []);
  assert.deepEqual(refused({ accelerometers: {} }), [
    'channels.v.accelerometer: there is no accelerometer "spindle"',
  ]);
  assert.deepEqual(refused({ accelerometers: { spindle, b: spindle } }), [
    'accelerometers.b.device: "spindle" reads this device',
  ]);
  assert.deepEqual(refused({ periodMs: 25 }), [
    "accelerometers.spindle.rateHz: at most 2560 at a period of 25 ms",
  ]);
});

const PRESS_TICKS = 30_000; // five minutes: a few batches and a stop
const FOLDER = join(import.meta.dirname, "../../firmware/nodes/press");
const pressNode = parseNode(JSON.parse(readFileSync(join(FOLDER, "node.json"), "utf8")));
const press = new WebAssembly.Module((await buildLoop(pressNode)) as BufferSource);

test("the press node counts the parts, follows the state and hears the bearing", () => {
  const host = createLoopHost(press);
  const machine = createPress(createPrng(3));
  const plan = { device: 0, rateHz: RATE_HZ, rangeG: RANGE_G };
  const accelerometer = createAccelerometer(plan, machine.vibration!);
  accelerometer.start(0);
  host.bursts.set(0, (capacity) => {
    const bytes = new Uint8Array(2 * capacity);
    const count = accelerometer.take(host.nowUs, bytes, 0, capacity);
    return count < 0 ? null : new Int16Array(bytes.buffer, 0, count);
  });
  Object.defineProperty(host.adc, 0, { get: () => machine.adc!(0) });
  host.init();
  const channel = (name: string) => Object.keys(pressNode.channels).indexOf(name);
  const noTaps = () => undefined;
  const states = ["stopped", "idle", "run", "fault"];
  const latest = new Map<number, number | null>();
  const seen = new Set<string>();
  let agreed = 0;
  for (let i = 0; i < PRESS_TICKS; i++) {
    machine.advance(host.nowUs + TICK_US, noTaps);
    host.digital = [0, 1, 2].map((pin) => machine.digital!(pin));
    host.pulses = [0, 1].map((input) => machine.pulses!(input));
    host.tick(host.nowUs + TICK_US);
    for (const r of host.records.splice(0))
      if (r.kind === KIND_READING) latest.set(r.channel, r.value);
    seen.add(machine.state());
    if (states[latest.get(channel("state"))!] === machine.state()) agreed++;
  }
  assert.ok(seen.size >= 3, [...seen].join());
  assert.ok(agreed > 0.98 * PRESS_TICKS, `${agreed} of ${PRESS_TICKS}`);
  assert.equal(latest.size, Object.keys(pressNode.channels).length, "every channel has a value");
  assert.ok(machine.pulses!(0) > 50);
  assert.ok(machine.pulses!(0) - latest.get(channel("parts"))! <= 1);
  assert.ok(latest.get(channel("bearing-velocity"))! > 0);
});
