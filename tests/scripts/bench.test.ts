// SPDX-License-Identifier: MIT
// Every bench runs and sets its figures beside a baseline of the same run.
//
// Goal: a bench that no longer runs is noticed at once. Method: all of them with tiny sizes, as JSON; the
// ratios are computed again. No figure that is a time is judged.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { PROJECT } from "../../scripts/build/sources.ts";

interface Row {
  name: string;
  value: number;
  unit: string;
  beside?: string;
  ratio?: number;
  goal?: { of: "ratio" | "value"; atMost?: number; atLeast?: number };
  reached?: boolean;
}

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const all = [join(PROJECT, "scripts/start.js"), "bench", ...args];
  return spawnSync(process.execPath, all, { encoding: "utf8" });
}

function check(row: Row, rows: readonly Row[]): void {
  assert.ok(Number.isFinite(row.value) && row.value >= 0, `${row.name}: ${row.value}`);
  const baseline = rows.find(({ name }) => name === row.beside);
  assert.equal(baseline === undefined, row.beside === undefined, `${row.name}: its baseline`);
  const ratio = baseline === undefined ? undefined : row.value / baseline.value;
  assert.equal(row.ratio, ratio, `${row.name}: its ratio`);
  if (row.goal === undefined) return;
  const { of, atMost = Infinity, atLeast = 0 } = row.goal;
  const aimedAt = of === "value" ? row.value : ratio!;
  assert.equal(row.reached, aimedAt >= atLeast && aimedAt <= atMost, `${row.name}: its goal`);
}

test("each bench runs with tiny sizes, and its ratios are those of its figures", () => {
  const { status, stdout, stderr } = bench("--quick", "--json");
  assert.equal(status, 0, stderr);
  const reports = JSON.parse(stdout) as { bench: string; notes: string[]; figures: Row[] }[];
  const names = readdirSync(join(PROJECT, "tests/bench")).filter((file) => file.endsWith(".ts"));
  const files = names.map((file) => basename(file, ".ts"));
  assert.deepEqual(reports.map(({ bench: name }) => name).sort(), files.sort());
  for (const { bench: name, notes, figures } of reports) {
    if (notes.some((note) => note.startsWith("left out"))) continue; // a program is missing
    assert.ok(
      figures.some(({ ratio }) => ratio !== undefined),
      `${name} compares nothing`,
    );
    for (const row of figures) check(row, figures);
  }
});

test("a bench that does not exist is refused with those that do", () => {
  const { status, stderr } = bench("nothing");
  assert.equal(status, 3);
  assert.match(stderr, /no bench "nothing"; there are aot, build, chip, chip-node, gateway, hub/);
});

test("an unknown option is refused with the usage", () => {
  const { status, stderr } = bench("--fast");
  assert.equal(status, 2);
  assert.match(stderr, /--fast.*usage: npm run bench/);
});
