// SPDX-License-Identifier: MIT
// The counters of link and the tap counters that loop reported last.
//
// Spec: SPEC.md §6. u32 each, wrapping. State: COUNTERS, TAP_COUNTERS.

import { TAPS_MAX } from "../limits";
import { COUNTER_COUNT } from "../wire/counters";
import { TAP_COUNTER_COUNT } from "../wire/tap";

export const COUNTERS: usize = memory.data(COUNTER_COUNT * 4, 4);
export const TAP_COUNTERS_BYTES: i32 = TAP_COUNTER_COUNT * 4;
export const TAP_COUNTERS: usize = memory.data(TAPS_MAX * TAP_COUNTER_COUNT * 4, 4);

export function count(counter: i32, by: u32 = 1): void {
  assert(counter < COUNTER_COUNT);
  const at = COUNTERS + counter * 4;
  store<u32>(at, load<u32>(at) + by);
}
