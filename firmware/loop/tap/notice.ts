// SPDX-License-Identifier: MIT
// Security events of a Modbus line: writes, scans, units that come and go.
//
// Spec: SPEC.md §16. A Watch looks at one line, Notices are those of all of them. Bounded, nothing allocated.
// (N1) of a notice and a unit one is told at once and the next after REPEAT_MS, with how many there were.
// (N2) TOKENS_MAX at once, then one in TOKEN_MS; what has no token waits. Without a place it is counted.
// A question is known by 9 bits of a hash, so a new one may pass for known, never a known one for new.

import { NOTICES_MAX } from "../../limits";
import {
  NOTICE_ADDRESS,
  NOTICE_ADDRESS_SWEEP,
  NOTICE_BYTES,
  NOTICE_CODE,
  NOTICE_EXCEPTIONS,
  NOTICE_IDENTIFICATION,
  NOTICE_LISTEN_ONLY,
  NOTICE_NEW_UNIT,
  NOTICE_NUMBER,
  NOTICE_OVERFLOW,
  NOTICE_PROBING,
  NOTICE_QUANTITY,
  NOTICE_RESTART,
  NOTICE_SPARE,
  NOTICE_SPARE_2,
  NOTICE_TIMES,
  NOTICE_UNIT,
  NOTICE_UNIT_SILENT,
  NOTICE_UNIT_SWEEP,
  NOTICE_VALUE,
  NOTICE_WRITE,
} from "../../wire/finding";
import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_READING,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
  TapEvent,
} from "./event";

const LEARN_MS: u32 = 600_000;
const WINDOW_MS: u32 = 60_000; // in which questions of a scan are counted
const REPEAT_MS: u32 = 300_000;
const TOKEN_MS: u32 = 5_000;
const TOKENS_MAX = 8;
const SWEPT_UNITS = 5;
const NEW_QUESTIONS = 8;
const PROBES = 8;
const EXCEPTIONS = 8;
const SILENT = 5; // questions in a row
const NO_UNIT = 255;

/** One line. Followed by bits of units that answered, of units asked in vain, of known questions; silences. */
@unmanaged
export class Watch {
  startMs: u32; // when the first event came
  started: u32;
  windowMs: u32;
  swept: i32; // units asked in vain in this window
  questions: i32; // new ones
  probes: i32;
  exceptions: i32;
}

const ANSWERED: usize = offsetof<Watch>();
const ASKED: usize = ANSWERED + 32;
const KNOWN: usize = ASKED + 32; // a bit for each hash of a question
const KNOWN_BYTES = 64;
const SILENCES: usize = KNOWN + KNOWN_BYTES; // u8 a unit
/** Memory of a watch, 0 at first. */
export const WATCH_BYTES: usize = SILENCES + 256;

@unmanaged
class Notice {
  key: u32; // tap, number, unit; 0: free
  pending: u32; // not told yet
  told: u32;
  toldMs: u32;
  code: i32;
  address: i32;
  quantity: i32;
  value: u32;
}

/** Followed by NOTICES_MAX notices. */
@unmanaged
export class Notices {
  overflow: u32; // without a place, not told yet
  tokens: i32;
  tokenMs: u32;
  started: u32;
  tap: i32; // of the notice just made
  row: i32; // its place
  atTap: i32; // whose event is looked at, and when
  atMs: u32;
}

const ROWS: usize = offsetof<Notices>();
/** Memory of the notices, 0 at first. */
export const NOTICES_BYTES: usize = ROWS + NOTICES_MAX * offsetof<Notice>();

/** What is raised from now on is of this tap and this time. */
export function startWatching(notices: Notices, tap: i32, nowMs: u32): void {
  notices.atTap = tap;
  notices.atMs = nowMs;
}

