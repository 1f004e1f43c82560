// SPDX-License-Identifier: MIT
// Lets the simulator's clock follow the machine's.
//
// One timer for everything, armed for the next alarm. A late wake-up fires all alarms that are due, in
// order, each at its own time. Never waits busily.

import type { Clock } from "../clock.ts";

const TIMER_MS_MAX = 1000; // the clock is looked at this often whatever is due

export interface Drive {
  /** Microseconds since the drive started, by the machine's monotonic clock. */
  nowUs(): number;
  /** Does something from outside now: after what was due, before what it makes due. */
  act(action: () => void): void;
  stop(): void;
}

/** Starts at once; `behind` is told before alarms that are late by more than `lateUs` fire. */
export function driveClock(
  clock: Clock,
  lateUs: number,
  behind: (beforeUs: number) => void,
): Drive {
  const startMs = performance.now();
  const nowUs = (): number => Math.floor((performance.now() - startMs) * 1000);
  let timer: NodeJS.Timeout | undefined;
  let open = true;

  function advance(): void {
    const now = nowUs();
    if (now - clock.nextDueUs() > lateUs) behind(now - lateUs);
    clock.runUntil(now);
  }
  function wake(): void {
    if (!open) return;
    advance();
    clearTimeout(timer);
    // A timer of Node.js never fires early by more than it rounds, 1 ms.
    const delayMs = Math.ceil((clock.nextDueUs() - nowUs()) / 1000);
    timer = setTimeout(wake, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
  }
  timer = setTimeout(wake, 0);

  return {
    nowUs,
    act(action) {
      if (!open) return;
      advance();
      action();
      wake();
    },
    stop() {
      open = false;
      clearTimeout(timer);
    },
  };
}
