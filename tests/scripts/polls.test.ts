// SPDX-License-Identifier: MIT
// Goal: what cannot be polled is refused with its field and what would be right.
// Method: one mistake a node.json; the round's length against the times of its characters.

import assert from "node:assert/strict";
import { test } from "node:test";
import { generateLoop } from "../../scripts/build/generate-loop.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";

const register = (address: number, more: object = {}): object => ({
  ...{ kind: "register", tap: "bus", unitId: 1, table: "holding", address, ...more },
});
const BUS = { protocol: "modbus-rtu", uart: 0, baud: 9600, format: "8N1", mode: "poll" };

function node(bus: object, channels: object = { a: register(1) }, taps: object = {}): object {
  return { type: "asker", channels, taps: { bus: { ...BUS, ...bus }, ...taps } };
}

function complaints(value: object): string[] {
  const { error } = nodeSchema.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`c${i}`, register(3 * i)]));

const CASES: [what: string, value: object, wanted: string][] = [
  [
    "a field of polling without it",
    node({ mode: "listen", everyMs: 500 }),
    'taps.bus.everyMs: only a tap of "mode": "poll" has it',
  ],
  [
    "nothing to ask",
    node({}, { a: { kind: "computed", decimals: 0 } }),
    'taps.bus.mode: nothing to ask: no channel of kind register names "bus"',
  ],
  [
    "requests of another tap",
    node({ requestsOn: "other" }, undefined, {
      other: { protocol: "modbus-rtu", uart: 1 },
    }),
    "taps.bus.requestsOn: a tap that polls knows its own requests: leave it out",
  ],
  [
    "a tap that another hears the answers of",
    node({}, undefined, { other: { protocol: "modbus-rtu", uart: 1, requestsOn: "bus" } }),
    'taps.bus.mode: "other" hears answers to requests on this tap: one of them listens',
  ],
  [
    "writes",
    node({}, { a: register(1, { fromWrites: true }) }),
    'channels.a.fromWrites: nobody writes on "bus": this node polls it',
  ],
  [
    "too many questions",
    node({ everyMs: 60_000 }, many),
    'channels: 65 questions to poll, at most 64: let "bridge" join some',
  ],
  [
    "slaves on a tap that listens",
    { ...node({ mode: "listen" }), simulate: { machine: "slaves", tap: "bus" } },
    'simulate.tap: slaves answer who asks, and "bus" listens: give it "mode": "poll"',
  ],
];

for (const [what, value, wanted] of CASES)
  test(`refused: ${what}`, () => assert.ok(complaints(value).includes(wanted), wanted));

test("a meter, a scale and a tap that finds its line have no mode", () => {
  for (const protocol of ["sml", "auto", "dsmr-p1"])
    assert.match(complaints(node({ protocol })).join(), /mode/);
});

test("a round that takes longer than everyMs is refused with the length it needs", () => {
  const make = (everyMs: number) => () =>
    generateLoop(nodeSchema.parse(node({ everyMs }, { a: register(1), b: register(90) })) as never);
  // Each: 8 characters, 7 of the answer, two pauses of 3.5 at 1.042 ms, and a tick of 10 ms.
  const leastMs = Math.ceil(2 * (15 * 1.042 + 2 * 3.647 + 10));
  assert.doesNotThrow(make(leastMs));
  assert.throws(make(leastMs - 1), {
    message: `taps.bus.everyMs: at 9600 baud its questions and answers take ${leastMs} ms`,
    next: `set "everyMs" to ${leastMs} or more`,
  });
});
