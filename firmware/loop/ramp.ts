// SPDX-License-Identifier: MIT
// A value that moves to its target no faster than allowed.
//
// Time is an argument. Positions are exact: a step is 3.6e9 parts, and a part is what one step an hour
// moves in a microsecond.
// (I1) |position| <= 2^31 steps, below 2^62.8; one move is below 2^57: their sum stays within 64 bits.

const PARTS: i64 = 3_600_000_000; // microseconds in an hour
const HALF: i64 = PARTS / 2;
const ELAPSED_US_MAX: u32 = 60_000_000; // a longer pause counts as a minute, as in a controller

/** Where a ramp is, in parts of a step. */
@unmanaged
export class Ramp {
  position: i64;
  atUs: u32;
  started: i32;
}

/** The next step starts from `value`. */
export function startRamp(ramp: Ramp, value: i32, nowUs: u32): void {
  ramp.position = <i64>value * PARTS;
  ramp.atUs = nowUs;
  ramp.started = 1;
}

/**
 * Moves towards `target` by at most `perHour` steps (above 0) an hour; where it then is, rounded (halves
 * away from 0). The first step of a ramp that was not started is at its target.
 */
export function stepRamp(ramp: Ramp, target: i32, perHour: i32, nowUs: u32): i32 {
  assert(perHour > 0);
  if (!ramp.started) startRamp(ramp, target, nowUs);
  const most = <i64>min(nowUs - ramp.atUs, ELAPSED_US_MAX) * perHour;
  const wanted = <i64>target * PARTS;
  // Not by their difference, which may leave 64 bits.
  const least = ramp.position - most;
  ramp.position = min(max(wanted, least), ramp.position + most); // (I1)
  ramp.atUs = nowUs;
  return <i32>((ramp.position + (ramp.position < 0 ? -HALF : HALF)) / PARTS);
}
