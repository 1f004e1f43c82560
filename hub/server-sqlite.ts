// SPDX-License-Identifier: MIT
// History in one SQLite file, and what a hub must know again.
//
// (Q1) all that was put since the last commit is written in one transaction, or nothing of it.
// (Q2) a file that cannot be written any more is said once; points then go on in memory and are counted.
// (Q3) at most FILE_POINTS_PENDING_MAX points wait for a commit.
// One process, one connection: the lock is held for good, the rollback journal stays (no WAL here).

import { existsSync, rmSync, statSync } from "node:fs";
import sqlite from "node-sqlite3-wasm";
import type { AuditRow, EventView, HistoryPoint, HistoryText } from "./api.ts";
import { takeOwnership } from "./server-owner.ts";
import {
  type Bucket,
  bucketsOf,
  type Buckets,
  createMemoryHistory,
  type HistoryStore,
  type Keeper,
  putInBucket,
  type Series,
  withGaps,
} from "./history.ts";
import { textsOf, type TextRange } from "./history-texts.ts";
import * as limits from "./limits.ts";
import { openTables, type Tables } from "./server-tables.ts";

export interface FileHistory extends HistoryStore {
  keeper: Keeper;
  /** The file grows to so many pages of 4 KiB at most; then it is as if the disk were full. */
  limitPages(pages: number): void;
  close(): void;
}

