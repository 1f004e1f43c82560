// SPDX-License-Identifier: MIT
// On above one limit, off below another, and what it was in between.
//
// No state: what it was is an argument, so that the caller's own variable is the only one.

/** True at `on` or above, false at `off` or below, `was` between them; `off` is below `on`. */
export function hysteresis(was: bool, value: i32, off: i32, on: i32): bool {
  assert(off < on);
  if (value >= on) return true;
  if (value <= off) return false;
  return was;
}
