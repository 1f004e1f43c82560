// SPDX-License-Identifier: MIT
// Goal: scales, controllers and drives give their channels what was said, only.
//
// Spec: SPEC.md §17. Method: release modules with a channel for each place hear the lines of our own and the shared captures, whose
// generators say what must be told; frames made here have every type of number, modelled with f64.

import assert from "node:assert/strict";
import test from "node:test";
import { KIND_READING, QUALITY_BAD, QUALITY_UNCERTAIN } from "../../firmware/wire/record.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { CAUSES } from "../../hub/decode.ts";
import { nodeSchema, type NodeType } from "../../scripts/build/schema.ts";
import { lastCounters } from "../support/capture.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import type { Trace } from "../support/meter.ts";
import * as need from "../support/need.ts";
import * as plc from "../support/plc.ts";

type Expected = Record<string, unknown>;
type Told = number | string | [number, string];
type Places = [object: string, value: Told, unitId?: number][];

interface Protocol {
  word: string;
  file: string; // shared capture
  list: string; // what its `expected` calls what it says
  more: object; // of each channel
  /** What one thing that was said tells, by the controller's own notation. */
  want(one: Expected): Places;
}

const numbers = (one: Expected): number[] => (one["values"] as number[] | undefined) ?? [];

const PROTOCOLS: Protocol[] = [
  {
    word: "toledo-continuous",
    file: "toledo-continuous",
    list: "readings",
    more: { decimals: 1 },
    want: ({ value, tare, net, motion, out_of_range }) => {
      const [shown, empty] = [Number(value), Number(tare)];
      const mass = (kilograms: number): Told => {
        if (out_of_range === true) return "over-range";
        const rounded = Math.round(kilograms * 10) / 10;
        return motion === true ? [rounded, "uncertain"] : rounded;
      };
      return [
        ["weight", mass(shown)],
        ["gross", mass(net === true ? shown + empty : shown)],
        ["net", mass(net === true ? shown : shown - empty)],
        ["tare", empty],
        ["motion", motion === true ? 1 : 0],
      ];
    },
  },
  {
    word: "df1",
    file: "df1-crc",
    list: "transactions",
    more: {},
    want: (one) =>
      numbers(one).map((value, i) => [`N${one["file"]}:${Number(one["element"]) + i}`, value]),
  },
  {
    word: "host-link",
    file: "hostlink-poll",
    list: "transactions",
    more: {},
    want: (one) =>
      numbers(one).map((value, i) => [
        `${one["command"] === "RR" ? "IR" : "DM"}${Number(one["address"]) + i}`,
        value,
        Number(one["unit"]),
      ]),
  },
  {
    word: "uss",
    file: "uss-two-drives",
    list: "transactions",
    more: {},
    want: ({ drive, status_word }) =>
      status_word === undefined ? [] : [["W5", parseInt(String(status_word), 16), Number(drive)]],
  },
  {
    word: "melsec-fx",
    file: "fx-programming-port",
    list: "transactions",
    more: { type: "u16" },
    want: (one) => numbers(one).map((value, i) => [`D${Number(one["number"]) + i}`, value]),
  },
  {
    word: "3964r",
    file: "s3964r-rk512",
    list: "transactions",
    more: { type: "u16" },
    want: (one) =>
      numbers(one).map((value, i) => [
        `DB${one["data_block"]}.DW${Number(one["data_word"]) + i}`,
        value,
      ]),
  },
];

const hasUnit = (word: string): boolean => ["df1", "host-link", "uss"].includes(word);

/** A node with a channel for each place that a line tells of; channels are `object` or `object@unit`. */
function nodeOf({ word, more, want }: Protocol, expected: Expected[], unit = 0): NodeType {
  const keys = new Map<string, object>();
  for (const [object, , unitId = unit] of expected.flatMap(want)) {
    const whole = { kind: "object", tap: "line", object, ...more };
    const name = keyOf(word, object, unitId);
    const decimals = object === "motion" ? { decimals: 0 } : {};
    keys.set(name, { ...whole, ...decimals, ...(hasUnit(word) ? { unitId } : {}) });
  }
  const taps = { line: { uart: 0, protocol: word, baud: 9600, format: "8E1" } };
  const channels = Object.fromEntries([...keys].slice(0, 200));
  return parseNode({ type: "line", taps, channels });
}

const keyOf = (word: string, object: string, unit: number): string =>
  object.replaceAll(/[:.]/g, "-") + (hasUnit(word) ? `_${unit}` : "");

