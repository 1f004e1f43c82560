// SPDX-License-Identifier: MIT
// Meters of a tick: octets ► telegrams ► objects ► channels; tap counters.
//
// Spec: SPEC.md §1.3, §17. State: one decoder a tap, one slot an object with an OBIS code, one event, the time that
// the counters are due, in static memory. A telegram is told when it is whole. Only the decoders of
// protocols that the node has are compiled in.

import {
  FOLLOW_COUNT,
  FOLLOW_ROWS,
  IEC_COUNT,
  IEC_ROWS,
  M_BUS_COUNT,
  M_BUS_ROWS,
  OBJECT_COUNT,
  OBJECT_ROWS,
  P1_COUNT,
  P1_ROWS,
  RECORD_NAMES,
  SML_COUNT,
  SML_ROWS,
} from "../../generated/loop";
import { TAP_ENTRIES_PER_TICK } from "../../limits";
import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
} from "../../wire/record";
import { QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import {
  PROTOCOL_DSMR_P1,
  PROTOCOL_IEC62056_21,
  PROTOCOL_M_BUS,
  PROTOCOL_SML,
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import { ring_put, tap_open, tap_take } from "../abi";
import { acceptSample } from "../filter";
import { encodeState } from "../record";
import { TAP_EVENT_READING, TAP_EVENT_TEXT, TapEvent } from "../tap/event";
import { IEC_TAP_BYTES, iecCounters, iecObjects, IecTap } from "../tap/iec62056";
import { noteIdleIec, putIec, startIec, takeIec } from "../tap/iec62056";
import { LineField, STEPS_OVER } from "../tap/match";
import { M_BUS_TAP_BYTES, mbusCounters, mbusRecords, MbusTap } from "../tap/mbus";
import { noteIdleMbus, putMbus, startMbus, takeMbus } from "../tap/mbus";
import { numberSteps } from "../tap/number";
import { OBJECT_SLOT_BYTES, ObjectSlot, wantObjects } from "../tap/object";
import { noteIdleP1, P1_TAP_BYTES, p1Counters, p1Objects, P1Tap } from "../tap/p1";
import { putP1, startP1, takeP1 } from "../tap/p1";
import { noteIdleSml, putSml, SML_TAP_BYTES, smlCounters, smlObjects, SmlTap } from "../tap/sml";
import { startSml, takeSml } from "../tap/sml";
import { channelState, checkHeard, RECORD, settle, tickMs, tickUs } from "./channels";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const METER_COUNT = P1_COUNT + IEC_COUNT + SML_COUNT + M_BUS_COUNT;
const SLOT_COUNT = P1_COUNT + IEC_COUNT + SML_COUNT > 0 ? OBJECT_COUNT : 0;
const EVENTS_MAX = 1024; // of one octet: a frame of 255 octets has 127 records at most, a telegram its objects

@unmanaged
class MeterRow {
  tap: i32; // order in node.json
  characterUs: i32;
  objectFirst: i32; // in OBJECT_ROWS
  objectCount: i32;
}

@unmanaged
class FollowRow {
  iec: i32; // order in IEC_ROWS
  tap: i32; // order in node.json
  baud: i32; // of the sign-on
  format: i32; // code of SPEC §1.4
}

@unmanaged
class ObjectRow {
  channel: i32;
  decimals: i32;
  staleMs: i32;
  keyLow: i32; // of ObjectSlot
  keyHigh: i32;
  part: i32; // which of several values, 0 the best; of M-Bus which counter of the fixed structure
  nameStart: i32; // in RECORD_NAMES
  nameBytes: i32;
  unitId: i32; // -1: any
  meterId: i32; // eight digits as BCD; -1: any
}

// What a node has nothing of takes no memory.
const DUE: usize = METER_COUNT > 0 ? memory.data(4, 4) : 0; // when the counters are told, ms
const ENTRIES: usize = METER_COUNT > 0 ? memory.data(TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES, 4) : 0;
const EVENT: usize = METER_COUNT > 0 ? memory.data(offsetof<TapEvent>(), 8) : 0;
const FIELD: usize = METER_COUNT > 0 ? memory.data(offsetof<LineField>(), 8) : 0;
const SLOTS: usize = SLOT_COUNT > 0 ? memory.data(SLOT_COUNT * OBJECT_SLOT_BYTES, 8) : 0;
const P1S: usize = P1_COUNT > 0 ? memory.data(P1_COUNT * P1_TAP_BYTES, 8) : 0;
const IECS: usize = IEC_COUNT > 0 ? memory.data(IEC_COUNT * IEC_TAP_BYTES, 8) : 0;
const SMLS: usize = SML_COUNT > 0 ? memory.data(SML_COUNT * SML_TAP_BYTES, 8) : 0;
const RATES: usize = FOLLOW_COUNT > 0 ? memory.data(FOLLOW_COUNT * 4, 4) : 0; // as the UARTs are set, 0 the sign-on's
const M_BUSES: usize = M_BUS_COUNT > 0 ? memory.data(M_BUS_COUNT * M_BUS_TAP_BYTES, 8) : 0;

/** Once at the start. */
export function startMeters(): void {
  for (let i = 0; i < SLOT_COUNT; i++) {
    const slot = changetype<ObjectSlot>(SLOTS + i * OBJECT_SLOT_BYTES);
    slot.key = ((<u64>(<u32>objectRow(i).keyHigh)) << 32) | (<u32>objectRow(i).keyLow);
    slot.part = <u8>objectRow(i).part;
  }
  for (let i = 0; i < P1_COUNT; i++) {
    const row = rowAt(changetype<usize>(P1_ROWS), i);
    startP1(p1Tap(i), row.characterUs, tickUs());
    wantObjects(p1Objects(p1Tap(i)), slotsOf(row), row.objectCount);
  }
  for (let i = 0; i < IEC_COUNT; i++) {
    const row = rowAt(changetype<usize>(IEC_ROWS), i);
    startIec(iecTap(i), row.characterUs, tickUs());
    wantObjects(iecObjects(iecTap(i)), slotsOf(row), row.objectCount);
  }
  for (let i = 0; i < SML_COUNT; i++) {
    const row = rowAt(changetype<usize>(SML_ROWS), i);
    startSml(smlTap(i), row.characterUs, tickUs());
    wantObjects(smlObjects(smlTap(i)), slotsOf(row), row.objectCount);
  }
  for (let i = 0; i < M_BUS_COUNT; i++)
    startMbus(mbusTap(i), rowAt(changetype<usize>(M_BUS_ROWS), i).characterUs, tickUs());
}

/** Takes what came since the tick before. */
export function hearMeters(): void {
  for (let i = 0; i < P1_COUNT; i++) hear(PROTOCOL_DSMR_P1, i, changetype<usize>(P1_ROWS));
  for (let i = 0; i < IEC_COUNT; i++) hear(PROTOCOL_IEC62056_21, i, changetype<usize>(IEC_ROWS));
  for (let i = 0; i < SML_COUNT; i++) hear(PROTOCOL_SML, i, changetype<usize>(SML_ROWS));
  for (let i = 0; i < M_BUS_COUNT; i++) hear(PROTOCOL_M_BUS, i, changetype<usize>(M_BUS_ROWS));
}

/** Sets the UARTs whose line has changed its rate, so that the answer is heard at it. */
export function followRates(): void {
  for (let i = 0; i < FOLLOW_COUNT; i++) {
    const row = followRow(i);
    const baud = iecTap(row.iec).baud;
    if (load<i32>(RATES + (i << 2)) == baud) continue;
    store<i32>(RATES + (i << 2), baud);
    // A board that cannot hears flagged octets: junk, and nothing is told.
    tap_open(row.tap, baud == 0 ? row.baud : baud, row.format);
  }
}

/** Objects that were not heard for too long become bad. */
export function checkObjects(): void {
  for (let i = 0; i < OBJECT_COUNT; i++) checkHeard(objectRow(i).channel, objectRow(i).staleMs);
}

/** The counters of every tap of a meter, when they are due. */
export function tellMeters(): void {
  if (<i32>(tickMs() - load<u32>(DUE)) < 0) return;
  store<u32>(DUE, tickMs() + STATE_PERIOD_MS);
  for (let i = 0; i < P1_COUNT; i++) tellState(changetype<usize>(P1_ROWS), i, p1Counters(p1Tap(i)));
  for (let i = 0; i < IEC_COUNT; i++)
    tellState(changetype<usize>(IEC_ROWS), i, iecCounters(iecTap(i)));
  for (let i = 0; i < SML_COUNT; i++)
    tellState(changetype<usize>(SML_ROWS), i, smlCounters(smlTap(i)));
  for (let i = 0; i < M_BUS_COUNT; i++)
    tellState(changetype<usize>(M_BUS_ROWS), i, mbusCounters(mbusTap(i)));
}

function tellState(rows: usize, index: i32, counters: usize): void {
  ring_put(RECORD, encodeState(RECORD, tickUs(), rowAt(rows, index).tap, counters));
}

function hear(protocol: i32, index: i32, rows: usize): void {
  const row = rowAt(rows, index);
  const count = tap_take(row.tap, ENTRIES, TAP_ENTRIES_PER_TICK);
  assert(<u32>count <= <u32>TAP_ENTRIES_PER_TICK);
  for (let k = 0; k < count; k++) {
    put(protocol, index, ENTRIES + k * TAP_ENTRY_BYTES);
    hearEvents(protocol, index, row);
  }
  if (count > 0) return;
  noteIdle(protocol, index);
  hearEvents(protocol, index, row);
}

function put(protocol: i32, index: i32, entry: usize): void {
  const octet = load<u8>(entry + TAP_ENTRY_BYTE);
  const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
  const atUs = load<u32>(entry + TAP_ENTRY_TIME_US);
  if (P1_COUNT > 0 && protocol == PROTOCOL_DSMR_P1) putP1(p1Tap(index), octet, flags, atUs);
  if (IEC_COUNT > 0 && protocol == PROTOCOL_IEC62056_21) putIec(iecTap(index), octet, flags, atUs);
  if (SML_COUNT > 0 && protocol == PROTOCOL_SML) putSml(smlTap(index), octet, flags, atUs);
  if (M_BUS_COUNT > 0 && protocol == PROTOCOL_M_BUS) putMbus(mbusTap(index), octet, flags, atUs);
}

function noteIdle(protocol: i32, index: i32): void {
  if (P1_COUNT > 0 && protocol == PROTOCOL_DSMR_P1) noteIdleP1(p1Tap(index), tickUs());
  if (IEC_COUNT > 0 && protocol == PROTOCOL_IEC62056_21) noteIdleIec(iecTap(index), tickUs());
  if (SML_COUNT > 0 && protocol == PROTOCOL_SML) noteIdleSml(smlTap(index), tickUs());
  if (M_BUS_COUNT > 0 && protocol == PROTOCOL_M_BUS) noteIdleMbus(mbusTap(index), tickUs());
}

function take(protocol: i32, index: i32, event: TapEvent): bool {
  if (P1_COUNT > 0 && protocol == PROTOCOL_DSMR_P1) return takeP1(p1Tap(index), event);
  if (IEC_COUNT > 0 && protocol == PROTOCOL_IEC62056_21) return takeIec(iecTap(index), event);
  if (SML_COUNT > 0 && protocol == PROTOCOL_SML) return takeSml(smlTap(index), event);
  if (M_BUS_COUNT > 0 && protocol == PROTOCOL_M_BUS) return takeMbus(mbusTap(index), event);
  return false;
}

function hearEvents(protocol: i32, index: i32, row: MeterRow): void {
  const event = changetype<TapEvent>(EVENT);
  for (let k = 0; k < EVENTS_MAX && take(protocol, index, event); k++) {
    if (event.kind != TAP_EVENT_READING && event.kind != TAP_EVENT_TEXT) continue;
    if (M_BUS_COUNT > 0 && protocol == PROTOCOL_M_BUS) hearRecord(index, row, event);
    else hearObject(objectRow(row.objectFirst + event.address), event);
  }
}

function hearRecord(index: i32, row: MeterRow, event: TapEvent): void {
  const id = mbusRecords(mbusTap(index)).id;
  for (let i = 0; i < row.objectCount; i++) {
    const wanted = objectRow(row.objectFirst + i);
    if (wanted.unitId >= 0 && wanted.unitId != event.unit) continue;
    if (wanted.meterId != -1 && wanted.meterId != id) continue;
    if (wanted.part == event.address && isNamed(wanted, event)) hearObject(wanted, event);
  }
}

function isNamed(wanted: ObjectRow, event: TapEvent): bool {
  if (wanted.nameBytes != event.nameBytes) return false;
  const name = RECORD_NAMES + wanted.nameStart;
  for (let i = 0; i < wanted.nameBytes; i++)
    if (load<u8>(name + i) != load<u8>(event.name + i)) return false;
  return true;
}

// An object that says no number is heard, and bad.
function hearObject(row: ObjectRow, event: TapEvent): void {
  const state = channelState(row.channel);
  const field = changetype<LineField>(FIELD);
  const steps = numberSteps(field, event.digits, event.decimals, row.decimals);
  let cause = CAUSE_NONE;
  if (event.kind == TAP_EVENT_TEXT) cause = CAUSE_NOT_A_NUMBER;
  else if (steps == STEPS_OVER) cause = event.digits < 0 ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
  if (cause == CAUSE_NONE) acceptSample(state, <i32>steps, QUALITY_GOOD, CAUSE_NONE);
  else acceptSample(state, state.value, QUALITY_BAD, cause);
  state.heardMs = tickMs();
  settle(row.channel);
}

function rowAt(rows: usize, index: i32): MeterRow {
  return changetype<MeterRow>(rows + index * offsetof<MeterRow>());
}

function followRow(index: i32): FollowRow {
  return changetype<FollowRow>(changetype<usize>(FOLLOW_ROWS) + index * offsetof<FollowRow>());
}

function objectRow(index: i32): ObjectRow {
  assert(<u32>index < <u32>OBJECT_COUNT);
  return changetype<ObjectRow>(changetype<usize>(OBJECT_ROWS) + index * offsetof<ObjectRow>());
}

function slotsOf(row: MeterRow): usize {
  return SLOTS + row.objectFirst * OBJECT_SLOT_BYTES;
}

function p1Tap(index: i32): P1Tap {
  return changetype<P1Tap>(P1S + index * P1_TAP_BYTES);
}

function iecTap(index: i32): IecTap {
  return changetype<IecTap>(IECS + index * IEC_TAP_BYTES);
}

function smlTap(index: i32): SmlTap {
  return changetype<SmlTap>(SMLS + index * SML_TAP_BYTES);
}

function mbusTap(index: i32): MbusTap {
  return changetype<MbusTap>(M_BUSES + index * M_BUS_TAP_BYTES);
}
