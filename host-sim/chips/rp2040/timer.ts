// SPDX-License-Identifier: MIT
// TIMER (datasheet 4.6): 64 bits of microseconds, four alarms.
//
// An alarm fires when the low word becomes equal to its target; a target in the past waits until the low
// word comes round again, 71.6 minutes. Reading TIMELR latches TIMEHR. Debug pauses are never active.

import { unknownRegister, type Context } from "./context.ts";
import type { Alarm, Peripheral } from "./peripheral.ts";
import type { Ticker } from "./ticker.ts";

const WORD = 2 ** 32;
const ALARMS = 4;

export type AlarmFired = (alarm: number, cycle: number) => void;

interface State {
  readonly context: Context;
  readonly ticker: Ticker;
  readonly fired: AlarmFired;
  readonly targets: Uint32Array;
  readonly armed: (Alarm | undefined)[];
  base: number; // time = base + ticks
  pausedAt: number; // time while PAUSE holds it, -1: it runs
  latchedHigh: number;
  writtenLow: number;
  raw: number;
  enabled: number;
  forced: number;
}

/** `fired` hears of each match with its cycle: what lateness is measured against. */
export function createTimer(context: Context, ticker: Ticker, fired: AlarmFired): Peripheral {
  const state: State = {
    ...{ context, ticker, fired },
    targets: new Uint32Array(ALARMS),
    armed: Array.from({ length: ALARMS }),
    base: -ticker.count(),
    pausedAt: -1,
    ...{ latchedHigh: 0, writtenLow: 0, raw: 0, enabled: 0, forced: 0 },
  };
  return {
    read(offset) {
      if (offset === 0x0c) state.latchedHigh = Math.floor(now(state) / WORD);
      return peek(state, offset);
    },
    peek: (offset) => peek(state, offset),
    write(offset, value) {
      write(state, offset, value);
      update(state);
    },
  };
}

const now = ({ pausedAt, base, ticker }: State): number =>
  pausedAt >= 0 ? pausedAt : base + ticker.count();
const asserted = ({ raw, enabled, forced }: State): number => (raw & enabled) | forced;

function update(state: State): void {
  const bits = asserted(state);
  for (let line = 0; line < ALARMS; line++)
    state.context.interrupt(line, ((bits >> line) & 1) === 1);
}

function arm(state: State, index: number): void {
  const { armed, targets, ticker, fired, context } = state;
  armed[index]?.cancel();
  const wait = (targets[index]! - (now(state) % WORD) + WORD) % WORD || WORD;
  armed[index] = { cancel: () => undefined };
  if (state.pausedAt >= 0) return;
  armed[index] = ticker.at(now(state) + wait - state.base, () => {
    armed[index] = undefined;
    state.raw |= 1 << index;
    fired(index, context.clock.now());
    update(state);
  });
}

function disarm(state: State, bits: number): void {
  for (let index = 0; index < ALARMS; index++) {
    if (((bits >> index) & 1) === 0) continue;
    state.armed[index]?.cancel();
    state.armed[index] = undefined;
  }
}

// Time jumps, stops or goes on. Alarms wait for equality, so each is armed anew.
function setTime(state: State, time: number, paused: boolean): void {
  state.pausedAt = paused ? time : -1;
  state.base = time - state.ticker.count();
  for (let index = 0; index < ALARMS; index++)
    if (state.armed[index] !== undefined) arm(state, index);
}

function peek(state: State, offset: number): number {
  const { targets, armed } = state;
  if (offset === 0x08) return state.latchedHigh;
  if (offset === 0x0c || offset === 0x28) return now(state) % WORD;
  if (offset >= 0x10 && offset <= 0x1c) return targets[(offset - 0x10) >> 2]!;
  if (offset === 0x20) return armed.reduce((bits, one, i) => bits | (one ? 1 << i : 0), 0);
  if (offset === 0x24) return Math.floor(now(state) / WORD);
  if (offset === 0x2c) return 7;
  if (offset === 0x30) return state.pausedAt >= 0 ? 1 : 0;
  if (offset === 0x34) return state.raw;
  if (offset === 0x38) return state.enabled;
  if (offset === 0x3c) return state.forced;
  return offset === 0x40 ? asserted(state) : unknownRegister("TIMER", offset);
}

function write(state: State, offset: number, value: number): void {
  if (offset === 0x04) state.writtenLow = value;
  else if (offset === 0x00) setTime(state, value * WORD + state.writtenLow, state.pausedAt >= 0);
  else if (offset >= 0x10 && offset <= 0x1c) {
    state.targets[(offset - 0x10) >> 2] = value;
    arm(state, (offset - 0x10) >> 2);
  } else if (offset === 0x20) disarm(state, value);
  else if (offset === 0x30) {
    const pause = (value & 1) === 1;
    if (pause !== state.pausedAt >= 0) setTime(state, now(state), pause);
  } else if (offset === 0x34) state.raw &= ~value;
  else if (offset === 0x38) state.enabled = value & 15;
  else if (offset === 0x3c) state.forced = value & 15;
  else if (offset !== 0x2c) unknownRegister("TIMER", offset);
}
