// SPDX-License-Identifier: MIT
// What the machine is doing: the first condition that is true, once it has lasted.
//
// Times are arguments. Order: fault, run, idle, else stopped. A condition whose channel is bad or unknown
// ends the search with its cause: nobody knows what comes after it, and a guess is no reading.

import { CAUSE_NONE, QUALITY_BAD } from "../wire/record";
import { isAbove } from "./compare";
import { ChannelState } from "./filter";

export const STATE_STOPPED = 0;
export const STATE_IDLE = 1;
export const STATE_RUN = 2;
export const STATE_FAULT = 3;
export const CONDITION_COUNT = 3;

const COMPARE_ABOVE = 0;
const COMPARE_BELOW = 1;

/** One state channel; dwell times by STATE_*, conditions as three of the struct below. */
@unmanaged
export class StateRow {
  channel: i32;
  stoppedMs: i32; // how long each must last
  idleMs: i32;
  runMs: i32;
  faultMs: i32;
  faultChannel: i32; // -1: never true
  faultCompare: i32; // 0 above, 1 below, 2 equals
  faultLimit: i32; // as the type of its channel
  runChannel: i32;
  runCompare: i32;
  runLimit: i32;
  idleChannel: i32;
  idleCompare: i32;
  idleLimit: i32;
}

const DWELLS_AT: usize = 4; // of stoppedMs
const CONDITIONS_AT: usize = 20; // of faultChannel

/** The fields of one condition. */
@unmanaged
export class Condition {
  channel: i32;
  compare: i32;
  limit: i32;
}

/** What counts, and what may come to count. */
@unmanaged
export class StateState {
  value: i32; // STATE_*
  candidate: i32;
  sinceMs: u32; // of the candidate
  known: i32; // 1 after the first one
}

/** A condition of a row: 0 fault, 1 run, 2 idle. */
export function conditionOf(row: StateRow, order: i32): Condition {
  const first = changetype<usize>(row) + CONDITIONS_AT;
  return changetype<Condition>(first + order * offsetof<Condition>());
}

/** What is so when the condition of this order is true. */
export function stateOf(order: i32): i32 {
  return STATE_FAULT - order;
}

/** True when a good value of the condition's channel fulfils it. */
export function isTrue(condition: Condition, type: i32, value: i32): bool {
  if (condition.compare == COMPARE_ABOVE) return isAbove(type, value, condition.limit);
  if (condition.compare == COMPARE_BELOW) return isAbove(type, condition.limit, value);
  return value == condition.limit;
}

/** Why the value of a channel decides nothing; CAUSE_NONE when it is good. */
export function openCause(state: ChannelState): i32 {
  return state.quality == QUALITY_BAD ? state.cause : CAUSE_NONE;
}

/** The state of now through the dwell times; what counts. The first one counts at once. */
export function stepState(row: StateRow, state: StateState, now: i32, nowMs: u32): i32 {
  if (!state.known) {
    state.known = 1;
    state.value = now;
    state.candidate = now;
  }
  if (now != state.candidate) {
    state.candidate = now;
    state.sinceMs = nowMs;
  }
  const dwells = changetype<usize>(row) + DWELLS_AT;
  const dwellMs = load<u32>(dwells + (now << 2));
  if (now != state.value && nowMs - state.sinceMs >= dwellMs) state.value = now;
  return state.value;
}

/** After a time in which nobody knew: the next state counts at once. */
export function resetState(state: StateState): void {
  state.known = 0;
}
