// SPDX-License-Identifier: MIT
// The octets of an M-Bus value as digits x 10^-decimals.
//
// Spec: EN 13757-3 annex B: A (BCD), B (integer), F, G, I (dates), H (float). Integers and BCD are exact; a float is the decimal that is
// nearest to it within 1 in 10^14, without floating point. False: no number: digits above 9, an
// invalid date, no finite float, more than 63 bits.
//
// A date is the number YYYYMMDD, with a time YYYYMMDDhhmm or YYYYMMDDhhmmss.

import { TapEvent } from "./event";
import { CONVERT_DATE, CONVERT_DAYS, CONVERT_HOURS, CONVERT_MINUTES } from "./mbus-meaning";
import { conversionOf, exponentOf, Meaning } from "./mbus-meaning";

const CODING_FLOAT = 5;
const CODING_BCD_FIRST = 9;
const CODING_BCD_LAST = 12;
const CODING_BCD_12 = 14;
const VARIABLE_BCD = 0xc0; // C0..CF positive, D0..DF negative
const VARIABLE_BINARY = 0xe0;
const INTEGER_BYTES_MAX = 8;
const BCD_DIGITS_MAX = 18;
const FACTOR_DIGITS_MAX: i64 = 90_000_000_000_000; // times 86,400 is still in 63 bits
const FLOAT_DIGITS_MAX: i64 = 1_000_000_000_000_000_000; // 10^18: times 5 is still in 63 bits

/** Sets digits and decimals of the event from the `bytes` octets at `at`; a DIF's coding, or the length of a variable one. */
export function valueOf(
  event: TapEvent,
  at: usize,
  bytes: i32,
  coding: i32,
  meaning: Meaning,
): bool {
  if (bytes == 0) return false;
  const conversion = conversionOf(meaning);
  if (conversion == CONVERT_DATE) return dateOf(event, at, bytes);
  event.decimals = 0;
  if (coding == CODING_FLOAT) {
    if (!floatOf(event, load<u32>(at))) return false;
  } else if (isBcd(coding)) {
    if (!bcdOf(event, at, bytes, coding >= 0xd0)) return false;
  } else if (!integerOf(event, at, bytes)) return false;
  event.decimals -= exponentOf(meaning);
  return convert(event, conversion);
}

function isBcd(coding: i32): bool {
  if (coding >= VARIABLE_BCD) return coding < VARIABLE_BINARY;
  return (coding >= CODING_BCD_FIRST && coding <= CODING_BCD_LAST) || coding == CODING_BCD_12;
}

// Lowest octet first, with its sign.
function integerOf(event: TapEvent, at: usize, bytes: i32): bool {
  if (bytes > INTEGER_BYTES_MAX) return false;
  let value: i64 = load<i8>(at + bytes - 1);
  for (let i = bytes - 2; i >= 0; i--) value = (value << 8) | load<u8>(at + i);
  event.digits = value;
  return true;
}

// F in the highest digit is a minus.
function bcdOf(event: TapEvent, at: usize, bytes: i32, isNegative: bool): bool {
  let value: i64 = 0;
  let digits = 0;
  for (let i = bytes * 2 - 1; i >= 0; i--) {
    const octet = <i32>load<u8>(at + (i >> 1));
    const digit = i & 1 ? octet >> 4 : octet & 15;
    if (i == bytes * 2 - 1 && digit == 15) {
      isNegative = true;
      continue;
    }
    if (digit > 9) return false;
    value = value * 10 + digit;
    if (value > 0 && ++digits > BCD_DIGITS_MAX) return false;
  }
  event.digits = isNegative ? -value : value;
  return true;
}

// mantissa x 2^power: each halving is a multiplication by 5 and a decimal more, and what grows too long is rounded.
function floatOf(event: TapEvent, bits: u32): bool {
  const exponent = <i32>((bits >> 23) & 255);
  if (exponent == 255) return false;
  let digits: i64 = bits & 0x7f_ffff;
  if (exponent > 0) digits |= 0x80_0000;
  let decimals = 0;
  let power = max(exponent, 1) - 150;
  for (; power < 0 && digits & (1 == 0) && digits != 0; power++) digits >>= 1;
  for (; power != 0 && digits != 0; power += power < 0 ? 1 : -1) {
    if (power < 0) decimals++;
    digits *= power < 0 ? 5 : 2;
    if (digits < FLOAT_DIGITS_MAX) continue;
    digits = (digits + 5) / 10;
    decimals--;
  }
  event.digits = bits >> 31 ? -digits : digits;
  event.decimals = decimals;
  return true;
}

function convert(event: TapEvent, conversion: i32): bool {
  let factor: i64 = 1;
  if (conversion == CONVERT_MINUTES) factor = 60;
  else if (conversion == CONVERT_HOURS) factor = 3600;
  else if (conversion == CONVERT_DAYS) factor = 86_400;
  if (factor == 1) return true;
  for (let i = 0; i < 5 && abs<i64>(event.digits) > FACTOR_DIGITS_MAX; i++) {
    event.digits /= 10;
    event.decimals--;
  }
  event.digits *= factor;
  return true;
}

// Type G of two octets, F of four, I of six.
function dateOf(event: TapEvent, at: usize, bytes: i32): bool {
  event.decimals = 0;
  if (bytes == 2) {
    event.digits = dayOf(load<u8>(at), load<u8>(at, 1));
    return true;
  }
  if (bytes != 4 && bytes != 6) return false;
  const seconds = bytes == 6 ? <i32>(load<u8>(at) & 63) : 0;
  if (bytes == 6) at++;
  const minute = <i32>load<u8>(at);
  if (minute & 0x80) return false; // its clock is not set
  const hour = <i32>(load<u8>(at, 1) & 31);
  const day = dayOf(load<u8>(at, 2), load<u8>(at, 3));
  event.digits = (day * 100 + hour) * 100 + (minute & 63);
  if (bytes == 6) event.digits = event.digits * 100 + seconds;
  return true;
}

// Day in bits 0..4, month in 8..11, year in 5..7 and 12..15.
function dayOf(low: i32, high: i32): i64 {
  const year = ((low >> 5) | ((high >> 4) << 3)) % 100;
  return ((2000 + year) * 100 + (high & 15)) * 100 + (low & 31);
}
