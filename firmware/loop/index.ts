// SPDX-License-Identifier: MIT
// The OT module: the tick, and the public surface for node code.
//
// Spec: SPEC.md §1.1, §1.4. Stages are pure; tick/*.ts joins them to the host and to the generated
// constants, in static memory. Nothing is allocated; every loop is bounded by a generated count or by
// limits.ts. A count of 0 takes its part out of the module.
//
//   beginTick   mailbox ► clamp;  sample ► filter;  tap ► pair ► registers ► ring (an answer may carry many samples)
//   decide()    node code: value() in, report() and drive() out
//   endTick     states;  outcomes ► ring;  alarms ► ring;  tap counters ► ring;  clamp ► outputs

import {
  ACCELEROMETER_COUNT,
  ANALOG_COUNT,
  AUTO_COUNT,
  ASCII_COUNT,
  COUNTER_COUNT,
  DIGITAL_COUNT,
  EXCHANGE_COUNT,
  FIELD_COUNT,
  FOLLOW_COUNT,
  IEC_COUNT,
  LEARNED_TAPS,
  LINE_COUNT,
  M_BUS_COUNT,
  OBJECT_COUNT,
  P1_COUNT,
  PLACE_COUNT,
  POLL_COUNT,
  REGISTER_COUNT,
  SETPOINT_COUNT,
  SML_COUNT,
  STATE_COUNT,
  TAP_COUNT,
  WATCHED_TAPS,
} from "../generated/loop";
import { CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../wire/record";
import { CHANNEL_KIND_COMPUTED } from "../wire/senml";
import { driveOutput } from "./actuate";
import { Pid, startPid, stepPid, tunePid } from "./decide";
import { acceptSample } from "./filter";
import { Interlock } from "./interlock";
import { makePart } from "./parts";
import { Ramp, startRamp, stepRamp } from "./ramp";
import { enterStep, leaveStep, Sequence, stepAge } from "./sequence";
import { samplePins } from "./tick/analog";
import { hearAutos, tellAutos } from "./tick/auto";
import { stepBursts } from "./tick/bursts";
import {
  beginChannels,
  channelRow,
  channelState,
  releaseAlarms,
  startClock,
  tellChannels,
  tickMs,
  tickUs,
} from "./tick/channels";
import { checkPlaces, hearExchanges, startExchanges, tellExchanges } from "./tick/exchanges";
import { tellFindings } from "./tick/findings";
import { checkFields, hearLines, startLines, tellLines } from "./tick/lines";
import { checkObjects, followRates, hearMeters, startMeters, tellMeters } from "./tick/meters";
import {
  outputRow,
  outputState,
  safeOutput,
  startOutputs,
  switchState,
  writeOutputs,
} from "./tick/outputs";
import { readCounters, readPins } from "./tick/pins";
import { checkStale } from "./tick/registers";
import {
  refuseSetpoint,
  setpointValue,
  settleSetpoints,
  startSetpoints,
  takeSetpoints,
} from "./tick/setpoints";
import { decideStates } from "./tick/states";
import { askTaps, hearTaps, startTaps, tellTaps } from "./tick/taps";

export { hysteresis } from "./hysteresis";
export { firstFailed, isPermitted, requireThat, resetInterlock } from "./interlock";

const METER_COUNT = P1_COUNT + IEC_COUNT + SML_COUNT + M_BUS_COUNT;

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

/** Effective value of a set-point, as mantissa of its decimals: commanded and clamped, or its default. */
export function setpoint(index: i32): i32 {
  return setpointValue(index);
}

/**
 * Refuses what was commanded to a set-point in this tick, so that the value of before holds on. An
 * interlock calls it in every tick in which it holds, before anything uses setpoint().
 */
export function refuse(index: i32): void {
  refuseSetpoint(index);
}

/** Drives an output with a duty in 1/10,000, clamped to its limits, until something else is asked for. */
export function drive(output: i32, permyriad: i32): void {
  driveOutput(outputRow(output), outputState(output), permyriad);
}

/** Drives an output of either kind with its safe value. */
export function driveSafe(output: i32): void {
  safeOutput(output);
}

/** Sets a digital output until something else is asked for. */
export function turn(output: i32, on: bool): void {
  switchState(output).level = on ? 1 : 0;
}

/** What a digital output is set to. */
export function isOn(output: i32): bool {
  return switchState(output).level != 0;
}

/** Lets latching alarms go: those whose value is back return, the others stay raised and latched. */
export function resetAlarms(): void {
  releaseAlarms();
}

/** The duty of an output after clamping, in 1/10,000. */
export function duty(output: i32): i32 {
  return outputState(output).duty;
}

/** Milliseconds since the start of loop; wraps after 49 days. */
export function nowMs(): u32 {
  return tickMs();
}

/**
 * A controller. Make it, as every part below, once at the top level of loop.ts: PARTS_BYTES in all. Gains
 * in thousandths: kp of a duty step (1/10,000) per mantissa step, ki of that per second, kd of that times a
 * second.
 */
export function pid(kp: i32, ki: i32, kd: i32): Pid {
  const made = makePart<Pid>();
  tunePid(made, kp, ki, kd);
  return made;
}

/** One step towards the setpoint, once a fresh sample; drives the output. Starts without a bump. */
export function control(controller: Pid, output: i32, setpoint: i32, measured: i32): void {
  const row = outputRow(output);
  controller.min = row.min;
  controller.max = row.max;
  if (!controller.started) startPid(controller, setpoint, measured, duty(output), tickUs());
  drive(output, stepPid(controller, setpoint, measured, tickUs()));
}

/** Lets go: the next control() starts again from the duty that the output then has. */
export function release(controller: Pid): void {
  controller.started = 0;
}

/** A value that moves to its target no faster than allowed; its first rampTo() is at the target. */
export function ramp(): Ramp {
  return makePart<Ramp>();
}

/** The ramp goes on from here. */
export function rampFrom(ramp: Ramp, value: i32): void {
  startRamp(ramp, value, tickUs());
}

/** Moves towards a target by at most `perHour` steps (above 0) an hour, once a tick; where it then is. */
export function rampTo(ramp: Ramp, target: i32, perHour: i32): i32 {
  return stepRamp(ramp, target, perHour, tickUs());
}

/** Timed steps, by numbers of the node's own; it starts in step 0. `step` of it is where it is. */
export function sequence(): Sequence {
  return makePart<Sequence>();
}

/** Enters a step, also the one it is in: its time starts anew. */
export function enter(sequence: Sequence, step: i32): void {
  enterStep(sequence, step, tickMs());
}

/** Milliseconds since the step was entered. */
export function stepMs(sequence: Sequence): u32 {
  return stepAge(sequence, tickMs());
}

/** Enters `next` when the sequence has been in `step` for `ms`; true in the tick in which it does. */
export function leaveAfter(sequence: Sequence, step: i32, ms: u32, next: i32): bool {
  return leaveStep(sequence, step, ms, next, tickMs());
}

/** Up to 32 conditions that must all hold: requireThat() each in every tick, then ask isPermitted(). */
export function interlock(): Interlock {
  return makePart<Interlock>();
}

// ---- For the generated entry ----

/** Once after instantiation: outputs to their safe values, the clock to 0. */
export function init(): void {
  startClock();
  startOutputs();
  if (SETPOINT_COUNT > 0) startSetpoints();
  if (TAP_COUNT + ASCII_COUNT > 0) startTaps();
  if (LINE_COUNT > 0) startLines();
  if (METER_COUNT > 0) startMeters();
  if (EXCHANGE_COUNT > 0) startExchanges();
}

/** First part of a tick: everything that is measured or heard. */
export function beginTick(): void {
  beginChannels();
  if (SETPOINT_COUNT > 0) takeSetpoints();
  if (ANALOG_COUNT > 0) samplePins();
  if (DIGITAL_COUNT > 0) readPins();
  if (COUNTER_COUNT > 0) readCounters();
  if (ACCELEROMETER_COUNT > 0) stepBursts();
  if (TAP_COUNT + ASCII_COUNT > 0) hearTaps();
  if (POLL_COUNT > 0) askTaps();
  if (REGISTER_COUNT > 0) checkStale();
  if (LINE_COUNT > 0) hearLines();
  if (AUTO_COUNT > 0) hearAutos();
  if (FIELD_COUNT > 0) checkFields();
  if (METER_COUNT > 0) hearMeters();
  if (EXCHANGE_COUNT > 0) hearExchanges();
  if (PLACE_COUNT > 0) checkPlaces();
  if (FOLLOW_COUNT > 0) followRates();
  if (OBJECT_COUNT > 0) checkObjects();
}

/** Last part of a tick, after node code: everything that is told or driven. */
export function endTick(): void {
  if (STATE_COUNT > 0) decideStates();
  if (SETPOINT_COUNT > 0) settleSetpoints();
  tellChannels();
  if (TAP_COUNT + ASCII_COUNT > 0) tellTaps();
  if (LINE_COUNT > 0) tellLines();
  if (METER_COUNT > 0) tellMeters();
  if (EXCHANGE_COUNT > 0) tellExchanges();
  if (AUTO_COUNT > 0) tellAutos();
  if (LEARNED_TAPS != 0 || WATCHED_TAPS != 0) tellFindings();
  writeOutputs();
}
