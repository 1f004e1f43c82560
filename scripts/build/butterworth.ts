// SPDX-License-Identifier: MIT
// Coefficients of Butterworth filters of second order, as biquad.ts wants them.
//
// Bilinear transform with the cut-off where it was asked for. Q28 integers b0, b1, b2, a1, a2 with a0 = 1.
// What must be exact is exact after rounding: a low-pass passes a constant as it is, a high-pass stops it.
// Rounding a1 and a2 moves the cut-off by less than 0.2 % at the lowest ratio that is allowed.

export const LOWPASS_RATIO_MIN = 1 / 5000; // cut-off by sample rate; below, Q28 is too coarse
export const LOWPASS_RATIO_MAX = 0.45; // above, there is nothing left to take away

const ONE = 2 ** 28;

export type Biquad = [b0: number, b1: number, b2: number, a1: number, a2: number];

/** True when a filter with this cut-off can be made. */
export function isCutoffPossible(hz: number, sampleHz: number): boolean {
  const ratio = hz / sampleHz;
  return ratio >= LOWPASS_RATIO_MIN && ratio <= LOWPASS_RATIO_MAX;
}

/** Passes what is below `hz`; -3 dB there. */
export function butterworthLowpass(hz: number, sampleHz: number): Biquad {
  const [a1, a2] = poles(hz, sampleHz);
  const sum = ONE + a1 + a2;
  const outer = Math.round(sum / 4);
  return [outer, sum - 2 * outer, outer, a1, a2];
}

/** Passes what is above `hz`; -3 dB there. */
export function butterworthHighpass(hz: number, sampleHz: number): Biquad {
  const [a1, a2] = poles(hz, sampleHz);
  const outer = Math.round((ONE - a1 + a2) / 4);
  return [outer, -2 * outer, outer, a1, a2];
}

function poles(hz: number, sampleHz: number): [number, number] {
  if (!isCutoffPossible(hz, sampleHz))
    throw new RangeError(`no filter of ${hz} Hz at ${sampleHz} samples a second`);
  const k = Math.tan((Math.PI * hz) / sampleHz);
  const norm = 1 + Math.SQRT2 * k + k * k;
  const a1 = (2 * (k * k - 1)) / norm;
  const a2 = (1 - Math.SQRT2 * k + k * k) / norm;
  return [Math.round(a1 * ONE), Math.round(a2 * ONE)];
}
