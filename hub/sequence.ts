// SPDX-License-Identifier: MIT
// Exactly once per (node, boot, sequence): a sliding bitmap for each boot.
//
// Spec: SPEC.md §3. A sequence below the window, or a boot older than those kept, cannot be judged
// any more: it is refused, never taken twice.
// (S1) a sequence is told NEW at most once for as long as its boot is kept.
// (S2) memory: 2 KiB a boot, at most BOOTS_KEPT of them a node.
// (S3) what changed since the last takeSequenceChanges() is told in chunks of SEQUENCE_CHUNK bits; from
//      all chunks ever told, the last of each, restoreSequences() makes the same windows again.

import { BOOTS_KEPT, SEQUENCE_CHUNK, SEQUENCE_WINDOW } from "./limits.ts";

export const SEQUENCE_NEW = 0;
export const SEQUENCE_DUPLICATE = 1;
export const SEQUENCE_TOO_OLD = 2;

interface Window {
  baseName: string; // which hardware: a replaced board starts its boots again
  boot: number;
  top: number; // the largest sequence seen; -1 before
  bits: Uint32Array; // bit (sequence mod SEQUENCE_WINDOW), for the SEQUENCE_WINDOW up to top
  changed: Set<number>; // chunks; those below the window are never told
}

/** Sequences chunk × SEQUENCE_CHUNK and up of one boot; bit i of `bits` is the i-th of them. */
export interface SequenceChunk {
  baseName: string;
  boot: number;
  chunk: number;
  bits: Uint8Array; // SEQUENCE_CHUNK / 8 octets
}

export interface SequenceChanges {
  chunks: SequenceChunk[];
  /** Boots that are no longer kept. */
  forgotten: { baseName: string; boot: number }[];
}

/** The windows of one node, at most BOOTS_KEPT. */
export interface Sequences {
  windows: Window[];
  forgotten: { baseName: string; boot: number }[]; // since it was asked; bounded by BOOTS_KEPT
}

export function createSequences(): Sequences {
  return { windows: [], forgotten: [] };
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
  window.changed.add(Math.floor(sequence / SEQUENCE_CHUNK));
  if (window.changed.size > CHUNKS) keepInWindow(window);
  return SEQUENCE_NEW;
}

/** Whether it was taken; false also for what fell out of the window or of the boots kept. */
export function hasSequence(sequences: Sequences, boot: number, sequence: number): boolean {
  return sequences.windows.some((window) => window.boot === boot && holds(window, sequence));
}

/** What is to be written down since the last call. */
export function takeSequenceChanges(sequences: Sequences): SequenceChanges {
  const chunks: SequenceChunk[] = [];
  for (const window of sequences.windows) {
    const { baseName, boot } = window;
    keepInWindow(window);
    for (const chunk of window.changed)
      chunks.push({ baseName, boot, chunk, bits: chunkBits(window, chunk) });
    window.changed.clear();
  }
  return { chunks, forgotten: sequences.forgotten.splice(0) };
}

/** The lowest chunk that still counts when `chunk` is the highest. */
export function lowestChunk(chunk: number): number {
  return chunk - CHUNKS;
}

/** Fills empty windows with chunks told before, in any order. */
export function restoreSequences(sequences: Sequences, chunks: readonly SequenceChunk[]): void {
  for (const { baseName, boot, chunk, bits } of chunks.toSorted((a, b) => a.chunk - b.chunk))
    for (let i = 0; i < SEQUENCE_CHUNK; i++)
      if (((bits[i >>> 3] ?? 0) & (1 << (i & 7))) !== 0)
        offerSequence(sequences, baseName, boot, chunk * SEQUENCE_CHUNK + i);
  takeSequenceChanges(sequences);
}

const CHUNKS = SEQUENCE_WINDOW / SEQUENCE_CHUNK;

function holds(window: Window, sequence: number): boolean {
  if (sequence > window.top || sequence <= window.top - SEQUENCE_WINDOW) return false;
  const word = window.bits[(sequence % SEQUENCE_WINDOW) >>> 5] ?? 0;
  return (word & (1 << (sequence & 31))) !== 0;
}

/** Only bits that stand for this chunk: in the slots of the newest one older sequences remain. */
function chunkBits(window: Window, chunk: number): Uint8Array {
  const bits = new Uint8Array(SEQUENCE_CHUNK / 8);
  for (let i = 0; i < SEQUENCE_CHUNK; i++)
    if (holds(window, chunk * SEQUENCE_CHUNK + i))
      bits[i >>> 3] = (bits[i >>> 3] ?? 0) | (1 << (i & 7));
  return bits;
}

/** Chunks that fell out of the window need not be written; at most CHUNKS + 1 are left. */
function keepInWindow(window: Window): void {
  const lowest = Math.floor((window.top - SEQUENCE_WINDOW + 1) / SEQUENCE_CHUNK);
  for (const chunk of window.changed) if (chunk < lowest) window.changed.delete(chunk);
}

function windowOf(sequences: Sequences, baseName: string, boot: number): Window | null {
  const { windows } = sequences;
  for (const window of windows)
    if (window.boot === boot && window.baseName === baseName) return window;
  if (windows.length >= BOOTS_KEPT && !forgetOne(sequences, baseName, boot)) return null;
  const bits = new Uint32Array(SEQUENCE_WINDOW / 32);
  const window = { baseName, boot, top: -1, bits, changed: new Set<number>() };
  windows.push(window);
  return window;
}

/** Makes room: other hardware goes first, then the oldest boot; false: the new one is the oldest. */
function forgetOne(sequences: Sequences, baseName: string, boot: number): boolean {
  const { windows, forgotten } = sequences;
  let goes = windows.findIndex((window) => window.baseName !== baseName);
  if (goes < 0) {
    goes = 0;
    for (const [index, window] of windows.entries())
      if (window.boot < (windows[goes]?.boot ?? 0)) goes = index;
    if ((windows[goes]?.boot ?? 0) > boot) return false;
  }
  const gone = windows.splice(goes, 1)[0];
  if (gone !== undefined) forgotten.push({ baseName: gone.baseName, boot: gone.boot });
  // Where nothing is written down nobody asks.
  if (forgotten.length > BOOTS_KEPT) forgotten.shift();
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
