// SPDX-License-Identifier: MIT
// Damaged MQTT-SN datagrams never stop the gateway, and leave nothing behind.
//
// Goal: 100,000 datagrams of a real run, whole and damaged by seed (SEED), from eight peers at the real gateway before
// the broker model. Method: nothing is thrown, all that it says is a packet, then a fresh client is served.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";
import { fuzzGateway } from "../../scripts/soak/fuzz-gateway.ts";
import { type Corpus, makeCorpus } from "../../scripts/soak/mutations.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const DATAGRAMS = 100_000;
let corpus: Corpus;

before(async () => {
  const folder = join(import.meta.dirname, "../../plants/example");
  corpus = makeCorpus(await toPlantPlan(readPlant(folder)));
});

test(`${DATAGRAMS} datagrams, half of them damaged: the gateway stands, seed ${SEED}`, () => {
  const { packets, errors, answers, delivered } = fuzzGateway(corpus, SEED, DATAGRAMS);
  assert.deepEqual(Object.keys(errors).sort(), [
    "bad-length",
    "reserved-type",
    "wrong-body",
    "wrong-length",
  ]);
  assert.ok(Object.keys(packets).length > 15, Object.keys(packets).join());
  assert.ok(answers > 10_000 && delivered > 1000, `${answers} answers, ${delivered} delivered`);
});

test("the same seed damages the same way, another one otherwise", () => {
  const run = (seed: number): string => JSON.stringify(fuzzGateway(corpus, seed, 2000));
  assert.equal(run(SEED), run(SEED));
  assert.notEqual(run(SEED), run(SEED + 1));
});
