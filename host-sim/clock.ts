// SPDX-License-Identifier: MIT
// Virtual clock: integer microseconds that move only when an alarm is due.
//
// Alarms are ordered by (time, sequence) in one heap (alarm-heap.ts): of two at the same time the one armed
// first fires first. A *due* time is absolute, a *delay* is a length; the two never share a name.
// Arming an alarm that is already armed moves it. Nothing is allocated when an alarm is armed again.
// (C1) time never runs backwards.  (C2) an alarm fires once per arming.

import { createAlarmHeap, giveId, insert, remove, takeId, type AlarmHeap } from "./alarm-heap.ts";

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

interface State {
  readonly heap: AlarmHeap;
  readonly actions: (() => void)[]; // by id
  readonly once: boolean[]; // by id: given back when it fires
  nowUs: number;
  sequence: number;
}

/** A clock that stands at 0. */
export function createClock(): Clock {
  const state: State = { heap: createAlarmHeap(), actions: [], once: [], nowUs: 0, sequence: 0 };
  const { heap } = state;
  return {
    nowUs: () => state.nowUs,
    createAlarm: (action) => createAlarm(state, action),
    at(dueUs, action) {
      if (dueUs !== Infinity) arm(state, create(state, action, true), dueUs);
    },
    nextDueUs: () => (heap.size === 0 ? Infinity : heap.dueUs[0]!),
    runUntil: (endUs) => runUntil(state, endUs),
    armedCount: () => heap.size,
  };
}

function create(state: State, action: () => void, once: boolean): number {
  const id = takeId(state.heap);
  state.actions[id] = action;
  state.once[id] = once;
  return id;
}

function arm(state: State, id: number, wantedUs: number): void {
  const { heap, nowUs } = state;
  if (heap.position[id]! >= 0) remove(heap, id);
  if (wantedUs === Infinity) return;
  if (!Number.isSafeInteger(wantedUs)) throw new RangeError(`not a time in µs: ${wantedUs}`);
  insert(heap, id, Math.max(wantedUs, nowUs), state.sequence++);
}

function createAlarm(state: State, action: () => void): Alarm {
  const { heap } = state;
  const id = create(state, action, false);
  return {
    armAt: (wantedUs) => arm(state, id, wantedUs),
    armAfter: (delayUs) => arm(state, id, state.nowUs + delayUs),
    disarm: () => arm(state, id, Infinity),
    dueUs: () => (heap.position[id]! < 0 ? Infinity : heap.dueUs[heap.position[id]!]!),
  };
}

function runUntil(state: State, endUs: number): void {
  const { heap } = state;
  while (heap.size > 0 && heap.dueUs[0]! <= endUs) {
    const id = heap.id[0]!;
    state.nowUs = heap.dueUs[0]!; // (C1) arm() never lets a due time lie in the past
    remove(heap, id);
    fire(state, id);
  }
  state.nowUs = Math.max(state.nowUs, endUs);
}

function fire(state: State, id: number): void {
  const action = state.actions[id]!;
  if (state.once[id] === true) {
    state.actions[id] = nothing; // what it holds may be collected
    giveId(state.heap, id);
  }
  action();
}

const nothing = (): void => undefined;
