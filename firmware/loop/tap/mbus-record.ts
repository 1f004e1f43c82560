// SPDX-License-Identifier: MIT
// Records of an M-Bus answer: DIF [DIFE...] VIF [VIFE...] data each.
//
// Spec: EN 13757-3 §6 (data information block), annex B, C; SPEC.md §17. Read in place, from a frame with a right sum. A record
// that does not fit its frame ends the reading: nothing of it or behind it is told. What has no number (text,
// digits that are none, an invalid date, an error code in its VIF) is told without one.
//
//   CI 72: header of 12 | CI 7A: of 4 | CI 78: none | CI 73: two counters | CI 70: an error

import { TAP_EVENT_READING, TAP_EVENT_TEXT, TapEvent } from "./event";
import { meaningOf, Meaning } from "./mbus-meaning";
import { valueOf } from "./mbus-value";
import { UNIT_OTHER, UNIT_UNSAID } from "./object";
import { M_BUS_EXTENSIONS_MAX } from "../../limits";

const CI_ERROR = 0x70;
const CI_LONG_HEADER = 0x72;
const CI_FIXED = 0x73;
const CI_NO_HEADER = 0x78;
const CI_SHORT_HEADER = 0x7a;
const LONG_HEADER_BYTES = 12;
const SHORT_HEADER_BYTES = 4;
const FIXED_BYTES = 16;
const FIXED_COUNTERS = 8; // where they are in it
const FIXED_BINARY: i32 = 0x80; // of the status
const CIPHER = 0x1f; // of the second octet of the signature: its mode
const CIPHERS = 0x27bc; // a bit for each mode that enciphers: 2 to 5, 7 to 10, 13; old meters have a sum there

const DIF_FILLER = 0x2f;
const DIF_MANUFACTURER = 0x0f;
const DIF_MORE_FOLLOWS = 0x1f;
const CODING_VARIABLE = 13;
const CODING_BCD_FIRST = 9; // 9..12: 2 to 8 digits
const VIF_TEXT = 0x7c; // its characters follow it
const EXTENDED = 0x80;

/** An answer, and where its reading is. */
@unmanaged
export class Records {
  at: usize; // next octet
  end: usize; // behind the last one
  counter: i32; // of the fixed structure, told next: 1, 2; 0: none
  unit: i32; // address of the meter
  id: u32; // 8 digits, as they are written; 0: not said
  reason: i32; // of an error
  broken: i32; // 1: a record did not fit
  binary: i32; // 1: counters of the fixed structure are no digits
}

/** `length` octets from C on. */
export function startRecords(records: Records, body: usize, length: i32): void {
  const ci = load<u8>(body, 2);
  const data = body + 3;
  const bytes = length - 3;
  records.end = data + bytes;
  records.at = records.end;
  records.counter = 0;
  records.unit = load<u8>(body, 1);
  records.id = 0;
  records.reason = ci == CI_ERROR && bytes > 0 ? load<u8>(data) : 0;
  records.broken = 0;
  if (ci == CI_LONG_HEADER) openRecords(records, data, bytes, LONG_HEADER_BYTES);
  else if (ci == CI_SHORT_HEADER) openRecords(records, data, bytes, SHORT_HEADER_BYTES);
  else if (ci == CI_NO_HEADER) records.at = data;
  else if (ci == CI_FIXED) openFixed(records, data, bytes);
}

/** The next record as READING or TEXT; false: none. Its name are its DIB and VIB, or nothing in the fixed structure. */
export function takeRecord(records: Records, event: TapEvent): bool {
  event.unit = records.unit;
  event.address = 0;
  if (records.counter > 0) return takeCounter(records, event);
  while (records.at < records.end && load<u8>(records.at) == DIF_FILLER) records.at++;
  if (records.at >= records.end) return false;
  const dif = <i32>load<u8>(records.at);
  event.name = records.at;
  if (dif == DIF_MANUFACTURER || dif == DIF_MORE_FOLLOWS) {
    event.nameBytes = 1;
    tellText(event, records.at + 1, <i32>(records.end - records.at) - 1);
    records.at = records.end;
    return true;
  }
  if (takeWhole(records, event, dif)) return true;
  records.broken = 1;
  records.at = records.end;
  return false;
}

