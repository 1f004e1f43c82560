// SPDX-License-Identifier: MIT
// A punching press: parts, rejects, motor current, and a bearing that wears out.
//
// Pins: pulse input 0 a part, 1 a reject; digital input 0 motor on, 1 guard shut, 2 fault lamp; ADC input
// 0 motor current, 0..50 A as 0..4095; digital output 0 releases the press (it runs while nobody sets
// it); accelerometers 0 and 1 on the bearing. It runs, idles between batches, stands still now and then by
// seed; wear grows while it runs, and a worn-out bearing stops it with a fault until it is renewed.
// Cycle and wear in steps of STEP_US with + - * / only. Vibration is a function of the sample's time
// and the wear and state of now; the state of before is not remembered.
//
//   run -batch-> idle -> run    run -by chance-> stopped -> run    run -worn out-> fault -renewed-> run

import { mix, type Prng } from "../prng.ts";
import type { Device, SampleSpan } from "./device.ts";

const STEP_US = 10_000;
const STEP_S = 0.01;
const LAST_S = {
  run: { min: 40, spread: 80 },
  idle: { min: 5, spread: 10 },
  stopped: { min: 10, spread: 20 },
  fault: { min: 30, spread: 30 },
};
const STOP_CHANCE = 0.3; // that a batch ends in a stop
const STROKE_STEPS = 120; // a part every 1.2 s
const BLOW_STEPS = 15; // of a stroke: the motor works hard
const REJECT_CHANCE = 0.02;
const REJECT_CHANCE_WORN = 0.1; // more, with the wear
const WEAR_PER_S = 1 / 1800; // a bearing lasts half an hour: long enough to see, short enough to wait for
const CURRENT_A = { run: 12, idle: 6, stopped: 0.2, fault: 0.2 };
const BLOW_A = 18; // on top
const NOISE_A = 0.15;
const RANGE_A = 50;
const RAW_MAX = 4095;

// Vibration, m/s² and Hz.
const HISS = { run: 0.6, idle: 0.3, stopped: 0.02, fault: 0.02 }; // standard deviation
const SHAFT_HZ = 25;
const IMBALANCE = 0.4; // 1.8 mm/s RMS at SHAFT_HZ
const LOOSE_WORN = 1.4; // more of it from a bearing with play: 8 mm/s in the end
const OUTER_RACE_HZ = 3.5848 * SHAFT_HZ; // 9 balls of 0.3126 on 1.537
const RING_HZ = 1130; // of the housing
const RING_DECAY_PER_S = 700;
const IMPULSE_WORN = 40;

export type PressState = "run" | "idle" | "stopped" | "fault";

export interface Press extends Device {
  state(): PressState;
  wear(): number; // 0 new .. 1 worn out
}

interface Cycle {
  readonly prng: Prng;
  state: PressState;
  steps: number;
  endsAtStep: number;
  strokeStep: number;
  wear: number;
  released: boolean;
  parts: number;
  rejects: number;
}

/** A press that starts to run, its bearing a little worn by seed. */
export function createPress(prng: Prng): Press {
  const noise = prng.fork("noise");
  const hissSeed = prng.fork("hiss").nextU32();
  const cycle: Cycle = {
    prng: prng.fork("cycle"),
    state: "run",
    steps: 0,
    endsAtStep: 0,
    strokeStep: 0,
    wear: prng.fork("wear").below(300) / 1000,
    released: true,
    parts: 0,
    rejects: 0,
  };
  enter(cycle, "run");

  return {
    advance(nowUs) {
      const wanted = Math.floor(nowUs / STEP_US);
      while (cycle.steps < wanted) step(cycle);
    },
    adc(input) {
      if (input !== 0) return -1;
      const spread = ((noise.below(201) - noise.below(201)) / 200) * NOISE_A;
      const count = Math.round(((motorA(cycle) + spread) / RANGE_A) * RAW_MAX);
      return Math.max(0, Math.min(RAW_MAX, count));
    },
    pwm: () => undefined,
    digital(pin) {
      if (pin === 0) return cycle.state === "run" || cycle.state === "idle" ? 1 : 0;
      if (pin === 1) return cycle.state === "stopped" ? 0 : 1;
      return pin === 2 ? Number(cycle.state === "fault") : -1;
    },
    setDigital(pin, level) {
      if (pin === 0) cycle.released = level === 1;
    },
    pulses: (input) => (input === 0 ? cycle.parts : input === 1 ? cycle.rejects : -1),
    vibration(device, span, target) {
      if (device <= 1) vibrate(cycle, hissSeed, span, target);
      else target.fill(0);
    },
    state: () => cycle.state,
    wear: () => cycle.wear,
  };
}

