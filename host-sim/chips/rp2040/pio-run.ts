// SPDX-License-Identifier: MIT
// A PIO's state machine run ahead: to its next effect, or to a tick.
//
// (M2) nothing is stepped that can be known: delays, stalls, and loops of nothing but JMP (without X!=Y) are passed
// over, loops by as many rounds as leave X and Y above 0. The result is that of single steps.

import { clearEffects, type Effects, type Machine, type Setup, type View } from "./pio-machine.ts";
import { step } from "./pio-step.ts";

/** Why it ended: an effect in the latest tick; nothing until the block changes; the limit. */
export type Ended = "effect" | "rests" | "limit";

export interface Bounds {
  tick: number; // not to be run
  steps: number; // taken one by one
  ahead: boolean; // where it rests nobody needs the registers
}

interface Round {
  head: number; // the address a loop begins at, -1: none
  tick: number;
  x: number;
  y: number;
}

const AUTOPULL = 1 << 17;
const X_IS_NOT_Y = 5;

/** Runs a machine while it has no effect. What was seen gathers in `fx`. */
export function run(m: Machine, setup: Setup, view: View, fx: Effects, bounds: Bounds): Ended {
  const round: Round = { head: -1, tick: 0, x: 0, y: 0 };
  for (let steps = 0; m.tick < bounds.tick && steps < bounds.steps; steps++) {
    if (m.delay > 0 && (setup.shiftctrl & AUTOPULL) === 0) {
      const ticks = Math.min(m.delay, bounds.tick - m.tick);
      m.delay -= ticks;
      m.tick += ticks;
      continue;
    }
    const { pc } = m;
    const instruction = m.exec >= 0 || m.delay > 0 ? -1 : view.memory[pc]!;
    clearEffects(fx, false);
    step(m, setup, view, fx);
    if (fx.any) return "effect";
    if (fx.stalls) {
      m.tick = bounds.tick; // the same again and again
      return "rests";
    }
    const isJump = instruction >> 13 === 0 && ((instruction >> 5) & 7) !== X_IS_NOT_Y;
    if (!isJump) round.head = -1;
    else if (m.pc <= pc && goRound(m, round, bounds)) return "rests";
  }
  return "limit";
}

// At the start of a loop's round; true: it goes round for ever.
function goRound(m: Machine, round: Round, bounds: Bounds): boolean {
  const ticks = m.tick - round.tick;
  const [dx, dy] = [round.x - m.x, round.y - m.y];
  const isAgain = m.pc === round.head && dx >= 0 && dy >= 0;
  round.head = m.pc;
  if (isAgain) {
    if (dx === 0 && dy === 0 && bounds.ahead) return true;
    const rounds = Math.min(
      Math.floor((bounds.tick - m.tick) / ticks),
      dx > 0 ? Math.floor((m.x - 1) / dx) : Infinity,
      dy > 0 ? Math.floor((m.y - 1) / dy) : Infinity,
    );
    if (rounds > 0) {
      m.x -= rounds * dx;
      m.y -= rounds * dy;
      m.tick += rounds * ticks;
      round.head = -1; // what is left is less than a round, or another way
    }
  }
  round.tick = m.tick;
  round.x = m.x;
  round.y = m.y;
  return false;
}
