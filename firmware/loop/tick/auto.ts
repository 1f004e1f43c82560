// SPDX-License-Identifier: MIT
// Taps of a tick that find their line: edges and octets in, orders out.
//
// Spec: SPEC.md §1.1, §1.3, §1.4 (record kind 5). State: one AutoTap a tap, buffers, in static memory. What is
// known of a line is told when it changes and every 10 s.

import { AUTO_COUNT, AUTO_ROWS } from "../../generated/loop";
import { AUTO_ENTRIES_PER_TICK, EDGES_PER_WINDOW } from "../../limits";
import { PHASE_CHANGED } from "../../wire/finding";
import {
  PROTOCOL_MODBUS_ASCII,
  PROTOCOL_MODBUS_RTU,
  TAP_COUNTER_COUNT,
  TAP_ENTRY_BYTES,
} from "../../wire/tap";
import { edge_take, edge_unit_ps, ring_put, tap_open, tap_take } from "../abi";
import { encodeLine, encodeState } from "../record";
import {
  AUTO_TAP_BYTES,
  autoCounters,
  AutoTap,
  beginAgain,
  edgeRoom,
  putAutoEdge,
  putAutoOctet,
  refuseOrder,
  seesEdges,
  startAuto,
  stepAuto,
  takeAuto,
} from "../tap/auto";
import { TapEvent } from "../tap/event";
import { RECORD, tickMs, tickUs } from "./channels";
import { findEvent, noticeLineChanged } from "./findings";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const PART_ENTRIES = 32; // taken at a time
const EVENTS_MAX = 256; // an octet may end as many frames as were waited for

@unmanaged
class AutoRow {
  tap: i32; // order in node.json
  baud: i32; // hint
  format: i32; // hint, code of ring record 5
}

/** Takes what came since the tick before, and does a bounded part of the search. */
export function hearAutos(): void {
  if (load<u32>(due() + 4) == 0) beginAutos();
  for (let i = 0; i < AUTO_COUNT; i++) {
    const tap = autoTap(i);
    const number = autoRow(i).tap;
    obey(tap, number);
    if (seesEdges(tap)) hearEdges(tap, number);
    else hearOctets(tap, number);
    stepAuto(tap, heardEvent(), tickMs(), tickUs());
    hearEvents(tap, number);
  }
}

/** What is known of each line, when it changed or is due, and the counters. */
export function tellAutos(): void {
  const isDue = <i32>(tickMs() - load<u32>(due())) >= 0;
  if (isDue) store<u32>(due(), tickMs() + STATE_PERIOD_MS);
  for (let i = 0; i < AUTO_COUNT; i++) {
    const tap = autoTap(i);
    const number = autoRow(i).tap;
    if (isDue) {
      const counters = autoCounters(tap);
      const at = counters == 0 ? silentCounters() : counters;
      ring_put(RECORD, encodeState(RECORD, tickUs(), number, at));
    }
    if (tap.told && !isDue) continue;
    tap.told = ring_put(RECORD, encodeLine(RECORD, tickUs(), number, tap));
    if (tap.told && tap.phase == PHASE_CHANGED) noticeLineChanged(number, heardEvent());
    if (tap.told) beginAgain(tap);
  }
}

// The host is asked in a tick, not before: only then every board is set up.
function beginAutos(): void {
  store<u32>(due() + 4, 1);
  for (let i = 0; i < AUTO_COUNT; i++) {
    const row = autoRow(i);
    const sees = edge_take(row.tap, edgeBuffer(), 0) >= 0;
    startAuto(autoTap(i), sees ? edge_unit_ps(row.tap) : 0, row.baud, row.format);
  }
}

function obey(tap: AutoTap, number: i32): void {
  if (!tap.order) return;
  tap.order = 0;
  if (tap_open(number, tap.orderBaud, tap.orderFormat) != 0) refuseOrder(tap);
}

function hearEdges(tap: AutoTap, number: i32): void {
  const room = edgeRoom(tap);
  if (room == 0) return;
  const count = edge_take(number, edgeBuffer(), room);
  assert(count <= room);
  for (let k = 0; k < count; k++) putAutoEdge(tap, load<u32>(edgeBuffer() + (k << 2)), tickMs());
}

function hearOctets(tap: AutoTap, number: i32): void {
  let count = PART_ENTRIES;
  for (let taken = 0; taken < AUTO_ENTRIES_PER_TICK && count == PART_ENTRIES; taken += count) {
    count = tap_take(number, entryBuffer(), PART_ENTRIES);
    assert(<u32>count <= <u32>PART_ENTRIES);
    for (let k = 0; k < count; k++) {
      putAutoOctet(tap, entryBuffer() + k * TAP_ENTRY_BYTES, tickMs());
      hearEvents(tap, number);
    }
  }
}

function hearEvents(tap: AutoTap, number: i32): void {
  const event = heardEvent();
  for (let k = 0; k < EVENTS_MAX && takeAuto(tap, event); k++)
    if (tap.protocol == PROTOCOL_MODBUS_RTU || tap.protocol == PROTOCOL_MODBUS_ASCII)
      findEvent(number, event);
}

function autoRow(index: i32): AutoRow {
  return changetype<AutoRow>(changetype<usize>(AUTO_ROWS) + index * offsetof<AutoRow>());
}

function autoTap(index: i32): AutoTap {
  return changetype<AutoTap>(autoTaps() + index * AUTO_TAP_BYTES);
}

// Functions, so that only a module with such a tap has the memory.
function autoTaps(): usize {
  return memory.data(AUTO_COUNT * AUTO_TAP_BYTES, 8);
}

// When all is told again, ms; whether the taps have begun.
function due(): usize {
  return memory.data(8, 4);
}

function edgeBuffer(): usize {
  return memory.data(EDGES_PER_WINDOW * 4, 4);
}

function entryBuffer(): usize {
  return memory.data(PART_ENTRIES * TAP_ENTRY_BYTES, 8);
}

// Counters of a tap whose decoder is not known.
function silentCounters(): usize {
  return memory.data(TAP_COUNTER_COUNT * 4, 4);
}

function heardEvent(): TapEvent {
  return changetype<TapEvent>(memory.data(offsetof<TapEvent>(), 8));
}
