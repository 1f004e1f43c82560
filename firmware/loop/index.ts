// SPDX-License-Identifier: MIT
// The OT module: the tick, and the public surface for node code.
//
// Spec: SPEC.md §1.1, §1.4. The only file that calls the host and knows the generated constants.
// State: `Loop` and one struct each per channel, analog input, alarm, output, tap and controller, all in
// static memory; nothing is allocated. Every loop is bounded by a generated count or by limits.ts.
//
//   beginTick   sample ► filter;  tap ► pair ► registers ► ring (an answer may carry many samples)
//   decide()    node code: value() in, report() and drive() out
//   endTick     alarms ► ring;  tap counters ► ring;  clamp ► outputs

import {
  ALARM_COUNT,
  ALARM_ROWS,
  ANALOG_COUNT,
  ANALOG_ROWS,
  CHANNEL_COUNT,
  CHANNEL_ROWS,
  OUTPUT_COUNT,
  OUTPUT_ROWS,
  REGISTER_COUNT,
  REGISTER_ROWS,
  TAP_COUNT,
  TAP_ROWS,
} from "../generated/loop";
import {
  MODBUS_FRAME_BYTES_MAX,
  OUTPUTS_MAX,
  RECORD_BYTES_MAX,
  TAP_ENTRIES_PER_TICK,
} from "../limits";
import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_STALE,
  QUALITY_BAD,
  QUALITY_GOOD,
} from "../wire/record";
import { CHANNEL_KIND_COMPUTED, CHANNEL_KIND_REGISTER } from "../wire/senml";
import { TAP_ENTRY_BYTE, TAP_ENTRY_BYTES, TAP_ENTRY_TIME_US } from "../wire/tap";
import { adc_read, now_us, pwm_write, ring_put, tap_take } from "./abi";
import { driveOutput, driveOutputSafe, hostDuty, OutputRow, OutputState } from "./actuate";
import { isNumber } from "./compare";
import {
  AlarmRow,
  AlarmState,
  interruptAlarm,
  Pid,
  startPid,
  stepAlarm,
  stepPid,
  tunePid,
} from "./decide";
import {
  acceptSample,
  ChannelRow,
  ChannelState,
  filterSample,
  FilterState,
  isRepeatDue,
  isReportDue,
  markTold,
  resetFilter,
} from "./filter";
import { encodeEvent, encodeReading, encodeState } from "./record";
import { AnalogRow, isSampleDue, rawCause, SampleState, scaleRaw } from "./sample";
import {
  countersOf,
  MODBUS_TAP_BYTES,
  ModbusTap,
  noteIdle,
  noteSilence,
  putTapOctet,
  takeAnswer,
} from "./tap/modbus";
import { carriesRow, RegisterRow, valueOfRow } from "./tap/register";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const ANSWERS_MAX = MODBUS_FRAME_BYTES_MAX / 5; // the shortest answer has five octets

@unmanaged
class Loop {
  nowUs: u32; // of this tick
  nowMs: u32; // since init, wraps after 49 days
  restUs: u32; // not yet in nowMs
  statesDueMs: u32;
  pids: i32; // controllers handed out
}

@unmanaged
class TapRow {
  tap: i32; // order in node.json
  characterUs: i32;
}

const SPARE = 4; // asc refuses a size of 0
const LOOP = memory.data(offsetof<Loop>());
const RECORD = memory.data(RECORD_BYTES_MAX, 4);
const ENTRIES = memory.data(TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES, 4);
const CHANNELS = memory.data(CHANNEL_COUNT * offsetof<ChannelState>() + SPARE, 4);
const SAMPLES = memory.data(ANALOG_COUNT * offsetof<SampleState>() + SPARE, 4);
const FILTERS = memory.data(ANALOG_COUNT * offsetof<FilterState>() + SPARE, 8);
const ALARMS = memory.data(ALARM_COUNT * offsetof<AlarmState>() + SPARE, 4);
const OUTPUTS = memory.data(OUTPUT_COUNT * offsetof<OutputState>() + SPARE, 4);
const TAPS = memory.data(TAP_COUNT * MODBUS_TAP_BYTES + SPARE, 4);
const PIDS = memory.data(OUTPUTS_MAX * offsetof<Pid>(), 8);

