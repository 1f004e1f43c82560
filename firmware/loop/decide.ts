// SPDX-License-Identifier: MIT
// Alarm limits with hysteresis and delay, and a PID controller in fixed point.
//
// Times are arguments. Alarms do not depend on the ring: `active` follows the value, `told` what link
// was told, and an event is due while they differ.
// PID: output in 1/10,000 of the full duty, input in mantissa steps. Gains are in thousandths: kp of an
// output step per input step, ki of that per second, kd of that times a second; each within ±2^20.
// (I1) the integral stays within the output limits, so it cannot wind up.
// (I2) 64-bit terms cannot overflow: inputs are clamped to the bounds below. As doubles, too, the result is exact:
// the parts that may be beyond 2^53 are multiples of 64, or are clamped to the output limits next.

import { wide, wideDivide, wideScale } from "../wide";
import { isAbove } from "./compare";

/** One alarm. Above: raised when value > limit, returns when value <= back; below: the mirror. */
@unmanaged
export class AlarmRow {
  above: i32; // 1 above, 0 below
  limit: i32; // as the type of the channel
  back: i32; // the limit less, or plus, the hysteresis
  delayMs: i32; // the value must stay beyond the limit this long
}

@unmanaged
export class AlarmState {
  sinceMs: u32; // since when the value is beyond the limit
  beyond: u8;
  active: u8;
  told: u8;
  released: u8; // a latching one: 1 once reset, until the next good value
}

/** Beside each alarm where one of them latches. */
@unmanaged
export class LatchRow {
  latches: i32; // 1: raised until it is reset
}

/** True when a raised alarm stays so whatever the value is; takes the reset. */
export function holdsLatch(row: LatchRow, state: AlarmState): bool {
  const holds = row.latches != 0 && state.active != 0 && state.released == 0;
  state.released = 0;
  return holds;
}

/** A good value through one alarm; sets `active`. A bad one is not brought here: the alarm stays. */
export function stepAlarm(
  row: AlarmRow,
  state: AlarmState,
  type: i32,
  value: i32,
  nowMs: u32,
): void {
  if (state.active) {
    if (!isBeyond(row, type, value, row.back)) {
      state.active = 0;
      state.beyond = 0;
    }
    return;
  }
  const beyond = isBeyond(row, type, value, row.limit);
  if (beyond && !state.beyond) state.sinceMs = nowMs;
  state.beyond = beyond ? 1 : 0;
  if (beyond && nowMs - state.sinceMs >= <u32>row.delayMs) state.active = 1;
}

function isBeyond(row: AlarmRow, type: i32, value: i32, limit: i32): bool {
  return isAbove(type, row.above ? value : limit, row.above ? limit : value);
}

/** A bad value in between: the delay starts again, an active alarm stays. */
export function interruptAlarm(state: AlarmState): void {
  if (!state.active) state.beyond = 0;
}

const GAIN_MAX: i32 = 1 << 20;
const ERROR_MAX: wide = 16_777_216; // 2^24 mantissa steps; beyond it any useful gain is at full output
const CHANGE_MAX: wide = 4_194_304; // 2^22 // mantissa steps between two steps: times kd and 10^6 below 2^62
const TERM_MAX: wide = 17_179_869_184; // 2^34 // thousandths of an output step: 1,700 times the output range
const RATE_MAX: wide = 68_719_476_736; // 2^36 // thousandths per second: the whole output range in 0.15 ms
const ELAPSED_US_MAX: u32 = 60_000_000; // below 2^26; a longer pause counts as a minute
const NANO: wide = 1_000_000_000;
const MILLI_TO_NANO: wide = 1_000_000;

/** A controller; the integral is in 1e-9 of an output step. */
@unmanaged
export class Pid {
  integral: wide;
  kp: i32;
  ki: i32;
  kd: i32;
  min: i32; // output limits, in 1/10,000
  max: i32;
  measured: i32; // of the step before
  atUs: u32;
  started: i32;
  setpoint: i32; // of the step before
  reserved: i32; // controllers stand in a row: each must keep the next one aligned
}

