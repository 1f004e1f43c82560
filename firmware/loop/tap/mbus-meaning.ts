// SPDX-License-Identifier: MIT
// What a VIB of M-Bus means: unit, power of ten, factor to the base unit.
//
// Spec: EN 13757-3 annex C, tables of VIF, of its extensions FB and FD, and of VIFEs behind them. A meaning is packed into 32
// bits, so that nothing is kept:  unit u8 | exponent i8 | conversion u8 | 0. Negative: the octets have no
// number that anybody could give a meaning.

import {
  UNIT_AMPERE,
  UNIT_BAR,
  UNIT_CELSIUS,
  UNIT_CUBIC_METRE,
  UNIT_CUBIC_METRE_PER_HOUR,
  UNIT_JOULE,
  UNIT_JOULE_PER_HOUR,
  UNIT_KELVIN,
  UNIT_KILOGRAM,
  UNIT_OTHER,
  UNIT_SECOND,
  UNIT_UNSAID,
  UNIT_VOLT,
  UNIT_WATT,
  UNIT_WATT_HOUR,
} from "./object";

export type Meaning = i32;

/** No number. */
export const MEANING_NONE: Meaning = -1;

// Conversions
export const CONVERT_NOTHING = 0;
export const CONVERT_MINUTES = 1; // to seconds; also of a flow by the minute to one by the hour
export const CONVERT_HOURS = 2; // also of a flow by the second
export const CONVERT_DAYS = 3;
export const CONVERT_DATE = 4;

const EXTENDED = 0x80;
const CODE = 0x7f;
const VIF_TEXT = 0x7c;
const VIF_MANUFACTURER = 0x7f;
const VIF_FIRST_TABLE = 0x7b; // FB
const VIF_SECOND_TABLE = 0x7d; // FD

/** Of the VIB from `at` to `end`, which is whole. */
export function meaningOf(at: usize, end: usize): Meaning {
  const first = <i32>load<u8>(at++);
  const isExtended = (first & EXTENDED) != 0;
  const vif = first & CODE;
  let meaning: Meaning;
  if (vif == VIF_TEXT) {
    at += 1 + load<u8>(at);
    meaning = packed(UNIT_OTHER, 0, CONVERT_NOTHING);
  } else if (vif == VIF_FIRST_TABLE || vif == VIF_SECOND_TABLE) {
    if (!isExtended) return MEANING_NONE; // reserved
    const code = (<i32>load<u8>(at++)) & CODE;
    meaning = vif == VIF_FIRST_TABLE ? firstTable(code) : secondTable(code);
  } else meaning = primary(vif);
  if (vif == VIF_MANUFACTURER) return meaning;
  for (; at < end && meaning >= 0; at++) {
    const vife = (<i32>load<u8>(at)) & CODE;
    if (vife == VIF_MANUFACTURER) break; // what follows is of the maker
    meaning = changed(meaning, vife);
  }
  return meaning;
}

/** Power of ten of a meaning, -128..127. */
export function exponentOf(meaning: Meaning): i32 {
  return <i32>(<i8>(meaning >> 8));
}

/** CONVERT_* of a meaning. */
export function conversionOf(meaning: Meaning): i32 {
  return (meaning >> 16) & 255;
}

function packed(unit: i32, exponent: i32, conversion: i32): Meaning {
  return unit | ((exponent & 255) << 8) | (conversion << 16);
}

