// SPDX-License-Identifier: MIT
// Data sets of IEC 62056-21 and DSMR P1, octet by octet: id(value*unit)(value)...
//
// Spec: IEC 62056-21 §5.8, SPEC.md §17. Nothing is buffered: a number is kept as its digits while it comes.
// Prefixes k, M and G become decimals, so that kWh and Wh of one object are one unit. A line that begins
// with a parenthesis goes on with the values of the line before it.
//
//   ID -'('-> VALUE -')'-> AFTER -'('-> VALUE | CR, LF -> START | id -> ID        START -'!'-> the end

import { keepValue, Objects, openObject, scaleOf } from "./object";
import { KEY_MEDIUM, RANK_MEASURED, RANK_NUMBER, RANK_TEXT } from "./object";
import {
  UNIT_AMPERE,
  UNIT_BAR,
  UNIT_CELSIUS,
  UNIT_CUBIC_METRE,
  UNIT_CUBIC_METRE_PER_HOUR,
  UNIT_HERTZ,
  UNIT_JOULE,
  UNIT_OTHER,
  UNIT_UNSAID,
  UNIT_VAR,
  UNIT_VAR_HOUR,
  UNIT_VOLT,
  UNIT_VOLT_AMPERE,
  UNIT_VOLT_AMPERE_HOUR,
  UNIT_WATT,
  UNIT_WATT_HOUR,
} from "./object";

export const DATA_GOES_ON = 0;
export const DATA_ENDS = 1; // a ! at the start of a line
export const DATA_BAD = 2; // no data set

const STATE_START = 0; // of a line
const STATE_ID = 1;
const STATE_VALUE = 2;
const STATE_UNIT = 3;
const STATE_AFTER = 4; // a value

const CR = 13;
const LF = 10;
const OPEN = 0x28;
const CLOSE = 0x29;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const END_MARK = 0x21;
const AMPERSAND = 0x26; // as *, where a reset was made by hand

const ID_CHARACTERS_MAX = 24; // 255-255:255.255.255*255 has 23
const UNIT_CHARACTERS_MAX = 8;
const PART_MAX = 255;
const DIGITS_MAX: i64 = 10_000_000_000_000_000; // 10^16: a number has 17 digits at most, 52185.7825309 has 12
const KILO = 0x6b;
const MEGA = 0x4d;
const GIGA = 0x47;

// Where an id is: in A (or C, where there is no A), after -, :, a point, two points, *
const POSITION_A = 0;
const POSITION_B = 1;
const POSITION_C = 2;
const POSITION_D = 3;
const POSITION_E = 4;
const POSITION_F = 5;

// Bits of a key
const A_AT = 40;
const B_AT = 32;
const C_AT = 24;
const D_AT = 16;
const E_AT = 8;
const UNSAID: u64 = 255;

/** One stream of data sets. */
@unmanaged
export class Dataset {
  digits: i64; // of the open value
  unit: u64; // its characters, the first one lowest
  key: u64; // of the open id, as far as it came
  state: i32;
  position: i32; // in the id
  characters: i32; // of the id, of the unit
  number: i32; // open number of the id
  numberCharacters: i32;
  decimals: i32;
  digitCount: i32;
  part: i32; // which value of its object, 1 the first
  negative: u8;
  point: u8;
  isText: u8;
  hasKey: u8; // an object is open: values belong to it
  isOdd: u8; // an id that is none of ours
  reserved0: u8;
  reserved: u16;
}

export const DATASET_BYTES: usize = offsetof<Dataset>();

/** A telegram begins. */
export function startDataset(data: Dataset): void {
  data.state = STATE_START;
  data.hasKey = 0;
  data.part = 0;
}

/** True where a block may end: some value came, and none is open. */
export function isBetween(data: Dataset): bool {
  return data.part > 0 && (data.state == STATE_START || data.state == STATE_AFTER);
}

/** True in a unit, where a / may stand. */
export function isInUnit(data: Dataset): bool {
  return data.state == STATE_UNIT;
}

/** Takes one octet; DATA_*. */
export function putData(data: Dataset, objects: Objects, octet: i32): i32 {
  switch (data.state) {
    case STATE_VALUE:
      return putValue(data, objects, octet);
    case STATE_UNIT:
      return putUnit(data, objects, octet);
    case STATE_ID:
      return putId(data, objects, octet);
    default:
      return putBetween(data, octet);
  }
}

