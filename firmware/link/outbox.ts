// SPDX-License-Identifier: MIT
// Outbox: readings and events wait in fixed slots until acknowledged.
//
// Spec: SPEC.md §3 (sequence), §6 (counters). Every slot is in exactly one list; lists are in order of
// sequence. Full: the oldest telemetry goes first, events last, and each drop is counted.
// (I1) queued = acknowledged + droppedTelemetry + droppedAlarm + droppedRefused + waiting.
// (I2) what was sent and not acknowledged is in FLIGHT and is never pushed out: the gateway may have it.
// State: `outbox`, LISTS; the slots lie where outboxInit() is told.

import { TEXT_BYTES, USES_NOTICES, USES_UNCONFIRMED } from "../generated/uses";
import { PACK_RECORDS_MAX } from "../limits";
import { wide } from "../wide";
import {
  COUNTER_ACKNOWLEDGED,
  COUNTER_DROPPED_ALARM,
  COUNTER_DROPPED_REFUSED,
  COUNTER_DROPPED_TELEMETRY,
  COUNTER_QUEUED,
  COUNTER_UNCONFIRMED_DROPPED,
  COUNTER_UNCONFIRMED_SENT,
  COUNTER_WAITING,
} from "../wire/counters";
import { count } from "./counters";
import { due, PACK_LINGER_MS, PACK_RECORDS_READY } from "./timing";

/** One reading or event. `timeMs` is wall time once FLAG_STAMPED is set, else since start of link. */
@unmanaged
export class Slot {
  timeMs: wide;
  sequence: u32;
  value: u32; // bits of an i32, u32 or f32; of a text its length
  next: u16;
  channel: u8;
  quality: u8;
  cause: u8;
  type: u8;
  alarm: u8;
  flags: u8;
}
export const SLOT_NOTICE: usize = 24; // where the details of a notice lie, in a node that has some
export const SLOT_TEXT: usize = USES_NOTICES ? 32 : 24; // where a text lies, in a node that has some
export const SLOT_BYTES: u32 = <u32>SLOT_TEXT + TEXT_BYTES;
export const FLAG_EVENT: u8 = 1;
export const FLAG_ACTIVE: u8 = 2;
export const FLAG_STAMPED: u8 = 4;
export const FLAG_NOTICE: u8 = 8; // of a tap, with its details; also FLAG_EVENT

export const LIST_FREE: u32 = 0;
export const LIST_EVENTS: u32 = 1;
export const LIST_CONFIRMED: u32 = 2; // QoS 1 readings
export const LIST_UNCONFIRMED: u32 = 3; // QoS 0 readings
export const LIST_FLIGHT: u32 = 4; // sent at QoS 1: all events or all readings
const LIST_COUNT: u32 = 5;

export const NO_SLOT: u32 = 0xffff;

@unmanaged
class List {
  head: u16;
  tail: u16;
  count: u16;
  lingerMs: u32; // when its readings leave even if few
}
const LISTS: usize = memory.data(LIST_COUNT * offsetof<List>(), 4);

namespace outbox {
  export let slots: usize = 0;
  export let capacity: u32 = 0;
  export let sequence: u32 = 0;
}

function listAt(list: u32): List {
  return changetype<List>(LISTS + list * offsetof<List>());
}

export function slotAt(slot: u32): Slot {
  assert(slot < outbox.capacity);
  return changetype<Slot>(outbox.slots + slot * SLOT_BYTES);
}

export function listHead(list: u32): u32 {
  return listAt(list).head;
}

export function listCount(list: u32): u32 {
  return listAt(list).count;
}

/** True when the list has something that should leave now: a full pack, or one waited long enough. */
export function listReady(list: u32, nowMs: u32): bool {
  const entry = listAt(list);
  return entry.count >= PACK_RECORDS_READY || (entry.count > 0 && due(nowMs, entry.lingerMs));
}

/** When what is in the list wants to leave. */
export function listLingerMs(list: u32): u32 {
  return listAt(list).lingerMs;
}

/** A pause is over: what waited through it leaves at once, however long the pause was. */
export function outboxHurry(nowMs: u32): void {
  for (let list = LIST_EVENTS; list < LIST_FLIGHT; list++) listAt(list).lingerMs = nowMs;
}

/** Makes all `capacity` slots free. Sequence numbers start at 1 with each boot. */
export function outboxInit(slots: usize, capacity: u32): void {
  // (I2) a pack in flight must leave room for others.
  assert(capacity >= 2 * PACK_RECORDS_MAX && capacity < NO_SLOT);
  outbox.slots = slots;
  outbox.capacity = capacity;
  outbox.sequence = 0;
  for (let list: u32 = 0; list < LIST_COUNT; list++) {
    listAt(list).head = NO_SLOT as u16;
    listAt(list).count = 0;
  }
  for (let slot: u32 = 0; slot < capacity; slot++) append(LIST_FREE, slot);
}

function append(list: u32, slot: u32): void {
  const entry = listAt(list);
  slotAt(slot).next = NO_SLOT as u16;
  if (entry.count == 0) entry.head = slot as u16;
  else slotAt(entry.tail).next = slot as u16;
  entry.tail = slot as u16;
  entry.count++;
}

function takeHead(list: u32): u32 {
  const entry = listAt(list);
  assert(entry.count > 0);
  const slot: u32 = entry.head;
  entry.head = slotAt(slot).next;
  entry.count--;
  return slot;
}

