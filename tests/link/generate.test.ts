// SPDX-License-Identifier: MIT
// Goal: the birth says what node.json says, and every part fits a datagram.
// Method: births of small, wide and extreme nodes taken from the release module, joined and compared field by field.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { generateLink } from "../../scripts/build/generate-link.ts";
import { valuePeriodMs } from "../../scripts/build/periods.ts";
import { allChannels, channelScale, decimal } from "../../scripts/build/schema.ts";
import type { AnyChannel, NodeType } from "../../scripts/build/schema.ts";
import { packageVersion } from "../../scripts/build/version.ts";
import {
  buildLink,
  EUI64,
  LINK_HASH,
  LINK_VERSION,
  LOOP_HASH,
  parseNode,
} from "../support/link-host.ts";
import { decodeStrict, type Decimal, type Item } from "../support/link-pack.ts";
import { delivered, put, startLink, type Rig } from "../support/link-rig.ts";

const root = new URL("../../", import.meta.url);
const readNode = (path: string): NodeType =>
  parseNode(JSON.parse(readFileSync(new URL(path, root), "utf8")));

interface Birth {
  boot: number;
  identity: Map<number, Item>;
  channels: Map<number, Item>[];
  outputs: Item;
  taps: Item;
  parts: number;
}

/** Joins the parts that a node published. */
function birthOf(rig: Rig): Birth {
  const parts = rig.gateway.publications.filter(({ topic }) => topic.startsWith("birth/"));
  const maps = parts.map(({ payload }) => decodeStrict(payload) as Map<number, Item>);
  maps.forEach((map, index) => {
    assert.equal(parts[index]!.topic, `birth/${index}`);
    assert.equal(map.get(1), index);
    assert.equal(map.get(2), maps.length);
    assert.equal(map.has(3), index === 0);
    assert.equal(map.has(5), index === maps.length - 1);
    assert.equal(map.has(6), index === maps.length - 1);
  });
  return {
    boot: maps[0]!.get(0) as number,
    identity: maps[0]!.get(3) as Map<number, Item>,
    channels: maps.flatMap((map) => map.get(4) as Map<number, Item>[]),
    outputs: maps.at(-1)!.get(5)!,
    taps: maps.at(-1)!.get(6)!,
    parts: maps.length,
  };
}

function numberOf(item: Item): number {
  if (typeof item === "number") return item;
  const { e, m } = item as Decimal;
  return Number(`${m}e${e}`);
}

const KINDS = ["analog", "register", "computed", "digital", "counter"].concat([
  "vibration",
  "state",
  "field",
  "setpoint",
  "object",
]);

function checkChannels(node: NodeType, channels: Map<number, Item>[]): void {
  assert.equal(channels.length, allChannels(node).length);
  for (const [index, [name, channel]] of allChannels(node).entries()) {
    const map = channels[index]!;
    const { exponent, mantissa } = channelScale(channel);
    assert.equal(map.get(0), name);
    assert.equal(map.get(1), channel.unit);
    assert.equal(map.get(2), KINDS.indexOf(channel.kind));
    assert.deepEqual(map.get(3), { e: exponent, m: mantissa });
    assert.equal(map.get(4), channel.qos);
    const alarms = ((map.get(5) as Item[][] | undefined) ?? []).map(
      ([n, above, limit, h, delay, ...latch]) => [
        n,
        above,
        numberOf(limit!),
        numberOf(h!),
        delay,
        ...latch,
      ],
    );
    assert.deepEqual(
      alarms,
      Object.entries(channel.alarms).map(([n, a]) => [
        n,
        a.above === undefined ? 0 : 1,
        a.above ?? a.below,
        a.hysteresis,
        a.delayMs,
        ...("latch" in a && a.latch === true ? [1] : []),
      ]),
    );
    assert.equal(map.get(7), valuePeriodMs(channel, node));
    assert.equal(map.get(8), channel.deadband === undefined ? 0 : channel.heartbeatMs);
    assert.equal(map.has(6), channel.kind === "register");
    const limits = map.get(9) as Item[] | undefined;
    assert.deepEqual(
      limits?.map(numberOf),
      channel.kind === "setpoint"
        ? [channel.min, channel.max, channel.default, channel.staleMs]
        : undefined,
    );
    assert.deepEqual(
      map.get(10),
      channel.kind === "field"
        ? [Object.keys(node.taps).indexOf(channel.tap), channel.pattern, channel.field]
        : undefined,
    );
    assert.deepEqual(map.get(11), objectOf(node, channel));
    if (channel.kind !== "register") continue;
    assert.deepEqual(map.get(6), [
      Object.keys(node.taps).indexOf(channel.tap),
      channel.unitId,
      channel.table === "holding" ? 3 : 4,
      channel.address,
      ["u16", "i16", "u32", "i32", "f32"].indexOf(channel.type),
      ["ABCD", "CDAB", "BADC", "DCBA"].indexOf(channel.order),
    ]);
  }
}

