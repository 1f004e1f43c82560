// SPDX-License-Identifier: MIT
// Reads packs strictly, and makes ring records, for tests of link.
//
// The reader checks deterministic CBOR octet by octet (RFC 8949 §4.2.1), independent of the firmware and
// of the hub; a decimal fraction stays a pair, so a test can compare mantissas.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

/** `4([e, m])` */
export interface Decimal {
  e: number;
  m: number;
}
export type Item =
  number | string | boolean | Uint8Array | Decimal | Item[] | Map<number | string, Item>;

/** Decodes one deterministic data item that fills the octets; throws with what is wrong. */
export function decodeStrict(bytes: Uint8Array): Item {
  const reader = { bytes, at: 0 };
  const item = readItem(reader, 0);
  assert.equal(reader.at, bytes.length, "trailing octets");
  return item;
}

interface Reader {
  bytes: Uint8Array;
  at: number;
}

function take(reader: Reader, count: number): Uint8Array {
  assert.ok(reader.at + count <= reader.bytes.length, "truncated");
  reader.at += count;
  return reader.bytes.subarray(reader.at - count, reader.at);
}

function readItem(reader: Reader, depth: number): Item {
  assert.ok(depth <= 7, "depth");
  const initial = take(reader, 1)[0]!;
  const major = initial >> 5;
  if (major === 7) return readSimple(reader, initial & 31);
  const argument = readArgument(reader, initial & 31);
  switch (major) {
    case 0:
      return argument;
    case 1:
      return -1 - argument;
    case 2:
      return take(reader, argument).slice();
    case 3:
      return Buffer.from(take(reader, argument)).toString("utf8");
    case 4:
      return Array.from({ length: argument }, () => readItem(reader, depth + 1));
    case 5:
      return readMap(reader, argument, depth);
    default:
      return readDecimal(reader, argument, depth);
  }
}

function readArgument(reader: Reader, info: number): number {
  if (info < 24) return info;
  assert.ok(info <= 27, "indefinite or reserved");
  const count = 1 << (info - 24);
  const value = take(reader, count).reduce((sum, octet) => sum * 256 + octet, 0);
  const least = [24, 2 ** 8, 2 ** 16, 2 ** 32][info - 24]!;
  assert.ok(value >= least, "not the shortest head");
  assert.ok(Number.isSafeInteger(value));
  return value;
}

