// SPDX-License-Identifier: MIT
// From the registers of a paired answer to the value of a channel.
//
// Spec: SPEC.md §5 (types and orders of a register). Raw units: a 16-bit register is extended, a 32-bit
// one is put together from two; f32 stays as its bits. Rows come from the generator, sorted by tap, unit,
// function code and address. No state but when a row was last heard, which the channel keeps.

import { ModbusTap, registerAt } from "./modbus";

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

/** True when the answer just taken from the tap of the row holds the whole value. */
export function carriesRow(tap: ModbusTap, row: RegisterRow): bool {
  const index = row.address - tap.answerAddress;
  return (
    row.unit == tap.answerUnit &&
    row.code == tap.answerCode &&
    index >= 0 &&
    index + registersOf(row) <= tap.answerQuantity
  );
}

/** Raw value of the row in the answer just taken; carriesRow must be true. */
export function valueOfRow(tap: ModbusTap, row: RegisterRow): i32 {
  const index = row.address - tap.answerAddress;
  const first = halfAt(tap, row, index);
  if (row.type == REGISTER_U16) return first;
  if (row.type == REGISTER_I16) return <i32>(<i16>first);
  const second = halfAt(tap, row, index + 1);
  return row.order & ORDER_WORDS ? (second << 16) | first : (first << 16) | second;
}

function registersOf(row: RegisterRow): i32 {
  return row.type <= REGISTER_I16 ? 1 : 2;
}

function halfAt(tap: ModbusTap, row: RegisterRow, index: i32): i32 {
  const half = registerAt(tap, index);
  return row.order & ORDER_OCTETS ? ((half & 0xff) << 8) | (half >> 8) : half;
}
