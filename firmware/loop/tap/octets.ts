// SPDX-License-Identifier: MIT
// What several protocols do with an octet: a hex digit, a step of a CRC.
//
// Pure. CRC-16 reflected; start and final value are the caller's.

/** CRC-16/ARC and Modbus. */
export const CRC_A001: u32 = 0xa001;
/** CRC-16/X-25 and Kermit. */
export const CRC_8408: u32 = 0x8408;

/** The CRC with one octet more: eight shifts. */
export function stepCrc16(before: u32, octet: i32, polynomial: u32): u32 {
  let crc = before ^ octet;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1;
  return crc;
}

/** Value of a hex digit in capitals or small letters; -1: it is none. */
export function hexDigit(octet: i32): i32 {
  const digit: u32 = octet - 0x30;
  if (digit <= 9) return digit;
  const letter: u32 = (octet & 0xdf) - 0x41;
  return letter <= 5 ? letter + 10 : -1;
}
