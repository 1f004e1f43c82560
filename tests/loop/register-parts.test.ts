// SPDX-License-Identifier: MIT
// Goal: bits, parts, 64 bits and what is written become values, or are bad.
//
// Spec: SPEC.md §19. Method: the release module of a node with each of them hears frames made by the test; models are DataView,
// BigInt and Math.fround.

import assert from "node:assert/strict";
import test from "node:test";
import { nodeSchema } from "../../scripts/build/schema.ts";
import {
  buildLoop,
  createLoopHost,
  hearFrames,
  parseNode,
  type LoopHost,
} from "../support/loop-host.ts";
import { frame, readRegisters } from "../support/modbus.ts";
import {
  CAUSE_NOT_A_NUMBER,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
  KIND_READING,
  QUALITY_BAD,
} from "../../firmware/wire/record.ts";

const ORDERS = ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"];
const DIVISORS = [1, 10, 1000, 1_000_000_000];

const at = (address: number, more: object = {}): object => ({
  kind: "register",
  tap: "bus",
  unitId: 5,
  table: "holding",
  address,
  ...more,
});
const channels = {
  ...Object.fromEntries(
    ORDERS.flatMap((order) => [
      [`f64-${order}`, at(20, { type: "f64", order })],
      ...["u64", "i64"].flatMap((type) =>
        DIVISORS.map((divide) => [`${type}-${order}-${divide}`, at(20, { type, order, divide })]),
      ),
    ]),
  ),
  bit3: at(10, { bit: 3, fromWrites: true }),
  nibble: at(10, { bit: 4, bits: 4, fromWrites: true }),
  signed: at(10, { type: "i16", bit: 12, bits: 4 }),
  swapped: at(10, { order: "BADC", bit: 0, bits: 8, fromWrites: true }),
  across: at(10, { type: "u32", bit: 12, bits: 8 }),
  top: at(10, { type: "i32", order: "CDAB", bit: 1, bits: 31 }),
  whole: at(10, { fromWrites: true }),
  long: at(10, { type: "i32", fromWrites: true }),
  read: at(10),
  coil: at(100, { table: "coil", fromWrites: true }),
  coil9: at(109, { table: "coil" }),
  input: at(203, { table: "discrete" }),
};
const node = parseNode({
  type: "parts",
  taps: { bus: { uart: 0, protocol: "modbus-rtu", baud: 19_200, format: "8E1" } },
  channels,
});
const keys = Object.keys(node.channels);
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

function start(): LoopHost {
  const host = createLoopHost(module);
  host.init();
  return host;
}

function told(host: LoopHost): [string, number | null][] {
  return host.records
    .filter(({ kind }) => kind === KIND_READING)
    .map(({ channel, value }) => [keys[channel]!, value]);
}

function last(host: LoopHost, key: string) {
  return host.records
    .filter((r) => r.kind === KIND_READING && r.channel === keys.indexOf(key))
    .at(-1);
}

const echo = (...octets: number[]): Uint8Array[] => [frame(octets), frame(octets)];

// The octets of four registers in an order, from the value's own.
function registersOf(bits: bigint, order: string): number[] {
  const wire = new DataView(new ArrayBuffer(8));
  [...order].forEach((letter, i) => {
    const shift = BigInt(8 * (7 - "ABCDEFGH".indexOf(letter)));
    wire.setUint8(i, Number((bits >> shift) & 0xffn));
  });
  return [0, 2, 4, 6].map((i) => wire.getUint16(i));
}

function wide(bits: bigint, order: string): LoopHost {
  const host = start();
  hearFrames(host, ...readRegisters(5, 3, 20, registersOf(bits, order)));
  return host;
}

// Half a step away from 0.
function divided(value: bigint, by: bigint): bigint {
  const magnitude = value < 0n ? -value : value;
  const rounded = (magnitude * 2n + by) / (by * 2n);
  return value < 0n ? -rounded : rounded;
}

test("u64 and i64 are divided and rounded in every order; what 32 bits do not hold is bad", () => {
  const cases = [0n, 1n, 5n, 4n, 499n, 500n, 0xffff_ffffn, 0x1_0000_0000n, 0x8000_0000n];
  cases.push(0x7fff_ffffn, 42_949_672_954n, 42_949_672_955n, 21_474_836_474n, 21_474_836_475n);
  cases.push(0xffff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x0123_4567_89ab_cdefn);
  for (const one of cases.flatMap((value) => [value, BigInt.asUintN(64, -value)]))
    for (const order of ORDERS) {
      const host = wide(one, order);
      for (const type of ["u64", "i64"] as const)
        for (const divide of DIVISORS) {
          const raw = type === "u64" ? one : BigInt.asIntN(64, one);
          const value = divided(raw, BigInt(divide));
          const [least, most] = type === "u64" ? [0n, 0xffff_ffffn] : [-0x8000_0000n, 0x7fff_ffffn];
          const record = last(host, `${type}-${order}-${divide}`)!;
          const what = `${raw} as ${type} ${order} / ${divide}`;
          if (value >= least! && value <= most!) assert.equal(record.value, Number(value), what);
          else {
            const cause = value > most! ? CAUSE_OVER_RANGE : CAUSE_UNDER_RANGE;
            assert.deepEqual([record.quality, record.cause], [QUALITY_BAD, cause], what);
          }
        }
    }
});

