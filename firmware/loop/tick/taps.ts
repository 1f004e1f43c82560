// SPDX-License-Identifier: MIT
// Modbus taps of a tick: octets ► pair ► event ► registers; tap counters.
//
// Spec: SPEC.md §1.3, §19. State: statesMs, one ModbusTap or AsciiTap a tap and one TapEvent, in static memory.
// Two taps on two wires are heard in order of time, so that an answer finds its request. Text lines are in
// lines.ts, meters in meters.ts, taps that find their line in auto.ts; without them a tap's number is its row's.

import {
  ASCII_COUNT,
  ASCII_ROWS,
  AUTO_COUNT,
  EXCHANGE_COUNT,
  IEC_COUNT,
  JOIN_COUNT,
  JOIN_ROWS,
  LEARNED_TAPS,
  LINE_COUNT,
  M_BUS_COUNT,
  P1_COUNT,
  POLL_COUNT,
  REGISTER_COUNT,
  SML_COUNT,
  TAP_COUNT,
  TAP_ENTRIES,
  TAP_ROWS,
  WATCHED_TAPS,
} from "../../generated/loop";
import { MODBUS_FRAME_BYTES_MAX } from "../../limits";
import {
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import { ring_put, tap_take } from "../abi";
import { encodeState } from "../record";
import {
  ASCII_TAP_BYTES,
  asciiCounters,
  AsciiTap,
  noteIdleAscii,
  pairsOf,
  putAscii,
  startAscii,
} from "../tap/ascii";
import { TapEvent } from "../tap/event";
import {
  hushModbus,
  joinModbus,
  MODBUS_TAP_BYTES,
  modbusCounters,
  ModbusTap,
  noteIdleModbus,
  putModbus,
  startModbus,
  takeModbus,
} from "../tap/modbus";
import { ECHO, PollRow } from "../tap/poll";
import { RECORD, SPARE, tickMs, tickUs } from "./channels";
import { findEvent } from "./findings";
import {
  hearPolledOctet,
  notePolled,
  polledTimeUs,
  pollRow,
  pollRowOf,
  questionOctet,
  startPolls,
  stepPoll,
  watchMaster,
} from "./polls";
import { hearRegisters } from "./registers";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const PART_ENTRIES = 16; // taken at a time: room for all of a tick would be 512 octets
const PARTS = TAP_ENTRIES / PART_ENTRIES;
const METER_COUNT = P1_COUNT + IEC_COUNT + SML_COUNT + M_BUS_COUNT;
const OTHER_COUNT = ASCII_COUNT + AUTO_COUNT + LINE_COUNT + METER_COUNT + EXCHANGE_COUNT;
const EVENTS_MAX = MODBUS_FRAME_BYTES_MAX; // each takes a request or at least four octets

let statesMs: u32 = 0; // next time that the counters are told

@unmanaged
class TapRow {
  tap: i32; // order in node.json
  characterUs: i32;
}

@unmanaged
class JoinRow {
  requests: i32; // order of TapRow
  answers: i32;
}

// What was taken of one of two wires.
@unmanaged
class Wire {
  row: i32; // order of TapRow
  at: i32; // entries used
  count: i32; // entries taken
  parts: i32; // how often entries were taken
}

const WIRE_BYTES: usize = offsetof<Wire>() + PART_ENTRIES * TAP_ENTRY_BYTES;
const ENTRIES = memory.data(
  TAP_COUNT + ASCII_COUNT > 0 ? PART_ENTRIES * TAP_ENTRY_BYTES : SPARE,
  4,
);
const TAPS = memory.data(TAP_COUNT * MODBUS_TAP_BYTES + SPARE, 4);

/** Once at the start. */
export function startTaps(): void {
  for (let i = 0; i < TAP_COUNT; i++) startModbus(tapState(i), tapRow(i).characterUs, tickUs());
  if (JOIN_COUNT > 0) joinModbus(tapState(joinRow().requests), tapState(joinRow().answers));
  if (POLL_COUNT > 0) startPolls();
  if (ASCII_COUNT == 0) return;
  for (let i = 0; i < ASCII_COUNT; i++)
    startAscii(asciiState(i), asciiRow(i).characterUs, tickUs());
}

/** Takes what came since the tick before. */
export function hearTaps(): void {
  if (JOIN_COUNT > 0) hearWires();
  else for (let i = 0; i < TAP_COUNT; i++) hearTap(tapNumber(i), tapState(i));
  if (ASCII_COUNT == 0) return;
  for (let i = 0; i < ASCII_COUNT; i++) hearAscii(asciiRow(i).tap, asciiState(i));
}

/** After hearTaps: questions of the taps that poll. */
export function askTaps(): void {
  for (let i = 0; i < POLL_COUNT; i++) {
    const octets = stepPoll(i);
    if (octets > 0) hearQuestion(pollRow(i), octets);
  }
}

/** The counters of every tap, when they are due. */
export function tellTaps(): void {
  if (<i32>(tickMs() - statesMs) < 0) return;
  statesMs = tickMs() + STATE_PERIOD_MS;
  for (let i = 0; i < TAP_COUNT; i++) tellCounters(tapNumber(i), modbusCounters(tapState(i)));
  if (ASCII_COUNT == 0) return;
  for (let i = 0; i < ASCII_COUNT; i++) tellCounters(asciiRow(i).tap, asciiCounters(asciiState(i)));
}

function tellCounters(number: i32, counters: usize): void {
  ring_put(RECORD, encodeState(RECORD, tickUs(), number, counters));
}

function hearTap(number: i32, tap: ModbusTap): void {
  let count = PART_ENTRIES;
  for (let part = 0; part < PARTS && count == PART_ENTRIES; part++) {
    count = takeEntries(number, ENTRIES);
    for (let k = 0; k < count; k++) hearEntry(number, tap, ENTRIES + k * TAP_ENTRY_BYTES);
  }
  if (count == 0) hearIdle(number, tap);
}

function hearAscii(number: i32, tap: AsciiTap): void {
  let count = PART_ENTRIES;
  for (let part = 0; part < PARTS && count == PART_ENTRIES; part++) {
    count = takeEntries(number, ENTRIES);
    for (let k = 0; k < count; k++) {
      const entry = ENTRIES + k * TAP_ENTRY_BYTES;
      const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
      let atUs = load<u32>(entry + TAP_ENTRY_TIME_US);
      if (POLL_COUNT > 0) {
        if (isOwnOctet(number, load<u8>(entry + TAP_ENTRY_BYTE), atUs)) continue;
        atUs = polledTimeUs(number, atUs);
      }
      putAscii(tap, load<u8>(entry + TAP_ENTRY_BYTE), flags, atUs);
      hearEvents(number, pairsOf(tap));
    }
  }
  if (count > 0) return;
  noteIdleAscii(tap, tickUs());
  hearEvents(number, pairsOf(tap));
}

// Both wires, always the octet that came first.
function hearWires(): void {
  const requests = wireOf(0, joinRow().requests);
  const answers = wireOf(1, joinRow().answers);
  for (let k = 0; k < 2 * TAP_ENTRIES; k++) {
    const wire = isEarlier(answers, requests) ? answers : requests;
    if (wire.at == wire.count) break;
    hearEntry(tapNumber(wire.row), tapState(wire.row), entryOf(wire));
    wire.at++;
    if (wire.at == wire.count) refill(wire);
  }
  hearWireIdle(requests);
  hearWireIdle(answers);
}

function hearWireIdle(wire: Wire): void {
  if (wire.parts == 1 && wire.count == 0) hearIdle(tapNumber(wire.row), tapState(wire.row));
}

// A wire at the start of a tick, with its first entries.
function wireOf(index: i32, row: i32): Wire {
  const wire = changetype<Wire>(wireMemory() + index * WIRE_BYTES);
  wire.row = row;
  wire.parts = 0;
  wire.count = PART_ENTRIES;
  refill(wire);
  return wire;
}

// As long as a wire gives all that is asked for, there may be more.
function refill(wire: Wire): void {
  if (wire.count < PART_ENTRIES || wire.parts == PARTS) return;
  wire.count = takeEntries(tapNumber(wire.row), changetype<usize>(wire) + offsetof<Wire>());
  wire.at = 0;
  wire.parts++;
}

function isEarlier(one: Wire, other: Wire): bool {
  if (one.at == one.count) return false;
  if (other.at == other.count) return true;
  const oneUs = load<u32>(entryOf(one) + TAP_ENTRY_TIME_US);
  return <i32>(oneUs - load<u32>(entryOf(other) + TAP_ENTRY_TIME_US)) < 0;
}

function entryOf(wire: Wire): usize {
  return changetype<usize>(wire) + offsetof<Wire>() + wire.at * TAP_ENTRY_BYTES;
}

function takeEntries(number: i32, to: usize): i32 {
  const count = tap_take(number, to, PART_ENTRIES);
  assert(<u32>count <= <u32>PART_ENTRIES);
  return count;
}

function hearEntry(number: i32, tap: ModbusTap, entry: usize): void {
  const octet = load<u8>(entry + TAP_ENTRY_BYTE);
  const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
  if (POLL_COUNT > 0) {
    const atUs = load<u32>(entry + TAP_ENTRY_TIME_US);
    if (isOwnOctet(number, octet, atUs)) return;
    putModbus(tap, octet, flags, polledTimeUs(number, atUs));
  } else putModbus(tap, octet, flags, load<u32>(entry + TAP_ENTRY_TIME_US));
  hearEvents(number, tap);
}

// True: it is of the question itself, heard again. What was taken for that and is none comes in first.
function isOwnOctet(number: i32, octet: i32, atUs: u32): bool {
  const held = hearPolledOctet(number, octet, atUs);
  if (held == ECHO) return true;
  for (let k = 0; k < held; k++) putPolled(number, k, polledTimeUs(number, atUs));
  return false;
}

// A question that goes out: its decoder hears it at the time at which the line does.
function hearQuestion(row: PollRow, octets: i32): void {
  if (ASCII_COUNT == 0 || !row.ascii) {
    hushModbus(tapState(row.state));
    hearEvents(row.tap, tapState(row.state));
  }
  for (let k = 0; k < octets; k++) putPolled(row.tap, k, tickUs() + (k + 1) * row.characterUs);
}

// Octet `k` of the latest question of a tap that polls.
function putPolled(number: i32, k: i32, atUs: u32): void {
  const row = pollRowOf(number);
  const octet = questionOctet(number, k);
  if (ASCII_COUNT > 0 && row.ascii) {
    putAscii(asciiState(row.state), octet, 0, atUs);
    hearEvents(number, pairsOf(asciiState(row.state)));
  } else {
    putModbus(tapState(row.state), octet, 0, atUs);
    hearEvents(number, tapState(row.state));
  }
}

function hearIdle(number: i32, tap: ModbusTap): void {
  noteIdleModbus(tap, tickUs());
  hearEvents(number, tap);
}

function hearEvents(number: i32, tap: ModbusTap): void {
  const event = heardEvent();
  for (let k = 0; k <= EVENTS_MAX && takeModbus(tap, event); k++) {
    if (POLL_COUNT > 0 && notePolled(number, event)) continue;
    if (LEARNED_TAPS != 0 || WATCHED_TAPS != 0) findEvent(number, event);
    if (REGISTER_COUNT > 0) hearRegisters(number, event);
  }
  if (POLL_COUNT > 0) watchMaster(number, tap, event);
}

// Functions, so that only a module that needs it has the memory.
function heardEvent(): TapEvent {
  return changetype<TapEvent>(memory.data(offsetof<TapEvent>(), 8));
}

function wireMemory(): usize {
  return memory.data(2 * WIRE_BYTES, 4);
}

function asciiMemory(): usize {
  return memory.data(ASCII_COUNT * ASCII_TAP_BYTES + SPARE, 4);
}

function tapNumber(index: i32): i32 {
  return OTHER_COUNT == 0 ? index : tapRow(index).tap;
}

function tapRow(index: i32): TapRow {
  return changetype<TapRow>(changetype<usize>(TAP_ROWS) + index * offsetof<TapRow>());
}

// The only one: TAPS_MAX is 2.
function joinRow(): JoinRow {
  return changetype<JoinRow>(changetype<usize>(JOIN_ROWS));
}

function asciiRow(index: i32): TapRow {
  return changetype<TapRow>(changetype<usize>(ASCII_ROWS) + index * offsetof<TapRow>());
}

function tapState(index: i32): ModbusTap {
  return changetype<ModbusTap>(TAPS + index * MODBUS_TAP_BYTES);
}

function asciiState(index: i32): AsciiTap {
  return changetype<AsciiTap>(asciiMemory() + index * ASCII_TAP_BYTES);
}
