// SPDX-License-Identifier: MIT
// Timed steps: which step a sequence is in, and for how long.
//
// Time is an argument, milliseconds that may wrap: the age of a step is right up to 49 days.

/** Steps are the caller's numbers; it starts in step 0. */
@unmanaged
export class Sequence {
  step: i32;
  sinceMs: u32;
}

/** Enters a step, also the one it is in: its time starts anew. */
export function enterStep(sequence: Sequence, step: i32, nowMs: u32): void {
  sequence.step = step;
  sequence.sinceMs = nowMs;
}

/** Milliseconds since the step was entered. */
export function stepAge(sequence: Sequence, nowMs: u32): u32 {
  return nowMs - sequence.sinceMs;
}

/** Enters `next` when the sequence has been in `step` for `ms`; true when it did. */
export function leaveStep(sequence: Sequence, step: i32, ms: u32, next: i32, nowMs: u32): bool {
  if (sequence.step != step || stepAge(sequence, nowMs) < ms) return false;
  enterStep(sequence, next, nowMs);
  return true;
}
