// SPDX-License-Identifier: MIT
// IEC 62056-21 heard passively, modes A to D: octets to objects.
//
// Spec: IEC 62056-21 §6, SPEC.md §17. Seven data bits. BCC = XOR after STX or SOH up to and including ETX, kept
// while the block comes: a read-out of 10 kB needs no memory. Mode D has none; there the form has to hold.
// Where reader and meter change the rate, `baud` says to which; 0: the rate of the sign-on.
//
//   WAITING -/?-> REQUEST -LF-> WAITING
//   WAITING -/-> IDENT -LF-> NEXT -CR-> PUSHED -!-> ENDING -LF-> objects
//   WAITING, NEXT -ACK-> ACKNOWLEDGE -LF-> WAITING, at the new rate (mode C)
//   WAITING, NEXT -STX, SOH-> BLOCK -ETX-> CHECK -BCC-> objects | nothing, counted

import { DATA_BAD, DATA_ENDS, Dataset, DATASET_BYTES, putData, startDataset } from "./dataset";
import { isBetween, isInUnit } from "./dataset";
import { TAP_EVENT_WRITE, TapEvent, UNIT_NONE } from "./event";
import { clearObjects, Objects, releaseObjects, takeObject } from "./object";
import { IDENTIFICATION_BYTES_MAX, METER_SILENCE_US, TELEGRAM_BYTES_MAX } from "../../limits";
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
} from "../../wire/tap";

const STATE_WAITING = 0;
const STATE_START = 1; // after a /
const STATE_REQUEST = 2;
const STATE_IDENT = 3;
const STATE_NEXT = 4; // an identification stands
const STATE_PUSHED = 5;
const STATE_ENDING = 6; // after the ! of pushed data
const STATE_ACKNOWLEDGE = 7;
const STATE_BLOCK = 8;
const STATE_CHECK = 9;

const SOH = 1;
const STX = 2;
const ETX = 3;
const EOT = 4; // ends a block of several
const ACK = 6;
const LF = 10;
const CR = 13;
const END_MARK = 0x21;
const SLASH = 0x2f;
const ZERO = 0x30;
const QUESTION = 0x3f;
const WRITE = 0x57; // W
const RATE_AT = 5; // octet of an identification that says the rate: /XXXZ
const BAUD_FIRST = 300; // rate 0; each is twice the one before it
const RATE_MAX: u32 = 6;
const RATE_LETTER = 0x41; // A, mode B: 600
const ACKNOWLEDGE_BYTES = 6; // ACK V Z Y CR LF

const BLOCK_DATA = 0;
const BLOCK_REST = 1; // after its !
const BLOCK_COMMAND = 2; // SOH: what the reader asks for
const BLOCK_WRITE = 3; // SOH W
const BLOCK_ODD = 4; // no data sets: its check counts, its values do not

/** Followed in memory by Objects, a Dataset and the counters. */
@unmanaged
export class IecTap {
  state: i32;
  length: i32; // octets of the open telegram
  bcc: i32;
  block: i32; // BLOCK_*
  letter: i32; // what the identification says of the rate
  asked: i32; // 1: a reader signed on, so that the meter may change its rate
  baud: i32; // of what comes; 0: as the sign-on
  programs: i32; // 1: programming mode, which keeps its rate
  wrote: i32; // 1: a write is to be told
  before: i32; // octets of the sign-on before this one, the latest lowest
  lastUs: u32;
  reserved: i32; // what follows is aligned to 8
}

const OBJECTS: usize = offsetof<IecTap>();
const DATASET: usize = OBJECTS + offsetof<Objects>();
const COUNTERS: usize = DATASET + DATASET_BYTES;

/** Memory of one tap, a multiple of 8. */
export const IEC_TAP_BYTES: usize = COUNTERS + TAP_COUNTER_COUNT * 4;

export function startIec(tap: IecTap, characterUs: u32, nowUs: u32): void {
  tap.state = STATE_WAITING;
  tap.lastUs = nowUs;
}

/** Address of the counters, u32 each. */
export function iecCounters(tap: IecTap): usize {
  return changetype<usize>(tap) + COUNTERS;
}

/** The objects that are wanted of the line. */
export function iecObjects(tap: IecTap): Objects {
  return changetype<Objects>(changetype<usize>(tap) + OBJECTS);
}

