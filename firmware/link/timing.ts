// SPDX-License-Identifier: MIT
// Every period, delay and retry of link, with its reason.
//
// Spec: MQTT-SN 1.2 §7.2 for the names in brackets; SPEC.md §2, §3, §7. Milliseconds unless the name
// says otherwise. `nowMs` of the client is 32 bits and wraps after 49.7 days: compare with `due()`.

import { POLL_DELAY_MS_MAX } from "../limits";

export const PING_MS_PER_KEEP_ALIVE_S: u32 = 800; // inside the keep alive, with room for a repeat

export const RETRY_COUNT_MAX: u32 = 4; // [Nretry]
export const RETRY_MS_MIN: u32 = 1_000; // [Tretry] is 1.5 x the smoothed round trip within these
export const RETRY_MS_MAX: u32 = 3_000; // at 20 % loss the first data then comes after 37 s at worst, with 10 s after 125 s
export const RETRY_MS_FIRST: u32 = 2_000; // before a round trip was measured

export const BACKOFF_MS_MIN: u32 = 1_000; // between two attempts to connect, doubling
export const BACKOFF_MS_MAX: u32 = 60_000;
export const WAIT_MS_MAX: u32 = 300_000; // [Twait] after "congestion" grows by half up to here
export const SEARCH_MS_MIN: u32 = 5_000; // [Tsearchgw], doubling
export const SEARCH_MS_MAX: u32 = 60_000;
export const INVALID_ID_COUNT_MAX: u32 = 3; // a gateway that forgets each new topic id is left

export const STATUS_PERIOD_MS: u32 = 10_000;
export const BIRTH_PERIOD_MS: u32 = 600_000; // a broker without persistence forgets it, unseen by the node
export const TIME_PERIOD_MS: u32 = 600_000;
export const TIME_RETRY_MS: u32 = 2_500; // an answer after 2 s is refused anyway
export const TIME_RETRY_MS_LATE: u32 = 30_000; // once readings no longer wait for it
export const TIME_ROUND_TRIP_MS_MAX: u32 = 2_000; // the answer may be off by half of it
export const TIME_HOLD_MS: u32 = 30_000; // readings wait for wall time this long after CONNECT

export const PACK_LINGER_MS: u32 = 250; // a reading waits this long for others to share its datagram
export const PACK_RECORDS_READY: u32 = 24; // about a full datagram: no reason to wait
export const FINDINGS_LINGER_MS: u32 = 500; // what a tap finds out waits for more of it
export const BUSY_DELAY_MS: u32 = 20; // the host took no datagram: ask again after this
export const START_RETRY_MS: u32 = 1_000; // flash or identity not there: doubling
export const START_RETRY_MS_MAX: u32 = 60_000; // a worn-out sector is not erased every second

/** True once `deadlineMs` is reached; both wrap, and no deadline is more than 24 days away. */
export function due(nowMs: u32, deadlineMs: u32): bool {
  return ((nowMs - deadlineMs) as i32) >= 0;
}

/** Milliseconds until `deadlineMs`, 0..POLL_DELAY_MS_MAX. */
export function delayUntil(nowMs: u32, deadlineMs: u32): u32 {
  return due(nowMs, deadlineMs) ? 0 : min<u32>(deadlineMs - nowMs, POLL_DELAY_MS_MAX);
}
