// SPDX-License-Identifier: MIT
// Damaged packs never stop the hub: each is refused by a name, or taken.
//
// Goal: 100,000 packs of a real run, damaged by seed (SEED), through the hub, cbor-x as judge; `npm run soak -- --packs`
// does more with the same code. Method: every name that comes back stands in SPEC.md.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { createHub } from "../../hub/hub.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { readPlant, toPlantPlan } from "../../scripts/build/plant.ts";
import { fuzzHub } from "../../scripts/soak/fuzz-hub.ts";
import { type Corpus, makeCorpus, mutate } from "../../scripts/soak/mutations.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const PACKS = 100_000;
const ROOT = join(import.meta.dirname, "../..");
// Not of a pack: of readings in it, SPEC.md §3 and the hub's bounds.
const OF_READINGS = ["too-old", "too-many-channels"];
let corpus: Corpus;

before(async () => {
  corpus = makeCorpus(await toPlantPlan(readPlant(join(ROOT, "plants/example"))));
});

function specNames(): string[] {
  const text = readFileSync(join(ROOT, "SPEC.md"), "utf8");
  const [, names = ""] = /A strict receiver refuses, by name: ([^]*?)\n\n/.exec(text) ?? [];
  return [...names.matchAll(/`([a-z-]+)`/g)].map(([, name = ""]) => name);
}

test(`${PACKS} damaged packs: refused by a name of SPEC.md or taken, seed ${SEED}`, () => {
  const { accepted, refused } = fuzzHub(corpus, SEED, PACKS);
  const names = specNames();
  assert.ok(names.length >= 16, names.join());
  for (const name of Object.keys(refused))
    assert.ok(names.includes(name) || OF_READINGS.includes(name), `${name} is not in SPEC.md`);
  assert.ok(accepted > 1000, `${accepted} taken`);
  const met = names.filter((name) => (refused[name] ?? 0) > 0);
  assert.ok(met.length >= 13, `only ${met.join()} were met`);
});

test("whole packs of the corpus are all taken, and most mutations change something", () => {
  assert.ok(corpus.data.length > 100 && corpus.event.length > 3, "a corpus of both kinds");
  const place = { enterprise: "acme", site: "north", area: "works", line: "one", cell: "a" };
  const hub = createHub({ root: "umh/v1", ...place });
  for (const kind of ["data", "event"] as const)
    for (const [i, payload] of corpus[kind].entries())
      hub.message({ topic: `ferrule/${kind}-${i}/${kind}`, payload, qos: 1, retain: false }, 0);
  assert.deepEqual(hub.totals().refused, {});
  assert.equal(hub.nodeCount(), corpus.data.length + corpus.event.length);
  const whole = corpus.data.slice(0, 1);
  const prng = createPrng(SEED);
  const changes = Array.from({ length: 1000 }, () => mutate(prng, whole));
  const same = changes.filter((bytes) => Buffer.compare(bytes, whole[0]!) === 0);
  assert.ok(same.length < 100, `${same.length} of 1,000 mutations change nothing`);
});
