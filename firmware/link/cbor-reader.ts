// SPDX-License-Identifier: MIT
// CBOR reader: integers, texts and heads in their shortest form.
//
// Spec: RFC 8949 §3, §4.2.1, §3.4.4. Reads the octets given to readerStart(). The first item that is not
// what was asked for sets `failed`; later ones then give 0, and the caller checks once. State: `reader`.

import { wide, wideLow } from "../wide";

export namespace reader {
  export let at: usize = 0; // the next octet
  export let end: usize = 0; // the first octet past the message
  export let failed: bool = false;
}

export const MAJOR_UNSIGNED: u32 = 0;
export const MAJOR_NEGATIVE: u32 = 1;
export const MAJOR_TEXT: u32 = 3;
export const MAJOR_ARRAY: u32 = 4;
export const MAJOR_MAP: u32 = 5;
export const MAJOR_TAG: u32 = 6;

export function readerStart(at: usize, bytes: u32): void {
  reader.at = at;
  reader.end = at + bytes;
  reader.failed = false;
}

/** True when all octets were read and all items were what was asked for. */
export function readerFinished(): bool {
  return !reader.failed && reader.at == reader.end;
}

/** The major type of the next item; 7 at the end, which nobody asks for. */
export function nextMajor(): u32 {
  return reader.at < reader.end ? (load<u8>(reader.at) as u32) >> 5 : 7;
}

/** The argument of a head of this major type, below 2^63. */
export function takeHead(major: u32): wide {
  if (nextMajor() != major) return refuse();
  const short: u32 = load<u8>(reader.at++) & 31;
  if (short < 24) return short as wide;
  const bytes: u32 = 1 << (short & 3);
  if (short > 27 || ((reader.end - reader.at) as u32) < bytes) return refuse();
  let value: wide = 0;
  let least: wide = bytes == 1 ? 24 : 1;
  for (let left = bytes; left > 0; left--) {
    value = value * 256 + (load<u8>(reader.at++) as wide);
    if (bytes > 1) least *= 16;
  }
  // What a shorter head could hold is not deterministic; 2^63 and above is negative here, or a double.
  return value < least ? refuse() : value;
}

/** An unsigned integer of 32 bits. */
export function takeU32(): u32 {
  const value = takeHead(MAJOR_UNSIGNED);
  return value > 0xffff_ffff ? (refuse() as u32) : wideLow(value);
}

/** An integer of either sign. */
export function takeInteger(): wide {
  return nextMajor() == MAJOR_NEGATIVE ? -1 - takeHead(MAJOR_NEGATIVE) : takeHead(MAJOR_UNSIGNED);
}

/** Passes over so many octets and gives where they start. */
export function takeOctets(bytes: u32): usize {
  if (reader.failed || ((reader.end - reader.at) as u32) < bytes) {
    refuse();
    return reader.end;
  }
  reader.at += bytes;
  return reader.at - bytes;
}

/** Notes that the message is not what it should be; 0. */
export function refuse(): wide {
  reader.failed = true;
  return 0;
}
