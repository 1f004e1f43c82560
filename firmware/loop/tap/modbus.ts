// SPDX-License-Identifier: MIT
// Modbus RTU heard passively: frames, pairs and counters from a stream of octets.
//
// Spec: SPEC.md §1.3, §6. Never transmits. Frames are found by length table and CRC; silence is only a
// hint that ends a wait. At the head of the window, in this order: the frame that answers the open
// request; a wait, while a longer frame is possible; a request; an answer without request; else one
// octet is dropped as junk and the next one is the head.
//
//   octet -> window -> head ?-> pair (FC 3, 4: takeAnswer returns true) | request | orphan | junk
//
// (I1) frames = requests + responses + exceptions.  (I2) octets = octets of frames + junk + those in the
// window + those of a trial request.
// (I3) FC 7, 11, 12, 17, 24 have frames of 4 to 6 octets, which noise imitates: they are junk until one
// of that code was seen with its answer. Until then such a request waits in `trial`, and disturbs nothing.
// Work: each octet costs one CRC and one look at the head; each head is dropped once.

import { MODBUS_FRAME_BYTES_MAX } from "../../limits";
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
import { answerLength, EXCEPTION_FLAG, requestLength, UNIT_MAX } from "./length";
import { isAnswer, isAwaited, isLate, keepRequest, Request } from "./pair";
import { dropOctets, isWhole, octetAt, putOctet, Window, WINDOW_BYTES, wordAt } from "./window";

const SILENCE_CHARACTERS: u32 = 40; // no master pauses that long inside a frame, busy hosts included
const LATE_US: u32 = 20_000; // octets may reach the tick this late: adapters collect for 16 ms

/** Followed in memory by the counters, two requests (open and trial) and the window. */
@unmanaged
export class ModbusTap {
  characterUs: u32;
  lastUs: u32; // end of the latest octet
  wait: i32; // octets the head waits for; 0: not looked at
  trusted: u32; // a bit for each short code that was seen as a pair
  hushed: u32; // 1: silence has ended all waits in the window
  answerUnit: i32; // of the answer just taken
  answerCode: i32;
  answerAddress: i32;
  answerQuantity: i32;
  answerBack: i32; // octets from its values to the head
}

const COUNTERS: usize = offsetof<ModbusTap>();
const OPEN: usize = COUNTERS + TAP_COUNTER_COUNT * 4;
const TRIAL: usize = OPEN + offsetof<Request>();
const WINDOW: usize = TRIAL + offsetof<Request>();

/** Memory of one tap, a multiple of 4. */
export const MODBUS_TAP_BYTES: usize = WINDOW + WINDOW_BYTES;

