// SPDX-License-Identifier: MIT
// How many readings a second the hub ingests, beside baselines on the same packs.
//
// Packs of 20 readings of 4 channels, as a node sends them; both run over the same octets in turn. The
// hub's number holds all it does: check, decode, windows, history, changes, publications. cbor-x is the
// baseline of decoding; one INSERT a reading into one table, committed as often, that of history.

import type { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decoder } from "cbor-x";
import sqlite from "node-sqlite3-wasm";
import { createCborCheck } from "../../hub/cbor.ts";
import { createCborReader } from "../../hub/cbor-reader.ts";
import { createPackDecoder } from "../../hub/decode.ts";
import { createMemoryHistory, type HistoryStore } from "../../hub/history.ts";
import { createHub } from "../../hub/hub.ts";
import { COMMIT_MESSAGES_MAX } from "../../hub/limits.ts";
import { openFileHistory } from "../../hub/server-sqlite.ts";
import { measureRates, type Contestant } from "../../scripts/bench/rounds.ts";
import { QUICK, report, type Figure } from "../../scripts/bench/report.ts";
import { PLANT, START_MS } from "../support/fixture-hub.ts";
import { Decimal, pack } from "../support/pack.ts";

const PACKS = QUICK ? 500 : 5000;
const READINGS = 20;
const ROUNDS = QUICK ? 1 : 5;
const folder = mkdtempSync(join(tmpdir(), "hub-bench-"));
let files = 0;

const packs: Buffer[] = Array.from({ length: PACKS }, (_, index) =>
  pack({
    bt: START_MS + index * 2000,
    q: 1 + index * READINGS,
    records: Array.from({ length: READINGS }, (_, at) => ({
      n: ["temperature", "heater", "voltage", "current"][at % 4]!,
      v: new Decimal(-2, 20_000 + ((index * 7 + at * 13) % 5000)),
      ...(at > 0 ? { t: at * 100 } : {}),
    })),
  }),
);

const cborX = new Decoder({ mapsAsObjects: false, useRecords: false });
const decodePack = createPackDecoder(createCborCheck(), createCborReader());

function byCborX(): void {
  for (const bytes of packs) cborX.decode(bytes);
}

function byDecoder(): void {
  for (const bytes of packs) decodePack(bytes, "data");
}

/** Packs a commit: as many as the broker hands out at once, or what comes in 100 ms of a full stream. */
const FEW = COMMIT_MESSAGES_MAX;
const MANY = 500;

function byHub(history: HistoryStore, packsACommit: number): void {
  const hub = createHub(PLANT, history);
  for (const [index, payload] of packs.entries()) {
    hub.message(
      { topic: "ferrule/n/data", payload, qos: 1, retain: false },
      START_MS + index * 2000,
    );
    hub.takePublications();
    if ((index + 1) % packsACommit === 0) hub.commit();
  }
  if (hub.totals().ingested !== PACKS * READINGS) throw new Error("the hub did not take all");
}

function byFile(packsACommit: number): void {
  const history = openFileHistory(join(folder, `${files++}.db`), (text) => {
    throw new Error(text);
  });
  byHub(history, packsACommit);
  history.close();
}

function byInsert(packsACommit: number): void {
  const database = new sqlite.Database(join(folder, `${files++}.db`));
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = PERSIST");
  database.exec("CREATE TABLE point (channel INTEGER, t INTEGER, value REAL); BEGIN");
  const insert = database.prepare("INSERT INTO point VALUES (?, ?, ?)");
  for (let index = 0; index < PACKS; index++) {
    for (let at = 0; at < READINGS; at++)
      insert.run([at % 4, START_MS + index * 2000 + at * 100, index + at / 8]);
    if ((index + 1) % packsACommit === 0) database.exec("COMMIT; BEGIN");
  }
  database.exec("COMMIT");
  database.close();
}

// Each beside the baseline above it.
const RUNS = [
  ["cbor-x decode (baseline)", byCborX],
  ["hub decode, strict", byDecoder],
  ["hub ingest to memory", () => byHub(createMemoryHistory(), MANY)],
  [`INSERT alone, ${FEW} packs a commit (baseline)`, () => byInsert(FEW)],
  [`hub ingest to the file, ${FEW} packs a commit`, () => byFile(FEW)],
  [`INSERT alone, ${MANY} packs a commit (baseline)`, () => byInsert(MANY)],
  [`hub ingest to the file, ${MANY} packs a commit`, () => byFile(MANY)],
] as const;

const contestants = RUNS.map(([name, run]): Contestant => ({
  name,
  run: () => (run(), PACKS * READINGS),
}));
const figures: Figure[] = [];
let baseline = "";
for (const [name, value] of await measureRates(contestants, ROUNDS)) {
  if (name.includes("baseline")) baseline = name;
  const beside = name === baseline ? {} : { beside: baseline };
  figures.push({ name, value, unit: "readings/s", ...beside });
}
const notes = [`${PACKS} packs of ${READINGS} readings, median of ${ROUNDS} interleaved rounds`];
report({ bench: "hub", notes, figures });
rmSync(folder, { recursive: true });
