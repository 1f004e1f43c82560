// SPDX-License-Identifier: MIT
// Set-points: commands are clamped, live for a time, and fall back to the default.
//
// Spec: SPEC.md §1.4, §1.7, §8. Times are arguments. A command holds from the tick that takes it; the
// same tick may refuse it, and the value of before comes back with what was left of its life.
// (I1) the effective value is always within min..max of the row, whatever link hands over.

import {
  CODE_APPLIED,
  CODE_CLAMPED,
  MAILBOX_LIFETIME_MS,
  MAILBOX_MANTISSA,
  MAILBOX_REQUEST,
  MAILBOX_SETPOINT,
} from "../wire/setpoint";

/** One set-point, in mantissa steps. */
@unmanaged
export class SetpointRow {
  channel: i32; // that tells the effective value
  min: i32;
  max: i32;
  standard: i32; // the default
  staleMs: i32; // 0: a command holds for ever
}

/** A value and how long it holds. */
@unmanaged
export class Held {
  value: i32;
  requested: i32;
  request: u32;
  sinceMs: u32;
  lifetimeMs: u32; // 0: for ever
}

/** Followed in memory by what holds, and by what held before the first command of this tick. */
@unmanaged
export class SetpointState {
  staleRequest: u32; // the command that fell to the default
  staleRequested: i32;
  staleUntold: u8; // 1: link does not know of it
  commanded: u8; // 1: a command of this tick holds
  reserved: u16; // states stand in a row: each must keep the next one aligned
}

const NOW: usize = offsetof<SetpointState>();
const BEFORE: usize = NOW + offsetof<Held>();

/** Memory of one set-point. */
export const SETPOINT_BYTES: usize = BEFORE + offsetof<Held>();

/** A command until link was told what became of it. */
@unmanaged
export class Outcome {
  setpoint: i32;
  request: u32;
  requested: i32;
  effective: i32;
  code: i32; // CODE_*
  fresh: i32; // 1: taken in this tick, may still be refused
}

/** The default holds. */
export function startSetpoint(row: SetpointRow, state: SetpointState): void {
  heldOf(state).value = row.standard;
}

/** What holds now. */
export function heldOf(state: SetpointState): Held {
  return changetype<Held>(changetype<usize>(state) + NOW);
}

/** Once a tick, before commands: an outlived command gives way to the default. */
export function ageSetpoint(row: SetpointRow, state: SetpointState, nowMs: u32): void {
  const held = heldOf(state);
  state.commanded = 0;
  if (held.lifetimeMs == 0 || nowMs - held.sinceMs < held.lifetimeMs) return;
  state.staleRequest = held.request;
  state.staleRequested = held.requested;
  state.staleUntold = 1;
  held.value = row.standard;
  held.lifetimeMs = 0;
}

/** A command from the mailbox holds from now on; `outcome` says what became of it. */
export function takeCommand(
  row: SetpointRow,
  state: SetpointState,
  record: usize,
  outcome: Outcome,
  nowMs: u32,
): void {
  const held = heldOf(state);
  if (!state.commanded) copyHeld(beforeOf(state), held);
  const lifetimeMs = load<u32>(record + MAILBOX_LIFETIME_MS);
  held.requested = load<i32>(record + MAILBOX_MANTISSA);
  held.value = min(max(held.requested, row.min), row.max); // (I1)
  held.request = load<u32>(record + MAILBOX_REQUEST);
  held.sinceMs = nowMs;
  held.lifetimeMs = lifetimeMs == 0 ? <u32>row.staleMs : lifetimeMs;
  state.commanded = 1;
  outcome.setpoint = load<u8>(record + MAILBOX_SETPOINT);
  outcome.request = held.request;
  outcome.requested = held.requested;
  outcome.effective = held.value;
  outcome.code = held.value == held.requested ? CODE_APPLIED : CODE_CLAMPED;
  outcome.fresh = 1;
}

/** What held before this tick's commands holds again, with what is left of its life. */
export function takeBack(state: SetpointState): void {
  if (state.commanded) copyHeld(heldOf(state), beforeOf(state));
  state.commanded = 0;
}

function beforeOf(state: SetpointState): Held {
  return changetype<Held>(changetype<usize>(state) + BEFORE);
}

function copyHeld(to: Held, from: Held): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), offsetof<Held>());
}
