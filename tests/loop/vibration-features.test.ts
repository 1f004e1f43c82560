// SPDX-License-Identifier: MIT
// Goal: the features of a burst are those of f64, within the bounds of SPEC §12.
// Method: signals that repeat with the burst have exact line spectra; the stage is compared with those.
//
// A velocity has two references: `shaped`, what Butterworth of fourth order makes of the lines, and `brick`,
// the lines from 10 to 1,000 Hz as they are.

import assert from "node:assert/strict";
import test from "node:test";
import { vibrationFields } from "../../scripts/build/generate-vibration.ts";
import { buildProbe, dice } from "../support/probe.ts";

const RATE_HZ = 3200;
const SAMPLES = 2048;
const RANGE_G = 16;
const PER_UNIT = 32_768 / (RANGE_G * 9.80665); // counts of 1 m/s²
const FULL = 32_766; // the largest count that is not clipped
const [VELOCITY, ACCELERATION, PEAK, CREST, KURTOSIS] = [0, 1, 2, 3, 4];

const PROBE = `
import { finishBurst, featureCause, featureMantissa, putSample } from "../firmware/loop/vibration";
import { startBurst, VIBRATION_BYTES, VIBRATION_ROW_BYTES } from "../firmware/loop/vibration";
import { VibrationRow, VibrationState } from "../firmware/loop/vibration";

const row = changetype<VibrationRow>(memory.data(VIBRATION_ROW_BYTES, 4));
const state = changetype<VibrationState>(memory.data(VIBRATION_BYTES, 8));

export function setField(index: i32, value: i32): void {
  store<i32>(changetype<usize>(row) + 4 * index, value);
}
export function start(): void {
  startBurst(state);
}
export function put(sample: i32): i32 {
  return putSample(row, state, sample) ? 1 : 0;
}
export function finish(): void {
  finishBurst(row, state);
}
export function micro(feature: i32): i32 {
  return featureMantissa(state, feature, 6);
}
export function cause(feature: i32): i32 {
  return featureCause(state, feature);
}
`;
const probe = await buildProbe(PROBE);

/** The features of a burst of counts that repeat for ever. */
function measure(counts: number[], samples = SAMPLES, rateHz = RATE_HZ): number[] {
  vibrationFields(rateHz, samples, RANGE_G).forEach((value, i) => probe["setField"]!(i, value));
  probe["start"]!();
  for (let i = 0; probe["put"]!(counts[i % counts.length]!) === 0; i++);
  probe["finish"]!();
  const features = [VELOCITY, ACCELERATION, PEAK, CREST, KURTOSIS];
  return features.map((feature) => probe["micro"]!(feature) / 1e6);
}

const counts = (signal: (i: number) => number, length = SAMPLES): number[] =>
  Array.from({ length }, (_, i) => Math.round(signal(i) * PER_UNIT));

// Mean square of each line of a signal of this period, in (m/s²)².
function lines(period: number[]): { hz: number; square: number }[] {
  const n = period.length;
  return Array.from({ length: Math.floor((n - 1) / 2) }, (_, i) => {
    const turn = 2 * Math.cos((2 * Math.PI * (i + 1)) / n);
    let [s1, s2] = [0, 0]; // Goertzel
    for (const x of period) [s1, s2] = [x / PER_UNIT + turn * s1 - s2, s1];
    const power = s1 * s1 + s2 * s2 - turn * s1 * s2;
    return { hz: ((i + 1) * RATE_HZ) / n, square: (2 * power) / (n * n) };
  });
}

// |H|² of Butterworth of fourth order by the bilinear transform.
function highpass(hz: number): number {
  return 1 / (1 + (Math.tan((Math.PI * 10) / RATE_HZ) / Math.tan((Math.PI * hz) / RATE_HZ)) ** 8);
}
function lowpass(hz: number): number {
  const [at, edge] = [hz, 1000].map((f) => Math.tan((Math.PI * f) / RATE_HZ));
  return 1 / (1 + (at! / edge!) ** 8);
}

function velocityOf(period: number[]): { shaped: number; brick: number } {
  let [shaped, brick] = [0, 0];
  for (const { hz, square } of lines(period)) {
    const velocity = square / (2 * Math.PI * hz) ** 2;
    shaped += velocity * highpass(hz) * lowpass(hz);
    if (hz >= 10 && hz <= 1000) brick += velocity;
  }
  return { shaped: Math.sqrt(shaped), brick: Math.sqrt(brick) };
}

const sine =
  (hz: number, peak: number, phase = 0) =>
  (i: number) =>
    peak * Math.sin((2 * Math.PI * hz * i) / RATE_HZ + phase);

// A bearing with a damaged ring: each pass rings the housing at 1,200 Hz.
const rings = (every: number, peak: number) => (i: number) => {
  const seconds = (i % every) / RATE_HZ;
  return peak * Math.exp(-seconds * 800) * Math.sin(2 * Math.PI * 1200 * seconds);
};
const knocks = (every: number, peak: number) => (i: number) => (i % every === every - 1 ? peak : 0);
const square = (every: number, peak: number) => (i: number) =>
  i % every < every / 2 ? peak : -peak;