/** `[tap, object, which of its values, meter]` of an object, the meter where node.json names one. */
function objectOf(node: NodeType, channel: AnyChannel): unknown {
  if (channel.kind !== "object") return undefined;
  const { tap, object, value = 0, unitId, meterId } = channel;
  const meter = meterId ?? (unitId === undefined ? [] : String(unitId));
  return [Object.keys(node.taps).indexOf(tap), object, value, meter].flat();
}

function checkBirth(node: NodeType, birth: Birth): void {
  assert.deepEqual(
    [...birth.identity],
    [
      [0, node.type],
      [1, EUI64],
      [2, LOOP_HASH],
      [3, LINK_HASH],
      [4, LINK_VERSION],
      [5, "test host"],
      [6, Math.round(node.periodMs * 1000)],
      [7, allChannels(node).length],
    ],
  );
  checkChannels(node, birth.channels);
  const duty = (value: number): number => Math.round(value * 10_000);
  assert.deepEqual(
    birth.outputs,
    Object.entries(node.outputs).map(([n, o]) => [n, duty(o.min), duty(o.max), duty(o.safe)]),
  );
  assert.deepEqual(
    birth.taps,
    Object.entries(node.taps).map(([n, t]) => [n, t.protocol, t.baud, t.format]),
  );
}

async function born(node: NodeType): Promise<Rig> {
  const rig = startLink(await buildLink(node));
  rig.host.run(10_000);
  checkBirth(node, birthOf(rig));
  return rig;
}

const tap = { uart: 0, protocol: "modbus-rtu", baud: 19200, format: "8E1" };

function wide(count: number, nameOf: (i: number) => string, more: object = {}): NodeType {
  const channels = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      nameOf(i),
      {
        kind: "register",
        tap: "bus",
        unitId: 1 + (i % 247),
        table: "holding",
        address: i,
        ...more,
      },
    ]),
  );
  return parseNode({ type: "wide", taps: { bus: tap }, channels });
}

test("the generated file in the tree is what the generator writes for the reference node", () => {
  const file = new URL("firmware/generated/link.ts", root);
  const node = readNode("tests/vectors/reference-node.json");
  assert.equal(readFileSync(file, "utf8"), generateLink(node, packageVersion()));
});

test("oven, meter, scale and reference node: the birth says what node.json says", async () => {
  for (const path of ["firmware/nodes/oven", "firmware/nodes/meter", "firmware/nodes/scale"])
    await born(readNode(`${path}/node.json`));
  await born(readNode("tests/vectors/reference-node.json"));
});

test("a node of 132 channels is born in parts, and all its readings arrive", async () => {
  const node = wide(132, (i) => `register-${i}`);
  const rig = await born(node);
  assert.ok(birthOf(rig).parts >= 9);
  for (let i = 0; i < 132; i++) put(rig.host, { channel: i, u32: i * 500 });
  rig.host.run(5000);
  assert.deepEqual(
    delivered(rig.gateway).map(({ name, value }) => [name, value]),
    Array.from({ length: 132 }, (_, i) => [`register-${i}`, i * 500]),
  );
});

