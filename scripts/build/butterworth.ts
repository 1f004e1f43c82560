// SPDX-License-Identifier: MIT
// Coefficients of Butterworth filters, as biquad.ts wants them.
//
// Second order is one section; fourth order is two in a row, whose Q are those of its pairs of poles.
// Bilinear transform with the cut-off where it was asked for. Q28 integers b0, b1, b2, a1, a2 with a0 = 1.
// What must be exact is exact after rounding: a low-pass passes a constant as it is, a high-pass stops it.
// Rounding a1 and a2 moves the cut-off by less than 0.2 % at the lowest ratio that is allowed.

export const LOWPASS_RATIO_MIN = 1 / 5000; // cut-off by sample rate; below, Q28 is too coarse
export const LOWPASS_RATIO_MAX = 0.45; // above, there is nothing left to take away

const ONE = 2 ** 28;
const SECOND_ORDER = [Math.SQRT1_2];
const FOURTH_ORDER = [1, 3].map((k) => 1 / (2 * Math.cos((k * Math.PI) / 8)));

export type Biquad = [b0: number, b1: number, b2: number, a1: number, a2: number];

/** True when a filter with this cut-off can be made. */
export function isCutoffPossible(hz: number, sampleHz: number): boolean {
  const ratio = hz / sampleHz;
  return ratio >= LOWPASS_RATIO_MIN && ratio <= LOWPASS_RATIO_MAX;
}

/** Passes what is below `hz`; -3 dB there. */
export function butterworthLowpass(hz: number, sampleHz: number): Biquad {
  return lowpass(hz, sampleHz, SECOND_ORDER[0]!);
}

/** Passes what is above `hz`; -3 dB there. */
export function butterworthHighpass(hz: number, sampleHz: number): Biquad {
  return highpass(hz, sampleHz, SECOND_ORDER[0]!);
}

/** The two sections of fourth order; the one that rings longer comes last. */
export function butterworthLowpass4(hz: number, sampleHz: number): Biquad[] {
  return FOURTH_ORDER.map((q) => lowpass(hz, sampleHz, q));
}

export function butterworthHighpass4(hz: number, sampleHz: number): Biquad[] {
  return FOURTH_ORDER.map((q) => highpass(hz, sampleHz, q));
}

function lowpass(hz: number, sampleHz: number, q: number): Biquad {
  const [a1, a2] = poles(hz, sampleHz, q);
  const sum = ONE + a1 + a2;
  const outer = Math.round(sum / 4);
  return [outer, sum - 2 * outer, outer, a1, a2];
}

function highpass(hz: number, sampleHz: number, q: number): Biquad {
  const [a1, a2] = poles(hz, sampleHz, q);
  const outer = Math.round((ONE - a1 + a2) / 4);
  return [outer, -2 * outer, outer, a1, a2];
}

function poles(hz: number, sampleHz: number, q: number): [number, number] {
  if (!isCutoffPossible(hz, sampleHz))
    throw new RangeError(`no filter of ${hz} Hz at ${sampleHz} samples a second`);
  const k = Math.tan((Math.PI * hz) / sampleHz);
  const norm = 1 + k / q + k * k;
  const a1 = (2 * (k * k - 1)) / norm;
  const a2 = (1 - k / q + k * k) / norm;
  return [Math.round(a1 * ONE), Math.round(a2 * ONE)];
}