const noise = (seed: number, deviation: number) => {
  const next = dice(seed);
  return () => {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += next() / 65_536;
    return (sum - 6) * deviation;
  };
};

function near(what: string, got: number, wanted: number, bound: number): void {
  assert.ok(Math.abs(got / wanted - 1) <= bound, `${what}: ${got}, not ${wanted} within ${bound}`);
}

test("the vector: 1 m/s² at 159.155 Hz is 0.7071 mm/s RMS, at any phase", () => {
  for (let phase = 0; phase < 6.2; phase += 0.4)
    near(
      "vector",
      measure(counts(sine(159.155, 1, phase), 4096))[VELOCITY]! * 1000,
      Math.SQRT1_2,
      0.003,
    );
});

test("a sine is right to 1 % from 20 to 700 Hz, and has 3 dB less at 10 and 1,000 Hz", () => {
  for (let hz = 10; hz <= 1000; hz *= 1.1)
    for (let phase = 0; phase < 6.2; phase += 0.9) {
      const got = measure(counts(sine(hz, 20, phase), 4096))[VELOCITY]!;
      const wanted = 20 / Math.SQRT2 / (2 * Math.PI * hz);
      // 1 % for a burst that cuts a period: 6.4 of them are in it at 10 Hz.
      near(`${hz} Hz`, got, wanted * Math.sqrt(highpass(hz) * lowpass(hz)), 0.015);
      if (hz >= 20 && hz <= 700) near(`${hz} Hz`, got, wanted, 0.01);
    }
  const edges = [9.375, 1000].map((hz) => {
    const got = measure(counts(sine(hz, 20)))[VELOCITY]!;
    return (got * 2 * Math.PI * hz * Math.SQRT2) / 20;
  });
  near("9.375 Hz", edges[0]!, Math.sqrt(highpass(9.375)), 0.003);
  near("1,000 Hz", edges[1]!, Math.SQRT1_2, 0.01);
});

// Each with the most that a brick-wall band may differ; of noise it differs with each burst.
type Signal = [what: string, signal: (i: number) => number, brickBound: number];
const BROAD: Signal[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((seed): Signal => ["noise", noise(seed, 5), Infinity]),
  ...[16, 32, 64, 128, 256].flatMap((every): Signal[] => {
    // 256 samples are 12.5 Hz, at the lower edge; 16 have a line on the upper one, which a wall counts whole.
    const bound = every === 256 || every === 16 ? 0.08 : 0.02;
    return [
      [`rings of ${every} samples`, rings(every, 60), bound],
      [`knocks of ${every} samples`, knocks(every, 100), bound],
      [`square wave of ${every} samples`, square(every, 150), bound],
    ];
  }),
];

test("noise, bearing impulses and square waves have the velocity of their line spectra", () => {
  for (const [what, signal, brickBound] of BROAD) {
    const period = counts(signal);
    const got = measure(period)[VELOCITY]!;
    const { shaped, brick } = velocityOf(period);
    near(what, got, shaped, 0.003);
    near(`${what}, brick wall`, got, brick, brickBound);
  }
});

test("a fundamental below the band counts as little as the filter says", () => {
  for (const every of [512, 1024])
    for (const signal of [knocks(every, 100), square(every, 150)]) {
      const period = counts(signal);
      near(`${every} samples`, measure(period)[VELOCITY]!, velocityOf(period).shaped, 0.003);
    }
});

// The high-pass in f64, textbook form, after as many periods as it takes to forget the start.
function detrended(period: number[]): number[] {
  const section = (q: number, samples: number[]): number[] => {
    const w = (2 * Math.PI * 10) / RATE_HZ;
    const alpha = Math.sin(w) / (2 * q);
    const [a0, edge] = [1 + alpha, (1 + Math.cos(w)) / 2];
    let [x1, x2, y1, y2] = [samples[0]!, samples[0]!, 0, 0];
    return samples.map((x) => {
      const y = (edge * (x - 2 * x1 + x2) + 2 * Math.cos(w) * y1 - (1 - alpha) * y2) / a0;
      [x1, x2, y1, y2] = [x, x1, y, y1];
      return y;
    });
  };
  const long = Array.from({ length: 4 * SAMPLES }, (_, i) => period[i % period.length]!);
  const q = [1, 3].map((k) => 1 / (2 * Math.cos((k * Math.PI) / 8)));
  return section(q[1]!, section(q[0]!, long)).slice(-period.length);
}

function features(period: number[]) {
  const a = detrended(period).map((count) => count / PER_UNIT);
  const mean = (power: number) => a.reduce((sum, x) => sum + x ** power, 0) / a.length;
  const rms = Math.sqrt(mean(2));
  const peak = Math.max(...a.map(Math.abs));
  return { rms, peak, crest: peak / rms, kurtosis: mean(4) / mean(2) ** 2 };
}

