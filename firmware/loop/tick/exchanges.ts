// SPDX-License-Identifier: MIT
// Scales, controllers, drives of a tick: octets ► frames ► places ► channels.
//
// Spec: SPEC.md §1.3, §17. State: one Exchange a tap, one event, one weighing, what stands at a place, the time that
// the counters are due, in static memory. Only the decoders of protocols that the node has are compiled in.

import { EXCHANGE_COUNT, EXCHANGE_ROWS, PLACE_COUNT, PLACE_ROWS } from "../../generated/loop";
import { EXCHANGE_PROTOCOLS } from "../../generated/uses";
import { TAP_ENTRIES_PER_TICK } from "../../limits";
import {
  CAUSE_NONE,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
  QUALITY_BAD,
  QUALITY_GOOD,
  QUALITY_UNCERTAIN,
} from "../../wire/record";
import {
  PROTOCOL_3964R,
  PROTOCOL_DF1,
  PROTOCOL_HOST_LINK,
  PROTOCOL_MELSEC_FX,
  PROTOCOL_TOLEDO_CONTINUOUS,
  PROTOCOL_USS,
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
} from "../../wire/tap";
import { ring_put, tap_take } from "../abi";
import { acceptSample } from "../filter";
import { encodeState } from "../record";
import { takeDf1 } from "../tap/df1";
import { TAP_EVENT_READ, TapEvent } from "../tap/event";
import {
  Exchange,
  EXCHANGE_BYTES,
  exchangeCounters,
  noteIdleExchange,
  putExchange,
  startExchange,
} from "../tap/exchange";
import { takeHostLink } from "../tap/hostlink";
import { LineField, STEPS_OVER } from "../tap/match";
import { takeMelsecFx } from "../tap/melsec-fx";
import { numberSteps } from "../tap/number";
import { offsetOf, Placed, PlaceRow, readPlace } from "../tap/place";
import { S3964R_SILENCE_US, S3964R_WAIT_US, take3964r } from "../tap/s3964r";
import { takeToledo } from "../tap/toledo";
import { takeUss, USS_WAIT_US } from "../tap/uss";
import {
  isMoving,
  takeWeighing,
  weighed,
  weighedCause,
  Weighing,
  WEIGHT_MOTION,
  WEIGHT_TARE,
} from "../tap/weighing";
import { channelState, checkHeard, RECORD, settle, tickMs, tickUs } from "./channels";

const STATE_PERIOD_MS: u32 = 10_000; // SPEC §4: the status that carries the tap counters
const EVENTS_MAX = 512; // of one octet: no frame is shorter than two

@unmanaged
class ExchangeRow {
  tap: i32; // order in node.json
  characterUs: i32;
  protocol: i32;
  placeFirst: i32; // in PLACE_ROWS
  placeCount: i32;
}

// What a node has nothing of takes no memory.
const DUE: usize = EXCHANGE_COUNT > 0 ? memory.data(4, 4) : 0; // when the counters are told, ms
const ENTRIES: usize =
  EXCHANGE_COUNT > 0 ? memory.data(TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES, 4) : 0;
const EVENT: usize = EXCHANGE_COUNT > 0 ? memory.data(offsetof<TapEvent>(), 8) : 0;
const FIELD: usize = EXCHANGE_COUNT > 0 ? memory.data(offsetof<LineField>(), 8) : 0;
const PLACED: usize = EXCHANGE_COUNT > 0 ? memory.data(offsetof<Placed>(), 4) : 0;
const WEIGHING: usize = EXCHANGE_COUNT > 0 ? memory.data(offsetof<Weighing>(), 8) : 0;
const TAPS: usize = EXCHANGE_COUNT > 0 ? memory.data(EXCHANGE_COUNT * EXCHANGE_BYTES, 8) : 0;

/** Once at the start. */
export function startExchanges(): void {
  for (let i = 0; i < EXCHANGE_COUNT; i++) {
    const x = exchangeAt(i);
    startExchange(x, rowAt(i).characterUs, tickUs());
    if (is(PROTOCOL_USS, rowAt(i))) x.waitUs = USS_WAIT_US;
    if (!is(PROTOCOL_3964R, rowAt(i))) continue;
    x.silenceUs = S3964R_SILENCE_US;
    x.waitUs = S3964R_WAIT_US;
  }
}

