// SPDX-License-Identifier: MIT
// Goal: what is put into the ring comes out of the packs, value for value.
// Method: extremes of every type and scale through the release module; a strict reader of deterministic CBOR, cbor-x and python3 cbor2 read them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { before, test } from "node:test";
import { Decoder } from "cbor-x";
import { channelScale, type NodeType } from "../../scripts/build/schema.ts";
import { BASE_NAME, buildLink, parseNode } from "../support/link-host.ts";
import { readPack, type Decimal, type RecordFields } from "../support/link-pack.ts";
import { delivered, put, startLink, WALL_MS, type Rig } from "../support/link-rig.ts";
import { debianPython } from "../support/need.ts";

const bus = { uart: 0, protocol: "modbus-rtu" };
const register = (more: object): object => ({
  kind: "register",
  tap: "bus",
  unitId: 1,
  table: "holding",
  address: 0,
  ...more,
});

const node: NodeType = parseNode({
  type: "scales",
  taps: { bus },
  channels: {
    whole: register({ type: "u32", scale: 1 }),
    tenths: register({ type: "i32", scale: 0.1 }),
    small: register({ type: "u32", scale: 0.0001234, unit: "m" }),
    large: register({ type: "u32", scale: 9999000 }),
    power: register({ type: "i32", scale: 360 }),
    float: register({ type: "f32", scale: 1 }),
    scaled: register({ type: "f32", scale: 0.1 }),
    quick: register({ type: "u16", scale: 1, qos: 0 }),
    "a-name-of-thirty-two-characters-": register({
      type: "u32",
      scale: 0.01,
      alarms: { "an-alarm-of-thirty-two-character": { above: 1.5 } },
    }),
  },
});
const names = Object.keys(node.channels);
const I32 = [
  0, 1, -1, 23, 24, -24, -25, 255, 256, -256, -257, 65535, 65536, 0x7fffffff, -0x80000000,
];
const U32 = [0, 23, 24, 255, 256, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff];
const F32 = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  65504,
  65505,
  65536,
  2 ** -24,
  2 ** -25,
  3 * 2 ** -24,
  2 ** -14,
].concat([
  1023 * 2 ** -24,
  1.0009765625,
  3.4028234663852886e38,
  2 ** -149,
  1 / 3,
  16777217,
  -0.0028,
]);

let module: WebAssembly.Module;
before(async () => {
  module = await buildLink(node);
});

// What a reading must say, by the contract alone.
function expected(channel: number, fields: RecordFields): number | Decimal {
  const scale = channelScale(node.channels[names[channel]!]!);
  const { i32, u32, f32 } = fields;
  if (f32 !== undefined) return scaleFloat(Math.fround(f32), scale);
  const m = (i32 ?? u32)! * scale.mantissa;
  return scale.mantissa === 1 && scale.exponent === 0 ? m : { e: scale.exponent, m };
}

function scaleFloat(value: number, scale: { mantissa: number; exponent: number }): number {
  const product = value * scale.mantissa;
  return scale.exponent < 0 ? product / 10 ** -scale.exponent : product * 10 ** scale.exponent;
}

function everyValue(): [number, RecordFields][] {
  const all: [number, RecordFields][] = [];
  for (const [channel, name] of names.entries()) {
    if (name === "quick") continue;
    const isFloat = ["float", "scaled"].includes(name);
    const values: RecordFields[] = isFloat
      ? F32.map((f32) => ({ f32 }))
      : [...I32.map((i32) => ({ i32 })), ...U32.map((u32) => ({ u32 }))];
    for (const value of values) all.push([channel, value]);
  }
  return all;
}

function publishAll(values: [number, RecordFields][]): Rig {
  const rig = startLink(module);
  rig.host.run(3000);
  for (const [channel, fields] of values) {
    put(rig.host, { channel, ...fields });
    if (rig.host.ring.length >= 40) rig.host.run(1000);
    else rig.host.nowMs += 1;
  }
  rig.host.run(3000);
  return rig;
}

test("every value of every type and scale arrives as it was put", () => {
  const values = everyValue();
  const rig = publishAll(values);
  const records = delivered(rig.gateway);
  assert.equal(records.length, values.length);
  for (const [i, [channel, fields]] of values.entries()) {
    assert.equal(records[i]!.name, names[channel]);
    assert.deepEqual(records[i]!.value, expected(channel, fields), JSON.stringify(fields));
    assert.equal(records[i]!.sequence, i + 1);
  }
});

