// SPDX-License-Identifier: MIT
// Debounce of an input pin: a new level counts when it has lasted.
//
// Times are arguments. The first level counts at once; a pin that is not there starts anew.

/** One digital channel. */
@unmanaged
export class DigitalRow {
  channel: i32;
  pin: i32;
  invert: i32; // 1: low is 1
  debounceMs: i32;
}

@unmanaged
export class DigitalState {
  sinceMs: u32; // since when the pin differs from the level
  level: u8; // that counts
  known: u8;
  differs: u8;
  reserved: u8; // states stand in a row: each must keep the next one aligned
}

/** A level of the pin, 0 or 1, through the debounce; the value that counts. */
export function debounce(row: DigitalRow, state: DigitalState, pin: i32, nowMs: u32): i32 {
  const level = <u8>(pin ^ row.invert);
  if (!state.known) {
    state.known = 1;
    state.level = level;
  }
  if (level == state.level) {
    state.differs = 0;
    return level;
  }
  if (!state.differs) state.sinceMs = nowMs;
  state.differs = 1;
  if (nowMs - state.sinceMs >= <u32>row.debounceMs) {
    state.level = level;
    state.differs = 0;
  }
  return state.level;
}

/** After a pin that could not be read: the next level counts at once. */
export function resetDebounce(state: DigitalState): void {
  state.known = 0;
  state.differs = 0;
}
