// SPDX-License-Identifier: MIT
// Which register of a Modbus line a channel is, from a birth.
//
// Spec: SPEC.md §5 "6 register". What is wrong sets the reader's sticky error.

import * as cbor from "./cbor-reader.ts";
import * as limits from "./limits.ts";

/** A register of a tap; the tap is its order in the birth. */
export interface RegisterSource {
  tap: number;
  unitId: number;
  functionCode: number;
  address: number;
  type: string; // "text 8" of eight registers; of a part of the value "u16 bits 4-7"; "bit" of a coil or a discrete input
  order: string;
}

const REGISTER_TYPES = ["u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64", "text"];
const REGISTER_ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"];

/** Takes the array of a register. */
export function takeRegister(reader: cbor.CborReader): RegisterSource {
  const items = cbor.takeArray(reader);
  if (items < 6 || items > 8) reader.failed = true;
  const register = {
    tap: cbor.takeUnsigned(reader, limits.TAPS_MAX - 1),
    unitId: cbor.takeUnsigned(reader, 255),
    functionCode: cbor.takeUnsigned(reader, 127),
    address: cbor.takeUnsigned(reader, 65_535),
    type: REGISTER_TYPES[cbor.takeUnsigned(reader, REGISTER_TYPES.length - 1)] ?? "",
    order: REGISTER_ORDERS[cbor.takeUnsigned(reader, 3)] ?? "",
  };
  if (register.functionCode <= 2) return { ...register, type: "bit", order: "" };
  if ((register.type === "text") !== (items === 7)) reader.failed = true;
  if (items === 7) {
    const registers = cbor.takeUnsigned(reader, limits.READING_CHARS_MAX / 2);
    return { ...register, type: `text ${registers}` };
  }
  if (items !== 8) return register;
  const bit = cbor.takeUnsigned(reader, 31);
  const last = bit + cbor.takeUnsigned(reader, 31) - 1;
  const part = last === bit ? `bit ${bit}` : `bits ${bit}-${last}`;
  return { ...register, type: `${register.type} ${part}` };
}
