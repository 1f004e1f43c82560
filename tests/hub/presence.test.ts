// SPDX-License-Identifier: MIT
// A silent node is told as lost, once, and as online when it is heard again.
//
// Goal: silence is found while the broker is heard, and only then. Method: scripted messages into the core at scripted
// wall times; no broker, no clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createHub, type Hub } from "../../hub/hub.ts";
import { NODE_SILENT_MS_MAX } from "../../hub/limits.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { status } from "../support/pack.ts";

const LOST_MS = T0 + NODE_SILENT_MS_MAX;

function online(retain = false): Hub {
  const hub = createHub(PLANT);
  hub.hearing(true, T0);
  presence(hub, "online", T0, retain);
  return hub;
}

function say(hub: Hub, topic: string, payload: Uint8Array, atMs: number, retain = false): void {
  hub.message({ topic: `ferrule/oven-1/${topic}`, payload, qos: 1, retain }, atMs);
}

function presence(hub: Hub, word: string, atMs: number, retain = false): void {
  say(hub, "presence", Buffer.from(word), atMs, retain);
}

const stateOf = (hub: Hub): string | undefined => hub.snapshot(T0).nodes[0]?.state;
const told = (hub: Hub): string[] =>
  hub
    .snapshot(T0)
    .events.map(({ text }) => text)
    .reverse();
const NEW = "oven-1 is heard for the first time.";
const ONLINE = "oven-1 is online.";
const SILENT = "oven-1 is lost: nothing was heard of it for 60 s.";
const AGAIN = "oven-1 is online: heard again.";

test("an online node is lost when nothing was heard of it for 60 s, and told once", () => {
  const hub = online();
  assert.equal(hub.poll(LOST_MS - 1), LOST_MS, "comes again when it is due");
  assert.equal(stateOf(hub), "online");
  hub.poll(LOST_MS);
  hub.poll(LOST_MS + NODE_SILENT_MS_MAX);
  assert.equal(stateOf(hub), "lost");
  assert.deepEqual(told(hub), [NEW, ONLINE, SILENT]);
  const published = hub.takePublications().filter(({ topic }) => topic.endsWith("_state/oven-1"));
  assert.match(String(published.at(-1)!.payload), /"lost"/);
});

test("each message moves its end away; the next one makes it online again", () => {
  const hub = online();
  say(hub, "status", status({}), T0 + 30_000);
  hub.poll(LOST_MS);
  assert.equal(stateOf(hub), "online");
  hub.poll(LOST_MS + 30_000);
  assert.equal(stateOf(hub), "lost");
  say(hub, "status", status({}), LOST_MS + 40_000);
  assert.equal(stateOf(hub), "online");
  assert.deepEqual(told(hub), [NEW, ONLINE, SILENT, AGAIN]);
  hub.poll(LOST_MS + 100_000);
  assert.equal(stateOf(hub), "lost", "it is watched again");
});

test("what the broker kept is no sign of life", () => {
  const hub = online(true);
  hub.poll(LOST_MS);
  assert.equal(stateOf(hub), "lost", "nothing but a kept online was ever heard");
  presence(hub, "online", LOST_MS + 1, true);
  assert.equal(stateOf(hub), "lost");
  presence(hub, "online", LOST_MS + 2);
  assert.equal(stateOf(hub), "online");
  assert.deepEqual(told(hub), [SILENT, AGAIN]);
});

test("a will after the silence is no news, and a later kept online is believed as before", () => {
  const hub = online();
  hub.poll(LOST_MS);
  presence(hub, "lost", LOST_MS + 1);
  assert.deepEqual(told(hub), [NEW, ONLINE, SILENT]);
  presence(hub, "online", LOST_MS + 2, true);
  assert.equal(stateOf(hub), "online");
});

test("while the broker is away nobody is silent; from its return on 60 s count", () => {
  const hub = online();
  hub.hearing(false, T0 + 10_000);
  assert.equal(hub.poll(T0 + 600_000), Infinity);
  hub.hearing(true, T0 + 600_000);
  hub.poll(T0 + 600_000 + NODE_SILENT_MS_MAX - 1);
  assert.equal(stateOf(hub), "online");
  hub.poll(T0 + 600_000 + NODE_SILENT_MS_MAX);
  assert.equal(stateOf(hub), "lost");
});

test("a hub's clock that steps back delays nothing by more than 60 s", () => {
  const hub = online();
  const steppedMs = T0 - 3_600_000;
  hub.poll(steppedMs);
  hub.poll(steppedMs + NODE_SILENT_MS_MAX);
  assert.equal(stateOf(hub), "lost");
});

test("a node that said goodbye is not lost", () => {
  const hub = online();
  presence(hub, "offline", T0 + 1000);
  hub.poll(LOST_MS + 1000);
  assert.equal(stateOf(hub), "offline");
});
