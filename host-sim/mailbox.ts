// SPDX-License-Identifier: MIT
// The mailbox from link to loop: commands of one size, oldest first.
//
// Spec: SPEC.md §1.1 mailbox_take, §1.2 mailbox_put. Holds MAILBOX_RECORDS_MAX; fixed buffer. What does
// not fit is refused, so that link can say so to the one who asked. Gone with the power.

import { MAILBOX_RECORDS_MAX } from "./limits.ts";

export const MAILBOX_RECORD_BYTES = 16;

export interface Mailbox {
  /** False: full, or not the length of a record. */
  put(source: Uint8Array, offset: number, length: number): boolean;
  /** Moves the oldest record to target; its length, 0: none, or it does not fit and stays. */
  take(target: Uint8Array, offset: number, capacity: number): number;
  count(): number;
  clear(): void;
}

export function createMailbox(): Mailbox {
  const bytes = new Uint8Array(MAILBOX_RECORDS_MAX * MAILBOX_RECORD_BYTES);
  let first = 0;
  let count = 0;
  const at = (index: number): number =>
    ((first + index) % MAILBOX_RECORDS_MAX) * MAILBOX_RECORD_BYTES;

  return {
    put(source, offset, length) {
      if (length !== MAILBOX_RECORD_BYTES || count === MAILBOX_RECORDS_MAX) return false;
      const to = at(count);
      for (let i = 0; i < MAILBOX_RECORD_BYTES; i++) bytes[to + i] = source[offset + i]!;
      count++;
      return true;
    },
    take(target, offset, capacity) {
      if (count === 0 || capacity < MAILBOX_RECORD_BYTES) return 0;
      const from = at(0);
      for (let i = 0; i < MAILBOX_RECORD_BYTES; i++) target[offset + i] = bytes[from + i]!;
      first = (first + 1) % MAILBOX_RECORDS_MAX;
      count--;
      return MAILBOX_RECORD_BYTES;
    },
    count: () => count,
    clear() {
      first = count = 0;
    },
  };
}
