// SPDX-License-Identifier: MIT
// Taps that poll in a tick: time-outs, the next question, what had no answer.
//
// Spec: SPEC.md §22. The only file that calls tap_put; a node of which no tap polls has none of this.
// What is asked goes into the decoder of the tap (taps.ts), which pairs the answer.

import {
  POLL_COUNT,
  POLL_ROWS,
  QUESTION_COUNT,
  QUESTION_ROWS,
  REGISTER_COUNT,
} from "../../generated/loop";
import { CAUSE_NO_INPUT, CAUSE_STALE, QUALITY_BAD } from "../../wire/record";
import {
  TAP_COUNTER_REQUESTS,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_READ,
  TAP_EVENT_UNANSWERED,
} from "../../wire/tap";
import { tap_put } from "../abi";
import { acceptSample } from "../filter";
import { TapEvent } from "../tap/event";
import { modbusCounters, ModbusTap, openRequest } from "../tap/modbus";
import {
  answerTimeUs,
  askNext,
  beginQuestion,
  hearOwn,
  isAbout,
  isOverdue,
  isQuestion,
  isQuiet,
  NO_QUESTION,
  noteForeign,
  Poll,
  POLL_BYTES,
  PollRow,
  questionAt,
  questionFrame,
  QuestionRow,
  QuestionState,
  questionStateAt,
  resumePoll,
  settleAnswer,
  settleSilence,
  startPoll,
  UNIT_SILENT,
} from "../tap/poll";
import { channelState, settle, SPARE, tickMs, tickUs } from "./channels";
import { noticeSecondMaster } from "./findings";
import { registerRow } from "./registers";

const NONE = -1;
const EXCEPTION_ADDRESS = 2; // illegal data address; 1 is an illegal function
const ALL_CODES = 0;

/** Once at the start. */
export function startPolls(): void {
  for (let i = 0; i < POLL_COUNT; i++) startPoll(pollState(i), pollRow(i), tickUs(), tickMs());
}

/** An octet of a tap, as hearOwn(): 0 on a tap that does not poll. */
export function hearPolledOctet(tap: i32, octet: i32, atUs: u32): i32 {
  const index = pollOf(tap);
  return index == NONE ? 0 : hearOwn(pollState(index), pollRow(index), octet, atUs);
}

/** When it ended. */
export function polledTimeUs(tap: i32, atUs: u32): u32 {
  const index = pollOf(tap);
  return index == NONE ? atUs : answerTimeUs(pollState(index), atUs);
}

/** Octet `k` of the latest question of a tap that polls. */
export function questionOctet(tap: i32, k: i32): i32 {
  return load<u8>(questionFrame(pollState(pollOf(tap))) + k);
}

/** An event of a tap. True: it is about a unit that never answered, so it says nothing of the line. */
export function notePolled(tap: i32, event: TapEvent): bool {
  const index = pollOf(tap);
  if (index == NONE) return false;
  const poll = pollState(index);
  const question = questionRow(poll.question);
  if (!isAbout(question, event)) return false;
  const leader = questionState(question.leader);
  if (event.kind == TAP_EVENT_UNANSWERED) return !leader.met;
  if (!poll.asked) return false;
  const failed = event.kind == TAP_EVENT_EXCEPTION;
  if (!failed && event.kind != TAP_EVENT_READ) return false;
  settleAnswer(poll, pollRow(index), questionState(poll.question), leader, tickMs());
  if (failed)
    lose(
      tap,
      question,
      question.code,
      event.reason <= EXCEPTION_ADDRESS ? CAUSE_NO_INPUT : CAUSE_STALE,
    );
  return false;
}

/** After octets of a tap: whether its decoder heard a request that was not asked here. */
export function watchMaster(tap: i32, pairs: ModbusTap, event: TapEvent): void {
  const index = pollOf(tap);
  if (index == NONE) return;
  const poll = pollState(index);
  const requests = load<u32>(modbusCounters(pairs) + (TAP_COUNTER_REQUESTS << 2));
  if (requests == poll.requests) return;
  poll.requests = requests;
  const open = openRequest(pairs);
  const own = questionRow(poll.question);
  if (poll.asked && isQuestion(own, open.unit, open.code, open.address, open.quantity)) return;
  if (!noteForeign(poll, tickMs())) return;
  event.unit = open.unit;
  event.code = open.code;
  event.address = open.address;
  event.quantity = open.quantity;
  noticeSecondMaster(tap, event);
  const row = pollRow(index);
  for (let i = row.first; i < row.first + row.count; i++) {
    const question = questionRow(i);
    lose(tap, question, question.code, CAUSE_STALE);
  }
}

/** What is due on a tap that polls; octets of a question that was sent, 0: none. */
export function stepPoll(index: i32): i32 {
  const row = pollRow(index);
  const poll = pollState(index);
  if (resumePoll(poll, tickMs()))
    for (let i = row.first; i < row.first + row.count; i++) questionState(i).dueMs = tickMs();
  if (poll.asked) {
    if (!isOverdue(poll, tickUs())) return 0;
    endWait(row, poll);
  }
  if (poll.stopped || !isQuiet(poll, row, tickUs())) return 0;
  const next = askNext(poll, row, changetype<usize>(QUESTION_ROWS), states(), tickMs());
  if (next == NO_QUESTION) return 0;
  beginQuestion(poll, row, questionRow(next), next, tickUs());
  // A board that cannot send now is as a unit that does not answer.
  return tap_put(row.tap, questionFrame(poll), poll.length) == 1 ? poll.length : 0;
}

function endWait(row: PollRow, poll: Poll): void {
  const question = questionRow(poll.question);
  const leader = questionState(question.leader);
  const outcome = settleSilence(poll, row, questionState(poll.question), leader, tickMs());
  if (outcome == UNIT_SILENT) lose(row.tap, question, ALL_CODES, CAUSE_STALE);
}

// The channels that a question is for have no value now; ALL_CODES: those of its whole unit.
function lose(tap: i32, question: QuestionRow, code: i32, cause: i32): void {
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const row = registerRow(i);
    if (row.tap != tap || row.unit != question.unit) continue;
    if (code != ALL_CODES) {
      const index = row.address - question.address;
      if (row.code != code || index < 0 || index >= question.quantity) continue;
    }
    const state = channelState(row.channel);
    acceptSample(state, state.value, QUALITY_BAD, cause);
    settle(row.channel);
  }
}

/** A tap that polls, by its order among them. */
export function pollRow(index: i32): PollRow {
  return changetype<PollRow>(changetype<usize>(POLL_ROWS) + <usize>index * offsetof<PollRow>());
}

/** That of a tap that polls, by its order in node.json. */
export function pollRowOf(tap: i32): PollRow {
  return pollRow(pollOf(tap));
}

// Order among the taps that poll, NONE: it listens.
function pollOf(tap: i32): i32 {
  for (let i = 0; i < POLL_COUNT; i++) if (pollRow(i).tap == tap) return i;
  return NONE;
}

function pollState(index: i32): Poll {
  const all = memory.data(POLL_COUNT * POLL_BYTES + SPARE, 4);
  return changetype<Poll>(all + <usize>index * POLL_BYTES);
}

function questionRow(number: i32): QuestionRow {
  return questionAt(changetype<usize>(QUESTION_ROWS), number);
}

function questionState(number: i32): QuestionState {
  return questionStateAt(states(), number);
}

function states(): usize {
  return memory.data(QUESTION_COUNT * offsetof<QuestionState>() + SPARE, 4);
}
