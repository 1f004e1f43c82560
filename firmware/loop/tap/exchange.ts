// SPDX-License-Identifier: MIT
// What decoders of questions and answers share: octets, the question, its outcome.
//
// Spec: event.ts. Frames are found by their form and check, gaps are only a hint: after damage the octets behind it
// are looked at again, one by one. A decoder says how long the frame at the head is, and what it means.
//
//   octets ► stepFrame(): a frame, or junk ► ask() | answer() ► takeOutcome(): at most a lapse and an outcome

import { TAP_EVENT_EXCEPTION, TAP_EVENT_UNANSWERED, TapEvent } from "./event";
import { EXCHANGE_BYTES_MAX } from "../../limits";
import {
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

/** A frame is not there, or not yet known. */
export const NO_FRAME: i32 = 0;
export const MORE_OCTETS: i32 = -1;

const SILENCE_CHARACTERS: u32 = 40; // ends a hopeless wait for the rest of a frame
const SILENCE_US_MIN: u32 = 50_000; // adapters collect octets for 16 ms
const WAIT_US: u32 = 2_000_000; // controllers answer between two of their cycles

/** Followed in memory by the counters, the octets, and room for a frame without its doubled octets or hex. */
@unmanaged
export class Exchange {
  silenceUs: u32; // ends what goes on no more
  waitUs: u32; // for an answer to begin
  lastUs: u32;
  gapUs: u32; // silence before the octet at the head
  head: i32; // first octet that is not yet understood
  fill: i32; // such octets
  seen: i32; // of them known not to end the frame; 0 after each drop
  stale: i32; // octets at the head that wait for no others
  frame: i32; // octets of the frame that was heard, dropped before the next one
  mode: i32; // what the decoder learned of this line, 0 at first
  owed: i32; // an acknowledge may follow at once
  streak: i32; // frames without junk between them, the decoder's own use
  waiting: i32; // 1: a question is open
  askedUs: u32; // its end
  unit: i32;
  code: i32;
  address: i32;
  quantity: i32;
  key: i32; // whatever else an answer repeats
  outcome: i32; // TAP_EVENT_*; 0: nothing is to be told
  reason: i32;
  answerUs: u32;
  values: usize;
  bytes: i32; // of `values`
  lapsed: i32; // 1: the question before went unanswered, and that is not told
  lapsedUnit: i32;
  lapsedCode: i32;
  lapsedAddress: i32;
  lapsedQuantity: i32;
  plainBytes: i32; // of the frame in plainOf(); a multiple of 8 in all
}

const COUNTERS: usize = offsetof<Exchange>();
const OCTETS: usize = COUNTERS + TAP_COUNTER_COUNT * 4;
const ROOM = EXCHANGE_BYTES_MAX + 96; // octets are moved once in 96
const PLAIN: usize = OCTETS + ROOM;

/** Memory of one tap, a multiple of 8. */
export const EXCHANGE_BYTES: usize = PLAIN + EXCHANGE_BYTES_MAX;

/** So many steps of stepFrame() leave nothing to do. */
export const STEPS_MAX = ROOM * 2;

/** Begins; a decoder with other times sets `silenceUs` and `waitUs` next. */
export function startExchange(x: Exchange, characterUs: u32, nowUs: u32): void {
  x.silenceUs = max(characterUs * SILENCE_CHARACTERS, SILENCE_US_MIN);
  x.waitUs = WAIT_US;
  x.lastUs = nowUs;
}

/** Address of the counters, u32 each. */
export function exchangeCounters(x: Exchange): usize {
  return changetype<usize>(x) + COUNTERS;
}

/** The octets from the head on. */
export function headOf(x: Exchange): usize {
  return changetype<usize>(x) + OCTETS + x.head;
}

/** Room for the frame without its doubled octets or hex digits, EXCHANGE_BYTES_MAX. */
export function plainOf(x: Exchange): usize {
  return changetype<usize>(x) + PLAIN;
}

/** Takes one octet that ended at `atUs`; the decoder takes events until there is none. */
export function putExchange(x: Exchange, octet: i32, flags: i32, atUs: u32): void {
  noteIdleExchange(x, atUs);
  if (x.fill == x.frame) x.gapUs = atUs - x.lastUs;
  x.lastUs = atUs;
  count(x, TAP_COUNTER_BYTES, 1);
  drop(x, x.frame);
  x.frame = 0;
  if (flags != 0) {
    count(x, TAP_COUNTER_JUNK_BYTES, x.fill + 1);
    drop(x, x.fill);
    x.owed = x.streak = 0;
    return;
  }
  assert(x.fill < EXCHANGE_BYTES_MAX); // events were taken until there was none
  if (x.head + x.fill == ROOM) {
    memory.copy(changetype<usize>(x) + OCTETS, headOf(x), x.fill);
    x.head = 0;
  }
  store<u8>(headOf(x) + x.fill, octet);
  x.fill++;
}

/** Gives up what goes on no more, and a question without an answer; then events are taken. */
export function noteIdleExchange(x: Exchange, nowUs: u32): void {
  if (nowUs - x.lastUs > x.silenceUs) x.stale = x.fill;
  if (x.waiting && x.fill == x.stale && nowUs - x.askedUs > x.waitUs) lapse(x);
}

/** Drops the frame that was heard, then one octet of junk or none. False: more octets are needed. */
export function stepFrame(x: Exchange, length: i32): bool {
  if (x.fill == 0 || (length < 0 && x.stale <= 0 && x.fill < EXCHANGE_BYTES_MAX)) return false;
  if (length > 0) {
    x.frame = length;
    count(x, TAP_COUNTER_FRAMES, 1);
    return true;
  }
  count(x, TAP_COUNTER_JUNK_BYTES, 1);
  x.owed = x.streak = 0;
  drop(x, 1);
  return true;
}

/** Octets that are no frame and no junk: acknowledges. */
export function skip(x: Exchange, octets: i32): void {
  drop(x, octets);
}

/** A question ended with the latest octet; its fields are set next. An open one went unanswered. */
export function ask(x: Exchange, unit: i32, code: i32): void {
  count(x, TAP_COUNTER_REQUESTS, 1);
  if (x.waiting) lapse(x);
  x.waiting = 1;
  x.askedUs = x.lastUs;
  x.unit = unit;
  x.code = code;
  x.address = x.quantity = x.key = 0;
}

/** The open question has its answer: `outcome` TAP_EVENT_*, `reason` of an exception. */
export function answer(x: Exchange, outcome: i32, reason: i32): void {
  count(x, TAP_COUNTER_RESPONSES, 1);
  count(x, TAP_COUNTER_PAIRS, 1);
  if (outcome == TAP_EVENT_EXCEPTION) count(x, TAP_COUNTER_EXCEPTIONS, 1);
  x.waiting = 0;
  x.outcome = outcome;
  x.reason = reason;
  x.answerUs = x.lastUs - x.askedUs;
}

/** An answer that nobody asked for: counted, and of no use. */
export function countOrphan(x: Exchange): void {
  count(x, TAP_COUNTER_RESPONSES, 1);
  count(x, TAP_COUNTER_ORPHANS, 1);
}

/** Where the values of the answer, or of what was written, are. */
export function setValues(x: Exchange, at: usize, bytes: i32): void {
  x.values = at;
  x.bytes = bytes;
}

/** The next event of what was heard; false: look at the next frame, the one that was told is gone. */
export function takeOutcome(x: Exchange, event: TapEvent): bool {
  if (x.lapsed) {
    x.lapsed = 0;
    fillEvent(event, TAP_EVENT_UNANSWERED, x.lapsedUnit, x.lapsedCode);
    event.address = x.lapsedAddress;
    event.quantity = x.lapsedQuantity;
    return true;
  }
  if (x.outcome == 0) {
    drop(x, x.frame);
    x.frame = 0;
    return false;
  }
  fillEvent(event, x.outcome, x.unit, x.code);
  event.address = x.address;
  event.quantity = x.quantity;
  event.reason = x.reason;
  event.answerUs = x.answerUs;
  event.values = x.values;
  event.bytes = x.bytes;
  x.outcome = x.bytes = 0;
  x.values = 0;
  return true;
}

/** An event of this kind and nothing else. */
export function fillEvent(event: TapEvent, kind: i32, unit: i32, code: i32): void {
  memory.fill(changetype<usize>(event), 0, offsetof<TapEvent>());
  event.kind = kind;
  event.unit = unit;
  event.code = code;
}

/** Value of a hex digit in capitals; -1: it is none. */
export function capitalDigit(octet: i32): i32 {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  return octet >= 0x41 && octet <= 0x46 ? octet - 0x37 : -1;
}

/** Value of `digits` hex digits, at most 7; -1: they are none. */
export function hexAt(at: usize, digits: i32): i32 {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = capitalDigit(load<u8>(at + i));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

function lapse(x: Exchange): void {
  x.waiting = 0;
  x.lapsed = 1;
  x.lapsedUnit = x.unit;
  x.lapsedCode = x.code;
  x.lapsedAddress = x.address;
  x.lapsedQuantity = x.quantity;
  count(x, TAP_COUNTER_UNANSWERED, 1);
}

function drop(x: Exchange, octets: i32): void {
  if (octets == 0) return;
  x.head += octets;
  x.fill -= octets;
  x.stale = max(x.stale - octets, 0);
  x.seen = 0;
  if (x.fill == 0) x.head = 0;
}

function count(x: Exchange, counter: i32, by: i32): void {
  const at = exchangeCounters(x) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
