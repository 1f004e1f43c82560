// SPDX-License-Identifier: MIT
// Goal: messages become nodes, alarms and counts once, whatever comes first.
//
// Method: scripted messages into the core at scripted wall times; no broker, no clock.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { EventView, NodeView } from "../../hub/api.ts";
import { createHub, type Hub } from "../../hub/hub.ts";
import {
  CHANNELS_UNANNOUNCED_MAX,
  CHANGES_KEPT,
  EVENTS_KEPT,
  NODES_MAX,
} from "../../hub/limits.ts";
import { PLANT, START_MS as T0 } from "../support/fixture-hub.ts";
import { birth, Decimal, Float, pack, type PackSpec, status } from "../support/pack.ts";

interface Rig {
  hub: Hub;
  say(
    topic: string,
    payload: Uint8Array | string,
    at?: number,
    more?: { qos?: number; retain?: boolean },
  ): void;
  node(id?: string): NodeView;
  events(): EventView[];
}

function rig(): Rig {
  const hub = createHub(PLANT);
  return {
    hub,
    say: (topic, payload, at = T0, { qos = 1, retain = false } = {}) =>
      hub.message({ topic: `ferrule/${topic}`, payload: Buffer.from(payload), qos, retain }, at),
    node: (id = "oven-1") => {
      const node = hub.snapshot(T0).nodes.find((one) => one.id === id);
      assert.ok(node !== undefined, `no ${id}`);
      return node;
    },
    events: () => hub.snapshot(T0).events,
  };
}

const ALARMS: [string, 0 | 1, Decimal, Decimal, number][] = [
  ["too-hot", 1, new Decimal(0, 200), new Decimal(0, 3), 1000],
];
const CHANNELS = [
  [{ name: "temperature", unit: "Cel", alarms: ALARMS, heartbeatMs: 5000 }],
  [{ name: "heater", kind: 2, scale: new Decimal(-3, 1) }],
  [{ name: "count", kind: 2, scale: new Decimal(0, 1) }],
];
const reading = (value: number, more: Partial<PackSpec> = {}): Buffer =>
  pack({ bt: T0, records: [{ n: "temperature", v: new Decimal(-2, value) }], ...more });
const alarm = (active: boolean, more: Partial<PackSpec> = {}): Buffer =>
  pack({
    bt: T0,
    records: [{ n: "temperature/too-hot", vb: active, x: new Decimal(-2, 20_100) }],
    ...more,
  });
const kinds = (r: Rig): string[] =>
  r
    .events()
    .map(({ kind }) => kind)
    .reverse();

test("a node without a birth still shows, its channel as computed and without a unit", () => {
  const r = rig();
  r.say(
    "oven-1/data",
    pack({
      bt: T0,
      records: [
        { n: "t", v: new Decimal(-1, 235) },
        { n: "f", v: new Float(0.5) },
      ],
    }),
  );
  const { type, state, boot, channels } = r.node();
  assert.deepEqual([type, state, boot], [null, "unknown", 1]);
  const [t, f] = channels;
  assert.deepEqual(
    [t?.kind, t?.unit, t?.value, t?.decimals, t?.atMs],
    ["computed", null, 23.5, 1, T0],
  );
  assert.equal(f?.decimals, null);
});

test("birth parts are joined in any order, and only when all are there", () => {
  const orders = [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [0, 2, 1, 0, 1],
  ];
  for (const order of orders) {
    const r = rig();
    const parts = birth({ channels: CHANNELS, outputs: [["heater", 0, 9500, 100]] });
    const missing = new Set([0, 1, 2]);
    for (const index of order) {
      assert.equal(r.hub.snapshot(T0).nodes[0]?.type ?? null, missing.size === 0 ? "oven" : null);
      r.say(`oven-1/birth/${index}`, parts[index]!, T0, { retain: true });
      missing.delete(index);
    }
    const { type, channels, outputs, periodUs, loopHash, firmware } = r.node();
    assert.equal(type, "oven");
    assert.deepEqual(
      channels.map(({ name }) => name),
      ["temperature", "heater", "count"],
    );
    assert.deepEqual(
      channels.map(({ decimals }) => decimals),
      [2, 3, 0],
    );
    assert.deepEqual(outputs, [{ name: "heater", min: 0, max: 0.95, safe: 0.01 }]);
    assert.deepEqual([periodUs, loopHash, firmware], [10_000, "aa".repeat(32), "0.1.0"]);
  }
});

