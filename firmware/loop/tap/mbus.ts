// SPDX-License-Identifier: MIT
// M-Bus heard passively: FT1.2 frames, requests, records of their answers.
//
// Spec: EN 13757-2 §5, EN 13757-3; SPEC.md §17. Frames are found by their form and check sum, gaps are only a hint: after damage
// the octets behind it are looked at again, one by one. E5 counts only while somebody waits for it.
// An answer says whose it is and what it says, so it is read also where its request was not heard.
//
//   octets ► frame: 10 C A CS 16 | 68 L L 68 C A CI ... CS 16 | E5 ► pair ► takeMbus(): request's outcome, records

import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_QUERY,
} from "./event";
import { TAP_EVENT_READ, TAP_EVENT_UNANSWERED, TAP_EVENT_WRITE, TapEvent } from "./event";
import { Records, startRecords, takeRecord } from "./mbus-record";
import { M_BUS_FRAME_BYTES_MAX } from "../../limits";
import {
  TAP_COUNTER_BROADCASTS,
  TAP_COUNTER_BYTES,
  TAP_COUNTER_COUNT,
  TAP_COUNTER_EXCEPTIONS,
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_ORPHANS,
  TAP_COUNTER_PAIRS,
  TAP_COUNTER_REQUESTS,
  TAP_COUNTER_RESPONSES,
  TAP_COUNTER_UNANSWERED,
} from "../../wire/tap";

const SHORT = 0x10;
const LONG = 0x68;
const END = 0x16;
const ACKNOWLEDGE = 0xe5;
const SHORT_BYTES = 5;
const LONG_BYTES = 6; // around C .. data
const LENGTH_MIN = 3; // C, A, CI

const FROM_MASTER = 0x40; // of C
const FUNCTION = 0x0f; // of C
const SEND_RESET = 0; // SND_NKE
const SEND_DATA = 3; // SND_UD
const ANSWER_DATA = 8; // RSP_UD
const ADDRESS_BROADCAST = 255; // nobody answers; 254 everybody does
const CI_ERROR = 0x70;

const WAIT_CHARACTERS: u32 = 31; // 330 bits until the answer begins, and its first characters
const WAIT_US: u32 = 150_000; // and 50 ms, with room for adapters
const SILENCE_CHARACTERS: u32 = 40; // ends a hopeless wait for the rest of a frame
const SILENCE_US_MIN: u32 = 50_000;

// What is told next of the frame that was heard
const TELL_NOTHING = 0;
const TELL_RECORDS = 1;
const TELL_OUTCOME = 2; // of its request, then records

/** Followed in memory by Records, the counters and the octets. */
@unmanaged
export class MbusTap {
  characterUs: u32;
  lastUs: u32;
  head: i32; // first octet that is not yet understood
  fill: i32; // such octets
  frame: i32; // octets of the whole frame at the head, told and dropped before the next octet
  tell: i32; // TELL_*
  outcome: i32; // TAP_EVENT_*
  waiting: i32; // 1: a request is open
  control: i32; // its C
  unit: i32; // its A
  askedUs: u32; // its end
  answerUs: u32;
  lapsed: i32; // 1: a request before went unanswered, and that is not told
  lapsedUnit: i32;
  lapsedControl: i32;
  stale: i32; // octets at the head that wait for no others
  readable: i32; // 1: the frame is an answer with data
  reserved: i32; // the records are aligned to 8
}

const RECORDS: usize = offsetof<MbusTap>();
const COUNTERS: usize = RECORDS + offsetof<Records>();
const OCTETS: usize = COUNTERS + TAP_COUNTER_COUNT * 4;
const ROOM = M_BUS_FRAME_BYTES_MAX * 2 + 6; // so that octets are moved once a frame; a multiple of 8

/** Memory of one tap, a multiple of 8. */
export const M_BUS_TAP_BYTES: usize = OCTETS + ROOM;

export function startMbus(tap: MbusTap, characterUs: u32, nowUs: u32): void {
  tap.characterUs = characterUs;
  tap.lastUs = nowUs;
}

