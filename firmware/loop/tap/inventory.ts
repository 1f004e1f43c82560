// SPDX-License-Identifier: MIT
// What goes over a line, learned: registers and questions.
//
// Spec: SPEC.md §16. Rows lie where they came to be; ORDER has the registers by tap, unit, table and address,
// so that an answer of many registers is one search and a walk. All in the memory of the caller.
// (I1) a sample finds its row, or is counted in registersLeftOut; a question likewise.
// (I2) work of an event: one search, QUANTITY_MAX steps and at most NEW_ROWS_MAX moves of ORDER.

import { INVENTORY_POLLS_MAX, INVENTORY_REGISTERS_MAX } from "../../limits";
import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_QUERY,
  TAP_EVENT_READ,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
  TapEvent,
} from "./event";

const NEW_ROWS_MAX = 16; // of one event; the others come with the next answer
const QUANTITY_MAX = 125; // registers of an answer, and 16 coils each of 2,000
const TABLE_HOLDING = 3;
const SATURATED: u32 = 0xffff;

/** A register, or 16 coils. */
@unmanaged
export class Register {
  key: u32; // tap, unit, code, address
  changes: u32;
  samples: u32;
  toldMs: u32;
  now: u16;
  min: u16;
  max: u16;
  writes: u16;
  state: u32; // NEW, CHANGED or TOLD
}

/** One question. */
@unmanaged
export class Poll {
  key: u32;
  quantity: u32;
  lastMs: u32;
  toldMs: u32;
  state: u32;
  reason: u32;
  answered: u32;
  exceptions: u32;
  unanswered: u32;
  periodMs: u32;
  answerUs: u32;
  answerUsMax: u32;
}

export const NEW = 0;
export const CHANGED = 1;
export const TOLD = 2;

/** Followed by ORDER, the registers and the polls. */
@unmanaged
export class Inventory {
  registers: i32;
  polls: i32;
  registersLeftOut: u32;
  pollsLeftOut: u32;
  nextMs: u32; // no record before
  totalsMs: u32; // when the totals are due
  registerTurn: i32; // where the next look for due rows begins
  pollTurn: i32;
  form: i32; // of the record just made, and its tap
  tap: i32;
  first: i32; // its rows; -1: fewer
  second: i32;
  third: i32;
}

const ORDER: usize = offsetof<Inventory>();
const REGISTERS: usize = ORDER + INVENTORY_REGISTERS_MAX * 2;
const POLLS: usize = REGISTERS + INVENTORY_REGISTERS_MAX * offsetof<Register>();
/** Memory of an inventory, 0 at first. */
export const INVENTORY_BYTES: usize = POLLS + INVENTORY_POLLS_MAX * offsetof<Poll>();

/** Takes an event of a tap. */
export function learnEvent(inventory: Inventory, tap: i32, event: TapEvent, nowMs: u32): void {
  const kind = event.kind;
  const code = event.code;
  const isRead = kind == TAP_EVENT_READ;
  const isWrite = kind == TAP_EVENT_WRITE;
  const isPlain =
    kind == TAP_EVENT_QUERY ||
    kind == TAP_EVENT_EXCEPTION ||
    kind == TAP_EVENT_UNANSWERED ||
    kind == TAP_EVENT_BROADCAST;
  // FC 23 is one question of two events: it counts as the read.
  if (isRead || isPlain || (isWrite && code != 23)) learnPoll(inventory, tap, event, nowMs);
  if (isRead && code <= 2) learnCoils(inventory, tap, event);
  else if (isRead && code != 24)
    learnWords(inventory, tap, event, code == 23 ? TABLE_HOLDING : code);
  else if (isWrite && (code == 6 || code == 16 || code == 23))
    learnWords(inventory, tap, event, TABLE_HOLDING);
}

function learnPoll(inventory: Inventory, tap: i32, event: TapEvent, nowMs: u32): void {
  const key = keyOf(tap, event.unit, event.code, event.address);
  const poll = pollFor(inventory, key, event.quantity);
  if (changetype<usize>(poll) == 0) {
    inventory.pollsLeftOut++;
    return;
  }
  const kind = event.kind;
  const asked = poll.answered + poll.exceptions + poll.unanswered;
  if (asked > 0) {
    const sinceMs = nowMs - poll.lastMs;
    poll.periodMs = poll.periodMs == 0 ? sinceMs : smoothed(poll.periodMs, sinceMs);
  }
  poll.lastMs = nowMs;
  if (kind == TAP_EVENT_UNANSWERED || kind == TAP_EVENT_BROADCAST) {
    if (kind == TAP_EVENT_UNANSWERED) poll.unanswered++;
    if (poll.state == TOLD) poll.state = CHANGED;
    return;
  }
  if (kind == TAP_EVENT_EXCEPTION) {
    poll.exceptions++;
    poll.reason = event.reason;
    if (poll.state == TOLD) poll.state = CHANGED;
  } else {
    poll.answered++;
  }
  poll.answerUs = poll.answerUs == 0 ? event.answerUs : smoothed(poll.answerUs, event.answerUs);
  poll.answerUsMax = max(poll.answerUsMax, event.answerUs);
}

// An eighth of the way to the new value.
function smoothed(before: u32, value: u32): u32 {
  return before + ((<i32>(value - before)) >> 3);
}