/** Sets the gains, in thousandths, and makes the next step a start. */
export function tunePid(pid: Pid, kp: i32, ki: i32, kd: i32): void {
  assert(abs(kp) <= GAIN_MAX && abs(ki) <= GAIN_MAX && abs(kd) <= GAIN_MAX);
  pid.kp = kp;
  pid.ki = ki;
  pid.kd = kd;
  pid.started = 0;
}

/**
 * The next step becomes a start that continues from `duty` without a bump, as far as the integral
 * within its limits can carry it; far from the setpoint the proportional part wins.
 */
export function startPid(pid: Pid, setpoint: i32, measured: i32, duty: i32, nowUs: u32): void {
  pid.integral = within(<wide>duty * NANO - proportionalOf(pid, setpoint, measured), pid);
  pid.setpoint = setpoint;
  pid.measured = measured;
  pid.atUs = nowUs;
  pid.started = 1;
}

/** One step; the output, in 1/10,000, within the limits of the controller, which are not negative. */
export function stepPid(pid: Pid, setpoint: i32, measured: i32, nowUs: u32): i32 {
  if (setpoint != pid.setpoint) retarget(pid, setpoint, measured);
  const elapsedUs = <wide>min(nowUs - pid.atUs, ELAPSED_US_MAX);
  const direct = proportionalOf(pid, setpoint, measured) - derivativeOf(pid, measured, elapsedUs);
  const increment = incrementOf(pid, setpoint, measured, elapsedUs);
  pid.integral = within(integrate(pid, direct, increment), pid); // (I1)
  pid.measured = measured;
  pid.atUs = nowUs;
  return <i32>wideDivide(within(direct + pid.integral, pid) + NANO / 2, NANO);
}

// What the proportional part jumps by, the integral takes back within its limits: a new setpoint gives
// no bump, and far from it the proportional part wins.
function retarget(pid: Pid, setpoint: i32, measured: i32): void {
  const jump =
    proportionalOf(pid, setpoint, measured) - proportionalOf(pid, pid.setpoint, measured);
  pid.integral = within(pid.integral - jump, pid);
  pid.setpoint = setpoint;
}

// The integral grows until the output is at a limit, never beyond: what is above shrinks at once.
function integrate(pid: Pid, direct: wide, increment: wide): wide {
  const next = pid.integral + increment;
  if (increment > 0) return max(pid.integral, min(next, <wide>pid.max * NANO - direct));
  return min(pid.integral, max(next, <wide>pid.min * NANO - direct));
}

function proportionalOf(pid: Pid, setpoint: i32, measured: i32): wide {
  const error = clamp(<wide>setpoint - <wide>measured, ERROR_MAX);
  return clamp(<wide>pid.kp * error, TERM_MAX) * MILLI_TO_NANO;
}

// Thousandths per second times microseconds are 1e-9.
function incrementOf(pid: Pid, setpoint: i32, measured: i32, elapsedUs: wide): wide {
  const error = clamp(<wide>setpoint - <wide>measured, ERROR_MAX);
  return clamp(<wide>pid.ki * error, RATE_MAX) * elapsedUs;
}

// On the measurement, not on the error: a new setpoint gives no kick.
function derivativeOf(pid: Pid, measured: i32, elapsedUs: wide): wide {
  if (elapsedUs == 0) return 0;
  const change = clamp(<wide>measured - <wide>pid.measured, CHANGE_MAX);
  return (
    clamp(wideScale(<wide>pid.kd * change, MILLI_TO_NANO, elapsedUs), TERM_MAX) * MILLI_TO_NANO
  );
}

function clamp(value: wide, most: wide): wide {
  return min(max(value, -most), most);
}

// Between the output limits, in 1e-9.
function within(value: wide, pid: Pid): wide {
  return min(max(value, <wide>pid.min * NANO), <wide>pid.max * NANO);
}