test("parts left over from an earlier boot are never mixed in, in whatever order they come", () => {
  const old = birth({ boot: 4, channels: [...CHANNELS, [{ name: "gone" }]], loopHash: "cc" });
  const now = birth({ boot: 5, channels: CHANNELS.slice(0, 2), loopHash: "dd" });
  const retained = [now[0]!, now[1]!, old[2]!, old[3]!];
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1],
  ]) {
    const r = rig();
    for (const index of order)
      r.say(`oven-1/birth/${index}`, retained[index]!, T0, { retain: true });
    const { boot, loopHash, channels } = r.node();
    assert.deepEqual([boot, loopHash], [5, "dd".repeat(32)]);
    assert.deepEqual(
      channels.map(({ name }) => name),
      ["temperature", "heater"],
    );
    assert.deepEqual(r.hub.totals().refused, {});
  }
});

test("while a node is born again, new and old parts of one count make no birth", () => {
  const r = rig();
  const old = birth({ boot: 4, channels: [[{ name: "a" }], [{ name: "b" }]] });
  const now = birth({ boot: 5, channels: [[{ name: "c" }], [{ name: "d" }]] });
  const names = (): string[] => r.node().channels.map(({ name }) => name);
  old.forEach((part, index) => r.say(`oven-1/birth/${index}`, part));
  r.say("oven-1/birth/0", now[0]!);
  assert.deepEqual(names(), ["a", "b"]);
  r.say("oven-1/birth/1", now[1]!);
  assert.deepEqual(names(), ["c", "d"]);
});

test("a birth of an earlier boot does not replace a later one", () => {
  const r = rig();
  r.say("oven-1/birth/0", birth({ boot: 9, channels: [[{ name: "a" }]] })[0]!);
  r.say("oven-1/birth/0", birth({ boot: 8, channels: [[{ name: "b" }]] })[0]!);
  assert.deepEqual(
    r.node().channels.map(({ name }) => name),
    ["a"],
  );
});

test("a new birth keeps the past of its channels and lets the others go", () => {
  const r = rig();
  r.say("oven-1/birth/0", birth({ channels: [[{ name: "temperature" }, { name: "old" }]] })[0]!);
  r.say("oven-1/data", reading(2350));
  r.say("oven-1/data", pack({ bt: T0, q: 2, records: [{ n: "extra", v: 1 }] }));
  r.say(
    "oven-1/birth/0",
    birth({ boot: 2, loopHash: "cc", channels: [[{ name: "new" }, { name: "temperature" }]] })[0]!,
  );
  assert.deepEqual(
    r.node().channels.map(({ name }) => name),
    ["new", "temperature", "extra"],
  );
  assert.deepEqual(r.hub.history("oven-1", "temperature", 0), [[T0, 23.5]]);
  assert.equal(r.hub.history("oven-1", "old", 0), null);
  assert.deepEqual(kinds(r), ["new-node", "boot", "firmware"]);
});

test("births that contradict themselves are refused, and the node shows without one", () => {
  const cases: [string, Buffer[], string][] = [
    [
      "two channels of one name",
      birth({ channels: [[{ name: "a" }, { name: "a" }]] }),
      "bad-birth",
    ],
    [
      "a register of a tap that is not there",
      birth({
        channels: [[{ name: "a", kind: 1, register: [1, 17, 3, 0, 0, 0] }]],
        taps: [["bus", "modbus-rtu", 9600, "8E1"]],
      }),
      "bad-birth",
    ],
    [
      "a register that is analog",
      birth({ channels: [[{ name: "a", register: [0, 17, 3, 0, 0, 0] }]] }),
      "bad-field",
    ],
    [
      "a field of a tap that is not there",
      birth({ channels: [[{ name: "a", kind: 7, field: [0, "weight", "weight"] }]] }),
      "bad-birth",
    ],
    [
      "a field that is analog",
      birth({ channels: [[{ name: "a", field: [0, "weight", "weight"] }]] }),
      "bad-field",
    ],
    [
      "an object of a tap that is not there",
      birth({ channels: [[{ name: "a", kind: 9, object: [0, "1-0:1.8.0", 0] }]] }),
      "bad-birth",
    ],
    ["an object that tells nothing", birth({ channels: [[{ name: "a", kind: 9 }]] }), "bad-field"],
    [
      "an object with a line end",
      birth({ channels: [[{ name: "a", kind: 9, object: [0, "1.8.0\n", 0] }]] }),
      "bad-field",
    ],
    ["a name with a space", birth({ channels: [[{ name: "a b" }]] }), "bad-field"],
    ["a unit with a quote", birth({ channels: [[{ name: "a", unit: '"' }]] }), "bad-field"],
    [
      "five alarms",
      birth({ channels: [[{ name: "a", alarms: Array.from({ length: 5 }, () => ALARMS[0]!) }]] }),
      "bad-field",
    ],
  ];
  for (const [sentence, parts, reason] of cases) {
    const r = rig();
    r.say("oven-1/birth/0", parts[0]!);
    assert.deepEqual(r.hub.totals().refused, { [reason]: 1 }, sentence);
    r.say("oven-1/birth/0", birth({ channels: [[{ name: "a" }]] })[0]!);
    assert.equal(r.node().type, "oven", `after ${sentence}`);
  }
  const r = rig();
  r.say("oven-1/birth/1", birth({ channels: CHANNELS })[0]!);
  assert.deepEqual(r.hub.totals().refused, { "bad-birth": 1 }, "a part under another number");
});

