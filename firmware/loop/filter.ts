// SPDX-License-Identifier: MIT
// Filters of a sample, and whether a sample is worth a record.
//
// A bad sample passes unfiltered and empties the filter: the next good one starts it anew, so an open
// wire is never smoothed into numbers. Report by exception: first sample, changed quality or cause,
// moved by more than the dead band, or the heartbeat is due. Without a dead band every sample is told.

import { USES_MEDIAN_5 } from "../generated/uses";
import { wide, wideShift } from "../wide";
import { QUALITY_BAD } from "../wire/record";
import { hasMoved } from "./compare";

/** Median window, newest first, and the moving average with 15 bits of fraction. */
@unmanaged
export class FilterState {
  average: wide;
  w0: i32;
  w1: i32;
  w2: i32;
  w3: i32;
  w4: i32;
  started: i32;
}

/** One channel of any kind. */
@unmanaged
export class ChannelRow {
  kind: i32; // CHANNEL_KIND_*
  type: i32; // TYPE_I32, TYPE_U32 or TYPE_F32; TYPE_BYTES: a text, whose value counts its changes
  byException: i32; // 1: the dead band decides; 0: every sample is told
  deadband: i32; // same type as the value
  heartbeatMs: i32;
  alarmFirst: i32;
  alarmCount: i32;
}

/** The latest sample of a channel, and what was last told of it. */
@unmanaged
export class ChannelState {
  value: i32;
  heardMs: u32; // time of the latest sample; of init before the first
  toldValue: i32;
  toldMs: u32;
  quality: u8;
  cause: u8;
  toldQuality: u8;
  toldCause: u8;
  known: u8; // 1 after the first sample
  fresh: u8; // 1 in the tick of the sample
  told: u8; // 1 after the first record
  reserved: u8; // states stand in a row: each must keep the next one aligned
}

/** A good sample through median (1, 3 or 5) and moving average (weight 1..65536). */
export function filterSample(state: FilterState, median: i32, weight: i32, sample: i32): i32 {
  if (!state.started) startFilter(state, sample);
  if (USES_MEDIAN_5) {
    state.w4 = state.w3;
    state.w3 = state.w2;
  }
  state.w2 = state.w1;
  state.w1 = state.w0;
  state.w0 = sample;
  const middle =
    median == 1 ? sample : !USES_MEDIAN_5 || median == 3 ? median3Of(state) : median5Of(state);
  // The step is below 2^32 * 2^15 and the weight at most 2^16: the product fits 63 bits and a sign.
  // The generator sees to 2^53 where they are doubles.
  const step = <wide>middle * 32768 - state.average;
  state.average += wideShift(step * <wide>weight + 32768, 16);
  return <i32>wideShift(state.average + 16384, 15);
}

/** Empties the filter, after a bad sample. */
export function resetFilter(state: FilterState): void {
  state.started = 0;
}

/** Takes a sample over into the channel. */
export function acceptSample(state: ChannelState, value: i32, quality: i32, cause: i32): void {
  state.value = value;
  state.quality = <u8>quality;
  state.cause = <u8>cause;
  state.known = 1;
  state.fresh = 1;
}

/** True when the sample just accepted deserves a record. */
export function isReportDue(row: ChannelRow, state: ChannelState, nowMs: u32): bool {
  if (!row.byException || isRepeatDue(row, state, nowMs)) return true;
  if (state.quality == QUALITY_BAD) return false;
  return hasMoved(row.type, state.value, state.toldValue, row.deadband);
}

/** True when what was last told is wrong by quality or cause, or older than the heartbeat. */
export function isRepeatDue(row: ChannelRow, state: ChannelState, nowMs: u32): bool {
  if (!state.told) return true;
  if (state.quality != state.toldQuality || state.cause != state.toldCause) return true;
  return nowMs - state.toldMs >= <u32>row.heartbeatMs;
}

/** Notes that the channel's sample went into the ring. */
export function markTold(state: ChannelState, nowMs: u32): void {
  state.toldValue = state.value;
  state.toldQuality = state.quality;
  state.toldCause = state.cause;
  state.toldMs = nowMs;
  state.told = 1;
}

// The first sample fills the whole window: no value is made up from zeros.
function startFilter(state: FilterState, sample: i32): void {
  state.w0 = sample;
  state.w1 = sample;
  state.w2 = sample;
  if (USES_MEDIAN_5) state.w3 = sample;
  state.average = <wide>sample * 32768;
  state.started = 1;
}

function median3Of(state: FilterState): i32 {
  return median3(state.w0, state.w1, state.w2);
}

// Of four values the second and the third stand between the smaller and the larger pairs; the fifth
// decides among them.
function median5Of(state: FilterState): i32 {
  const low = max(min(state.w0, state.w1), min(state.w2, state.w3));
  const high = min(max(state.w0, state.w1), max(state.w2, state.w3));
  return median3(low, high, state.w4);
}

function median3(a: i32, b: i32, c: i32): i32 {
  return max(min(a, b), min(max(a, b), c));
}
