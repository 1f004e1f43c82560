// SPDX-License-Identifier: MIT
// Goal: the fixed-point filters follow their models in f64, with a stated error.
// Method: a small release module around the stages; random walks, steps and sweeps by seed.

import assert from "node:assert/strict";
import test from "node:test";
import {
  butterworthHighpass,
  butterworthLowpass,
  isCutoffPossible,
  LOWPASS_RATIO_MIN,
  type Biquad,
} from "../../scripts/build/butterworth.ts";
import { buildProbe, dice } from "../support/probe.ts";

const PROBE = `
import { AVERAGE_BYTES, averageSample, AverageState, resetAverage } from "../firmware/loop/average";
import { BiquadRow, BiquadState, startBiquad, stepBiquad } from "../firmware/loop/biquad";
import { DecimateState, limitRate, passSample } from "../firmware/loop/rate";
import { RateState, resetDecimate, resetRate } from "../firmware/loop/rate";

const row = changetype<BiquadRow>(memory.data(offsetof<BiquadRow>(), 4));
const biquadState = changetype<BiquadState>(memory.data(offsetof<BiquadState>(), 8));
const averageState = changetype<AverageState>(memory.data(AVERAGE_BYTES, 8));
const rateState = changetype<RateState>(memory.data(offsetof<RateState>(), 8));
const decimateState = changetype<DecimateState>(memory.data(offsetof<DecimateState>(), 4));

export function tune(b0: i32, b1: i32, b2: i32, a1: i32, a2: i32): void {
  row.b0 = b0;
  row.b1 = b1;
  row.b2 = b2;
  row.a1 = a1;
  row.a2 = a2;
}
export function start(input: i32, output: i32): void {
  startBiquad(biquadState, input, output);
}
export function biquad(sample: i32): i32 {
  return stepBiquad(row, biquadState, sample);
}
export function average(length: i32, sample: i32): i32 {
  return averageSample(averageState, length, sample);
}
export function rate(step: i32, sample: i32): i32 {
  return limitRate(rateState, step, sample);
}
export function pass(every: i32): i32 {
  return passSample(decimateState, every) ? 1 : 0;
}
export function reset(): void {
  resetAverage(averageState);
  resetRate(rateState);
  resetDecimate(decimateState);
}
`;
const probe = await buildProbe(PROBE);

// A walk with jumps, within ±most.
function walk(length: number, most: number, seed: number): number[] {
  const next = dice(seed);
  let at = 0;
  return Array.from({ length }, () => {
    at += ((next() % 2001) - 1000) * (most / 50_000);
    if (next() % 97 === 0) at = ((next() % 2001) - 1000) * (most / 1000);
    at = Math.max(-most, Math.min(most, at));
    return Math.round(at);
  });
}

const I32_MAX = 2_147_483_647;

function cut(value: number): number {
  return Math.max(-I32_MAX - 1, Math.min(I32_MAX, value));
}

function tabled(c: Biquad): number[] {
  return c.map((value) => value / 2 ** 28);
}

// The difference equation in f64, with the exact or the tabled coefficients.
function model(c: number[], samples: number[], start: { input: number; output: number }): number[] {
  let [x1, x2, y1, y2] = [start.input, start.input, start.output, start.output];
  return samples.map((x) => {
    const y = c[0]! * x + c[1]! * x1 + c[2]! * x2 - c[3]! * y1 - c[4]! * y2;
    [x2, x1, y2, y1] = [x1, x, y1, y];
    return y;
  });
}

function run(c: Biquad, samples: number[], start: { input: number; output: number }): number[] {
  probe["tune"]!(...c);
  probe["start"]!(start.input, start.output);
  return samples.map((x) => probe["biquad"]!(x));
}

function worstOf(a: number[], b: number[]): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

function exactLowpass(hz: number, sampleHz: number): number[] {
  const w = (2 * Math.PI * hz) / sampleHz;
  const alpha = Math.sin(w) / Math.SQRT2;
  const [a0, edge] = [1 + alpha, 1 - Math.cos(w)];
  return [edge / 2, edge, edge / 2, -2 * Math.cos(w), 1 - alpha].map((value) => value / a0);
}

test("a low-pass follows the f64 model to 0.51 steps with its own coefficients", () => {
  for (const ratio of [0.45, 0.2, 0.05, 0.01, 0.001, LOWPASS_RATIO_MIN]) {
    const c = butterworthLowpass(ratio * 1000, 1000);
    for (const most of [100, 1_000_000, 1_900_000_000]) {
      const samples = walk(20_000, most, 7);
      const start = { input: samples[0]!, output: samples[0]! };
      const got = run(c, samples, start);
      const wanted = model(tabled(c), samples, start).map(cut);
      const worst = worstOf(got, wanted);
      const bound = 0.51 + most * 2e-8; // the f64 model itself rounds at the far end
      assert.ok(worst <= bound, `ratio ${ratio}, ±${most}: ${worst} steps off`);
    }
  }
});

