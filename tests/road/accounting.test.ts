// SPDX-License-Identifier: MIT
// Goal: the road in virtual time counts all it loses and repeats byte for byte.
//
// Method: `ferrule sim` as a person runs it, twice with one seed and once with another; traces and sums compared.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule } from "../support/ferrule.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule road "));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Sums {
  queued: number;
  ingested: number;
  duplicates: number;
  dropped: number;
  lost: number;
}

async function simulate(seed: number, name: string): Promise<{ sums: Sums; hash: string }> {
  const trace = join(folder, name);
  const args = ["sim", "--seed", String(seed), "--for", "10m", "--loss", "0.2", "--trace", trace];
  const run = await ferrule([...args, "--json"]);
  assert.equal(run.code, 0, run.stderr);
  const hash = createHash("sha256").update(readFileSync(trace)).digest("hex");
  return { sums: JSON.parse(run.stdout) as Sums, hash };
}

test("ten minutes at 20 % loss repeat byte for byte and the sums match", async () => {
  const first = await simulate(7, "first.jsonl");
  const again = await simulate(7, "again.jsonl");
  const other = await simulate(8, "other.jsonl");
  assert.equal(first.hash, again.hash);
  assert.notEqual(first.hash, other.hash);
  for (const { sums } of [first, other]) {
    assert.ok(sums.queued > 1000, `only ${sums.queued} queued`);
    assert.ok(sums.duplicates > 0, "20 % loss without one retransmission that arrived twice");
    assert.equal(sums.queued, sums.ingested + sums.dropped + sums.lost);
  }
});