test("a field names its tap, pattern and field; a birth that leaves it out is readable", () => {
  const taps: [string, string, number, string][] = [["line", "ascii-line", 9600, "8N1"]];
  const fields = (...[field]: [number, string, string][]): unknown => {
    const r = rig();
    const channel = { name: "a", kind: 7, ...(field === undefined ? {} : { field }) };
    r.say("oven-1/birth/0", birth({ channels: [[channel]], taps })[0]!);
    return r.node().channels.map((each) => [each.kind, each.field]);
  };
  const where = { tap: "line", pattern: "weight", field: "gross" };
  assert.deepEqual(fields([0, "weight", "gross"]), [["field", where]]);
  assert.deepEqual(fields(), [["field", null]]);
});

test("an object names its tap, its code, its value, and a meter where there are several", () => {
  const r = rig();
  const objects: [number, string, number, string?][] = [
    [0, "1-0:1.8.0", 0],
    [1, "0413", 0, "11490378"],
  ];
  const channels = objects.map((object, i) => ({ name: `c${i}`, kind: 9, object }));
  const taps: [string, string, number, string][] = [
    ["grid", "sml", 9600, "8N1"],
    ["heat", "m-bus", 2400, "8E1"],
  ];
  r.say("oven-1/birth/0", birth({ channels: [channels], taps })[0]!);
  assert.deepEqual(
    r.node().channels.map(({ kind, object }) => [kind, object]),
    [
      ["object", { tap: "grid", object: "1-0:1.8.0", value: 0, meter: null }],
      ["object", { tap: "heat", object: "0413", value: 0, meter: "11490378" }],
    ],
  );
});

test("presence makes online, offline and lost, each with its time and one event", () => {
  const r = rig();
  r.say("oven-1/presence", "online", T0);
  r.say("oven-1/presence", "lost", T0 + 1000);
  r.say("oven-1/presence", "lost", T0 + 2000);
  assert.deepEqual([r.node().state, r.node().sinceMs], ["lost", T0 + 1000]);
  r.say("oven-1/presence", "online", T0 + 3000);
  r.say("oven-1/presence", "offline", T0 + 4000);
  r.say("oven-1/presence", "", T0 + 5000);
  r.say("oven-1/presence", "asleep", T0 + 6000);
  assert.equal(r.node().state, "offline");
  assert.deepEqual(kinds(r), ["new-node", "online", "lost", "online", "offline", "refused"]);
  assert.deepEqual(r.hub.totals().refused, { "bad-presence": 1 });
});

test("what the broker kept from before the hub's start is a state but no news", () => {
  const r = rig();
  r.say("oven-1/presence", "lost", T0, { retain: true });
  r.say("oven-1/birth/0", birth({ channels: [[]] })[0]!, T0, { retain: true });
  assert.deepEqual([r.node().state, r.node().lastSeenMs], ["lost", null]);
  assert.deepEqual(kinds(r), []);
});

