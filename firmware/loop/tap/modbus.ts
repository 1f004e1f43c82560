// SPDX-License-Identifier: MIT
// Modbus RTU heard passively: frames, pairs and counters from a stream of octets.
//
// Spec: SPEC.md §1.3, §6. Never transmits. Frames are found by length table and CRC; silence is only a
// hint that ends a wait. At the head of the window, in this order: the frame that answers the open
// request; a request; a wait, while a longer frame is possible; an answer without request; else one
// octet is dropped as junk and the next one is the head.
//
//   octet -> window -> head ?-> pair (READ, WRITE, QUERY, EXCEPTION) | request | ORPHAN | junk
//
// (I1) frames = requests + responses + exceptions.  (I2) octets = octets of frames + junk + those in the
// window + those of a trial request.
// (I3) FC 7, 11, 12, 17, 24 have frames of 4 to 6 octets, which noise imitates: they are junk until one
// of that code was seen with its answer. Until then such a request waits in `trial`, and disturbs nothing.
// (I4) one event a call: what comes to two (a request that ends another's wait, FC 23) is told by looking at
// the same head again. Without USES_TAP_EVENTS only pairs are told, with what registers need of them.
// (I5) as much junk as a frame has may have been the answer, or a newer request: what is open is given up.
// (I6) a whole request is one, although a longer answer at the same place may have a right CRC as well: a
// stray 00 behind a request makes one of it.
// Work: each octet costs one CRC and one look at the head; each head is dropped once.

import {
  USES_MODBUS_ASCII,
  USES_RARE_CODES,
  USES_TAP_EVENTS,
  USES_TWO_WIRES,
} from "../../generated/uses";
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
import { TAP_EVENT_BROADCAST, TAP_EVENT_UNANSWERED, TAP_EVENT_WRITE, TapEvent } from "./event";
import { answerLength, EXCEPTION_FLAG, requestLength, UNIT_MAX } from "./length";
import { isWrite, tellAnswer, tellOrphan, tellRequest, tellWrite } from "./modbus-event";
import { isAnswer, isAwaited, isLate, keepRequest, Request } from "./pair";
import {
  dropOctets,
  isWhole,
  octetAt,
  octetsFrom,
  putOctet,
  Window,
  WINDOW_BYTES,
  wordAt,
} from "./window";

const SILENCE_CHARACTERS: u32 = 40; // no master pauses that long inside a frame, busy hosts included
const LATE_US: u32 = 20_000; // octets may reach the tick this late: adapters collect for 16 ms
const FRAME_BYTES_MIN = 4;
const TEXT_BYTES_MIN = 9; // of a frame of ASCII: colon, unit, code, LRC, CR LF
const HEAD_BYTES = 2; // unit and function code
const NEVER = MODBUS_FRAME_BYTES_MAX + 1; // more than a window has
// A full window is dropped octet by octet, one is taken in and dropped, the window is found empty.
const STEPS_MAX = MODBUS_FRAME_BYTES_MAX + 3;

/** Followed in memory by the counters, two requests (open and trial), the window and the open frame. */
@unmanaged
export class ModbusTap {
  characterUs: u32;
  silenceUs: i32;
  lastUs: u32; // end of the latest octet in the window
  wait: i32; // octets the head waits for
  trusted: u32; // a bit for each short code that was seen as a pair
  hushed: u32; // 1: silence has ended all waits in the window
  held: u32; // 1: behind the window stands an octet that comes in when all before it is decided
  nowUs: u32; // its end, or the latest idle time
  written: u32; // 1: of the pair at the head, what it wrote was told
  asker: usize; // where requests are heard: 0 on this wire as well, itself only here, else another tap
}

const COUNTERS: usize = offsetof<ModbusTap>();
const OPEN: usize = COUNTERS + TAP_COUNTER_COUNT * 4;
const TRIAL: usize = OPEN + offsetof<Request>();
const WINDOW: usize = TRIAL + offsetof<Request>();

const FRAME: usize = WINDOW + WINDOW_BYTES;

/** Memory of one tap, a multiple of 4. */
export const MODBUS_TAP_BYTES: usize = FRAME + (USES_TAP_EVENTS ? MODBUS_FRAME_BYTES_MAX : 0);

/** Octets that nothing was decided of yet. */
export function modbusUndecided(tap: ModbusTap): i32 {
  return windowOf(tap).fill + (tap.held != 0 ? 1 : 0);
}

