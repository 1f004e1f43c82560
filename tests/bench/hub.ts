// SPDX-License-Identifier: MIT
// How many readings a second the hub ingests, beside cbor-x on the same packs.
//
// Packs of 20 readings of 4 channels, as a node sends them; both run over the same octets in turn. The
// hub's number holds all it does: check, decode, windows, history, changes, publications.

import type { Buffer } from "node:buffer";
import { Decoder } from "cbor-x";
import { createCborCheck } from "../../hub/cbor.ts";
import { createCborReader } from "../../hub/cbor-reader.ts";
import { createPackDecoder } from "../../hub/decode.ts";
import { createHub } from "../../hub/hub.ts";
import { PLANT, START_MS } from "../support/fixture-hub.ts";
import { Decimal, pack } from "../support/pack.ts";

const PACKS = 5000;
const READINGS = 20;
const ROUNDS = 7;

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

function byHub(): void {
  const hub = createHub(PLANT);
  for (const [index, payload] of packs.entries()) {
    hub.message(
      { topic: "ferrule/n/data", payload, qos: 1, retain: false },
      START_MS + index * 2000,
    );
    hub.takePublications();
  }
  if (hub.totals().ingested !== PACKS * READINGS) throw new Error("the hub did not take all");
}

const RUNS = [
  ["cbor-x decode (baseline)", byCborX],
  ["hub decode, strict", byDecoder],
  ["hub ingest, all of it", byHub],
] as const;

// In turn, so that a busy machine slows all of them; the best round of each counts.
const bestNs = RUNS.map(() => Infinity);
for (let round = 0; round < ROUNDS; round++)
  for (const [index, [, run]] of RUNS.entries()) {
    const start = process.hrtime.bigint();
    run();
    bestNs[index] = Math.min(bestNs[index]!, Number(process.hrtime.bigint() - start));
  }

console.log(`${PACKS} packs of ${READINGS} readings, best of ${ROUNDS} rounds`);
for (const [index, [name]] of RUNS.entries()) {
  const rate = Math.round((PACKS * READINGS * 1e9) / bestNs[index]!).toLocaleString("en");
  const ratio = (bestNs[0]! / bestNs[index]!).toFixed(2);
  console.log(`${name.padEnd(26)} ${rate.padStart(10)} readings/s, ratio ${ratio}`);
}
