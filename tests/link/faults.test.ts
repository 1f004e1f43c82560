// SPDX-License-Identifier: MIT
// Goal: no fault of network or host breaks the link or its account.
// Method: exhaustive: each datagram of the gateway lost, doubled, late, cut; each host call failing; then random octets.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import type { Delivery, GatewayScript } from "../support/link-gateway.ts";
import {
  assertAccounted,
  buildLinkOf,
  delivered,
  put,
  startLink,
  type Rig,
} from "../support/link-rig.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

const SESSION_MS = 6000;

// A session with readings, an event and a reconnect that the gateway asks for.
function play(script: GatewayScript, prepare?: (rig: Rig) => void): Rig {
  const rig = startLink(module, script);
  prepare?.(rig);
  for (let i = 0; i < SESSION_MS / 200; i++) {
    put(rig.host, { i32: i });
    if (i === 10) put(rig.host, { kind: 2, alarm: 1, active: 1, i32: 15_000 });
    if (i === 20) {
      rig.gateway.connected = false;
      rig.host.deliver(1, Uint8Array.of(2, 0x18), 0);
    }
    rig.host.run(200);
  }
  return rig;
}

function heal(rig: Rig): void {
  delete rig.gateway.script.down;
  delete rig.gateway.script.loseUp;
  rig.host.run(150_000);
  assert.deepEqual(rig.host.waiting(), [], "all is delivered once the road is healed");
  assertAccounted(rig);
  const sequences = new Set(delivered(rig.gateway).map(({ sequence }) => sequence));
  assert.equal(sequences.size, rig.host.counters()["queued"]);
}

const ONCE = { afterMs: 0 };
const FAULTS: Record<string, (bytes: Uint8Array) => Delivery[]> = {
  lost: () => [],
  doubled: (bytes) => [
    { bytes, ...ONCE },
    { bytes, afterMs: 1 },
  ],
  "doubled much later": (bytes) => [
    { bytes, ...ONCE },
    { bytes, afterMs: 700 },
  ],
  late: (bytes) => [{ bytes, afterMs: 1500 }],
  "later than its repeats": (bytes) => [{ bytes, afterMs: 12_000 }],
  "cut short": (bytes) => [{ bytes: bytes.subarray(0, bytes.length - 1), ...ONCE }],
  "grown by an octet": (bytes) => [{ bytes: Uint8Array.of(...bytes, 0), ...ONCE }],
};

for (const [name, fault] of Object.entries(FAULTS))
  test(`every datagram of the gateway, ${name} in turn`, () => {
    const total = play({}).gateway.said;
    assert.ok(total > 30, `${total} datagrams`);
    for (let n = 1; n <= total; n++)
      heal(play({ down: (index, bytes) => (index === n ? fault(bytes) : undefined) }));
  });

test("every datagram of the node, lost in turn", () => {
  const total = play({}).gateway.heard.length;
  for (let n = 1; n <= total; n++) heal(play({ loseUp: (index) => index === n }));
});

test("each two neighbours among the gateway's datagrams change places", () => {
  const total = play({}).gateway.said;
  for (let n = 1; n < total; n++)
    heal(play({ down: (i, bytes) => (i === n ? [{ bytes, afterMs: 9 }] : undefined) }));
});

test("a road that loses, doubles and delays at random, by seed", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = generator(seed);
    const rig = play({
      loseUp: () => random() < 0.2,
      down: (_, bytes) => {
        if (random() < 0.2) return [];
        const one = { bytes, afterMs: Math.floor(random() * 300) };
        return random() < 0.1 ? [one, { bytes, afterMs: 500 }] : [one];
      },
    });
    heal(rig);
  }
});

test("each host call fails in turn: entropy, flash, ring, datagrams, identity", () => {
  const total = play({}).host.calls;
  // The start makes calls of every kind; later ones repeat, so a stride covers them.
  const calls = Array.from({ length: total }, (_, i) => i + 1).filter(
    (n) => n < 250 || n % 7 === 0,
  );
  for (const failCall of calls) {
    const rig = play({}, ({ host }) => (host.failCall = failCall));
    heal(rig);
  }
});

test("a host that takes no datagram for a minute is asked again, not in a hurry", () => {
  const rig = play({});
  rig.host.netDown = true;
  put(rig.host, { i32: 1 });
  const before = rig.host.calls;
  rig.host.run(60_000);
  assert.ok(rig.host.calls - before < 60 * 1000);
  rig.host.netDown = false;
  heal(rig);
});

test("without any entropy a node still connects, and another boot waits otherwise", () => {
  const rig = play({}, ({ host }) => (host.entropyBroken = true));
  assert.ok(rig.gateway.connected);
  const first = rig.gateway.heard[0]!.atMs;
  const startedMs = rig.host.nowMs;
  rig.host.restart();
  rig.host.run(2000);
  const again = rig.gateway.heard.filter(({ type }) => type === "CONNECT").at(-1)!;
  assert.notEqual(again.atMs - startedMs, first);
});

test("random datagrams never trap and change no account", () => {
  const vectors = JSON.parse(
    readFileSync(new URL("../vectors/mqttsn.json", import.meta.url), "utf8"),
  ) as { hex: string }[];
  const known = vectors.map(({ hex }) => Buffer.from(hex, "hex"));
  for (let seed = 1; seed <= 12; seed++) {
    const random = generator(seed);
    const rig = play({});
    for (let i = 0; i < 1500; i++) {
      rig.host.inbox.push({ peer: random() < 0.9 ? 1 : 5, bytes: noise(random, known) });
      if (i % 4 === 0) rig.host.run(10);
    }
    heal(rig);
  }
});

test("100,000 polls: the memory is what it was", () => {
  const rig = play({});
  const { byteLength } = rig.host.memory.buffer;
  for (let i = 0; i < 100_000; i++) {
    if (i % 50 === 0) put(rig.host, { i32: i });
    rig.host.nowMs += 10;
    rig.host.poll();
    if (i % 200 === 0) rig.host.run(1);
  }
  assert.equal(rig.host.memory.buffer.byteLength, byteLength);
});

// Octets that are nothing, or nearly something.
function noise(random: () => number, known: Uint8Array[]): Uint8Array {
  const int = (below: number): number => Math.floor(random() * below);
  if (random() < 0.3) return Uint8Array.from({ length: int(40) }, () => int(256));
  const bytes = Uint8Array.from(known[int(known.length)]!);
  const times = int(3);
  for (let i = 0; i < times && bytes.length > 0; i++) bytes[int(bytes.length)] = int(256);
  return random() < 0.2 ? bytes.subarray(0, int(bytes.length + 1)) : bytes;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 8) & 0xffffff) / 0x1000000;
  };
}