/** Once, before the first octet. */
export function startModbus(tap: ModbusTap, characterUs: u32, nowUs: u32): void {
  tap.characterUs = characterUs;
  tap.silenceUs = SILENCE_CHARACTERS * characterUs;
  tap.lastUs = nowUs;
  tap.wait = HEAD_BYTES;
}

/**
 * Two taps on two wires, as RS-422 and RS-232 have them: one hears the requests, the other the answers to
 * them. Octets are to be put in order of their times. Each counts what it hears; requests that nobody
 * answers belong to the first, pairs to the second.
 */
export function joinModbus(requests: ModbusTap, answers: ModbusTap): void {
  requests.asker = changetype<usize>(requests);
  answers.asker = changetype<usize>(requests);
}

/** Whole frames come in, put by tap/ascii.ts: their check is done. */
export function takeWholeFrames(tap: ModbusTap): void {
  windowOf(tap).checked = 1;
  tap.wait = NEVER;
}

/** Address of the counters, u32 each. */
export function modbusCounters(tap: ModbusTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/**
 * One octet that ended at `atUs`; follow it with takeModbus until that returns false. Its flags say nothing
 * that the CRC does not: a framing error at a turn-around is junk, one in a frame spoils it.
 */
export function putModbus(tap: ModbusTap, octet: u32, flags: u32, atUs: u32): void {
  noteTime(tap, atUs);
  countModbus(tap, TAP_COUNTER_BYTES, 1);
  const window = windowOf(tap);
  const fill = window.fill;
  putOctet(window, octet);
  if (!tap.hushed && fill > 0) tap.lastUs = atUs;
  else {
    window.fill = fill;
    tap.held = 1;
  }
}

/** In a tick without octets, with time for stragglers; then takeModbus until it returns false. */
export function noteIdleModbus(tap: ModbusTap, nowUs: u32): void {
  noteTime(tap, nowUs - LATE_US);
}

/** Works through what was put. True: `event` has the next event. False: more octets are needed. */
export function takeModbus(tap: ModbusTap, event: TapEvent): bool {
  const window = windowOf(tap);
  for (let i = 0; i < STEPS_MAX; i++) {
    if (tap.hushed ? window.fill > 0 : window.fill >= tap.wait) {
      if (stepHead(tap, window, event)) return true;
      continue;
    }
    if (window.fill == 0 && expire(tap, event)) return true;
    if (!tap.held) return false;
    window.fill++;
    tap.held = 0;
    tap.hushed = 0;
    tap.lastUs = tap.nowUs;
  }
  return false;
}

function noteTime(tap: ModbusTap, atUs: u32): void {
  // Signed: `atUs` may lie before the latest octet when a tick looks back.
  if (<i32>(atUs - tap.lastUs) > tap.silenceUs) tap.hushed = 1;
  tap.nowUs = atUs;
}

// One decision at the head. True: an event.
function stepHead(tap: ModbusTap, window: Window, event: TapEvent): bool {
  if (window.fill < HEAD_BYTES || octetAt(window, 0) > UNIT_MAX) {
    return dropJunk(tap, window, event);
  }
  const request = hearsAnswersOnly(tap) ? 0 : requestLength(window);
  const answer = hearsRequestsOnly(tap) ? 0 : answerLength(window);
  const open = requestFor(tap, octetAt(window, 1));
  const isRequest = isWhole(window, request);
  if (isWhole(window, answer) && !(isRequest && answer > request)) {
    // (I6)
    const late = isLate(open, tap.lastUs, answer * tap.characterUs);
    if (!late && isAnswer(open, window, answer)) return takePair(tap, open, answer, event);
    if (!isRequest) return takeOrphan(tap, window, answer, event);
  }
  if (isRequest) return takeRequest(tap, window, request, event);
  if (!tap.hushed && waits(tap, window, request, answer)) return false;
  return dropJunk(tap, window, event);
}

// For the shorter of what is possible.
function waits(tap: ModbusTap, window: Window, request: i32, answer: i32): bool {
  let next = answer > window.fill ? answer : 0;
  if (request > window.fill && (next == 0 || request < next)) next = request;
  tap.wait = next;
  return next != 0;
}

function takePair(tap: ModbusTap, open: Request, length: i32, event: TapEvent): bool {
  const window = windowOf(tap);
  const code = octetAt(window, 1);
  const failed = (code & EXCEPTION_FLAG) != 0;
  if (USES_RARE_CODES && !isTrusted(tap, open.code) && admitTrial(tap, open, event)) return true;
  if (USES_TAP_EVENTS) {
    const writes = !failed && isWrite(code);
    const timed = open.timed && window.fill == length;
    const answerUs = timed ? tap.lastUs - open.atUs : 0;
    if (writes && !tap.written) {
      tellWrite(event, TAP_EVENT_WRITE, open, frameOf(tap));
      event.answerUs = answerUs;
      tap.written = 1;
      if (code == 23) return true; // and once more for what was read
    }
    if (!writes || code == 23) {
      tellAnswer(event, open, window, length);
      event.answerUs = answerUs;
    }
    tap.written = 0;
  } else {
    // All that registers.ts looks at: of what is no read it takes nothing.
    event.unit = open.unit;
    event.code = code;
    event.address = open.address;
    event.quantity = open.quantity;
    event.values = octetsFrom(window, 3);
  }
  countModbus(tap, TAP_COUNTER_FRAMES, 1);
  countModbus(tap, failed ? TAP_COUNTER_EXCEPTIONS : TAP_COUNTER_RESPONSES, 1);
  countModbus(tap, TAP_COUNTER_PAIRS, 1);
  open.length = 0;
  advance(tap, window, length);
  return true;
}

function takeRequest(tap: ModbusTap, window: Window, length: i32, event: TapEvent): bool {
  const code = octetAt(window, 1);
  const open = requestFor(tap, code);
  if (giveUp(tap, open, event)) return true;
  const trusted = isTrusted(tap, code);
  if (trusted) {
    countModbus(tap, TAP_COUNTER_FRAMES, 1);
    countModbus(tap, TAP_COUNTER_REQUESTS, 1);
  }
  keepRequest(open, window, length, tap.lastUs);
  if (USES_TAP_EVENTS && trusted) memory.copy(frameOf(tap), octetsFrom(window, 0), length);
  advance(tap, window, length);
  return open.unit == 0 && takeBroadcast(tap, open, event);
}

// Nobody answers it.
function takeBroadcast(tap: ModbusTap, open: Request, event: TapEvent): bool {
  countModbus(tap, TAP_COUNTER_BROADCASTS, 1);
  open.length = 0;
  if (!USES_TAP_EVENTS) return false;
  if (isWrite(open.code)) tellWrite(event, TAP_EVENT_BROADCAST, open, frameOf(tap));
  else tellRequest(event, TAP_EVENT_BROADCAST, open);
  return true;
}

function takeOrphan(tap: ModbusTap, window: Window, length: i32, event: TapEvent): bool {
  const code = octetAt(window, 1);
  if (USES_RARE_CODES && !isTrusted(tap, code & ~EXCEPTION_FLAG))
    return dropJunk(tap, window, event);
  if (USES_TAP_EVENTS) tellOrphan(event, window, length);
  countModbus(tap, TAP_COUNTER_FRAMES, 1);
  countModbus(tap, code & EXCEPTION_FLAG ? TAP_COUNTER_EXCEPTIONS : TAP_COUNTER_RESPONSES, 1);
  countModbus(tap, TAP_COUNTER_ORPHANS, 1);
  advance(tap, window, length);
  return USES_TAP_EVENTS;
}

// (I5)
function dropJunk(tap: ModbusTap, window: Window, event: TapEvent): bool {
  const octets = isText(tap) ? window.fill : 1;
  noteJunk(tap, isText(tap) ? 2 * octets + 1 : octets);
  if (giveUpDoubtful(tap, event)) return true;
  countJunk(tap, octets);
  advance(tap, window, octets);
  return false;
}

// Characters of a frame of that many octets with its CRC: RTU has as many, ASCII a colon, two for each octet
// and its LRC, CR LF.
function countJunk(tap: ModbusTap, octets: i32): void {
  countModbus(tap, TAP_COUNTER_JUNK_BYTES, isText(tap) ? 2 * octets + 1 : octets);
}

/** (I5) so many characters were junk since the open request; takeModbus gives it up when they are too many. */
export function noteJunk(tap: ModbusTap, characters: i32): void {
  openOf(tap).junk += characters;
}

function giveUpDoubtful(tap: ModbusTap, event: TapEvent): bool {
  const open = openOf(tap);
  const most: u32 = isText(tap) ? TEXT_BYTES_MIN : FRAME_BYTES_MIN;
  return open.junk >= most && giveUp(tap, open, event);
}

function hearsRequestsOnly(tap: ModbusTap): bool {
  return USES_TWO_WIRES && tap.asker == changetype<usize>(tap);
}

function hearsAnswersOnly(tap: ModbusTap): bool {
  return USES_TWO_WIRES && tap.asker != 0 && tap.asker != changetype<usize>(tap);
}

function advance(tap: ModbusTap, window: Window, octets: i32): void {
  dropOctets(window, octets);
  tap.wait = isText(tap) ? NEVER : HEAD_BYTES;
}

// (I3) the code is proven: its request counts now, and takes the place of an older open one. True: of that
// one there is an event first.
function admitTrial(tap: ModbusTap, trial: Request, event: TapEvent): bool {
  if (giveUp(tap, openOf(tap), event)) return true;
  const asker = askerOf(tap);
  asker.trusted |= 1 << trial.code;
  countModbus(asker, TAP_COUNTER_FRAMES, 1);
  countModbus(asker, TAP_COUNTER_REQUESTS, 1);
  return false;
}

// Nobody will answer this one any more. True: an event says so.
function giveUp(tap: ModbusTap, request: Request, event: TapEvent): bool {
  if (request.length == 0) return false;
  const trusted = isTrusted(tap, request.code);
  if (trusted) countModbus(askerOf(tap), TAP_COUNTER_UNANSWERED, 1);
  else countJunk(askerOf(tap), request.length);
  request.length = 0;
  if (!USES_TAP_EVENTS || !trusted) return false;
  tellRequest(event, TAP_EVENT_UNANSWERED, request);
  return true;
}

// What waits for an answer too long. True: an event says so.
function expire(tap: ModbusTap, event: TapEvent): bool {
  if (USES_MODBUS_ASCII && giveUpDoubtful(tap, event)) return true;
  return (
    (USES_RARE_CODES && giveUpLate(tap, trialOf(tap), event)) || giveUpLate(tap, openOf(tap), event)
  );
}

function giveUpLate(tap: ModbusTap, request: Request, event: TapEvent): bool {
  return isLate(request, tap.nowUs, 0) && giveUp(tap, request, event);
}

function isTrusted(tap: ModbusTap, code: i32): bool {
  if (!USES_RARE_CODES) return true;
  const short = code == 7 || code == 11 || code == 12 || code == 17 || code == 24;
  return !short || (askerOf(tap).trusted & (1 << code)) != 0;
}

function requestFor(tap: ModbusTap, code: i32): Request {
  return !USES_RARE_CODES || isTrusted(tap, code & ~EXCEPTION_FLAG) ? openOf(tap) : trialOf(tap);
}

/** Adds to a counter. */
export function countModbus(tap: ModbusTap, counter: usize, by: u32): void {
  const at = modbusCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}

function openOf(tap: ModbusTap): Request {
  return changetype<Request>(changetype<usize>(askerOf(tap)) + OPEN);
}

function trialOf(tap: ModbusTap): Request {
  return changetype<Request>(changetype<usize>(askerOf(tap)) + TRIAL);
}

/** The latest request that was heard on a tap; it may have been answered since. */
export function openRequest(tap: ModbusTap): Request {
  return openOf(tap);
}

/** Nothing more comes to what is in the window: takeModbus ends every wait in it. */
export function hushModbus(tap: ModbusTap): void {
  tap.hushed = 1;
}

/** The window of a tap. */
export function windowOf(tap: ModbusTap): Window {
  return changetype<Window>(changetype<usize>(tap) + WINDOW);
}

function frameOf(tap: ModbusTap): usize {
  return changetype<usize>(askerOf(tap)) + FRAME;
}

// What is in the window comes from tap/ascii.ts.
function isText(tap: ModbusTap): bool {
  return USES_MODBUS_ASCII && windowOf(tap).checked != 0;
}

// Where the requests are kept.
function askerOf(tap: ModbusTap): ModbusTap {
  return hearsAnswersOnly(tap) ? changetype<ModbusTap>(tap.asker) : tap;
}
