// SPDX-License-Identifier: MIT
// The analog chain on the release module, against a model in f64.
// Method: counts set by the test go through a release module; an f64 model runs beside it.

import assert from "node:assert/strict";
import test from "node:test";
import { CAUSE_NO_INPUT, CAUSE_OVER_RANGE, KIND_READING } from "../../firmware/wire/record.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";

const TICK_US = 10_000;
const [FINE, ALL, THIN, SLOW, PLAIN] = [0, 1, 2, 3, 4];

const every = { kind: "analog", everyMs: 10, scale: { raw: [0, 4095], value: [0, 4095] } };
const node = parseNode({
  type: "chain",
  channels: {
    fine: { ...every, input: 0, decimals: 3, oversample: 64 },
    all: {
      ...every,
      input: 1,
      decimals: 3,
      median: 3,
      lowpassHz: 5,
      average: 8,
      ema: 0.25,
      decimate: 5,
      rateLimit: 2000,
    },
    thin: { ...every, input: 2, decimals: 0, decimate: 10, valid: [0, 4000] },
    slow: { ...every, input: 2, decimals: 2, rateLimit: 100, valid: [0, 4000] },
    plain: { ...every, input: 2, decimals: 0, valid: [0, 4000] },
  },
});
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

function start(): LoopHost {
  const host = createLoopHost(module);
  host.adc = [2000, 2000, 2000];
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

// Counts that an ADC input gives one after the other.
function sequence(host: LoopHost, input: number, counts: number[]): void {
  let next = 0;
  Object.defineProperty(host.adc, input, { get: () => counts[next++ % counts.length] });
}

test("the mean of 64 counts keeps its fraction", () => {
  const host = start();
  sequence(host, 0, [100, 101, 101, 101]);
  step(host, 3);
  assert.deepEqual(values(host, FINE), [100_750, 100_750, 100_750]);
  const top = start();
  top.adc[0] = 4095;
  step(top);
  assert.deepEqual(values(top, FINE), [4_095_000]);
});

test("each sample reads its counts in one tick, and stops at one that is no reading", () => {
  const host = start();
  step(host);
  assert.equal(host.adcReads, 64 + 4);
  const counts = Array<number>(64).fill(100);
  counts[10] = -1;
  sequence(host, 0, counts);
  step(host);
  assert.equal(host.adcReads, 64 + 4 + 11 + 4);
  assert.deepEqual(values(host, FINE), [2_000_000, -CAUSE_NO_INPUT]);
});

// Butterworth of second order, textbook form, with a start as if the input had come for ever.
function createLowpass(hz: number, sampleHz: number, first: number) {
  const k = Math.tan((Math.PI * hz) / sampleHz);
  const norm = 1 + Math.SQRT2 * k + k * k;
  const b = (k * k) / norm;
  const [a1, a2] = [(2 * (k * k - 1)) / norm, (1 - Math.SQRT2 * k + k * k) / norm];
  let [x1, x2, y1, y2] = [first, first, first, first];
  return (x: number): number => {
    const y = b * (x + 2 * x1 + x2) - a1 * y1 - a2 * y2;
    [x1, x2, y1, y2] = [x, x1, y, y1];
    return y;
  };
}

function model(samples: number[]): number[] {
  const lowpass = createLowpass(5, 100, samples[0]!);
  const window: number[] = [];
  let smooth = samples[0]!;
  let limited = samples[0]!;
  const most = 2000 * 0.05; // 2000 a second, a sample passes each 50 ms
  const passed: number[] = [];
  samples.forEach((_, i) => {
    const three = [0, 1, 2].map((k) => samples[Math.max(0, i - k)]!).sort((a, b) => a - b);
    window.push(lowpass(three[1]!));
    if (window.length > 8) window.shift();
    const average = window.reduce((sum, x) => sum + x, 0) / window.length;
    smooth += 0.25 * (average - smooth);
    if (i % 5 !== 0) return;
    limited += Math.min(Math.max(smooth - limited, -most), most);
    passed.push(limited);
  });
  return passed;
}

test("median, low-pass, average, ema, decimation and rate limit follow the f64 model", () => {
  const host = start();
  let seed = 7;
  let at = 2000;
  const samples = Array.from({ length: 4000 }, (_, i) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    at += ((seed >>> 16) % 81) - 40;
    if (i % 400 === 399) at = at > 2000 ? 100 : 4000;
    at = Math.max(0, Math.min(4095, at));
    return at;
  });
  for (const raw of samples) {
    host.adc[1] = raw;
    step(host);
  }
  const wanted = model(samples);
  const got = values(host, ALL);
  assert.equal(got.length, wanted.length);
  const worst = Math.max(...got.map((value, i) => Math.abs(value - wanted[i]! * 1000)));
  assert.ok(worst <= 10, `${worst} thousandths off`); // rounded after each filter, cut-off in Q28
});

test("a decimated channel tells one sample of so many, a change of cause at once", () => {
  const host = start();
  for (let i = 0; i < 25; i++) {
    host.adc[2] = 1000 + i;
    step(host);
  }
  assert.deepEqual(values(host, THIN), [1000, 1010, 1020]);
  host.adc[2] = 4050;
  step(host, 15);
  assert.deepEqual(values(host, THIN), [1000, 1010, 1020, -CAUSE_OVER_RANGE, -CAUSE_OVER_RANGE]);
  host.adc[2] = 7;
  step(host, 1);
  assert.equal(values(host, THIN).at(-1), 7);
  step(host, 9);
  assert.equal(values(host, THIN).length, 6);
});

test("a value moves no faster than its limit; after a bad sample it starts where it is", () => {
  const host = start();
  step(host);
  host.adc[2] = 2010; // 100 a second: 1 a sample
  step(host, 12);
  assert.deepEqual(
    values(host, SLOW).map((v) => v / 100),
    [2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2008, 2009, 2010, 2010, 2010],
  );
  host.adc[2] = -1;
  step(host);
  host.adc[2] = 50;
  step(host);
  assert.deepEqual(values(host, SLOW).slice(-2), [-CAUSE_NO_INPUT, 5000]);
});

test("after a bad sample every filter starts anew", () => {
  const host = start();
  step(host, 20);
  host.adc[1] = -1;
  step(host);
  host.adc[1] = 123;
  step(host);
  assert.deepEqual(values(host, ALL).slice(-2), [-CAUSE_NO_INPUT, 123_000]);
});

test("a channel without filters beside one that has them is as it was", () => {
  const host = start();
  for (const raw of [5, 4000, 17]) {
    host.adc[2] = raw;
    step(host);
  }
  assert.deepEqual(values(host, PLAIN), [5, 4000, 17]);
});

test("a cut-off that the sampling period cannot give is refused with its field", () => {
  const refused = (more: object): string[] => {
    const read = nodeSchema.safeParse({
      type: "t",
      channels: { a: { ...every, input: 0, ...more } },
    });
    return read.success
      ? []
      : read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  };
  assert.deepEqual(refused({ lowpassHz: 46 }), [
    "channels.a.lowpassHz: between 0.02 and 45 at 100 samples a second",
  ]);
  assert.deepEqual(refused({ lowpassHz: 0.01 }).length, 1);
  assert.deepEqual(refused({ lowpassHz: 45 }), []);
  for (const more of [{ oversample: 2 }, { average: 33 }, { decimate: 0 }, { rateLimit: 0 }])
    assert.equal(refused(more).length, 1, JSON.stringify(more));
});
