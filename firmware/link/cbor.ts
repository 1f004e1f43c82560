// SPDX-License-Identifier: MIT
// CBOR writer: shortest heads, definite lengths, shortest exact floats.
//
// Spec: RFC 8949 §3, §4.2.1 (deterministic encoding), §3.4.4 (decimal fractions).
// Writes into the octets given to writerStart(). The first write that does not fit sets `failed` and
// writes nothing; so do all later ones, and the caller checks once. State: `writer`.

import { wide, wideHigh, wideLow } from "../wide";

// (I1) at <= end, and no single write is longer than the addresses below any room (asc starts data at 1024): so
// end - bytes never wraps, and `at > end - bytes` bounds `at` for whoever proves accesses.
const NO_ROOM: usize = memory.data(1); // where the writer is before it is started: nothing fits

/** Globals, not memory: an octet that is written through `at` is none of them, and nothing is read again. */
export namespace writer {
  export let at: usize = NO_ROOM; // the next octet
  export let end: usize = NO_ROOM; // the first octet past the room
  export let failed: bool = false;
}

const MAJOR_UNSIGNED: u32 = 0;
const MAJOR_NEGATIVE: u32 = 1;
const MAJOR_TEXT: u32 = 3;
const MAJOR_ARRAY: u32 = 4;
const MAJOR_MAP: u32 = 5;
const FALSE: u32 = 0xf4; // true is the next
const DECIMAL_FRACTION_HEAD: u32 = 0xc482; // tag 4, array of two
const FLOAT16: u32 = 0xf9;
const FLOAT32: u32 = 0xfa;
const FLOAT64: u32 = 0xfb;

export function writerStart(at: usize, end: usize): void {
  writer.at = at;
  writer.end = end;
  writer.failed = false;
}

/** Writes the low `bytes` (1..4) octets of `value`, big-endian. */
export function put(value: u32, bytes: u32): void {
  const start = writer.at;
  if (writer.failed || start > writer.end - bytes) {
    writer.failed = true;
    return;
  }
  const end = start + bytes;
  let shift = bytes * 8;
  for (let at = start; at < end; at++) {
    shift -= 8;
    store<u8>(at, value >> shift);
  }
  writer.at = end;
}

/** Copies encoded or plain octets as they are. */
export function putRaw(from: usize, bytes: u32): void {
  const at = writer.at;
  if (writer.failed || at > writer.end - bytes) {
    writer.failed = true;
    return;
  }
  memory.copy(at, from, bytes);
  writer.at = at + bytes;
}

function putHead(major: u32, argument: u32): void {
  major <<= 5;
  if (argument < 24) put(major | argument, 1);
  else if (argument <= 0xff) put(((major | 24) << 8) | argument, 2);
  else {
    const wide = argument > 0xffff;
    put(major | (wide ? 26 : 25), 1);
    put(argument, wide ? 4 : 2);
  }
}

export function putUnsigned(value: u32): void {
  putHead(MAJOR_UNSIGNED, value);
}

export function putInteger(value: wide): void {
  const major = value < 0 ? MAJOR_NEGATIVE : MAJOR_UNSIGNED;
  if (value < 0) value = -1 - value;
  const high = wideHigh(value);
  if (high == 0) {
    putHead(major, wideLow(value));
  } else {
    put((major << 5) | 27, 1);
    put(high, 4);
    put(wideLow(value), 4);
  }
}

export function putArray(items: u32): void {
  putHead(MAJOR_ARRAY, items);
}

export function putMap(pairs: u32): void {
  putHead(MAJOR_MAP, pairs);
}

/** Head of a text; the caller puts the octets. */
export function putTextHead(bytes: u32): void {
  putHead(MAJOR_TEXT, bytes);
}

/** A text with its length octet before it. */
export function putText(at: usize): void {
  const bytes: u32 = load<u8>(at);
  putTextHead(bytes);
  putRaw(at + 1, bytes);
}

export function putBoolean(value: bool): void {
  put(FALSE + value, 1);
}

/** 4([exponent, mantissa]): the exponent is the caller's, it is never reduced. */
export function putDecimal(exponent: i32, mantissa: wide): void {
  put(DECIMAL_FRACTION_HEAD, 2);
  putInteger(exponent as wide);
  putInteger(mantissa);
}

/** The shortest float that keeps the value; never NaN or infinite. */
export function putFloat(value: f64): void {
  assert(value - value == 0);
  const single = value as f32;
  if ((single as f64) != value) {
    const bits = reinterpret<u64>(value);
    put(FLOAT64, 1);
    put((bits >> 32) as u32, 4);
    put(bits as u32, 4);
    return;
  }
  const bits = reinterpret<u32>(single);
  const half = halfOf(bits);
  put(half < 0 ? FLOAT32 : FLOAT16, 1);
  put(half < 0 ? bits : half, half < 0 ? 4 : 2);
}

/** The binary16 of the same value as a binary32, -1 when there is none. */
function halfOf(bits: u32): i32 {
  const sign = (bits >> 16) & 0x8000;
  const exponent = ((bits >> 23) & 0xff) as i32;
  const fraction = bits & 0x7fffff;
  if (exponent == 0 && fraction == 0) return sign;
  // binary32 biases by 127, binary16 by 15: 113..142 are its normal exponents.
  if (exponent >= 113 && exponent <= 142) {
    return (fraction & 0x1fff) == 0 ? sign | ((exponent - 112) << 10) | (fraction >> 13) : -1;
  }
  // Subnormal binary16: a multiple of 2^-24 below 2^-14.
  if (exponent < 103 || exponent > 112) return -1;
  const shift = 126 - exponent;
  const mantissa = fraction | 0x800000;
  return (mantissa & ((1 << shift) - 1)) == 0 ? sign | (mantissa >> shift) : -1;
}
