// SPDX-License-Identifier: MIT
// A transmitter: characters with their times in, a wave out.
//
// Each edge stands where the sender's clock puts it, plus a jitter of its own; edges never overtake one
// another. A character that is due while one is under way follows it. Pure; all chance is the prng's.

import type { Prng } from "../prng.ts";
import { characterBits, parityBit, type Format } from "./format.ts";
import { fraction, type Wave } from "./wave.ts";

export interface Said {
  startNs: number; // of its start bit, at the earliest
  data: number; // up to 9 bits
  badStop?: boolean; // its stop bits are space
  badParity?: boolean;
  breakBits?: number; // so many bits of space instead of a character
}

export interface Sender {
  format: Format;
  clockPpm?: number; // its clock runs fast by so many millionths
  jitterBits?: number; // each edge is off by up to this much either way
}

/** What these characters put on the wire, in their order. */
export function transmit(said: readonly Said[], sender: Sender, prng: Prng): Wave {
  const { format, clockPpm = 0, jitterBits = 0 } = sender;
  const bitNs = format.bitNs / (1 + clockPpm / 1e6);
  const edges: number[] = [];
  let level = 1;
  const change = (to: number, atNs: number): void => {
    if (to === level) return;
    const off = jitterBits === 0 ? 0 : (2 * fraction(prng) - 1) * jitterBits * bitNs;
    const before = edges.at(-1) ?? -Infinity;
    if (atNs + off > before) edges.push(atNs + off);
    else edges.pop(); // no pulse is left between the two
    level = to;
  };
  let freeNs = -Infinity;
  for (const character of said) {
    const startNs = Math.max(character.startNs, freeNs);
    const { bits, length } = bitsOf(character, format);
    for (let i = 0; i < length; i++) change((bits / 2 ** i) & 1, startNs + i * bitNs);
    freeNs = startNs + length * bitNs;
    change(1, freeNs);
  }
  return { initial: 1, edges };
}

/** Characters one after the other from a time on. */
export function inARow(octets: Iterable<number>, startNs: number): Said[] {
  return Array.from(octets, (data) => ({ startNs, data }));
}

// Bit 0 is the start bit; more bits than 32 are those of a long break, all 0.
function bitsOf(character: Said, format: Format): { bits: number; length: number } {
  const { data, badStop = false, badParity = false, breakBits } = character;
  if (breakBits !== undefined) return { bits: 0, length: breakBits };
  const { dataBits, parity } = format;
  const masked = data & ((1 << dataBits) - 1);
  let bits = masked << 1;
  let at = 1 + dataBits;
  if (parity !== "none") bits |= (parityBit(masked, parity) ^ (badParity ? 1 : 0)) << at++;
  return { bits: badStop ? bits : bits | (3 << at), length: characterBits(format) };
}