// ---- For node code ----

/** Latest value of a channel: mantissa of its decimals, a register's raw value, or the bits of an f32. */
export function value(channel: i32): i32 {
  return channelState(channel).value;
}

/** QUALITY_GOOD, or QUALITY_BAD; bad as well before the first sample. */
export function quality(channel: i32): i32 {
  const state = channelState(channel);
  return state.known ? state.quality : QUALITY_BAD;
}

/** True when the latest value may be used. */
export function isGood(channel: i32): bool {
  return quality(channel) == QUALITY_GOOD;
}

/** True in the tick in which a sample of the channel was taken or heard, good or bad. */
export function isFresh(channel: i32): bool {
  return channelState(channel).fresh != 0;
}

/** A sample of a computed channel, as mantissa of its decimals. */
export function report(channel: i32, mantissa: i32): void {
  assert(channelRow(channel).kind == CHANNEL_KIND_COMPUTED);
  acceptSample(channelState(channel), mantissa, QUALITY_GOOD, CAUSE_NONE);
}

/** A computed channel has no value now, for one of the CAUSE_* of wire/record. */
export function reportBad(channel: i32, cause: i32): void {
  assert(channelRow(channel).kind == CHANNEL_KIND_COMPUTED);
  acceptSample(channelState(channel), value(channel), QUALITY_BAD, cause);
}

/** Drives an output with a duty in 1/10,000, clamped to its limits, until something else is asked for. */
export function drive(output: i32, permyriad: i32): void {
  driveOutput(outputRow(output), outputState(output), permyriad);
}

/** Drives an output with its safe value. */
export function driveSafe(output: i32): void {
  driveOutputSafe(outputRow(output), outputState(output));
}

/** The duty of an output after clamping, in 1/10,000. */
export function duty(output: i32): i32 {
  return outputState(output).duty;
}

/** Milliseconds since the start of loop; wraps after 49 days. */
export function nowMs(): u32 {
  return loop().nowMs;
}

/**
 * A controller, to be made once at the top level of loop.ts; at most OUTPUTS_MAX. Gains in thousandths:
 * kp of a duty step (1/10,000) per mantissa step, ki of that per second, kd of that times a second.
 */
export function pid(kp: i32, ki: i32, kd: i32): Pid {
  assert(loop().pids < OUTPUTS_MAX);
  const made = changetype<Pid>(PIDS + loop().pids * offsetof<Pid>());
  loop().pids++;
  tunePid(made, kp, ki, kd);
  return made;
}

/** One step towards the setpoint, once a fresh sample; drives the output. Starts without a bump. */
export function control(controller: Pid, output: i32, setpoint: i32, measured: i32): void {
  const row = outputRow(output);
  controller.min = row.min;
  controller.max = row.max;
  if (!controller.started) startPid(controller, setpoint, measured, duty(output), loop().nowUs);
  drive(output, stepPid(controller, setpoint, measured, loop().nowUs));
}

/** Lets go: the next control() starts again from the duty that the output then has. */
export function release(controller: Pid): void {
  controller.started = 0;
}

// ---- For the generated entry ----

/** Once after instantiation: outputs to their safe values, the clock to 0. */
export function init(): void {
  loop().nowUs = now_us();
  for (let i = 0; i < OUTPUT_COUNT; i++) driveSafe(i);
  writeOutputs();
  if (TAP_COUNT > 0) {
    for (let i = 0; i < TAP_COUNT; i++) tapState(i).characterUs = tapRow(i).characterUs;
  }
}

