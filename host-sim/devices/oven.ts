// SPDX-License-Identifier: MIT
// A small oven: heater on PWM output 0, thermocouple on input 0, and a door.
//
// Model: one heat capacity, loss to the room proportional to the difference, several times as large
// while the door is open; the sensor follows with a first-order lag. Integrated in steps of STEP_US
// with + - * / only, so every machine computes the same bits. The door opens by seed now and then.
// 12-bit counts: raw 0..4095 stands for -50..350 degrees Celsius.

import type { Prng } from "../prng.ts";
import type { Device } from "./device.ts";

const STEP_US = 10_000;
const STEP_S = 0.01;
const ROOM_C = 22;
const HEATER_W = 2400;
const CAPACITY_J_PER_K = 400; // about 6 K/s at full power: a set-point within a minute
const LOSS_W_PER_K = 5;
const LOSS_DOOR_OPEN_W_PER_K = 20; // full power still holds 140 K above the room
const SENSOR_LAG_S = 0.8;
const NOISE_COUNTS = 2; // either way; triangular
const DOOR_SHUT_S = { min: 60, spread: 120 };
const DOOR_OPEN_S = { min: 4, spread: 6 };
const RAW_MAX = 4095;
const RAW_MIN_C = -50;
const RAW_SPAN_C = 400;

export interface Oven extends Device {
  /** What the chamber really has, degrees Celsius. */
  temperatureC(): number;
  doorOpen(): boolean;
}

/** An oven at room temperature, door shut. */
export function createOven(prng: Prng): Oven {
  const noise = prng.fork("noise");
  const door = prng.fork("door");
  let steps = 0;
  let chamberC = ROOM_C;
  let sensorC = ROOM_C;
  let duty = 0;
  let open = false;
  let doorMovesAtStep = 0;
  moveDoorLater();

  function moveDoorLater(): void {
    const { min, spread } = open ? DOOR_OPEN_S : DOOR_SHUT_S;
    doorMovesAtStep = steps + Math.floor((min + door.below(spread)) / STEP_S);
  }

  function step(): void {
    steps++;
    if (steps >= doorMovesAtStep) {
      open = !open;
      moveDoorLater();
    }
    const loss = open ? LOSS_DOOR_OPEN_W_PER_K : LOSS_W_PER_K;
    const watts = (HEATER_W * duty) / 65_535 - loss * (chamberC - ROOM_C);
    chamberC += (watts / CAPACITY_J_PER_K) * STEP_S;
    sensorC += ((chamberC - sensorC) / SENSOR_LAG_S) * STEP_S;
  }

  return {
    advance(nowUs) {
      const wanted = Math.floor(nowUs / STEP_US);
      while (steps < wanted) step();
    },
    adc(input) {
      if (input !== 0) return -1;
      const spread = noise.below(NOISE_COUNTS + 1) - noise.below(NOISE_COUNTS + 1);
      const count = Math.round(((sensorC - RAW_MIN_C) / RAW_SPAN_C) * RAW_MAX) + spread;
      return Math.max(0, Math.min(RAW_MAX, count));
    },
    pwm(output, wantedDuty) {
      if (output === 0) duty = wantedDuty;
    },
    temperatureC: () => chamberC,
    doorOpen: () => open,
  };
}
