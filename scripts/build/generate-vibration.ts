// SPDX-License-Identifier: MIT
// Constants of the vibration stage from the sampling rate.
//
// Fields follow VibrationRow in firmware/loop/vibration.ts. Severity is judged between 10 and 1,000 Hz;
// below 2,500 samples a second the upper limit is 0.4 of the rate.

import { butterworthHighpass, butterworthLowpass } from "./butterworth.ts";

const BAND_HZ = { low: 10, high: 1000 };
const HIGH_RATIO_MAX = 0.4;
const SETTLE_S = 0.2; // the high-pass has forgotten how it started: e^-9
const STANDARD_GRAVITY = 9.80665; // m/s²
const FULL_SCALE = 32_768; // this count would be rangeG

export const VIBRATION_RATE_HZ_MIN = 100; // ten times the lower limit of the band

/** Fields of one accelerometer; the rate is VIBRATION_RATE_HZ_MIN or more. */
export function vibrationFields(rateHz: number, samples: number, rangeG: number): number[] {
  const high = Math.min(BAND_HZ.high, HIGH_RATIO_MAX * rateHz);
  const settle = Math.min(Math.ceil(SETTLE_S * rateHz), Math.floor(samples / 2));
  const countNano = Math.round((rangeG * STANDARD_GRAVITY * 1e9) / FULL_SCALE);
  return [
    ...butterworthHighpass(BAND_HZ.low, rateHz),
    ...butterworthLowpass(high, rateHz),
    countNano,
    rateHz,
    samples,
    settle,
  ];
}
