// SPDX-License-Identifier: MIT
// Constants of a node type for loop.
//
// Generated from node.json by scripts/build/generate-loop.ts; do not edit. Each row has the fields
// of the struct that is named above its table, in that order. A count of 0 takes its code out.

export const CHANNEL_COUNT: i32 = 3;

// ChannelRow, filter.ts
export const CHANNEL_ROWS: StaticArray<i32> = [
  // pressure
  0, 1, 1, 500, 2000, 0, 1,
  // flow
  1, 3, 1, 1056964608, 2000, 1, 1,
  // valve
  2, 1, 0, 0, 10000, 2, 0,
];

export const ANALOG_COUNT: i32 = 1;

// AnalogRow, sample.ts
export const ANALOG_ROWS: StaticArray<i32> = [
  // pressure
  0, 2, 5, 200, 4090, 1, 2, -111262, 8359, 1000271, 24276, 5, 16384,
];

export const CHAIN_COUNT: i32 = 0;

// ChainRow, chain.ts
export const CHAIN_ROWS: usize = 0;

export const REGISTER_COUNT: i32 = 1;

// RegisterRow, tap/register.ts
export const REGISTER_ROWS: StaticArray<i32> = [
  // flow
  1, 0, 9, 4, 100, 4, 1, 3000,
];

export const TEXT_COUNT: i32 = 0;

// TextRow, tick/texts.ts
export const TEXT_ROWS: usize = 0;

export const DIGITAL_COUNT: i32 = 0;

// DigitalRow, digital.ts
export const DIGITAL_ROWS: usize = 0;

export const COUNTER_COUNT: i32 = 0;

// CounterRow, tick/pins.ts
export const COUNTER_ROWS: usize = 0;

export const ACCELEROMETER_COUNT: i32 = 0;

// VibrationRow, vibration.ts
export const ACCELEROMETER_ROWS: usize = 0;

export const BURST_COUNT: i32 = 0;

// BurstRow, tick/bursts.ts
export const BURST_ROWS: usize = 0;

export const FEATURE_COUNT: i32 = 0;

// FeatureRow, tick/bursts.ts
export const FEATURE_ROWS: usize = 0;

export const STATE_COUNT: i32 = 0;

// StateRow, machine.ts
export const STATE_ROWS: usize = 0;

export const ALARM_COUNT: i32 = 2;

// AlarmRow, decide.ts
export const ALARM_ROWS: StaticArray<i32> = [
  // pressure/high
  1, 900000, 880000, 100,
  // flow/low
  0, 1069547520, 1071644672, 0,
];

export const LATCH_COUNT: i32 = 0;

// LatchRow, decide.ts
export const LATCH_ROWS: usize = 0;

export const SETPOINT_COUNT: i32 = 0;

// SetpointRow, setpoint.ts
export const SETPOINT_ROWS: usize = 0;

export const OUTPUT_COUNT: i32 = 1;

// OutputRow, actuate.ts
export const OUTPUT_ROWS: StaticArray<i32> = [
  // valve
  1, 500, 9000, 0,
];

export const SWITCH_COUNT: i32 = 0;

// SwitchRow, actuate.ts
export const SWITCH_ROWS: usize = 0;

export const TAP_COUNT: i32 = 1;

// TapRow, tick/taps.ts
export const TAP_ROWS: StaticArray<i32> = [
  // bus
  0, 573,
];

export const ASCII_COUNT: i32 = 0;

// TapRow, tick/taps.ts: Modbus ASCII
export const ASCII_ROWS: usize = 0;

export const JOIN_COUNT: i32 = 0;

// JoinRow, tick/taps.ts
export const JOIN_ROWS: usize = 0;

// of a Modbus tap in a tick
export const TAP_ENTRIES: i32 = 64;

export const POLL_COUNT: i32 = 0;

// PollRow, tap/poll.ts
export const POLL_ROWS: usize = 0;

export const QUESTION_COUNT: i32 = 0;

// QuestionRow, tap/poll.ts
export const QUESTION_ROWS: usize = 0;

// a bit for each tap
export const LEARNED_TAPS: i32 = 0;
export const WATCHED_TAPS: i32 = 0;

export const LINE_COUNT: i32 = 0;

// LineRow, tick/lines.ts
export const LINE_ROWS: usize = 0;

export const PATTERN_COUNT: i32 = 0;

// PatternRow, tick/lines.ts
export const PATTERN_ROWS: usize = 0;

export const WORD_COUNT: i32 = 0;

// WordRow, tap/match.ts
export const WORD_ROWS: usize = 0;

export const FIELD_COUNT: i32 = 0;

// FieldRow, tick/lines.ts
export const FIELD_ROWS: usize = 0;

export const AUTO_COUNT: i32 = 0;

// AutoRow, tick/auto.ts
export const AUTO_ROWS: usize = 0;

// steps of the patterns, tap/match.ts
export const PROGRAM: usize = 0;

export const P1_COUNT: i32 = 0;

// MeterRow, tick/meters.ts
export const P1_ROWS: usize = 0;

export const IEC_COUNT: i32 = 0;

// MeterRow, tick/meters.ts
export const IEC_ROWS: usize = 0;

export const SML_COUNT: i32 = 0;

// MeterRow, tick/meters.ts
export const SML_ROWS: usize = 0;

export const M_BUS_COUNT: i32 = 0;

// MeterRow, tick/meters.ts
export const M_BUS_ROWS: usize = 0;

export const FOLLOW_COUNT: i32 = 0;

// FollowRow, tick/meters.ts
export const FOLLOW_ROWS: usize = 0;

export const EXCHANGE_COUNT: i32 = 0;

// ExchangeRow, tick/exchanges.ts
export const EXCHANGE_ROWS: usize = 0;

export const PLACE_COUNT: i32 = 0;

// PlaceRow, tap/place.ts
export const PLACE_ROWS: usize = 0;

export const OBJECT_COUNT: i32 = 0;

// ObjectRow, tick/meters.ts
export const OBJECT_ROWS: usize = 0;

// DIB and VIB of M-Bus records, tick/meters.ts
export const RECORD_NAMES: usize = 0;