/** Looks at an event of the tap that was named to startWatching(). */
export function watchEvent(watch: Watch, notices: Notices, event: TapEvent): void {
  const nowMs = notices.atMs;
  const kind = event.kind;
  if (kind == TAP_EVENT_ORPHAN || kind >= TAP_EVENT_READING) return;
  if (!watch.started) {
    watch.started = 1;
    watch.startMs = nowMs;
    watch.windowMs = nowMs;
  }
  if (nowMs - watch.windowMs >= WINDOW_MS) openWindow(watch, nowMs);
  const learned = nowMs - watch.startMs >= LEARN_MS;
  watchCode(notices, event);
  const isNew = !testAndSet(watch, KNOWN, hashOf(event) & (KNOWN_BYTES * 8 - 1));
  if (isNew && learned && ++watch.questions == NEW_QUESTIONS)
    raise(notices, NOTICE_ADDRESS_SWEEP, event, NEW_QUESTIONS);
  if (kind == TAP_EVENT_EXCEPTION) watchException(watch, notices, event, isNew);
  if (kind == TAP_EVENT_BROADCAST || <u32>event.unit > 255) return;
  if (kind == TAP_EVENT_UNANSWERED) watchSilence(watch, notices, event);
  else {
    if (!testAndSet(watch, ANSWERED, event.unit) && learned)
      raise(notices, NOTICE_NEW_UNIT, event, 0);
    store<u8>(changetype<usize>(watch) + SILENCES + event.unit, 0);
  }
}

function openWindow(watch: Watch, nowMs: u32): void {
  watch.windowMs = nowMs;
  watch.swept = 0;
  watch.questions = 0;
  watch.probes = 0;
  watch.exceptions = 0;
  memory.fill(changetype<usize>(watch) + ASKED, 0, 32);
}

function watchCode(notices: Notices, event: TapEvent): void {
  const code = event.code;
  if (isWriteCode(code)) {
    // FC 23 is told as a read and as a write; the write has what was written.
    if (code != 23 || event.kind == TAP_EVENT_WRITE || event.values == 0)
      raise(notices, NOTICE_WRITE, event, firstValue(event));
  } else if (code == 8) {
    const does = event.address; // the sub-function
    const number =
      does == 4 ? NOTICE_LISTEN_ONLY : does == 1 ? NOTICE_RESTART : NOTICE_IDENTIFICATION;
    raise(notices, number, event, 0);
  } else if (code == 17 || code == 43) raise(notices, NOTICE_IDENTIFICATION, event, 0);
}

function isWriteCode(code: i32): bool {
  return code == 5 || code == 6 || code == 15 || code == 16 || code == 22 || code == 23;
}

function firstValue(event: TapEvent): u32 {
  if (event.values == 0 || event.bytes == 0) return 0;
  if (event.bytes == 1) return load<u8>(event.values);
  return ((<u32>load<u8>(event.values)) << 8) | load<u8>(event.values, 1);
}

function watchException(watch: Watch, notices: Notices, event: TapEvent, isNew: bool): void {
  if (event.reason <= 2) {
    if (isNew && ++watch.probes == PROBES) raise(notices, NOTICE_PROBING, event, event.reason);
  } else if (++watch.exceptions == EXCEPTIONS) {
    raise(notices, NOTICE_EXCEPTIONS, event, event.reason);
  }
}

function watchSilence(watch: Watch, notices: Notices, event: TapEvent): void {
  const unit = event.unit;
  if (!test(watch, ANSWERED, unit)) {
    if (!testAndSet(watch, ASKED, unit) && ++watch.swept == SWEPT_UNITS)
      raise(notices, NOTICE_UNIT_SWEEP, event, SWEPT_UNITS);
    return;
  }
  const at = changetype<usize>(watch) + SILENCES + unit;
  const silences: i32 = load<u8>(at);
  if (silences >= SILENT) return;
  store<u8>(at, silences + 1);
  if (silences + 1 == SILENT) raise(notices, NOTICE_UNIT_SILENT, event, SILENT);
}

/** A notice of a tap; unit, code, address and quantity are those of the event. */
export function raise(notices: Notices, number: i32, event: TapEvent, value: u32): void {
  const unit = number == NOTICE_UNIT_SWEEP || event.unit < 0 ? NO_UNIT : event.unit & 0xff;
  const key: u32 = (notices.atTap << 16) | (number << 8) | unit;
  const row = placeFor(notices, key);
  if (changetype<usize>(row) == 0) {
    notices.overflow++;
    return;
  }
  if (row.pending++ > 0) return;
  row.code = event.code;
  row.address = event.address;
  row.quantity = event.quantity;
  row.value = value;
}

