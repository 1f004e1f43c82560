// SPDX-License-Identifier: MIT
// Asking Modbus units: which question is next, its octets, its time-out.
//
// Spec: SPEC.md §22. No host function here: the caller sends what askNext() made, and puts it into the decoder, which
// pairs the answer as it pairs those of any master. Static memory; every loop is bounded by the questions of a tap.
// (Q1) one question at a time, after a pause; nothing but FC 1 to 4.
// (Q2) an answer that comes too late must not pass for that to another question: after a time-out its unit is asked
// nothing else for LATE_MS. The same question again may be asked at once, since either answer fits it.
// (Q3) a silent unit is asked one question at a time, without a retry, in growing distances: the others go on.
// (Q4) two masters collide: after the second request of another one nothing is asked for FOREIGN_MS.
//
//   QUIET -due, and the line is quiet-> ASKED -answer, exception-> QUIET
//     ^------------ time-out: the same again, or its unit is silent ----'

import { CRC_A001, stepCrc16 } from "./octets";
import { TapEvent } from "./event";

/** What hearOwn() says of an octet of the question itself. */
export const ECHO = -1;
/** What askNext() says when nothing is due. */
export const NO_QUESTION = -1;
/** Outcomes of a time-out. */
export const ASK_AGAIN = 0;
export const UNIT_SILENT = 1;

const LISTEN_MS: u32 = 1_000; // before the first question: a master that is there asks something
const LATE_MS: u32 = 1_000; // a slower answer than this is none: tap/pair.ts
const FOREIGN_MS: u32 = 600_000;
const FOREIGN_REQUESTS = 2; // noise imitates one now and then
const SILENT_TIMEOUTS: u32 = 8; // a dead unit takes a ninth of the line at most, and less later
const SILENT_MS_MAX: u32 = 30_000; // it is back within that
const SILENT_DOUBLINGS = 5;
const ANSWER_CHARACTERS = 520; // the longest answer in ASCII; RTU has half
const STRAGGLER_US = 30_000; // adapters hand over what they collected in 16 ms
const RTU_BYTES = 8; // unit, code, address, quantity, CRC
const ASCII_BYTES = 17; // a colon, six octets and LRC in hex, CR LF
const FRAME_BYTES_MAX = 20; // a multiple of 4

/** A tap that polls. */
@unmanaged
export class PollRow {
  tap: i32; // order in node.json
  ascii: i32;
  state: i32; // order among the taps of its protocol
  characterUs: i32;
  everyMs: i32;
  timeoutUs: i32; // from the end of a question to the first octet of its answer
  retries: i32;
  gapUs: i32; // of silence before a question
  first: i32; // its questions
  count: i32;
}

/** One read request. */
@unmanaged
export class QuestionRow {
  unit: i32;
  code: i32; // 1 to 4
  address: i32;
  quantity: i32;
  leader: i32; // first question of the same unit: it keeps what is known of the unit
}

/** What is known of a question, and in that of a leader of its unit. */
@unmanaged
export class QuestionState {
  dueMs: u32;
  held: i32; // 1: the unit is asked nothing before heldMs
  heldMs: u32;
  silent: i32; // questions in a row that it did not answer
  met: i32; // 1: it answered once
}

/** State of a tap that polls; followed in memory by the octets of its latest question. */
@unmanaged
export class Poll {
  asked: i32; // 1: a question waits for its answer
  question: i32; // the latest one
  tries: i32; // time-outs of it
  again: i32; // 1: it is asked once more
  sentUs: u32; // end of its last octet
  deadlineUs: u32;
  limitUs: u32; // an answer that comes may move the deadline so far
  heardUs: u32; // end of the latest octet on the line
  length: i32; // octets of the question
  echo: i32; // of them heard again so far; ECHO: that is decided
  requests: u32; // the decoder's count, to find those of others
  foreign: i32; // requests of others within FOREIGN_MS
  foreignMs: u32; // the latest
  stopped: i32; // 1: another master is on the line
  listens: i32; // 1: since the start
  startMs: u32;
}

const FRAME: usize = offsetof<Poll>();
/** Memory of a poll, 0 at first. */
export const POLL_BYTES: usize = FRAME + FRAME_BYTES_MAX;

/** Once at the start. */
export function startPoll(poll: Poll, row: PollRow, nowUs: u32, nowMs: u32): void {
  poll.question = row.first + row.count - 1;
  poll.heardUs = nowUs;
  poll.startMs = nowMs;
  poll.listens = 1;
  poll.echo = ECHO;
}