function enter(cycle: Cycle, state: PressState): void {
  const { min, spread } = LAST_S[state];
  cycle.state = state;
  cycle.strokeStep = 0;
  cycle.endsAtStep = cycle.steps + Math.floor((min + cycle.prng.below(spread)) / STEP_S);
}

function step(cycle: Cycle): void {
  cycle.steps++;
  if (cycle.state === "run") work(cycle);
  if (cycle.state === "run" && !cycle.released) enter(cycle, "idle");
  if (cycle.steps < cycle.endsAtStep) return;
  if (cycle.state === "fault") cycle.wear = 0;
  if (cycle.state === "run") enter(cycle, cycle.prng.chance(STOP_CHANCE) ? "stopped" : "idle");
  else if (cycle.released) enter(cycle, "run");
}

function work(cycle: Cycle): void {
  cycle.wear += WEAR_PER_S * STEP_S;
  if (cycle.wear >= 1) {
    cycle.wear = 1;
    enter(cycle, "fault");
    return;
  }
  cycle.strokeStep++;
  if (cycle.strokeStep < STROKE_STEPS) return;
  cycle.strokeStep = 0;
  cycle.parts++;
  if (cycle.prng.chance(REJECT_CHANCE + REJECT_CHANCE_WORN * cycle.wear)) cycle.rejects++;
}

function motorA(cycle: Cycle): number {
  const blow = cycle.state === "run" && cycle.strokeStep < BLOW_STEPS;
  return CURRENT_A[cycle.state] + (blow ? BLOW_A : 0);
}

function vibrate(cycle: Cycle, seed: number, span: SampleSpan, target: Float64Array): void {
  const turning = cycle.state === "run" || cycle.state === "idle";
  const worn = cycle.wear * cycle.wear;
  const impulse = turning ? IMPULSE_WORN * worn : 0;
  const swing = IMBALANCE + LOOSE_WORN * worn * worn;
  const startS = span.startUs / 1_000_000;
  for (let i = 0; i < target.length; i++) {
    const sample = span.first + i;
    const timeS = startS + sample / span.rateHz;
    let value = HISS[cycle.state] * gauss(seed, sample);
    if (turning) value += swing * sine(timeS * SHAFT_HZ);
    if (impulse > 0) value += impulse * ring(timeS);
    target[i] = value;
  }
}

// The housing rings after each ball's passage over the damage.
function ring(timeS: number): number {
  const passages = timeS * OUTER_RACE_HZ;
  const sinceS = (passages - Math.floor(passages)) / OUTER_RACE_HZ;
  const x = RING_DECAY_PER_S * sinceS;
  return sine(sinceS * RING_HZ) / (1 + x + (x * x) / 2 + (x * x * x) / 6); // e^-x by its series
}

// Sine of so many turns, within 0.001: two parabolas, smoothed once.
function sine(turns: number): number {
  const phase = turns - Math.floor(turns) - 0.5; // -0.5 .. 0.5, half a turn behind
  const parabola = 8 * phase * (1 - 2 * Math.abs(phase));
  return -(0.775 * parabola + 0.225 * parabola * Math.abs(parabola));
}

// Mean 0, deviation 1: the sum of eight uniform numbers of eight bits is near a bell.
function gauss(seed: number, sample: number): number {
  const a = mix((seed + Math.imul(sample, 0x9e3779b9)) >>> 0);
  const b = mix(a ^ 0x5bd1e995);
  let sum = 0;
  for (let shift = 0; shift < 32; shift += 8) sum += ((a >>> shift) & 255) + ((b >>> shift) & 255);
  return (sum / 256 - (8 * 255) / 512) / 0.8165; // eight uniform numbers: variance 8 / 12
}
