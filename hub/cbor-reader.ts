// SPDX-License-Identifier: MIT
// Takes items one by one from octets that passed the strict check.
//
// Spec: RFC 8949 §3; SPEC.md §3. Only for octets that passed createCborCheck().
// Errors are sticky: a take of the wrong type sets `failed` and gives a neutral value; ask once at the end.
// Nothing is allocated but texts seen for the first time; those kept are bounded by TEXTS_KEPT.

import { EXPONENT_MAX, TEXTS_KEPT } from "./limits.ts";
import { floatAt, unsigned } from "./cbor.ts";

export interface CborReader {
  bytes: Uint8Array;
  at: number;
  failed: boolean;
  decimals: number; // of the number taken last: digits after the point; -1: a float
  mantissa: number; // of the fraction or integer taken last
  exponent: number;
  texts: string[]; // seen before, by a hash of their octets
}

export function createCborReader(): CborReader {
  return {
    bytes: new Uint8Array(0),
    at: 0,
    failed: false,
    decimals: 0,
    mantissa: 0,
    exponent: 0,
    texts: new Array<string>(TEXTS_KEPT).fill(""),
  };
}

/** Starts over with octets that were checked. */
export function startReading(reader: CborReader, bytes: Uint8Array): void {
  reader.bytes = bytes;
  reader.at = 0;
  reader.failed = false;
}

// Keys of a map as one number: an integer key as it is, a text key of one ASCII letter as KEY_TEXT
// plus its code, any other text as one of two words. Integer keys out of ±1,000 are all KEY_FAR.
export const KEY_TEXT = 0x10000;
export const KEY_UNKNOWN_TEXT = 0x20000;
export const KEY_REQUIRED_TEXT = 0x20001; // RFC 8428 §4.4: ends with _, who does not know it refuses
export const KEY_FAR = 0x20002;

/** The next key; see KEY_TEXT. */
export function takeKey(reader: CborReader): number {
  if (majorType(reader) !== 3) {
    const key = takeInteger(reader);
    return key > 1000 || key < -1000 ? KEY_FAR : key;
  }
  const length = takeHead(reader);
  const { bytes, at } = reader;
  reader.at = at + length;
  const last = bytes[reader.at - 1] ?? 0;
  if (length === 1 && last < 0x80 && last !== UNDERSCORE) return KEY_TEXT + last;
  return length > 0 && last === UNDERSCORE ? KEY_REQUIRED_TEXT : KEY_UNKNOWN_TEXT;
}

/** Number of items of an array, which follow. */
export function takeArray(reader: CborReader): number {
  return majorType(reader) === 4 ? takeHead(reader) : fail(reader);
}

/** Number of pairs of a map, which follow. */
export function takeMap(reader: CborReader): number {
  return majorType(reader) === 5 ? takeHead(reader) : fail(reader);
}

export function takeInteger(reader: CborReader): number {
  const major = majorType(reader);
  if (major > 1) return fail(reader);
  const argument = takeHead(reader);
  return major === 0 ? argument : -1 - argument;
}

/** An integer from 0 to max. */
export function takeUnsigned(reader: CborReader, max: number): number {
  const value = takeInteger(reader);
  return value >= 0 && value <= max ? value : fail(reader);
}

export function takeBoolean(reader: CborReader): boolean {
  const octet = reader.bytes[reader.at];
  if (octet !== FALSE && octet !== TRUE) return fail(reader) !== 0;
  reader.at++;
  return octet === TRUE;
}

/** An integer, a decimal fraction or a float; `decimals` tells which. */
export function takeNumber(reader: CborReader): number {
  const major = majorType(reader);
  if (major === 6) return takeFraction(reader);
  if (major < 2) {
    reader.decimals = 0;
    reader.exponent = 0;
    reader.mantissa = takeInteger(reader);
    return reader.mantissa;
  }
  const octet = reader.bytes[reader.at] ?? 0;
  if (octet < FLOAT_16) return fail(reader);
  const size = 2 << (octet - FLOAT_16);
  const value = floatAt(reader.bytes, reader.at + 1, size);
  reader.at += 1 + size;
  reader.decimals = -1;
  return value;
}

