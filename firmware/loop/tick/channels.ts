// SPDX-License-Identifier: MIT
// Channels of all kinds: clock, latest samples, and what is told of them.
//
// Spec: SPEC.md §1.4. State: `clock`, one ChannelState a channel and one AlarmState an alarm, in static
// memory. What a full ring refuses stays untold: it is due again with the next sample.

import {
  ALARM_COUNT,
  ALARM_ROWS,
  CHANNEL_COUNT,
  CHANNEL_ROWS,
  FIELD_COUNT,
  LATCH_COUNT,
  LATCH_ROWS,
  OBJECT_COUNT,
  PLACE_COUNT,
} from "../../generated/loop";
import { TEXT_BYTES } from "../../generated/uses";
import { RECORD_BYTES_MAX } from "../../limits";
import { CAUSE_STALE, QUALITY_BAD, TYPE_BYTES } from "../../wire/record";
import { CHANNEL_KIND_FIELD, CHANNEL_KIND_OBJECT, CHANNEL_KIND_REGISTER } from "../../wire/senml";
import { now_us, ring_put } from "../abi";
import { AlarmRow, AlarmState, holdsLatch, interruptAlarm, LatchRow, stepAlarm } from "../decide";
import {
  acceptSample,
  ChannelRow,
  ChannelState,
  isRepeatDue,
  isReportDue,
  markTold,
} from "../filter";
import { encodeEvent, encodeReading } from "../record";
import { encodeText } from "./texts";

/** Globals, not memory: no pointer is one of them, and nothing is read again. */
namespace clock {
  export let nowUs: u32 = 0; // of this tick
  export let nowMs: u32 = 0; // since init, wraps after 49 days
  export let restUs: u32 = 0; // not yet in nowMs
}

/** Room for tables of no rows: asc refuses a size of 0. */
export const SPARE = 4;
/** Where one record is made at a time. */
export const RECORD = memory.data(RECORD_BYTES_MAX, 4);
const CHANNELS = memory.data(CHANNEL_COUNT * offsetof<ChannelState>() + SPARE, 4);
const ALARMS = memory.data(ALARM_COUNT * offsetof<AlarmState>() + SPARE, 4);

/** Microseconds of this tick, as the host has them. */
export function tickUs(): u32 {
  return clock.nowUs;
}

/** Milliseconds since init, of this tick; wraps after 49 days. */
export function tickMs(): u32 {
  return clock.nowMs;
}

/** The clock starts at 0. */
export function startClock(): void {
  clock.nowUs = now_us();
}

/** A new tick: its time, and no sample yet. */
export function beginChannels(): void {
  stepClock();
  for (let i = 0; i < CHANNEL_COUNT; i++) channelState(i).fresh = 0;
}

/** Tells what was sampled in this tick; what was heard has been told then. */
export function tellChannels(): void {
  for (let i = 0; i < CHANNEL_COUNT; i++) {
    const kind = channelRow(i).kind;
    if (!wasTold(kind) && channelState(i).fresh) settle(i);
  }
}

// What is heard on a line is told when it was heard.
function wasTold(kind: i32): bool {
  if (FIELD_COUNT > 0 && kind == CHANNEL_KIND_FIELD) return true;
  if (OBJECT_COUNT + PLACE_COUNT > 0 && kind == CHANNEL_KIND_OBJECT) return true;
  return kind == CHANNEL_KIND_REGISTER;
}

/** A channel has a new sample: its record, then the events of its alarms. */
export function settle(channel: i32): void {
  if (isReportDue(channelRow(channel), channelState(channel), tickMs())) tell(channel);
  if (ALARM_COUNT > 0) watchAlarms(channel);
}

/** A channel that was not heard for `staleMs` becomes bad, and is told again at its heartbeat; 0: it never does. */
export function checkHeard(channel: i32, staleMs: i32): void {
  const state = channelState(channel);
  if (staleMs == 0) return;
  if (state.known && state.cause == CAUSE_STALE) {
    if (isRepeatDue(channelRow(channel), state, tickMs())) tell(channel);
  } else if (tickMs() - state.heardMs > <u32>staleMs) {
    acceptSample(state, state.value, QUALITY_BAD, CAUSE_STALE);
    settle(channel);
  }
}

/** The latest sample of a channel to the ring. */
export function tell(channel: i32): void {
  if (ring_put(RECORD, encodeChannel(channel))) markTold(channelState(channel), tickMs());
}

/** Latching alarms whose value is back return with the next good sample. */
export function releaseAlarms(): void {
  for (let i = 0; i < LATCH_COUNT; i++) alarmState(i).released = 1;
}

export function channelRow(index: i32): ChannelRow {
  assert(<u32>index < <u32>CHANNEL_COUNT);
  return changetype<ChannelRow>(changetype<usize>(CHANNEL_ROWS) + index * offsetof<ChannelRow>());
}

export function channelState(index: i32): ChannelState {
  assert(<u32>index < <u32>CHANNEL_COUNT);
  return changetype<ChannelState>(CHANNELS + index * offsetof<ChannelState>());
}

// now_us() wraps after 71.6 minutes; a tick is far shorter, so the difference is right.
function stepClock(): void {
  const now: u32 = now_us();
  const restUs = clock.restUs + (now - clock.nowUs);
  clock.nowUs = now;
  clock.nowMs += restUs / 1000;
  clock.restUs = restUs % 1000;
}

function encodeChannel(channel: i32): i32 {
  const type = channelRow(channel).type;
  const state = channelState(channel);
  const bytes = encodeReading(RECORD, tickUs(), channel, type, state);
  if (TEXT_BYTES == 0 || type != TYPE_BYTES || state.quality == QUALITY_BAD) return bytes;
  return encodeText(RECORD, channel);
}

function watchAlarms(channel: i32): void {
  const row = channelRow(channel);
  const state = channelState(channel);
  for (let k = 0; k < row.alarmCount; k++) {
    const alarm = alarmState(row.alarmFirst + k);
    if (state.quality == QUALITY_BAD) {
      interruptAlarm(alarm);
      continue;
    }
    if (LATCH_COUNT == 0 || !holdsLatch(latchRow(row.alarmFirst + k), alarm))
      stepAlarm(alarmRow(row.alarmFirst + k), alarm, row.type, state.value, tickMs());
    if (alarm.active == alarm.told) continue;
    const length = encodeChannel(channel);
    encodeEvent(RECORD, k, alarm.active != 0);
    if (ring_put(RECORD, length)) alarm.told = alarm.active;
  }
}

function alarmRow(index: i32): AlarmRow {
  assert(<u32>index < <u32>ALARM_COUNT);
  return changetype<AlarmRow>(changetype<usize>(ALARM_ROWS) + index * offsetof<AlarmRow>());
}

function latchRow(index: i32): LatchRow {
  return changetype<LatchRow>(changetype<usize>(LATCH_ROWS) + index * offsetof<LatchRow>());
}

function alarmState(index: i32): AlarmState {
  return changetype<AlarmState>(ALARMS + index * offsetof<AlarmState>());
}