/** Takes one octet that ended at `atUs`. */
export function putIec(tap: IecTap, octet: i32, flags: i32, atUs: u32): void {
  noteIdleIec(tap, atUs);
  tap.lastUs = atUs;
  count(tap, TAP_COUNTER_BYTES, 1);
  if (flags != 0) {
    dropTelegram(tap, TAP_COUNTER_ORPHANS);
    count(tap, TAP_COUNTER_JUNK_BYTES, 1);
    return;
  }
  tap.length++;
  octet &= 0x7f;
  if (tap.state == STATE_WAITING || tap.state == STATE_NEXT) beginPart(tap, octet);
  else if (tap.state >= STATE_BLOCK) putBlock(tap, octet);
  else putLine(tap, octet);
  if (tap.length > TELEGRAM_BYTES_MAX) dropTelegram(tap, TAP_COUNTER_ORPHANS);
}

/** Ends what goes on no more; the next one signs on at the first rate. */
export function noteIdleIec(tap: IecTap, nowUs: u32): void {
  if (nowUs - tap.lastUs <= <u32>METER_SILENCE_US) return;
  tap.lastUs = nowUs;
  if (tap.state == STATE_NEXT) acceptPart(tap, TAP_COUNTER_RESPONSES);
  dropTelegram(tap, TAP_COUNTER_ORPHANS);
  tap.baud = 0;
  tap.asked = 0;
}

/** The next object of a telegram that was right, or a write that was; false: there is none. */
export function takeIec(tap: IecTap, event: TapEvent): bool {
  if (tap.wrote) {
    tap.wrote = 0;
    event.kind = TAP_EVENT_WRITE;
    event.unit = UNIT_NONE;
    event.code = WRITE;
    event.address = 0;
    event.quantity = 0;
    event.values = 0;
    event.bytes = 0;
    return true;
  }
  return takeObject(iecObjects(tap), event);
}

// What comes between telegrams, or after an identification.
function beginPart(tap: IecTap, octet: i32): void {
  if (tap.state == STATE_NEXT && octet == CR) {
    tap.state = STATE_PUSHED;
    beginData(tap);
    return;
  }
  if (tap.state == STATE_NEXT) {
    tap.length--;
    acceptPart(tap, TAP_COUNTER_RESPONSES);
    tap.length = 1;
  }
  if (octet == SLASH) tap.state = STATE_START;
  else if (octet == ACK) tap.state = STATE_ACKNOWLEDGE;
  else if (octet == STX || octet == SOH) {
    tap.state = STATE_BLOCK;
    tap.block = octet == STX ? BLOCK_DATA : BLOCK_COMMAND;
    tap.bcc = 0;
    beginData(tap);
  } else {
    count(tap, TAP_COUNTER_JUNK_BYTES, 1); // also the NULs that wake a meter up
    tap.length = 0;
  }
}

function beginData(tap: IecTap): void {
  clearObjects(iecObjects(tap));
  startDataset(dataset(tap));
}

function putLine(tap: IecTap, octet: i32): void {
  if (tap.state == STATE_PUSHED) putPushed(tap, octet);
  else if (tap.state == STATE_ENDING) {
    if (octet == LF) acceptData(tap);
    else if (octet != CR) restart(tap, octet);
  } else if (tap.state == STATE_ACKNOWLEDGE) putAcknowledge(tap, octet);
  else if (octet == SLASH || (octet < 0x20 && octet != CR && octet != LF)) restart(tap, octet);
  else putSignOn(tap, octet);
}

// A request, /?address! CR LF, or an identification, /XXXZ... CR LF.
function putSignOn(tap: IecTap, octet: i32): void {
  if (tap.state == STATE_START) tap.state = octet == QUESTION ? STATE_REQUEST : STATE_IDENT;
  if (tap.state == STATE_IDENT) {
    const letter: u32 = (octet & 0xdf) - 0x41;
    if (tap.length < RATE_AT && letter > 25) return restart(tap, octet); // three letters of the maker
    if (tap.length == RATE_AT) tap.letter = octet;
  }
  if (octet == LF) endLine(tap);
  else if (tap.length > IDENTIFICATION_BYTES_MAX) restart(tap, octet);
  tap.before = (tap.before << 8) | octet;
}

function endLine(tap: IecTap): void {
  if ((tap.before & 0xff) != CR) return dropTelegram(tap, TAP_COUNTER_ORPHANS);
  if (tap.state == STATE_REQUEST) {
    if ((tap.before & 0xff00) != END_MARK << 8) return dropTelegram(tap, TAP_COUNTER_ORPHANS);
    tap.asked = 1;
    tap.baud = 0;
    return acceptPart(tap, TAP_COUNTER_REQUESTS);
  }
  tap.state = STATE_NEXT;
  // Mode B: the meter goes on at its own rate, without a word of the reader.
  const rate: u32 = tap.letter - RATE_LETTER;
  if (tap.asked && rate < RATE_MAX) tap.baud = (BAUD_FIRST * 2) << rate;
  tap.programs = 0;
}

