// SPDX-License-Identifier: MIT
// The filters of an analog channel that uses more than median and ema.
//
//   mean of raw counts ► median ► low-pass ► average ► ema ► every n-th ► rate limit
//
// A bad sample empties all of them: what comes after an open wire owes nothing to what was before. It is
// thinned out like a good one, but a change of cause passes at once.

import { averageSample, AVERAGE_BYTES, AverageState, resetAverage } from "./average";
import { BiquadRow, BiquadState, startBiquad, stepBiquad } from "./biquad";
import { filterSample, FilterState, resetFilter } from "./filter";
import { DecimateState, limitRate, passSample, RateState, resetDecimate, resetRate } from "./rate";
import { AnalogRow } from "./sample";

/** Beside each analog channel where one of them uses it. */
@unmanaged
export class ChainRow {
  oversampleBits: i32; // 0, 2, 4 or 6: the mean of 1, 4, 16 or 64 counts
  lowpass: i32; // 1: there is one
  b0: i32; // BiquadRow
  b1: i32;
  b2: i32;
  a1: i32;
  a2: i32;
  average: i32; // 1..AVERAGE_SAMPLES_MAX
  every: i32; // this one of so many samples passes
  stepLow: u32; // halves of the largest move a sample, Q16; 0: no limit
  stepHigh: i32;
}

const AS_IT_IS = 65_536; // weight of a moving average that follows at once
const SINGLE = 1; // median of one
const COEFFICIENTS_AT: usize = 8; // of b0

/** Followed in memory by the states of rate limit, ema, average and decimation. */
@unmanaged
export class ChainState {
  y1: i64; // BiquadState
  y2: i64;
  x1: i32;
  x2: i32;
}

const RATE_AT: usize = offsetof<ChainState>();
const SMOOTH_AT: usize = RATE_AT + offsetof<RateState>();
const AVERAGE_AT: usize = SMOOTH_AT + offsetof<FilterState>();
const DECIMATE_AT: usize = AVERAGE_AT + AVERAGE_BYTES;

/** Memory of one channel, a multiple of 8. */
export const CHAIN_BYTES: usize = (DECIMATE_AT + offsetof<DecimateState>() + 7) & ~7;

/** A good sample through all filters that keep every sample. */
export function chainSample(
  row: AnalogRow,
  chain: ChainRow,
  filter: FilterState,
  state: ChainState,
  sample: i32,
): i32 {
  const isFirst = !filter.started;
  let value = filterSample(filter, row.median, AS_IT_IS, sample);
  if (chain.lowpass) {
    const biquad = changetype<BiquadState>(state);
    if (isFirst) startBiquad(biquad, value, value);
    value = stepBiquad(coefficientsOf(chain), biquad, value);
  }
  if (chain.average > 1) value = averageSample(averageOf(state), chain.average, value);
  return filterSample(smoothOf(state), SINGLE, row.weight, value);
}

/** True when this sample, good or bad, is one that passes; `changed`: it has another cause. */
export function chainPasses(chain: ChainRow, state: ChainState, changed: bool): bool {
  const decimate = changetype<DecimateState>(changetype<usize>(state) + DECIMATE_AT);
  if (changed) resetDecimate(decimate);
  return passSample(decimate, chain.every);
}

/** A good sample that passed, no further from the one before than it may be. */
export function chainLimit(chain: ChainRow, state: ChainState, value: i32): i32 {
  // A field of u32: asc 0.27.37 widens an i32 field with its sign even when it is cast to u32 first.
  const step = ((<i64>chain.stepHigh) << 32) | (<i64>chain.stepLow);
  return step == 0 ? value : limitRate(rateOf(state), step, value);
}

/** Empties every filter, after a bad sample. */
export function resetChain(filter: FilterState, state: ChainState): void {
  resetFilter(filter);
  resetFilter(smoothOf(state));
  resetAverage(averageOf(state));
  resetRate(rateOf(state));
}

function coefficientsOf(chain: ChainRow): BiquadRow {
  return changetype<BiquadRow>(changetype<usize>(chain) + COEFFICIENTS_AT);
}

function smoothOf(state: ChainState): FilterState {
  return changetype<FilterState>(changetype<usize>(state) + SMOOTH_AT);
}

function averageOf(state: ChainState): AverageState {
  return changetype<AverageState>(changetype<usize>(state) + AVERAGE_AT);
}

function rateOf(state: ChainState): RateState {
  return changetype<RateState>(changetype<usize>(state) + RATE_AT);
}
