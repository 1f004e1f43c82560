// SPDX-License-Identifier: MIT
// Characters out of edges: a UART's receiver, the majority of three samples a bit.
//
// No state but the struct; nothing is allocated. Lengths are scaled so that a bit is 2^15 to 2^16: then 32 bits
// hold every product, and a processor without a divider for 64 bits does. Longer than LONG_BITS counts as that.
// Work: at most three samples a bit, whatever the edges; a glitch of one sample changes no bit.
//
//   waits for idle ─► idle ─edge─► start bit ?─► data ─► stop bit ─► character, or a framing error: waits for idle

const PICOSECONDS: u64 = 1_000_000_000_000;
const BIT_MIN: u64 = 1 << 15;
const LONG_BITS: i32 = 24; // two characters: nothing longer is told apart
const SAMPLES = 3;

const WAITS: i32 = 0; // for the idle level
const IDLE: i32 = 1;
const CHARACTER: i32 = 2;

export const CHARACTER_NONE: i32 = -1;
export const CHARACTER_FRAMING: i32 = 0x10000; // flag beside the bits: no stop bit was there

/** How a distance in units becomes one in which a bit is 2^15 to 2^16. */
@unmanaged
export class Scale {
  shift: i32; // to the left; negative: to the right
  bit: i32; // scaled, nominal
  longest: u32; // in units: LONG_BITS
}

/** A receiver. */
@unmanaged
export class Receiver {
  idle: u32; // level of the idle line
  bits: i32; // between start and stop bit: data and parity, 5 to 10
  bit: i32; // scaled
  phase: i32;
  atBit: i32; // 0 is the start bit, bits + 1 the stop bit
  sample: i32; // 0..2, of atBit
  high: i32; // samples of atBit at the idle level
  value: i32; // bits so far
  elapsed: i32; // since the start edge, scaled
  due: i32; // of the next sample, since the start edge, scaled
}

/** A rate in units of `unitPs` picoseconds. False: a bit is shorter than three units, or beyond 32 bits. */
export function scaleFor(scale: Scale, baud: u32, unitPs: u32): bool {
  const perSecond = <u64>baud * unitPs;
  if (perSecond == 0 || PICOSECONDS < perSecond * 3) return false;
  let shift = 0;
  let bit: u64 = (PICOSECONDS + perSecond / 2) / perSecond;
  const units = bit;
  if (units > 0x3fffffff / LONG_BITS) return false;
  while (bit >= BIT_MIN * 2) {
    bit >>= 1;
    shift--;
  }
  while (units << shift < BIT_MIN && shift >= 0) shift++;
  const power = shift >= 0 ? PICOSECONDS << shift : PICOSECONDS >> -shift;
  scale.shift = shift;
  scale.bit = <i32>((power + perSecond / 2) / perSecond);
  scale.longest = <u32>(units * LONG_BITS);
  return true;
}

/** A distance in units, scaled; at most LONG_BITS. */
export function scaled(scale: Scale, distance: u32): i32 {
  const units = min(distance, scale.longest);
  return scale.shift >= 0 ? units << scale.shift : units >> -scale.shift;
}

/** Begins at an unknown place of the line; `bit` is scaled. */
export function startReceiver(receiver: Receiver, idle: u32, bits: i32, bit: i32): void {
  receiver.idle = idle;
  receiver.bits = bits;
  receiver.bit = bit;
  receiver.phase = WAITS;
}

/**
 * The line held `level` for `length` (scaled). CHARACTER_NONE, or the character that ended in it: its bits, the
 * first one lowest, with CHARACTER_FRAMING. No length holds two ends: after one it takes an edge.
 */
export function hold(receiver: Receiver, level: u32, length: i32): i32 {
  const atIdle = level == receiver.idle;
  if (receiver.phase == WAITS) {
    if (atIdle) receiver.phase = IDLE;
    return CHARACTER_NONE;
  }
  if (receiver.phase == IDLE) {
    if (atIdle) return CHARACTER_NONE;
    beginCharacter(receiver);
  }
  receiver.elapsed += length;
  while (receiver.due < receiver.elapsed) {
    if (atIdle) receiver.high++;
    if (++receiver.sample < SAMPLES) {
      receiver.due += sampleStep(receiver);
      continue;
    }
    const ended = endBit(receiver, atIdle);
    if (receiver.phase != CHARACTER) return ended;
  }
  return CHARACTER_NONE;
}

// Samples at 0.35, 0.5 and 0.65 of a bit.
function sampleStep(receiver: Receiver): i32 {
  return (receiver.bit * 38) >> 8;
}

function beginCharacter(receiver: Receiver): void {
  receiver.phase = CHARACTER;
  receiver.atBit = receiver.sample = receiver.high = receiver.value = receiver.elapsed = 0;
  receiver.due = (receiver.bit * 90) >> 8;
}

function endBit(receiver: Receiver, atIdle: bool): i32 {
  const mark = receiver.high > SAMPLES / 2;
  const index = receiver.atBit++;
  receiver.sample = receiver.high = 0;
  receiver.due = receiver.atBit * receiver.bit + ((receiver.bit * 90) >> 8);
  if (index == 0) {
    if (mark) receiver.phase = atIdle ? IDLE : WAITS; // no start bit: a glitch
    return CHARACTER_NONE;
  }
  if (index <= receiver.bits) {
    if (mark) receiver.value |= 1 << (index - 1);
    return CHARACTER_NONE;
  }
  receiver.phase = atIdle ? IDLE : WAITS;
  return mark ? receiver.value : receiver.value | CHARACTER_FRAMING;
}