test("rounded coefficients cost at most 1/2,000 of the span, at the lowest cut-off too", () => {
  for (const ratio of [0.45, 0.05, 0.001, LOWPASS_RATIO_MIN]) {
    const samples = walk(50_000, 1_000_000, 11);
    const start = { input: samples[0]!, output: samples[0]! };
    const got = run(butterworthLowpass(ratio * 1000, 1000), samples, start);
    const worst = worstOf(got, model(exactLowpass(ratio * 1000, 1000), samples, start));
    assert.ok(worst <= 2_000_000 / 2000, `ratio ${ratio}: ${worst} of 2,000,000 steps off`);
  }
});

test("a low-pass settles on a constant to the last step, and stays", () => {
  for (const hz of [450, 10, 1, 0.2]) {
    const c = butterworthLowpass(hz, 1000);
    const got = run(c, new Array<number>(60_000).fill(1_234_567), { input: -5, output: -5 });
    assert.deepEqual([...new Set(got.slice(-1000))], [1_234_567], `${hz} Hz`);
  }
});

test("the cut-off is at -3 dB, and ten times above it 40 dB are gone", () => {
  const amplitude = (hz: number): number => {
    const sine = Array.from({ length: 20_000 }, (_, i) =>
      Math.round(1e6 * Math.sin((2 * Math.PI * hz * i) / 1000)),
    );
    const got = run(butterworthLowpass(20, 1000), sine, { input: 0, output: 0 }).slice(10_000);
    return Math.max(...got.map(Math.abs)) / 1e6;
  };
  assert.ok(Math.abs(amplitude(20) - Math.SQRT1_2) < 0.002);
  assert.ok(amplitude(200) < 0.01);
  assert.ok(Math.abs(amplitude(2) - 1) < 0.001);
});

test("a high-pass takes gravity away to the last step and follows its model", () => {
  const c = butterworthHighpass(10, 3200);
  const still = run(c, new Array<number>(5000).fill(900_000), { input: 0, output: 0 });
  assert.deepEqual([...new Set(still.slice(-1000))], [0]);
  const samples = walk(20_000, 1_000_000, 3);
  const start = { input: samples[0]!, output: 0 };
  const wanted = model(tabled(c), samples, start);
  assert.ok(worstOf(run(c, samples, start), wanted) <= 0.51);
});

test("full-scale square waves stay within 64 bits, and are cut to 32 where they overshoot", () => {
  const filters = [
    butterworthLowpass(10, 1000),
    butterworthLowpass(450, 1000),
    butterworthHighpass(10, 1000),
  ];
  for (const half of [1, 3, 50, 700]) {
    const square = Array.from({ length: 5000 }, (_, i) =>
      Math.floor(i / half) % 2 === 0 ? I32_MAX : -I32_MAX - 1,
    );
    const start = { input: 0, output: 0 };
    for (const c of filters) {
      const wanted = model(tabled(c), square, start).map(cut);
      assert.ok(worstOf(run(c, square, start), wanted) <= 100); // 5e-8 of full scale: f64's own
    }
  }
});

test("a cut-off that cannot be made is refused by name", () => {
  assert.ok(!isCutoffPossible(0.19, 1000) && !isCutoffPossible(451, 1000));
  assert.throws(() => butterworthLowpass(500, 1000), /no filter of 500 Hz at 1000/);
  assert.throws(() => butterworthHighpass(0, 1000), RangeError);
});

test("the moving average is the mean of the latest samples, to half a step", () => {
  const samples = walk(3000, 2_000_000_000, 5);
  for (const length of [1, 2, 5, 31, 32]) {
    probe["reset"]!();
    samples.forEach((sample, i) => {
      const window = samples.slice(Math.max(0, i + 1 - length), i + 1);
      const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
      const got = probe["average"]!(length, sample);
      assert.ok(Math.abs(got - mean) <= 0.5, `${length} at ${i}: ${got}, not ${mean}`);
    });
  }
});

test("a rate limit never moves faster, and follows its f64 model to half a step", () => {
  const samples = walk(5000, 1_000_000, 9);
  for (const step of [1, 655, 65_536, 3_000_001]) {
    probe["reset"]!();
    let at = samples[0]!;
    for (const sample of samples) {
      const most = step / 65_536;
      at += Math.max(-most, Math.min(most, sample - at));
      assert.ok(Math.abs(probe["rate"]!(step, sample) - at) <= 0.5);
    }
  }
});

test("every n-th sample passes, first the first", () => {
  for (const every of [1, 2, 7, 1000]) {
    probe["reset"]!();
    const passed = Array.from({ length: 3000 }, () => probe["pass"]!(every));
    assert.deepEqual(
      passed.flatMap((p, i) => (p === 1 ? [i] : [])),
      passed.map((_, i) => i).filter((i) => i % every === 0),
    );
  }
});