test("the times of a pack are those of its records, in milliseconds of wall time", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  const at: number[] = [];
  for (let i = 0; i < 15; i++) {
    at.push(rig.host.nowMs);
    put(rig.host, { channel: 1, i32: i });
    rig.host.nowMs += 7 * i;
  }
  rig.host.run(2000);
  const times = delivered(rig.gateway).map(({ timeMs }) => timeMs - WALL_MS);
  // The answer took 4 ms one way and none the other: half of it stays as an offset.
  assert.deepEqual(
    times,
    at.map((ms) => ms - 2),
  );
});

test("bad and uncertain readings and events carry their quality, cause and state", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  const causes = ["open-wire", "over-range", "under-range", "stale", "not-a-number", "no-input"];
  causes.forEach((_, i) => put(rig.host, { quality: 2, cause: i + 1 }));
  put(rig.host, { channel: 1, quality: 1, i32: 5 });
  put(rig.host, { channel: 5, f32: NaN });
  put(rig.host, { channel: 5, f32: -Infinity, quality: 1 });
  put(rig.host, { kind: 2, channel: 8, alarm: 0, active: 1, u32: 151 });
  put(rig.host, { kind: 2, channel: 8, alarm: 0, active: 0 });
  rig.host.run(3000);
  const [raised, returned, ...readings] = delivered(rig.gateway);
  assert.deepEqual(
    readings.slice(0, 6).map(({ cause }) => cause),
    causes,
  );
  assert.ok(
    readings.slice(0, 6).every(({ quality, value }) => quality === 2 && value === undefined),
  );
  assert.deepEqual([readings[6]!.quality, readings[6]!.value], [1, { e: -1, m: 5 }]);
  assert.deepEqual(
    readings.slice(7).map(({ cause }) => cause),
    ["not-a-number", "not-a-number"],
  );
  const alarm = "a-name-of-thirty-two-characters-/an-alarm-of-thirty-two-character";
  assert.deepEqual(
    [raised!.name, raised!.active, raised!.eventValue],
    [alarm, true, { e: -2, m: 151 }],
  );
  assert.deepEqual(
    [returned!.name, returned!.active, returned!.eventValue],
    [alarm, false, undefined],
  );
  assert.ok(
    readings.every(({ eventValue, active }) => eventValue === undefined && active === undefined),
  );
});

test("a pack is as full as a datagram allows, and no larger", () => {
  const values: [number, RecordFields][] = Array.from({ length: 300 }, (_, i) => [
    i % 2,
    { i32: i * 1000 },
  ]);
  const rig = startLink(module);
  for (const [channel, fields] of values) put(rig.host, { channel, ...fields });
  rig.host.run(5000);
  const packs = rig.gateway.heard.filter(({ bytes }) => Buffer.from(bytes).includes(BASE_NAME));
  const sizes = packs.map(({ bytes }) => bytes.length);
  assert.equal(delivered(rig.gateway).length, 300);
  for (const size of sizes.slice(0, -1)) assert.ok(size > 512 - 24 && size <= 512, `${size}`);
});

test("no pack has more than 64 records", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  // The shortest records: same instant, short names and values.
  for (let i = 0; i < 120; i++) put(rig.host, { channel: 0, u32: 1 });
  rig.host.run(3000);
  const counts = rig.gateway.publications
    .filter(({ topic }) => topic === "data")
    .map(({ payload }) => readPack(payload, BASE_NAME).length);
  assert.equal(
    counts.reduce((a, b) => a + b, 0),
    120,
  );
  assert.ok(counts.every((count) => count <= 64));
  assert.ok(counts[0]! >= 24, "the array's head takes two octets");
});

test("QoS 0 readings go in packs of their own and wait for nothing", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  for (let i = 0; i < 10; i++) put(rig.host, { channel: i % 2 === 0 ? 7 : 0, u32: i });
  rig.host.run(1000);
  const packs = rig.gateway.publications.filter(({ topic }) => topic === "data");
  assert.deepEqual(packs.map(({ qos }) => qos).sort(), [0, 1]);
  const quick = packs.find(({ qos }) => qos === 0)!;
  assert.equal(quick.msgId, 0);
  const sequences = readPack(quick.payload, BASE_NAME).map(({ sequence }) => sequence);
  assert.deepEqual(sequences, [1, 3, 5, 7, 9]);
  const c = rig.host.counters();
  assert.deepEqual([c["unconfirmedSent"], c["queued"], c["acknowledged"]], [5, 5, 5]);
});