/** Address of the counters, u32 each. */
export function mbusCounters(tap: MbusTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** The answer whose records are told: its maker's number and more. */
export function mbusRecords(tap: MbusTap): Records {
  return changetype<Records>(changetype<usize>(tap) + RECORDS);
}

/** Takes one octet that ended at `atUs`; then call takeMbus() until it returns false. */
export function putMbus(tap: MbusTap, octet: i32, flags: i32, atUs: u32): void {
  noteIdleMbus(tap, atUs);
  tap.lastUs = atUs;
  count(tap, TAP_COUNTER_BYTES, 1);
  if (flags != 0) {
    count(tap, TAP_COUNTER_JUNK_BYTES, tap.fill + 1);
    tap.fill = 0;
    tap.stale = 0;
    return;
  }
  assert(tap.fill < M_BUS_FRAME_BYTES_MAX); // takeMbus() was called until there was none
  if (tap.head + tap.fill == ROOM) {
    memory.copy(octets(tap), octets(tap) + tap.head, tap.fill);
    tap.head = 0;
  }
  if (tap.fill == 0) tap.head = 0;
  store<u8>(octets(tap) + tap.head + tap.fill, octet);
  tap.fill++;
}

/** Gives up what goes on no more, and a request that nobody answers; then call takeMbus(). */
export function noteIdleMbus(tap: MbusTap, nowUs: u32): void {
  const silenceUs = max(tap.characterUs * SILENCE_CHARACTERS, SILENCE_US_MIN);
  if (nowUs - tap.lastUs > silenceUs) tap.stale = tap.fill;
  const waitUs = tap.characterUs * WAIT_CHARACTERS + WAIT_US;
  if (tap.waiting && tap.fill == tap.stale && nowUs - tap.askedUs > waitUs) lapse(tap);
}

/** The next event; false: none until the next octet. */
export function takeMbus(tap: MbusTap, event: TapEvent): bool {
  for (let tries = 0; tries <= ROOM * 2; tries++) {
    if (tap.lapsed) return tellLapsed(tap, event);
    if (tap.tell == TELL_OUTCOME) return tellOutcome(tap, event);
    if (tap.tell == TELL_RECORDS) {
      if (takeRecord(mbusRecords(tap), event)) return true;
      if (mbusRecords(tap).broken) count(tap, TAP_COUNTER_EXCEPTIONS, 1);
      tap.tell = TELL_NOTHING;
    }
    drop(tap, tap.frame);
    tap.frame = 0;
    const length = frameLength(tap);
    if (length < 0 && tap.stale <= 0) return false;
    if (length <= 0) {
      count(tap, TAP_COUNTER_JUNK_BYTES, 1);
      drop(tap, 1);
    } else {
      tap.frame = length;
      count(tap, TAP_COUNTER_FRAMES, 1);
      hearFrame(tap, octets(tap) + tap.head, length);
    }
  }
  return false;
}

// Octets of the frame at the head; 0: none begins here, -1: not yet known.
function frameLength(tap: MbusTap): i32 {
  const fill = tap.fill;
  if (fill == 0) return -1;
  const at = octets(tap) + tap.head;
  const first = load<u8>(at);
  if (first == ACKNOWLEDGE) return tap.waiting && expectsAcknowledge(tap.control) ? 1 : 0;
  if (first == SHORT) {
    if (fill > 1 && !isRequest(load<u8>(at, 1))) return 0;
    if (fill < SHORT_BYTES) return -1;
    return isSummed(at + 1, 2) ? SHORT_BYTES : 0;
  }
  if (first != LONG) return 0;
  const length = <i32>load<u8>(at, 1);
  if (fill > 1 && length < LENGTH_MIN) return 0;
  if (fill > 2 && <i32>load<u8>(at, 2) != length) return 0;
  if (fill > 3 && load<u8>(at, 3) != LONG) return 0;
  if (fill < length + LONG_BYTES) return -1;
  return isSummed(at + 4, length) ? length + LONG_BYTES : 0;
}

// What a master says in five octets: reset, or a request for data of class 1 or 2.
function isRequest(control: i32): bool {
  const what = control & FUNCTION;
  return (control & 0xc0) == FROM_MASTER && (what == SEND_RESET || what >= 9);
}

function expectsAcknowledge(control: i32): bool {
  const what = control & FUNCTION;
  return what == SEND_RESET || what == SEND_DATA;
}

// The sum of `length` octets follows them, then the end.
function isSummed(at: usize, length: i32): bool {
  let sum: u32 = 0;
  for (let i = 0; i < length; i++) sum += load<u8>(at + i);
  return load<u8>(at + length) == (sum & 255) && load<u8>(at + length, 1) == END;
}

function hearFrame(tap: MbusTap, at: usize, length: i32): void {
  const first = load<u8>(at);
  if (first == ACKNOWLEDGE) {
    const isWrite = (tap.control & FUNCTION) == SEND_DATA;
    count(tap, TAP_COUNTER_PAIRS, 1);
    return settle(tap, isWrite ? TAP_EVENT_WRITE : TAP_EVENT_QUERY);
  }
  const body = at + (first == LONG ? 4 : 1);
  const control = <i32>load<u8>(body);
  const unit = <i32>load<u8>(body, 1);
  if (control & FROM_MASTER) return hearRequest(tap, control, unit);
  count(tap, TAP_COUNTER_RESPONSES, 1);
  tap.readable = (control & FUNCTION) == ANSWER_DATA ? 1 : 0;
  const isMine = tap.waiting && !expectsAcknowledge(tap.control) && isAddressed(tap.unit, unit);
  const isError = load<u8>(body, 2) == CI_ERROR;
  startRecords(mbusRecords(tap), body, length - LONG_BYTES);
  tap.unit = unit;
  if (!tap.readable) return settle(tap, TAP_EVENT_ORPHAN);
  count(tap, isMine ? TAP_COUNTER_PAIRS : TAP_COUNTER_ORPHANS, 1);
  if (isError) count(tap, TAP_COUNTER_EXCEPTIONS, 1);
  if (!isMine) tap.askedUs = tap.lastUs;
  const answered = isMine ? TAP_EVENT_READ : TAP_EVENT_ORPHAN;
  settle(tap, isError ? TAP_EVENT_EXCEPTION : answered);
}

// 253 and 254 are asked for by all that were selected; they answer with their own address.
function isAddressed(asked: i32, unit: i32): bool {
  return asked == unit || asked >= 253;
}

function hearRequest(tap: MbusTap, control: i32, unit: i32): void {
  count(tap, TAP_COUNTER_REQUESTS, 1);
  if (tap.waiting) lapse(tap);
  tap.control = control;
  tap.unit = unit;
  tap.askedUs = tap.lastUs;
  if (unit == ADDRESS_BROADCAST) {
    count(tap, TAP_COUNTER_BROADCASTS, 1);
    return settle(tap, TAP_EVENT_BROADCAST);
  }
  tap.waiting = 1;
}

function settle(tap: MbusTap, outcome: i32): void {
  tap.waiting = 0;
  tap.outcome = outcome;
  tap.answerUs = tap.lastUs - tap.askedUs;
  tap.tell = TELL_OUTCOME;
}

// A reset of a bus is often answered by nobody; it counts as well.
function lapse(tap: MbusTap): void {
  tap.waiting = 0;
  tap.lapsed = 1;
  tap.lapsedUnit = tap.unit;
  tap.lapsedControl = tap.control;
  count(tap, TAP_COUNTER_UNANSWERED, 1);
}

function tellLapsed(tap: MbusTap, event: TapEvent): bool {
  tap.lapsed = 0;
  clearEvent(event, TAP_EVENT_UNANSWERED, tap.lapsedUnit, tap.lapsedControl);
  return true;
}

// `values` of an answer are its octets from C on; of a write those of the answer are gone: none.
function tellOutcome(tap: MbusTap, event: TapEvent): bool {
  clearEvent(event, tap.outcome, tap.unit, tap.control);
  event.answerUs = tap.answerUs;
  if (tap.outcome == TAP_EVENT_EXCEPTION) event.reason = mbusRecords(tap).reason;
  const isAnswer = tap.outcome == TAP_EVENT_READ || tap.outcome == TAP_EVENT_ORPHAN;
  tap.tell = isAnswer && tap.readable ? TELL_RECORDS : TELL_NOTHING;
  return true;
}

function clearEvent(event: TapEvent, kind: i32, unit: i32, code: i32): void {
  event.kind = kind;
  event.unit = unit;
  event.code = code;
  event.address = 0;
  event.quantity = 0;
  event.reason = 0;
  event.answerUs = 0;
  event.values = 0;
  event.bytes = 0;
}

function drop(tap: MbusTap, count: i32): void {
  tap.head += count;
  tap.fill -= count;
  tap.stale = max(tap.stale - count, 0);
}

function octets(tap: MbusTap): usize {
  return changetype<usize>(tap) + OCTETS;
}

function count(tap: MbusTap, counter: i32, by: i32): void {
  const at = mbusCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