function putBetween(data: Dataset, octet: i32): i32 {
  if (octet == CR || octet == LF) {
    data.state = STATE_START;
    return DATA_GOES_ON;
  }
  if (octet == END_MARK) return data.state == STATE_START ? DATA_ENDS : DATA_BAD;
  if (octet == OPEN) {
    openValue(data);
    return DATA_GOES_ON;
  }
  data.state = STATE_ID;
  data.key = 0;
  data.position = POSITION_A;
  data.isOdd = 0;
  data.characters = 0;
  data.number = 0;
  data.numberCharacters = 0;
  return takeIdCharacter(data, octet) ? DATA_GOES_ON : DATA_BAD;
}

function putId(data: Dataset, objects: Objects, octet: i32): i32 {
  if (octet != OPEN) return takeIdCharacter(data, octet) ? DATA_GOES_ON : DATA_BAD;
  data.hasKey = closeId(data) ? 1 : 0;
  if (data.hasKey) openObject(objects, data.key);
  data.part = 0;
  openValue(data);
  return DATA_GOES_ON;
}

function openValue(data: Dataset): void {
  data.state = STATE_VALUE;
  data.digits = 0;
  data.unit = 0;
  data.characters = 0;
  data.decimals = 0;
  data.digitCount = 0;
  data.negative = 0;
  data.point = 0;
  data.isText = 0;
  if (data.part < PART_MAX) data.part++;
}

// Anything printable may be a text; sign, digits and one point are a number.
function putValue(data: Dataset, objects: Objects, octet: i32): i32 {
  if (octet == CLOSE) return closeValue(data, objects);
  if (octet < 0x20 || octet == OPEN || octet == 0x7f) return DATA_BAD;
  const digit: u32 = octet - ZERO;
  if (digit <= 9) takeDigit(data, digit);
  else if (octet == POINT && !data.point) data.point = 1;
  else if (octet == STAR && data.digitCount > 0) data.state = STATE_UNIT;
  else if ((octet == MINUS || octet == PLUS) && data.digitCount == 0 && !data.point) {
    if (data.negative) data.isText = 1;
    data.negative = octet == MINUS ? 1 : 2;
  } else data.isText = 1;
  return DATA_GOES_ON;
}

function takeDigit(data: Dataset, digit: i64): void {
  data.digitCount++;
  if (data.digits < DIGITS_MAX) {
    data.digits = data.digits * 10 + digit;
    if (data.point) data.decimals++;
  } else if (!data.point) data.isText = 1; // more digits than a number has
}

function putUnit(data: Dataset, objects: Objects, octet: i32): i32 {
  if (octet == CLOSE) return closeValue(data, objects);
  if (octet < 0x20 || octet == OPEN || octet == STAR || octet == 0x7f) return DATA_BAD;
  if (data.characters < UNIT_CHARACTERS_MAX) data.unit |= (<u64>octet) << (data.characters << 3);
  data.characters++;
  return DATA_GOES_ON;
}

function closeValue(data: Dataset, objects: Objects): i32 {
  const hasUnit = data.state == STATE_UNIT;
  data.state = STATE_AFTER;
  if (!data.hasKey) return DATA_GOES_ON;
  if (data.isText || data.digitCount == 0) {
    keepValue(objects, data.part, RANK_TEXT, 0, scaleOf(0, UNIT_UNSAID));
    return DATA_GOES_ON;
  }
  const digits = data.negative == 1 ? -data.digits : data.digits;
  let decimals = data.decimals;
  let unit = hasUnit ? data.unit : 0;
  if (data.characters > UNIT_CHARACTERS_MAX) unit = ~0;
  const prefix = prefixOf(unit);
  if (prefix > 0) {
    decimals -= prefix;
    unit >>= 8;
  }
  const rank = hasUnit ? RANK_MEASURED : RANK_NUMBER;
  keepValue(
    objects,
    data.part,
    rank,
    digits,
    scaleOf(decimals, hasUnit ? unitCode(unit) : UNIT_UNSAID),
  );
  return DATA_GOES_ON;
}

// Powers of ten of a prefix, where a unit that is known stands behind it.
function prefixOf(unit: u64): i32 {
  const first = <i32>(unit & 0xff);
  const power = first == KILO ? 3 : first == MEGA ? 6 : first == GIGA ? 9 : 0;
  return power > 0 && unitCode(unit >> 8) != UNIT_OTHER ? power : 0;
}

