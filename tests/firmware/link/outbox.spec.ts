// SPDX-License-Identifier: MIT
// Goal: every slot is in one list, and the account holds after every step.
// Method: 20,000 random steps by seed on an outbox of 128 slots, invariants after each.

import { COUNTERS } from "../../../firmware/link/counters";
import {
  FLAG_EVENT,
  FLAG_STAMPED,
  LIST_CONFIRMED,
  LIST_EVENTS,
  LIST_FLIGHT,
  LIST_FREE,
  LIST_UNCONFIRMED,
  listCount,
  listHead,
  listReady,
  NO_SLOT,
  outboxInit,
  outboxOffer,
  outboxPin,
  outboxRelease,
  outboxSettle,
  outboxStamp,
  outboxWaiting,
  Slot,
  SLOT_BYTES,
  SLOT_NOTICE,
  slotAt,
} from "../../../firmware/link/outbox";
import { randomMix, randomWord } from "../../../firmware/link/random";
import {
  COUNTER_ACKNOWLEDGED,
  COUNTER_COUNT,
  COUNTER_DROPPED_ALARM,
  COUNTER_DROPPED_REFUSED,
  COUNTER_DROPPED_TELEMETRY,
  COUNTER_QUEUED,
  COUNTER_WAITING,
} from "../../../firmware/wire/counters";

const SLOTS: u32 = 128;
const slots: usize = memory.data(128 * SLOT_BYTES, 8);
const numbers: usize = memory.data(128 * 4, 4);

function counter(index: i32): u32 {
  return load<u32>(COUNTERS + index * 4);
}

function reset(): void {
  memory.fill(COUNTERS, 0, COUNTER_COUNT * 4);
  outboxInit(slots, SLOTS);
}

function offer(list: u32): u32 {
  const slot = outboxOffer(list, 0);
  if (slot == NO_SLOT) return slot;
  const entry = slotAt(slot);
  entry.flags = list == LIST_EVENTS ? FLAG_EVENT : 0;
  entry.timeMs = 5;
  return slot;
}

function lengthOf(list: u32): u32 {
  let length: u32 = 0;
  let before: u32 = 0;
  for (let slot = listHead(list); slot != NO_SLOT && length <= SLOTS; slot = slotAt(slot).next) {
    length++;
    if (list == LIST_FREE) continue;
    assert(slotAt(slot).sequence > before, "in order of sequence");
    before = slotAt(slot).sequence;
  }
  return length;
}

function isConsistent(): bool {
  let total: u32 = 0;
  for (let list: u32 = 0; list < 5; list++) {
    if (lengthOf(list) != listCount(list)) return false;
    total += listCount(list);
  }
  const waiting = listCount(LIST_EVENTS) + listCount(LIST_CONFIRMED) + listCount(LIST_FLIGHT);
  const done =
    counter(COUNTER_ACKNOWLEDGED) +
    counter(COUNTER_DROPPED_TELEMETRY) +
    counter(COUNTER_DROPPED_ALARM) +
    counter(COUNTER_DROPPED_REFUSED);
  return (
    total == SLOTS &&
    counter(COUNTER_WAITING) == waiting &&
    counter(COUNTER_QUEUED) == done + waiting &&
    outboxWaiting(numbers, SLOTS) == waiting
  );
}

function step(): void {
  const dice = randomWord() % 100;
  if (dice < 45) offer(LIST_CONFIRMED);
  else if (dice < 60) offer(LIST_UNCONFIRMED);
  else if (dice < 85) offer(LIST_EVENTS);
  else if (dice < 92) {
    if (listCount(LIST_FLIGHT) > 0) return;
    const list = listCount(LIST_EVENTS) > 0 ? LIST_EVENTS : LIST_CONFIRMED;
    const most = min<u32>(listCount(list), 64);
    if (most > 0) outboxPin(list, 1 + (randomWord() % most), 0);
  } else if (dice < 97) {
    const most = listCount(LIST_FLIGHT);
    if (most > 0) outboxSettle(1 + (randomWord() % most), randomWord() % 4 > 0);
  } else if (listCount(LIST_UNCONFIRMED) > 0) {
    outboxRelease(1 + (randomWord() % listCount(LIST_UNCONFIRMED)), randomWord() % 2 == 0, 0);
  }
}

describe("the outbox", () => {
  beforeEach(reset);

  it("has slots of the size that index.ts reserves", () => {
    expect<usize>(offsetof<Slot>()).toBe(SLOT_NOTICE);
    expect<u32>(SLOT_BYTES).toBe(96); // with the details of a notice and a text
  });

  it("keeps its invariants over random steps", () => {
    randomMix(12345);
    let good = 0;
    for (let i = 0; i < 20000; i++) {
      step();
      if (isConsistent()) good++;
    }
    expect<i32>(good).toBe(20000);
  });

  it("never gives up what is in flight", () => {
    for (let i = 0; i < 64; i++) offer(LIST_CONFIRMED);
    outboxPin(LIST_CONFIRMED, 64, 0);
    for (let i = 0; i < 1000; i++) offer(i % 3 == 0 ? LIST_EVENTS : LIST_CONFIRMED);
    expect<u32>(slotAt(listHead(LIST_FLIGHT)).sequence).toBe(1);
    expect<u32>(listCount(LIST_FLIGHT)).toBe(64);
    expect<u32>(listCount(LIST_EVENTS)).toBe(64);
  });

  it("refuses a reading when events and the pack in flight hold all, and counts it", () => {
    for (let i: u32 = 0; i < SLOTS; i++) offer(LIST_EVENTS);
    expect<u32>(offer(LIST_CONFIRMED)).toBe(NO_SLOT);
    expect<u32>(counter(COUNTER_DROPPED_TELEMETRY)).toBe(1);
    expect<bool>(isConsistent()).toBe(true);
  });

  it("stamps each entry once", () => {
    const slot = offer(LIST_CONFIRMED);
    outboxStamp(1000);
    outboxStamp(1000);
    expect<i64>(slotAt(slot).timeMs).toBe(1005);
    expect<bool>((slotAt(slot).flags & FLAG_STAMPED) != 0).toBe(true);
  });

  it("lets readings wait for company, events not", () => {
    offer(LIST_CONFIRMED);
    offer(LIST_EVENTS);
    expect<bool>(listReady(LIST_CONFIRMED, 249)).toBe(false);
    expect<bool>(listReady(LIST_CONFIRMED, 250)).toBe(true);
    expect<bool>(listReady(LIST_EVENTS, 0)).toBe(true);
    for (let i = 0; i < 23; i++) offer(LIST_CONFIRMED);
    expect<bool>(listReady(LIST_CONFIRMED, 0)).toBe(true);
  });
});

describe("a full outbox of bad size", () => {
  throws("is refused", () => {
    outboxInit(slots, 127);
  });
});
