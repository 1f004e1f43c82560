// SPDX-License-Identifier: MIT
// Writes deterministic CBOR, packs, births and statuses for tests of the hub.
//
// Independent of the firmware's encoder and of the hub's decoder. `raw` lets a test write what is wrong.

import { Buffer } from "node:buffer";

export class Decimal {
  readonly e: number;
  readonly m: number;
  constructor(e: number, m: number) {
    this.e = e;
    this.m = m;
  }
}

/** A float, written in the shortest form that keeps the value. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export type Item =
  number | string | boolean | Uint8Array | Decimal | Float | Item[] | Map<number | string, Item>;

/** One data item in deterministic encoding, RFC 8949 §4.2.1. */
export function encode(item: Item): Buffer {
  if (typeof item === "number") return item < 0 ? head(1, -1 - item) : head(0, item);
  if (typeof item === "string") {
    const text = Buffer.from(item, "utf8");
    return Buffer.concat([head(3, text.length), text]);
  }
  if (typeof item === "boolean") return Buffer.of(item ? 0xf5 : 0xf4);
  if (item instanceof Uint8Array) return Buffer.concat([head(2, item.length), item]);
  if (item instanceof Decimal)
    return Buffer.concat([head(6, 4), head(4, 2), encode(item.e), encode(item.m)]);
  if (item instanceof Float) return float(item.value);
  if (Array.isArray(item)) return Buffer.concat([head(4, item.length), ...item.map(encode)]);
  const pairs = [...item].map(([key, value]) => [encode(key), encode(value)] as const);
  pairs.sort(([a], [b]) => Buffer.compare(a, b));
  return Buffer.concat([head(5, pairs.length), ...pairs.flat()]);
}

/** Initial octet and argument in the shortest form. */
export function head(major: number, argument: number): Buffer {
  const initial = major << 5;
  if (argument < 24) return Buffer.of(initial | argument);
  if (argument < 0x100) return Buffer.of(initial | 24, argument);
  const bytes = Buffer.alloc(argument < 0x10000 ? 3 : argument < 2 ** 32 ? 5 : 9);
  bytes[0] = initial | (bytes.length === 3 ? 25 : bytes.length === 5 ? 26 : 27);
  if (bytes.length === 3) bytes.writeUInt16BE(argument, 1);
  else if (bytes.length === 5) bytes.writeUInt32BE(argument, 1);
  else bytes.writeBigUInt64BE(BigInt(argument), 1);
  return bytes;
}

