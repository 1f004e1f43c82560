// SPDX-License-Identifier: MIT
// Set-points of a tick: mailbox ► clamp ► node code ► ring.
//
// Spec: SPEC.md §1.4, §1.7. State: one SetpointState a set-point, and a queue of outcomes that link was
// not told yet, in static memory. A full queue leaves commands in the mailbox, which then refuses more:
// no command is taken whose outcome could be lost.

import { SETPOINT_COUNT, SETPOINT_ROWS } from "../../generated/loop";
import { COMMANDS_PER_TICK } from "../../limits";
import { CAUSE_NONE, QUALITY_GOOD } from "../../wire/record";
import { CODE_REFUSED, CODE_STALE, MAILBOX_BYTES, MAILBOX_SETPOINT } from "../../wire/setpoint";
import { mailbox_take, ring_put } from "../abi";
import { acceptSample } from "../filter";
import { encodeOutcome } from "../record";
import {
  ageSetpoint,
  heldOf,
  Outcome,
  SETPOINT_BYTES,
  SetpointRow,
  SetpointState,
  startSetpoint,
  takeBack,
  takeCommand,
} from "../setpoint";
import { channelState, RECORD, SPARE, tickMs, tickUs } from "./channels";

namespace queue {
  export let waiting: i32 = 0; // outcomes that link was not told, oldest first
}

// Memory is only laid out where there is a set-point.
const COMMAND = memory.data(SETPOINT_COUNT > 0 ? MAILBOX_BYTES : SPARE, 4);
const STATES = memory.data(SETPOINT_COUNT * SETPOINT_BYTES + SPARE, 4);
// One more than the queue holds: where a stale command is laid out.
const OUTCOMES = memory.data(
  SETPOINT_COUNT > 0 ? (COMMANDS_PER_TICK + 1) * offsetof<Outcome>() : SPARE,
  4,
);

/** All set-points to their defaults. */
export function startSetpoints(): void {
  for (let i = 0; i < SETPOINT_COUNT; i++) startSetpoint(rowOf(i), stateOf(i));
}

/** Takes the commands of this tick, as many as there is room to answer. */
export function takeSetpoints(): void {
  for (let i = 0; i < SETPOINT_COUNT; i++) ageSetpoint(rowOf(i), stateOf(i), tickMs());
  for (let i = 0; i < queue.waiting; i++) outcomeAt(i).fresh = 0;
  for (let k = 0; k < COMMANDS_PER_TICK && queue.waiting < COMMANDS_PER_TICK; k++) {
    const length = mailbox_take(COMMAND, MAILBOX_BYTES);
    if (length == 0) break;
    const number = <i32>load<u8>(COMMAND + MAILBOX_SETPOINT);
    if (length != MAILBOX_BYTES || number >= SETPOINT_COUNT) continue; // not one of ours
    takeCommand(rowOf(number), stateOf(number), COMMAND, outcomeAt(queue.waiting), tickMs());
    queue.waiting++;
  }
}

/** The effective value. */
export function setpointValue(index: i32): i32 {
  return heldOf(stateOf(index)).value;
}

/** Refuses what was commanded in this tick. */
export function refuseSetpoint(index: i32): void {
  takeBack(stateOf(index));
  for (let i = 0; i < queue.waiting; i++) {
    const outcome = outcomeAt(i);
    if (!outcome.fresh || outcome.setpoint != index) continue;
    outcome.code = CODE_REFUSED;
    outcome.effective = setpointValue(index);
  }
}

/** Outcomes to the ring, and effective values to their channels. */
export function settleSetpoints(): void {
  tellOutcomes();
  for (let i = 0; i < SETPOINT_COUNT; i++) {
    if (stateOf(i).staleUntold) tellStale(i);
    acceptSample(channelState(rowOf(i).channel), setpointValue(i), QUALITY_GOOD, CAUSE_NONE);
  }
}

// In order; what a full ring refuses stays, with all that came after it.
function tellOutcomes(): void {
  let told = 0;
  while (told < queue.waiting && tellOutcome(outcomeAt(told))) told++;
  if (told == 0) return;
  queue.waiting -= told;
  for (let i = 0; i < queue.waiting; i++) copyOutcome(i, i + told);
}

function tellStale(index: i32): void {
  const state = stateOf(index);
  const outcome = outcomeAt(COMMANDS_PER_TICK);
  outcome.setpoint = index;
  outcome.request = state.staleRequest;
  outcome.requested = state.staleRequested;
  outcome.effective = rowOf(index).standard;
  outcome.code = CODE_STALE;
  if (tellOutcome(outcome)) state.staleUntold = 0;
}

function tellOutcome(outcome: Outcome): bool {
  const channel = rowOf(outcome.setpoint).channel;
  return ring_put(RECORD, encodeOutcome(RECORD, tickUs(), channel, outcome)) != 0;
}

function copyOutcome(to: i32, from: i32): void {
  memory.copy(
    changetype<usize>(outcomeAt(to)),
    changetype<usize>(outcomeAt(from)),
    offsetof<Outcome>(),
  );
}

function outcomeAt(index: i32): Outcome {
  return changetype<Outcome>(OUTCOMES + index * offsetof<Outcome>());
}

function rowOf(index: i32): SetpointRow {
  assert(<u32>index < <u32>SETPOINT_COUNT);
  return changetype<SetpointRow>(
    changetype<usize>(SETPOINT_ROWS) + index * offsetof<SetpointRow>(),
  );
}

function stateOf(index: i32): SetpointState {
  assert(<u32>index < <u32>SETPOINT_COUNT);
  return changetype<SetpointState>(STATES + index * SETPOINT_BYTES);
}