function readSimple(reader: Reader, info: number): boolean | number {
  if (info === 20 || info === 21) return info === 21;
  const octets = take(reader, { 25: 2, 26: 4, 27: 8 }[info] ?? assert.fail("a simple value"));
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const value =
    info === 25 ? half(view.getUint16(0)) : info === 26 ? view.getFloat32(0) : view.getFloat64(0);
  assert.ok(Number.isFinite(value), "not a number");
  if (info === 27) assert.notEqual(Math.fround(value), value, "not the shortest float");
  if (info === 26) assert.ok(!fitsHalf(value), "not the shortest float");
  return value;
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? Infinity : NaN;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

function fitsHalf(value: number): boolean {
  const size = Math.abs(value);
  if (size > 65504) return false;
  const step = 2 ** Math.max(-24, Math.floor(Math.log2(size)) - 10);
  return size === 0 || Number.isInteger(size / step);
}

function readMap(reader: Reader, pairs: number, depth: number): Map<number | string, Item> {
  const map = new Map<number | string, Item>();
  let before = Buffer.alloc(0);
  for (let i = 0; i < pairs; i++) {
    const start = reader.at;
    const key = readItem(reader, depth + 1);
    const encoded = Buffer.from(reader.bytes.subarray(start, reader.at));
    assert.ok(i === 0 || Buffer.compare(before, encoded) < 0, "keys in bytewise order");
    assert.ok(typeof key === "number" || typeof key === "string", "a key");
    map.set(key, readItem(reader, depth + 1));
    before = encoded;
  }
  return map;
}

function readDecimal(reader: Reader, tag: number, depth: number): Decimal {
  assert.equal(tag, 4, "only decimal fractions are tagged");
  const pair = readItem(reader, depth + 1);
  assert.ok(Array.isArray(pair) && pair.length === 2);
  const [e, m] = pair;
  assert.ok(typeof e === "number" && typeof m === "number");
  return { e, m };
}

/** One reading or event of a pack, with the base fields resolved. */
export interface PackRecord {
  name: string;
  value: number | Decimal | undefined;
  cause: string | undefined;
  active: boolean | undefined;
  quality: number;
  boot: number;
  sequence: number;
  eventValue: number | Decimal | undefined;
  text?: string;
  notice?: number[]; // of a tap: unit, code, address, quantity, value, times
  timeMs: number; // wall time, or relative when the pack has none
  relative: boolean;
}

/** Reads a pack to its records; throws when it is not exactly what SPEC.md §3 says. */
export function readPack(payload: Uint8Array, baseName: string): PackRecord[] {
  const pack = decodeStrict(payload);
  assert.ok(Array.isArray(pack) && pack.length >= 1 && pack.length <= 64);
  let sequence = 0;
  let boot = 0;
  let base: number | undefined;
  return pack.map((item, index) => {
    assert.ok(item instanceof Map);
    const number = (key: number | string): number | undefined => {
      const value = item.get(key);
      assert.ok(value === undefined || typeof value === "number", `key ${key}`);
      return value;
    };
    const ms = (key: number): number | undefined => {
      const value = item.get(key) as Decimal | undefined;
      if (value !== undefined) assert.equal(value.e, -3);
      return value?.m;
    };
    for (const key of item.keys())
      assert.ok([0, 2, 3, 4, 6, -2, -3, "b", "e", "g", "q", "x"].includes(key));
    if (index === 0) {
      assert.equal(item.get(-2), baseName);
      base = ms(-3);
      boot = number("b")!;
      sequence = number("q")! - 1;
    } else {
      for (const key of [-2, -3, "b"])
        assert.ok(!item.has(key), "base fields are in the first record");
    }
    const next = number("q");
    if (index > 0 && next !== undefined) assert.notEqual(next, sequence + 1, "q is redundant");
    sequence = next ?? sequence + 1;
    const time = ms(6);
    if (time !== undefined) assert.notEqual(time, 0, "t 0 is left out");
    assert.equal(
      ["2", "3", "4"].filter((key) => item.has(Number(key))).length,
      1,
      "one of v, vs, vb",
    );
    const quality = number("g") ?? 0;
    const isText = item.has(3) && quality < 2;
    if (quality === 2) assert.ok(item.has(3), "a bad reading has its cause");
    assert.ok(!item.has("g") || quality > 0);
    return {
      name: item.get(0) as string,
      value: item.get(2) as number | Decimal | undefined,
      cause: isText ? undefined : (item.get(3) as string | undefined),
      ...(isText ? { text: item.get(3) as string } : {}),
      active: item.get(4) as boolean | undefined,
      quality,
      boot,
      sequence,
      eventValue: item.get("x") as number | Decimal | undefined,
      ...(item.has("e") ? { notice: item.get("e") as number[] } : {}),
      timeMs: (base ?? 0) + (time ?? 0),
      relative: base === undefined,
    };
  });
}

export interface RecordFields {
  kind?: number;
  channel?: number;
  quality?: number;
  cause?: number;
  timeUs?: number;
  i32?: number;
  u32?: number;
  f32?: number;
  bytes?: Uint8Array;
  alarm?: number;
  active?: number;
}

/** A ring record (SPEC.md §1.4); a reading unless said otherwise. */
export function record(fields: RecordFields): Uint8Array {
  const { i32, u32, f32, bytes } = fields;
  const valueBytes =
    bytes?.length ?? (i32 === undefined && u32 === undefined && f32 === undefined ? 0 : 4);
  const octets = new Uint8Array(12 + valueBytes);
  const view = new DataView(octets.buffer);
  octets.set([fields.kind ?? 1, fields.channel ?? 0, fields.quality ?? 0, fields.cause ?? 0]);
  view.setUint32(4, fields.timeUs ?? 0, true);
  view.setUint8(9, valueBytes);
  view.setUint8(10, fields.alarm ?? 0);
  view.setUint8(11, fields.active ?? 0);
  const type = bytes
    ? 4
    : f32 !== undefined
      ? 3
      : u32 !== undefined
        ? 2
        : i32 !== undefined
          ? 1
          : 0;
  view.setUint8(8, type);
  if (i32 !== undefined) view.setInt32(12, i32, true);
  if (u32 !== undefined) view.setUint32(12, u32, true);
  if (f32 !== undefined) view.setFloat32(12, f32, true);
  if (bytes !== undefined) octets.set(bytes, 12);
  return octets;
}