const long = (i: number, c: string): string => `${i}-`.padEnd(32, c);

function extreme(count: number, alarmCount: number): NodeType {
  const alarm = (i: number): object => ({
    above: -123456.75 - i,
    hysteresis: 0.015625,
    delayMs: 3_600_000,
  });
  const alarms = Array.from({ length: alarmCount }, (_, i) => [long(i, "x"), alarm(i)]);
  return wide(count, (i) => long(i, "n"), {
    unit: "count",
    scale: 0.0001234,
    type: "f32",
    order: "DCBA",
    alarms: Object.fromEntries(alarms),
    deadband: 1,
    heartbeatMs: 3_600_000,
  });
}

test("250 channels with the longest names, scales and an alarm each still fit", async () => {
  const node = extreme(250, 1);
  const rig = startLink(await buildLink(node));
  rig.host.run(30_000);
  checkBirth(node, birthOf(rig));
  put(rig.host, { kind: 2, channel: 249, alarm: 0, active: 1, f32: 1.5 });
  rig.host.run(1000);
  assert.equal(delivered(rig.gateway)[0]!.name, `${long(249, "n")}/${long(0, "x")}`);
});

test("a channel with four of the longest alarms fills a datagram and fits", async () => {
  const rig = await born(extreme(3, 4));
  assert.equal(birthOf(rig).parts, 3);
});

test("sixteen outputs and two taps find room in a last part of their own", async () => {
  const channels = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`c${i}`, { kind: "computed", unit: "Cel" }]),
  );
  const outputs = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`valve-${i}`, { output: i, max: 0.5 }]),
  );
  const taps = { a: tap, b: { ...tap, uart: 1 } };
  await born(parseNode({ type: "wide-outputs", channels, outputs, taps }));
});

test("set-points are born last, with their limits, and their readings are sent", async () => {
  const most = Object.fromEntries(
    Array.from({ length: 7 }, (_, i) => [
      long(i, "s"),
      { unit: "count", decimals: 6, min: -2147.483648, max: 2147.483647, default: -0.000001 },
    ]),
  );
  const node = parseNode({
    type: "written",
    channels: { heat: { kind: "computed" } },
    setpoints: {
      target: { unit: "Cel", decimals: 1, min: 0, max: 300, default: 20.5, staleMs: 5000 },
      ...most,
    },
  });
  const rig = await born(node);
  put(rig.host, { channel: 1, i32: 205 });
  rig.host.run(1000);
  assert.deepEqual(
    delivered(rig.gateway).map(({ name, value }) => [name, value]),
    [["target", { e: -1, m: 205 }]],
  );
});

test("digital, counter and state channels and latching alarms are born", async () => {
  const alarms = { held: { above: 0.5, latch: true }, free: { below: 0.5 } };
  await born(
    parseNode({
      type: "kinds",
      channels: {
        door: { kind: "digital", pin: 3, debounceMs: 20, alarms },
        parts: { kind: "counter", input: 0, everyMs: 1000, scale: 0.5 },
        machine: { kind: "state", run: { channel: "door", above: 0.5 } },
      },
      outputs: { lamp: { kind: "digital", pin: 1, safe: 1 } },
    }),
  );
});