function f64Bits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

// Deterministic, as good as any: a linear congruential generator.
function* patterns(count: number): Generator<bigint> {
  let state = 1n;
  for (let i = 0; i < count; i++) {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    // Half of them near the powers that an f32 has.
    const power = BigInt(870 + Number((state >> 40n) % 290n)) << 52n;
    yield i & 1 ? state : (state & 0x800f_ffff_ffff_ffffn) | power;
  }
}

test("f64 becomes the nearest f32; beyond it is over or under range", () => {
  const steps = [1, 1.1, 0.1, 16_777_217, 16_777_219, 2 ** -126, 2 ** -127, 2 ** -149, 2 ** -150];
  steps.push(2 ** -150 * 1.0000001, 2 ** -151, 1.5 * 2 ** -149, 2 ** -126 - 2 ** -151, 5e-324, 0);
  steps.push(3.4028234663852886e38, 3.4028235677973366e38, 3.4028235677973362e38, 1e300, 123.456);
  const all = [...steps, ...steps.map((value) => -value)].map(f64Bits);
  for (const bits of [...all, ...patterns(2000)]) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, bits);
    const value = view.getFloat64(0);
    const nearest = Math.fround(value);
    const record = last(wide(bits, "ABCDEFGH"), "f64-ABCDEFGH")!;
    if (Number.isFinite(nearest)) assert.ok(Object.is(record.value, nearest), `${value}`);
    else {
      const beyond = value > 0 ? CAUSE_OVER_RANGE : CAUSE_UNDER_RANGE;
      const cause = Number.isFinite(value) ? beyond : CAUSE_NOT_A_NUMBER;
      assert.deepEqual([record.quality, record.cause], [QUALITY_BAD, cause], `${value}`);
    }
  }
  for (const order of ORDERS)
    assert.equal(last(wide(f64Bits(2.5), order), `f64-${order}`)!.value, 2.5);
});

test("infinities and NaN of 64 bits are not a number", () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const record = last(wide(f64Bits(value), "ABCDEFGH"), "f64-ABCDEFGH")!;
    assert.deepEqual([record.quality, record.cause], [QUALITY_BAD, CAUSE_NOT_A_NUMBER]);
  }
});

test("three of four registers are no value", () => {
  const host = start();
  hearFrames(host, ...readRegisters(5, 3, 20, [1, 2, 3]), ...readRegisters(5, 3, 21, [1, 2, 3]));
  assert.deepEqual(told(host), []);
});

test("parts of a value are its bits, after the order, with a sign where the type has one", () => {
  const host = start();
  hearFrames(host, ...readRegisters(5, 3, 10, [0xb5ca, 0x8123]));
  const value = (key: string): number | null => last(host, key)!.value;
  assert.equal(value("bit3"), 1);
  assert.equal(value("nibble"), 0xc);
  assert.equal(value("signed"), 0xb - 16);
  assert.equal(value("swapped"), 0xb5);
  assert.equal(value("across"), 0xa8); // of b5ca8123
  assert.equal(value("top"), (0x8123_b5ca | 0) >> 1);
});

test("coils and discrete inputs are 0 or 1, by their place in the octets", () => {
  const host = start();
  hearFrames(host, frame([5, 1, 0, 98, 0, 12]), frame([5, 1, 2, 0b0000_0100, 0b0000_1000]));
  assert.deepEqual(
    told(host)
      .map(([key, v]) => `${key} ${v}`)
      .sort(),
    ["coil 1", "coil9 1"],
  );
  hearFrames(host, frame([5, 1, 0, 98, 0, 11]), frame([5, 1, 2, 0b1111_1011, 0b1111_1111]));
  assert.equal(last(host, "coil")!.value, 0);
  assert.equal(told(host).length, 3); // coil 109 was not asked for, whatever pads the octet
  hearFrames(host, frame([5, 2, 0, 203, 0, 1]), frame([5, 2, 1, 1]));
  assert.equal(last(host, "input")!.value, 1);
});

test("a write is a value where it is asked for, once it is confirmed", () => {
  const host = start();
  hearFrames(host, ...echo(5, 6, 0, 10, 0x12, 0x34));
  assert.deepEqual(
    told(host),
    [
      ["bit3", 0],
      ["nibble", 3],
      ["whole", 0x1234],
      ["swapped", 0x12],
    ].sort(byRow),
  );
  hearFrames(host, frame([5, 16, 0, 10, 0, 2, 4, 0, 1, 0x86, 0xa0]), frame([5, 16, 0, 10, 0, 2]));
  assert.equal(last(host, "long")!.value, 100_000);
  hearFrames(host, ...echo(5, 5, 0, 100, 0xff, 0));
  assert.equal(last(host, "coil")!.value, 1);
  hearFrames(host, frame([5, 15, 0, 99, 0, 3, 1, 0b101]), frame([5, 15, 0, 99, 0, 3]));
  assert.equal(last(host, "coil")!.value, 0);
  assert.equal(last(host, "read"), undefined);
});