/** A decimal fraction 4([e, m]), exact to the nearest double. */
export function takeFraction(reader: CborReader): number {
  if (majorType(reader) !== 6) return fail(reader);
  reader.at += 2; // the tag and the array of two
  const exponent = takeInteger(reader);
  const mantissa = takeInteger(reader);
  if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX) return fail(reader);
  reader.exponent = exponent;
  reader.mantissa = mantissa;
  reader.decimals = exponent < 0 ? -exponent : 0;
  return fractionValue(mantissa, exponent);
}

/** mantissa × 10^exponent as the text "1234e-2" is read: both factors are exact, so one rounding. */
export function fractionValue(mantissa: number, exponent: number): number {
  return exponent < 0
    ? mantissa / (POWERS_OF_TEN[-exponent] ?? NaN)
    : mantissa * (POWERS_OF_TEN[exponent] ?? NaN);
}

/** An ASCII text of printable characters, 1..charsMax; anything else fails. */
export function takeText(reader: CborReader, charsMax: number): string {
  if (majorType(reader) !== 3) return failText(reader);
  const length = takeHead(reader);
  const from = reader.at;
  reader.at += length;
  if (length === 0 || length > charsMax) return failText(reader);
  return knownText(reader, from, length) ?? failText(reader);
}

/** As takeText(), but an empty one is a text as well. */
export function takeTextOrEmpty(reader: CborReader, charsMax: number): string {
  if (reader.bytes[reader.at] !== EMPTY_TEXT) return takeText(reader, charsMax);
  reader.at++;
  return "";
}

/** Exactly `length` octets as lower-case hex digits. */
export function takeHex(reader: CborReader, length: number): string {
  if (majorType(reader) !== 2) return failText(reader);
  const found = takeHead(reader);
  const from = reader.at;
  reader.at += found;
  if (found !== length) return failText(reader);
  let text = "";
  for (let i = 0; i < length; i++)
    text += (reader.bytes[from + i] ?? 0).toString(16).padStart(2, "0");
  return text;
}

/** Passes over one item, whatever it holds; no recursion. */
export function skipItem(reader: CborReader): void {
  let items = 1;
  while (items > 0) {
    items--;
    const major = majorType(reader);
    const argument = takeHead(reader);
    if (major === 2 || major === 3) reader.at += argument;
    if (major === 4) items += argument;
    if (major === 5) items += argument * 2;
    if (major === 6) items++;
  }
}

/** Major type of the next item, 0..7; 7 also at the end. */
export function majorType(reader: CborReader): number {
  return (reader.bytes[reader.at] ?? 0xff) >> 5;
}

/** Argument of the next head, passing over it; of a float its octets are passed over too. */
function takeHead(reader: CborReader): number {
  const info = (reader.bytes[reader.at++] ?? 0) & 31;
  if (info < 24) return info;
  const size = 1 << (info - 24);
  const argument = unsigned(reader.bytes, reader.at, size);
  reader.at += size;
  return argument;
}

/** The text at `from`, from those seen before if it is there: names come again with each reading. */
function knownText(reader: CborReader, from: number, length: number): string | null {
  const { bytes, texts } = reader;
  let hash = length;
  for (let i = from; i < from + length; i++) {
    const octet = bytes[i] ?? 0;
    if (octet < 0x20 || octet > 0x7e) return null;
    hash = (Math.imul(hash, 31) + octet) | 0;
  }
  const slot = hash & (TEXTS_KEPT - 1);
  const known = texts[slot] ?? "";
  if (equals(known, bytes, from, length)) return known;
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[from + i] ?? 0);
  texts[slot] = text;
  return text;
}

function equals(text: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

/** Sets the sticky error and leaves the reader at the end, so that no loop goes on for long. */
function fail(reader: CborReader): 0 {
  reader.failed = true;
  reader.at = reader.bytes.length;
  return 0;
}

function failText(reader: CborReader): "" {
  fail(reader);
  return "";
}

const UNDERSCORE = 0x5f;
const EMPTY_TEXT = 0x60;
const FALSE = 0xf4;
const TRUE = 0xf5;
const FLOAT_16 = 0xf9;
const POWERS_OF_TEN = Array.from({ length: EXPONENT_MAX + 1 }, (_, i) => Number(`1e${i}`));