function told(host: LoopHost, node: NodeType): [string, Told][] {
  const channels = Object.entries(node.channels);
  return host.records
    .filter(({ kind }) => kind === KIND_READING)
    .map(({ channel, value, quality, cause }) => {
      const [name, one] = channels[channel]!;
      assert.ok(one.kind === "object");
      if (quality === QUALITY_BAD) return [name, CAUSES[cause - 1]!];
      const number = value! / 10 ** one.decimals;
      return [name, quality === QUALITY_UNCERTAIN ? [number, "uncertain"] : number];
    });
}

async function hear(node: NodeType, { octets, timesUs }: Pick<Trace, "octets" | "timesUs">) {
  const host = createLoopHost(await buildLoop(node));
  host.init();
  host.put(0, octets, timesUs);
  for (let nowUs = 0; host.waiting(0) > 0;) host.tick((nowUs += 10_000));
  for (let i = 0; i < 1100; i++) host.tick(host.nowUs + 10_000);
  return host;
}

// Who is asked on a DF1 line stands in the frames, not beside them.
function unitOf({ word }: Protocol, { octets }: Trace): number {
  return word === "df1" ? octets[octets.indexOf(2) + 1]! : 0;
}

async function checkLine(protocol: Protocol, { trace, expected }: plc.PlcLine): Promise<void> {
  const unit = unitOf(protocol, trace);
  const node = nodeOf(protocol, expected, unit);
  const host = await hear(node, trace);
  const wanted = expected
    .flatMap(protocol.want)
    .map(
      ([object, value, unitId = unit]) => [keyOf(protocol.word, object, unitId), value] as const,
    );
  assert.ok(wanted.length > 3);
  const of = (all: readonly (readonly [string, Told])[], key: string): Told[] =>
    all.flatMap(([name, value]) => (name === key ? [value] : []));
  // The generator does not say on which side of its range a scale is.
  const heard = told(host, node).map(([key, value]) => {
    return [key, value === "under-range" ? "over-range" : value] as const;
  });
  for (const key of Object.keys(node.channels))
    assert.deepEqual(of(heard, key), of(wanted, key), key);
  const { frames, junk_bytes } = lastCounters(host);
  assert.ok(frames! >= expected.length);
  assert.equal(junk_bytes, 0);
}

for (const protocol of PROTOCOLS) {
  test(`${protocol.word}: each place of our own line has its values`, () =>
    checkLine(protocol, plc.ownLine(protocol.word)));
  const file = `taps/synthetic/${protocol.file}.jsonl`;
  test(`${protocol.word}: so has each of the shared capture`, need.shared(file), () =>
    checkLine(protocol, plc.sharedLine(file, protocol.list)),
  );
}

test("what is not heard goes stale, and random octets tell nothing", async () => {
  const object = { kind: "object", tap: "line", object: "D100", staleMs: 2000 };
  const taps = { line: { uart: 0, protocol: "melsec-fx" } };
  const node = parseNode({ type: "n", taps, channels: { d: object } });
  const prng = createPrng(77);
  const octets = Uint8Array.from({ length: 65_536 }, () => prng.below(256));
  const host = await hear(node, { octets, timesUs: Array.from(octets, (_, i) => (i + 1) * 1042) });
  assert.deepEqual([...new Set(told(host, node).map(([, value]) => value))], ["stale"]);
});

