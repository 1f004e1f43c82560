// SPDX-License-Identifier: MIT
// Time: the host's microseconds become milliseconds, and wall time.
//
// Spec: SPEC.md §2 (time), §3. The node asks with a token and takes the answer to its open question
// only; the answer is as old as half the round trip. A reading is stamped once: a later answer moves
// the offset for later readings and changes nothing that is stamped. State: `time`.

import { COUNTER_TIME_ANSWERS } from "../wire/counters";
import {
  MAJOR_ARRAY,
  MAJOR_UNSIGNED,
  readerFinished,
  readerStart,
  takeHead,
  takeU32,
} from "./cbor-reader";
import { count } from "./counters";
import { randomWord } from "./random";
import {
  due,
  TIME_HOLD_MS,
  TIME_PERIOD_MS,
  TIME_RETRY_MS,
  TIME_RETRY_MS_LATE,
  TIME_ROUND_TRIP_MS_MAX,
} from "./timing";

@unmanaged
class TimeState {
  nowMs: i64; // since start of link
  wallOffsetMs: i64; // wall time minus nowMs
  lastUs: u32;
  restUs: u32; // 0..999, not yet in nowMs
  token: u32;
  askedMs: u32;
  askMs: u32; // when to ask again
  holdMs: u32; // until when readings wait for wall time
  known: bool;
  asking: bool; // a question is open
  held: bool; // the first CONNECT has set holdMs
  over: bool; // readings wait no longer
}
export const time: TimeState = changetype<TimeState>(memory.data(offsetof<TimeState>(), 8));

const ANSWER_ITEMS: i64 = 2;
// RFC 8428 §4.5.3: a time below 2^28 s counts as relative. A clock that is not set is no wall time.
const WALL_MS_MIN: i64 = (1 << 28) * 1000;
const WALL_MS_MAX: i64 = 1 << 53; // beyond it a double is not exact

export function timeInit(nowUs: u32): void {
  time.lastUs = nowUs;
}

/** Takes a newer now_us(); the steps between two calls must stay below 2^32 µs. */
export function timeAdvance(nowUs: u32): void {
  const passedUs = nowUs - time.lastUs;
  time.lastUs = nowUs;
  time.restUs += passedUs % 1000;
  time.nowMs += passedUs / 1000;
  if (time.restUs >= 1000) {
    time.restUs -= 1000;
    time.nowMs++;
  }
  if (time.held && due(timeNow(), time.holdMs)) time.over = true;
}

/** Milliseconds since start, wrapping: what the client's deadlines use. */
export function timeNow(): u32 {
  return time.nowMs as u32;
}

/** When a record was taken, in milliseconds since start; before the start it is negative. */
export function timeOfRecord(timeUs: u32): i64 {
  const ageUs = time.lastUs - timeUs;
  if (ageUs <= time.restUs) return time.nowMs;
  const whole: u32 = (ageUs - time.restUs - 1) / 1000 + 1;
  return time.nowMs - whole;
}

/** The gateway accepted the node: ask at once; the first time, readings begin to wait for the answer. */
export function timeConnected(nowMs: u32): void {
  time.asking = false;
  time.askMs = nowMs;
  if (time.held) return;
  time.held = true;
  time.holdMs = nowMs + TIME_HOLD_MS;
}

/** True when packs may leave: wall time is known, or was waited for long enough. */
export function timeSettled(): bool {
  return time.known || time.over;
}

export function timeQuestionDue(nowMs: u32): bool {
  return due(nowMs, time.askMs);
}

/** Opens a question and returns its token. */
export function timeAsk(nowMs: u32): u32 {
  time.token = randomWord();
  time.askedMs = nowMs;
  time.asking = true;
  time.askMs = nowMs + (timeSettled() ? TIME_RETRY_MS_LATE : TIME_RETRY_MS);
  return time.token;
}

/** Takes an answer `[token, ms]`; false when nobody waits for it, or it is late, odd or no wall time. */
export function timeAnswer(at: usize, bytes: u32, nowMs: u32): bool {
  readerStart(at, bytes);
  if (takeHead(MAJOR_ARRAY) != ANSWER_ITEMS) return false;
  const token = takeU32();
  const wallMs = takeHead(MAJOR_UNSIGNED);
  if (!readerFinished() || wallMs < WALL_MS_MIN || wallMs > WALL_MS_MAX) return false;
  const roundTripMs = nowMs - time.askedMs;
  if (!time.asking || token != time.token) return false;
  if (roundTripMs > TIME_ROUND_TRIP_MS_MAX) return false;
  time.asking = false;
  time.known = true;
  time.wallOffsetMs = wallMs + (roundTripMs >> 1) - time.nowMs;
  time.askMs = nowMs + TIME_PERIOD_MS;
  count(COUNTER_TIME_ANSWERS);
  return true;
}