/** Takes what came since the tick before. */
export function hearExchanges(): void {
  for (let i = 0; i < EXCHANGE_COUNT; i++) {
    const x = exchangeAt(i);
    const row = rowAt(i);
    const count = tap_take(row.tap, ENTRIES, TAP_ENTRIES_PER_TICK);
    assert(<u32>count <= <u32>TAP_ENTRIES_PER_TICK);
    for (let k = 0; k < count; k++) {
      const entry = ENTRIES + k * TAP_ENTRY_BYTES;
      const flags = load<u8>(entry + TAP_ENTRY_FLAGS);
      const atUs = load<u32>(entry + TAP_ENTRY_TIME_US);
      putExchange(x, load<u8>(entry + TAP_ENTRY_BYTE), flags, atUs);
      hearEvents(x, row);
    }
    if (count > 0) continue;
    noteIdleExchange(x, tickUs());
    hearEvents(x, row);
  }
}

/** Places that were not heard for too long become bad. */
export function checkPlaces(): void {
  for (let i = 0; i < PLACE_COUNT; i++) checkHeard(placeAt(i).channel, placeAt(i).staleMs);
}

/** The counters of every such tap, when they are due. */
export function tellExchanges(): void {
  if (<i32>(tickMs() - load<u32>(DUE)) < 0) return;
  store<u32>(DUE, tickMs() + STATE_PERIOD_MS);
  for (let i = 0; i < EXCHANGE_COUNT; i++) {
    const length = encodeState(RECORD, tickUs(), rowAt(i).tap, exchangeCounters(exchangeAt(i)));
    ring_put(RECORD, length);
  }
}

function is(protocol: i32, row: ExchangeRow): bool {
  return (EXCHANGE_PROTOCOLS & (1 << protocol)) != 0 && row.protocol == protocol;
}

function take(x: Exchange, row: ExchangeRow, event: TapEvent): bool {
  if (is(PROTOCOL_DF1, row)) return takeDf1(x, event);
  if (is(PROTOCOL_HOST_LINK, row)) return takeHostLink(x, event);
  if (is(PROTOCOL_3964R, row)) return take3964r(x, event);
  if (is(PROTOCOL_USS, row)) return takeUss(x, event);
  if (is(PROTOCOL_MELSEC_FX, row)) return takeMelsecFx(x, event);
  if (is(PROTOCOL_TOLEDO_CONTINUOUS, row)) return takeToledo(x, event);
  return false;
}

function hearEvents(x: Exchange, row: ExchangeRow): void {
  const event = changetype<TapEvent>(EVENT);
  for (let k = 0; k < EVENTS_MAX && take(x, row, event); k++) {
    if (is(PROTOCOL_TOLEDO_CONTINUOUS, row)) {
      if (takeWeighing(changetype<Weighing>(WEIGHING), event)) hearWeighing(row);
    } else if (event.kind == TAP_EVENT_READ) hearRead(row, event);
  }
}

function hearRead(row: ExchangeRow, event: TapEvent): void {
  const placed = changetype<Placed>(PLACED);
  for (let i = 0; i < row.placeCount; i++) {
    const place = placeAt(row.placeFirst + i);
    const offset = offsetOf(event, place);
    if (offset < 0) continue;
    readPlace(placed, event.values + offset, place, changetype<LineField>(FIELD));
    hear(place, placed.steps, QUALITY_GOOD, placed.cause);
  }
}

function hearWeighing(row: ExchangeRow): void {
  const held = changetype<Weighing>(WEIGHING);
  const field = changetype<LineField>(FIELD);
  for (let i = 0; i < row.placeCount; i++) {
    const place = placeAt(row.placeFirst + i);
    const wanted = place.address;
    let cause = weighedCause(held, wanted);
    const digits = weighed(held, wanted);
    const decimals = wanted == WEIGHT_MOTION ? 0 : held.decimals;
    const steps = numberSteps(field, digits, decimals, place.decimals);
    if (cause == CAUSE_NONE && steps == STEPS_OVER)
      cause = digits < 0 ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
    const isSteady = wanted >= WEIGHT_TARE || !isMoving(held);
    hear(place, <i32>steps, isSteady ? QUALITY_GOOD : QUALITY_UNCERTAIN, cause);
  }
}

function hear(place: PlaceRow, steps: i32, quality: i32, cause: i32): void {
  const state = channelState(place.channel);
  if (cause == CAUSE_NONE) acceptSample(state, steps, quality, CAUSE_NONE);
  else acceptSample(state, state.value, QUALITY_BAD, cause);
  state.heardMs = tickMs();
  settle(place.channel);
}

function rowAt(index: i32): ExchangeRow {
  return changetype<ExchangeRow>(
    changetype<usize>(EXCHANGE_ROWS) + index * offsetof<ExchangeRow>(),
  );
}

function placeAt(index: i32): PlaceRow {
  assert(<u32>index < <u32>PLACE_COUNT);
  return changetype<PlaceRow>(changetype<usize>(PLACE_ROWS) + index * offsetof<PlaceRow>());
}

function exchangeAt(index: i32): Exchange {
  return changetype<Exchange>(TAPS + index * EXCHANGE_BYTES);
}
