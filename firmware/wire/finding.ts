// SPDX-License-Identifier: MIT
// What a tap finds out about its line: rows of ring records, items of a message.
//
// Spec: SPEC.md §1.4 (kinds 5, 6, 7), §16. Little-endian in a record. An item of a message is an array
// `[form, tap, …]` with the fields of the row in the same order, so link needs their widths only.

// Forms of rows. A record of kind 5 has one row of FORM_LINE, one of kind 6 says its form in RECORD_FORM.
export const FORM_LINE = 0;
export const FORM_REGISTERS = 1;
export const FORM_POLLS = 2;
export const FORM_TOTALS = 3;
export const FORM_COUNT = 4;

// FORM_LINE
export const LINE_BAUD = 0; // u32, 0: none
export const LINE_FORMAT = 4; // u8, 0 none, else LINE_FORMATS
export const LINE_INVERTED = 5; // u8
export const LINE_PROTOCOL = 6; // u8, a number of tap.ts, 0: not known
export const LINE_CONFIDENCE = 7; // u8, %
export const LINE_COVERAGE = 8; // u8, octets inside frames with a right check, %
export const LINE_PHASE = 9; // u8
export const LINE_FRAMES = 10; // u16
export const LINE_EDGES = 12; // u32
export const LINE_BYTES = 16;

export const PHASE_LISTENING = 0;
export const PHASE_LINE = 1; // rate and format are known
export const PHASE_PROTOCOL = 2; // the protocol too
export const PHASE_CHANGED = 3; // the line is another one now
export const PHASE_NONE = 4; // no serial line

// FORM_REGISTERS: 16 bits of a table. Of codes 1 and 2 they are 16 coils from the address on, the first in bit 0.
export const REGISTER_UNIT = 0; // u8
export const REGISTER_CODE = 1; // u8, the function code that reads the table: 1..4
export const REGISTER_ADDRESS = 2; // u16
export const REGISTER_NOW = 4; // u16, latest value
export const REGISTER_MIN = 6; // u16; of coils those that were always 1
export const REGISTER_MAX = 8; // u16; of coils those that were ever 1
export const REGISTER_WRITES = 10; // u16, stays at 65535
export const REGISTER_CHANGES = 12; // u32
export const REGISTER_SAMPLES = 16; // u32, how often it was heard
export const REGISTER_BYTES = 20;

// FORM_POLLS: one question that is asked again and again
export const POLL_UNIT = 0; // u8
export const POLL_CODE = 1; // u8, function code
export const POLL_ADDRESS = 2; // u16
export const POLL_QUANTITY = 4; // u16
export const POLL_REASON = 6; // u16, of the latest exception; 0: none
export const POLL_ANSWERED = 8; // u32
export const POLL_EXCEPTIONS = 12; // u32
export const POLL_UNANSWERED = 16; // u32
export const POLL_PERIOD_MS = 20; // u32, smoothed; 0: asked once
export const POLL_ANSWER_US = 24; // u32, from the end of the question to the end of the answer, smoothed
export const POLL_ANSWER_US_MAX = 28; // u32
export const POLL_BYTES = 32;

// FORM_TOTALS
export const TOTALS_REGISTERS = 0; // u16, rows known
export const TOTALS_POLLS = 2; // u16
export const TOTALS_REGISTERS_LEFT_OUT = 4; // u32, samples of registers that found no row
export const TOTALS_POLLS_LEFT_OUT = 8; // u32
export const TOTALS_BYTES = 12;

// Value of a record of kind 7
export const NOTICE_NUMBER = 0; // u8, NOTICE_*
export const NOTICE_UNIT = 1; // u8, NOTICE_NO_UNIT: none
export const NOTICE_CODE = 2; // u8, function code, 0: none
export const NOTICE_SPARE = 3; // u8, 0
export const NOTICE_ADDRESS = 4; // u16
export const NOTICE_QUANTITY = 6; // u16
export const NOTICE_VALUE = 8; // u32, first value of a write, reason of an exception
export const NOTICE_TIMES = 12; // u16, how often since it was told before, 1 or more, stays at 65535
export const NOTICE_SPARE_2 = 14; // u16, 0
export const NOTICE_BYTES = 16;
export const NOTICE_NO_UNIT = 255;

// Numbers of notices; their words are in notice-names.ts.
export const NOTICE_WRITE = 1; // FC 5, 6, 15, 16, 22, 23
export const NOTICE_NEW_UNIT = 2; // it answers for the first time, after the time of learning
export const NOTICE_IDENTIFICATION = 3; // FC 17, 43/14, 8
export const NOTICE_UNIT_SWEEP = 4; // many units asked that never answered
export const NOTICE_ADDRESS_SWEEP = 5; // many questions that were never asked before
export const NOTICE_PROBING = 6; // many new questions refused with exception 1 or 2
export const NOTICE_EXCEPTIONS = 7; // many other exceptions
export const NOTICE_LISTEN_ONLY = 8; // FC 8/4
export const NOTICE_RESTART = 9; // FC 8/1
export const NOTICE_LINE_CHANGED = 10;
export const NOTICE_UNIT_SILENT = 11; // it answered before
export const NOTICE_OVERFLOW = 12; // notices that found no place
export const NOTICE_LAST = 12; // of a node that only listens
export const NOTICE_SECOND_MASTER = 13; // on a line that the node polls

// Labels of the map on `tap`
export const FINDINGS_BOOT = 0;
export const FINDINGS_LOST = 1; // records that link pushed out, u32, wrapping; absent: 0
export const FINDINGS_ITEMS = 2;
