// SPDX-License-Identifier: MIT
// The seeded generator repeats itself and its forks do not disturb each other.
//
// Goal: one seed decides a whole run. Method: equal and different seeds, forks before and after draws,
// and coarse counts of the distribution.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng, type Prng } from "../../host-sim/prng.ts";

const draw = (prng: Prng, count: number): number[] =>
  Array.from({ length: count }, () => prng.nextU32());

test("the same seed draws the same numbers, another seed others", () => {
  const first = draw(createPrng(7), 100);
  assert.deepEqual(draw(createPrng(7), 100), first);
  assert.notDeepEqual(draw(createPrng(8), 100), first);
});

test("the first numbers of seed 1 are these", () => {
  assert.deepEqual(draw(createPrng(1), 3), GOLDEN);
});

test("a fork depends on its name and the seed, not on what was drawn before", () => {
  const prng = createPrng(7);
  const early = draw(prng.fork("net"), 20);
  draw(prng, 50);
  assert.deepEqual(draw(prng.fork("net"), 20), early);
  assert.notDeepEqual(draw(prng.fork("nets"), 20), early);
  assert.notDeepEqual(draw(createPrng(8).fork("net"), 20), early);
  assert.notDeepEqual(draw(prng.fork("a").fork("b"), 20), draw(prng.fork("b").fork("a"), 20));
});

test("below() stays below and reaches every value about as often", () => {
  const prng = createPrng(3);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[prng.below(10)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
  assert.equal(createPrng(1).below(1), 0);
});

test("chance() is never at 0, always at 1, and about right between", () => {
  const prng = createPrng(5);
  let hits = 0;
  for (let i = 0; i < 100_000; i++) {
    assert.equal(prng.chance(0), false);
    assert.equal(prng.chance(1), true);
    if (prng.chance(0.2)) hits++;
  }
  assert.ok(Math.abs(hits - 20_000) < 700, String(hits));
});

test("fill() gives every octet value", () => {
  const bytes = new Uint8Array(10_000);
  createPrng(9).fill(bytes);
  assert.equal(new Set(bytes).size, 256);
});

const GOLDEN = [2442144158, 3238099751, 3819917871];
