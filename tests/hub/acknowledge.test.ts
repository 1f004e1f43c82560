// SPDX-License-Identifier: MIT
// Goal: an alarm asks until someone acknowledges it, and is never hidden while on.
//
// Method: scripted events of a node, over HTTP and against a file that is closed and opened between.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { AlarmView, Problem } from "../../hub/api.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import { COMMENT_CHARS_MAX, WRITES_PER_SECOND } from "../../hub/limits.ts";
import { openFileHistory } from "../../hub/server-sqlite.ts";
import {
  ovenBirth,
  PLANT,
  START_MS as T0,
  startFixtureHub,
  TOKEN,
} from "../support/fixture-hub.ts";
import { pack } from "../support/pack.ts";

const WHERE = { node: "oven-1", channel: "temperature", alarm: "too-hot" };
const WORD = { ...WHERE, by: "Ann", comment: "" };

type Say = (topic: string, payload: Uint8Array) => void;

/** Speaks as an oven that is born. */
function sayer(hub: Hub): Say {
  const say: Say = (topic, payload) =>
    hub.message(
      { topic: `ferrule/oven-1/${topic}`, payload: Buffer.from(payload), qos: 1, retain: false },
      T0,
    );
  ovenBirth().forEach((part, index) => say(`birth/${index}`, part));
  return say;
}

/** The event of the alarm at `q` seconds. */
function event(q: number, active: boolean): Buffer {
  return pack({
    bt: T0 + 1000 * q,
    q,
    records: [{ n: "temperature/too-hot", vb: active, x: 201 }],
  });
}

function viewOf(hub: Hub): AlarmView {
  return hub.snapshot(T0).nodes[0]!.channels[0]!.alarms[0]!;
}

/** active, asks, seconds of raise and return, raises, who */
function short(hub: Hub): unknown[] {
  const { active, sinceMs, returnedMs, raises, acknowledged, acknowledgedBy } = viewOf(hub);
  const seconds = (ms: number | null): number | null => (ms === null ? null : (ms - T0) / 1000);
  return [active, acknowledged, seconds(sinceMs), seconds(returnedMs), raises, acknowledgedBy];
}

const NORMAL = [false, false, null, null, 0, null];

test("an alarm walks through the states of ISA-18.2", () => {
  const hub = createHub(PLANT);
  const say = sayer(hub);
  assert.deepEqual(short(hub), NORMAL);
  say("event", event(1, true));
  assert.deepEqual(short(hub), [true, false, 1, null, 1, null]);
  assert.equal(hub.acknowledge(WORD, T0), null);
  assert.deepEqual(short(hub), [true, true, 1, null, 0, "Ann"], "it stands, so it is shown");
  say("event", event(2, false));
  assert.deepEqual(short(hub), NORMAL);

  say("event", event(3, true));
  say("event", event(4, false));
  assert.deepEqual(short(hub), [false, false, 3, 4, 1, null], "returned, and nobody saw it");
  say("event", event(5, true));
  assert.deepEqual(short(hub), [true, false, 5, null, 2, null]);
  say("event", event(6, false));
  assert.equal(hub.acknowledge({ ...WORD, by: "Bo" }, T0), null);
  assert.deepEqual(short(hub), NORMAL);
  say("event", event(7, true));
  assert.deepEqual(short(hub), [true, false, 7, null, 1, null], "a new raise asks anew");
});

test("what asks for nothing, or is not there, is refused and changes nothing", () => {
  const hub = createHub(PLANT);
  const say = sayer(hub);
  assert.equal(hub.acknowledge(WORD, T0)?.status, 409);
  assert.equal(hub.acknowledge({ ...WORD, node: "nobody" }, T0)?.status, 404);
  assert.equal(hub.acknowledge({ ...WORD, channel: "nothing" }, T0)?.status, 404);
  assert.equal(hub.acknowledge({ ...WORD, alarm: "none" }, T0)?.status, 404);
  say("event", event(1, true));
  assert.equal(hub.acknowledge(WORD, T0), null);
  assert.equal(hub.acknowledge(WORD, T0)?.status, 409, "once");
  assert.deepEqual(hub.audit(9).length, 1);
});

