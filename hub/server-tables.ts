// SPDX-License-Identifier: MIT
// The tables of a history file and their statements; nothing else knows SQL.
//
// Times are integers, milliseconds since 1970. `n` is a running number: two points may share a time.
// A minute or hour holds sum and count, so that a late point goes in without reading the others.

import type sqlite from "node-sqlite3-wasm";
import type { AuditRow, EventView, HistoryPoint, HistoryText } from "./api.ts";
import type { Bucket, Kept } from "./history.ts";
import type { TextRange } from "./history-texts.ts";
import * as limits from "./limits.ts";
import { lowestChunk, type SequenceChanges, type SequenceChunk } from "./sequence.ts";

export type BucketTable = "minute" | "hour";

interface SeriesRow {
  id: number;
  node: string;
  channel: string;
  wholeSinceMs: number;
  minutesSinceMs: number;
}

export interface Tables {
  allSeries(): SeriesRow[];
  addSeries(id: number, node: string, channel: string): void;
  nextPoint(): number;
  putNextPoint(next: number): void;
  /** Series, time, value, running number: four each. */
  putPoints(points: readonly number[]): void;
  putBucket(table: BucketTable, series: number, bucket: Bucket): void;
  points(series: number, sinceMs: number, untilMs: number, max: number): HistoryPoint[];
  newest(series: number, sinceMs: number, max: number): HistoryPoint[];
  buckets(
    table: BucketTable,
    series: number,
    range: { sinceMs: number; untilMs: number },
    widthMs: number,
  ): Bucket[];
  putText(series: number, wallMs: number, text: string | null, n: number): void;
  texts(series: number, range: TextRange): HistoryText[];
  prune(
    series: number,
    before: { rawMs: number; minuteMs: number; hourMs: number },
  ): { wholeSinceMs: number; minutesSinceMs: number };
  restore(): Kept;
  putSequences(node: string, changes: SequenceChanges): void;
  putNode(node: string, body: string): void;
  putChannel(node: string, channel: string, body: string): void;
  dropChannel(node: string, channel: string): void;
  putAudit(row: AuditRow): void;
  /** The newest EVENTS_KEPT stay. */
  putEvent(event: EventView): void;
}

/** Takes the file for good and makes what is missing; throws what the database says. */
export function openTables(database: sqlite.Database): Tables {
  database.exec(PRAGMAS);
  const version = Number(database.get("PRAGMA user_version")?.["user_version"]);
  if (version > SCHEMA_VERSION) throw new Error("a newer Ferrule wrote it");
  database.exec(`BEGIN IMMEDIATE;${SCHEMA};PRAGMA user_version = ${SCHEMA_VERSION};COMMIT`);
  return {
    ...pointTables(database),
    ...textTables(database),
    ...bucketTables(database),
    ...keptTables(database),
  };
}

const SCHEMA_VERSION = 1;
const TIME_MAX = 9_000_000_000_000_000; // an infinite range as an integer
const PRAGMAS =
  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL;";
const SCHEMA = `
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY,
  node TEXT NOT NULL, channel TEXT NOT NULL,
  whole_since INTEGER NOT NULL, minutes_since INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS raw (series INTEGER, t INTEGER, n INTEGER, value REAL,
  PRIMARY KEY (series, t, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS text (series INTEGER, t INTEGER, n INTEGER, body TEXT,
  PRIMARY KEY (series, t, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minute (series INTEGER, t INTEGER, min REAL, max REAL, sum REAL,
  count INTEGER, PRIMARY KEY (series, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hour (series INTEGER, t INTEGER, min REAL, max REAL, sum REAL,
  count INTEGER, PRIMARY KEY (series, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken (node TEXT, base TEXT, boot INTEGER, chunk INTEGER, bits BLOB,
  PRIMARY KEY (node, base, boot, chunk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS node (node TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS channel (node TEXT, channel TEXT, body TEXT NOT NULL,
  PRIMARY KEY (node, channel)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, t INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS audit_time ON audit (t);
CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`;

type PointTables = Pick<
  Tables,
  | "allSeries"
  | "addSeries"
  | "nextPoint"
  | "putNextPoint"
  | "putPoints"
  | "points"
  | "newest"
  | "prune"
>;

const ROWS_AT_ONCE = 50; // of one INSERT: four times the rows a second of one by one

