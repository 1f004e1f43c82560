// SPDX-License-Identifier: MIT
// Constants of the vibration stage from the sampling rate.
//
// Fields follow VibrationRow in firmware/loop/vibration.ts. Severity is judged between 10 and 1,000 Hz;
// below 3,200 samples a second the upper limit is 0.3125 of the rate, so that the shape stays the same.

import { butterworthHighpass4, butterworthLowpass4 } from "./butterworth.ts";

const BAND_HZ = { low: 10, high: 1000 };
const HIGH_RATIO_MAX = 0.3125;
const SETTLE_S = 0.3; // the high-pass has forgotten how it started: e^-7
const STANDARD_GRAVITY = 9.80665; // m/s²
const FULL_SCALE = 32_768; // this count would be rangeG

export const VIBRATION_RATE_HZ_MIN = 100; // ten times the lower limit of the band

/** How long a burst is taken, in ms: what lets the filters settle, then what is summed up. */
export function burstMs(rateHz: number, samples: number): number {
  return Math.ceil(((settleSamples(rateHz) + samples) * 1000) / rateHz);
}

/** Fields of one accelerometer; the rate is VIBRATION_RATE_HZ_MIN or more. */
export function vibrationFields(rateHz: number, samples: number, rangeG: number): number[] {
  const high = Math.min(BAND_HZ.high, HIGH_RATIO_MAX * rateHz);
  const settle = settleSamples(rateHz);
  return [
    Math.round((rangeG * STANDARD_GRAVITY * 1e9) / FULL_SCALE),
    rateHz,
    settle + samples,
    settle,
    ...butterworthHighpass4(BAND_HZ.low, rateHz).flat(),
    ...butterworthLowpass4(high, rateHz).flat(),
  ];
}

function settleSamples(rateHz: number): number {
  return Math.ceil(SETTLE_S * rateHz);
}
