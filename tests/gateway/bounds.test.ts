// SPDX-License-Identifier: MIT
// Goal: floods cost the gateway a counter; each bound is seen at its edge.
// Method: floods of addresses, ClientIds, names, searches and garbage; then a good client is served.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdmission } from "../../gateway/admission.ts";
import {
  DISCONNECTS_PER_PEER_MAX,
  DISCONNECTS_PER_SECOND_MAX,
  SEARCHES_PER_SECOND_MAX,
  STORED_SESSIONS_MAX,
} from "../../gateway/limits.ts";
import { connect, connected, octets, OVEN, publish, subscribed, willTopic } from "./client.ts";
import { createRig, type Rig } from "./rig.ts";

const SEED = Number(process.env["SEED"] ?? 4711);

function peerOf(i: number): string {
  return `198.51.${(i >> 8) & 255}.${i & 255}:${1024 + (i >> 16)}`;
}

function assertServes(rig: Rig): void {
  connected(rig, "192.0.2.200:9", { clientId: "good" });
  rig.say("192.0.2.200:9", publish(0x6f74, { topicIdType: "short" }));
  assert.equal(rig.heard("192.0.2.200:9").length, 1);
}

/** Octets by a seed: xorshift32. */
function createOctets(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x & 0xff;
  };
}

test("one stranger gets ten DISCONNECT a second, all together five hundred", () => {
  const rig = createRig();
  for (let i = 0; i < 100; i++) rig.say(OVEN, publish(1));
  assert.equal(rig.heard(OVEN).length, DISCONNECTS_PER_PEER_MAX);
  for (let i = 0; i < 1000; i++) rig.say(peerOf(i), publish(1));
  assert.equal(rig.count("strangersAnswered"), DISCONNECTS_PER_SECOND_MAX);
  assert.equal(rig.count("strangersLimited"), 1100 - DISCONNECTS_PER_SECOND_MAX);
  rig.pass(1000);
  rig.say(OVEN, publish(1));
  assert.equal(rig.heard(OVEN).length, 1);
  assertServes(rig);
});

test("two gateways do not keep each other busy with DISCONNECT", () => {
  const [a, b] = [createRig(), createRig()];
  a.say("b", { type: "DISCONNECT" });
  let packets = 0;
  for (let turn = 0; turn < 1000; turn++) {
    for (const packet of a.heard("b")) {
      packets++;
      b.say("a", packet);
    }
    for (const packet of b.heard("a")) a.say("b", packet);
  }
  assert.equal(packets, DISCONNECTS_PER_PEER_MAX);
});

test("searches above five hundred a second are counted only", () => {
  const rig = createRig();
  for (let i = 0; i < 2000; i++) rig.say(peerOf(i), { type: "SEARCHGW", radius: 1 });
  assert.equal(rig.count("datagramsOut"), SEARCHES_PER_SECOND_MAX);
  assert.equal(rig.count("searchesLimited"), 2000 - SEARCHES_PER_SECOND_MAX);
  assertServes(rig);
});

test("CONNECT above two thousand a second gets 01", () => {
  const admission = createAdmission();
  let admitted = 0;
  for (let i = 0; i < 5000; i++) if (admission.connect(i / 10)) admitted++;
  assert.equal(admitted, 2000);
  assert.equal(admission.connect(1000), true);
  assert.equal(admission.connect(500), true, "a clock that steps back starts a new window");
});

test("a flood of ClientIds fills the table and then gets 01", () => {
  const rig = createRig({ clientsMax: 50 });
  for (let i = 0; i < 500; i++) rig.say(peerOf(i), connect({ clientId: `flood-${i}` }));
  assert.equal(rig.gateway.clients().length, 50);
  assert.equal(rig.count("connectsRefused"), 450);
  assert.equal(rig.streams.length, 50);
  assert.deepEqual(rig.heard(peerOf(499)), [{ type: "CONNACK", returnCode: 1 }]);
  rig.say(peerOf(0), connect({ clientId: "flood-0" })); // who is in may come again
  assert.deepEqual(rig.heard(peerOf(0)).at(-1), { type: "CONNACK", returnCode: 0 });
  rig.pass(90_000);
  assert.equal(rig.gateway.clients().length, 0);
  assertServes(rig);
});