function primary(vif: i32): Meaning {
  const n = vif & 7;
  const m = vif & 3;
  switch (vif >> 3) {
    case 0x00:
      return packed(UNIT_WATT_HOUR, n - 3, CONVERT_NOTHING);
    case 0x01:
      return packed(UNIT_JOULE, n, CONVERT_NOTHING);
    case 0x02:
      return packed(UNIT_CUBIC_METRE, n - 6, CONVERT_NOTHING);
    case 0x03:
      return packed(UNIT_KILOGRAM, n - 3, CONVERT_NOTHING);
    case 0x04: // on time, operating time
      return packed(UNIT_SECOND, 0, m);
    case 0x05:
      return packed(UNIT_WATT, n - 3, CONVERT_NOTHING);
    case 0x06:
      return packed(UNIT_JOULE_PER_HOUR, n, CONVERT_NOTHING);
    case 0x07:
      return packed(UNIT_CUBIC_METRE_PER_HOUR, n - 6, CONVERT_NOTHING);
    case 0x08:
      return packed(UNIT_CUBIC_METRE_PER_HOUR, n - 7, CONVERT_MINUTES);
    case 0x09:
      return packed(UNIT_CUBIC_METRE_PER_HOUR, n - 9, CONVERT_HOURS);
    case 0x0a: // kilograms an hour
      return packed(UNIT_OTHER, n - 3, CONVERT_NOTHING);
    case 0x0b: // flow and return temperature
      return packed(UNIT_CELSIUS, m - 3, CONVERT_NOTHING);
    case 0x0c:
      return packed(vif < 0x64 ? UNIT_KELVIN : UNIT_CELSIUS, m - 3, CONVERT_NOTHING);
    case 0x0d:
      return pressureOrDate(vif);
    case 0x0e: // averaging and actuality time
      return packed(UNIT_SECOND, 0, m);
    default:
      return vif <= 0x7a || vif == VIF_MANUFACTURER
        ? packed(vif == VIF_MANUFACTURER ? UNIT_OTHER : UNIT_UNSAID, 0, CONVERT_NOTHING)
        : MEANING_NONE;
  }
}

function pressureOrDate(vif: i32): Meaning {
  if (vif < 0x6c) return packed(UNIT_BAR, (vif & 3) - 3, CONVERT_NOTHING);
  if (vif < 0x6e) return packed(UNIT_UNSAID, 0, CONVERT_DATE);
  return vif == 0x6e ? packed(UNIT_UNSAID, 0, CONVERT_NOTHING) : MEANING_NONE; // heat cost units
}

// Behind FB: large units.
function firstTable(code: i32): Meaning {
  const m = code & 1;
  switch (code >> 1) {
    case 0x00: // 0.1 and 1 MWh
      return packed(UNIT_WATT_HOUR, m + 5, CONVERT_NOTHING);
    case 0x04: // 0.1 and 1 GJ
      return packed(UNIT_JOULE, m + 8, CONVERT_NOTHING);
    case 0x08: // 100 and 1,000 m3
      return packed(UNIT_CUBIC_METRE, m + 2, CONVERT_NOTHING);
    case 0x0c: // 100 and 1,000 t
      return packed(UNIT_KILOGRAM, m + 5, CONVERT_NOTHING);
    case 0x14: // 0.1 and 1 MW
      return packed(UNIT_WATT, m + 5, CONVERT_NOTHING);
    case 0x18: // 0.1 and 1 GJ/h
      return packed(UNIT_JOULE_PER_HOUR, m + 8, CONVERT_NOTHING);
    default:
      return packed(UNIT_OTHER, 0, CONVERT_NOTHING);
  }
}

// Behind FD: electricity, and numbers without a unit.
function secondTable(code: i32): Meaning {
  const k = code & 15;
  if (code >> 4 == 4) return packed(UNIT_VOLT, k - 9, CONVERT_NOTHING);
  if (code >> 4 == 5) return packed(UNIT_AMPERE, k - 12, CONVERT_NOTHING);
  return packed(UNIT_UNSAID, 0, CONVERT_NOTHING);
}

// By a VIFE behind the quantity: an error, a factor, a constant that nobody adds here; others say when or which.
function changed(meaning: Meaning, vife: i32): Meaning {
  if (vife > 0 && vife < 0x20) return MEANING_NONE;
  if (vife >= 0x78 && vife <= 0x7b) return MEANING_NONE;
  const shift = vife >= 0x70 && vife <= 0x77 ? (vife & 7) - 6 : vife == 0x7d ? 3 : 0;
  return packed(meaning & 255, exponentOf(meaning) + shift, conversionOf(meaning));
}