/** Pushes the oldest reading out, an event only for an event; false: nothing may go. */
function makeRoom(forEvent: bool): bool {
  const confirmed = listHead(LIST_CONFIRMED);
  const unconfirmed = USES_UNCONFIRMED ? listHead(LIST_UNCONFIRMED) : NO_SLOT;
  let list = LIST_CONFIRMED;
  if (USES_UNCONFIRMED && unconfirmed != NO_SLOT) {
    if (confirmed == NO_SLOT || slotAt(unconfirmed).sequence < slotAt(confirmed).sequence) {
      list = LIST_UNCONFIRMED;
    }
  } else if (confirmed == NO_SLOT) {
    if (!forEvent) return false;
    list = LIST_EVENTS;
  }
  countDropped(list);
  append(LIST_FREE, takeHead(list));
  return true;
}

function countDropped(list: u32): void {
  if (USES_UNCONFIRMED && list == LIST_UNCONFIRMED) {
    count(COUNTER_UNCONFIRMED_DROPPED);
    return;
  }
  count(list == LIST_EVENTS ? COUNTER_DROPPED_ALARM : COUNTER_DROPPED_TELEMETRY);
  count(COUNTER_WAITING, -1);
}

/**
 * A new entry at the end of a list, with the next sequence number; the caller fills it.
 * NO_SLOT: a reading, while events and the pack in flight hold every slot. It is counted as dropped.
 */
export function outboxOffer(list: u32, nowMs: u32): u32 {
  // A number names an entry for ever: at the last one link traps and starts with a new boot number.
  assert(outbox.sequence != u32.MAX_VALUE);
  outbox.sequence++;
  if (!USES_UNCONFIRMED || list != LIST_UNCONFIRMED) {
    count(COUNTER_QUEUED);
    count(COUNTER_WAITING);
  }
  if (listCount(LIST_FREE) == 0 && !makeRoom(list == LIST_EVENTS)) {
    countDropped(list);
    return NO_SLOT;
  }
  const entry = listAt(list);
  if (entry.count == 0) entry.lingerMs = list == LIST_EVENTS ? nowMs : nowMs + PACK_LINGER_MS;
  const slot = takeHead(LIST_FREE);
  append(list, slot);
  slotAt(slot).sequence = outbox.sequence;
  return slot;
}

/** Moves the first `records` of a list into flight: from now on they are pinned (I2). */
export function outboxPin(list: u32, records: u32, nowMs: u32): void {
  assert(listCount(LIST_FLIGHT) == 0);
  for (; records > 0; records--) append(LIST_FLIGHT, takeHead(list));
  listAt(list).lingerMs = nowMs; // what is left has waited already
}

/** True when the pack in flight holds events. */
export function flightIsEvents(): bool {
  return (slotAt(listHead(LIST_FLIGHT)).flags & FLAG_EVENT) != 0;
}

/** The first `records` in flight are done: acknowledged, or refused for good. */
export function outboxSettle(records: u32, acknowledged: bool): void {
  count(acknowledged ? COUNTER_ACKNOWLEDGED : COUNTER_DROPPED_REFUSED, records);
  count(COUNTER_WAITING, -records);
  for (; records > 0; records--) append(LIST_FREE, takeHead(LIST_FLIGHT));
}

/** The first `records` at QoS 0 have left, or cannot. */
export function outboxRelease(records: u32, sent: bool, nowMs: u32): void {
  count(sent ? COUNTER_UNCONFIRMED_SENT : COUNTER_UNCONFIRMED_DROPPED, records);
  for (; records > 0; records--) append(LIST_FREE, takeHead(LIST_UNCONFIRMED));
  listAt(LIST_UNCONFIRMED).lingerMs = nowMs;
}

/** Wall time is known: turns the times of all that wait into wall time, once. */
export function outboxStamp(wallOffsetMs: wide): void {
  for (let list = LIST_EVENTS; list < LIST_COUNT; list++) {
    for (let slot = listHead(list); slot != NO_SLOT; slot = slotAt(slot).next) {
      const entry = slotAt(slot);
      if (entry.flags & FLAG_STAMPED) continue;
      entry.timeMs += wallOffsetMs;
      entry.flags |= FLAG_STAMPED;
    }
  }
}

/** Sequence numbers of all that waits for an acknowledgement, oldest first; returns how many. */
export function outboxWaiting(address: usize, capacity: u32): u32 {
  let flight = listHead(LIST_FLIGHT);
  let events = listHead(LIST_EVENTS);
  let readings = listHead(LIST_CONFIRMED);
  let total: u32 = 0;
  for (; total < outbox.capacity; total++) {
    let oldest = flight;
    if (isOlder(events, oldest)) oldest = events;
    if (isOlder(readings, oldest)) oldest = readings;
    if (oldest == NO_SLOT) break;
    const entry = slotAt(oldest);
    if (total < capacity) store<u32>(address + total * 4, entry.sequence);
    if (oldest == flight) flight = entry.next;
    else if (oldest == events) events = entry.next;
    else readings = entry.next;
  }
  return total;
}

function isOlder(slot: u32, than: u32): bool {
  if (slot == NO_SLOT) return false;
  return than == NO_SLOT || slotAt(slot).sequence < slotAt(than).sequence;
}