function openRecords(records: Records, data: usize, bytes: i32, header: i32): void {
  if (bytes < header) {
    records.broken = 1;
    return;
  }
  if (header == LONG_HEADER_BYTES) records.id = load<u32>(data);
  // What is enciphered is not read.
  const cipher = load<u8>(data + header - 1) & CIPHER;
  if (((CIPHERS >> cipher) & 1) == 0) records.at = data + header;
}

function openFixed(records: Records, data: usize, bytes: i32): void {
  if (bytes < FIXED_BYTES) {
    records.broken = 1;
    return;
  }
  records.id = load<u32>(data);
  records.binary = load<u8>(data, 5) & FIXED_BINARY ? 1 : 0;
  records.at = data + FIXED_COUNTERS;
  records.counter = 1;
}

// Both say no unit that is of use without a table of the meter.
function takeCounter(records: Records, event: TapEvent): bool {
  event.name = records.at;
  event.nameBytes = 0;
  event.address = records.counter;
  tellText(event, records.at, 4);
  const isNumber = valueOf(event, records.at, 4, records.binary ? 4 : 12, 0);
  if (isNumber) event.kind = TAP_EVENT_READING;
  event.unitCode = UNIT_OTHER;
  records.at += 4;
  records.counter = records.counter == 1 ? 2 : 0;
  if (records.counter == 0) records.at = records.end;
  return true;
}

// DIB, VIB and data; false: it does not fit.
function takeWhole(records: Records, event: TapEvent, dif: i32): bool {
  const end = records.end;
  let at = records.at;
  if ((dif & 15) == 15) return false;
  at = passExtensions(at, end, dif);
  if (at == 0 || at >= end) return false;
  const vib = at;
  const vif = <i32>load<u8>(at++);
  if ((vif & ~EXTENDED) == VIF_TEXT) {
    if (at >= end) return false;
    at += 1 + load<u8>(at);
  }
  if (vif & EXTENDED) at = passExtensions(at - 1, end, EXTENDED);
  if (at == 0 || at > end) return false;
  event.nameBytes = <i32>(at - event.name);
  let coding = dif & 15;
  let bytes = bytesOf(coding);
  if (coding == CODING_VARIABLE) {
    if (at >= end) return false;
    const length = <i32>load<u8>(at++);
    bytes = variableBytes(length);
    if (bytes < 0) return false;
    coding = length;
  }
  if (at + bytes > end) return false;
  records.at = at + bytes;
  tellText(event, at, bytes);
  const meaning = meaningOf(vib, event.name + event.nameBytes);
  tellNumber(event, coding, meaning, (dif & 15) == CODING_VARIABLE);
  return true;
}

function tellNumber(event: TapEvent, coding: i32, meaning: Meaning, isVariable: bool): void {
  event.unitCode = meaning & 255;
  if (meaning < 0) return; // nobody says what it would mean
  if (isVariable && coding < 0xc0) return; // a text
  if (valueOf(event, event.values, event.bytes, coding, meaning)) event.kind = TAP_EVENT_READING;
}

// Behind the octets that follow `first` while they say that more do; 0: too many, or none left.
function passExtensions(at: usize, end: usize, first: i32): usize {
  let more = first & EXTENDED;
  at++;
  for (let i = 0; more != 0; i++) {
    if (i == M_BUS_EXTENSIONS_MAX || at >= end) return 0;
    more = load<u8>(at++) & EXTENDED;
  }
  return at;
}

function bytesOf(coding: i32): i32 {
  if (coding >= CODING_BCD_FIRST && coding <= 12) return coding - 8;
  if (coding == 5) return 4;
  if (coding == 7) return 8;
  if (coding == 14) return 6;
  return coding == 8 ? 0 : coding;
}

// Octets of a variable length; -1: reserved.
function variableBytes(length: i32): i32 {
  if (length < 0xc0) return length;
  if (length < 0xf0) return length & 15;
  return length <= 0xf4 ? (length - 0xec) << 2 : -1;
}

function tellText(event: TapEvent, at: usize, bytes: i32): void {
  event.kind = TAP_EVENT_TEXT;
  event.digits = 0;
  event.decimals = 0;
  event.unitCode = UNIT_UNSAID;
  event.values = at;
  event.bytes = bytes;
}