/** Address of the octets of the latest question. */
export function questionFrame(poll: Poll): usize {
  return changetype<usize>(poll) + FRAME;
}

// ---- hearing

/**
 * An octet on the line. ECHO: it may be the question itself, heard again; else how many octets before it were
 * taken for that and are none, so that they come first: they are the first ones of the question.
 */
export function hearOwn(poll: Poll, row: PollRow, octet: i32, atUs: u32): i32 {
  poll.heardUs = atUs;
  if (!poll.asked) return 0;
  // While it comes, an answer has time.
  const until = atUs + row.characterUs * 4 + STRAGGLER_US;
  if (<i32>(until - poll.deadlineUs) > 0) poll.deadlineUs = until;
  if (<i32>(poll.deadlineUs - poll.limitUs) > 0) poll.deadlineUs = poll.limitUs;
  const echo = poll.echo;
  if (echo == ECHO) return 0;
  if (octet == load<u8>(questionFrame(poll) + echo)) {
    poll.echo = echo + 1 == poll.length ? ECHO : echo + 1;
    return ECHO;
  }
  poll.echo = ECHO;
  return echo;
}

/** When an octet ended: no answer began before its question was out, whatever a port without a clock says. */
export function answerTimeUs(poll: Poll, atUs: u32): u32 {
  return poll.asked && <i32>(atUs - poll.sentUs) < 0 ? poll.sentUs : atUs;
}

/** True when the event is about this question. */
export function isAbout(question: QuestionRow, event: TapEvent): bool {
  return isQuestion(question, event.unit, event.code, event.address, event.quantity);
}

/** True when the request is this question. */
export function isQuestion(
  question: QuestionRow,
  unit: i32,
  code: i32,
  address: i32,
  quantity: i32,
): bool {
  return (
    question.unit == unit &&
    question.code == code &&
    question.address == address &&
    question.quantity == quantity
  );
}

/** Another master asks. True: from now on nothing is asked here. */
export function noteForeign(poll: Poll, nowMs: u32): bool {
  if (nowMs - poll.foreignMs >= FOREIGN_MS) poll.foreign = 0;
  poll.foreignMs = nowMs;
  poll.foreign++;
  if (poll.stopped || poll.foreign < FOREIGN_REQUESTS) return false;
  poll.stopped = 1;
  poll.asked = 0;
  poll.again = 0;
  return true;
}

/** The unit of the latest question answered it. */
export function settleAnswer(
  poll: Poll,
  row: PollRow,
  state: QuestionState,
  leader: QuestionState,
  nowMs: u32,
): void {
  poll.asked = 0;
  leader.silent = 0;
  leader.met = 1;
  if (poll.tries > 0) hold(leader, nowMs + LATE_MS); // (Q2) the other answers may still come
  poll.tries = 0;
  setDue(state, row, nowMs);
}

/** True when the latest question waited long enough. */
export function isOverdue(poll: Poll, nowUs: u32): bool {
  return <i32>(nowUs - poll.deadlineUs) >= 0;
}

/** The latest question was not answered: ASK_AGAIN or UNIT_SILENT. */
export function settleSilence(
  poll: Poll,
  row: PollRow,
  state: QuestionState,
  leader: QuestionState,
  nowMs: u32,
): i32 {
  poll.asked = 0;
  poll.tries++;
  if (leader.silent == 0 && poll.tries <= row.retries) {
    poll.again = 1;
    return ASK_AGAIN;
  }
  poll.tries = 0;
  const timeouts = (<u32>row.timeoutUs * SILENT_TIMEOUTS) / 1000;
  const pauseMs = max<u32>(timeouts, row.everyMs) << min(leader.silent, SILENT_DOUBLINGS);
  const most = max<u32>(SILENT_MS_MAX, row.everyMs);
  hold(leader, nowMs + max<u32>(min<u32>(pauseMs, most), LATE_MS)); // (Q2, Q3)
  leader.silent++;
  setDue(state, row, nowMs);
  return UNIT_SILENT;
}

function hold(leader: QuestionState, untilMs: u32): void {
  leader.held = 1;
  leader.heldMs = untilMs;
}

