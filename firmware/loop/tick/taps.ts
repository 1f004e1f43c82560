// SPDX-License-Identifier: MIT
// Modbus taps of a tick: octets ► pair ► registers ► channels; tap counters.
//
// Spec: SPEC.md §1.3. State: `Due` and one ModbusTap a tap, in static memory. An answer may carry many
// samples of one channel, so each is told when it is heard.
// Text lines are in lines.ts, taps that find their line in auto.ts; without them a tap's number is its row's.

import {
  AUTO_COUNT,
  LEARNED_TAPS,
  LINE_COUNT,
  REGISTER_COUNT,
  REGISTER_ROWS,
  TAP_COUNT,
  TAP_ROWS,
  WATCHED_TAPS,
} from "../../generated/loop";
import { USES_TAP_EVENTS } from "../../generated/uses";
import { MODBUS_FRAME_BYTES_MAX, TAP_ENTRIES_PER_TICK } from "../../limits";
import { CAUSE_NONE, CAUSE_NOT_A_NUMBER, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import {
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import { ring_put, tap_take } from "../abi";
import { isNumber } from "../compare";
import { acceptSample } from "../filter";
import { encodeState } from "../record";
import { TAP_EVENT_READ, TapEvent } from "../tap/event";
import {
  MODBUS_TAP_BYTES,
  modbusCounters,
  ModbusTap,
  noteIdleModbus,
  putModbus,
  startModbus,
  takeModbus,
} from "../tap/modbus";
import { carriesRow, RegisterRow, valueOfRow } from "../tap/register";
import {
  channelRow,
  channelState,
  checkHeard,
  RECORD,
  settle,
  SPARE,
  tickMs,
  tickUs,
} from "./channels";
import { findEvent } from "./findings";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const PART_ENTRIES = 16; // taken at a time: room for all of a tick would be 512 octets
const PARTS = TAP_ENTRIES_PER_TICK / PART_ENTRIES;
const EVENTS_MAX = MODBUS_FRAME_BYTES_MAX; // each takes a request or at least four octets

@unmanaged
class Due {
  statesMs: u32; // next time that the counters are told
}

@unmanaged
class TapRow {
  tap: i32; // order in node.json
  characterUs: i32;
}

const DUE = memory.data(offsetof<Due>());
const ENTRIES = memory.data(TAP_COUNT > 0 ? PART_ENTRIES * TAP_ENTRY_BYTES : SPARE, 4);
const TAPS = memory.data(TAP_COUNT * MODBUS_TAP_BYTES + SPARE, 4);

/** Once at the start. */
export function startTaps(): void {
  for (let i = 0; i < TAP_COUNT; i++) startModbus(tapState(i), tapRow(i).characterUs, tickUs());
}

/** Takes what came since the tick before. */
export function hearTaps(): void {
  for (let i = 0; i < TAP_COUNT; i++) {
    const tap = tapState(i);
    const number = tapNumber(i);
    let count = PART_ENTRIES;
    for (let part = 0; part < PARTS && count == PART_ENTRIES; part++) {
      count = tap_take(number, ENTRIES, PART_ENTRIES);
      assert(<u32>count <= <u32>PART_ENTRIES);
      for (let k = 0; k < count; k++) hearEntry(number, tap, ENTRIES + k * TAP_ENTRY_BYTES);
    }
    if (count == 0) {
      noteIdleModbus(tap, tickUs());
      hearEvents(number, tap);
    }
  }
}

/** Registers that were not heard for too long become bad. */
export function checkStale(): void {
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const row = registerRow(i);
    checkHeard(row.channel, row.staleMs);
  }
}

/** The counters of every tap, when they are due. */
export function tellTaps(): void {
  const due = changetype<Due>(DUE);
  if (<i32>(tickMs() - due.statesMs) < 0) return;
  due.statesMs = tickMs() + STATE_PERIOD_MS;
  for (let i = 0; i < TAP_COUNT; i++) {
    ring_put(RECORD, encodeState(RECORD, tickUs(), tapNumber(i), modbusCounters(tapState(i))));
  }
}

function hearEntry(number: i32, tap: ModbusTap, entry: usize): void {
  const octet = load<u8>(entry + TAP_ENTRY_BYTE);
  const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
  putModbus(tap, octet, flags, load<u32>(entry + TAP_ENTRY_TIME_US));
  hearEvents(number, tap);
}

function hearEvents(number: i32, tap: ModbusTap): void {
  const event = heardEvent();
  for (let k = 0; k <= EVENTS_MAX && takeModbus(tap, event); k++) {
    if (LEARNED_TAPS != 0 || WATCHED_TAPS != 0) findEvent(number, event);
    if (USES_TAP_EVENTS && event.kind != TAP_EVENT_READ) continue;
    for (let i = 0; i < REGISTER_COUNT; i++) {
      const row = registerRow(i);
      if (row.tap == number && carriesRow(event, row)) hearRegister(row, valueOfRow(event, row));
    }
  }
}

// A function, so that only a module with a tap has the memory.
function heardEvent(): TapEvent {
  return changetype<TapEvent>(memory.data(offsetof<TapEvent>(), 8));
}

function hearRegister(row: RegisterRow, raw: i32): void {
  const state = channelState(row.channel);
  const good = isNumber(channelRow(row.channel).type, raw);
  if (good) acceptSample(state, raw, QUALITY_GOOD, CAUSE_NONE);
  else acceptSample(state, state.value, QUALITY_BAD, CAUSE_NOT_A_NUMBER);
  state.heardMs = tickMs();
  settle(row.channel);
}

function registerRow(index: i32): RegisterRow {
  return changetype<RegisterRow>(
    changetype<usize>(REGISTER_ROWS) + index * offsetof<RegisterRow>(),
  );
}

function tapNumber(index: i32): i32 {
  return LINE_COUNT + AUTO_COUNT == 0 ? index : tapRow(index).tap;
}

function tapRow(index: i32): TapRow {
  return changetype<TapRow>(changetype<usize>(TAP_ROWS) + index * offsetof<TapRow>());
}

function tapState(index: i32): ModbusTap {
  return changetype<ModbusTap>(TAPS + index * MODBUS_TAP_BYTES);
}