// The row of the key, or one that nobody needs any more.
function placeFor(notices: Notices, key: u32): Notice {
  let free = changetype<Notice>(0);
  for (let i = 0; i < NOTICES_MAX; i++) {
    const row = noticeAt(notices, i);
    if (row.key == key) return row;
    const isOver = row.key == 0 || (row.pending == 0 && notices.atMs - row.toldMs >= REPEAT_MS);
    if (isOver) free = row;
  }
  if (changetype<usize>(free) == 0) return free;
  free.key = key;
  free.pending = 0;
  free.told = 0;
  return free;
}

/** Writes the value of a notice that may be told now to `at`; how many octets, 0: none. noticeTold() follows. */
export function takeNotice(notices: Notices, at: usize, nowMs: u32): i32 {
  refill(notices, nowMs);
  if (notices.tokens == 0) return 0;
  for (let i = 0; i < NOTICES_MAX; i++) {
    const row = noticeAt(notices, i);
    if (row.pending == 0 || (row.told && nowMs - row.toldMs < REPEAT_MS)) continue;
    notices.tap = row.key >> 16;
    notices.row = i;
    store<u8>(at, row.key >> 8, NOTICE_NUMBER);
    store<u8>(at, row.key, NOTICE_UNIT);
    store<u8>(at, row.code, NOTICE_CODE);
    store<u16>(at, row.address, NOTICE_ADDRESS);
    store<u16>(at, row.quantity, NOTICE_QUANTITY);
    putRest(at, row.value, row.pending);
    return NOTICE_BYTES;
  }
  if (notices.overflow == 0) return 0;
  notices.tap = 0;
  notices.row = -1;
  memory.fill(at, 0, NOTICE_BYTES);
  store<u8>(at, NOTICE_OVERFLOW, NOTICE_NUMBER);
  store<u8>(at, NO_UNIT, NOTICE_UNIT);
  putRest(at, notices.overflow, 1);
  return NOTICE_BYTES;
}

function putRest(at: usize, value: u32, times: u32): void {
  store<u8>(at, 0, NOTICE_SPARE);
  store<u32>(at, value, NOTICE_VALUE);
  store<u16>(at, min<u32>(times, 0xffff), NOTICE_TIMES);
  store<u16>(at, 0, NOTICE_SPARE_2);
}

/** What takeNotice() gave last is in the ring. */
export function noticeTold(notices: Notices, nowMs: u32): void {
  notices.tokens--;
  if (notices.row < 0) {
    notices.overflow = 0;
    return;
  }
  const row = noticeAt(notices, notices.row);
  row.pending = 0;
  row.told = 1;
  row.toldMs = nowMs;
}

function refill(notices: Notices, nowMs: u32): void {
  if (!notices.started || (notices.tokens == TOKENS_MAX && nowMs - notices.tokenMs >= TOKEN_MS)) {
    notices.started = 1;
    notices.tokens = TOKENS_MAX;
    notices.tokenMs = nowMs;
  } else if (nowMs - notices.tokenMs >= TOKEN_MS) {
    notices.tokenMs += TOKEN_MS;
    notices.tokens++;
  }
}

function hashOf(event: TapEvent): u32 {
  const words =
    (((<u32>event.unit) << 24) ^ ((<u32>event.code) << 16) ^ (<u32>event.address)) * 0x9e3779b1;
  return ((words ^ (<u32>event.quantity)) * 0x85ebca6b) >> 16;
}

// Bits in words: `bits` is a multiple of 4.
function test(watch: Watch, bits: usize, bit: u32): bool {
  return ((load<u32>(changetype<usize>(watch) + bits + ((bit >> 5) << 2)) >> (bit & 31)) & 1) != 0;
}

function testAndSet(watch: Watch, bits: usize, bit: u32): bool {
  const before = test(watch, bits, bit);
  const at = changetype<usize>(watch) + bits + ((bit >> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (bit & 31)));
  return before;
}

function noticeAt(notices: Notices, index: i32): Notice {
  return changetype<Notice>(changetype<usize>(notices) + ROWS + <usize>index * offsetof<Notice>());
}
