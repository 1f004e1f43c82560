// SPDX-License-Identifier: MIT
// How much strangers may ask for: budgets a second, in all and by address.
//
// Windows of one second. (I1) The table of addresses holds at most DISCONNECTS_PER_SECOND_MAX entries:
// only an answered address enters it, and each window starts with an empty one.

import {
  CONNECTS_PER_SECOND_MAX,
  DISCONNECTS_PER_PEER_MAX,
  DISCONNECTS_PER_SECOND_MAX,
  SEARCHES_PER_SECOND_MAX,
} from "./limits.ts";

const WINDOW_MS = 1000;

export interface Admission {
  connect(nowMs: number): boolean;
  search(nowMs: number): boolean;
  /** Whether this stranger may get a DISCONNECT. */
  disconnect(peer: string, nowMs: number): boolean;
}

/** Full budgets. */
export function createAdmission(): Admission {
  const answered = new Map<string, number>();
  let windowStartMs = -Infinity;
  let connects = 0;
  let searches = 0;
  let disconnects = 0;

  function enter(nowMs: number): void {
    if (nowMs - windowStartMs < WINDOW_MS && nowMs >= windowStartMs) return;
    windowStartMs = nowMs;
    connects = 0;
    searches = 0;
    disconnects = 0;
    answered.clear();
  }

  return {
    connect(nowMs) {
      enter(nowMs);
      return ++connects <= CONNECTS_PER_SECOND_MAX;
    },
    search(nowMs) {
      enter(nowMs);
      return ++searches <= SEARCHES_PER_SECOND_MAX;
    },
    disconnect(peer, nowMs) {
      enter(nowMs);
      const toPeer = answered.get(peer) ?? 0;
      if (disconnects >= DISCONNECTS_PER_SECOND_MAX || toPeer >= DISCONNECTS_PER_PEER_MAX) {
        return false;
      }
      disconnects++;
      answered.set(peer, toPeer + 1);
      return true;
    },
  };
}