test("QoS 0 readings stay while the host takes no datagram", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  rig.host.netDown = true;
  for (let i = 0; i < 3; i++) put(rig.host, { channel: 7, u32: i });
  rig.host.run(5000);
  assert.equal(rig.host.counters()["unconfirmedSent"], 0);
  rig.host.netDown = false;
  rig.host.run(1000);
  assert.equal(rig.host.counters()["unconfirmedSent"], 3);
  assert.equal(delivered(rig.gateway).length, 3);
});

test("malformed ring records are counted and the next good one is taken", () => {
  const rig = startLink(module);
  rig.host.run(3000);
  const bad: RecordFields[] = [
    { kind: 0, i32: 1 },
    { kind: 4, i32: 1 },
    { channel: 9, i32: 1 },
    { quality: 3, i32: 1 },
    { quality: 2, cause: 7 },
    { quality: 2 },
    { quality: 2, cause: 1, i32: 1 },
    {},
    { bytes: new Uint8Array(4) },
    { kind: 2, channel: 0, alarm: 0, active: 1, u32: 1 },
    { kind: 2, channel: 8, alarm: 1, active: 1, u32: 1 },
    { kind: 2, channel: 8, alarm: 0, active: 2, u32: 1 },
    { kind: 3, channel: 1, bytes: new Uint8Array(40) },
    { kind: 3, bytes: new Uint8Array(44) },
    { kind: 3, i32: 1 },
  ];
  for (const fields of bad) put(rig.host, fields);
  for (const length of [1, 11, 13, 15]) rig.host.ring.push(new Uint8Array(length).fill(1));
  put(rig.host, { u32: 42 });
  rig.host.run(2000);
  assert.equal(rig.host.counters()["recordsBad"], bad.length + 4);
  assert.deepEqual(
    delivered(rig.gateway).map(({ value }) => value),
    [42],
  );
});

test("cbor-x reads the same packs", () => {
  const values = everyValue();
  const rig = publishAll(values);
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });
  const records = rig.gateway.publications
    .filter(({ topic }) => topic === "data")
    .flatMap(({ payload }) => decoder.decode(payload) as Map<number | string, unknown>[]);
  assert.equal(records.length, values.length);
  for (const [i, [channel, fields]] of values.entries()) {
    const value = records[i]!.get(2);
    const wanted = expected(channel, fields);
    // It turns tag 4 into a double by way of exp(): near, not exact.
    const near = typeof wanted === "number" ? wanted : wanted.m * 10 ** wanted.e;
    assert.ok(Math.abs(Number(value) - near) <= Math.abs(near) * 1e-12, `${value} for ${near}`);
  }
});

test(
  "python3 cbor2 reads the same packs",
  debianPython("/usr/lib/python3/dist-packages/cbor2"),
  () => {
    const values = everyValue();
    const rig = publishAll(values);
    const packs = rig.gateway.publications.filter(({ topic }) => topic === "data");
    const script = [
      "import cbor2, json, sys",
      "for line in sys.stdin:",
      "  for r in cbor2.loads(bytes.fromhex(line.strip())):",
      "    v = r[2]",
      "    print(json.dumps([r[0], v.hex() if isinstance(v, float) else str(v)]))",
    ].join("\n");
    const input = packs.map(({ payload }) => Buffer.from(payload).toString("hex")).join("\n");
    const output = execFileSync("/usr/bin/python3", ["-c", script], { input, encoding: "utf8" });
    const lines = output.trim().split("\n");
    assert.equal(lines.length, values.length);
    for (const [i, [channel, fields]] of values.entries()) {
      const [name, text] = JSON.parse(lines[i]!) as [string, string];
      const wanted = expected(channel, fields);
      assert.equal(name, names[channel]);
      if (typeof wanted === "number" && fields.f32 !== undefined)
        assert.equal(fromHexFloat(text), wanted);
      else if (typeof wanted === "number") assert.equal(text, String(wanted));
      else assert.equal(Number(text), Number(`${wanted.m}e${wanted.e}`), text);
    }
  },
);

// Python's float.hex(): exact, so no rounding can hide a difference.
function fromHexFloat(text: string): number {
  const [, sign, whole, fraction = "", power] = /^(-?)0x(\d)(?:\.([0-9a-f]+))?p([+-]\d+)$/.exec(
    text,
  )!;
  const mantissa = Number(BigInt(`0x${whole}${fraction}`));
  const value = mantissa * 2 ** (Number(power) - 4 * fraction.length);
  return sign === "-" ? -value : value;
}
