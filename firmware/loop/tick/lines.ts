// SPDX-License-Identifier: MIT
// Text lines of a tick: octets ► lines ► fields ► channels; tap counters.
//
// Spec: SPEC.md §1.3, §13. State: one LineTap a tap, one Match and the time that the counters are due, in
// static memory. The first pattern of a tap that fits a line has it. Each line is told when it is heard.

import {
  FIELD_COUNT,
  FIELD_ROWS,
  LINE_COUNT,
  LINE_ROWS,
  PATTERN_COUNT,
  PATTERN_ROWS,
  PROGRAM,
  WORD_ROWS,
} from "../../generated/loop";
import { USES_ABSENT_FIELDS, USES_LINE_CHECKS, USES_WORD_SCALES } from "../../generated/uses";
import { TAP_ENTRIES_PER_TICK } from "../../limits";
import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
} from "../../wire/record";
import { QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import {
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import { ring_put, tap_take } from "../abi";
import { acceptSample } from "../filter";
import { encodeState } from "../record";
import {
  countLine,
  dropLine,
  LINE_TAP_BYTES,
  lineCounters,
  lineLength,
  lineOctets,
  LineTap,
  putLineOctet,
  startLine,
} from "../tap/line";
import { isSentence } from "../tap/line-check";
import {
  fieldSteps,
  isNegative,
  LineField,
  Match,
  MATCH_BYTES,
  matchField,
  matchLine,
  scaledSteps,
  STEPS_OVER,
} from "../tap/match";
import { channelState, checkHeard, RECORD, settle, SPARE, tickMs, tickUs } from "./channels";

const CHECK_NMEA = 256; // of LineRow.terminator
const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters

@unmanaged
class LineRow {
  tap: i32; // order in node.json
  characterUs: i32;
  terminator: i32; // and 256 where each line is a sentence of NMEA 0183 with a right sum
  afterReturn: i32;
}

@unmanaged
class PatternRow {
  line: i32; // order of LineRow
  start: i32; // in PROGRAM
}

@unmanaged
class FieldRow {
  channel: i32;
  pattern: i32;
  field: i32; // order in its pattern; -1: the line says that it is no number
  decimals: i32;
  staleMs: i32;
}

const DUE = memory.data(4, 4); // when the counters are told, ms
const ENTRIES = memory.data(LINE_COUNT > 0 ? TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES : SPARE, 4);
const LINES = memory.data(LINE_COUNT * LINE_TAP_BYTES + SPARE, 4);
const MATCH = memory.data(LINE_COUNT > 0 ? MATCH_BYTES : SPARE, 8);

/** Once at the start. */
export function startLines(): void {
  for (let i = 0; i < LINE_COUNT; i++) {
    const row = lineRow(i);
    const tap = lineTap(i);
    tap.characterUs = row.characterUs;
    tap.terminator = USES_LINE_CHECKS ? row.terminator & 0xff : row.terminator;
    tap.afterReturn = row.afterReturn;
    startLine(tap, tickUs());
  }
}

/** Takes what came since the tick before. */
export function hearLines(): void {
  for (let i = 0; i < LINE_COUNT; i++) {
    const tap = lineTap(i);
    const count = tap_take(lineRow(i).tap, ENTRIES, TAP_ENTRIES_PER_TICK);
    assert(<u32>count <= <u32>TAP_ENTRIES_PER_TICK);
    for (let k = 0; k < count; k++) {
      const entry = ENTRIES + k * TAP_ENTRY_BYTES;
      const octet = load<u8>(entry + TAP_ENTRY_BYTE);
      const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
      const whole = putLineOctet(tap, octet, flags, load<u32>(entry + TAP_ENTRY_TIME_US));
      if (!whole) continue;
      if (USES_LINE_CHECKS && isWrong(i, tap)) dropLine(tap);
      else countLine(tap, hearLine(i, tap));
    }
  }
}

/** Fields that were not heard for too long become bad. */
export function checkFields(): void {
  for (let i = 0; i < FIELD_COUNT; i++) checkHeard(fieldRow(i).channel, fieldRow(i).staleMs);
}

/** The counters of every tap of lines, when they are due. */
export function tellLines(): void {
  if (<i32>(tickMs() - load<u32>(DUE)) < 0) return;
  store<u32>(DUE, tickMs() + STATE_PERIOD_MS);
  for (let i = 0; i < LINE_COUNT; i++)
    ring_put(RECORD, encodeState(RECORD, tickUs(), lineRow(i).tap, lineCounters(lineTap(i))));
}

function isWrong(line: i32, tap: LineTap): bool {
  const length = lineLength(tap);
  if (lineRow(line).terminator < CHECK_NMEA || length == 0) return false; // an empty line is none
  return !isSentence(lineOctets(tap), length);
}

function hearLine(line: i32, tap: LineTap): bool {
  const match = changetype<Match>(MATCH);
  const length = lineLength(tap);
  if (length <= 0) return false;
  for (let i = 0; i < PATTERN_COUNT; i++) {
    const row = patternRow(i);
    if (row.line != line) continue;
    if (
      matchLine(match, lineOctets(tap), length, PROGRAM + row.start, changetype<usize>(WORD_ROWS))
    ) {
      hearFields(match, i);
      return true;
    }
  }
  return false;
}

function hearFields(match: Match, pattern: i32): void {
  for (let i = 0; i < FIELD_COUNT; i++) {
    const row = fieldRow(i);
    if (row.pattern == pattern) hearField(match, row);
  }
}

// A word is what the device says of itself, so it holds even when it says that the number is none.
function hearField(match: Match, row: FieldRow): void {
  const state = channelState(row.channel);
  if (USES_ABSENT_FIELDS && row.field < 0) {
    const isSaid = match.quality == QUALITY_BAD;
    acceptSample(state, state.value, QUALITY_BAD, isSaid ? match.cause : CAUSE_NOT_A_NUMBER);
    state.heardMs = tickMs();
    settle(row.channel);
    return;
  }
  const field = matchField(match, row.field);
  const steps = stepsOf(match, field, row.decimals);
  const quality = field.isWord ? QUALITY_GOOD : match.quality;
  if (quality == QUALITY_BAD) acceptSample(state, state.value, QUALITY_BAD, match.cause);
  else if (steps == STEPS_OVER) {
    const cause = isNegative(match, field) ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
    acceptSample(state, state.value, QUALITY_BAD, cause);
  } else acceptSample(state, <i32>steps, quality, CAUSE_NONE);
  state.heardMs = tickMs();
  settle(row.channel);
}

// A word is a whole number, whatever others say of the numbers beside it.
function stepsOf(match: Match, field: LineField, decimals: i32): i64 {
  if (!USES_WORD_SCALES || field.isWord) return fieldSteps(field, decimals);
  return scaledSteps(match, field, decimals);
}

function lineRow(index: i32): LineRow {
  return changetype<LineRow>(changetype<usize>(LINE_ROWS) + index * offsetof<LineRow>());
}

function patternRow(index: i32): PatternRow {
  return changetype<PatternRow>(changetype<usize>(PATTERN_ROWS) + index * offsetof<PatternRow>());
}

function fieldRow(index: i32): FieldRow {
  return changetype<FieldRow>(changetype<usize>(FIELD_ROWS) + index * offsetof<FieldRow>());
}

function lineTap(index: i32): LineTap {
  return changetype<LineTap>(LINES + index * LINE_TAP_BYTES);
}
