// SPDX-License-Identifier: MIT
// Random programs with all that the analysis removes, beside V8.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Case, difference, runEngine, runNative } from "./native.ts";
import { makeCalls, makeProgram } from "./rules-programs.ts";

const PROGRAMS = 60;
const CALLS = 24;

test("random programs give and trap as in V8", { timeout: 600_000 }, () => {
  const cases: Case[] = Array.from({ length: PROGRAMS }, (_, seed) => ({
    name: `program ${seed}`,
    wasm: makeProgram(seed),
    calls: makeCalls(seed, CALLS),
  }));
  const native = runNative(cases);
  cases.forEach((item, i) => {
    assert.equal(difference(native[i]!, runEngine(item)), null, item.name);
  });
});
