// SPDX-License-Identifier: MIT
// Time: the host's microseconds become milliseconds, and wall time.
//
// Spec: SPEC.md §2 (time), §3. The node asks with a token and takes the answer to its open question
// only; the answer is as old as half the round trip. A reading is stamped once: a later answer moves
// the offset for later readings and changes nothing that is stamped. State: `time`.

import { wide, wideOf } from "../wide";
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

export namespace time {
  export let nowMs: u32 = 0; // since start of link, wraps
  export let wraps: u32 = 0; // of nowMs
  export let wallOffsetMs: wide = 0; // wall time minus uptimeMs()
  export let lastUs: u32 = 0;
  export let restUs: u32 = 0; // 0..999, not yet in nowMs
  export let token: u32 = 0;
  export let askedMs: u32 = 0;
  export let askMs: u32 = 0; // when to ask again
  export let holdMs: u32 = 0; // until when readings wait for wall time
  export let known: bool = false;
  export let asking: bool = false; // a question is open
  export let held: bool = false; // the first CONNECT has set holdMs
  export let over: bool = false; // readings wait no longer
}

const ANSWER_ITEMS: wide = 2;
// RFC 8428 §4.5.3: a time below 2^28 s counts as relative. A clock that is not set is no wall time.
const WALL_MS_MIN: wide = 268_435_456_000;
const WALL_MS_MAX: wide = 9_007_199_254_740_992; // beyond it a double is not exact

export function timeInit(nowUs: u32): void {
  time.lastUs = nowUs;
}

/** Takes a newer now_us(); the steps between two calls must stay below 2^32 µs. */
export function timeAdvance(nowUs: u32): void {
  const passedUs = nowUs - time.lastUs;
  time.lastUs = nowUs;
  const restUs = time.restUs + (passedUs % 1000);
  const passedMs = passedUs / 1000 + restUs / 1000;
  time.restUs = restUs % 1000;
  time.nowMs += passedMs;
  if (time.nowMs < passedMs) time.wraps++;
  if (time.held && due(timeNow(), time.holdMs)) time.over = true;
}

/** Milliseconds since start, wrapping: what the client's deadlines use. */
export function timeNow(): u32 {
  return time.nowMs;
}

/** Milliseconds since start. */
export function uptimeMs(): wide {
  return wideOf(time.wraps, time.nowMs);
}

/** When a record was taken, in milliseconds since start; before the start it is negative. */
export function timeOfRecord(timeUs: u32): wide {
  const ageUs = time.lastUs - timeUs;
  const whole: u32 = ageUs <= time.restUs ? 0 : (ageUs - time.restUs - 1) / 1000 + 1;
  return uptimeMs() - (whole as wide);
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
  time.wallOffsetMs = wallMs + ((roundTripMs >> 1) as wide) - uptimeMs();
  time.askMs = nowMs + TIME_PERIOD_MS;
  count(COUNTER_TIME_ANSWERS);
  return true;
}