/** First part of a tick: everything that is measured or heard. */
export function beginTick(): void {
  stepClock();
  for (let i = 0; i < CHANNEL_COUNT; i++) channelState(i).fresh = 0;
  if (ANALOG_COUNT > 0) samplePins();
  if (TAP_COUNT > 0) hearTaps();
  if (REGISTER_COUNT > 0) checkStale();
}

/** Last part of a tick, after node code: everything that is told or driven. */
export function endTick(): void {
  for (let i = 0; i < CHANNEL_COUNT; i++) {
    const told = channelRow(i).kind == CHANNEL_KIND_REGISTER; // when it was heard
    if (!told && channelState(i).fresh) settle(i);
  }
  if (TAP_COUNT > 0) tellTaps();
  writeOutputs();
}

// ---- Stages ----

// now_us() wraps after 71.6 minutes; a tick is far shorter, so the difference is right.
function stepClock(): void {
  const now: u32 = now_us();
  const restUs = loop().restUs + (now - loop().nowUs);
  loop().nowUs = now;
  loop().nowMs += restUs / 1000;
  loop().restUs = restUs % 1000;
}

function samplePins(): void {
  for (let i = 0; i < ANALOG_COUNT; i++) {
    const row = analogRow(i);
    if (!isSampleDue(row, changetype<SampleState>(SAMPLES + i * offsetof<SampleState>()))) continue;
    const filter = changetype<FilterState>(FILTERS + i * offsetof<FilterState>());
    const state = channelState(row.channel);
    const raw = adc_read(row.input);
    const cause = rawCause(row, raw);
    if (cause == CAUSE_NONE) {
      const filtered = filterSample(filter, row.median, row.weight, scaleRaw(row, raw));
      acceptSample(state, filtered, QUALITY_GOOD, CAUSE_NONE);
    } else {
      resetFilter(filter);
      acceptSample(state, state.value, QUALITY_BAD, cause);
    }
  }
}

function hearTaps(): void {
  for (let i = 0; i < TAP_COUNT; i++) {
    const tap = tapState(i);
    const count = tap_take(i, ENTRIES, TAP_ENTRIES_PER_TICK);
    assert(<u32>count <= <u32>TAP_ENTRIES_PER_TICK);
    for (let k = 0; k < count; k++) {
      const entry = ENTRIES + k * TAP_ENTRY_BYTES;
      const atUs = load<u32>(entry + TAP_ENTRY_TIME_US);
      if (noteSilence(tap, atUs)) hearAnswers(i, tap);
      putTapOctet(tap, load<u8>(entry + TAP_ENTRY_BYTE), atUs);
      hearAnswers(i, tap);
    }
    if (count == 0 && noteIdle(tap, loop().nowUs)) hearAnswers(i, tap);
  }
}

function hearAnswers(number: i32, tap: ModbusTap): void {
  for (let k = 0; k <= ANSWERS_MAX && takeAnswer(tap); k++) {
    for (let i = 0; i < REGISTER_COUNT; i++) {
      const row = registerRow(i);
      if (row.tap == number && carriesRow(tap, row)) hearRegister(row, valueOfRow(tap, row));
    }
  }
}

function hearRegister(row: RegisterRow, raw: i32): void {
  const state = channelState(row.channel);
  const good = isNumber(channelRow(row.channel).type, raw);
  if (good) acceptSample(state, raw, QUALITY_GOOD, CAUSE_NONE);
  else acceptSample(state, state.value, QUALITY_BAD, CAUSE_NOT_A_NUMBER);
  state.heardMs = loop().nowMs;
  settle(row.channel);
}

function checkStale(): void {
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const row = registerRow(i);
    const state = channelState(row.channel);
    if (row.staleMs == 0) continue;
    if (state.known && state.cause == CAUSE_STALE) {
      if (isRepeatDue(channelRow(row.channel), state, loop().nowMs)) tell(row.channel);
    } else if (loop().nowMs - state.heardMs > <u32>row.staleMs) {
      acceptSample(state, state.value, QUALITY_BAD, CAUSE_STALE);
      settle(row.channel);
    }
  }
}

