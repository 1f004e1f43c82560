// SPDX-License-Identifier: MIT
// The queues at a node's edges keep order and are counted at their bounds.
//
// Goal: characters, peers and datagrams behave as SPEC.md §1.2 and §1.3 say when there are too many.
// Method: fill each to its bound and one more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TAP_FLAG_OVERRUN, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import { INBOX_DATAGRAMS_MAX, PEERS_MAX, TAP_ENTRIES_MAX } from "../../host-sim/limits.ts";
import { createInbox, createPeers } from "../../host-sim/peers.ts";
import { createTapQueue } from "../../host-sim/tap-queue.ts";

test("an entry is time, octet, flags and two zeros, little-endian", () => {
  const queue = createTapQueue();
  queue.put(0x1_1234_5678, 0xab, TAP_FLAG_PARITY); // node time wraps at 2^32
  const target = new Uint8Array(12).fill(0xee);
  assert.equal(queue.take(target, 2, 5), 1);
  assert.deepEqual(
    [...target],
    [0xee, 0xee, 0x78, 0x56, 0x34, 0x12, 0xab, TAP_FLAG_PARITY, 0, 0, 0xee, 0xee],
  );
  assert.equal(queue.take(target, 2, 5), 0);
});

test("a full tap queue loses the new character and flags the next that fits", () => {
  const queue = createTapQueue();
  for (let i = 0; i < TAP_ENTRIES_MAX + 3; i++) queue.put(i, i & 0xff, 0);
  assert.equal(queue.overruns(), 3);
  const target = new Uint8Array(8 * TAP_ENTRIES_MAX);
  assert.equal(queue.take(target, 0, 1), 1);
  queue.put(9999, 1, 0);
  queue.take(target, 0, 1);
  assert.equal(queue.take(target, 0, TAP_ENTRIES_MAX), TAP_ENTRIES_MAX - 1);
  assert.equal(target[8 * (TAP_ENTRIES_MAX - 2) + 5], TAP_FLAG_OVERRUN);
  queue.put(10_000, 1, 0);
  queue.take(target, 0, 1);
  assert.equal(target[5], 0);
});

test("configured gateways are 1..n, others get numbers behind them for a while", () => {
  const peers = createPeers(["192.0.2.1:10000", "192.0.2.9:10000"]);
  assert.equal(peers.numberOf("192.0.2.9:10000"), 2);
  assert.equal(peers.addressOf(1), "192.0.2.1:10000");
  const numbers = Array.from({ length: PEERS_MAX }, (_, i) => peers.numberOf(`a${i}:1`));
  assert.deepEqual(numbers, [3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(peers.numberOf("a0:1"), 3); // heard again: now the freshest
  assert.equal(peers.numberOf("new:1"), 4); // takes the place of a1
  assert.equal(peers.addressOf(4), "new:1");
  assert.equal(peers.addressOf(11), undefined);
  assert.equal(peers.addressOf(0), undefined);
  assert.equal(peers.addressOf(-5), undefined);
  peers.clear();
  assert.equal(peers.addressOf(3), undefined);
  assert.equal(peers.addressOf(1), "192.0.2.1:10000");
});

test("a full inbox refuses the new datagram", () => {
  const inbox = createInbox();
  for (let i = 0; i < INBOX_DATAGRAMS_MAX; i++) assert.ok(inbox.put(1, Uint8Array.of(i)));
  assert.equal(inbox.put(1, Uint8Array.of(99)), false);
  assert.equal(inbox.take()?.bytes[0], 0);
  assert.ok(inbox.put(1, Uint8Array.of(100)));
  assert.equal(inbox.count(), INBOX_DATAGRAMS_MAX);
});