test("a scale's weights by mode, sign, range, unit; without a check from the third", async () => {
  const message = (swa: number, swb: number, swc: number, fields: string): number[] => {
    const octets = [2, swa, swb, swc, ...Buffer.from(fields), 13];
    return [...octets, -octets.reduce((all, octet) => all + octet, 0) & 127];
  };
  const place = (object: string): object => {
    return { kind: "object", tap: "line", object, decimals: object === "motion" ? 0 : 2 };
  };
  const names = ["weight", "gross", "net", "tare", "motion"];
  const taps = { line: { uart: 0, protocol: "toledo-continuous", format: "7E1" } };
  const channels = Object.fromEntries(names.map((name) => [name, place(name)]));
  const node = parseNode({ type: "n", taps, channels });
  const say = async (octets: number[]): Promise<Told[]> => {
    const timesUs = octets.map((_, i) => (i + 1) * 1042);
    const host = await hear(node, { octets: Uint8Array.from(octets), timesUs });
    return told(host, node).map(([, value]) => value);
  };
  const fields = "001234000200";
  const none = "not-a-number";
  assert.deepEqual(await say(message(0x2c, 0x30, 0x20, fields)), [12.34, 12.34, 10.34, 2, 0]);
  assert.deepEqual(await say(message(0x2c, 0x31, 0x20, fields)), [12.34, 14.34, 12.34, 2, 0]);
  assert.deepEqual(await say(message(0x2c, 0x33, 0x20, fields)), [-12.34, -10.34, -12.34, 2, 0]);
  const moving = [12.34, 14.34, 12.34].map((value) => [value, "uncertain"]);
  assert.deepEqual(await say(message(0x2c, 0x39, 0x20, fields)), [...moving, 2, 1]);
  const over = ["over-range", "over-range", "over-range", 2, 0];
  assert.deepEqual(await say(message(0x2c, 0x34, 0x20, fields)), over);
  const under = ["under-range", "under-range", "under-range", 2, 0];
  assert.deepEqual(await say(message(0x2c, 0x36, 0x20, fields)), under);
  const pounds = [none, none, none, none, 0];
  assert.deepEqual(await say(message(0x2c, 0x20, 0x20, fields)), pounds);
  const noTare = [12.34, none, 12.34, none, 0];
  assert.deepEqual(await say(message(0x2c, 0x31, 0x20, "001234 1 2  ")), noTare);
  assert.deepEqual((await say(message(0x2c, 0x30, 0x30, fields)))[0], none, "expanded");
  const large = ["over-range", "over-range", "over-range", 20_000_000, 0];
  assert.deepEqual(await say(message(0x28, 0x30, 0x20, "999999200000")), large);
  const plain = message(0x2c, 0x30, 0x20, fields).slice(0, -1);
  assert.equal((await say([...plain, ...plain])).length, 0);
  assert.equal((await say([...plain, ...plain, ...plain, ...plain])).length, 10);
});

// Of a Mitsubishi FX: a question and its answer with these octets from D0 on.
function fxRead(octets: readonly number[]): number[] {
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  const frame = (text: string): number[] => {
    const body = [...Buffer.from(text), 3];
    const sum = body.reduce((all, octet) => all + octet, 0) & 255;
    return [2, ...body, ...Buffer.from(hex(sum, 2))];
  };
  const values = octets.map((octet) => hex(octet, 2)).join("");
  return [...frame(`0${hex(0x1000, 4)}${hex(octets.length, 2)}`), ...frame(values)];
}

const TYPES = ["u16", "i16", "u32", "i32", "f32", "bcd", "bcd32"] as const;

test("every type of number is exact, or bad with its cause", async () => {
  const channels = Object.fromEntries(
    TYPES.flatMap((type) =>
      [0, 3].map((decimals) => [
        `${type}-${decimals}`,
        { kind: "object", tap: "line", object: "D0", type, decimals },
      ]),
    ),
  );
  const taps = { line: { uart: 0, protocol: "melsec-fx" } };
  const node = parseNode({ type: "n", taps, channels });
  const wasm = new WebAssembly.Module((await buildLoop(node)) as BufferSource);
  const prng = createPrng(9);
  const cases = [0, 0x3f80_0000, 0xbf00_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x42f6_e979];
  cases.push(0x1234_5678, 0x9999_9999, 0x8000_0000, 0xffff_ffff, 0x4eff_ffff, 0x4f00_0000);
  cases.push(0x3a03_126f, 0x3a83_126f, 1, 0x0080_0000, 0xcf00_0001, 0x7f7f_ffff, 0x000a_0000);
  for (let i = 0; i < 300; i++)
    cases.push((prng.below(65_536) * 65_536 + prng.below(65_536)) >>> 0);
  for (const bits of cases) {
    const host = createLoopHost(wasm);
    host.init();
    const low = Buffer.alloc(4);
    low.writeUInt32LE(bits);
    const octets = Uint8Array.from(fxRead([...low]));
    host.put(
      0,
      octets,
      Array.from(octets, (_, i) => (i + 1) * 1042),
    );
    while (host.waiting(0) > 0) host.tick(host.nowUs + 10_000);
    const heard = Object.fromEntries(told(host, node));
    for (const type of TYPES)
      for (const decimals of [0, 3])
        assert.deepEqual(
          heard[`${type}-${decimals}`],
          modelled(low, type, decimals),
          `${type} of ${bits.toString(16)} in steps of 1e-${decimals}`,
        );
  }
});

