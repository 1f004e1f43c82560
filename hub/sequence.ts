// SPDX-License-Identifier: MIT
// Exactly once per (node, boot, sequence): a sliding bitmap for each boot.
//
// Spec: SPEC.md §3. A sequence below the window, or a boot older than those kept, cannot be judged
// any more: it is refused, never taken twice.
// (S1) a sequence is told NEW at most once for as long as its boot is kept.
// (S2) memory: 2 KiB a boot, at most BOOTS_KEPT of them a node.

import { BOOTS_KEPT, SEQUENCE_WINDOW } from "./limits.ts";

export const SEQUENCE_NEW = 0;
export const SEQUENCE_DUPLICATE = 1;
export const SEQUENCE_TOO_OLD = 2;

interface Window {
  baseName: string; // which hardware: a replaced board starts its boots again
  boot: number;
  top: number; // the largest sequence seen; -1 before
  bits: Uint32Array; // bit (sequence mod SEQUENCE_WINDOW), for the SEQUENCE_WINDOW up to top
}

/** The windows of one node, at most BOOTS_KEPT. */
export interface Sequences {
  windows: Window[];
}

export function createSequences(): Sequences {
  return { windows: [] };
}

/** Marks a sequence as taken; SEQUENCE_NEW: it was not there before. */
export function offerSequence(
  sequences: Sequences,
  baseName: string,
  boot: number,
  sequence: number,
): number {
  const window = windowOf(sequences, baseName, boot);
  if (window === null) return SEQUENCE_TOO_OLD;
  if (sequence <= window.top - SEQUENCE_WINDOW) return SEQUENCE_TOO_OLD;
  if (sequence > window.top) advance(window, sequence);
  const word = (sequence % SEQUENCE_WINDOW) >>> 5;
  const bit = 1 << (sequence & 31);
  const bits = window.bits[word] ?? 0;
  if ((bits & bit) !== 0) return SEQUENCE_DUPLICATE;
  window.bits[word] = bits | bit;
  return SEQUENCE_NEW;
}

/** Whether it was taken; false also for what fell out of the window or of the boots kept. */
export function hasSequence(sequences: Sequences, boot: number, sequence: number): boolean {
  return sequences.windows.some(
    (window) =>
      window.boot === boot &&
      sequence <= window.top &&
      sequence > window.top - SEQUENCE_WINDOW &&
      ((window.bits[(sequence % SEQUENCE_WINDOW) >>> 5] ?? 0) & (1 << (sequence & 31))) !== 0,
  );
}

function windowOf(sequences: Sequences, baseName: string, boot: number): Window | null {
  const { windows } = sequences;
  for (const window of windows)
    if (window.boot === boot && window.baseName === baseName) return window;
  if (windows.length >= BOOTS_KEPT && !forgetOne(windows, baseName, boot)) return null;
  const bits = new Uint32Array(SEQUENCE_WINDOW / 32);
  const window = { baseName, boot, top: -1, bits };
  windows.push(window);
  return window;
}

/** Makes room: other hardware goes first, then the oldest boot; false: the new one is the oldest. */
function forgetOne(windows: Window[], baseName: string, boot: number): boolean {
  let goes = windows.findIndex((window) => window.baseName !== baseName);
  if (goes < 0) {
    goes = 0;
    for (const [index, window] of windows.entries())
      if (window.boot < (windows[goes]?.boot ?? 0)) goes = index;
    if ((windows[goes]?.boot ?? 0) > boot) return false;
  }
  windows.splice(goes, 1);
  return true;
}

/** Moves the window up; each slot that now stands for a new sequence is cleared. */
function advance(window: Window, sequence: number): void {
  if (sequence - window.top >= SEQUENCE_WINDOW) window.bits.fill(0);
  else
    for (let next = window.top + 1; next <= sequence; next++) {
      const word = (next % SEQUENCE_WINDOW) >>> 5;
      window.bits[word] = (window.bits[word] ?? 0) & ~(1 << (next & 31));
    }
  window.top = sequence;
}
