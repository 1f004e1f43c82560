// SPDX-License-Identifier: MIT
// The past of each channel, in memory: a ring of points, ordered by time.
//
// A database follows behind the same two interfaces. A bad reading is kept as a point without a value.
// (H1) points of one series never go back in time; a late one is put where it belongs.
// (H2) a series holds HISTORY_POINTS_MAX points, all together HISTORY_POINTS_TOTAL_MAX; the oldest goes.

import type { HistoryPoint } from "./api.ts";
import { HISTORY_POINTS_FIRST, HISTORY_POINTS_MAX, HISTORY_POINTS_TOTAL_MAX } from "./limits.ts";

/** One channel's past. */
export interface Series {
  /** Keeps a point; NaN: bad quality. */
  put(wallMs: number, value: number): void;
  /** Points from sinceMs on, oldest first; null: bad quality, or a gap longer than gapMs before. */
  read(sinceMs: number, gapMs: number): HistoryPoint[];
}

/** Where series come from. */
export interface HistoryStore {
  open(node: string, channel: string): Series;
  /** Points that were not kept: older than all of a full series, or no room in all. */
  dropped(): number;
}

interface Ring {
  times: Float64Array;
  values: Float64Array;
  first: number; // index of the oldest
  count: number;
}

/** A store in memory; what it holds is gone with the process. */
export function createMemoryHistory(): HistoryStore {
  const budget: Budget = { points: 0, dropped: 0 };
  return {
    open: () => {
      const ring: Ring = emptyRing(0);
      return {
        put: (wallMs, value) => putPoint(ring, budget, wallMs, value),
        read: (sinceMs, gapMs) => readPoints(ring, sinceMs, gapMs),
      };
    },
    dropped: () => budget.dropped,
  };
}

// Of all series of a store.
interface Budget {
  points: number;
  dropped: number;
}

function emptyRing(capacity: number): Ring {
  return {
    times: new Float64Array(capacity),
    values: new Float64Array(capacity),
    first: 0,
    count: 0,
  };
}

function putPoint(ring: Ring, budget: Budget, wallMs: number, value: number): void {
  if (ring.count === ring.times.length) grow(ring, budget);
  const capacity = ring.times.length;
  if (ring.count === capacity) {
    if (capacity === 0 || wallMs < (ring.times[ring.first] ?? 0)) {
      budget.dropped++;
      return;
    }
    ring.first = (ring.first + 1) % capacity;
    ring.count--;
  }
  // Newer points move up by one; nearly always there are none.
  let slot = (ring.first + ring.count) % capacity;
  for (let moved = 0; moved < ring.count; moved++) {
    const before = (slot + capacity - 1) % capacity;
    const time = ring.times[before] ?? 0;
    if (time <= wallMs) break;
    ring.times[slot] = time;
    ring.values[slot] = ring.values[before] ?? NaN;
    slot = before;
  }
  ring.times[slot] = wallMs;
  ring.values[slot] = value;
  ring.count++;
}

function grow(ring: Ring, budget: Budget): void {
  const capacity = ring.times.length;
  const wanted = Math.min(Math.max(capacity * 2, HISTORY_POINTS_FIRST), HISTORY_POINTS_MAX);
  if (wanted === capacity || budget.points + wanted - capacity > HISTORY_POINTS_TOTAL_MAX) return;
  budget.points += wanted - capacity;
  const larger = emptyRing(wanted);
  for (let i = 0; i < ring.count; i++) {
    const from = (ring.first + i) % capacity;
    larger.times[i] = ring.times[from] ?? 0;
    larger.values[i] = ring.values[from] ?? NaN;
  }
  ring.times = larger.times;
  ring.values = larger.values;
  ring.first = 0;
}

function readPoints(ring: Ring, sinceMs: number, gapMs: number): HistoryPoint[] {
  const points: HistoryPoint[] = [];
  let before = NaN;
  for (let i = 0; i < ring.count; i++) {
    const at = (ring.first + i) % ring.times.length;
    const time = ring.times[at] ?? 0;
    if (time < sinceMs) continue;
    if (time - before > gapMs) points.push([before + 1, null]);
    const value = ring.values[at] ?? NaN;
    points.push([time, Number.isNaN(value) ? null : value]);
    before = time;
  }
  return points;
}
