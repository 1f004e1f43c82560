// SPDX-License-Identifier: MIT
// The past of each channel: the interface, and a ring of points in memory.
//
// A file stands behind the same interfaces (server-sqlite.ts). A bad reading is kept as a point without a value.
// (H1) points of one series never go back in time; a late one is put where it belongs.
// (H2) a series holds HISTORY_POINTS_MAX points, all together HISTORY_POINTS_TOTAL_MAX; the oldest goes.

import type { AuditRow, EventView, HistoryPoint, HistoryText } from "./api.ts";
import type { SequenceChanges, SequenceChunk } from "./sequence.ts";
import { HISTORY_POINTS_FIRST, HISTORY_POINTS_MAX, HISTORY_POINTS_TOTAL_MAX } from "./limits.ts";
import { createTextList, type TextRange } from "./history-texts.ts";

/** One channel's past. */
export interface Series {
  /** Keeps a point; NaN: bad quality. */
  put(wallMs: number, value: number): void;
  /** Points from sinceMs on, oldest first; null: bad quality, or a gap longer than gapMs before. */
  read(sinceMs: number, gapMs: number): HistoryPoint[];
  /** The first `max` points of a range, ends included, oldest first; null: bad quality. */
  points(sinceMs: number, untilMs: number, max: number): HistoryPoint[];
  /** Good points of a range in buckets of widthMs, or wider where only these are left. */
  buckets(sinceMs: number, untilMs: number, widthMs: number): Buckets;
  /** Keeps a text from this time on; null: bad quality. */
  putText(wallMs: number, text: string | null): void;
  /** Texts of a range, oldest first: the first of them, or the newest. */
  texts(range: TextRange): HistoryText[];
  /** Since when every point is held; before, buckets are all there is. */
  wholeSinceMs(): number;
}

/** In order of time; each starts at a multiple of widthMs, empty ones are left out. */
export interface Buckets {
  widthMs: number;
  buckets: Bucket[];
}

/** Good points of one length of time. */
export interface Bucket {
  startMs: number;
  min: number;
  max: number;
  sum: number;
  count: number;
}

/** Where series come from. */
export interface HistoryStore {
  open(node: string, channel: string): Series;
  /** Points that were not kept: older than all of a full series, or no room in all. */
  dropped(): number;
  /** Points that should lie in a file and are in memory alone. */
  unsaved(): number;
  /** What outlasts a restart besides points; null: nothing does. */
  keeper: Keeper | null;
}

/** Writes down what a hub must know again after a restart. All of it counts from the commit on. */
export interface Keeper {
  restore(): Kept;
  sequences(node: string, changes: SequenceChanges): void;
  node(node: string, body: string): void;
  channel(node: string, channel: string, body: string): void;
  forgetChannel(node: string, channel: string): void;
  audit(row: AuditRow): void;
  /** One with a known id replaces that line. */
  event(event: EventView): void;
  /** Writes all of it and the points in one piece. Never throws: see failure(). */
  commit(): void;
  /** Deletes some of what is too old. */
  prune(wallMs: number): void;
  /** Why nothing is written any more, one sentence; null: all is well. */
  failure(): string | null;
}

/** What was kept; bodies are the text that was given. */
export interface Kept {
  nodes: { node: string; body: string }[];
  channels: { node: string; channel: string; body: string }[];
  chunks: Map<string, SequenceChunk[]>; // by node
  audit: AuditRow[]; // oldest first, the newest AUDIT_KEPT
  events: EventView[]; // oldest first, the newest EVENTS_KEPT
}

interface Ring {
  times: Float64Array;
  values: Float64Array;
  first: number; // index of the oldest
  count: number;
}

/** A store in memory; what it holds is gone with the process. */
export function createMemoryHistory(): HistoryStore {
  const budget: Budget = { points: 0, texts: 0, dropped: 0 };
  return {
    open: () => {
      const ring: Ring = emptyRing(0);
      const texts = createTextList(budget);
      return {
        ...texts,
        put: (wallMs, value) => putPoint(ring, budget, wallMs, value),
        read: (sinceMs, gapMs) => withGaps(rangeOf(ring, sinceMs, Infinity, Infinity), gapMs),
        points: (sinceMs, untilMs, max) => rangeOf(ring, sinceMs, untilMs, max),
        buckets: (sinceMs, untilMs, widthMs) =>
          bucketsOf(rangeOf(ring, sinceMs, untilMs, Infinity), widthMs),
        wholeSinceMs: () => -Infinity, // there is nothing but the points
      };
    },
    dropped: () => budget.dropped,
    unsaved: () => 0,
    keeper: null,
  };
}

/** Puts a null right after a point that was followed by more than gapMs of silence. */
export function withGaps(points: readonly HistoryPoint[], gapMs: number): HistoryPoint[] {
  const whole: HistoryPoint[] = [];
  let before = NaN;
  for (const point of points) {
    if (point[0] - before > gapMs) whole.push([before + 1, null]);
    whole.push(point);
    before = point[0];
  }
  return whole;
}

/** Points in order of time as buckets. */
export function bucketsOf(points: readonly HistoryPoint[], widthMs: number): Buckets {
  const buckets: Bucket[] = [];
  for (const [wallMs, value] of points) {
    if (value === null) continue;
    const startMs = Math.floor(wallMs / widthMs) * widthMs;
    const last = buckets[buckets.length - 1];
    if (last?.startMs !== startMs)
      buckets.push({ startMs, min: value, max: value, sum: value, count: 1 });
    else putInBucket(last, value);
  }
  return { widthMs, buckets };
}

export function putInBucket(bucket: Bucket, value: number): void {
  bucket.min = Math.min(bucket.min, value);
  bucket.max = Math.max(bucket.max, value);
  bucket.sum += value;
  bucket.count++;
}

// Of all series of a store.
interface Budget {
  points: number;
  texts: number;
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

function rangeOf(ring: Ring, sinceMs: number, untilMs: number, max: number): HistoryPoint[] {
  const points: HistoryPoint[] = [];
  for (let i = 0; i < ring.count && points.length < max; i++) {
    const at = (ring.first + i) % ring.times.length;
    const time = ring.times[at] ?? 0;
    if (time < sinceMs) continue;
    if (time > untilMs) break;
    const value = ring.values[at] ?? NaN;
    points.push([time, Number.isNaN(value) ? null : value]);
  }
  return points;
}
