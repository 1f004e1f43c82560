// SPDX-License-Identifier: MIT
// From an answered read or write to the value of a channel.
//
// Spec: SPEC.md §19 (tables, types, orders, fields of a register). Raw units: a 16-bit register is extended,
// a 32-bit one is put together from two; f32 stays as its bits; 64 bits are in wide.ts. Rows come from the
// generator, sorted by tap, unit, function code and address. No state.

import {
  USES_COILS,
  USES_REGISTER_PARTS,
  USES_REGISTER_WIDE,
  TEXT_BYTES,
  USES_TAP_EVENTS,
} from "../../generated/uses";
import { CAUSE_NONE } from "../../wire/record";
import { TAP_EVENT_READ, TAP_EVENT_WRITE, TapEvent } from "./event";
import { wideCause, wideValue } from "./wide";

const REGISTER_U16 = 0;
const REGISTER_I16 = 1;
const REGISTER_I32 = 3;
const REGISTER_U64 = 5; // and above: four registers
const REGISTER_TEXT = 8; // as many as the row says
const ORDER_WORDS = 1; // the low half comes first: CDAB, DCBA
const ORDER_OCTETS = 2; // the octets of each half are swapped: BADC, DCBA

// RegisterRow.type: the type, and where USES_REGISTER_PARTS more of it.
const FIRST_SHIFT = 8; // lowest bit of a field; of a text how many registers follow its first one
const WIDTH_SHIFT = 16; // bits of it, 0: no field
const WRITES = 1 << 24; // what is written is a value as well
const DIVIDE_SHIFT = 25; // 64 bits are divided by 10 to this power

/** One mapped register, or two or four, or one bit. */
@unmanaged
export class RegisterRow {
  channel: i32;
  tap: i32;
  unit: i32;
  code: i32; // function code that reads the table, 1..4
  address: i32;
  type: i32; // 0 u16, 1 i16, 2 u32, 3 i32, 4 f32, 5 u64, 6 i64, 7 f64, 8 text
  order: i32; // 0 ABCD, 1 CDAB, 2 BADC, 3 DCBA
  staleMs: i32; // 0: never stale
}

/** True when the event holds the whole value of the row. */
export function carriesRow(event: TapEvent, row: RegisterRow): bool {
  const index = row.address - event.address;
  return (
    row.unit == event.unit &&
    row.code == tableOf(event, row) &&
    index >= 0 &&
    index + registersOf(row) <= event.quantity
  );
}

/** True when the row holds a text: takeText() of register-text.ts has it. */
export function isText(row: RegisterRow): bool {
  return typeOf(row) == REGISTER_TEXT;
}

/** Where the first register of the row lies; carriesRow must be true. */
export function placeOfRow(event: TapEvent, row: RegisterRow): usize {
  return event.values + ((row.address - event.address) << 1);
}

/** Raw value of the row; carriesRow must be true. */
export function valueOfRow(event: TapEvent, row: RegisterRow): i32 {
  const index = row.address - event.address;
  if (USES_COILS && row.code <= 2) return bitOf(event, index);
  const type = typeOf(row);
  const mask = USES_TAP_EVENTS && event.code == 22; // AND, then OR
  const at = event.values + (mask ? 2 : index << 1);
  if (USES_REGISTER_WIDE && type >= REGISTER_U64)
    return wideValue(at, type - REGISTER_U64, row.order, divideOf(row));
  const raw = shortValue(at, type, row);
  return USES_REGISTER_PARTS && widthOf(row) > 0 ? partOf(raw, row) : raw;
}

/** Why that value is none: CAUSE_NONE where it is one. Not a number is found by its bits (compare.ts). */
export function causeOfRow(event: TapEvent, row: RegisterRow): i32 {
  const type = typeOf(row);
  if (!USES_REGISTER_WIDE || type < REGISTER_U64) return CAUSE_NONE;
  const at = event.values + ((row.address - event.address) << 1);
  return wideCause(at, type - REGISTER_U64, row.order, divideOf(row));
}

// The function code that reads what the event tells of; 0: nothing that this row takes.
function tableOf(event: TapEvent, row: RegisterRow): i32 {
  const code = event.code;
  if (!USES_TAP_EVENTS) return code == 23 ? 3 : code;
  if (event.kind == TAP_EVENT_READ) return code == 23 ? 3 : code <= 4 ? code : 0;
  if (event.kind != TAP_EVENT_WRITE || !(row.type & WRITES)) return 0;
  if (code == 5 || code == 15) return 1;
  return code != 22 || isSetByMask(event, row) ? 3 : 0;
}

// FC 22 makes of a register (register AND and) OR (or AND NOT and): where `and` is 0 its bits are those of
// `or`, whatever it was.
function isSetByMask(event: TapEvent, row: RegisterRow): bool {
  const asked = widthOf(row) > 0 ? ((1 << widthOf(row)) - 1) << firstOf(row) : 0xffff;
  return typeOf(row) <= REGISTER_I16 && (halfAt(event.values, row) & asked) == 0;
}

function bitOf(event: TapEvent, index: i32): i32 {
  // FC 5 writes FF00 or 0000: its first octet has the bit, as every other has.
  return (load<u8>(event.values + (index >> 3)) >> (index & 7)) & 1;
}

function shortValue(at: usize, type: i32, row: RegisterRow): i32 {
  const first = halfAt(at, row);
  if (type == REGISTER_U16) return first;
  if (type == REGISTER_I16) return <i32>(<i16>first);
  const second = halfAt(at + 2, row);
  return row.order & ORDER_WORDS ? (second << 16) | first : (first << 16) | second;
}

// Some bits of the value, with a sign where the type has one.
function partOf(raw: i32, row: RegisterRow): i32 {
  const type = typeOf(row);
  const free = 32 - widthOf(row);
  const high = (raw >> firstOf(row)) << free;
  return type == REGISTER_I16 || type == REGISTER_I32 ? high >> free : <i32>((<u32>high) >> free);
}

/** How many registers the row has. */
export function registersOf(row: RegisterRow): i32 {
  if (USES_COILS && row.code <= 2) return 1;
  if (TEXT_BYTES > 0 && isText(row)) return firstOf(row) + 1;
  const type = typeOf(row);
  if (USES_REGISTER_WIDE && type >= REGISTER_U64) return 4;
  return type <= REGISTER_I16 ? 1 : 2;
}

function typeOf(row: RegisterRow): i32 {
  return USES_REGISTER_PARTS ? row.type & 0xff : row.type;
}

function firstOf(row: RegisterRow): i32 {
  return (row.type >> FIRST_SHIFT) & 31;
}

function widthOf(row: RegisterRow): i32 {
  return USES_REGISTER_PARTS ? (row.type >> WIDTH_SHIFT) & 31 : 0;
}

function divideOf(row: RegisterRow): i32 {
  return USES_REGISTER_PARTS ? (row.type >> DIVIDE_SHIFT) & 15 : 0;
}

/** One register, in the row's order of its octets. */
export function halfAt(at: usize, row: RegisterRow): i32 {
  const half = (<i32>load<u8>(at)) | ((<i32>load<u8>(at, 1)) << 8); // low octet first
  return row.order & ORDER_OCTETS ? half : ((half & 0xff) << 8) | (half >> 8);
}