// Of a block that is answered with a lone ACK nothing is said.
function putAcknowledge(tap: IecTap, octet: i32): void {
  const digit: u32 = octet - ZERO;
  const at = tap.length;
  const isSound =
    at == 2 || at == 4 ? digit <= 9 : at == 3 ? digit <= RATE_MAX : octet == (at == 5 ? CR : LF);
  if (!isSound) return restart(tap, octet);
  if (at == 3) tap.letter = octet;
  if (at == 4) tap.programs = digit == 1 ? 1 : 0;
  if (at < ACKNOWLEDGE_BYTES) return;
  tap.baud = tap.letter == ZERO ? 0 : BAUD_FIRST << (tap.letter - ZERO);
  acceptPart(tap, TAP_COUNTER_REQUESTS);
}

function putPushed(tap: IecTap, octet: i32): void {
  if (octet == SLASH && !isInUnit(dataset(tap))) return restart(tap, octet);
  const said = putData(dataset(tap), iecObjects(tap), octet);
  if (said == DATA_ENDS) tap.state = STATE_ENDING;
  else if (said == DATA_BAD) restart(tap, octet);
}

function putBlock(tap: IecTap, octet: i32): void {
  if (tap.state == STATE_CHECK) return endBlock(tap, octet);
  const isCommand = tap.block == BLOCK_COMMAND || tap.block == BLOCK_WRITE;
  const isControl = octet < 0x20 && octet != CR && octet != LF;
  if (octet == ETX || octet == EOT) {
    if (!isCommand && !isBetween(dataset(tap))) tap.block = BLOCK_ODD;
    tap.state = STATE_CHECK;
  } else if (isCommand) putCommand(tap, octet);
  else if (isControl || (octet == SLASH && tap.block == BLOCK_ODD)) return restart(tap, octet);
  else if (tap.block == BLOCK_DATA) {
    const said = putData(dataset(tap), iecObjects(tap), octet);
    if (said == DATA_ENDS) tap.block = BLOCK_REST;
    else if (said == DATA_BAD && octet == SLASH) return restart(tap, octet);
    else if (said == DATA_BAD) tap.block = BLOCK_ODD;
  }
  tap.bcc ^= octet;
}

// Password, write, read, execute, break and their number; STX and what is asked for follow.
function putCommand(tap: IecTap, octet: i32): void {
  const digit: u32 = octet - ZERO;
  if (tap.length == 2 && octet == WRITE) tap.block = BLOCK_WRITE;
  const isLetter =
    octet == WRITE || octet == 0x50 || octet == 0x52 || octet == 0x45 || octet == 0x42;
  if ((tap.length == 2 && !isLetter) || (tap.length == 3 && digit > 9)) tap.block = BLOCK_ODD;
}

function endBlock(tap: IecTap, octet: i32): void {
  const isRight = octet == tap.bcc;
  if (!tap.programs) tap.baud = 0; // a read-out is one block
  if (!isRight) return dropTelegram(tap, TAP_COUNTER_EXCEPTIONS);
  if (tap.block == BLOCK_ODD) return dropTelegram(tap, TAP_COUNTER_ORPHANS);
  if (tap.block == BLOCK_COMMAND || tap.block == BLOCK_WRITE) {
    tap.wrote = tap.block == BLOCK_WRITE ? 1 : 0;
    return acceptPart(tap, TAP_COUNTER_REQUESTS);
  }
  count(tap, TAP_COUNTER_PAIRS, tap.asked);
  acceptData(tap);
}

function acceptData(tap: IecTap): void {
  acceptPart(tap, TAP_COUNTER_RESPONSES);
  releaseObjects(iecObjects(tap));
}

function acceptPart(tap: IecTap, counter: i32): void {
  count(tap, counter, 1);
  count(tap, TAP_COUNTER_FRAMES, 1);
  tap.state = STATE_WAITING;
  tap.length = 0;
}

// What is open comes to nothing; this octet may begin something.
function restart(tap: IecTap, octet: i32): void {
  tap.length--;
  dropTelegram(tap, TAP_COUNTER_ORPHANS);
  tap.length = 1;
  beginPart(tap, octet);
}

// Nothing, where none is open.
function dropTelegram(tap: IecTap, reason: i32): void {
  if (tap.state == STATE_WAITING) return;
  count(tap, reason, 1);
  count(tap, TAP_COUNTER_JUNK_BYTES, tap.length);
  tap.state = STATE_WAITING;
  tap.length = 0;
}

function dataset(tap: IecTap): Dataset {
  return changetype<Dataset>(changetype<usize>(tap) + DATASET);
}

function count(tap: IecTap, counter: i32, by: i32): void {
  const at = iecCounters(tap) + (counter << 2);
  store<u32>(at, load<u32>(at) + by);
}
