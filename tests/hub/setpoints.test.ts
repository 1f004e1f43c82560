// SPDX-License-Identifier: MIT
// Goal: a write reaches its node once, or is refused with a reason.
//
// Method: each outcome must stand in the audit; the core with scripted answers of a node; the octets of a write are judged by cbor-x.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Decoder } from "cbor-x";
import type { AuditRow, EventView, SetpointView } from "../../hub/api.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import {
  AUDIT_KEPT,
  SETPOINT_ANSWER_MS_MAX as WAIT_MS,
  SETPOINTS_PENDING_MAX,
} from "../../hub/limits.ts";
import type { WriteAnswer } from "../../hub/setpoints.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, Decimal, pack, setResult } from "../support/pack.ts";

const REQUEST = T0 / 1000; // the first one

interface Rig {
  hub: Hub;
  say(topic: string, payload: Uint8Array | string, atMs?: number): void;
  write(value: number, atMs?: number, seenMs?: number | null): WriteAnswer;
  answer(code: number, effective?: number, atMs?: number, request?: number): void;
  view(): SetpointView;
  audit(): Pick<AuditRow, "outcome" | "reason" | "effective">[];
  events(): [EventView["kind"], string][];
}

function rig(id = "oven-1"): Rig {
  const hub = createHub(PLANT);
  const say = (topic: string, payload: Uint8Array | string, atMs = T0): void => {
    const message = { topic: `ferrule/${id}/${topic}`, payload: Buffer.from(payload) };
    hub.message({ ...message, qos: 1, retain: false }, atMs);
  };
  const setpoint: [Decimal, Decimal, Decimal, number] = [
    new Decimal(-1, 200),
    new Decimal(-1, 2500),
    new Decimal(-1, 1800),
    60_000,
  ];
  const channel = { name: "target", unit: "Cel", kind: 8, scale: new Decimal(-1, 1), setpoint };
  say("birth/0", birth({ channels: [[channel]] })[0]!);
  say("presence", "online");
  hub.takePublications();
  return {
    hub,
    say,
    write: (value, atMs = T0, seenMs = null) =>
      hub.writeSetpoint({ node: id, name: "target", value, by: "Ann", seenMs }, atMs),
    answer: (code, effective, atMs = T0, request = REQUEST) =>
      say(
        "set/result",
        setResult({
          request,
          name: "target",
          code,
          ...(effective !== undefined && { effective: new Decimal(-1, effective) }),
        }),
        atMs,
      ),
    view: () => hub.snapshot(T0).nodes[0]!.setpoints[0]!,
    audit: () =>
      hub.audit(100).map(({ outcome, reason, effective }) => ({ outcome, reason, effective })),
    events: () =>
      hub
        .snapshot(T0)
        .events.filter(({ kind }) => kind === "setpoint" || kind === "refused-write")
        .map(({ kind, text }) => [kind, text]),
  };
}

test("a set-point shows its limits and the effective value before anyone wrote it", () => {
  const r = rig();
  r.say("data", pack({ bt: T0 + 500, records: [{ n: "target", v: new Decimal(-1, 1800) }] }));
  assert.deepEqual(r.view(), {
    name: "target",
    unit: "Cel",
    decimals: 1,
    min: 20,
    max: 250,
    default: 180,
    staleMs: 60_000,
    effective: 180,
    effectiveAtMs: T0 + 500,
    requested: null,
    requestedBy: null,
    requestedAtMs: null,
    state: "none",
    reason: null,
  });
});

test("a write goes out once as strict CBOR, is pending, then applied", () => {
  const r = rig();
  assert.deepEqual(r.write(182.5), { request: REQUEST });
  const [sent, ...more] = r.hub.takePublications();
  assert.deepEqual(more, []);
  assert.ok(sent !== undefined && typeof sent.payload !== "string");
  assert.deepEqual([sent.topic, sent.retain], ["ferrule/oven-1/set", false]);
  const decoded = new Decoder({ mapsAsObjects: false }).decode(Buffer.from(sent.payload)) as Map<
    number,
    unknown
  >;
  assert.deepEqual([...decoded.keys()], [0, 1, 2, 3]);
  assert.deepEqual([decoded.get(0), decoded.get(1), decoded.get(3)], [REQUEST, "target", 0]);
  assert.equal(decoded.get(2), 182.5);
  assert.ok(
    Buffer.from(sent.payload).includes(Buffer.from("c48220190721", "hex")),
    "4([-1, 1825])",
  );
  assert.equal(r.view().state, "pending");
  r.answer(0, 1825, T0 + 300);
  const { state, effective, effectiveAtMs, requested, requestedBy, reason } = r.view();
  assert.deepEqual(
    [state, effective, effectiveAtMs, requested, requestedBy, reason],
    ["applied", 182.5, T0 + 300, 182.5, "Ann", null],
  );
  r.answer(0, 1825, T0 + 400); // said again
  assert.deepEqual(r.audit(), [
    { outcome: "applied", reason: null, effective: 182.5 },
    { outcome: "sent", reason: null, effective: null },
  ]);
  assert.deepEqual(r.events(), [
    ["setpoint", "oven-1 target 182.5 is applied, effective 182.5."],
    ["setpoint", "Ann asks oven-1 for target 182.5."],
  ]);
});

for (const [code, state, reason] of [
  [1, "clamped", /nearest value/],
  [2, "stale", /went back to the default/],
  [3, "refused", /interlock/],
  [16, "refused", /no such set-point/],
  [20, "refused", /too many writes waiting/],
  [99, "refused", /gives code 99/],
] as const)
  test(`a node's code ${code} makes the write ${state} with a reason`, () => {
    const r = rig();
    r.write(200);
    r.answer(code, code < 16 ? 1800 : undefined);
    assert.equal(r.view().state, state);
    assert.match(r.view().reason ?? "", reason);
    assert.equal(r.audit()[0]?.outcome, state);
    assert.equal(r.events()[0]?.[0], state === "refused" ? "refused-write" : "setpoint");
  });