function pointTables(db: sqlite.Database): PointTables {
  const rows = (count: number): string => new Array(count).fill("(?,?,?,?)").join(",");
  const insert = "INSERT INTO raw (series, t, value, n) VALUES ";
  const many = db.prepare(insert + rows(ROWS_AT_ONCE));
  const one = db.prepare(insert + rows(1));
  const points = db.prepare(
    "SELECT t, value FROM raw WHERE series = ? AND t BETWEEN ? AND ? ORDER BY t, n LIMIT ?",
  );
  const newest = db.prepare(
    "SELECT t, value FROM raw WHERE series = ? AND t >= ? ORDER BY t DESC, n DESC LIMIT ?",
  );
  return {
    allSeries: () =>
      db.all(
        `SELECT id, node, channel, whole_since AS wholeSinceMs, minutes_since AS minutesSinceMs
         FROM series`,
      ) as unknown as SeriesRow[],
    addSeries: (id, node, channel) =>
      void db.run("INSERT INTO series VALUES (?, ?, ?, -1e15, -1e15)", [id, node, channel]),
    nextPoint: () =>
      Number(db.get("SELECT value FROM number WHERE name = 'point'")?.["value"] ?? 1),
    putNextPoint: (next) =>
      void db.run("INSERT OR REPLACE INTO number VALUES ('point', ?)", [next]),
    putPoints: (all) => {
      const size = ROWS_AT_ONCE * 4;
      let at = 0;
      for (; at + size <= all.length; at += size) many.run(bindable(all, at, size));
      for (; at < all.length; at += 4) one.run(bindable(all, at, 4));
    },
    points: (series, sinceMs, untilMs, max) =>
      points.all([series, from(sinceMs), to(untilMs), max]).map(toPoint),
    newest: (series, sinceMs, max) =>
      newest
        .all([series, from(sinceMs), max])
        .map(toPoint)
        .reverse(),
    prune: (series, before) => pruneSeries(db, series, before),
  };
}

/** NaN, a bad reading, is a NULL. */
function bindable(points: readonly number[], at: number, size: number): (number | null)[] {
  const values: (number | null)[] = points.slice(at, at + size);
  for (let i = 2; i < size; i += 4) if (Number.isNaN(values[i])) values[i] = null;
  return values;
}

const toPoint = (row: Record<string, unknown>): HistoryPoint => [
  Number(row["t"]),
  row["value"] === null ? null : Number(row["value"]),
];
const from = (ms: number): number => Math.max(-TIME_MAX, Math.ceil(ms));
const to = (ms: number): number => Math.min(TIME_MAX, Math.floor(ms));

function pruneSeries(
  db: sqlite.Database,
  series: number,
  before: { rawMs: number; minuteMs: number; hourMs: number },
): { wholeSinceMs: number; minutesSinceMs: number } {
  const wholeSinceMs = pruneTable(db, "raw", series, before.rawMs);
  const minutesSinceMs = pruneTable(db, "minute", series, before.minuteMs);
  pruneTable(db, "text", series, before.minuteMs);
  pruneTable(db, "hour", series, before.hourMs);
  db.run("DELETE FROM audit WHERE t < ?", [from(before.hourMs)]);
  if (wholeSinceMs > -1e15 || minutesSinceMs > -1e15)
    db.run(
      `UPDATE series SET whole_since = max(whole_since, ?), minutes_since = max(minutes_since, ?)
     WHERE id = ?`,
      [wholeSinceMs, minutesSinceMs, series],
    );
  return { wholeSinceMs, minutesSinceMs };
}

/** Deletes at most PRUNE_POINTS_MAX rows; since when the table is whole, -1e15 if none went. */
function pruneTable(db: sqlite.Database, table: string, series: number, beforeMs: number): number {
  const limit = db.get(
    `SELECT t FROM ${table} WHERE series = ? AND t < ? ORDER BY t LIMIT 1 OFFSET ?`,
    [series, from(beforeMs), limits.PRUNE_POINTS_MAX],
  );
  const cutMs = Number(limit?.["t"] ?? from(beforeMs));
  const { changes } = db.run(`DELETE FROM ${table} WHERE series = ? AND t < ?`, [series, cutMs]);
  return changes > 0 ? cutMs : -1e15;
}

function textTables(db: sqlite.Database): Pick<Tables, "putText" | "texts"> {
  const put = db.prepare("INSERT INTO text (series, t, n, body) VALUES (?, ?, ?, ?)");
  const select = (order: string) =>
    db.prepare(
      `SELECT t, body FROM text WHERE series = ? AND t BETWEEN ? AND ?
       ORDER BY t ${order}, n ${order} LIMIT ?`,
    );
  const first = select("ASC");
  const newest = select("DESC");
  return {
    putText: (series, wallMs, text, n) => void put.run([series, wallMs, n, text]),
    texts: (series, range) => {
      const found = (range.newest ? newest : first)
        .all([series, from(range.sinceMs), to(range.untilMs), range.max])
        .map(({ t, body }): HistoryText => [Number(t), body === null ? null : String(body)]);
      return range.newest ? found.reverse() : found;
    },
  };
}