test("who acknowledged stands in the events, in the audit, and outlasts a restart", () => {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-acknowledge-"));
  try {
    const open = (): { hub: Hub; close: () => void } => {
      const file = openFileHistory(join(folder, "plant.db"), assert.fail);
      return { hub: createHub(PLANT, file), close: () => file.close() };
    };
    const first = open();
    const say = sayer(first.hub);
    say("event", event(1, true));
    first.hub.commit();
    assert.equal(first.hub.acknowledge({ ...WORD, comment: "door open" }, T0 + 2000), null);
    const [line] = first.hub.snapshot(T0).events;
    assert.deepEqual(
      [line?.kind, line?.text],
      ["acknowledged", "Ann acknowledged oven-1 temperature too-hot. “door open”"],
    );
    first.hub.commit();
    first.close();
    const second = open();
    assert.deepEqual(short(second.hub), [true, true, 1, null, 0, "Ann"]);
    const [row] = second.hub.audit(1);
    assert.deepEqual(
      [row?.wallMs, row?.node, row?.name, row?.by, row?.outcome, row?.reason],
      [T0 + 2000, "oven-1", "temperature/too-hot", "Ann", "acknowledged", "door open"],
    );
    second.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Rig {
  hub: Hub;
  post(body: unknown, headers?: Record<string, string>): Promise<[number, Partial<Problem>]>;
  step(): void;
}

async function withHub(use: (rig: Rig) => Promise<void>): Promise<void> {
  const fixture = await startFixtureHub();
  try {
    fixture.say("ferrule/oven-1/event", event(1, true));
    await use({
      hub: fixture.hub,
      step: () => fixture.step(),
      post: async (body, headers = {}) => {
        const reply = await fetch(`${fixture.url}/api/acknowledge`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-ferrule-token": TOKEN, ...headers },
          body: typeof body === "string" ? body : JSON.stringify(body),
        });
        return [reply.status, (await reply.json()) as Partial<Problem>];
      },
    });
  } finally {
    await fixture.close();
  }
}

const oven = (hub: Hub): AlarmView =>
  hub.snapshot(T0).nodes.find(({ id }) => id === "oven-1")!.channels[0]!.alarms[0]!;

test("only who has the token acknowledges, from the page's own origin", async () => {
  await withHub(async ({ hub, post }) => {
    const cases: [Record<string, string>, number][] = [
      [{ "x-ferrule-token": "" }, 401],
      [{ "x-ferrule-token": `${TOKEN}x` }, 401],
      [{ origin: "http://evil.example" }, 403],
      [{ "content-type": "text/plain" }, 415],
    ];
    for (const [headers, status] of cases) assert.equal((await post(WORD, headers))[0], status);
    assert.equal(oven(hub).acknowledged, false);
    const [row] = hub.audit(1);
    assert.deepEqual([row?.outcome, row?.name, row?.by], ["refused", "temperature/too-hot", "Ann"]);
    const { comment: _, ...bare } = WORD;
    assert.deepEqual(await post(bare), [200, { acknowledged: true }]);
    assert.deepEqual([oven(hub).active, oven(hub).acknowledgedBy], [true, "Ann"]);
    assert.equal((await post(WORD))[0], 409);
    assert.match(hub.audit(1)[0]?.reason ?? "", /^nothing to acknowledge/);
  });
});

test("an acknowledgement that is none is refused in one sentence", async () => {
  await withHub(async ({ hub, post, step }) => {
    const cases: [unknown, number, RegExp][] = [
      ["{", 400, /no JSON$/],
      ["7", 400, /no JSON object$/],
      [{ ...WORD, node: "a b" }, 400, /node id/],
      [{ ...WORD, channel: 7 }, 400, /name of a channel/],
      [{ ...WORD, alarm: "" }, 400, /name of an alarm/],
      [{ ...WORD, by: " " }, 400, /1 to 64/],
      [{ ...WORD, comment: "x".repeat(COMMENT_CHARS_MAX + 1) }, 400, /at most 120/],
      [{ ...WORD, comment: "a\nb" }, 400, /one line/],
      [{ ...WORD, comment: "x".repeat(2000) }, 413, /at most 1 kB/],
    ];
    for (const [body, status, sentence] of cases) {
      const [found, { error }] = await post(body);
      assert.equal(found, status, String(error));
      assert.match(error ?? "", sentence);
    }
    assert.equal(oven(hub).acknowledged, false);
    step();
    for (let at = 0; at < WRITES_PER_SECOND; at++) await post("{");
    assert.equal((await post(WORD))[0], 429);
    step();
    assert.equal((await post(WORD))[0], 200);
  });
});

test("the address answers to POST alone, and to no other form of it", async () => {
  const fixture = await startFixtureHub();
  try {
    const url = `${fixture.url}/api/acknowledge`;
    assert.equal((await fetch(url)).status, 405);
    assert.equal((await fetch(`${url}?x`)).status, 404);
    assert.equal((await fetch(`${url}?x`, { method: "POST" })).status, 405);
  } finally {
    await fixture.close();
  }
});
