// SPDX-License-Identifier: MIT
// How long a machine was in each state, and how many pieces its counters counted.
//
// Only the newest readings by (boot, sequence) come here, each once, so totals can be made again from
// the readings. A state counts from one reading to the next.
// (T1) time over which nothing was heard, or a restart, counts for no state.
// (T2) a counter is a u32 that wraps, and starts at 0 when its node or its loop starts again.

import type { StateTimes } from "./api.ts";
import { COUNT_WRAP } from "./limits.ts";

/** A counter's total in steps of its scale. */
export interface CountTotal {
  steps: number;
  last: number; // mantissa of the newest reading
  boot: number; // of that reading
  doubtful: number; // steps that were counted twice if link alone started again
}

export const STATES = ["stopped", "idle", "run", "fault"] as const; // by the value of a reading

export function emptyTimes(): StateTimes {
  return { run: 0, idle: 0, stopped: 0, fault: 0 };
}

export interface StateReading {
  value: number; // NaN: bad quality
  atMs: number | null;
  boot: number;
}

/** Counts the time between two readings of a state channel for the state of the first. */
export function addStateTime(
  times: StateTimes,
  before: StateReading,
  next: StateReading,
  gapMs: number,
): void {
  const state = STATES[before.value];
  if (state === undefined || before.atMs === null || next.atMs === null) return;
  const forMs = next.atMs - before.atMs;
  // A clock that stepped back tells no length of time.
  if (before.boot !== next.boot || forMs < 0 || forMs > gapMs) return;
  times[state] += forMs;
}

/** Counts a counter's newest reading; `before` is null for the first. */
export function addCount(before: CountTotal | null, boot: number, mantissa: number): CountTotal {
  if (before === null) return { steps: mantissa, last: mantissa, boot, doubtful: 0 };
  const total = before;
  if (boot !== total.boot) {
    total.doubtful = mantissa >= total.last ? total.last : 0;
    total.steps += mantissa;
  } else if (mantissa >= total.last) total.steps += mantissa - total.last;
  else {
    const wrapped = mantissa - total.last + COUNT_WRAP;
    // More than half a turn back is no wrap: loop alone started again and counts from 0.
    total.steps += wrapped < COUNT_WRAP / 2 ? wrapped : mantissa;
  }
  total.last = mantissa;
  total.boot = boot;
  return total;
}

/** Link alone started again, so the loop's count went on: takes back what was counted twice. */
export function countWentOn(total: CountTotal): void {
  total.steps -= total.doubtful;
  total.doubtful = 0;
}
