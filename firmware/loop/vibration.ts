// SPDX-License-Identifier: MIT
// Features of a burst: velocity, acceleration, peak, crest factor, kurtosis.
//
//   count ► high-pass 10 Hz ┬► sums of acceleration
//                           └► low-pass 1,000 Hz ► leaky integration ► sums of velocity
//
// One axis, one sample at a time, constant work a sample; the burst itself is not kept. Filters are
// Butterworth of fourth order, two sections each; the first `settle` samples only let them settle. Results
// are in 1e-6 of the unit; how far they are right is in SPEC.md §12.
// Velocity is integrated as v += (8 a + a1) / 9: within 0.7 % from 10 to 1,000 Hz at 3,200 Hz, where the
// trapezoid would lose a third. Its mean is left out, so the slow leak does no harm.
// (I1) |count| < 2^15, and the high-pass makes 3.2 of it at most: in Q4 below 2^21, its square below 2^42.
// (I2) band and integral make 61.7 samples of full scale at most, at 3,200 Hz: 9/8 of it in Q8 is below 2^30.

import { BURST_SAMPLES_MAX } from "../limits";
import { CAUSE_NONE, CAUSE_NOT_A_NUMBER, CAUSE_OVER_RANGE } from "../wire/record";
import { BiquadRow, BiquadState, startBiquad, stepBiquad } from "./biquad";

export const FEATURE_VELOCITY_RMS = 0; // m/s
export const FEATURE_ACCELERATION_RMS = 1; // m/s²
export const FEATURE_PEAK = 2; // m/s², of the acceleration
export const FEATURE_CREST = 3; // peak by RMS
export const FEATURE_KURTOSIS = 4; // 3 for normal noise
export const FEATURE_COUNT = 5;

const INPUT_BITS = 10; // fraction of a count in the filters
const SUM_BITS = 4; // fraction in the sums of acceleration
const SUM_HALF = 1 << (INPUT_BITS - SUM_BITS - 1);
const LEAK_BITS = 12; // 0.12 Hz at 3,200 Hz
const VELOCITY_SHIFT = 5; // from 9 v in Q10 to 9/8 v in Q8
const HALF_BITS = 21; // a square is summed up in two halves, so that no sum leaves 64 bits
const HALF_MASK: i64 = (1 << HALF_BITS) - 1;
const VELOCITY_HALF_BITS = 30;
const VELOCITY_HALF_MASK: i64 = (1 << VELOCITY_HALF_BITS) - 1;
const VELOCITY_DIVISOR: i64 = 9 * 1000 * 1024; // 9/8, nano to micro, Q10
const RATIO_BITS = 26; // of the sum of squares in the kurtosis
const MICRO: i64 = 1_000_000;
const DECIMALS = 6; // of the results
const COUNT_MAX = 32_767;

/** One accelerometer; followed in memory by a BiquadRow for each section, high-pass first. */
@unmanaged
export class VibrationRow {
  countNano: i32; // one count in 1e-9 m/s²
  rateHz: i32;
  samples: i32; // taken in a burst
  settle: i32; // of these the first are not summed up
}

const HIGH_SECTIONS = 2;
const SECTIONS = 4;

/** Memory of one row. */
export const VIBRATION_ROW_BYTES: usize =
  offsetof<VibrationRow>() + SECTIONS * offsetof<BiquadRow>();

/** Sums of one burst; followed in memory by the states of the sections and the results. */
@unmanaged
export class VibrationState {
  squares: i64; // acceleration, Q4
  fourthHigh: i64; // sums of products of the halves of each square
  fourthMixed: i64;
  fourthLow: i64;
  velocity: i64; // the integral, 9 v in Q10
  velocitySum: i64; // 9/8 v in Q8
  velocityHigh: i64; // sum of the upper halves of its squares
  velocityLow: i64;
  before: i32; // band-limited acceleration of the sample before
  peak: i32; // Q4
  count: i32; // samples so far
  clipped: i32; // samples at the end of the range
}

const FILTERS: usize = offsetof<VibrationState>();
const RESULTS: usize = FILTERS + SECTIONS * offsetof<BiquadState>(); // i64 by FEATURE_*

/** Memory of one accelerometer, a multiple of 8. */
export const VIBRATION_BYTES: usize = RESULTS + FEATURE_COUNT * 8;

/** Begins a burst; results of the one before stay until finishBurst. */
export function startBurst(state: VibrationState): void {
  memory.fill(changetype<usize>(state), 0, RESULTS);
}

/** One sample, -32,768..32,767. True: the burst is complete, and finishBurst is next. */
export function putSample(row: VibrationRow, state: VibrationState, sample: i32): bool {
  assert(state.count < row.samples && row.samples - row.settle <= BURST_SAMPLES_MAX);
  const input = sample << INPUT_BITS;
  // Gravity is in the first sample already; the other sections start from 0.
  if (state.count == 0) startBiquad(sectionOf(state, 0), input, 0);
  if (sample >= COUNT_MAX || sample <= -COUNT_MAX) state.clipped++;
  const acceleration = filter(row, state, 0, HIGH_SECTIONS, input);
  integrate(state, filter(row, state, HIGH_SECTIONS, SECTIONS, acceleration));
  if (state.count >= row.settle) {
    sumAcceleration(state, (acceleration + SUM_HALF) >> (INPUT_BITS - SUM_BITS));
    sumVelocity(state);
  }
  state.count++;
  return state.count == row.samples;
}

