// SPDX-License-Identifier: MIT
// From an answered read of a controller to the value of one place in its memory.
//
// Spec: SPEC.md §17 "Controllers". A place is where a row says: the same unit, function and area as the answer's
// question, and whole within its octets. Integers are exact; f32 becomes steps by integers only, half a step away
// from 0. Rows come from the generator. No state.

import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
} from "../../wire/record";
import { TapEvent } from "./event";
import { LineField, STEPS_OVER } from "./match";
import { numberSteps } from "./number";

const TYPE_U16 = 0;
const TYPE_I16 = 1;
const TYPE_U32 = 2;
const TYPE_I32 = 3;
const TYPE_F32 = 4; // else BCD: four digits, or eight
const TYPE_BCD32 = 6;
const ANY_UNIT = -1;

// PlaceRow.form: the type, and more of it.
const LOW_OCTET_FIRST = 1 << 8;
const LOW_WORD_FIRST = 1 << 9;
const STRIDE_SHIFT = 16; // octets from one address to the next
const AREA_SHIFT = 24; // bits of the address that count within its area; 0: all

/** One place that a channel wants. */
@unmanaged
export class PlaceRow {
  channel: i32;
  decimals: i32;
  staleMs: i32;
  unit: i32; // -1: any
  code: i32; // function of the answer's question
  address: i32;
  form: i32;
}

/** What stands at a place; `cause` is CAUSE_NONE where `steps` are its value. */
@unmanaged
export class Placed {
  steps: i32;
  cause: i32;
}

/** Where the place lies in the octets of an answer; -1: the answer does not hold the whole of it. */
export function offsetOf(event: TapEvent, row: PlaceRow): i32 {
  if (row.code != event.code || (row.unit != ANY_UNIT && row.unit != event.unit)) return -1;
  const area = (row.form >> AREA_SHIFT) & 31;
  if (area != 0 && (row.address ^ event.address) >>> area != 0) return -1;
  const index = row.address - event.address;
  if (index < 0 || index >= event.bytes) return -1;
  const at = index * ((row.form >> STRIDE_SHIFT) & 15);
  return at + bytesOf(row) <= event.bytes ? at : -1;
}

/** Reads the place at `from`; `field` is room for a number. */
export function readPlace(placed: Placed, from: usize, row: PlaceRow, field: LineField): void {
  const type = row.form & 0xff;
  const bits = bitsAt(from, row);
  placed.steps = 0;
  placed.cause = CAUSE_NONE;
  let steps: i64 = STEPS_OVER;
  let negative = false;
  if (type == TYPE_F32) {
    negative = <i32>bits < 0;
    if ((bits & 0x7f80_0000) == 0x7f80_0000) placed.cause = CAUSE_NOT_A_NUMBER;
    else steps = floatSteps(bits, row.decimals);
  } else {
    const digits = digitsOf(type, bits);
    negative = digits < 0;
    if (digits == NO_DIGITS) placed.cause = CAUSE_NOT_A_NUMBER;
    else steps = numberSteps(field, digits, 0, row.decimals);
  }
  if (placed.cause != CAUSE_NONE) return;
  if (steps == STEPS_OVER) placed.cause = negative ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
  else placed.steps = <i32>steps;
}

const NO_DIGITS: i64 = i64.MIN_VALUE;

function digitsOf(type: i32, bits: u32): i64 {
  if (type == TYPE_U16 || type == TYPE_U32) return bits;
  if (type == TYPE_I16) return <i64>(<i16>bits);
  if (type == TYPE_I32) return <i64>(<i32>bits);
  let value: i64 = 0;
  for (let shift = 28; shift >= 0; shift -= 4) {
    const digit = (bits >> shift) & 15;
    if (digit > 9) return NO_DIGITS;
    value = value * 10 + digit;
  }
  return value;
}

function bytesOf(row: PlaceRow): i32 {
  const type = row.form & 0xff;
  return (type >= TYPE_U32 && type <= TYPE_F32) || type == TYPE_BCD32 ? 4 : 2;
}

function bitsAt(from: usize, row: PlaceRow): u32 {
  const first = wordAt(from, row);
  if (bytesOf(row) == 2) return first;
  const second = wordAt(from + 2, row);
  return row.form & LOW_WORD_FIRST ? (second << 16) | first : (first << 16) | second;
}

function wordAt(from: usize, row: PlaceRow): u32 {
  const first: u32 = load<u8>(from);
  const second: u32 = load<u8>(from, 1);
  return row.form & LOW_OCTET_FIRST ? (second << 8) | first : (first << 8) | second;
}

// mantissa x 2^power x 10^decimals (0..6): below 2^44 before the shift.
function floatSteps(bits: u32, decimals: i32): i64 {
  const exponent = <i32>((bits >> 23) & 0xff);
  let size: i64 = (bits & 0x7f_ffff) | (exponent == 0 ? 0 : 0x80_0000);
  for (let i = 0; i < decimals; i++) size *= 10;
  const power = max(exponent, 1) - 150;
  if (power > 0) {
    if (size != 0 && power > 31) return STEPS_OVER;
    size = size << min(power, 18); // whatever is that large is beyond 32 bits
  } else if (power < -62) size = 0;
  else if (power < 0) size = (size + ((<i64>1) << (-power - 1))) >> -power;
  if (size > 0x7fff_ffff) return STEPS_OVER;
  return <i32>bits < 0 ? -size : size;
}