/** Opens or makes the file; throws one sentence. `warn` hears when writing ends. */
export function openFileHistory(path: string, warn: (text: string) => void): FileHistory {
  const ownership = takeOwnershipOf(path);
  const isNew = !existsSync(path);
  try {
    const store = createStore(path, new sqlite.Database(path), warn);
    return {
      open: (node, channel) => openSeries(store, node, channel),
      dropped: () => store.dropped + store.spare.dropped(),
      unsaved: () => store.unsaved,
      keeper: createKeeper(store),
      limitPages: (pages) => store.database.exec(`PRAGMA max_page_count = ${Math.floor(pages)}`),
      close: () => {
        commit(store);
        store.database.close();
        ownership.release();
      },
    };
  } catch (error) {
    if (isNew) for (const made of [path, `${path}-journal`]) rmSync(made, { force: true });
    ownership.release();
    throw new Error(`history ${path} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

interface FileSeries {
  id: number;
  wholeSinceMs: number; // points before were pruned
  minutesSinceMs: number;
  minute: Bucket | null; // of the points not committed
  hour: Bucket | null;
  memory: Series | null; // once writing failed
}

interface Pending {
  points: number[]; // series, time, value, running number: four each
  minutes: [series: number, bucket: Bucket][];
  hours: [series: number, bucket: Bucket][];
  open: Set<FileSeries>; // with a bucket under way
  writes: (() => void)[]; // bounded by the nodes and channels that a commit touches
}

interface Store {
  path: string;
  database: sqlite.Database;
  tables: Tables;
  series: Map<string, FileSeries>;
  nextPoint: number;
  pruneAt: number; // the series whose turn it is
  pending: Pending;
  spare: HistoryStore;
  dropped: number;
  unsaved: number;
  failure: string | null;
  warn: (text: string) => void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function takeOwnershipOf(path: string): ReturnType<typeof takeOwnership> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new Error(`history ${path} cannot be opened: it is a folder`);
  try {
    return takeOwnership(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`history ${path} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

function createStore(path: string, database: sqlite.Database, warn: Store["warn"]): Store {
  const tables = openTables(database);
  const series = new Map<string, FileSeries>();
  for (const { id, node, channel, wholeSinceMs, minutesSinceMs } of tables.allSeries())
    series.set(key(node, channel), newSeries(id, wholeSinceMs, minutesSinceMs));
  return {
    path,
    database,
    tables,
    series,
    nextPoint: tables.nextPoint(),
    pruneAt: 0,
    pending: emptyPending(),
    spare: createMemoryHistory(),
    dropped: 0,
    unsaved: 0,
    failure: null,
    warn,
  };
}

function emptyPending(): Pending {
  return { points: [], minutes: [], hours: [], open: new Set(), writes: [] };
}

const key = (node: string, channel: string): string => `${node}/${channel}`; // an id has no /

function newSeries(id: number, wholeSinceMs: number, minutesSinceMs: number): FileSeries {
  return { id, wholeSinceMs, minutesSinceMs, minute: null, hour: null, memory: null };
}

function openSeries(store: Store, node: string, channel: string): Series {
  let series = store.series.get(key(node, channel));
  if (series === undefined) {
    // One too many gets no history: each of its points is counted as dropped.
    const id = store.series.size < limits.SERIES_MAX ? store.series.size + 1 : 0;
    series = newSeries(id, -1e15, -1e15);
    if (id > 0) store.series.set(key(node, channel), series);
    if (id > 0 && store.failure === null)
      store.pending.writes.push(() => store.tables.addSeries(id, node, channel));
  }
  const one = series;
  return {
    put: (wallMs, value) => put(store, one, Math.round(wallMs), value),
    read: (sinceMs, gapMs) =>
      withGaps(readNewest(store, one, sinceMs, limits.HISTORY_POINTS_MAX), gapMs),
    points: (sinceMs, untilMs, max) => readPoints(store, one, { sinceMs, untilMs, max }),
    buckets: (sinceMs, untilMs, widthMs) => readBuckets(store, one, { sinceMs, untilMs, widthMs }),
    putText: (wallMs, text) => putText(store, one, Math.round(wallMs), text),
    texts: (range) => readTexts(store, one, range),
    wholeSinceMs: () => one.wholeSinceMs,
  };
}

function putText(store: Store, series: FileSeries, wallMs: number, text: string | null): void {
  const { pending, tables } = store;
  if (store.failure !== null) {
    series.memory ??= store.spare.open("", "");
    series.memory.putText(wallMs, text);
    store.unsaved++;
  } else if (series.id === 0 || pending.writes.length >= limits.FILE_POINTS_PENDING_MAX)
    store.dropped++;
  else {
    const n = store.nextPoint++;
    pending.writes.push(() => tables.putText(series.id, wallMs, text, n));
  }
}

function readTexts(store: Store, series: FileSeries, range: TextRange): HistoryText[] {
  const saved = readSaved(store, () => store.tables.texts(series.id, range), []);
  const memory = series.memory?.texts(range) ?? [];
  return memory.length === 0 ? saved : textsOf([...saved, ...memory].sort(byTime), range);
}

const byTime = ([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number => a - b;

function put(store: Store, series: FileSeries, wallMs: number, value: number): void {
  if (store.failure !== null) return putInMemory(store, series, wallMs, value);
  const { pending } = store;
  const full = pending.points.length >= limits.FILE_POINTS_PENDING_MAX * 4;
  if (full || series.id === 0) {
    store.dropped++;
    return;
  }
  pending.points.push(series.id, wallMs, value, store.nextPoint++);
  if (Number.isNaN(value)) return;
  pending.open.add(series);
  series.minute = addTo(series.id, series.minute, pending.minutes, MINUTE_MS, [wallMs, value]);
  series.hour = addTo(series.id, series.hour, pending.hours, HOUR_MS, [wallMs, value]);
}

/** Adds to the bucket under way, or starts another one and puts the one before away. */
function addTo(
  id: number,
  bucket: Bucket | null,
  done: Pending["minutes"],
  widthMs: number,
  [wallMs, value]: [number, number],
): Bucket {
  const startMs = Math.floor(wallMs / widthMs) * widthMs;
  if (bucket?.startMs === startMs) {
    putInBucket(bucket, value);
    return bucket;
  }
  if (bucket !== null) done.push([id, bucket]);
  return { startMs, min: value, max: value, sum: value, count: 1 };
}

function putInMemory(store: Store, series: FileSeries, wallMs: number, value: number): void {
  series.memory ??= store.spare.open("", "");
  series.memory.put(wallMs, value);
  store.unsaved++;
}

function createKeeper(store: Store): Keeper {
  const { tables } = store;
  const later = (write: () => void): void => {
    if (store.failure === null) store.pending.writes.push(write);
  };
  return {
    restore: () => tables.restore(),
    sequences: (node, changes) => later(() => tables.putSequences(node, changes)),
    node: (node, body) => later(() => tables.putNode(node, body)),
    channel: (node, channel, body) => later(() => tables.putChannel(node, channel, body)),
    forgetChannel: (node, channel) => later(() => tables.dropChannel(node, channel)),
    audit: (row: AuditRow) => later(() => tables.putAudit(row)),
    event: (event: EventView) => later(() => tables.putEvent(event)),
    commit: () => commit(store),
    prune: (wallMs) => prune(store, wallMs),
    failure: () => store.failure,
  };
}

function commit(store: Store): void {
  const { pending } = store;
  if (store.failure !== null || (pending.points.length === 0 && pending.writes.length === 0))
    return;
  for (const series of pending.open) closeBuckets(series, pending);
  const done = attempt(store, () => {
    for (const write of pending.writes) write();
    const { points } = pending;
    store.tables.putPoints(points);
    for (const [id, bucket] of pending.minutes) store.tables.putBucket("minute", id, bucket);
    for (const [id, bucket] of pending.hours) store.tables.putBucket("hour", id, bucket);
    store.tables.putNextPoint(store.nextPoint);
  });
  store.pending = emptyPending();
  if (!done) moveToMemory(store, pending.points);
}

function closeBuckets(series: FileSeries, { minutes, hours }: Pending): void {
  if (series.minute !== null) minutes.push([series.id, series.minute]);
  if (series.hour !== null) hours.push([series.id, series.hour]);
  series.minute = null;
  series.hour = null;
}

/** Runs it as one transaction; false: nothing of it was written, and nothing will be any more. */
function attempt(store: Store, change: () => void): boolean {
  try {
    store.database.exec("BEGIN");
    change();
    store.database.exec("COMMIT");
    return true;
  } catch (error) {
    store.failure = `history ${store.path} cannot be written: ${reasonOf(error)}`;
    store.warn(`${store.failure}; readings are held in memory until the hub is started again`);
    try {
      if (store.database.inTransaction) store.database.exec("ROLLBACK");
    } catch {
      // What the file holds is as of the last commit either way.
    }
    return false;
  }
}

function moveToMemory(store: Store, points: readonly number[]): void {
  const byId = new Map<number, FileSeries>();
  for (const series of store.series.values()) byId.set(series.id, series);
  for (let i = 0; i < points.length; i += 4) {
    const series = byId.get(points[i] ?? 0);
    if (series !== undefined) putInMemory(store, series, points[i + 1] ?? 0, points[i + 2] ?? NaN);
  }
}

interface PointRange {
  sinceMs: number;
  untilMs: number;
  max: number;
}

function readPoints(store: Store, series: FileSeries, range: PointRange): HistoryPoint[] {
  const { sinceMs, untilMs, max } = range;
  const saved = readSaved(store, () => store.tables.points(series.id, sinceMs, untilMs, max), []);
  return merged(saved, series.memory?.points(sinceMs, untilMs, max) ?? []).slice(0, max);
}

function readNewest(store: Store, series: FileSeries, sinceMs: number, max: number) {
  const saved = readSaved(store, () => store.tables.newest(series.id, sinceMs, max), []);
  return merged(saved, series.memory?.points(sinceMs, Infinity, max) ?? []).slice(-max);
}

/** What is pending is committed first, so that a reader sees all. A file gone bad reads as empty. */
function readSaved<T>(store: Store, read: () => T, nothing: T): T {
  commit(store);
  try {
    return read();
  } catch {
    return nothing;
  }
}

function merged(saved: HistoryPoint[], memory: HistoryPoint[]): HistoryPoint[] {
  if (memory.length === 0) return saved;
  return [...saved, ...memory].sort(byTime);
}

interface BucketRange {
  sinceMs: number;
  untilMs: number;
  widthMs: number;
}

/** From the coarsest table that is fine enough and still holds the range. */
function readBuckets(store: Store, series: FileSeries, range: BucketRange): Buckets {
  const { sinceMs, untilMs, widthMs } = range;
  const points = series.memory?.points(sinceMs, untilMs, Infinity) ?? [];
  const nothing = { widthMs, buckets: [] };
  const saved = readSaved(store, () => savedBuckets(store, series, range), nothing);
  if (points.length === 0) return saved;
  const { buckets } = bucketsOf(points, saved.widthMs);
  const all = [...saved.buckets, ...buckets].sort((a, b) => a.startMs - b.startMs);
  return { widthMs: saved.widthMs, buckets: all };
}

function savedBuckets({ tables }: Store, series: FileSeries, range: BucketRange): Buckets {
  const { sinceMs, untilMs, widthMs } = range;
  const raw = sinceMs >= series.wholeSinceMs && widthMs < HOUR_MS;
  if (raw && (widthMs < MINUTE_MS || widthMs % MINUTE_MS !== 0)) {
    const points = tables.points(series.id, sinceMs, untilMs, limits.RAW_SCAN_MAX + 1);
    if (points.length <= limits.RAW_SCAN_MAX) return bucketsOf(points, widthMs);
  }
  const minutes = sinceMs >= series.minutesSinceMs && widthMs < 24 * HOUR_MS;
  const step = minutes ? MINUTE_MS : HOUR_MS;
  const wide = Math.ceil(widthMs / step) * step;
  const table = minutes ? "minute" : "hour";
  return { widthMs: wide, buckets: tables.buckets(table, series.id, range, wide) };
}

/** One series a call, so that the event loop is held for some 20 ms at most. */
function prune(store: Store, wallMs: number): void {
  if (store.failure !== null || store.series.size === 0) return;
  commit(store);
  const all = [...store.series.values()];
  const series = all[store.pruneAt++ % all.length];
  if (series === undefined || store.failure !== null) return;
  attempt(store, () => {
    const { tables } = store;
    const pruned = tables.prune(series.id, {
      rawMs: wallMs - limits.RAW_KEPT_MS,
      minuteMs: wallMs - limits.MINUTES_KEPT_MS,
      hourMs: wallMs - limits.HOURS_KEPT_MS,
    });
    series.wholeSinceMs = Math.max(series.wholeSinceMs, pruned.wholeSinceMs);
    series.minutesSinceMs = Math.max(series.minutesSinceMs, pruned.minutesSinceMs);
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such folder";
  if (code === "EACCES" || code === "EPERM" || /readonly/.test(message))
    return "no right to write there";
  if (code === "EROFS") return "its file system is read-only";
  if (code === "ENOSPC" || /is full/.test(message)) return "the disk is full";
  if (/disk I\/O error/.test(message)) return "the disk is full or broken";
  if (/not a database/.test(message)) return "it is no history file";
  return message;
}
