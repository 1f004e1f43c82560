// SPDX-License-Identifier: MIT
// An accelerometer of one axis: samples for itself into a FIFO, read in bursts.
//
// Spec: SPEC.md §1.1 burst_take. The FIFO holds BURST_FIFO_SAMPLES; when it is full the oldest sample is
// lost and the next burst says so once. Samples are a function of their number, so only those that are
// read are computed; nothing is allocated for a burst.

import type { Vibration } from "./devices/device.ts";
import { BURST_FIFO_SAMPLES } from "./limits.ts";
import type { AccelerometerPlan } from "./plan.ts";

const G = 9.80665; // m/s², standard gravity
const COUNT_MAX = 32_767;
const SECOND_US = 1_000_000;
const SAMPLE_BYTES = 2;

export interface Accelerometer {
  /** Power came: the FIFO is empty, sampling starts. */
  start(nowUs: number): void;
  /** Up to `capacity` samples, little-endian i16, oldest first; how many, -1 once after an overflow. */
  take(nowUs: number, target: Uint8Array, offset: number, capacity: number): number;
}

/** Counts of 16 bits for m/s², 32,768 being `rangeG`. */
export function countsOf(value: number, rangeG: number): number {
  const counts = Math.round(value * ((COUNT_MAX + 1) / (rangeG * G)));
  return Math.max(-COUNT_MAX - 1, Math.min(COUNT_MAX, counts));
}

/** Without a vibrating machine it reads 0. */
export function createAccelerometer(
  plan: AccelerometerPlan,
  vibration: Vibration | undefined,
): Accelerometer {
  const values = new Float64Array(BURST_FIFO_SAMPLES); // m/s²
  let startUs = 0;
  let overflowTold = false;
  let next = 0; // number of the oldest sample in the FIFO, 0 being the first after power-on

  return {
    start(nowUs) {
      startUs = nowUs;
      next = 0;
      overflowTold = false;
    },
    take(nowUs, target, offset, capacity) {
      const sampled = Math.floor(((nowUs - startUs) * plan.rateHz) / SECOND_US);
      if (sampled - next > BURST_FIFO_SAMPLES) {
        next = sampled - BURST_FIFO_SAMPLES;
        overflowTold = !overflowTold; // once, so that a full FIFO can be read at all
        if (overflowTold) return -1;
      }
      overflowTold = false;
      const count = Math.min(sampled - next, capacity);
      const wanted = values.subarray(0, count);
      if (vibration === undefined) wanted.fill(0);
      else vibration(plan.device, { startUs, first: next, rateHz: plan.rateHz }, wanted);
      next += count;
      for (let i = 0; i < count; i++) putCount(target, offset + i * SAMPLE_BYTES, values[i]!);
      return count;
    },
  };

  function putCount(target: Uint8Array, offset: number, value: number): void {
    const count = countsOf(value, plan.rangeG);
    target[offset] = count & 0xff;
    target[offset + 1] = (count >> 8) & 0xff;
  }
}