test("each reading and event counts once by (node, boot, sequence), apart for QoS 0", () => {
  const r = rig();
  for (let times = 0; times < 3; times++) {
    r.say("oven-1/data", reading(2350, { q: 5 }));
    r.say("oven-1/event", alarm(true, { q: 6 }));
    r.say("oven-1/data", reading(2360, { q: 7 }), T0, { qos: 0 });
    r.say("oven-1/data", reading(2370, { q: 5, b: 2 }));
    r.say("oven-2/data", reading(2380, { q: 5 }));
  }
  const { ingested, unconfirmed, readings, events, duplicates, messages } = r.hub.totals();
  assert.deepEqual(
    { ingested, unconfirmed, readings, events, duplicates, messages },
    { ingested: 4, unconfirmed: 1, readings: 4, events: 1, duplicates: 10, messages: 15 },
  );
  assert.deepEqual(
    r.hub.history("oven-1", "temperature", 0)?.map(([, v]) => v),
    [23.5, 23.6, 23.7],
  );
  for (const [boot, sequence, there] of [
    [1, 5, true],
    [1, 6, true],
    [2, 5, true],
    [1, 8, false],
    [3, 5, false],
  ] as const)
    assert.equal(r.hub.has("oven-1", boot, sequence), there);
  assert.ok(!r.hub.has("oven-9", 1, 5));
});

test("the value shown is the newest by boot and sequence; a late one only enters the past", () => {
  const r = rig();
  r.say("oven-1/data", reading(2000, { q: 10, bt: T0 + 1000 }));
  r.say("oven-1/data", reading(1900, { q: 9, bt: T0 + 900 }));
  assert.equal(r.node().channels[0]?.value, 20);
  r.say("oven-1/data", reading(2100, { q: 11, bt: T0 - 5000 })); // its clock stepped back
  assert.equal(r.node().channels[0]?.value, 21);
  r.say("oven-1/data", reading(2200, { b: 2, q: 1, bt: T0 + 2000 }));
  r.say("oven-1/data", reading(2150, { b: 1, q: 12, bt: T0 + 3000 }));
  assert.equal(r.node().channels[0]?.value, 22);
  assert.deepEqual(
    r.hub.history("oven-1", "temperature", 0)?.map(([, v]) => v),
    [21, 19, 20, 22, 21.5],
  );
});

test("a pack without wall time is stamped by its arrival", () => {
  const r = rig();
  const records = [
    { n: "temperature", v: 1, t: -2000 },
    { n: "temperature", v: 2 },
  ];
  r.say("oven-1/data", pack({ bt: null, records }), T0 + 10_000);
  assert.deepEqual(r.hub.history("oven-1", "temperature", 0), [
    [T0 + 8000, 1],
    [T0 + 10_000, 2],
  ]);
});

test("a bad reading is a quality with its cause and a hole in the past; a good one ends it", () => {
  const r = rig();
  r.say("oven-1/data", reading(2350, { q: 1 }));
  r.say(
    "oven-1/data",
    pack({ bt: T0 + 100, q: 2, records: [{ n: "temperature", vs: "open-wire" }] }),
  );
  const [bad] = r.node().channels;
  assert.deepEqual([bad?.value, bad?.quality, bad?.cause], [null, "bad", "open-wire"]);
  r.say("oven-1/data", pack({ bt: T0 + 200, q: 3, records: [{ n: "temperature", v: 24, g: 1 }] }));
  const [now] = r.node().channels;
  assert.deepEqual([now?.value, now?.quality, now?.cause], [24, "uncertain", null]);
  assert.deepEqual(r.hub.history("oven-1", "temperature", 0), [
    [T0, 23.5],
    [T0 + 100, null],
    [T0 + 200, 24],
  ]);
});

test("a silence is a gap: by the promise of the channel, else from when the node was lost", () => {
  const r = rig();
  for (const [index, part] of birth({
    channels: [
      [
        { name: "a", heartbeatMs: 1000 },
        { name: "b", periodMs: 0 },
      ],
    ],
  }).entries())
    r.say(`oven-1/birth/${index}`, part);
  const both = [
    { n: "a", v: 1 },
    { n: "b", v: 1 },
  ];
  r.say("oven-1/data", pack({ bt: T0, q: 1, records: both }));
  r.say("oven-1/presence", "lost", T0 + 2000);
  r.say("oven-1/data", pack({ bt: T0 + 9000, q: 3, records: both }));
  assert.deepEqual(r.hub.history("oven-1", "a", 0), [
    [T0, 1],
    [T0 + 1, null],
    [T0 + 9000, 1],
  ]);
  assert.deepEqual(r.hub.history("oven-1", "b", 0), [
    [T0, 1],
    [T0 + 2000, null],
    [T0 + 9000, 1],
  ]);
});

