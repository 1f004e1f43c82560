// SPDX-License-Identifier: MIT
// Outputs: every duty is clamped to the limits of node.json before it leaves.
//
// Duties are in 1/10,000 inside, 0..65535 at the host. The safe value may lie outside min..max: it is
// what the machine needs when nobody is in control.

/** One output. */
@unmanaged
export class OutputRow {
  output: i32; // number at the host
  min: i32;
  max: i32;
  safe: i32;
}

/** The duty that the next end of a tick writes. */
@unmanaged
export class OutputState {
  duty: i32;
}

/** One output of one bit. */
@unmanaged
export class SwitchRow {
  pin: i32; // number at the host
  safe: i32; // 0 or 1
}

/** The level that the next end of a tick writes. */
@unmanaged
export class SwitchState {
  level: i32;
}

/** Sets a wish, clamped to min..max. */
export function driveOutput(row: OutputRow, state: OutputState, permyriad: i32): void {
  state.duty = min(max(permyriad, row.min), row.max);
}

/** Goes to the safe value. */
export function driveOutputSafe(row: OutputRow, state: OutputState): void {
  state.duty = row.safe;
}

/** Duty for the host, 0..65535, rounded. */
export function hostDuty(state: OutputState): i32 {
  assert(<u32>state.duty <= 10_000);
  return (state.duty * 65_535 + 5_000) / 10_000;
}