// A channel has a new sample: its record, then the events of its alarms.
function settle(channel: i32): void {
  if (isReportDue(channelRow(channel), channelState(channel), loop().nowMs)) tell(channel);
  if (ALARM_COUNT > 0) watchAlarms(channel);
}

// What a full ring refuses stays untold: it is due again with the next sample.
function tell(channel: i32): void {
  const state = channelState(channel);
  if (ring_put(RECORD, encodeChannel(channel))) markTold(state, loop().nowMs);
}

function encodeChannel(channel: i32): i32 {
  const type = channelRow(channel).type;
  return encodeReading(RECORD, loop().nowUs, channel, type, channelState(channel));
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
    stepAlarm(alarmRow(row.alarmFirst + k), alarm, row.type, state.value, loop().nowMs);
    if (alarm.active == alarm.told) continue;
    const length = encodeChannel(channel);
    encodeEvent(RECORD, k, alarm.active != 0);
    if (ring_put(RECORD, length)) alarm.told = alarm.active;
  }
}

function tellTaps(): void {
  if (<i32>(loop().nowMs - loop().statesDueMs) < 0) return;
  loop().statesDueMs = loop().nowMs + STATE_PERIOD_MS;
  for (let i = 0; i < TAP_COUNT; i++) {
    ring_put(RECORD, encodeState(RECORD, loop().nowUs, i, countersOf(tapState(i))));
  }
}

function writeOutputs(): void {
  for (let i = 0; i < OUTPUT_COUNT; i++) {
    const done = pwm_write(outputRow(i).output, hostDuty(outputState(i)));
    assert(done == 0); // the board has no such output: never unnoticed
  }
}

// ---- Rows and states by number ----

function loop(): Loop {
  return changetype<Loop>(LOOP);
}

function channelRow(index: i32): ChannelRow {
  assert(<u32>index < <u32>CHANNEL_COUNT);
  return changetype<ChannelRow>(changetype<usize>(CHANNEL_ROWS) + index * offsetof<ChannelRow>());
}

function channelState(index: i32): ChannelState {
  assert(<u32>index < <u32>CHANNEL_COUNT);
  return changetype<ChannelState>(CHANNELS + index * offsetof<ChannelState>());
}

function analogRow(index: i32): AnalogRow {
  return changetype<AnalogRow>(changetype<usize>(ANALOG_ROWS) + index * offsetof<AnalogRow>());
}

function registerRow(index: i32): RegisterRow {
  return changetype<RegisterRow>(
    changetype<usize>(REGISTER_ROWS) + index * offsetof<RegisterRow>(),
  );
}

function alarmRow(index: i32): AlarmRow {
  assert(<u32>index < <u32>ALARM_COUNT);
  return changetype<AlarmRow>(changetype<usize>(ALARM_ROWS) + index * offsetof<AlarmRow>());
}

function alarmState(index: i32): AlarmState {
  return changetype<AlarmState>(ALARMS + index * offsetof<AlarmState>());
}

function outputRow(index: i32): OutputRow {
  assert(<u32>index < <u32>OUTPUT_COUNT);
  return changetype<OutputRow>(changetype<usize>(OUTPUT_ROWS) + index * offsetof<OutputRow>());
}

function outputState(index: i32): OutputState {
  assert(<u32>index < <u32>OUTPUT_COUNT);
  return changetype<OutputState>(OUTPUTS + index * offsetof<OutputState>());
}

function tapRow(index: i32): TapRow {
  return changetype<TapRow>(changetype<usize>(TAP_ROWS) + index * offsetof<TapRow>());
}

function tapState(index: i32): ModbusTap {
  return changetype<ModbusTap>(TAPS + index * MODBUS_TAP_BYTES);
}
