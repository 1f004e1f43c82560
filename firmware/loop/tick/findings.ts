// SPDX-License-Identifier: MIT
// What taps find out in a tick: events ► inventory, notices ► ring.
//
// Spec: SPEC.md §16. A node of which no tap learns, or none is watched, has neither memory nor code of it.
// One finding and one notice a tick at most, after the readings: these have the ring first.

import { LEARNED_TAPS, WATCHED_TAPS } from "../../generated/loop";
import { TAPS_MAX } from "../../limits";
import { NOTICE_LINE_CHANGED, NOTICE_SECOND_MASTER } from "../../wire/finding";
import { KIND_FINDING, KIND_NOTICE, RECORD_VALUE } from "../../wire/record";
import { ring_put } from "../abi";
import { encodeTap } from "../record";
import { TapEvent, UNIT_NONE } from "../tap/event";
import { findingTold, takeFinding } from "../tap/finding";
import { Inventory, INVENTORY_BYTES, learnEvent } from "../tap/inventory";
import {
  Notices,
  NOTICES_BYTES,
  noticeTold,
  raise,
  startWatching,
  takeNotice,
  Watch,
  WATCH_BYTES,
  watchEvent,
} from "../tap/notice";
import { RECORD, tickMs, tickUs } from "./channels";

/** An event of a tap, before the next one takes its place. */
export function findEvent(tap: i32, event: TapEvent): void {
  if (LEARNED_TAPS != 0 && LEARNED_TAPS & (1 << tap)) learnEvent(inventory(), tap, event, tickMs());
  if (WATCHED_TAPS == 0 || !(WATCHED_TAPS & (1 << tap))) return;
  startWatching(notices(), tap, tickMs());
  watchEvent(watchOf(tap), notices(), event);
}

/** The line of a tap is another one now; the event is for this function to fill. */
export function noticeLineChanged(tap: i32, event: TapEvent): void {
  if (WATCHED_TAPS == 0 || !(WATCHED_TAPS & (1 << tap))) return;
  startWatching(notices(), tap, tickMs());
  event.unit = UNIT_NONE;
  event.code = 0;
  event.address = 0;
  event.quantity = 0;
  raise(notices(), NOTICE_LINE_CHANGED, event, 0);
}

/** Another master asks on a line that this node polls: the event is its request. */
export function noticeSecondMaster(tap: i32, event: TapEvent): void {
  if (WATCHED_TAPS == 0 || !(WATCHED_TAPS & (1 << tap))) return;
  startWatching(notices(), tap, tickMs());
  raise(notices(), NOTICE_SECOND_MASTER, event, 0);
}

/** At the end of a tick: what is due. */
export function tellFindings(): void {
  const nowMs = tickMs();
  const value = RECORD + RECORD_VALUE;
  if (WATCHED_TAPS != 0) {
    const bytes = takeNotice(notices(), value, nowMs);
    if (
      bytes > 0 &&
      ring_put(RECORD, encodeTap(RECORD, tickUs(), KIND_NOTICE, notices().tap, bytes))
    )
      noticeTold(notices(), nowMs);
  }
  if (LEARNED_TAPS != 0) {
    const bytes = takeFinding(inventory(), value, nowMs);
    const place = inventory().tap | (inventory().form << 8);
    if (bytes > 0 && ring_put(RECORD, encodeTap(RECORD, tickUs(), KIND_FINDING, place, bytes)))
      findingTold(inventory(), nowMs);
  }
}

// Functions, so that only a module that uses it has the memory.
function inventory(): Inventory {
  return changetype<Inventory>(memory.data(INVENTORY_BYTES, 4));
}

function notices(): Notices {
  return changetype<Notices>(memory.data(NOTICES_BYTES, 4));
}

function watchOf(tap: i32): Watch {
  return changetype<Watch>(memory.data(TAPS_MAX * WATCH_BYTES, 4) + <usize>tap * WATCH_BYTES);
}
