// SPDX-License-Identifier: MIT
// The status message: boot, uptime, all counters, the counters of each tap.
//
// Spec: SPEC.md §4, §6. At most 247 octets: 19 and 20 counters of five octets, heads, ten numbers. State: HOST_STATE.

import { USES_HOST_STATE } from "../generated/uses";
import { wide } from "../wide";
import { COUNTER_COUNT } from "../wire/counters";
import { HOST_STATE_WORDS } from "../wire/info";
import {
  STATUS_BOOT,
  STATUS_COUNTERS,
  STATUS_DATAGRAMS_SENT,
  STATUS_HOST,
  STATUS_ROUND_TRIP_MS,
  STATUS_TAPS,
  STATUS_UPTIME_MS,
} from "../wire/senml";
import { TAP_COUNTER_COUNT } from "../wire/tap";
import { putArray, putInteger, putMap, putUnsigned } from "./cbor";
import { COUNTERS, TAP_COUNTERS, TAP_COUNTERS_BYTES } from "./counters";
import { node } from "./node";

/** What the host last said of itself; index.ts asks in each poll. */
export const HOST_STATE: usize = memory.data(HOST_STATE_WORDS * 4, 4);

function isHostTold(): bool {
  let any: u32 = 0;
  for (let at = 0; at < HOST_STATE_WORDS * 4; at += 4) any |= load<u32>(HOST_STATE + at);
  return any != 0;
}

/** Writes the status to the writer. */
export function encodeStatus(uptimeMs: wide, roundTripMs: u32, sent: u32): void {
  const host = USES_HOST_STATE && isHostTold();
  putMap(host ? 7 : 6);
  putUnsigned(STATUS_BOOT);
  putUnsigned(node.boot);
  putUnsigned(STATUS_UPTIME_MS);
  putInteger(uptimeMs);
  putUnsigned(STATUS_COUNTERS);
  putCounters(COUNTERS, COUNTER_COUNT);
  putUnsigned(STATUS_TAPS);
  putArray(node.tapCount);
  for (let tap = 0; tap < node.tapCount; tap++) {
    putCounters(TAP_COUNTERS + tap * TAP_COUNTERS_BYTES, TAP_COUNTER_COUNT);
  }
  putUnsigned(STATUS_ROUND_TRIP_MS);
  putUnsigned(roundTripMs);
  putUnsigned(STATUS_DATAGRAMS_SENT);
  putUnsigned(sent);
  if (!USES_HOST_STATE || !host) return;
  putUnsigned(STATUS_HOST);
  putCounters(HOST_STATE, HOST_STATE_WORDS);
}

function putCounters(at: usize, counters: i32): void {
  putArray(counters);
  for (; counters > 0; counters--) {
    putUnsigned(load<u32>(at));
    at += 4;
  }
}