// A period after it was due; what is behind by more than one starts anew.
function setDue(state: QuestionState, row: PollRow, nowMs: u32): void {
  state.dueMs += row.everyMs;
  if (<i32>(nowMs - state.dueMs) > 0) state.dueMs = nowMs;
}

// ---- asking

/** True once after another master has been silent for FOREIGN_MS: all questions are due anew. */
export function resumePoll(poll: Poll, nowMs: u32): bool {
  if (!poll.stopped || nowMs - poll.foreignMs < FOREIGN_MS) return false;
  poll.stopped = 0;
  poll.foreign = 0;
  return true;
}

/** The question to ask now; `rows` and `states` are those of all taps. NO_QUESTION: none. */
export function askNext(poll: Poll, row: PollRow, rows: usize, states: usize, nowMs: u32): i32 {
  if (poll.listens && nowMs - poll.startMs < LISTEN_MS) return NO_QUESTION;
  poll.listens = 0;
  if (poll.again) return poll.question;
  const end = row.first + row.count;
  let at = poll.question;
  for (let k = 0; k < row.count; k++) {
    at = at + 1 == end ? row.first : at + 1;
    const state = questionStateAt(states, at);
    const leader = questionStateAt(states, questionAt(rows, at).leader);
    if (leader.held && <i32>(nowMs - leader.heldMs) >= 0) leader.held = 0;
    if (!leader.held && <i32>(nowMs - state.dueMs) >= 0) return at;
  }
  return NO_QUESTION;
}

/** True when nobody was heard for as long as a pause takes. */
export function isQuiet(poll: Poll, row: PollRow, nowUs: u32): bool {
  return <i32>(nowUs - poll.heardUs) >= row.gapUs;
}

/** Writes the octets of a question; it is sent now. */
export function beginQuestion(
  poll: Poll,
  row: PollRow,
  question: QuestionRow,
  number: i32,
  nowUs: u32,
): void {
  assert(<u32>(question.code - 1) < 4); // (Q1)
  const frame = questionFrame(poll);
  putWord(frame, (question.unit << 8) | question.code);
  putWord(frame + 2, question.address);
  putWord(frame + 4, question.quantity);
  poll.length = row.ascii ? toAscii(frame) : closeRtu(frame);
  poll.question = number;
  poll.again = 0;
  poll.asked = 1;
  poll.echo = 0;
  poll.sentUs = nowUs + poll.length * row.characterUs;
  poll.heardUs = poll.sentUs;
  poll.deadlineUs = poll.sentUs + row.timeoutUs;
  poll.limitUs = poll.deadlineUs + ANSWER_CHARACTERS * row.characterUs;
}

function putWord(at: usize, word: i32): void {
  store<u8>(at, word >> 8);
  store<u8>(at, word, 1);
}

function closeRtu(frame: usize): i32 {
  let crc: u32 = 0xffff;
  for (let i = 0; i < RTU_BYTES - 2; i++) crc = stepCrc16(crc, load<u8>(frame + i), CRC_A001);
  store<u8>(frame, crc, RTU_BYTES - 2); // low octet first
  store<u8>(frame, crc >> 8, RTU_BYTES - 1);
  return RTU_BYTES;
}

// In place, from the end: the octets are at the start.
function toAscii(frame: usize): i32 {
  let sum = 0;
  for (let i = 0; i < RTU_BYTES - 2; i++) sum += load<u8>(frame + i);
  store<u8>(frame, -sum, RTU_BYTES - 2); // LRC
  for (let i = RTU_BYTES - 2; i >= 0; i--) {
    const octet: i32 = load<u8>(frame + i);
    store<u8>(frame + 2 * i, hexOf(octet & 15), 2);
    store<u8>(frame + 2 * i, hexOf(octet >> 4), 1);
  }
  store<u8>(frame, 0x3a);
  store<u8>(frame, 13, ASCII_BYTES - 2);
  store<u8>(frame, 10, ASCII_BYTES - 1);
  return ASCII_BYTES;
}

function hexOf(digit: i32): i32 {
  return digit < 10 ? 48 + digit : 55 + digit;
}

/** A question by its number. */
export function questionAt(rows: usize, number: i32): QuestionRow {
  return changetype<QuestionRow>(rows + <usize>number * offsetof<QuestionRow>());
}

/** What is known of it. */
export function questionStateAt(states: usize, number: i32): QuestionState {
  return changetype<QuestionState>(states + <usize>number * offsetof<QuestionState>());
}