test("objects of meters are born with their tap, code, value and meter", async () => {
  const meter = { uart: 0, protocol: "dsmr-p1", baud: 9600 };
  const heat = { uart: 1, protocol: "m-bus", baud: 2400, format: "8E1" };
  const record = { kind: "object", tap: "heat", object: "0413", unit: "m3" };
  const node = parseNode({
    type: "meters",
    taps: { meter, heat },
    channels: {
      energy: { kind: "object", tap: "meter", object: "1-0:1.8.0", unit: "J", scale: 3600 },
      peak: { kind: "object", tap: "meter", object: "1-0:1.6.0", value: 2, decimals: 3 },
      one: { ...record, unitId: 5, decimals: -3 },
      two: { ...record, meterId: "11490378" },
    },
  });
  const rig = await born(node);
  put(rig.host, { channel: 0, i32: 12_345 });
  put(rig.host, { channel: 2, i32: -7 });
  rig.host.run(1000);
  assert.deepEqual(
    delivered(rig.gateway).map(({ name, value }) => [name, value]),
    [
      ["energy", { e: 2, m: 12_345 * 36 }],
      ["one", { e: 3, m: -7 }],
    ],
  );
});

test("the period of a birth is the time between values: decimation and bursts count", async () => {
  const analog = { kind: "analog", input: 0, scale: { raw: [0, 1], value: [0, 1] }, everyMs: 50 };
  const vibration = { kind: "vibration", feature: "peak" };
  const rig = await born(
    parseNode({
      type: "periods",
      accelerometers: {
        rare: { device: 0, rateHz: 3200, samples: 2048, rangeG: 16, everyMs: 5001 },
        dense: { device: 1, rateHz: 3200, samples: 2048, rangeG: 16, everyMs: 100 },
      },
      channels: {
        plain: analog,
        thin: { ...analog, decimate: 20 },
        "thinnest-of-all": { ...analog, everyMs: 3_600_000, decimate: 1000 },
        rare: { ...vibration, accelerometer: "rare" },
        dense: { ...vibration, accelerometer: "dense" },
        pulses: { kind: "counter", input: 0, everyMs: 200 },
        told: { kind: "computed" },
        door: { kind: "digital", pin: 1 },
      },
    }),
  );
  assert.deepEqual(
    birthOf(rig).channels.map((map) => map.get(7)),
    [50, 1000, 86_400_000, 5010, 940, 200, 0, 0],
  );
});

test("set-points that cannot be are refused by name", () => {
  const parse = (setpoints: object) => (): NodeType =>
    parseNode({ type: "x", channels: { a: { kind: "computed" } }, setpoints });
  const good = { decimals: 1, min: 0, max: 10, default: 5 };
  const nine = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`s${i}`, good]));
  assert.doesNotThrow(parse({ b: good }));
  assert.throws(parse(nine), /at most 8 set-points/);
  assert.throws(parse({ a: good }), /a channel has this name/);
  assert.throws(parse({ b: { ...good, max: 10.05 } }), /a multiple of 1e-1/);
  assert.throws(parse({ b: { ...good, max: 300_000_000 } }), /does not fit 32 bits/);
  assert.throws(parse({ b: { ...good, min: 11 } }), /is above/);
  assert.throws(parse({ b: { ...good, default: 11 } }), /between 0 and 10/);
  assert.throws(parse({ b: { ...good, default: -1 } }), /between 0 and 10/);
});

test("what cannot fit is refused by name when it is generated", () => {
  const outputs = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`${i}`.padEnd(32, "o"), { output: i }]),
  );
  const node = parseNode({ type: "x", channels: { a: { kind: "computed" } }, outputs });
  assert.throws(() => generateLink(node, "1"), /outputs and taps exceed one datagram/);
  assert.throws(() => generateLink(extreme(250, 4), "1"), /exceeds 64 KiB/);
  const small = parseNode({ type: "x", channels: { a: { kind: "computed" } } });
  assert.throws(() => generateLink(small, "1.0-β"), /not plain ASCII/);
});

test("numbers of alarms are integers or exact decimals", () => {
  for (const value of [0, 200, -7, 0.1, 1.5, -0.0025, 1e-6, 123456.789]) {
    const { mantissa, exponent } = decimal(value);
    assert.equal(Number(`${mantissa}e${exponent}`), value);
  }
});
