// SPDX-License-Identifier: MIT
// Strict check of CBOR: one deterministic data item, or the name of what is wrong.
//
// Spec: RFC 8949 §3 (well-formed), §4.2.1 (deterministic); SPEC.md §3 (names of the errors).
// No recursion, nothing allocated from a declared length: one fixed stack, one pass.
// (C1) what passes holds integers within ±(2^53 - 1), finite floats in shortest form, valid UTF-8,
//      false, true, byte strings, arrays, fractions 4([e, m]), and maps whose keys are integers or
//      text in ascending order.
// (C2) depth counts arrays and maps, the one of a fraction included.

import { TAG_DECIMAL_FRACTION } from "../firmware/wire/senml.ts";
import { PAIRS_MAX, RECORDS_MAX } from "./limits.ts";

/** What is wrong with octets that are no strict CBOR; the words of SPEC.md §3. */
export type CborError =
  | "too-long"
  | "truncated"
  | "trailing"
  | "indefinite"
  | "non-minimal"
  | "depth"
  | "tag"
  | "nan"
  | "too-many-records"
  | "too-many-pairs"
  | "unsorted-keys"
  | "bad-key"
  | "bad-field";

/** Longest message in octets and deepest nesting that the kind of message needs. */
export interface CborLimits {
  bytesMax: number;
  depthMax: number;
}

export type CborCheck = (bytes: Uint8Array, limits: CborLimits) => CborError | null;

const DEPTH_EVER = 16; // stack of a checker; limits ask for less

// State of one pass. A map has two items left for each pair: an odd number: a value is next.
interface Scan {
  bytes: Uint8Array;
  at: number;
  major: number; // of the head read last
  argument: number;
  depth: number;
  depthMax: number;
  left: Int32Array; // one slot a level of nesting
  isMap: Uint8Array;
  keyFrom: Int32Array; // the key before, as octets
  keyTo: Int32Array;
}

/** A checker with its own stack; null: the octets are one data item of (C1). */
export function createCborCheck(): CborCheck {
  const scan: Scan = {
    bytes: new Uint8Array(0),
    at: 0,
    major: 0,
    argument: 0,
    depth: 0,
    depthMax: 0,
    left: new Int32Array(DEPTH_EVER + 1),
    isMap: new Uint8Array(DEPTH_EVER + 1),
    keyFrom: new Int32Array(DEPTH_EVER + 1),
    keyTo: new Int32Array(DEPTH_EVER + 1),
  };
  return (bytes, limits) => {
    if (bytes.length > limits.bytesMax) return "too-long";
    scan.bytes = bytes;
    scan.depthMax = Math.min(limits.depthMax, DEPTH_EVER);
    scan.depth = 0;
    scan.at = 0;
    do {
      const error = takesKey(scan) ? key(scan) : item(scan);
      if (error !== null) return error;
      while (scan.depth > 0 && scan.left[scan.depth] === 0) scan.depth--;
    } while (scan.depth > 0);
    return scan.at === bytes.length ? null : "trailing";
  };
}

/** Counts the next item of the open container; true: it is a key. */
function takesKey(scan: Scan): boolean {
  if (scan.depth === 0) return false;
  const items = scan.left[scan.depth] ?? 0;
  scan.left[scan.depth] = items - 1;
  return scan.isMap[scan.depth] === 1 && items % 2 === 0;
}

function item(scan: Scan): CborError | null {
  const error = head(scan);
  if (error !== null) return error;
  if (scan.major < 2) return scan.argument <= INTEGER_MAX ? null : "bad-field";
  if (scan.major < 4) return string(scan);
  if (scan.major < 6) return open(scan);
  if (scan.major === 6) return fraction(scan);
  if (scan.argument >= 24) return null; // a float, checked with its head
  return scan.argument === SIMPLE_FALSE || scan.argument === SIMPLE_TRUE ? null : "bad-field";
}

/** A key: integer or text, after the one before it in the order of the octets (§4.2.1). */
function key(scan: Scan): CborError | null {
  const from = scan.at;
  const error = head(scan);
  if (error !== null) return error;
  if (scan.major === 3) {
    const bad = string(scan);
    if (bad !== null) return bad;
  } else if (scan.major > 1 || scan.argument > INTEGER_MAX) return "bad-key";
  const { bytes, depth, at, keyFrom, keyTo } = scan;
  const before = keyTo[depth] ?? 0;
  if (before > 0 && !follows(bytes, keyFrom[depth] ?? 0, before, from, at)) return "unsorted-keys";
  keyFrom[depth] = from;
  keyTo[depth] = at;
  return null;
}