test("acceleration, peak, crest factor and kurtosis agree with f64", () => {
  const steady: Signal[] = [
    ["sine", sine(100, 20), 0],
    ["full-scale square wave", square(32, FULL / PER_UNIT), 0],
  ];
  for (const [what, signal] of [...BROAD, ...steady]) {
    const period = counts(signal);
    const wanted = features(period);
    const got = measure(period);
    near(`${what}: rms`, got[ACCELERATION]!, wanted.rms, 0.0005);
    near(`${what}: peak`, got[PEAK]!, wanted.peak, 0.0005);
    near(`${what}: crest`, got[CREST]!, wanted.crest, 0.0005);
    near(`${what}: kurtosis`, got[KURTOSIS]!, wanted.kurtosis, 0.002);
  }
});

test("a sine of ten counts is right to 0.5 %", () => {
  const period = counts(sine(50, 10 / PER_UNIT));
  const wanted = features(period);
  const got = measure(period);
  near("velocity", got[VELOCITY]!, velocityOf(period).shaped, 0.005);
  [wanted.rms, wanted.peak, wanted.crest, wanted.kurtosis].forEach((value, i) =>
    near(`feature ${i + 1}`, got[i + 1]!, value, 0.005),
  );
});

test("gravity and any other offset change nothing", () => {
  const still = measure(counts(sine(100, 2)));
  for (const offset of [-9.81, 9.81, 150]) {
    const got = measure(counts((i) => offset + sine(100, 2)(i)));
    got.forEach((value, feature) => near(`feature ${feature}`, value, still[feature]!, 0.002));
  }
});

test("full-scale square waves of every period fit", () => {
  for (const every of [2, 4, 32, 128, 256, 512, 1024, 2048]) {
    const period = counts(square(every, FULL / PER_UNIT));
    const got = measure(period);
    if (every === 2)
      assert.ok(got[VELOCITY]! < 1e-3, `${got[VELOCITY]}: all of it is above the band`);
    else near(`velocity of ${every}`, got[VELOCITY]!, velocityOf(period).shaped, 0.007);
    near(`rms of ${every}`, got[ACCELERATION]!, features(period).rms, 0.0005);
    near(`kurtosis of ${every}`, got[KURTOSIS]!, features(period).kurtosis, 0.002);
    assert.equal(probe["cause"]!(VELOCITY), 0, "a count below the end of the range is not clipped");
  }
});

// Both filters and the integral in f64, with the tabled coefficients and the stage's own rule.
function integrals(samples: number[]): number[] {
  const fields = vibrationFields(RATE_HZ, SAMPLES, RANGE_G).slice(4);
  const rows = [0, 1, 2, 3].map((k) => fields.slice(5 * k, 5 * k + 5).map((c) => c / 2 ** 28));
  const states = rows.map((_, k) => [k === 0 ? samples[0]! : 0, k === 0 ? samples[0]! : 0, 0, 0]);
  let [velocity, before] = [0, 0];
  return samples.map((sample) => {
    const a = rows.reduce((x, [b0, b1, b2, a1, a2], k) => {
      const [x1, x2, y1, y2] = states[k]!;
      const y = b0! * x + b1! * x1! + b2! * x2! - a1! * y1! - a2! * y2!;
      states[k] = [x, x1!, y, y1!];
      return y;
    }, sample);
    velocity += (8 * a + before) / 9;
    velocity -= velocity / 4096;
    before = a;
    return velocity;
  });
}

test("the worst signal that full scale allows stays within the bits of the integral", () => {
  const settle = vibrationFields(RATE_HZ, SAMPLES, RANGE_G)[3]!;
  const length = settle + SAMPLES;
  // What an impulse leaves, backwards: each count pushes the same way at the end of the burst.
  const answer = integrals([0, ...Array.from({ length }, (_, i) => (i === 0 ? 1 : 0))]).slice(1);
  const samples = Array.from({ length }, (_, i) => (answer[length - 1 - i]! < 0 ? -FULL : FULL));
  const velocities = integrals(samples);
  const most = Math.max(...velocities.map(Math.abs)) / 32_768;
  assert.ok(most > 60 && most < 61.8, `${most} samples of full scale`); // (I2) of the stage
  const summed = velocities.slice(settle);
  const mean = summed.reduce((sum, v) => sum + v, 0) / summed.length;
  const variance = summed.reduce((sum, v) => sum + (v - mean) ** 2, 0) / summed.length;
  const got = measure(samples)[VELOCITY]!;
  near("velocity", got, Math.sqrt(variance) / PER_UNIT / RATE_HZ, 0.001);
});

test("a slow accelerometer has its band up to 0.3125 of the rate", () => {
  const period = Array.from({ length: 400 }, (_, i) =>
    Math.round(20 * Math.sin((2 * Math.PI * 40 * i) / 400) * PER_UNIT),
  );
  const got = measure(period, 400, 400)[VELOCITY]!;
  near("40 Hz at 400 a second", got, 20 / Math.SQRT2 / (2 * Math.PI * 40), 0.01);
});