// Characters of a unit, the first one in the lowest octet.
function unitCode(unit: u64): i32 {
  if (unit == 0x68_57) return UNIT_WATT_HOUR; // Wh
  if (unit == 0x57) return UNIT_WATT; // W
  if (unit == 0x56) return UNIT_VOLT; // V
  if (unit == 0x41) return UNIT_AMPERE; // A
  if (unit == 0x33_6d) return UNIT_CUBIC_METRE; // m3
  if (unit == 0x4a) return UNIT_JOULE; // J
  if (unit == 0x72_61_76) return UNIT_VAR; // var
  if (unit == 0x68_72_61_76) return UNIT_VAR_HOUR; // varh
  if (unit == 0x41_56) return UNIT_VOLT_AMPERE; // VA
  if (unit == 0x68_41_56) return UNIT_VOLT_AMPERE_HOUR; // VAh
  if (unit == 0x7a_48) return UNIT_HERTZ; // Hz
  if (unit == 0x68_2f_33_6d || unit == 0x68_70_33_6d) return UNIT_CUBIC_METRE_PER_HOUR; // m3/h, m3ph
  if (unit == 0x43) return UNIT_CELSIUS; // C
  if (unit == 0x72_61_62) return UNIT_BAR; // bar
  return UNIT_OTHER;
}

// An id that is none of ours is passed over; one with a strange character is no data set.
function takeIdCharacter(data: Dataset, octet: i32): bool {
  if (++data.characters > ID_CHARACTERS_MAX) return false;
  const digit: u32 = octet - ZERO;
  if (digit <= 9) {
    data.number = data.number * 10 + digit;
    data.numberCharacters++;
    if (data.number > 255) data.isOdd = 1;
    data.number &= 0xffff;
    return true;
  }
  const letter = letterOf(octet);
  if (letter < 0) return takeSeparator(data, octet);
  if (data.numberCharacters > 0 || letter == 0) data.isOdd = 1;
  data.number = letter;
  data.numberCharacters = 1;
  return true;
}

// C, F, L, P stand for 96 to 99; 0: another letter, -1: none.
function letterOf(octet: i32): i32 {
  if (octet == 0x43) return 96;
  if (octet == 0x46) return 97;
  if (octet == 0x4c) return 98;
  if (octet == 0x50) return 99;
  const upper = octet & 0xdf;
  return upper >= 0x41 && upper <= 0x5a ? 0 : -1;
}

function takeSeparator(data: Dataset, octet: i32): bool {
  const at = data.position;
  if (octet == MINUS) {
    closeNumber(data, A_AT);
    if (at != POSITION_A) data.isOdd = 1;
    data.position = POSITION_B;
  } else if (octet == COLON) {
    // 0:96.7.19 of an old meter has no B: its A alone is not compared.
    closeNumber(data, at == POSITION_B ? B_AT : A_AT);
    if (at == POSITION_B) data.key |= KEY_MEDIUM;
    if (at > POSITION_B) data.isOdd = 1;
    data.position = POSITION_C;
  } else if (octet == POINT) {
    closeNumber(data, at == POSITION_D ? D_AT : C_AT);
    if (at == POSITION_B || at > POSITION_D) data.isOdd = 1;
    data.position = at == POSITION_D ? POSITION_E : POSITION_D;
  } else if (octet == STAR || octet == AMPERSAND) {
    closeIndex(data);
    data.position = POSITION_F;
  } else return false;
  return true;
}

// Without its E, as F.F and 6.8, an id has 255 there.
function closeIndex(data: Dataset): void {
  if (data.position == POSITION_E) closeNumber(data, E_AT);
  else {
    if (data.position != POSITION_D) data.isOdd = 1;
    closeNumber(data, D_AT);
    data.key |= UNSAID << E_AT;
  }
}

function closeNumber(data: Dataset, at: i32): void {
  if (data.numberCharacters == 0) data.isOdd = 1;
  data.key |= (<u64>(data.number & 0xff)) << at;
  data.number = 0;
  data.numberCharacters = 0;
}

// False: not of the form [A-B:]C.D[.E][*F].
function closeId(data: Dataset): bool {
  if (data.position == POSITION_F) closeNumber(data, 0);
  else {
    closeIndex(data);
    data.key |= UNSAID;
  }
  return !data.isOdd;
}
