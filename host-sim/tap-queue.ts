// SPDX-License-Identifier: MIT
// Characters that a UART heard and loop has not taken yet.
//
// Spec: SPEC.md §1.3. Holds TAP_ENTRIES_MAX; when it is full the new character is lost, counted, and
// the next one that fits carries the overrun flag. Fixed arrays.

import {
  TAP_ENTRY_BYTE,
  TAP_ENTRY_BYTES,
  TAP_ENTRY_FLAGS,
  TAP_ENTRY_TIME_US,
  TAP_FLAG_OVERRUN,
} from "../firmware/wire/tap.ts";
import { TAP_ENTRIES_MAX } from "./limits.ts";

export interface TapQueue {
  /** One character; `timeUs` is the node's now_us() at its end. */
  put(timeUs: number, byte: number, flags: number): void;
  /** Writes up to `capacity` entries of 8 octets; how many. */
  take(target: Uint8Array, offset: number, capacity: number): number;
  count(): number;
  /** Characters lost to a full queue. */
  overruns(): number;
  clear(): void;
}

export function createTapQueue(): TapQueue {
  const times = new Uint32Array(TAP_ENTRIES_MAX);
  const bytes = new Uint8Array(TAP_ENTRIES_MAX);
  const flags = new Uint8Array(TAP_ENTRIES_MAX);
  let first = 0;
  let count = 0;
  let overruns = 0;
  let overrun = false; // a character was lost since the last one that fitted

  function takeOne(target: Uint8Array, offset: number): void {
    const timeUs = times[first]!;
    for (let i = 0; i < 4; i++) target[offset + TAP_ENTRY_TIME_US + i] = timeUs >>> (8 * i);
    target[offset + TAP_ENTRY_BYTE] = bytes[first]!;
    target[offset + TAP_ENTRY_FLAGS] = flags[first]!;
    target[offset + 6] = target[offset + 7] = 0;
    first = (first + 1) % TAP_ENTRIES_MAX;
    count--;
  }

  return {
    put(timeUs, byte, flag) {
      if (count === TAP_ENTRIES_MAX) {
        overruns++;
        overrun = true;
        return;
      }
      const at = (first + count) % TAP_ENTRIES_MAX;
      times[at] = timeUs;
      bytes[at] = byte;
      flags[at] = overrun ? flag | TAP_FLAG_OVERRUN : flag;
      overrun = false;
      count++;
    },
    take(target, offset, capacity) {
      const taken = Math.min(capacity, count);
      for (let i = 0; i < taken; i++) takeOne(target, offset + i * TAP_ENTRY_BYTES);
      return taken;
    },
    count: () => count,
    overruns: () => overruns,
    clear() {
      first = count = 0;
      overrun = false;
    },
  };
}