test("a write without an answer is timed out after 10 s; one that comes late still counts", () => {
  const r = rig();
  r.write(200);
  assert.equal(r.hub.poll(T0 + WAIT_MS - 1), T0 + WAIT_MS);
  assert.equal(r.view().state, "pending");
  r.hub.poll(T0 + WAIT_MS);
  assert.deepEqual(
    [r.view().state, r.view().reason],
    ["timed-out", "the node did not answer within 10 s"],
  );
  const sets = r.hub.takePublications().filter(({ topic }) => topic.endsWith("/set"));
  assert.deepEqual(sets, [], "what was not sent by then is not sent any more");
  r.answer(0, 2000, T0 + WAIT_MS + 5);
  assert.equal(r.view().state, "applied");
});

test("limits, step, state and what the page showed are checked before anything is sent", () => {
  const r = rig();
  const refusals: [WriteAnswer, number, RegExp][] = [
    [r.write(19.9), 422, /^19\.9 is below the least value 20 Cel$/],
    [r.write(250.1), 422, /^250\.1 is above the greatest value 250 Cel$/],
    [r.write(200.05), 422, /finer than the set-point's step 0\.1/],
    [r.write(NaN), 422, /finer/],
    [
      r.hub.writeSetpoint({ node: "oven-1", name: "x", value: 1, by: "Ann", seenMs: null }, T0),
      404,
      /no such/,
    ],
    [
      r.hub.writeSetpoint({ node: "x", name: "x", value: 1, by: "Ann", seenMs: null }, T0),
      404,
      /no such/,
    ],
  ];
  r.say("data", pack({ bt: T0 + 500, records: [{ n: "target", v: new Decimal(-1, 1800) }] }));
  refusals.push([r.write(200, T0, T0 + 499), 409, /has changed since the page showed it/]);
  r.say("presence", "lost");
  refusals.push([r.write(200, T0, T0 + 500), 409, /^oven-1 is lost/]);
  for (const [answer, status, error] of refusals) {
    assert.ok("error" in answer);
    assert.equal(answer.status, status);
    assert.match(answer.error, error);
  }
  assert.deepEqual(
    r.hub.takePublications().filter(({ topic }) => topic.endsWith("/set")),
    [],
  );
  assert.equal(r.audit().filter(({ outcome }) => outcome === "refused").length, refusals.length);
  assert.equal(r.view().state, "none");
});

test("a page that shows the newest value may write; a heartbeat makes it no older", () => {
  const r = rig();
  for (const [q, at] of [
    [1, 500],
    [2, 10_500],
  ] as const)
    r.say("data", pack({ bt: T0 + at, q, records: [{ n: "target", v: new Decimal(-1, 1800) }] }));
  assert.ok("request" in r.write(200, T0, T0 + 500));
});

test("a newer write ends the wait for the one before; an answer to the old one is counted", () => {
  const r = rig();
  r.write(200);
  assert.deepEqual(r.write(210), { request: REQUEST + 1 });
  const sets = r.hub.takePublications().filter(({ topic }) => topic.endsWith("/set"));
  assert.equal(sets.length, 1);
  r.answer(0, 2000);
  assert.equal(r.hub.totals().refused["old-result"], 1);
  assert.equal(r.view().state, "pending");
  r.answer(0, 2100, T0, REQUEST + 1);
  assert.equal(r.view().state, "applied");
});

test("at the bound of writes under way one more is refused, and the audit turns", () => {
  const hub = createHub(PLANT);
  const setpoint: [number, number, number, number] = [0, 9, 0, 0];
  const ids = Array.from({ length: SETPOINTS_PENDING_MAX + 1 }, (_, at) => `n-${at}`);
  for (const id of ids) {
    const channels = [[{ name: "t", kind: 8, scale: new Decimal(0, 1), setpoint }]];
    const payload = birth({ channels })[0]!;
    hub.message({ topic: `ferrule/${id}/birth/0`, payload, qos: 1, retain: true }, T0);
  }
  const answers = ids.map((node) =>
    hub.writeSetpoint({ node, name: "t", value: 5, by: "Ann", seenMs: null }, T0),
  );
  assert.deepEqual(
    answers.map((answer) => "request" in answer),
    ids.map((_, at) => at < SETPOINTS_PENDING_MAX),
  );
  for (let at = 0; at < AUDIT_KEPT; at++)
    hub.refuseWrite({ node: "x", name: "y", value: null, by: "", reason: "no" }, T0);
  assert.equal(hub.audit(1e6).length, AUDIT_KEPT);
});

test("an answer that is not one is refused by name, each prefix of a good one too", () => {
  const r = rig();
  r.write(200);
  const good = setResult({
    request: REQUEST,
    name: "target",
    code: 0,
    effective: new Decimal(-1, 2000),
  });
  for (let length = 0; length < good.length; length++)
    r.say("set/result", good.subarray(0, length));
  r.say("set/result", Buffer.concat([good, Buffer.of(0)]));
  assert.deepEqual(r.hub.totals().refused, { truncated: good.length, trailing: 1 });
  r.say("set/result", setResult({ request: REQUEST, name: "", code: 0 }));
  assert.equal(r.hub.totals().refused["bad-field"], 1);
  r.say("set/result", Buffer.of(0xa0));
  assert.equal(r.hub.totals().refused["not-a-result"], 1);
  assert.equal(r.view().state, "pending");
  r.say("set/result", good);
  assert.equal(r.view().state, "applied");
});
