// SPDX-License-Identifier: MIT
// Matches a text line with the compiled pattern of a device.
//
// Spec: SPEC.md §13. A pattern is octets (scripts/build/generate-line.ts): END | BLANKS | LITERAL octet |
// NUMBER field width | WORDS field first count | SKIP width. Each step takes as much as it can and nothing is
// taken back, so a line costs one look at each octet; a word list LINE_WORDS_MAX comparisons of 8 octets.
// A number is kept as its digits and the place of its point: no rounding before the channel is known.

import { USES_WORD_SCALES } from "../../generated/uses";
import { LINE_FIELDS_MAX } from "../../limits";
import { CAUSE_NONE, QUALITY_GOOD } from "../../wire/record";

export const LINE_END = 0;
export const LINE_BLANKS = 1; // any number of them, also none
export const LINE_LITERAL = 2;
export const LINE_NUMBER = 3; // width in octets, 0: as far as it goes
export const LINE_WORDS = 4; // the longest that fits
export const LINE_SKIP = 5; // width, 0: up to the literal that follows, or to the end

const BLANK = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const DIGITS_LIMIT: i64 = 10_000_000_000_000_000; // 10^16: one digit more stays far from 2^63
const STEPS_MAX: i64 = 0x7fff_ffff;
const SHIFT_MAX = 18; // 10^18 fits an i64

/** One word of a list. */
@unmanaged
export class WordRow {
  low: u32; // octets 0..3, the first one lowest
  high: u32; // octets 4..7
  length: i32; // and from bit 8 on its scaling: twice a power of ten, and 1 for a sign that turns
  value: i32;
  quality: i32; // what it says of the other fields of the line
  cause: i32;
}

/** What was found in a field. */
@unmanaged
export class LineField {
  digits: i64; // without sign and point
  decimals: i32; // digits after the point
  negative: u8;
  overflow: u8; // 1: more digits than are kept
  isWord: u8;
  reserved: u8;
}

/** What was found in a line; followed in memory by its fields. */
@unmanaged
export class Match {
  at: i32; // next octet
  length: i32;
  octets: usize;
  quality: i32; // the worst that a word says
  cause: i32;
  scaling: i32; // of the numbers of the line, as of a word
}

/** Memory of one match, a multiple of 8. */
export const MATCH_BYTES: usize = 24 + LINE_FIELDS_MAX * offsetof<LineField>();

/** A field of a matched line. */
export function matchField(match: Match, index: i32): LineField {
  assert(<u32>index < <u32>LINE_FIELDS_MAX);
  return changetype<LineField>(changetype<usize>(match) + 24 + index * offsetof<LineField>());
}

/** True when the whole line fits the pattern at `program`; `words` is the first WordRow. */
export function matchLine(
  match: Match,
  octets: usize,
  length: i32,
  program: usize,
  words: usize,
): bool {
  match.at = 0;
  match.octets = octets;
  match.length = length;
  match.quality = QUALITY_GOOD;
  match.cause = CAUSE_NONE;
  if (USES_WORD_SCALES) match.scaling = 0;
  for (let step = load<u8>(program); step != LINE_END; step = load<u8>(program)) {
    if (!takeStep(match, step, program + 1, words)) return false;
    program += stepBytes(step);
  }
  return match.at == length;
}

/** The number of a field in steps of 10^-decimals, half a step away from 0; beyond 32 bits: `STEPS_OVER`. */
export function fieldSteps(field: LineField, decimals: i32): i64 {
  if (field.overflow) return STEPS_OVER;
  let steps = field.digits;
  let power: i64 = 1;
  for (let i = decimals; i < field.decimals; i++) power *= 10; // at most 10^17
  steps = (steps + power / 2) / power;
  for (let i = field.decimals; i < decimals; i++) {
    if (steps > STEPS_MAX) return STEPS_OVER;
    steps *= 10;
  }
  if (steps > STEPS_MAX) return STEPS_OVER;
  return field.negative ? -steps : steps;
}

/** The same, with the power of ten and the sign that words of the line said. */
export function scaledSteps(match: Match, field: LineField, decimals: i32): i64 {
  const shifted = decimals + (match.scaling >> 1);
  if (field.decimals - shifted > SHIFT_MAX) return 0; // far below half a step
  const steps = fieldSteps(field, shifted);
  return match.scaling & 1 && steps != STEPS_OVER ? -steps : steps;
}

/** True when the number of a field is below 0. */
export function isNegative(match: Match, field: LineField): bool {
  const turned = USES_WORD_SCALES && !field.isWord ? match.scaling & 1 : 0;
  return ((<i32>field.negative) ^ turned) != 0;
}

