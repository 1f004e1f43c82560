// SPDX-License-Identifier: MIT
// Goal: each (node, boot, sequence) is new once, in whatever order it comes.
//
// Method: a set that forgets nothing is the judge, over seeded shuffles and the edges of the window.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import { BOOTS_KEPT, SEQUENCE_WINDOW } from "../../hub/limits.ts";
import {
  createSequences,
  hasSequence,
  offerSequence,
  SEQUENCE_DUPLICATE,
  SEQUENCE_NEW,
  SEQUENCE_TOO_OLD,
} from "../../hub/sequence.ts";

const A = "urn:dev:mac:000000000000000a_";
const B = "urn:dev:mac:000000000000000b_";

test("in order each is new once and a duplicate afterwards", () => {
  const s = createSequences();
  for (let q = 0; q < 40_000; q++) {
    assert.equal(offerSequence(s, A, 1, q), SEQUENCE_NEW);
    assert.equal(offerSequence(s, A, 1, q), SEQUENCE_DUPLICATE);
    assert.ok(hasSequence(s, 1, q));
    assert.ok(!hasSequence(s, 1, q + 1));
  }
});

test("shuffled, repeated and over several boots each is still new exactly once", () => {
  const prng = createPrng(Number(process.env["SEED"] ?? 9));
  const s = createSequences();
  const seen = new Set<string>();
  const tops = [0, 0, 0, 0];
  for (let round = 0; round < 200_000; round++) {
    const boot = prng.below(4);
    // Near the top, at most half a window behind it.
    if (prng.chance(0.6)) tops[boot]! += prng.below(3);
    const q = Math.max(0, tops[boot]! - prng.below(prng.chance(0.9) ? 40 : SEQUENCE_WINDOW / 2));
    const key = `${boot}/${q}`;
    const expected = seen.has(key) ? SEQUENCE_DUPLICATE : SEQUENCE_NEW;
    assert.equal(hasSequence(s, boot, q), seen.has(key));
    assert.equal(offerSequence(s, A, boot, q), expected, key);
    seen.add(key);
  }
});

test("the oldest of the window is judged, the one below it is too old", () => {
  for (const top of [SEQUENCE_WINDOW, SEQUENCE_WINDOW + 1, 3 * SEQUENCE_WINDOW - 1, 0xffffffff]) {
    const s = createSequences();
    offerSequence(s, A, 1, top);
    const oldest = top - SEQUENCE_WINDOW + 1;
    assert.equal(offerSequence(s, A, 1, oldest), SEQUENCE_NEW);
    assert.equal(offerSequence(s, A, 1, oldest), SEQUENCE_DUPLICATE);
    assert.equal(offerSequence(s, A, 1, oldest - 1), SEQUENCE_TOO_OLD);
    assert.ok(!hasSequence(s, 1, oldest - 1));
    assert.equal(offerSequence(s, A, 1, top), SEQUENCE_DUPLICATE);
  }
});

test("a jump of any length leaves nothing behind that looks taken", () => {
  const W = SEQUENCE_WINDOW;
  for (const jump of [1, 31, 32, 33, W - 1, W, W + 1, 5 * W + 7]) {
    const s = createSequences();
    for (let q = 0; q < 100; q++) offerSequence(s, A, 1, q);
    const top = 99 + jump;
    assert.equal(offerSequence(s, A, 1, top), SEQUENCE_NEW);
    for (let q = Math.max(100, top - W + 1); q < top; q++)
      assert.ok(!hasSequence(s, 1, q), `jump ${jump}, ${q}`);
  }
});

test("an older boot than those kept is refused, a newer one pushes out the oldest", () => {
  const s = createSequences();
  for (let boot = 10; boot < 10 + BOOTS_KEPT; boot++)
    assert.equal(offerSequence(s, A, boot, 1), SEQUENCE_NEW);
  assert.equal(offerSequence(s, A, 9, 1), SEQUENCE_TOO_OLD);
  for (let boot = 10; boot < 10 + BOOTS_KEPT; boot++)
    assert.equal(offerSequence(s, A, boot, 1), SEQUENCE_DUPLICATE);
  assert.equal(offerSequence(s, A, 100, 1), SEQUENCE_NEW);
  assert.equal(offerSequence(s, A, 10, 2), SEQUENCE_TOO_OLD);
  assert.equal(offerSequence(s, A, 11, 1), SEQUENCE_DUPLICATE);
  assert.equal(s.windows.length, BOOTS_KEPT);
});

test("another board under the same id starts its boots again", () => {
  const s = createSequences();
  for (let boot = 50; boot < 50 + BOOTS_KEPT; boot++) offerSequence(s, A, boot, 1);
  assert.equal(offerSequence(s, B, 1, 1), SEQUENCE_NEW);
  assert.equal(offerSequence(s, B, 1, 1), SEQUENCE_DUPLICATE);
  assert.equal(s.windows.length, BOOTS_KEPT);
});
