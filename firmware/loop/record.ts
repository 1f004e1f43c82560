// SPDX-License-Identifier: MIT
// Ring records: reading, event, state and outcome of a command.
//
// Spec: SPEC.md §1.4. Little-endian, into one buffer of RECORD_BYTES_MAX; the length is returned.
// (I1) a bad quality has type 0 and no value.

import {
  KIND_EVENT,
  KIND_LINE,
  KIND_READING,
  KIND_SETPOINT,
  KIND_STATE,
  QUALITY_BAD,
  RECORD_ACTIVE,
  RECORD_ALARM,
  RECORD_CAUSE,
  RECORD_CHANNEL,
  RECORD_FORM,
  RECORD_KIND,
  RECORD_QUALITY,
  RECORD_TIME_US,
  RECORD_TYPE,
  RECORD_VALUE,
  RECORD_VALUE_BYTES,
  TYPE_BYTES,
} from "../wire/record";
import {
  LINE_BAUD,
  LINE_BYTES,
  LINE_CONFIDENCE,
  LINE_COVERAGE,
  LINE_EDGES,
  LINE_FORMAT,
  LINE_FRAMES,
  LINE_INVERTED,
  LINE_PHASE,
  LINE_PROTOCOL,
} from "../wire/finding";
import {
  OUTCOME_BYTES,
  OUTCOME_CODE,
  OUTCOME_EFFECTIVE,
  OUTCOME_REQUEST,
  OUTCOME_REQUESTED,
} from "../wire/setpoint";
import { TAP_COUNTER_COUNT } from "../wire/tap";
import { ChannelState } from "./filter";
import { Outcome } from "./setpoint";
import { AutoTap } from "./tap/auto";

/** The latest sample of a channel. */
export function encodeReading(
  at: usize,
  timeUs: u32,
  channel: i32,
  type: i32,
  state: ChannelState,
): i32 {
  encodeHead(at, KIND_READING, channel, timeUs);
  store<u8>(at + RECORD_QUALITY, state.quality);
  store<u8>(at + RECORD_CAUSE, state.cause);
  return state.quality == QUALITY_BAD ? RECORD_VALUE : encodeValue(at, type, state.value);
}

/** Turns a reading that was just encoded into an event of one of its alarms. */
export function encodeEvent(at: usize, alarm: i32, active: bool): void {
  store<u8>(at + RECORD_KIND, KIND_EVENT);
  store<u8>(at + RECORD_ALARM, alarm);
  store<u8>(at + RECORD_ACTIVE, active ? 1 : 0);
}

/** Tap counters, u32 each, from the address `counters`. */
export function encodeState(at: usize, timeUs: u32, tap: i32, counters: usize): i32 {
  encodeHead(at, KIND_STATE, tap, timeUs);
  store<u8>(at + RECORD_TYPE, TYPE_BYTES);
  store<u8>(at + RECORD_VALUE_BYTES, TAP_COUNTER_COUNT * 4);
  for (let i = 0; i < TAP_COUNTER_COUNT; i++) {
    store<u32>(at + RECORD_VALUE + (i << 2), load<u32>(counters + (i << 2)));
  }
  return RECORD_VALUE + TAP_COUNTER_COUNT * 4;
}

/** What became of a command, for the channel of its set-point. */
export function encodeOutcome(at: usize, timeUs: u32, channel: i32, outcome: Outcome): i32 {
  encodeHead(at, KIND_SETPOINT, channel, timeUs);
  store<u8>(at + RECORD_TYPE, TYPE_BYTES);
  store<u8>(at + RECORD_VALUE_BYTES, OUTCOME_BYTES);
  store<u32>(at + RECORD_VALUE + OUTCOME_REQUEST, outcome.request);
  store<i32>(at + RECORD_VALUE + OUTCOME_REQUESTED, outcome.requested);
  store<i32>(at + RECORD_VALUE + OUTCOME_EFFECTIVE, outcome.effective);
  store<u32>(at + RECORD_VALUE + OUTCOME_CODE, outcome.code);
  return RECORD_VALUE + OUTCOME_BYTES;
}

/** What is known of the line of a tap. */
export function encodeLine(at: usize, timeUs: u32, tap: i32, line: AutoTap): i32 {
  encodeHead(at, KIND_LINE, tap, timeUs);
  store<u8>(at + RECORD_TYPE, TYPE_BYTES);
  store<u8>(at + RECORD_VALUE_BYTES, LINE_BYTES);
  const value = at + RECORD_VALUE;
  store<u32>(value + LINE_BAUD, line.baud);
  store<u8>(value + LINE_FORMAT, line.baud == 0 ? 0 : line.format);
  store<u8>(value + LINE_INVERTED, line.inverted);
  store<u8>(value + LINE_PROTOCOL, line.protocol);
  store<u8>(value + LINE_CONFIDENCE, line.confidence);
  store<u8>(value + LINE_COVERAGE, line.coverage);
  store<u8>(value + LINE_PHASE, line.phase);
  store<u16>(value + LINE_FRAMES, min<u32>(line.frames, 0xffff));
  store<u32>(value + LINE_EDGES, line.edges);
  return RECORD_VALUE + LINE_BYTES;
}

/** What a tap says of its line: the value of `bytes` octets already lies there. */
export function encodeTap(
  at: usize,
  timeUs: u32,
  kind: i32,
  place: i32, // the tap, and the form of a finding in the bits from 8 on
  bytes: i32,
): i32 {
  encodeHead(at, kind, place & 0xff, timeUs);
  store<u8>(at + RECORD_TYPE, TYPE_BYTES);
  store<u8>(at + RECORD_VALUE_BYTES, bytes);
  store<u8>(at + RECORD_FORM, place >> 8);
  return RECORD_VALUE + bytes;
}

function encodeHead(at: usize, kind: i32, channel: i32, timeUs: u32): void {
  store<u32>(at, kind | (channel << (RECORD_CHANNEL * 8))); // quality and cause 0
  store<u32>(at + RECORD_TIME_US, timeUs);
  store<u32>(at + RECORD_TYPE, 0); // no value, alarm 0, not active
}

function encodeValue(at: usize, type: i32, value: i32): i32 {
  store<u8>(at + RECORD_TYPE, type);
  store<u8>(at + RECORD_VALUE_BYTES, 4);
  store<i32>(at + RECORD_VALUE, value);
  return RECORD_VALUE + 4;
}