test("an alarm is raised and returns, and a late event does not turn it back", () => {
  const r = rig();
  r.say("oven-1/birth/0", birth({ channels: [CHANNELS[0]!] })[0]!);
  r.say("oven-1/event", alarm(true, { q: 3 }));
  const [raised] = r.node().channels[0]!.alarms;
  assert.deepEqual(
    [raised?.active, raised?.sinceMs, raised?.limit, raised?.above],
    [true, T0, 200, true],
  );
  r.say("oven-1/event", alarm(false, { q: 5, bt: T0 + 500 }));
  r.say("oven-1/event", alarm(true, { q: 4, bt: T0 + 300 }));
  assert.equal(r.node().channels[0]!.alarms[0]?.active, false);
  const [, returned] = r.events();
  assert.deepEqual(
    [returned?.kind, returned?.channel, returned?.alarm, returned?.value, returned?.wallMs],
    ["returned", "temperature", "too-hot", 201, T0 + 500],
  );
  assert.match(
    returned?.text ?? "",
    /^oven-1 temperature too-hot: returned to normal, value 201, limit 200\.$/,
  );
});

test("an alarm of an earlier boot returns with a reading inside its hysteresis", () => {
  const r = rig();
  r.say("oven-1/birth/0", birth({ channels: [CHANNELS[0]!] })[0]!);
  r.say("oven-1/event", alarm(true, { q: 1 }));
  const active = (): boolean | undefined => r.node().channels[0]!.alarms[0]?.active;
  r.say("oven-1/data", reading(15_000, { q: 2 }));
  assert.ok(active(), "the same boot tells its return itself");
  r.say("oven-1/data", reading(19_800, { b: 2, q: 1 }));
  assert.ok(active(), "198 lies within the hysteresis");
  r.say("oven-1/data", reading(19_700, { b: 2, q: 2 }));
  assert.ok(!active());
  assert.equal(kinds(r).at(-1), "returned");
});

test("what is worth a line gets one: new node, boot, identity, traps, drops, clock", () => {
  const r = rig();
  r.say("oven-1/data", reading(1, { b: 3, q: 1 }));
  r.say("oven-1/data", reading(1, { b: 4, q: 1 }));
  const counters = new Array<number>(18).fill(0);
  r.say("oven-1/status", status({ boot: 4, counters }));
  counters[15] = 1;
  counters[2] = 7;
  r.say("oven-1/status", status({ boot: 4, counters }));
  r.say("oven-1/status", status({ boot: 4, counters }));
  r.say("oven-1/data", reading(1, { b: 4, q: 2, bt: T0 + 61_000 }));
  r.say("oven-1/data", reading(1, { b: 1, q: 1, eui64: "0000000000000001" }));
  assert.deepEqual(kinds(r), ["new-node", "boot", "trap", "dropped", "clock", "identity"]);
  const texts = r
    .events()
    .map(({ text }) => text)
    .join("\n");
  assert.match(texts, /loopTraps \+1\./);
  assert.match(texts, /droppedTelemetry \+7\./);
  assert.match(texts, /now speaks as 0000000000000001, before as 0024befffe804ff1\./);
  assert.equal(r.node().boot, 1);
});

test("a host that restarted, or lost its entropy, gets a line with the cause", () => {
  const r = rig();
  const told = (boot: number, host?: number[]): void =>
    r.say("oven-1/status", status({ boot, ...(host && { host }) }));
  r.say("oven-1/data", reading(1, { b: 3, q: 1 }));
  told(3);
  told(4, [1, 1, 0x2000_1234, 0, 0]);
  told(4, [1, 1, 0x2000_1234, 0, 0]);
  told(5, [2, 3, 0, 0, 1]);
  told(5, [2, 3, 0, 0, 1]);
  const texts = r.events().filter(({ kind }) => kind === "trap");
  assert.deepEqual(texts.map(({ text }) => text).toSorted(), [
    "oven-1 has no entropy: its source failed its tests.",
    "oven-1 restarted: a fault at 0x20001234.",
    "oven-1 restarted: the watchdog bit.",
  ]);
});