/** Makes the results of a complete burst. */
export function finishBurst(row: VibrationRow, state: VibrationState): void {
  const count = state.count - row.settle;
  assert(state.count == row.samples && count > 0);
  const rest = ((state.squares % count) << 20) / count;
  const rms = root(((state.squares / count) << 20) + rest); // Q14, below 2^31
  const nano = <i64>row.countNano;
  setResult(state, FEATURE_VELOCITY_RMS, velocityMicro(row, state, count));
  setResult(state, FEATURE_ACCELERATION_RMS, ((rms * nano) >> 14) / 1000);
  setResult(state, FEATURE_PEAK, ((<i64>state.peak * nano) >> SUM_BITS) / 1000);
  setResult(state, FEATURE_CREST, rms == 0 ? 0 : (((<i64>state.peak) << 10) * MICRO) / rms);
  setResult(state, FEATURE_KURTOSIS, rms == 0 ? 0 : kurtosisMicro(state, count));
}

/** A result as mantissa of 0..6 decimals, rounded; the largest i32 where it is larger. */
export function featureMantissa(state: VibrationState, feature: i32, decimals: i32): i32 {
  let divisor: i64 = 1;
  for (let i = decimals; i < DECIMALS; i++) divisor *= 10;
  return <i32>min((resultOf(state, feature) + divisor / 2) / divisor, <i64>i32.MAX_VALUE);
}

/** Why a result is no value: over-range when samples were clipped, not-a-number for a ratio of silence. */
export function featureCause(state: VibrationState, feature: i32): i32 {
  if (state.clipped > 0) return CAUSE_OVER_RANGE;
  const isRatio = feature == FEATURE_CREST || feature == FEATURE_KURTOSIS;
  return isRatio && resultOf(state, feature) == 0 ? CAUSE_NOT_A_NUMBER : CAUSE_NONE;
}

function filter(row: VibrationRow, state: VibrationState, from: i32, to: i32, sample: i32): i32 {
  for (let i = from; i < to; i++) {
    const rows = changetype<usize>(row) + offsetof<VibrationRow>();
    const section = changetype<BiquadRow>(rows + i * offsetof<BiquadRow>());
    sample = stepBiquad(section, sectionOf(state, i), sample);
  }
  return sample;
}

function sectionOf(state: VibrationState, index: i32): BiquadState {
  const states = changetype<usize>(state) + FILTERS;
  return changetype<BiquadState>(states + index * offsetof<BiquadState>());
}

function integrate(state: VibrationState, acceleration: i32): void {
  const next = state.velocity + 8 * <i64>acceleration + state.before;
  state.velocity = next - (next >> LEAK_BITS);
  state.before = acceleration;
}

function sumAcceleration(state: VibrationState, acceleration: i32): void {
  const square = <i64>acceleration * <i64>acceleration; // (I1)
  const high = square >> HALF_BITS;
  const low = square & HALF_MASK;
  state.squares += square;
  state.fourthHigh += high * high;
  state.fourthMixed += high * low;
  state.fourthLow += low * low;
  state.peak = max(state.peak, abs(acceleration));
}

function sumVelocity(state: VibrationState): void {
  const velocity = state.velocity >> VELOCITY_SHIFT; // (I2)
  const square = velocity * velocity;
  state.velocitySum += velocity;
  state.velocityHigh += square >> VELOCITY_HALF_BITS;
  state.velocityLow += square & VELOCITY_HALF_MASK;
}

// The standard deviation of the velocity, 1e-6 m/s.
function velocityMicro(row: VibrationRow, state: VibrationState, count: i64): i64 {
  const rest = ((state.velocityHigh % count) << VELOCITY_HALF_BITS) + state.velocityLow;
  const mean = state.velocitySum / count;
  const power = ((state.velocityHigh / count) << VELOCITY_HALF_BITS) + rest / count;
  const rms = root(max(power - mean * mean, 0) << 4); // 9/8 v in Q10, per sample
  const nano = (rms * <i64>row.countNano) / row.rateHz; // below 2^57; still 9/8 of it, Q10
  return (nano * 8 + VELOCITY_DIVISOR / 2) / VELOCITY_DIVISOR;
}

// count * sum(a^4) / sum(a^2)^2, with the sum of squares brought down to RATIO_BITS.
function kurtosisMicro(state: VibrationState, count: i64): i64 {
  const bits = 64 - <i32>clz(state.squares);
  const shift = max(bits - RATIO_BITS, 0);
  const squares = state.squares >> shift;
  const fourth =
    shifted(state.fourthHigh, 2 * (HALF_BITS - shift)) +
    shifted(state.fourthMixed, HALF_BITS + 1 - 2 * shift) +
    shifted(state.fourthLow, -2 * shift);
  // fourth <= squares^2 < 2^52; thousandths first, then the rest of the division.
  const unit = max((squares * squares) / count, 1);
  const whole = fourth / unit;
  return whole * MICRO + (((fourth % unit) * 1000) / unit) * 1000;
}

function shifted(value: i64, bits: i32): i64 {
  return bits >= 0 ? value << bits : value >> min(-bits, 63);
}

// Whole square root of 0..2^63, bit by bit: 32 rounds.
function root(value: i64): i64 {
  let rest: u64 = value;
  let result: u64 = 0;
  for (let bit: u64 = 1 << 62; bit != 0; bit >>= 2) {
    const trial = result + bit;
    result >>= 1;
    if (rest >= trial) {
      rest -= trial;
      result += bit;
    }
  }
  return result;
}

function resultOf(state: VibrationState, feature: i32): i64 {
  assert(<u32>feature < <u32>FEATURE_COUNT);
  return load<i64>(changetype<usize>(state) + RESULTS + (feature << 3));
}

function setResult(state: VibrationState, feature: i32, micro: i64): void {
  store<i64>(changetype<usize>(state) + RESULTS + (feature << 3), micro);
}