function learnWords(inventory: Inventory, tap: i32, event: TapEvent, table: i32): void {
  const words = min(event.bytes >> 1, QUANTITY_MAX);
  let fresh = 0;
  let place = placeOf(inventory, keyOf(tap, event.unit, table, event.address));
  for (let i = 0; i < words; i++) {
    const address = event.address + i;
    if (address > 0xffff) return;
    const at = event.values + (i << 1);
    const value: i32 = (load<u8>(at) << 8) | load<u8>(at, 1);
    const before = inventory.registers;
    const row = rowAt(inventory, place, keyOf(tap, event.unit, table, address), fresh);
    fresh += inventory.registers - before;
    if (changetype<usize>(row) == 0) continue;
    place++;
    takeValue(row, value, false);
    if (event.kind == TAP_EVENT_WRITE) countWrite(row);
    else row.samples++;
  }
}

function learnCoils(inventory: Inventory, tap: i32, event: TapEvent): void {
  const rows = min((event.bytes + 1) >> 1, QUANTITY_MAX);
  let fresh = 0;
  let place = placeOf(inventory, keyOf(tap, event.unit, event.code, event.address));
  for (let i = 0; i < rows; i++) {
    const at = event.values + (i << 1);
    const high: i32 = (i << 1) + 1 < event.bytes ? load<u8>(at, 1) : 0;
    const address = event.address + (i << 4);
    if (address > 0xffff) return;
    const key = keyOf(tap, event.unit, event.code, address);
    // Other questions may have rows in between.
    place = i == 0 ? place : placeOf(inventory, key);
    const before = inventory.registers;
    const row = rowAt(inventory, place, key, fresh);
    fresh += inventory.registers - before;
    if (changetype<usize>(row) == 0) continue;
    takeValue(row, load<u8>(at) | (high << 8), true);
    row.samples++;
  }
}

function takeValue(row: Register, value: i32, isCoils: bool): void {
  if (row.samples == 0 && row.writes == 0) {
    row.min = <u16>value;
    row.max = <u16>value;
  } else if (row.now != <u16>value) {
    row.changes++;
    if (row.state == TOLD) row.state = CHANGED;
  }
  row.now = <u16>value;
  row.min = isCoils ? <u16>(row.min & value) : <u16>min<i32>(row.min, value);
  row.max = isCoils ? <u16>(row.max | value) : <u16>max<i32>(row.max, value);
}

function countWrite(row: Register): void {
  if (row.writes < <u16>SATURATED) row.writes++;
  if (row.state == TOLD) row.state = CHANGED;
}

// One tap bit, 8 of the unit, 7 of the code, 16 of the address.
function keyOf(tap: i32, unit: i32, code: i32, address: i32): u32 {
  return (
    ((<u32>tap) << 31) |
    (((<u32>unit) & 0xff) << 23) |
    (((<u32>code) & 0x7f) << 16) |
    ((<u32>address) & 0xffff)
  );
}

// Place in ORDER of the first row that is not below the key.
function placeOf(inventory: Inventory, key: u32): i32 {
  let low = 0;
  let high = inventory.registers;
  for (let step = 0; step < 9 && low < high; step++) {
    const middle = (low + high) >> 1;
    if (registerAt(inventory, orderAt(inventory, middle)).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The row at the place when it is the key's, or a new one there; null: no room (I1), or too many new (I2).
function rowAt(inventory: Inventory, place: i32, key: u32, fresh: i32): Register {
  const count = inventory.registers;
  if (place < count) {
    const row = registerAt(inventory, orderAt(inventory, place));
    if (row.key == key) return row;
  }
  if (count == INVENTORY_REGISTERS_MAX || fresh == NEW_ROWS_MAX) {
    if (count == INVENTORY_REGISTERS_MAX) inventory.registersLeftOut++;
    return changetype<Register>(0);
  }
  const from = changetype<usize>(inventory) + ORDER + ((<usize>place) << 1);
  memory.copy(from + 2, from, (count - place) << 1);
  store<u16>(from, count);
  inventory.registers++;
  const row = registerAt(inventory, count);
  row.key = key;
  return row;
}

function pollFor(inventory: Inventory, key: u32, quantity: i32): Poll {
  const count = inventory.polls;
  for (let i = 0; i < count; i++) {
    const poll = pollAt(inventory, i);
    if (poll.key == key && poll.quantity == quantity) return poll;
  }
  if (count == INVENTORY_POLLS_MAX) return changetype<Poll>(0);
  inventory.polls++;
  const poll = pollAt(inventory, count);
  poll.key = key;
  poll.quantity = quantity;
  return poll;
}

function orderAt(inventory: Inventory, place: i32): i32 {
  return load<u16>(changetype<usize>(inventory) + ORDER + ((<usize>place) << 1));
}

export function registerAt(inventory: Inventory, index: i32): Register {
  assert(<u32>index < <u32>INVENTORY_REGISTERS_MAX);
  return changetype<Register>(
    changetype<usize>(inventory) + REGISTERS + <usize>index * offsetof<Register>(),
  );
}

export function pollAt(inventory: Inventory, index: i32): Poll {
  assert(<u32>index < <u32>INVENTORY_POLLS_MAX);
  return changetype<Poll>(changetype<usize>(inventory) + POLLS + <usize>index * offsetof<Poll>());
}
