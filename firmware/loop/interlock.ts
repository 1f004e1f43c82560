// SPDX-License-Identifier: MIT
// Conditions that must all hold, or the machine stays off until somebody resets.
//
// Up to 32 conditions by number. What failed first is kept: the rest is usually its consequence.
// (I1) once tripped it stays tripped until a reset, and a reset works only while every condition holds.

/** A bit for each condition that fails now, and what tripped it. */
@unmanaged
export class Interlock {
  failing: u32;
  tripped: i32; // number of the condition, plus 1; 0: permitted
}

/** Condition 0..31 holds, or not; each once a tick, and before isPermitted(). */
export function requireThat(interlock: Interlock, condition: i32, holds: bool): void {
  assert(<u32>condition < 32);
  const bit: u32 = 1 << condition;
  interlock.failing = holds ? interlock.failing & ~bit : interlock.failing | bit;
  if (!holds && interlock.tripped == 0) interlock.tripped = condition + 1;
}

/** True while nothing has tripped it. */
export function isPermitted(interlock: Interlock): bool {
  return interlock.tripped == 0;
}

/** Number of the condition that tripped it, -1 when permitted. */
export function firstFailed(interlock: Interlock): i32 {
  return interlock.tripped - 1;
}

/** Permits again when every condition holds; false when it stays tripped. */
export function resetInterlock(interlock: Interlock): bool {
  if (interlock.failing == 0) interlock.tripped = 0; // (I1)
  return isPermitted(interlock);
}
