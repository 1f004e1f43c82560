// SPDX-License-Identifier: MIT
// From the registers of a paired answer to the value of a channel.
//
// Spec: SPEC.md §5 (types and orders of a register). Raw units: a 16-bit register is extended, a 32-bit
// one is put together from two; f32 stays as its bits. Rows come from the generator, sorted by tap, unit,
// function code and address. No state but when a row was last heard, which the channel keeps.

import { TapEvent } from "./event";

const REGISTER_U16 = 0;
const REGISTER_I16 = 1;
const ORDER_WORDS = 1; // the low half comes first: CDAB, DCBA
const ORDER_OCTETS = 2; // the octets of each half are swapped: BADC, DCBA

/** One mapped register, or two for a 32-bit value. */
@unmanaged
export class RegisterRow {
  channel: i32;
  tap: i32;
  unit: i32;
  code: i32; // function code, 3 or 4
  address: i32;
  type: i32; // 0 u16, 1 i16, 2 u32, 3 i32, 4 f32
  order: i32; // 0 ABCD, 1 CDAB, 2 BADC, 3 DCBA
  staleMs: i32; // 0: never stale
}

/** True when the answered read holds the whole value of the row. */
export function carriesRow(event: TapEvent, row: RegisterRow): bool {
  const index = row.address - event.address;
  return (
    row.unit == event.unit &&
    row.code == event.code &&
    index >= 0 &&
    index + registersOf(row) <= event.quantity
  );
}

/** Raw value of the row in an answered read; carriesRow must be true. */
export function valueOfRow(event: TapEvent, row: RegisterRow): i32 {
  const at = event.values + ((row.address - event.address) << 1);
  const first = halfAt(at, row);
  if (row.type == REGISTER_U16) return first;
  if (row.type == REGISTER_I16) return <i32>(<i16>first);
  const second = halfAt(at + 2, row);
  return row.order & ORDER_WORDS ? (second << 16) | first : (first << 16) | second;
}

function registersOf(row: RegisterRow): i32 {
  return row.type <= REGISTER_I16 ? 1 : 2;
}

function halfAt(at: usize, row: RegisterRow): i32 {
  const half = (<i32>load<u8>(at)) | ((<i32>load<u8>(at, 1)) << 8); // low octet first
  return row.order & ORDER_OCTETS ? half : ((half & 0xff) << 8) | (half >> 8);
}
