// SPDX-License-Identifier: MIT
// The watchdog's tick generator (datasheet 4.7.2): clk_ref down to microseconds.
//
// It counts clk_ref cycles, so ticks keep their phase against the crystal whatever clk_sys does. The
// count starts when the generator does, and goes on where it stood when it is stopped and started.

import type { ClockTree } from "./clock-tree.ts";
import type { Alarm } from "./peripheral.ts";
import type { ChipTime } from "./time.ts";

const ROUNDING = 1e-6; // doubles: an instant that close before a tick is the tick

export interface Ticker {
  running(): boolean;
  /** Ticks since power-on. */
  count(): number;
  /** Clk_ref cycles a tick, 0: stopped. */
  set(cycles: number): void;
  /** Calls when the count is reached, even if the rate changes meanwhile. */
  at(count: number, call: () => void): Alarm;
}

interface Waiting {
  count: number;
  call: () => void;
  alarm: Alarm | undefined;
}

export function createTicker(time: ChipTime, tree: ClockTree): Ticker {
  const waiting = new Set<Waiting>();
  let cycles = 0;
  let startNs = 0;
  let startCount = 0;
  let nsPerTick = Infinity;

  const count = (): number =>
    startCount + Math.floor((time.nowNs() - startNs) / nsPerTick + ROUNDING);

  function arm(entry: Waiting): void {
    entry.alarm?.cancel();
    entry.alarm = undefined;
    if (nsPerTick === Infinity) return;
    const ns = startNs + (entry.count - startCount) * nsPerTick;
    entry.alarm = time.atNs(ns, () => {
      waiting.delete(entry);
      entry.call();
    });
  }

  // The part of a tick that had passed is lost at a change; so it is on the chip.
  function restart(): void {
    startCount = nsPerTick === Infinity ? startCount : count();
    startNs = time.nowNs();
    nsPerTick = cycles === 0 ? Infinity : (cycles * 1e9) / tree.hz.ref;
    for (const entry of waiting) arm(entry);
  }

  let refHz = tree.hz.ref;
  tree.onChange(() => {
    if (tree.hz.ref === refHz) return;
    refHz = tree.hz.ref;
    restart();
  });

  return {
    running: () => cycles !== 0,
    count: () => (nsPerTick === Infinity ? startCount : count()),
    set(next) {
      if (next === cycles) return;
      cycles = next;
      restart();
    },
    at(target, call) {
      const entry: Waiting = { count: target, call, alarm: undefined };
      waiting.add(entry);
      arm(entry);
      return { cancel: () => void (waiting.delete(entry) && entry.alarm?.cancel()) };
    },
  };
}
