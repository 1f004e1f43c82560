// SPDX-License-Identifier: MIT
// Goal: what taps find out is shown once and rightly, and becomes a node.json.
//
// Method: scripted messages into the core at scripted wall times; node.json through the schema of the build.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { NOTICE_NAMES } from "../../firmware/wire/notice-names.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import { parseNode } from "../support/link-host.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, encode, type Item, pack } from "../support/pack.ts";

const ID = "tapped-1";

function say(hub: Hub, topic: string, payload: Uint8Array, at = T0): void {
  const message = { topic: `ferrule/${ID}/${topic}`, payload: Buffer.from(payload), qos: 1 };
  hub.message({ ...message, retain: false }, at);
}

function tapped(): Hub {
  const hub = createHub(PLANT);
  const channels = [[{ name: "mean" }]];
  const taps: [string, string, number, string][] = [["bus", "modbus-rtu", 19200, "8E1"]];
  birth({ channels, taps }).forEach((part, i) => say(hub, `birth/${i}`, part));
  return hub;
}

const findings = (items: Item[], boot = 1): Buffer =>
  encode(
    new Map<number, Item>([
      [0, boot],
      [2, items],
    ]),
  );
const LINE = [0, 0, 9600, 4, 1, 1, 97, 99, 2, 41, 900];
const register = (
  address: number,
  value: number,
  more: { min?: number; max?: number } = {},
): Item => {
  return [1, 0, 17, 3, address, value, more.min ?? value, more.max ?? value, 0, 5, 20];
};
const POLL = [2, 0, 17, 3, 100, 4, 2, 80, 1, 2, 1000, 5000, 9000];

test("line, registers, questions and units are shown as they were found", () => {
  const hub = tapped();
  say(hub, "tap", findings([LINE, register(100, 7, { min: 1, max: 9 }), POLL, [3, 0, 1, 1, 4, 0]]));
  const [tap] = hub.snapshot(T0).nodes[0]!.taps;
  assert.deepEqual(tap!.line, {
    ...{ baud: 9600, format: "8E1", inverted: true, protocol: "modbus-rtu", confidence: 0.97 },
    ...{ coverage: 0.99, phase: "protocol", frames: 41, edges: 900 },
  });
  assert.equal(tap!.learned, 1);
  const found = hub.inventory(ID, "bus")!;
  assert.deepEqual(found.units, [
    {
      ...{
        unit: 17,
        registers: 1,
        polls: 1,
        answered: 80,
        exceptions: 1,
        unanswered: 2,
        writes: 0,
      },
      ...{ answerUs: 5000, answerUsMax: 9000 },
    },
  ]);
  assert.deepEqual([found.registersLeftOut, found.pollsLeftOut, found.atMs], [4, 0, T0]);
  assert.equal(hub.inventory(ID, "no-such"), null);
  assert.equal(hub.inventory("no-such", "bus"), null);
});

test("types are plausible ones: signs, and floats in the order that gives numbers", () => {
  const hub = tapped();
  say(
    hub,
    "tap",
    findings([
      register(0, 65_530, { min: 2, max: 65_535 }),
      register(10, 0x42f6),
      register(11, 0xe979), // 123.456, ABCD (reference vector)
      register(20, 0xe979),
      register(21, 0x42f6),
      register(30, 7),
    ]),
  );
  const likely = hub
    .inventory(ID, "bus")!
    .registers.map(({ address, likely }) => [address, likely]);
  assert.deepEqual(likely, [
    [0, "i16"],
    [10, "f32 ABCD"],
    [11, "u16"],
    [20, "f32 CDAB"],
    [21, "u16"],
    [30, "u16"],
  ]);
  const proposal = hub.proposal(ID, "bus")!;
  const node = parseNode(proposal);
  assert.deepEqual(Object.keys(node.channels), [
    ...["unit17-holding-0", "unit17-holding-10", "unit17-holding-20", "unit17-holding-30"],
  ]);
  const wide = node.channels["unit17-holding-20"]!;
  assert.ok(wide.kind === "register" && wide.type === "f32" && wide.order === "CDAB");
  assert.deepEqual(Object.keys(node.taps), ["bus"]);
});

test("nothing learned: no node.json", () => {
  const hub = tapped();
  assert.equal(hub.proposal(ID, "bus"), null);
  say(hub, "tap", findings([LINE]));
  assert.equal(hub.proposal(ID, "bus"), null);
});

test("an earlier boot says nothing, a later one starts anew", () => {
  const hub = tapped();
  say(hub, "tap", findings([register(1, 1)], 5));
  say(hub, "tap", findings([register(2, 1)], 4));
  const addresses = (): number[] =>
    hub.inventory(ID, "bus")!.registers.map(({ address }) => address);
  assert.deepEqual(addresses(), [1]);
  say(hub, "tap", findings([register(3, 1)], 6));
  assert.deepEqual(addresses(), [3]);
});

