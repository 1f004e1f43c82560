// SPDX-License-Identifier: MIT
// A UART's receiver: levels of a wire in, characters with their flags out.
//
// A clock of 16 ticks a bit runs freely from time 0. A start begins with the first tick after the wire fell
// to space; each bit is the majority of its ticks 7, 8 and 9; a start bit that is mark is no start. Only the
// first stop bit is looked at. After it the next fall begins a character: a line that stays at space is
// one break. Of a format or a rate that is not the sender's it makes what silicon makes of it.
// Nothing is allocated after it was made. (R1) time never goes back. (R2) characters come in order of time.

import { TAP_FLAG_BREAK, TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import { parityBit, type Format } from "./format.ts";

const TICKS_A_BIT = 16;
const FIRST_TICK = 7; // of the three that vote
const VOTES = 3;

export interface ReceiverSettings {
  format: Format;
  inverted?: boolean; // mark is the low level
  clockPpm?: number; // its own clock runs fast by so many millionths
}

/** A character: up to 9 bits of data, TAP_FLAG_*, and when it was decided, in the middle of its stop bit. */
export type Heard = (data: number, flags: number, atNs: number) => void;

export interface Receiver {
  /** The wire has this level, 0 or 1, from this time on. */
  level(level: number, atNs: number): void;
  /** Decides what is to be decided before this time. */
  runTo(nowNs: number): void;
  /** When the character under way is decided at the latest, Infinity: there is none. */
  dueNs(): number;
}

interface State {
  readonly format: Format;
  readonly tickNs: number;
  readonly idle: number; // level of mark
  readonly bits: number; // with start and first stop bit
  readonly heard: Heard;
  high: boolean; // the wire is at mark
  startNs: number; // of the character under way
  votes: number; // taken for it so far; -1: there is no character
  marks: number; // of the bit's votes
  data: number;
  parity: number; // the bit that was heard
}

/** A receiver at a wire of this level; without one it rests. One that begins at space is waited out. */
export function createReceiver(
  settings: ReceiverSettings,
  heard: Heard,
  firstLevel?: number,
): Receiver {
  const { format, inverted = false, clockPpm = 0 } = settings;
  const idle = inverted ? 0 : 1;
  const state: State = {
    ...{ format, heard, idle, high: (firstLevel ?? idle) === idle },
    tickNs: format.bitNs / TICKS_A_BIT / (1 + clockPpm / 1e6),
    bits: 2 + format.dataBits + (format.parity === "none" ? 0 : 1),
    ...{ startNs: 0, votes: -1, marks: 0, data: 0, parity: 0 },
  };
  return {
    level(level, atNs) {
      runTo(state, atNs);
      const high = level === state.idle;
      if (state.high && !high && state.votes < 0) begin(state, atNs);
      state.high = high;
    },
    runTo: (nowNs) => runTo(state, nowNs),
    dueNs: () => (state.votes < 0 ? Infinity : voteNs(state, state.bits * VOTES - 1)),
  };
}

function begin(state: State, atNs: number): void {
  state.startNs = Math.ceil(atNs / state.tickNs) * state.tickNs;
  state.votes = state.marks = state.data = state.parity = 0;
}

function voteNs({ startNs, tickNs }: State, vote: number): number {
  const bit = Math.floor(vote / VOTES);
  return startNs + (bit * TICKS_A_BIT + FIRST_TICK + (vote % VOTES)) * tickNs;
}

// The level since the last change is the level of every tick before now.
function runTo(state: State, nowNs: number): void {
  while (state.votes >= 0) {
    const atNs = voteNs(state, state.votes);
    if (atNs >= nowNs) return;
    if (state.high) state.marks++;
    state.votes++;
    if (state.votes % VOTES !== 0) continue;
    const bit = state.marks * 2 > VOTES ? 1 : 0;
    state.marks = 0;
    takeBit(state, state.votes / VOTES - 1, bit, atNs);
  }
}

function takeBit(state: State, index: number, bit: number, atNs: number): void {
  if (index === 0) {
    if (bit === 1) state.votes = -1; // no start
  } else if (index <= state.format.dataBits) state.data |= bit << (index - 1);
  else if (index < state.bits - 1) state.parity = bit;
  else {
    state.votes = -1;
    state.heard(state.data, flagsOf(state, bit), atNs);
  }
}

function flagsOf({ format, data, parity }: State, stop: number): number {
  const wrong = format.parity !== "none" && parity !== parityBit(data, format.parity);
  let flags = wrong ? TAP_FLAG_PARITY : 0;
  if (stop === 0) flags |= TAP_FLAG_FRAMING;
  if (stop === 0 && data === 0 && parity === 0) flags |= TAP_FLAG_BREAK;
  return flags;
}
