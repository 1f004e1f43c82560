// SPDX-License-Identifier: MIT
// The press makes parts and wears out; the scale says what lies on it.
//
// Goal: machines whose signals tell what they do, the same for the same seed. Method: virtual hours of each,
// signals compared with the state behind them; RMS and kurtosis of bursts against wear.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPress, type Press, type PressState } from "../../host-sim/devices/press.ts";
import { createScale, weightLine } from "../../host-sim/devices/scale.ts";
import { createPrng } from "../../host-sim/prng.ts";

const ignore = (): void => undefined;
const SECOND_US = 1_000_000;

function burst(press: Press, second: number, rateHz = 3200, count = 4096): Float64Array {
  const target = new Float64Array(count);
  press.vibration!(0, { startUs: 0, first: second * rateHz, rateHz }, target);
  return target;
}

function features(samples: Float64Array): { rms: number; kurtosis: number } {
  const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
  let second = 0;
  let fourth = 0;
  for (const x of samples) {
    second += (x - mean) ** 2 / samples.length;
    fourth += (x - mean) ** 4 / samples.length;
  }
  return { rms: Math.sqrt(second), kurtosis: fourth / second ** 2 };
}

test("a press counts a part every 1.2 s while it runs, and none while it does not", () => {
  const press = createPress(createPrng(3));
  let runS = 0;
  const seconds: Record<PressState, number> = { run: 0, idle: 0, stopped: 0, fault: 0 };
  for (let s = 1; s <= 3600; s++) {
    const before = press.pulses!(0);
    const stood = press.state();
    press.advance(s * SECOND_US, ignore);
    seconds[press.state()]++;
    if (press.state() === "run") runS++;
    else if (stood === press.state()) assert.equal(press.pulses!(0), before, `at ${s} s`);
  }
  const parts = press.pulses!(0);
  assert.ok(Math.abs(parts - runS / 1.2) < runS * 0.02, `${parts} parts in ${runS} s`);
  const rejects = press.pulses!(1);
  assert.ok(rejects > parts * 0.02 && rejects < parts * 0.15, `${rejects} rejects`);
  assert.ok(
    Object.values(seconds).every((s) => s > 10),
    JSON.stringify(seconds),
  );
  assert.deepEqual([press.pulses!(2), press.adc(1), press.digital!(3)], [-1, -1, -1]);
});

test("motor current and digital inputs tell the state", () => {
  const press = createPress(createPrng(3));
  const amperes: Record<PressState, number[]> = { run: [], idle: [], stopped: [], fault: [] };
  for (let t = 1; t <= 51_000; t++) {
    press.advance(t * 70_000, ignore); // 120 places in a stroke
    const state = press.state();
    amperes[state].push((press.adc(0) / 4095) * 50);
    assert.equal(press.digital!(0), state === "run" || state === "idle" ? 1 : 0);
    assert.equal(press.digital!(1), state === "stopped" ? 0 : 1);
    assert.equal(press.digital!(2), state === "fault" ? 1 : 0);
  }
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  assert.ok(Math.abs(mean(amperes.run) - (12 + 18 / 8)) < 0.3, `${mean(amperes.run)}`);
  assert.ok(Math.max(...amperes.run) > 29);
  assert.ok(Math.abs(mean(amperes.idle) - 6) < 0.1);
  assert.ok(Math.max(...amperes.stopped) < 0.5);
});

test("a press without its release does not run; with it it runs again", () => {
  const press = createPress(createPrng(3));
  press.setDigital!(0, 0);
  press.advance(5 * SECOND_US, ignore);
  const parts = press.pulses!(0);
  press.advance(600 * SECOND_US, ignore);
  assert.notEqual(press.state(), "run");
  assert.equal(press.pulses!(0), parts);
  press.setDigital!(0, 1);
  press.advance(700 * SECOND_US, ignore);
  assert.ok(press.pulses!(0) > parts);
});

