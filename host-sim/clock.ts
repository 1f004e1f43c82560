// SPDX-License-Identifier: MIT
// Virtual clock: integer microseconds that move only when an alarm is due.
//
// Alarms are ordered by (time, sequence) in one binary heap: of two at the same time the one armed
// first fires first. A *due* time is absolute, a *delay* is a length; the two never share a name.
// Arming an alarm that is already armed moves it. Nothing is allocated when an alarm is armed again.
// (C1) time never runs backwards.  (C2) an alarm fires once per arming.

/** One thing that happens later; reusable. */
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

interface Entry {
  dueUs: number;
  sequence: number;
  position: number; // in the heap; -1: not armed
  readonly action: () => void;
}

/** A clock that stands at 0. */
export function createClock(): Clock {
  const heap: Entry[] = [];
  let nowUs = 0;
  let sequence = 0;

  function arm(entry: Entry, wantedUs: number): void {
    if (entry.position >= 0) remove(heap, entry);
    if (wantedUs === Infinity) return;
    if (!Number.isSafeInteger(wantedUs)) throw new RangeError(`not a time in µs: ${wantedUs}`);
    entry.dueUs = Math.max(wantedUs, nowUs);
    entry.sequence = sequence++;
    insert(heap, entry);
  }

  function createAlarm(action: () => void): Alarm {
    const entry: Entry = { dueUs: 0, sequence: 0, position: -1, action };
    return {
      armAt: (dueUs) => arm(entry, dueUs),
      armAfter: (delayUs) => arm(entry, nowUs + delayUs),
      disarm: () => arm(entry, Infinity),
      dueUs: () => (entry.position < 0 ? Infinity : entry.dueUs),
    };
  }

  function runUntil(endUs: number): void {
    for (let next = heap[0]; next !== undefined && next.dueUs <= endUs; next = heap[0]) {
      remove(heap, next);
      nowUs = next.dueUs; // (C1) arm() never lets a due time lie in the past
      next.action();
    }
    nowUs = Math.max(nowUs, endUs);
  }

  return {
    nowUs: () => nowUs,
    createAlarm,
    at: (dueUs, action) => arm({ dueUs: 0, sequence: 0, position: -1, action }, dueUs),
    nextDueUs: () => heap[0]?.dueUs ?? Infinity,
    runUntil,
    armedCount: () => heap.length,
  };
}

function before(a: Entry, b: Entry): boolean {
  return a.dueUs < b.dueUs || (a.dueUs === b.dueUs && a.sequence < b.sequence);
}

function place(heap: Entry[], entry: Entry, position: number): void {
  heap[position] = entry;
  entry.position = position;
}

function insert(heap: Entry[], entry: Entry): void {
  heap.push(entry);
  rise(heap, entry, heap.length - 1);
}

function remove(heap: Entry[], entry: Entry): void {
  const hole = entry.position;
  entry.position = -1;
  const last = heap.pop();
  if (last === undefined || last === entry) return;
  rise(heap, last, hole);
  sink(heap, last, last.position);
}

function rise(heap: Entry[], entry: Entry, from: number): void {
  let position = from;
  while (position > 0) {
    const parent = heap[(position - 1) >> 1];
    if (parent === undefined || !before(entry, parent)) break;
    place(heap, parent, position);
    position = (position - 1) >> 1;
  }
  place(heap, entry, position);
}

function sink(heap: Entry[], entry: Entry, from: number): void {
  let position = from;
  for (;;) {
    const left = heap[2 * position + 1];
    const right = heap[2 * position + 2];
    const child = right !== undefined && left !== undefined && before(right, left) ? right : left;
    if (child === undefined || !before(child, entry)) break;
    const hole = child.position;
    place(heap, child, position);
    position = hole;
  }
  place(heap, entry, position);
}
