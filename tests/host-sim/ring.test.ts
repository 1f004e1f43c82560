// SPDX-License-Identifier: MIT
// The ring between loop and link keeps order and drops at its bound.
//
// Goal: records come out as they went in, and a full ring changes nothing. Method: exact fill to
// RING_BYTES, wrap-around against an array by seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RECORD_BYTES_MAX, RING_BYTES } from "../../firmware/limits.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createRing } from "../../host-sim/ring.ts";

const record = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (seed * 31 + i) & 0xff);

test("240 registers of one long answer fit, the ring is full at exactly its bound", () => {
  const ring = createRing();
  const bytes = record(15, 1); // 16 octets each with their length: 256 of them are 4,096
  for (let i = 0; i < RING_BYTES / 16; i++) assert.equal(ring.put(bytes, 0, 15), true);
  assert.equal(ring.put(bytes, 0, 1), false);
  assert.equal(ring.count(), 256);
  ring.skip();
  assert.equal(ring.put(bytes, 0, 15), true);
  assert.equal(ring.put(bytes, 0, 1), false);
});

test("a record is 1 to 76 octets", () => {
  const ring = createRing();
  const bytes = record(100, 2);
  assert.equal(ring.put(bytes, 0, 0), false);
  assert.equal(ring.put(bytes, 0, -1), false);
  assert.equal(ring.put(bytes, 0, RECORD_BYTES_MAX + 1), false);
  assert.equal(ring.put(bytes, 0, RECORD_BYTES_MAX), true);
  assert.equal(ring.nextLength(), RECORD_BYTES_MAX);
});

test("an empty ring gives nothing, however often it is asked", () => {
  const ring = createRing();
  const target = new Uint8Array(76);
  assert.equal(ring.take(target, 0), 0);
  assert.equal(ring.take(target, 0), 0);
  ring.skip();
  assert.equal(ring.count(), 0);
  assert.equal(ring.nextLength(), 0);
});

test("50,000 seeded puts and takes equal a plain list, across every wrap", () => {
  const prng = createPrng(4);
  const ring = createRing();
  const list: Uint8Array[] = [];
  let used = 0;
  const target = new Uint8Array(100);
  for (let i = 0; i < 50_000; i++) {
    if (prng.chance(0.55)) {
      const bytes = record(1 + prng.below(RECORD_BYTES_MAX), i);
      const fits = used + 1 + bytes.length <= RING_BYTES;
      assert.equal(ring.put(bytes, 0, bytes.length), fits);
      if (fits) {
        list.push(bytes);
        used += 1 + bytes.length;
      }
    } else {
      const expected = list.shift();
      const length = ring.take(target, 7);
      assert.deepEqual(target.slice(7, 7 + length), expected ?? new Uint8Array(0));
      used -= expected === undefined ? 0 : 1 + expected.length;
    }
    assert.equal(ring.count(), list.length);
  }
  ring.clear();
  assert.equal(ring.take(target, 0), 0);
});
