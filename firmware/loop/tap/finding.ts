// SPDX-License-Identifier: MIT
// Rows of an inventory for ring records: which are due, and their octets.
//
// Spec: SPEC.md §16; layouts in wire/finding.ts.
// (F1) a row is told when new, when changed at most every ROW_PITCH_MS, and at least every ROW_REPEAT_MS.
// (F2) one record in RECORD_PITCH_MS: at most 1,520 octets a second, so that readings have the ring.

import {
  FORM_POLLS,
  FORM_REGISTERS,
  FORM_TOTALS,
  POLL_ANSWER_US,
  POLL_ANSWER_US_MAX,
  POLL_ANSWERED,
  POLL_BYTES,
  POLL_EXCEPTIONS,
  POLL_PERIOD_MS,
  POLL_QUANTITY,
  POLL_REASON,
  POLL_UNANSWERED,
  REGISTER_BYTES,
  REGISTER_CHANGES,
  REGISTER_MAX,
  REGISTER_MIN,
  REGISTER_NOW,
  REGISTER_SAMPLES,
  REGISTER_WRITES,
  TOTALS_BYTES,
  TOTALS_POLLS,
  TOTALS_POLLS_LEFT_OUT,
  TOTALS_REGISTERS,
  TOTALS_REGISTERS_LEFT_OUT,
} from "../../wire/finding";
import { CHANGED, Inventory, NEW, pollAt, registerAt, TOLD } from "./inventory";

const RECORD_PITCH_MS: u32 = 50; // between two records
const ROW_PITCH_MS: u32 = 2_000;
const POLL_PITCH_MS: u32 = 10_000; // its counts move all the time
const ROW_REPEAT_MS: u32 = 50_000; // and the turn of a row comes within ten seconds more
const TOTALS_PITCH_MS: u32 = 10_000;
const REGISTERS_PER_RECORD = 3;
const POLLS_PER_RECORD = 2;

/**
 * Writes rows that are due to `at`; how many octets, 0: none now. `form` and `tap` of the inventory say what
 * they are. They count as told after findingTold().
 */
export function takeFinding(inventory: Inventory, at: usize, nowMs: u32): i32 {
  if (<i32>(nowMs - inventory.nextMs) < 0) return 0;
  inventory.first = -1;
  inventory.second = -1;
  inventory.third = -1;
  let bytes = 0;
  if (inventory.registers + inventory.polls == 0) return 0;
  if (<i32>(nowMs - inventory.totalsMs) >= 0) bytes = putTotals(inventory, at);
  else {
    bytes = putPolls(inventory, at, nowMs);
    if (bytes == 0) bytes = putRegisters(inventory, at, nowMs);
  }
  inventory.nextMs = nowMs + RECORD_PITCH_MS;
  return bytes;
}

/** What takeFinding() gave last is in the ring. */
export function findingTold(inventory: Inventory, nowMs: u32): void {
  if (inventory.form == FORM_TOTALS) inventory.totalsMs = nowMs + TOTALS_PITCH_MS;
  markTold(inventory, inventory.first, nowMs);
  markTold(inventory, inventory.second, nowMs);
  markTold(inventory, inventory.third, nowMs);
}

function markTold(inventory: Inventory, index: i32, nowMs: u32): void {
  if (index < 0) return;
  if (inventory.form == FORM_REGISTERS) {
    const row = registerAt(inventory, index);
    row.state = TOLD;
    row.toldMs = nowMs;
    inventory.registerTurn = index + 1;
  } else {
    const poll = pollAt(inventory, index);
    poll.state = TOLD;
    poll.toldMs = nowMs;
    inventory.pollTurn = index + 1;
  }
}

