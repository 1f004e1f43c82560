// SPDX-License-Identifier: MIT
// Polls a core on the virtual clock at the deadlines that it asks for.

import type { Clock } from "./clock.ts";

const POLL_PITCH_US = 1000; // a core that is due "now" again still lets time go on

/** Milliseconds of the run, as the cores take them. */
export function nowMs(clock: Clock): number {
  return Math.floor(clock.nowUs() / 1000);
}

/** Polls the core when called, and again at each deadline that the core returns. */
export function createPoller(clock: Clock, poll: (nowMs: number) => number): () => void {
  const alarm = clock.createAlarm(run);
  function run(): void {
    const deadlineMs = poll(nowMs(clock));
    if (deadlineMs === Infinity) alarm.disarm();
    else alarm.armAt(Math.max(Math.ceil(deadlineMs) * 1000, clock.nowUs() + POLL_PITCH_US));
  }
  return run;
}