/** Address of the counters, u32 each. */
export function countersOf(tap: ModbusTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** Appends one octet that ended at `atUs`; follow it with takeAnswer until that returns false. */
export function putTapOctet(tap: ModbusTap, octet: u32, atUs: u32): void {
  tap.lastUs = atUs;
  tap.hushed = 0;
  count(tap, TAP_COUNTER_BYTES, 1);
  putOctet(windowOf(tap), octet);
}

/**
 * Before an octet that ends at `atUs`. True: silence went before it, and takeAnswer is to be called until
 * it returns false, so that what was waited for is given up.
 */
export function noteSilence(tap: ModbusTap, atUs: u32): bool {
  // Signed: `atUs` may lie before the latest octet when a tick looks back.
  if (<i32>(atUs - tap.lastUs) > <i32>(SILENCE_CHARACTERS * tap.characterUs)) tap.hushed = 1;
  if (windowOf(tap).fill == 0) expire(tap, atUs);
  return tap.hushed != 0 && windowOf(tap).fill > 0;
}

/** In a tick without octets: as noteSilence, with time for stragglers. */
export function noteIdle(tap: ModbusTap, nowUs: u32): bool {
  return noteSilence(tap, nowUs - LATE_US);
}

/**
 * Works through the window. True: an answer of FC 3 or 4 with its request was taken, and its registers can
 * be read until the next call. False: the window needs more octets.
 */
export function takeAnswer(tap: ModbusTap): bool {
  const window = windowOf(tap);
  for (let i = 0; i <= MODBUS_FRAME_BYTES_MAX; i++) {
    if (window.fill == 0 || (window.fill < tap.wait && !tap.hushed)) return false;
    if (window.fill < 2 && octetAt(window, 0) <= UNIT_MAX && !tap.hushed) return false;
    if (stepHead(tap, window)) return true;
  }
  return false;
}

/** Register `index` of the answer just taken. */
export function registerAt(tap: ModbusTap, index: i32): i32 {
  assert(index >= 0 && index < tap.answerQuantity);
  return wordAt(windowOf(tap), index * 2 - tap.answerBack);
}

// One decision at the head. True: registers can be read.
function stepHead(tap: ModbusTap, window: Window): bool {
  if (window.fill < 2 || octetAt(window, 0) > UNIT_MAX) return dropJunk(tap, window);
  const request = requestLength(window);
  const answer = answerLength(window);
  const open = requestFor(tap, octetAt(window, 1));
  const isRequest = isWhole(window, request);
  if (isWhole(window, answer)) {
    const late = isLate(open, tap.lastUs, answer * tap.characterUs);
    if (!late && isAnswer(open, window, answer)) return takePair(tap, window, open, answer);
    if (!isRequest) return takeOrphan(tap, window, answer);
  }
  if (!tap.hushed && waits(tap, window, isRequest, isRequest ? 0 : request, answer)) return false;
  return isRequest ? takeRequest(tap, window, request) : dropJunk(tap, window);
}

// A whole request waits only for the answer that was asked for; anything else for the shorter of what
// is possible.
function waits(tap: ModbusTap, window: Window, whole: bool, request: i32, answer: i32): bool {
  let next = answer > window.fill ? answer : 0;
  if (whole && !isAwaited(requestFor(tap, octetAt(window, 1)), window)) next = 0;
  if (request > window.fill && (next == 0 || request < next)) next = request;
  tap.wait = next;
  return next != 0;
}

function takePair(tap: ModbusTap, window: Window, open: Request, length: i32): bool {
  const code = octetAt(window, 1);
  const failed = (code & EXCEPTION_FLAG) != 0;
  if (!isTrusted(tap, open.code)) admitTrial(tap, open);
  count(tap, TAP_COUNTER_FRAMES, 1);
  count(tap, failed ? TAP_COUNTER_EXCEPTIONS : TAP_COUNTER_RESPONSES, 1);
  count(tap, TAP_COUNTER_PAIRS, 1);
  tap.answerUnit = open.unit;
  tap.answerCode = code;
  tap.answerAddress = open.address;
  tap.answerQuantity = open.quantity;
  tap.answerBack = length - 3;
  open.length = 0;
  advance(tap, window, length);
  return code == 3 || code == 4;
}

function takeRequest(tap: ModbusTap, window: Window, length: i32): bool {
  const code = octetAt(window, 1);
  const open = requestFor(tap, code);
  if (isTrusted(tap, code)) {
    count(tap, TAP_COUNTER_FRAMES, 1);
    count(tap, TAP_COUNTER_REQUESTS, 1);
  }
  giveUp(tap, open);
  if (octetAt(window, 0) == 0) count(tap, TAP_COUNTER_BROADCASTS, 1);
  else keepRequest(open, window, length, tap.lastUs);
  advance(tap, window, length);
  return false;
}

function takeOrphan(tap: ModbusTap, window: Window, length: i32): bool {
  const code = octetAt(window, 1);
  if (!isTrusted(tap, code & ~EXCEPTION_FLAG)) return dropJunk(tap, window);
  count(tap, TAP_COUNTER_FRAMES, 1);
  count(tap, code & EXCEPTION_FLAG ? TAP_COUNTER_EXCEPTIONS : TAP_COUNTER_RESPONSES, 1);
  count(tap, TAP_COUNTER_ORPHANS, 1);
  advance(tap, window, length);
  return false;
}

function dropJunk(tap: ModbusTap, window: Window): bool {
  count(tap, TAP_COUNTER_JUNK_BYTES, 1);
  advance(tap, window, 1);
  return false;
}

function advance(tap: ModbusTap, window: Window, octets: i32): void {
  dropOctets(window, octets);
  tap.wait = 0;
}

// (I3) the code is proven: its request counts now, and takes the place of an older open one.
function admitTrial(tap: ModbusTap, trial: Request): void {
  giveUp(tap, openOf(tap));
  tap.trusted |= 1 << trial.code;
  count(tap, TAP_COUNTER_FRAMES, 1);
  count(tap, TAP_COUNTER_REQUESTS, 1);
}

// Nobody will answer this one any more.
function giveUp(tap: ModbusTap, request: Request): void {
  if (request.length == 0) return;
  if (isTrusted(tap, request.code)) count(tap, TAP_COUNTER_UNANSWERED, 1);
  else count(tap, TAP_COUNTER_JUNK_BYTES, request.length);
  request.length = 0;
}

function expire(tap: ModbusTap, nowUs: u32): void {
  const open = openOf(tap);
  const trial = trialOf(tap);
  if (isLate(open, nowUs, 0)) giveUp(tap, open);
  if (isLate(trial, nowUs, 0)) giveUp(tap, trial);
}

function isTrusted(tap: ModbusTap, code: i32): bool {
  const short = code == 7 || code == 11 || code == 12 || code == 17 || code == 24;
  return !short || (tap.trusted & (1 << code)) != 0;
}

function requestFor(tap: ModbusTap, code: i32): Request {
  return isTrusted(tap, code & ~EXCEPTION_FLAG) ? openOf(tap) : trialOf(tap);
}

function count(tap: ModbusTap, counter: usize, by: u32): void {
  const at = countersOf(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}

function openOf(tap: ModbusTap): Request {
  return changetype<Request>(changetype<usize>(tap) + OPEN);
}

function trialOf(tap: ModbusTap): Request {
  return changetype<Request>(changetype<usize>(tap) + TRIAL);
}

function windowOf(tap: ModbusTap): Window {
  return changetype<Window>(changetype<usize>(tap) + WINDOW);
}