function float(value: number): Buffer {
  for (let bits = 0; bits < 0x10000; bits++) {
    const half = halfValue(bits);
    if (Object.is(half, value)) return Buffer.of(0xf9, bits >> 8, bits & 255);
  }
  const single = Math.fround(value) === value;
  const bytes = Buffer.alloc(single ? 5 : 9);
  bytes[0] = single ? 0xfa : 0xfb;
  if (single) bytes.writeFloatBE(value, 1);
  else bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** The value of 16 bits, IEEE 754 binary16. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

export const EUI64 = "0024befffe804ff1";

export interface RecordSpec {
  n: string;
  v?: number | Decimal | Float;
  vs?: string;
  vb?: boolean;
  t?: number; // ms after the base
  g?: number;
  q?: number;
  x?: number | Decimal | Float;
  raw?: [number | string, Item][]; // more fields, as they are
}

export interface PackSpec {
  eui64?: string;
  bt?: number | null; // ms; null: the node has no wall time
  b?: number; // boot
  q?: number; // sequence of the first record
  records: RecordSpec[];
}

/** A pack as SPEC.md §3 has it; base fields go to the first record. */
export function pack({
  eui64 = EUI64,
  bt = 1_767_225_600_000,
  b = 1,
  q = 1,
  records,
}: PackSpec): Buffer {
  return encode(
    records.map((record, index) => {
      if (index > 0) return fields(record);
      const first = new Map<number | string, Item>([[-2, `urn:dev:mac:${eui64}_`]]);
      if (bt !== null) first.set(-3, new Decimal(-3, bt));
      first.set("b", b).set("q", q);
      return new Map([...first, ...fields(record)]);
    }),
  );
}

function fields(record: RecordSpec): Map<number | string, Item> {
  const map = new Map<number | string, Item>([[0, record.n]]);
  if (record.v !== undefined) map.set(2, record.v);
  if (record.vs !== undefined) map.set(3, record.vs);
  if (record.vb !== undefined) map.set(4, record.vb);
  if (record.t !== undefined) map.set(6, new Decimal(-3, record.t));
  if (record.vs !== undefined && record.g === undefined) map.set("g", 2);
  if (record.g !== undefined) map.set("g", record.g);
  if (record.q !== undefined) map.set("q", record.q);
  if (record.x !== undefined) map.set("x", record.x);
  for (const [key, value] of record.raw ?? []) map.set(key, value);
  return map;
}

export interface ChannelSpec {
  name: string;
  unit?: string;
  kind?: number; // in the order of SPEC.md §5: 0 analog, 1 register, 2 computed, ...
  scale?: Decimal;
  qos?: number;
  alarms?: [
    name: string,
    above: 0 | 1,
    limit: Item,
    hysteresis: Item,
    delayMs: number,
    ...latch: 1[],
  ][];
  register?: [
    tap: number,
    unitId: number,
    functionCode: number,
    address: number,
    type: number,
    order: number,
    ...more: number[],
  ];
  field?: [tap: number, pattern: string, field: string];
  object?: [tap: number, object: string, value: number, meter?: string];
  setpoint?: [min: Item, max: Item, initial: Item, staleMs: number];
  periodMs?: number;
  heartbeatMs?: number;
}

export interface BirthSpec {
  boot?: number;
  eui64?: string;
  type?: string;
  loopHash?: string; // one octet in hex, repeated
  channels: ChannelSpec[][]; // one list a part
  outputs?: [string, number, number, number][];
  taps?: [string, string, number, string][];
}

/** The parts of a birth, SPEC.md §5. */
export function birth(spec: BirthSpec): Buffer[] {
  const count = spec.channels.length;
  return spec.channels.map((channels, index) => {
    const part = new Map<number, Item>([
      [0, spec.boot ?? 1],
      [1, index],
      [2, count],
      [4, channels.map(channel)],
    ]);
    if (index === 0) part.set(3, identity(spec));
    if (index === count - 1) part.set(5, spec.outputs ?? []);
    if (index === count - 1) part.set(6, spec.taps ?? []);
    return encode(part);
  });
}

function identity(spec: BirthSpec): Map<number, Item> {
  return new Map<number, Item>([
    [0, spec.type ?? "oven"],
    [1, Buffer.from(spec.eui64 ?? EUI64, "hex")],
    [2, Buffer.from((spec.loopHash ?? "aa").repeat(32), "hex")],
    [3, Buffer.from("bb".repeat(32), "hex")],
    [4, "0.1.0"],
    [5, "simulator"],
    [6, 10_000],
    [7, spec.channels.flat().length],
  ]);
}

function channel(spec: ChannelSpec): Map<number, Item> {
  const map = new Map<number, Item>([
    [0, spec.name],
    [2, spec.kind ?? 0],
    [3, spec.scale ?? new Decimal(-2, 1)],
    [4, spec.qos ?? 1],
    [7, spec.periodMs ?? 100],
    [8, spec.heartbeatMs ?? 0],
  ]);
  if (spec.unit !== undefined) map.set(1, spec.unit);
  if (spec.alarms !== undefined) map.set(5, spec.alarms);
  if (spec.register !== undefined) map.set(6, spec.register);
  if (spec.setpoint !== undefined) map.set(9, spec.setpoint);
  if (spec.field !== undefined) map.set(10, spec.field);
  if (spec.object !== undefined) map.set(11, spec.object as Item);
  return map;
}

/** A status, SPEC.md §4. */
export function status(spec: {
  boot?: number;
  uptimeMs?: number;
  counters?: number[];
  taps?: number[][];
  roundTripMs?: number;
  sent?: number;
  host?: number[];
}): Buffer {
  const map = new Map<number, Item>([
    [0, spec.boot ?? 1],
    [1, spec.uptimeMs ?? 10_000],
    [2, spec.counters ?? new Array<number>(18).fill(0)],
    [3, spec.taps ?? []],
  ]);
  if (spec.roundTripMs !== undefined) map.set(4, spec.roundTripMs);
  if (spec.sent !== undefined) map.set(5, spec.sent);
  if (spec.host !== undefined) map.set(6, spec.host);
  return encode(map);
}

/** What a node answers to a set-point write, SPEC.md §2. */
export function setResult(spec: {
  request: number;
  name: string;
  requested?: Item;
  effective?: Item;
  code: number;
}): Buffer {
  const map = new Map<number, Item>([
    [0, spec.request],
    [1, spec.name],
    [4, spec.code],
  ]);
  if (spec.requested !== undefined) map.set(2, spec.requested);
  if (spec.effective !== undefined) map.set(3, spec.effective);
  return encode(map);
}