test("a hostile node fills no more than a node can learn", () => {
  const hub = tapped();
  for (let i = 0; i < 2000; i++)
    say(hub, "tap", findings([register(i, 1), [...POLL.slice(0, 4), i, ...POLL.slice(5)]]));
  const found = hub.inventory(ID, "bus")!;
  assert.deepEqual([found.registers.length, found.polls.length], [256, 64]);
});

test("a message that is not what the table says is refused whole, by name", () => {
  const cases: [Item, string][] = [
    [[1], "not-findings"],
    [new Map([[0, 1]]), "not-findings"],
    [
      new Map<number, Item>([
        [0, 1],
        [2, []],
      ]),
      "not-findings",
    ],
    [
      new Map<number, Item>([
        [0, 1],
        [2, [LINE.slice(0, 9)]],
      ]),
      "bad-field",
    ],
    [
      new Map<number, Item>([
        [0, 1],
        [2, [[]]],
      ]),
      "bad-field",
    ],
    [
      new Map<number, Item>([
        [0, -1],
        [2, [LINE]],
      ]),
      "bad-field",
    ],
    [
      new Map<number, Item>([
        [0, 1],
        [2, [register(70_000, 1)]],
      ]),
      "bad-field",
    ],
    [new Map<number | string, Item>([["must_", 1]]), "bad-key"],
  ];
  for (const [item, name] of cases) {
    const hub = tapped();
    say(hub, "tap", encode(item));
    assert.deepEqual(hub.totals().refused, { [name]: 1 }, name);
    assert.equal(hub.inventory(ID, "bus")!.registers.length, 0);
  }
  const hub = tapped();
  say(hub, "tap", findings([[9, 0, "new"], [...LINE, 5], register(1, 2)]));
  assert.deepEqual(hub.totals().refused, {}, "a newer node still shows");
  assert.equal(hub.inventory(ID, "bus")!.registers.length, 1);
});

test("each notice is one event with its rule and its ATT&CK ids, and no channel", () => {
  const hub = tapped();
  const records = NOTICE_NAMES.map((word, i) => {
    const e: Item = [i === 3 ? -1 : 17, 6, 40, 1, 9, i + 1];
    return { n: `bus/${word}`, vb: true, raw: [["e", e]] as [string, Item][] };
  });
  for (let times = 0; times < 2; times++) say(hub, "event", pack({ bt: T0, records }));
  const { events, nodes, totals } = hub.snapshot(T0);
  const notices = events.filter(({ kind }) => kind === "notice").reverse();
  assert.deepEqual(
    notices.map(({ notice }) => notice!.word),
    NOTICE_NAMES,
  );
  assert.deepEqual(
    notices.map(({ notice }) => notice!.rule),
    ["R6", "R4", "R7", "R7", "R7", "R7", "R5", "R5", "R8", "R5", "R3", "R12", "R4"],
  );
  assert.deepEqual(notices[0]!.notice!.techniques[0], {
    ...{ id: "T1692.001", legacyId: "T0855", framework: "ics", version: "19" },
  });
  assert.equal(
    notices[0]!.text,
    "tapped-1 bus: a write was seen: unit 17, FC 6, address 40, value 9 " +
      "(R6; T1692.001, was T0855; T0836; T0806).",
  );
  assert.equal(notices[3]!.notice!.unit, null);
  assert.deepEqual(
    nodes[0]!.channels.map(({ name }) => name),
    ["mean"],
  );
  const count = NOTICE_NAMES.length;
  assert.deepEqual([totals.events, totals.ingested, totals.duplicates], [count, count, count]);
});

test("a notice that is malformed refuses its pack", () => {
  const bad: Item[] = [
    [17, 6, 40, 1, 9],
    [255, 6, 40, 1, 9, 1],
    [17, -6, 40, 1, 9, 1],
    5,
    [17, 6, 40, 1, 9, 70_000],
  ];
  for (const e of bad) {
    const hub = tapped();
    say(hub, "event", pack({ records: [{ n: "bus/write", vb: true, raw: [["e", e]] }] }));
    assert.deepEqual(hub.totals().refused, { "bad-field": 1 });
  }
  const hub = tapped();
  say(hub, "data", pack({ records: [{ n: "mean", v: 1, raw: [["e", [17, 6, 40, 1, 9, 1]]] }] }));
  assert.deepEqual(hub.totals().refused, { "bad-field": 1 }, "no reading is a notice");
});
