// SPDX-License-Identifier: MIT
// Frames of messages on a serial line: 00, COBS of message and CRC-32C, 00.
//
// Spec: SPEC.md §7. Whatever comes, the next whole frame after a 00 is accepted; what is dropped is counted.
// Buffers are as long as the longest frame, and nothing else is kept.
// Oracle: the check value of CRC-32C, E3069283 of "123456789".

import { DATAGRAM_BYTES_MAX } from "./limits.ts";

const CRC_BYTES = 4;
const CONTENT_BYTES_MAX = DATAGRAM_BYTES_MAX + CRC_BYTES;
const BLOCK_BYTES = 254; // of a COBS block that stands for no zero
const POLYNOMIAL = 0x82f63b78; // Castagnoli, reflected

/** Octets of the longest frame with both delimiters. */
export const FRAME_BYTES_MAX =
  CONTENT_BYTES_MAX + Math.ceil(CONTENT_BYTES_MAX / BLOCK_BYTES) + 1 + 2;

const TABLE = crcTable();

function crcTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let octet = 0; octet < 256; octet++) {
    let crc = octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? POLYNOMIAL : 0);
    table[octet] = crc;
  }
  return table;
}

/** CRC-32C of the first `length` octets. */
export function crc32c(bytes: Uint8Array, length: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < length; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[at]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}

/** Makes frames. The octets it gives are valid until the next frame. */
export function createFrameEncoder(): (message: Uint8Array) => Uint8Array {
  const content = new Uint8Array(CONTENT_BYTES_MAX);
  const frame = new Uint8Array(FRAME_BYTES_MAX);
  return (message) => {
    const { length } = message;
    if (length > DATAGRAM_BYTES_MAX) throw new RangeError(`a message of ${length} octets`);
    content.set(message);
    const crc = crc32c(content, length);
    for (let at = 0; at < CRC_BYTES; at++) content[length + at] = crc >>> (8 * at);
    return frame.subarray(0, stuff(content, length + CRC_BYTES, frame));
  };
}

/** Octets written: 00, blocks, 00. */
function stuff(content: Uint8Array, length: number, frame: Uint8Array): number {
  frame[0] = 0;
  let code = 1; // where the code of this block stands
  let at = 2;
  for (let from = 0; from < length; from++) {
    const octet = content[from]!;
    if (octet !== 0) frame[at++] = octet;
    const isFull = at - code > BLOCK_BYTES;
    if (octet !== 0 && !(isFull && from + 1 < length)) continue;
    frame[code] = at - code;
    code = at++;
  }
  frame[code] = at - code;
  frame[at++] = 0;
  return at;
}

/** What a line gave and dropped. What comes before the first 00 began before us and does not count. */
export interface FrameCounters {
  frames: number;
  badCrc: number;
  badFrame: number; // no COBS, or shorter than a CRC
  tooLong: number;
}

export interface FrameDecoder {
  readonly counters: FrameCounters;
  /** Octets of the line in any pieces; `heard` is called with each message, a copy. */
  push(bytes: Uint8Array, heard: (message: Uint8Array) => void): void;
  /** The line begins anew: all up to the next 00 is dropped. */
  restart(): void;
}

interface State {
  readonly content: Uint8Array;
  readonly counters: FrameCounters;
  length: number;
  left: number; // octets of the block
  owesZero: boolean; // the block before stands for a zero at its end
  started: boolean; // after the first 00
  tooLong: boolean;
}

/** For one line, from wherever it stands now. */
export function createFrameDecoder(): FrameDecoder {
  const counters = { frames: 0, badCrc: 0, badFrame: 0, tooLong: 0 };
  const content = new Uint8Array(CONTENT_BYTES_MAX);
  const state: State = {
    ...{ content, counters, length: 0, left: 0, owesZero: false, started: false, tooLong: false },
  };
  return {
    counters,
    push(bytes, heard) {
      for (const octet of bytes) {
        if (octet !== 0) {
          if (state.started) take(state, octet);
          continue;
        }
        const length = end(state);
        if (length > 0) heard(content.slice(0, length));
        begin(state, true);
      }
    },
    restart: () => begin(state, false),
  };
}

function begin(state: State, started: boolean): void {
  state.length = state.left = 0;
  state.owesZero = state.tooLong = false;
  state.started = started;
}

function take(state: State, octet: number): void {
  if (state.left > 0) {
    state.left--;
    return put(state, octet);
  }
  if (state.owesZero) put(state, 0);
  state.left = octet - 1;
  state.owesZero = octet <= BLOCK_BYTES;
}

function put(state: State, octet: number): void {
  if (state.length < CONTENT_BYTES_MAX) state.content[state.length++] = octet;
  else state.tooLong = true;
}

/** Length of the message that ends here, 0: none. */
function end(state: State): number {
  const { content, counters, length, left, owesZero, tooLong } = state;
  const isEmpty = length === 0 && left === 0 && !owesZero && !tooLong;
  if (isEmpty || !state.started) return 0;
  const messageBytes = length - CRC_BYTES;
  if (tooLong) counters.tooLong++;
  else if (left > 0 || messageBytes <= 0) counters.badFrame++;
  else if (crc32c(content, messageBytes) !== readCrc(content, messageBytes)) counters.badCrc++;
  else {
    counters.frames++;
    return messageBytes;
  }
  return 0;
}

function readCrc(content: Uint8Array, at: number): number {
  const [a, b, c, d] = content.subarray(at, at + CRC_BYTES);
  return (a! | (b! << 8) | (c! << 16) | (d! << 24)) >>> 0;
}