function bucketTables(db: sqlite.Database): Pick<Tables, "putBucket" | "buckets"> {
  const put = {
    minute: db.prepare(upsertBucket("minute")),
    hour: db.prepare(upsertBucket("hour")),
  };
  const read = {
    minute: db.prepare(selectBuckets("minute")),
    hour: db.prepare(selectBuckets("hour")),
  };
  return {
    putBucket: (table, series, { startMs, min, max, sum, count }) =>
      void put[table].run([series, startMs, min, max, sum, count]),
    // The bucket that holds sinceMs starts before it.
    buckets: (table, series, { sinceMs, untilMs }, widthMs) =>
      read[table].all([
        widthMs,
        series,
        from(Math.floor(sinceMs / widthMs) * widthMs),
        to(untilMs),
      ]) as unknown as Bucket[],
  };
}

const upsertBucket = (table: BucketTable): string =>
  `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (series, t) DO UPDATE SET
   min = min(min, excluded.min), max = max(max, excluded.max), sum = sum + excluded.sum,
   count = count + excluded.count`;

const selectBuckets = (table: BucketTable): string =>
  `SELECT t - t % ?1 AS startMs, min(min) AS min, max(max) AS max, sum(sum) AS sum,
   sum(count) AS count FROM ${table} WHERE series = ?2 AND t BETWEEN ?3 AND ?4
   GROUP BY t - t % ?1 ORDER BY 1`;

type KeptTables = Pick<
  Tables,
  "restore" | "putSequences" | "putNode" | "putChannel" | "dropChannel" | "putAudit" | "putEvent"
>;

function keptTables(db: sqlite.Database): KeptTables {
  const chunk = db.prepare("INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?, ?)");
  const passed = db.prepare(
    "DELETE FROM taken WHERE node = ? AND base = ? AND boot = ? AND chunk < ?",
  );
  const boot = db.prepare("DELETE FROM taken WHERE node = ? AND base = ? AND boot = ?");
  const node = db.prepare("INSERT OR REPLACE INTO node VALUES (?, ?)");
  const channel = db.prepare("INSERT OR REPLACE INTO channel VALUES (?, ?, ?)");
  return {
    restore: () => restore(db),
    putSequences: (id, { chunks, forgotten }) => {
      for (const one of forgotten) boot.run([id, one.baseName, one.boot]);
      for (const one of chunks) {
        chunk.run([id, one.baseName, one.boot, one.chunk, one.bits]);
        passed.run([id, one.baseName, one.boot, lowestChunk(one.chunk)]);
      }
    },
    putNode: (id, body) => void node.run([id, body]),
    putChannel: (id, name, body) => void channel.run([id, name, body]),
    dropChannel: (id, name) =>
      void db.run("DELETE FROM channel WHERE node = ? AND channel = ?", [id, name]),
    putAudit: (row) =>
      void db.run("INSERT OR REPLACE INTO audit VALUES (?, ?, ?)", [
        row.id,
        row.wallMs,
        JSON.stringify(row),
      ]),
    putEvent: (event) => {
      db.run("INSERT OR REPLACE INTO event VALUES (?, ?)", [event.id, JSON.stringify(event)]);
      db.run("DELETE FROM event WHERE id <= ?", [event.id - limits.EVENTS_KEPT]);
    },
  };
}

function restore(db: sqlite.Database): Kept {
  const chunks = new Map<string, SequenceChunk[]>();
  for (const row of db.all("SELECT node, base AS baseName, boot, chunk, bits FROM taken")) {
    const { node, ...chunk } = row as unknown as SequenceChunk & { node: string };
    const list = chunks.get(node);
    if (list === undefined) chunks.set(node, [chunk]);
    else list.push(chunk);
  }
  const audit = db
    .all("SELECT body FROM audit ORDER BY id DESC LIMIT ?", [limits.AUDIT_KEPT])
    .map(({ body }) => JSON.parse(String(body)) as AuditRow)
    .reverse();
  const events = db
    .all("SELECT body FROM event ORDER BY id")
    .map(({ body }) => JSON.parse(String(body)) as EventView);
  return {
    events,
    nodes: db.all("SELECT node, body FROM node") as Kept["nodes"],
    channels: db.all("SELECT node, channel, body FROM channel") as Kept["channels"],
    chunks,
    audit,
  };
}