// Rows are in order of the registers, then of the channels.
function byRow([one]: (string | number)[], [other]: (string | number)[]): number {
  return keys.indexOf(String(one)) - keys.indexOf(String(other));
}

test("a write that nobody confirms, or that the unit refuses, gives no value", () => {
  const host = start();
  hearFrames(host, frame([5, 6, 0, 10, 0, 1]), frame([5, 0x86, 2]));
  hearFrames(host, frame([0, 6, 0, 10, 0, 1])); // to all units
  hearFrames(host, frame([5, 6, 0, 10, 0, 1]), frame([5, 3, 0, 10, 0, 1]));
  hearFrames(host, frame([5, 6, 0, 10, 0, 1]), frame([5, 6, 0, 10, 0, 2])); // confirms something else
  assert.deepEqual(told(host), []);
});

test("a mask write tells those bits that it sets, whatever they were", () => {
  const host = start();
  hearFrames(host, ...echo(5, 22, 0, 10, 0xff, 0x0f, 0, 0xa5)); // bits 4 to 7 become a
  assert.deepEqual(told(host), [["nibble", 0xa]]);
  hearFrames(host, ...echo(5, 22, 0, 10, 0, 0, 0x56, 0x78));
  assert.equal(last(host, "whole")!.value, 0x5678);
  assert.equal(last(host, "swapped")!.value, 0x56);
  assert.equal(last(host, "long"), undefined);
});

test("reading and writing at once tells first what was written, then what was read", () => {
  const host = start();
  const request = [5, 23, 0, 10, 0, 1, 0, 10, 0, 1, 2, 0, 7];
  hearFrames(host, frame(request), frame([5, 23, 2, 0, 9]));
  const values = told(host).filter(([key]) => key === "whole" || key === "read");
  assert.deepEqual(values, [
    ["whole", 7],
    ["whole", 9],
    ["read", 9],
  ]);
});

const bus = { uart: 0, protocol: "modbus-rtu" };

function problemsOf(channel: object, taps: object = { bus }): string[] {
  const { error } = nodeSchema.safeParse({ type: "no", taps, channels: { a: at(1, channel) } });
  return error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

test("what cannot be is refused by its field", () => {
  assert.deepEqual(problemsOf({ type: "u64", order: "GHEFCDAB", divide: 1000 }), []);
  const refused: [object, RegExp][] = [
    [{ table: "coil", type: "i16" }, /^channels\.a\.type: a coil is one bit/],
    [{ table: "discrete", bit: 1 }, /^channels\.a\.bit: a discrete is one bit/],
    [{ table: "input", fromWrites: true }, /^channels\.a\.fromWrites: nobody writes/],
    [{ type: "f64", bit: 1 }, /^channels\.a\.bit: f64 has no parts/],
    [{ bit: 12, bits: 5 }, /^channels\.a\.bits: u16 ends at bit 15/],
    [{ type: "u32", divide: 10 }, /^channels\.a\.divide: only u64 and i64/],
    [{ type: "u64", divide: 20 }, /^channels\.a\.divide/],
    [{ order: "HGFEDCBA" }, /^channels\.a\.order: a 16-bit value has one of/],
    [{ type: "i64", address: 65_533 }, /^channels\.a\.address: a 64-bit value needs four/],
    [{ type: "f32", address: 65_535 }, /^channels\.a\.address: a 32-bit value needs two/],
  ];
  for (const [channel, message] of refused) {
    const [problem, ...rest] = problemsOf(channel);
    assert.match(problem ?? "", message);
    assert.deepEqual(rest, []);
  }
});

test("taps on two wires are checked: who hears what, and where the channels are", () => {
  const other = { uart: 1, protocol: "modbus-rtu" };
  const replies = { ...other, requestsOn: "bus" };
  assert.deepEqual(problemsOf({ tap: "replies" }, { bus, replies }), []);
  const refused: [object, object, RegExp][] = [
    [{}, { bus, replies }, /^channels\.a\.tap: "bus" hears requests only: name "replies"/],
    [{}, { bus: { ...bus, requestsOn: "x" } }, /^taps\.bus\.requestsOn: there is no tap "x"/],
    [{}, { bus: { ...bus, requestsOn: "bus" } }, /requestsOn: the requests are on another tap/],
    [
      {},
      { bus: { ...bus, requestsOn: "b" }, b: { ...other, protocol: "modbus-ascii" } },
      /requestsOn: "b" hears modbus-ascii/,
    ],
  ];
  for (const [channel, taps, message] of refused)
    assert.match(problemsOf(channel, taps).join("\n"), message);
});