function modelled(octets: Buffer, type: (typeof TYPES)[number], decimals: number): Told {
  const word = octets.readUInt16LE(0);
  const long = octets.readUInt32LE(0);
  const bcd = (value: number): number =>
    /^[0-9]+$/.test(value.toString(16)) ? Number(value.toString(16)) : NaN;
  const numbersOf = {
    ...{ u16: word, i16: octets.readInt16LE(0), u32: long, i32: octets.readInt32LE(0) },
    ...{ f32: octets.readFloatLE(0), bcd: bcd(word), bcd32: bcd(long) },
  };
  const number = numbersOf[type];
  if (!Number.isFinite(number)) return "not-a-number";
  // Exact: 24 bits by 10^3, then a power of two.
  const steps = Math.sign(number) * Math.floor(Math.abs(number * 10 ** decimals) + 0.5);
  if (Math.abs(steps) > 0x7fff_ffff) return steps < 0 ? "under-range" : "over-range";
  return steps / 10 ** decimals + 0; // no -0
}

test("an answer is taken by its own place: unit, area and whole value", async () => {
  const protocol = PROTOCOLS.find(({ word }) => word === "df1")!;
  const own = plc.ownLine("df1");
  const first = own.expected.find((one) => numbers(one).length >= 2)!;
  const unit = unitOf(protocol, own.trace);
  const last = Number(first["element"]) + numbers(first).length - 1;
  const channel = (object: string, unitId = unit) => {
    return { kind: "object", tap: "line", object, unitId };
  };
  const taps = { line: { uart: 0, protocol: "df1" } };
  const channels = {
    file: channel(`N${Number(first["file"]) + 1}:${first["element"]}`),
    unit: channel(`N${first["file"]}:${first["element"]}`, unit === 9 ? 8 : 9),
    cut: channel(`L${first["file"]}:${last}`),
  };
  const node = parseNode({ type: "n", taps, channels });
  const host = await hear(node, own.trace);
  const other = told(host, node).filter(([name]) => name !== "cut");
  assert.deepEqual(other, []);
});

test("a place that cannot be is refused with what its protocol has", () => {
  const lines = (protocol: string, channel: object): string => {
    const taps = { line: { uart: 0, protocol } };
    const channels = { c: { kind: "object", tap: "line", ...channel } };
    const found = nodeSchema.safeParse({ type: "n", taps, channels });
    const issues = found.error?.issues ?? [];
    return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n");
  };
  const cases: [string, object, RegExp][] = [
    ["toledo-continuous", { object: "mass" }, /^channels.c.object: .* has weight, gross, net/],
    ["toledo-continuous", { object: "net", unitId: 1 }, /^channels.c.unitId: .*names nobody/],
    ["toledo-continuous", { object: "net", type: "f32" }, /^channels.c.type: a weight has none/],
    ["toledo-continuous", { object: "motion", decimals: 1 }, /^channels.c.decimals: 0/],
    ["df1", { object: "N7:10" }, /^channels.c.unitId: the number of the controller is missing/],
    ["df1", { object: "T4:0", unitId: 1 }, /^channels.c.object: df1 has file and element as N7/],
    ["df1", { object: "N7:255", unitId: 1 }, /^channels.c.object/],
    ["df1", { object: "F8:1", unitId: 1, decimals: -1 }, /^channels.c.decimals: 0 to 6/],
    ["host-link", { object: "DM12345", unitId: 1 }, /^channels.c.object/],
    ["uss", { object: "W0", unitId: 1 }, /^channels.c.object/],
    ["uss", { object: "W1" }, /^channels.c.unitId: the number of the drive is missing/],
    ["melsec-fx", { object: "D1000" }, /^channels.c.object/],
    ["melsec-fx", { object: "D10", value: 1 }, /^channels.c.value/],
    ["3964r", { object: "DB256.DW0" }, /^channels.c.object/],
    ["3964r", { object: "DB1.DW0", meterId: "12345678" }, /^channels.c.meterId: only M-Bus/],
    ["dsmr-p1", { object: "1-0:1.8.0", type: "u16" }, /^channels.c.type: only places/],
    ["m-bus", { object: "0413", unitId: 254 }, /^channels.c.unitId: 0 to 253/],
  ];
  for (const [protocol, channel, message] of cases) {
    const found = lines(protocol, channel);
    assert.match(found, message);
    assert.equal(found.split("\n").length, 1, found);
  }
  assert.equal(lines("melsec-fx", { object: "D8000", type: "bcd32" }), "");
  assert.equal(lines("host-link", { object: "CIO12", unitId: 31, scale: 0.1 }), "");
});
