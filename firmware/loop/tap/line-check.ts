// SPDX-License-Identifier: MIT
// The check of a text line that has one.
//
// Spec: NMEA 0183: $ or !, then what the check is of, then * and its XOR as two hexadecimal digits. No state.

import { hexDigit } from "./octets";

const STAR: u32 = 0x2a;
const LENGTH_MIN = 4; // "$*00"

/** True for a sentence of NMEA 0183 with a right sum. */
export function isSentence(octets: usize, length: i32): bool {
  if (length < LENGTH_MIN) return false;
  const first: u32 = load<u8>(octets);
  const star = length - 3;
  if ((first != 0x24 && first != 0x21) || load<u8>(octets + star) != STAR) return false;
  let sum: i32 = 0;
  for (let i = 1; i < star; i++) sum ^= load<u8>(octets + i);
  const high = hexDigit(load<u8>(octets + star + 1));
  const low = hexDigit(load<u8>(octets + star + 2));
  return ((high << 4) | low) == sum; // below 0 with what is no digit: no sum is
}
