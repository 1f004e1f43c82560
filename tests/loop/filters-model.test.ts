// SPDX-License-Identifier: MIT
// Goal: median, moving average, chain and controller keep the bounds of SPEC §12.
// Method: small release modules; inputs, lengths, weights and gains drawn by seed; models in f64.

import assert from "node:assert/strict";
import test from "node:test";
import { butterworthLowpass } from "../../scripts/build/butterworth.ts";
import { buildProbe, dice } from "../support/probe.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const PROBE = `
import { Pid, startPid, stepPid, tunePid } from "../firmware/loop/decide";
import { filterSample, FilterState, resetFilter } from "../firmware/loop/filter";

const state = changetype<FilterState>(memory.data(offsetof<FilterState>(), 8));
const pid = changetype<Pid>(memory.data(offsetof<Pid>(), 8));

export function filter(median: i32, weight: i32, sample: i32): i32 {
  return filterSample(state, median, weight, sample);
}
export function reset(): void {
  resetFilter(state);
}
export function tune(kp: i32, ki: i32, kd: i32): void {
  tunePid(pid, kp, ki, kd);
}
export function limit(min: i32, max: i32): void {
  pid.min = min;
  pid.max = max;
}
export function start(setpoint: i32, measured: i32, duty: i32, nowUs: i32): void {
  startPid(pid, setpoint, measured, duty, nowUs);
}
export function step(setpoint: i32, measured: i32, nowUs: i32): i32 {
  return stepPid(pid, setpoint, measured, nowUs);
}
`;
const probe = await buildProbe(PROBE);

/** Whole numbers within ±most, from a seed. */
function wholes(seed: number) {
  const next = dice(seed);
  return (most: number) => Math.round(((next() * 65_536 + next()) / 2 ** 31 - 1) * most) + 0; // not -0
}

const medianOf = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[(values.length - 1) / 2]!;

test("a median of 1, 3 or 5 is exact, and its window starts full of the first sample", () => {
  for (const seed of SEEDS)
    for (const length of [1, 3, 5]) {
      const draw = wholes(seed);
      const most = [3, 1000, 2 ** 31 - 1][seed % 3]!; // with many equal ones, too
      const samples = Array.from({ length: 2000 }, () => draw(most));
      probe["reset"]!();
      samples.forEach((sample, i) => {
        const window = Array.from({ length }, (_, k) => samples[Math.max(0, i - k)]!);
        assert.equal(probe["filter"]!(length, 65_536, sample), medianOf(window), `${seed} at ${i}`);
      });
    }
});

test("a moving average of weight w / 65,536 is within 0.5 + 1 / w steps of f64", () => {
  for (const seed of SEEDS)
    for (const weight of [1, 7, 100, 6554, 30_000, 65_535, 65_536]) {
      const draw = wholes(seed);
      const most = [50, 100_000, 2 ** 31 - 1][seed % 3]!;
      probe["reset"]!();
      let average = 0;
      for (let i = 0; i < 20_000; i++) {
        const sample = i % 5000 < 2500 ? draw(most) : most; // noise, then a step that stays
        average = i === 0 ? sample : average + (sample - average) * (weight / 65_536);
        const off = Math.abs(probe["filter"]!(1, weight, sample) - average);
        const bound = 0.5 + 1 / weight + most * 2e-15; // f64's own at the end of the range
        assert.ok(off <= bound, `${off} steps off, seed ${seed}, weight ${weight}, sample ${i}`);
      }
    }
});

const lawOf = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

interface Gains {
  kp: number; // thousandths
  ki: number;
  kd: number;
  min: number;
  max: number;
}

// The controller in f64: no bump at a new set-point, derivative on the measurement, an integral that never
// pushes the output beyond a limit.
function createModel({ kp, ki, kd, min, max }: Gains) {
  const within = (value: number) => Math.max(min, Math.min(max, value));
  let [integral, target, before, atUs] = [0, 0, 0, 0];
  return {
    start(setpoint: number, measured: number, duty: number, nowUs: number) {
      integral = within(duty - (kp / 1000) * (setpoint - measured));
      [target, before, atUs] = [setpoint, measured, nowUs];
    },
    step(setpoint: number, measured: number, nowUs: number): number {
      const seconds = (nowUs - atUs) / 1e6;
      if (setpoint !== target) integral = within(integral - (kp / 1000) * (setpoint - target));
      const slope = seconds > 0 ? (measured - before) / seconds : 0;
      const direct =
        (kp / 1000) * (setpoint - measured) - lawOf((kd / 1000) * slope, 2 ** 34 / 1000);
      const wanted = integral + (ki / 1000) * (setpoint - measured) * seconds;
      // Up to where the output meets its limit, and from beyond it only back.
      if (wanted > integral) integral = Math.max(integral, Math.min(wanted, max - direct));
      else integral = Math.min(integral, Math.max(wanted, min - direct));
      integral = within(integral);
      [target, before, atUs] = [setpoint, measured, nowUs];
      return within(direct + integral);
    },
  };
}

function drawGains(draw: (most: number) => number): Gains {
  const scale = 10 ** (Math.abs(draw(500)) / 100); // 1..100,000
  const ends = [Math.abs(draw(10_000)), Math.abs(draw(10_000))].toSorted((a, b) => a - b);
  const [kp, ki, kd] = [draw(scale), draw(scale), draw(scale / 10)];
  return { kp, ki, kd, min: ends[0]!, max: ends[1]! };
}

test("a controller is within 0.51 of 1/10,000 of its f64 model, whatever the gains", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const draw = wholes(seed);
    const gains = drawGains(draw);
    const model = createModel(gains);
    let [setpoint, measured, nowUs] = [draw(100_000), draw(100_000), Math.abs(draw(2 ** 31))];
    const duty = gains.min + Math.abs(draw(gains.max - gains.min));
    probe["tune"]!(gains.kp, gains.ki, gains.kd);
    probe["limit"]!(gains.min, gains.max);
    probe["start"]!(setpoint, measured, duty, nowUs);
    model.start(setpoint, measured, duty, nowUs);
    for (let i = 0; i < 3000; i++) {
      if (i % 400 === 399) setpoint = draw(100_000);
      measured += draw(50) + Math.sign(setpoint - measured) * 20;
      nowUs += 10_000 + draw(5000);
      const got = probe["step"]!(setpoint, measured, nowUs);
      const wanted = model.step(setpoint, measured, nowUs);
      const off = Math.abs(got - wanted);
      assert.ok(off <= 0.51, `${off} off, seed ${seed}, step ${i}: ${JSON.stringify(gains)}`);
    }
  }
});

test("a new set-point alone moves no duty that the integral can carry", () => {
  for (const seed of SEEDS) {
    const draw = wholes(seed);
    probe["tune"]!(2000, 300, 100);
    probe["limit"]!(0, 10_000);
    let setpoint = draw(300);
    probe["start"]!(setpoint, 0, 5000, 0);
    const before = probe["step"]!(setpoint, 0, 0);
    for (let i = 0; i < 200; i++) {
      setpoint = draw(2000); // 2 * 2,000 is less than the way from 5,000 to either limit
      assert.ok(Math.abs(probe["step"]!(setpoint, 0, 0) - before) <= 1, `${seed}: ${setpoint}`);
    }
  }
});

test("after any time at a limit the output leaves it in the step in which the error turns", () => {
  for (const seed of SEEDS) {
    const draw = wholes(seed);
    const [kp, ki] = [1 + Math.abs(draw(5000)), 1 + Math.abs(draw(5000))];
    probe["tune"]!(kp, ki, 0);
    probe["limit"]!(500, 9500);
    for (const sign of [1, -1]) {
      probe["start"]!(0, 0, 5000, 0);
      let nowUs = 0;
      const error = sign * (20_000 + Math.abs(draw(20_000)));
      for (let i = 0; i < 3000; i++) probe["step"]!(0, -error, (nowUs += 60_000_000) | 0);
      assert.equal(probe["step"]!(0, -error, nowUs | 0), sign > 0 ? 9500 : 500);
      const turned = probe["step"]!(0, sign * 2000, (nowUs += 1_000_000) | 0);
      assert.ok(sign > 0 ? turned < 9500 : turned > 500, `${turned}, kp ${kp}, ki ${ki}`);
    }
  }
});

test("coefficients move a cut-off by less than 0.2 % at the lowest ratio there is", () => {
  for (const ratio of [1 / 5000, 1 / 1000, 0.1, 0.45]) {
    const [, , , a1, a2] = butterworthLowpass(ratio, 1).map((c) => c / 2 ** 28);
    // Of the bilinear transform: k^2 = (1 + a1 + a2) / (1 - a1 + a2).
    const k = Math.sqrt((1 + a1! + a2!) / (1 - a1! + a2!));
    const off = Math.abs(Math.atan(k) / Math.PI / ratio - 1);
    assert.ok(off < 0.002, `${off} at ${ratio}`);
  }
});