test("a flood of will dialogues ends by itself and opens no broker connection", () => {
  const rig = createRig({ clientsMax: 50 });
  for (let i = 0; i < 500; i++) {
    rig.say(peerOf(i), connect({ clientId: `flood-${i}`, will: true }));
    rig.say(peerOf(i), willTopic());
  }
  assert.equal(rig.streams.length, 0);
  rig.pass(60_000);
  assert.equal(rig.count("dialoguesAbandoned"), 50);
  assertServes(rig);
});

test("absent clients with a stored session are forgotten, oldest first", () => {
  const rig = createRig();
  for (let i = 0; i <= STORED_SESSIONS_MAX; i++) {
    connected(rig, OVEN, { clientId: `client-${i}`, cleanSession: false, will: true });
    rig.say(OVEN, { type: "DISCONNECT" });
    rig.heard(OVEN);
    if (i % 1000 === 999) rig.pass(1000); // under the limit of connections a second
  }
  assert.equal(rig.count("storedEvicted"), 1);
  connected(rig, OVEN, { clientId: "client-1", cleanSession: false });
  assert.ok(rig.got("connect")[0]?.will !== undefined);
  rig.say(OVEN, { type: "DISCONNECT" });
  rig.heard(OVEN);
  connected(rig, OVEN, { clientId: "client-0", cleanSession: false });
  assert.equal(rig.got("connect")[0]?.will, undefined);
});

test("datagrams above the maximum are silence and a counter", () => {
  const rig = createRig();
  connected(rig);
  for (const bytes of [1401, 65_507]) {
    const long = new Uint8Array(bytes);
    long.set([1, bytes >> 8, bytes & 255, 0x0c]);
    rig.sayBytes(OVEN, long);
  }
  assert.equal(rig.count("tooLong"), 2);
  assert.deepEqual(rig.heard(OVEN), []);
  const full = new Uint8Array(1400);
  full.set([1, 1400 >> 8, 1400 & 255, 0x0c, 0x22, 0x6f, 0x74, 0, 1]);
  rig.sayBytes(OVEN, full);
  assert.equal(rig.got("publish")[0]?.payload.length, 1391);
});

test("random datagrams from strangers and clients neither throw nor leave anything behind", () => {
  const rig = createRig();
  connected(rig, OVEN, { duration: 0 });
  subscribed(rig, "c/#");
  rig.heard(OVEN);
  const next = createOctets(SEED);
  for (let i = 0; i < 30_000; i++) {
    const body = Array.from({ length: next() % 24 }, next);
    const bytes = Uint8Array.from([body.length + 2, next() % 32, ...body]);
    // CONNECT and DISCONNECT of the good client's own address would end it rightly.
    const own = i % 2 === 0 && bytes[1] !== 0x04 && bytes[1] !== 0x18;
    const peer = own ? OVEN : peerOf(next());
    if (bytes[1] === 0x04 && bytes.length > 6 && bytes[2]! & 8) bytes[1] = 0x07;
    rig.sayBytes(peer, bytes);
    rig.heard(peer);
    if (i % 100 === 0) rig.pass(10);
  }
  const good = rig.gateway.clients().find((client) => client.peer === OVEN);
  assert.equal(good?.state, "active");
  rig.heard(OVEN);
  rig.say(OVEN, { type: "PINGREQ", clientId: octets("") });
  assert.ok(rig.heard(OVEN).some((packet) => packet.type === "PINGRESP"));
  assert.ok(rig.gateway.clients().length <= 257);
  assertServes(rig);
});