/** No number of 32 bits. */
export const STEPS_OVER: i64 = i64.MAX_VALUE;

function stepBytes(step: i32): i32 {
  if (step == LINE_BLANKS) return 1;
  if (step == LINE_NUMBER) return 3;
  return step == LINE_WORDS ? 4 : 2;
}

function takeStep(match: Match, step: i32, operands: usize, words: usize): bool {
  const first = load<u8>(operands);
  switch (step) {
    case LINE_BLANKS:
      takeBlanks(match, match.length);
      return true;
    case LINE_LITERAL:
      if (octetAt(match) != first) return false;
      match.at++;
      return true;
    case LINE_NUMBER:
      return takeNumber(match, matchField(match, first), load<u8>(operands + 1));
    case LINE_WORDS:
      words += load<u8>(operands + 1) * offsetof<WordRow>();
      return takeWord(match, matchField(match, first), words, load<u8>(operands + 2));
    default:
      return takeAny(match, first, operands + 1);
  }
}

// -1 after the last octet.
function octetAt(match: Match): i32 {
  return match.at < match.length ? load<u8>(match.octets + match.at) : -1;
}

function takeBlanks(match: Match, end: i32): void {
  while (match.at < end && octetAt(match) == BLANK) match.at++;
}

// Blanks, a sign, blanks, digits with one point at most.
function takeNumber(match: Match, field: LineField, width: i32): bool {
  const end = width == 0 ? match.length : match.at + width;
  if (end > match.length) return false;
  takeBlanks(match, end);
  const sign = match.at < end ? octetAt(match) : -1;
  field.negative = sign == MINUS ? 1 : 0;
  if (sign == MINUS || sign == PLUS) {
    match.at++;
    takeBlanks(match, end);
  }
  const digits = takeDigits(match, field, end);
  return digits > 0 && (width == 0 || match.at == end);
}

function takeDigits(match: Match, field: LineField, end: i32): i32 {
  let digits = 0;
  let point = false;
  field.digits = 0;
  field.decimals = 0;
  field.overflow = 0;
  field.isWord = 0;
  for (; match.at < end; match.at++) {
    const octet = octetAt(match);
    const digit: u32 = octet - ZERO;
    if (octet == POINT && !point) point = true;
    else if (digit > 9) break;
    else {
      digits++;
      if (field.digits < DIGITS_LIMIT) {
        field.digits = field.digits * 10 + digit;
        if (point) field.decimals++;
      } else if (!point) field.overflow = 1;
    }
  }
  return digits;
}

function takeWord(match: Match, field: LineField, words: usize, count: i32): bool {
  let longest = 0;
  let found: usize = 0;
  for (let i = 0; i < count; i++, words += offsetof<WordRow>()) {
    const word = changetype<WordRow>(words);
    if (lengthOf(word) <= longest || !fits(match, word)) continue;
    longest = lengthOf(word);
    field.digits = abs<i64>(word.value);
    field.negative = word.value < 0 ? 1 : 0;
    field.decimals = 0;
    field.overflow = 0;
    field.isWord = 1;
    found = words;
  }
  if (longest == 0) return false;
  const word = changetype<WordRow>(found);
  match.at += longest;
  if (USES_WORD_SCALES) addScaling(match, word.length >> 8);
  if (word.quality > match.quality) {
    match.quality = word.quality;
    match.cause = word.cause;
  }
  return true;
}

function lengthOf(word: WordRow): i32 {
  return USES_WORD_SCALES ? word.length & 0xff : word.length;
}

// Powers add up, and two turned signs are none.
function addScaling(match: Match, said: i32): void {
  const power = (match.scaling >> 1) + (said >> 1);
  match.scaling = (power << 1) | ((match.scaling ^ said) & 1);
}

function fits(match: Match, word: WordRow): bool {
  const length = lengthOf(word);
  if (match.at + length > match.length) return false;
  for (let i = 0; i < length; i++) {
    const wanted = (i < 4 ? word.low >> (i << 3) : word.high >> ((i - 4) << 3)) & 0xff;
    if (load<u8>(match.octets + match.at + i) != wanted) return false;
  }
  return true;
}

// So many octets, or all before the literal whose step is at `next`.
function takeAny(match: Match, width: i32, next: usize): bool {
  if (width > 0) {
    match.at += width;
    return match.at <= match.length;
  }
  const until = load<u8>(next) == LINE_LITERAL ? load<u8>(next + 1) : -1;
  while (match.at < match.length && octetAt(match) != until) match.at++;
  return true;
}
