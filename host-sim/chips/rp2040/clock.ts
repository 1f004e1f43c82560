// SPDX-License-Identifier: MIT
// Alarms of the chip in cycles of clk_sys, and scopes that end many at once.
//
// A heap ordered by (cycle, sequence): of alarms due at the same cycle the one made first is called
// first. While a call runs, now() is the cycle it was due at, not where the core stands. What is made
// for the past is due now.
// (K1) whoever makes an alarm earlier than all others is told, so that a running core stops in time.
// (K2) a closed scope calls nothing: a peripheral that is reset leaves no alarm behind.

import { createAlarmHeap, giveId, insert, remove, takeId } from "../../alarm-heap.ts";
import type { Alarm, ChipClock } from "./peripheral.ts";

export interface CycleClock extends ChipClock {
  /** The cycle of the earliest alarm, Infinity: none. */
  nextDue(): number;
  /** Calls everything due up to this cycle, in order, also what is made meanwhile. */
  runDue(cycle: number): void;
}

/** A part of a clock whose alarms end together. */
export interface ClockScope extends ChipClock {
  close(): void;
}

/** `position` says where the core stands; `earlier` hears of each new earliest cycle (K1). */
export function createCycleClock(
  position: () => number,
  earlier: (cycle: number) => void,
): CycleClock {
  const heap = createAlarmHeap();
  const calls: (() => void)[] = []; // by id
  const serials: number[] = []; // by id: the sequence of the alarm that has it, -1: nobody
  let made = 0;
  let running = -1; // the cycle of the call that runs, -1: none

  function drop(id: number): void {
    serials[id] = -1;
    remove(heap, id);
    giveId(heap, id);
  }

  function runDue(cycle: number): void {
    while (heap.size > 0 && heap.dueUs[0]! <= cycle) {
      const id = heap.id[0]!;
      running = heap.dueUs[0]!;
      drop(id);
      calls[id]!();
    }
  }

  const now = (): number => (running >= 0 ? running : position());
  return {
    now,
    at(cycle, call) {
      const id = takeId(heap);
      const serial = made++;
      calls[id] = call;
      serials[id] = serial;
      insert(heap, id, Math.max(cycle, now()), serial);
      if (heap.id[0] === id) earlier(heap.dueUs[0]!);
      return { cancel: () => void (serials[id] === serial && drop(id)) };
    },
    nextDue: () => (heap.size > 0 ? heap.dueUs[0]! : Infinity),
    runDue(cycle) {
      try {
        runDue(cycle);
      } finally {
        running = -1;
      }
    },
  };
}

/** A scope of a clock, open until it is closed (K2). */
export function createScope(clock: ChipClock): ClockScope {
  let open = true;
  return {
    now: () => clock.now(),
    at: (cycle, call): Alarm => clock.at(cycle, () => void (open && call())),
    close() {
      open = false;
    },
  };
}
