// SPDX-License-Identifier: MIT
// Accelerometers of a tick: some samples of a burst ► features ► channels.
//
// Spec: SPEC.md §1.1. State: one BurstState and one VibrationState an accelerometer, in static memory. The
// device samples by itself, so a burst may begin with what waited in its FIFO. A tick takes at most
// twice what comes in a period; the sums are closed in a tick of their own.
//
//   WAITING -due-> SAMPLING -complete-> CLOSING -> WAITING
//        ^------------- silent for SILENCE_MS --'  (samples lost: the burst starts again)

import {
  ACCELEROMETER_COUNT,
  ACCELEROMETER_ROWS,
  BURST_ROWS,
  FEATURE_COUNT,
  FEATURE_ROWS,
} from "../../generated/loop";
import { BURST_SAMPLES_PER_TICK } from "../../limits";
import { CAUSE_NO_INPUT, CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import { burst_take } from "../abi";
import { acceptSample } from "../filter";
import {
  featureCause,
  featureMantissa,
  finishBurst,
  putSample,
  startBurst,
  VIBRATION_BYTES,
  VIBRATION_ROW_BYTES,
  VibrationRow,
  VibrationState,
} from "../vibration";
import { channelState, SPARE, tickMs } from "./channels";

const SILENCE_MS: u32 = 1000; // 100 samples of the slowest accelerometer
const SAMPLE_BYTES = 2;

const PHASE_WAITING = 0;
const PHASE_SAMPLING = 1;
const PHASE_CLOSING = 2;

@unmanaged
class BurstRow {
  device: i32;
  everyMs: i32; // from the start of one burst to that of the next
  samplesPerTick: i32; // BURST_SAMPLES_PER_TICK at most
}

@unmanaged
class FeatureRow {
  channel: i32;
  accelerometer: i32; // order in node.json
  feature: i32; // FEATURE_*
  decimals: i32;
}

@unmanaged
class BurstState {
  phase: i32;
  dueMs: u32; // of the next burst
  heardMs: u32; // when samples came last
}

const SAMPLES = memory.data(
  ACCELEROMETER_COUNT > 0 ? BURST_SAMPLES_PER_TICK * SAMPLE_BYTES : SPARE,
  4,
);
const BURSTS = memory.data(ACCELEROMETER_COUNT * offsetof<BurstState>() + SPARE, 4);
const VIBRATIONS = memory.data(ACCELEROMETER_COUNT * VIBRATION_BYTES + SPARE, 8);

/** One step of every accelerometer. */
export function stepBursts(): void {
  for (let i = 0; i < ACCELEROMETER_COUNT; i++) {
    const burst = changetype<BurstState>(BURSTS + i * offsetof<BurstState>());
    if (burst.phase == PHASE_CLOSING) closeBurst(i, burst);
    if (burst.phase == PHASE_WAITING && <i32>(tickMs() - burst.dueMs) >= 0) beginBurst(i, burst);
    if (burst.phase == PHASE_SAMPLING) takeSamples(i, burst);
  }
}

function beginBurst(index: i32, burst: BurstState): void {
  startBurst(vibrationOf(index));
  burst.dueMs = tickMs() + burstRow(index).everyMs;
  burst.heardMs = tickMs();
  burst.phase = PHASE_SAMPLING;
}

function takeSamples(index: i32, burst: BurstState): void {
  const row = vibrationRow(index);
  const state = vibrationOf(index);
  const from = burstRow(index);
  const most = min(from.samplesPerTick, BURST_SAMPLES_PER_TICK);
  const capacity = min(most, row.samples - state.count);
  const count = burst_take(from.device, SAMPLES, capacity);
  assert(count <= capacity);
  if (count < 0) startBurst(state); // the rest would not follow what is summed up
  if (count <= 0) {
    if (tickMs() - burst.heardMs < SILENCE_MS) return;
    tellFeatures(index, CAUSE_NO_INPUT);
    burst.phase = PHASE_WAITING;
    return;
  }
  burst.heardMs = tickMs();
  for (let k = 0; k < count; k++) {
    if (putSample(row, state, load<i16>(SAMPLES + k * SAMPLE_BYTES))) burst.phase = PHASE_CLOSING;
  }
}

function closeBurst(index: i32, burst: BurstState): void {
  finishBurst(vibrationRow(index), vibrationOf(index));
  tellFeatures(index, CAUSE_NONE);
  burst.phase = PHASE_WAITING;
}

// A cause for all features of an accelerometer, or each with its own.
function tellFeatures(index: i32, reason: i32): void {
  const state = vibrationOf(index);
  for (let i = 0; i < FEATURE_COUNT; i++) {
    const row = changetype<FeatureRow>(
      changetype<usize>(FEATURE_ROWS) + i * offsetof<FeatureRow>(),
    );
    if (row.accelerometer != index) continue;
    const channel = channelState(row.channel);
    const cause = reason == CAUSE_NONE ? featureCause(state, row.feature) : reason;
    if (cause == CAUSE_NONE) {
      const value = featureMantissa(state, row.feature, row.decimals);
      acceptSample(channel, value, QUALITY_GOOD, CAUSE_NONE);
    } else {
      acceptSample(channel, channel.value, QUALITY_BAD, cause);
    }
  }
}

function burstRow(index: i32): BurstRow {
  return changetype<BurstRow>(changetype<usize>(BURST_ROWS) + index * offsetof<BurstRow>());
}

function vibrationRow(index: i32): VibrationRow {
  return changetype<VibrationRow>(
    changetype<usize>(ACCELEROMETER_ROWS) + index * VIBRATION_ROW_BYTES,
  );
}

function vibrationOf(index: i32): VibrationState {
  return changetype<VibrationState>(VIBRATIONS + index * VIBRATION_BYTES);
}
