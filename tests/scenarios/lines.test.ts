// SPDX-License-Identifier: MIT
// Goal: a weight that a scale sends as text arrives in the unified namespace.
// Method: the whole road with the example node, two minutes; every value against the lines on its tap.

import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPlant, calm } from "./plants.ts";
import { assertAccounted, messages, traced } from "./runs.ts";

test("weights of a scale arrive in the namespace, overloads as no number", async () => {
  const { result, lines } = traced(await buildPlant({ "scale-1": "scale" }), calm(120_000));
  assertAccounted(result, "a scale");
  const values = messages(lines, "_raw/scale-1/weight").map(
    ({ payload }) => (JSON.parse(payload.toString()) as { value: number }).value,
  );
  assert.ok(values.length > 30, `${values.length} weights`);
  for (const kg of values) {
    const hundredths = kg * 1e5;
    assert.ok(Math.abs(hundredths - Math.round(hundredths)) < 1e-6, `${kg} kg in steps of 0.01 g`);
    assert.ok(kg > -0.01 && kg <= 3.003, `${kg} kg`);
  }
  const meta = messages(lines, "_raw/scale-1/weight/_meta").map(
    ({ payload }) => JSON.parse(payload.toString()) as MetaValue,
  );
  const causes = meta.map(({ quality, cause }) => `${quality} ${cause ?? ""}`.trim());
  assert.ok(
    meta.every(({ unit, kind }) => unit === "kg" && kind === "field"),
    JSON.stringify(meta[0]),
  );
  for (const wanted of ["good", "uncertain", "bad over-range"])
    assert.ok(causes.includes(wanted), `${wanted} is in ${[...new Set(causes)].join(", ")}`);
});

interface MetaValue {
  unit: string;
  kind: string;
  quality: string;
  cause: string | null;
}