/** Initial octet and argument of the next item; of a float the value is checked and passed over. */
function head(scan: Scan): CborError | null {
  const { bytes } = scan;
  if (scan.at >= bytes.length) return "truncated";
  const initial = bytes[scan.at++] ?? 0;
  const info = initial & 31;
  const major = initial >> 5;
  scan.major = major;
  scan.argument = info;
  if (info < 24) return null;
  if (info === 31) return major === 7 || (major >= 2 && major <= 5) ? "indefinite" : "bad-field";
  if (info > 27) return "bad-field"; // §3: reserved
  const size = 1 << (info - 24);
  if (bytes.length - scan.at < size) return "truncated";
  if (major === 7) return float(scan, size);
  scan.argument = unsigned(bytes, scan.at, size);
  scan.at += size;
  const smallest = size === 1 ? 24 : 2 ** (size * 4);
  return scan.argument < smallest ? "non-minimal" : null;
}

function float(scan: Scan, size: number): CborError | null {
  if (size === 1) return "bad-field"; // §3.3: a simple value, and none of those that are used here
  const value = floatAt(scan.bytes, scan.at, size);
  scan.at += size;
  if (!Number.isFinite(value)) return "nan";
  const shorter = size === 8 ? Math.fround(value) === value : size === 4 && fitsHalf(value);
  return shorter ? "non-minimal" : null;
}

function string(scan: Scan): CborError | null {
  if (scan.argument > scan.bytes.length - scan.at) return "truncated";
  const from = scan.at;
  scan.at += scan.argument;
  return scan.major === 3 && !isUtf8(scan.bytes, from, scan.at) ? "bad-field" : null;
}

function open(scan: Scan): CborError | null {
  const map = scan.major === 5;
  if (scan.depth >= scan.depthMax) return "depth";
  if (map && scan.argument > PAIRS_MAX) return "too-many-pairs";
  if (!map && scan.argument > RECORDS_MAX) return "too-many-records";
  const depth = ++scan.depth;
  scan.isMap[depth] = map ? 1 : 0;
  scan.left[depth] = map ? scan.argument * 2 : scan.argument;
  scan.keyTo[depth] = 0;
  return null;
}

/** §3.4.4: after tag 4 an array of exponent and mantissa, both plain integers here. */
function fraction(scan: Scan): CborError | null {
  const tag = scan.argument;
  if (tag !== TAG_DECIMAL_FRACTION) return "tag";
  if (scan.depth >= scan.depthMax) return "depth";
  const error = head(scan);
  if (error !== null) return error;
  const { major, argument: items } = scan;
  return major === 4 && items === 2 ? (plainInteger(scan) ?? plainInteger(scan)) : "bad-field";
}

function plainInteger(scan: Scan): CborError | null {
  const error = head(scan);
  if (error !== null) return error;
  return scan.major < 2 && scan.argument <= INTEGER_MAX ? null : "bad-field";
}

const INTEGER_MAX = Number.MAX_SAFE_INTEGER - 1; // of the argument: -1 - argument stays safe too
const SIMPLE_FALSE = 20;
const SIMPLE_TRUE = 21;

/** A big-endian unsigned integer of 1, 2, 4 or 8 octets; above 2^53 only its size is right. */
export function unsigned(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** A big-endian float of 2, 4 or 8 octets. */
export function floatAt(bytes: Uint8Array, at: number, size: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, size);
  if (size === 8) return view.getFloat64(0);
  if (size === 4) return view.getFloat32(0);
  // RFC 8949 appendix D
  const bits = view.getUint16(0);
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (fraction + 1024) * 2 ** (exponent - 25));
}

/** Whether half precision holds the value: 11 bits, no step finer than 2^-24, at most 65504. */
function fitsHalf(value: number): boolean {
  const size = Math.abs(value);
  if (size > 65504) return false;
  if (!Number.isInteger(size * 2 ** 24)) return false;
  if (size < 2 ** -14) return true;
  const step = 2 ** (Math.floor(Math.log2(size)) - 10);
  return Number.isInteger(size / step);
}

/** Bytewise order of two encoded keys, RFC 8949 §4.2.1; equal ones do not follow. */
function follows(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  while (a < aEnd && b < bEnd) {
    const difference = (bytes[b++] ?? 0) - (bytes[a++] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return a === aEnd && b < bEnd;
}

/** RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF. */
function isUtf8(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at < end) {
    const first = bytes[at++] ?? 0;
    if (first < 0x80) continue;
    const more = continuations(first);
    if (more === 0 || end - at < more) return false;
    const second = bytes[at] ?? 0;
    if (first === 0xe0 && second < 0xa0) return false;
    if (first === 0xed && second > 0x9f) return false;
    if (first === 0xf0 && second < 0x90) return false;
    if (first === 0xf4 && second > 0x8f) return false;
    for (let i = 0; i < more; i++) if ((bytes[at++] ?? 0) >> 6 !== 2) return false;
  }
  return true;
}

function continuations(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}