function putTotals(inventory: Inventory, at: usize): i32 {
  inventory.form = FORM_TOTALS;
  inventory.tap = <i32>(
    ((inventory.registers > 0 ? registerAt(inventory, 0).key : pollAt(inventory, 0).key) >> 31)
  );
  store<u16>(at, inventory.registers, TOTALS_REGISTERS);
  store<u16>(at, inventory.polls, TOTALS_POLLS);
  store<u32>(at, inventory.registersLeftOut, TOTALS_REGISTERS_LEFT_OUT);
  store<u32>(at, inventory.pollsLeftOut, TOTALS_POLLS_LEFT_OUT);
  return TOTALS_BYTES;
}

function isDue(state: u32, toldMs: u32, nowMs: u32, quietMs: u32): bool {
  const sinceMs = nowMs - toldMs;
  return state == NEW || sinceMs >= (state == CHANGED ? ROW_PITCH_MS : quietMs);
}

// Up to three rows of one tap, from the turn on.
function putRegisters(inventory: Inventory, at: usize, nowMs: u32): i32 {
  const count = inventory.registers;
  let rows = 0;
  for (let i = 0; i < count && rows < REGISTERS_PER_RECORD; i++) {
    let index = inventory.registerTurn + i;
    if (index >= count) index -= count;
    if (index >= count) continue;
    const row = registerAt(inventory, index);
    const tap = <i32>(row.key >> 31);
    if (!isDue(row.state, row.toldMs, nowMs, ROW_REPEAT_MS) || (rows > 0 && tap != inventory.tap))
      continue;
    inventory.form = FORM_REGISTERS;
    inventory.tap = tap;
    keepRow(inventory, rows, index);
    const to = at + rows * REGISTER_BYTES;
    putKey(to, row.key);
    store<u16>(to, row.now, REGISTER_NOW);
    store<u16>(to, row.min, REGISTER_MIN);
    store<u16>(to, row.max, REGISTER_MAX);
    store<u16>(to, row.writes, REGISTER_WRITES);
    store<u32>(to, row.changes, REGISTER_CHANGES);
    store<u32>(to, row.samples, REGISTER_SAMPLES);
    rows++;
  }
  return rows * REGISTER_BYTES;
}

function putPolls(inventory: Inventory, at: usize, nowMs: u32): i32 {
  const count = inventory.polls;
  let rows = 0;
  for (let i = 0; i < count && rows < POLLS_PER_RECORD; i++) {
    let index = inventory.pollTurn + i;
    if (index >= count) index -= count;
    if (index >= count) continue;
    const poll = pollAt(inventory, index);
    const tap = <i32>(poll.key >> 31);
    if (!isDue(poll.state, poll.toldMs, nowMs, POLL_PITCH_MS) || (rows > 0 && tap != inventory.tap))
      continue;
    inventory.form = FORM_POLLS;
    inventory.tap = tap;
    keepRow(inventory, rows, index);
    const to = at + rows * POLL_BYTES;
    putKey(to, poll.key);
    store<u16>(to, poll.quantity, POLL_QUANTITY);
    store<u16>(to, poll.reason, POLL_REASON);
    store<u32>(to, poll.answered, POLL_ANSWERED);
    store<u32>(to, poll.exceptions, POLL_EXCEPTIONS);
    store<u32>(to, poll.unanswered, POLL_UNANSWERED);
    store<u32>(to, poll.periodMs, POLL_PERIOD_MS);
    store<u32>(to, poll.answerUs, POLL_ANSWER_US);
    store<u32>(to, poll.answerUsMax, POLL_ANSWER_US_MAX);
    rows++;
  }
  return rows * POLL_BYTES;
}

// Unit, code and address stand first in both rows.
function putKey(at: usize, key: u32): void {
  store<u8>(at, key >> 23);
  store<u8>(at, (key >> 16) & 0x7f, 1);
  store<u16>(at, key, 2);
}

function keepRow(inventory: Inventory, rows: i32, index: i32): void {
  if (rows == 0) inventory.first = index;
  else if (rows == 1) inventory.second = index;
  else inventory.third = index;
}