test("a status gives counters by name; one of an earlier boot is passed over", () => {
  const r = rig();
  r.say(
    "m/birth/0",
    birth({ boot: 2, channels: [[]], taps: [["bus", "modbus-rtu", 9600, "8E1"]] })[0]!,
  );
  const counters = Array.from({ length: 18 }, (_, index) => index);
  r.say(
    "m/status",
    status({ boot: 2, uptimeMs: 5000, counters, taps: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] }),
  );
  r.say("m/status", status({ boot: 1, uptimeMs: 99_000 }));
  const node = r.node("m");
  assert.deepEqual(
    [node.uptimeMs, node.counters["queued"], node.counters["linkTraps"]],
    [5000, 0, 17],
  );
  assert.deepEqual([node.taps[0]?.counters["bytes"], node.taps[0]?.counters["junkBytes"]], [1, 10]);
  for (const [bytes, reason] of [
    [status({ counters: [-1] }), "bad-field"],
    [pack({ records: [{ n: "a", v: 1 }] }), "not-a-status"],
  ] as const) {
    r.say("m/status", bytes);
    assert.equal(r.hub.totals().refused[reason], 1);
  }
});

test("topics of no node are refused; the time is none of the hub's business", () => {
  const r = rig();
  for (const topic of [
    "",
    "/data",
    "a b/data",
    `${"n".repeat(24)}/data`,
    "n/nothing",
    "n/data/x",
    "n/birth/256",
    "n/birth/01",
    "n/birth/",
    "n/birth/1/2",
    `n/${"x".repeat(70)}`,
  ])
    r.say(topic, reading(1));
  assert.deepEqual(r.hub.totals().refused, { "bad-topic": 11 });
  r.say("n/time", "");
  r.say("n/time/get", "");
  assert.deepEqual([r.hub.totals().refused["bad-topic"], r.hub.nodeCount()], [11, 0]);
});

test("a flood of refusals is one line that counts, and nothing of it makes a node", () => {
  const r = rig();
  for (let index = 0; index < 5000; index++)
    r.say(`n${index}/data`, "x".repeat(index % 30), T0 + index);
  assert.equal(r.hub.nodeCount(), 0);
  const { refused } = r.hub.totals();
  const lines = r.events();
  const sum = lines.reduce((total, { count }) => total + count, 0);
  assert.equal(
    Object.values(refused).reduce((a, b) => a + b),
    5000,
  );
  assert.ok(sum === 5000 && lines.length <= 12, `${lines.length} lines, ${sum}`);
});

test("at the bounds new nodes and channels are refused, the known ones go on", () => {
  const r = rig();
  for (let index = 0; index <= NODES_MAX; index++) r.say(`n${index}/presence`, "online");
  assert.deepEqual([r.hub.nodeCount(), r.hub.totals().refused["too-many-nodes"]], [NODES_MAX, 1]);
  for (let index = 0; index <= CHANNELS_UNANNOUNCED_MAX; index++)
    r.say("n0/data", pack({ bt: T0, q: index, records: [{ n: `c${index}`, v: 1 }] }));
  assert.equal(r.node("n0").channels.length, CHANNELS_UNANNOUNCED_MAX);
  assert.equal(r.hub.totals().refused["too-many-channels"], 1);
  assert.ok(!r.hub.has("n0", 1, CHANNELS_UNANNOUNCED_MAX));
  r.say("n0/data", pack({ bt: T0, q: 500, records: [{ n: "c0", v: 2 }] }));
  assert.equal(r.node("n0").channels[0]?.value, 2);
  assert.ok(r.events().length <= EVENTS_KEPT);
});

test("changes go on from any id that is held, of a node only the newest is told", () => {
  const r = rig();
  const start = r.hub.snapshot(T0).changeId;
  assert.equal(start, T0 * 1000);
  r.say("oven-1/presence", "online");
  for (let q = 1; q <= 3; q++) r.say("oven-1/data", reading(2350 + q, { q }));
  r.say("oven-1/presence", "lost");
  const changes = r.hub.changesSince(start);
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    ["event", "event", "reading", "reading", "reading", "node", "event"],
  );
  const node = changes.find((change) => change.kind === "node");
  assert.equal(node?.kind === "node" && node.node.state, "lost");
  assert.deepEqual(r.hub.changesSince(changes[2]!.id), changes.slice(3));
  assert.deepEqual(r.hub.changesSince(r.hub.changeId()), []);
  assert.ok(r.hub.holdsChangesSince(start) && !r.hub.holdsChangesSince(start - 1));
  for (let q = 4; q < CHANGES_KEPT + 10; q++) r.say("oven-1/data", reading(1, { q }));
  assert.ok(!r.hub.holdsChangesSince(start));
  assert.equal(r.hub.changesSince(start).length, CHANGES_KEPT);
  assert.ok(!r.hub.holdsChangesSince(r.hub.changeId() + 1));
});
