// SPDX-License-Identifier: MIT
// The ring between loop and link: bytes, each record behind one octet of length.
//
// Spec: SPEC.md §1.1 ring_put, §1.2 ring_take, §1.4. One producer, one consumer; fixed buffer.
// A record that does not fit is dropped and counted by the node; nothing is overwritten.
// (R1) 0 <= used <= RING_BYTES.

import { RECORD_BYTES_MAX, RING_BYTES } from "../firmware/limits.ts";

export interface Ring {
  /** True: taken. False: full, empty or longer than a record may be. */
  put(source: Uint8Array, offset: number, length: number): boolean;
  /** The oldest record's length, 0: none. */
  nextLength(): number;
  /** Moves the oldest record to target; its length, 0: none. The caller checked that it fits. */
  take(target: Uint8Array, offset: number): number;
  /** Forgets the oldest record. */
  skip(): void;
  /** Records inside. */
  count(): number;
  clear(): void;
}

/** An empty ring of RING_BYTES. */
export function createRing(): Ring {
  const bytes = new Uint8Array(RING_BYTES);
  let head = 0; // where the next record is written
  let used = 0; // (R1)
  let count = 0;

  const tail = (): number => (head - used + RING_BYTES) % RING_BYTES;
  const after = (at: number): number => (at + 1 === RING_BYTES ? 0 : at + 1);
  const nextLength = (): number => (used === 0 ? 0 : bytes[tail()]!);

  function skip(): void {
    const length = nextLength();
    if (length === 0) return;
    used -= 1 + length;
    count--;
  }

  return {
    put(source, offset, length) {
      if (length < 1 || length > RECORD_BYTES_MAX || used + 1 + length > RING_BYTES) return false;
      bytes[head] = length;
      for (let i = 0; i < length; i++) {
        head = after(head);
        bytes[head] = source[offset + i]!;
      }
      head = after(head);
      used += 1 + length;
      count++;
      return true;
    },
    nextLength,
    take(target, offset) {
      const length = nextLength();
      let at = tail();
      for (let i = 0; i < length; i++) {
        at = after(at);
        target[offset + i] = bytes[at]!;
      }
      skip();
      return length;
    },
    skip,
    count: () => count,
    clear() {
      head = used = count = 0;
    },
  };
}
