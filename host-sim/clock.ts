// SPDX-License-Identifier: MIT
// Virtual clock: integer microseconds that move only when an alarm is due.
//
// Alarms are ordered by (time, sequence) in one heap (alarm-heap.ts): of two at the same time the one armed
// first fires first. A *due* time is absolute, a *delay* is a length; the two never share a name.
// Arming an alarm that is already armed moves it. Nothing is allocated when an alarm is armed again.
// (C1) time never runs backwards.  (C2) an alarm fires once per arming.

import { createAlarmHeap, giveId, insert, remove, takeId } from "./alarm-heap.ts";

/** One thing that happens later; reusable. It stays with its clock: make few. */
export interface Alarm {
  /** Fires at an absolute time in µs; a time already past means now. Infinity disarms. */
  armAt(dueUs: number): void;
  /** Fires after a length of time in µs. */
  armAfter(delayUs: number): void;
  disarm(): void;
  /** When it fires, Infinity when it is not armed. */
  dueUs(): number;
}

export interface Clock {
  nowUs(): number;
  /** Makes an alarm that is not armed yet. */
  createAlarm(action: () => void): Alarm;
  /** Runs an action once at an absolute time in µs. */
  at(dueUs: number, action: () => void): void;
  /** The time of the next alarm, Infinity: none. */
  nextDueUs(): number;
  /** Fires all alarms due up to and including this absolute time, then stands at it. */
  runUntil(endUs: number): void;
  /** Alarms that are armed. */
  armedCount(): number;
}

/** A clock that stands at 0. */
export function createClock(): Clock {
  const heap = createAlarmHeap();
  const actions: (() => void)[] = []; // by id
  const once: boolean[] = []; // by id: given back when it fires
  let nowUs = 0;
  let sequence = 0;

  function create(action: () => void, fires: boolean): number {
    const id = takeId(heap);
    actions[id] = action;
    once[id] = fires;
    return id;
  }

  function arm(id: number, wantedUs: number): void {
    if (heap.position[id]! >= 0) remove(heap, id);
    if (wantedUs === Infinity) return;
    if (!Number.isSafeInteger(wantedUs)) throw new RangeError(`not a time in µs: ${wantedUs}`);
    insert(heap, id, Math.max(wantedUs, nowUs), sequence++);
  }

  function createAlarm(action: () => void): Alarm {
    const id = create(action, false);
    const dueUs = (): number =>
      heap.position[id]! < 0 ? Infinity : heap.dueUs[heap.position[id]!]!;
    return {
      armAt: (wantedUs) => arm(id, wantedUs),
      armAfter: (delayUs) => arm(id, nowUs + delayUs),
      disarm: () => arm(id, Infinity),
      dueUs,
    };
  }

  function fire(id: number): void {
    const action = actions[id]!;
    if (once[id] === true) {
      actions[id] = nothing; // what it holds may be collected
      giveId(heap, id);
    }
    action();
  }

  function runUntil(endUs: number): void {
    while (heap.size > 0 && heap.dueUs[0]! <= endUs) {
      const id = heap.id[0]!;
      nowUs = heap.dueUs[0]!; // (C1) arm() never lets a due time lie in the past
      remove(heap, id);
      fire(id);
    }
    nowUs = Math.max(nowUs, endUs);
  }

  return {
    nowUs: () => nowUs,
    createAlarm,
    at(dueUs, action) {
      if (dueUs !== Infinity) arm(create(action, true), dueUs);
    },
    nextDueUs: () => (heap.size === 0 ? Infinity : heap.dueUs[0]!),
    runUntil,
    armedCount: () => heap.size,
  };
}

const nothing = (): void => undefined;