test("wear shows in kurtosis long before it shows in RMS; a renewed bearing is quiet again", () => {
  const press = createPress(createPrng(3));
  const seen: { wear: number; rms: number; kurtosis: number }[] = [];
  let renewed = false;
  for (let s = 10; s <= 7200 && !renewed; s += 10) {
    press.advance(s * SECOND_US, ignore);
    if (press.state() === "run") seen.push({ wear: press.wear(), ...features(burst(press, s)) });
    renewed = seen.length > 100 && press.wear() < 0.05 && press.state() === "run";
  }
  assert.ok(renewed, "it never wore out");
  const last = seen.pop()!;
  const early = seen.filter(({ wear }) => wear < 0.2);
  const late = seen.filter(({ wear }) => wear > 0.9);
  const middle = seen.filter(({ wear }) => wear > 0.25 && wear < 0.4);
  assert.ok(early.length > 5 && middle.length > 5 && late.length > 5);
  const mean = (of: typeof seen, key: "rms" | "kurtosis"): number =>
    of.reduce((sum, one) => sum + one[key], 0) / of.length;
  assert.ok(mean(early, "kurtosis") < 3.2, `${mean(early, "kurtosis")}`);
  assert.ok(mean(middle, "kurtosis") > 4, `${mean(middle, "kurtosis")}`);
  assert.ok(mean(middle, "rms") < 2 * mean(early, "rms"));
  assert.ok(mean(late, "rms") > 3 * mean(early, "rms"), `${mean(late, "rms")}`);
  assert.ok(last.kurtosis < 3.2 && last.rms < 1.5 * mean(early, "rms"));
});

test("vibration is a function of the sample's number: pieces and slow rates fit the whole", () => {
  const press = createPress(createPrng(9));
  press.advance(10 * SECOND_US, ignore);
  const whole = burst(press, 9, 3200, 512);
  const piece = new Float64Array(100);
  press.vibration!(0, { startUs: 0, first: 9 * 3200 + 100, rateHz: 3200 }, piece);
  assert.deepEqual(piece, whole.slice(100, 200));
  const slow = burst(press, 9, 25, 64);
  assert.ok(features(slow).rms > 0.3);
  const other = new Float64Array(4).fill(1);
  press.vibration!(2, { startUs: 0, first: 0, rateHz: 100 }, other);
  assert.deepEqual(other, new Float64Array(4));
});

test("two presses of one seed are alike, of two seeds not", () => {
  const story = (seed: number): string => {
    const press = createPress(createPrng(seed));
    const texts: string[] = [];
    for (let s = 1; s < 600; s++) {
      press.advance(s * SECOND_US, ignore);
      texts.push(`${press.state()} ${press.pulses!(0)} ${press.adc(0)}`);
    }
    return texts.join();
  };
  assert.equal(story(1), story(1));
  assert.notEqual(story(1), story(2));
});

interface Character {
  endUs: number;
  byte: number;
}

function listen(seconds: number, stepUs: number): { heard: Character[]; loads: Set<number> } {
  const scale = createScale(2, 9600, createPrng(5));
  const heard: Character[] = [];
  const loads = new Set<number>();
  for (let t = stepUs; t <= seconds * SECOND_US; t += stepUs) {
    scale.advance(t, (tap, endUs, byte, flags) => {
      assert.deepEqual([tap, flags], [2, 0]);
      assert.ok(endUs <= t, "heard before it was said");
      heard.push({ endUs, byte });
    });
    loads.add(scale.loadG());
  }
  return { heard, loads };
}

test("a scale says five lines a second, stable, moving, overload, at 9600 8N1", () => {
  const { heard, loads } = listen(120, 10_000);
  const text = Buffer.from(heard.map(({ byte }) => byte)).toString("latin1");
  const lines = text.split("\r\n").slice(0, -1);
  assert.ok(Math.abs(lines.length - 600) <= 1, `${lines.length} lines`);
  const shape = /^([+-]\d{4}\.\d{2}) G ([SUE])$/;
  const parsed = lines.map((line) => shape.exec(line));
  assert.ok(parsed.every((match) => match !== null));
  const of = (status: string): string[] =>
    parsed.filter((match) => match![2] === status).map((match) => match![1]!);
  assert.ok(of("S").length > 300 && of("U").length > 50 && of("E").length > 10);
  assert.ok(of("S").every((grams) => loads.has(Number(grams))));
  assert.ok(of("E").every((grams) => grams === "+0000.00"));
  for (let i = 1; i < 14; i++) {
    const gapUs = heard[i]!.endUs - heard[i - 1]!.endUs;
    assert.ok(Math.abs(gapUs - 1041.67) <= 1, `${gapUs} µs between two characters`);
  }
  assert.equal(heard[0]!.endUs, 200_000 + 1042);
});

test("what a scale says does not depend on how often one listens", () => {
  assert.deepEqual(listen(20, 1_000).heard, listen(20, 100_000).heard);
});

test("weights keep their seven characters", () => {
  assert.equal(weightLine(26.9, false), "+0026.90 G S\r\n");
  assert.equal(weightLine(-1.2, true), "-0001.20 G U\r\n");
  assert.equal(weightLine(3000, false), "+3000.00 G S\r\n");
  assert.equal(weightLine(3000.01, false), "+0000.00 G E\r\n");
});
