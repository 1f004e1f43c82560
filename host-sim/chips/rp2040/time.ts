// SPDX-License-Identifier: MIT
// Cycles of clk_sys against nanoseconds, while the frequency of clk_sys changes.
//
// What hangs on the world outside (a flash that erases, a character on a line, the crystal) counts
// nanoseconds since power-on; the core counts cycles. Between two changes one is a line of the other.
// (T1) an alarm in nanoseconds keeps its time when the frequency changes.

import type { Alarm, ChipClock } from "./peripheral.ts";

// Both directions are computed in doubles; an instant closer than this to a cycle's start is that cycle.
const CYCLE_FRACTION_MIN = 1e-6;

export interface ChipTime {
  /** Nanoseconds since power-on. */
  nowNs(): number;
  /** When that cycle begins, as far as the present frequency tells. */
  nsAt(cycle: number): number;
  /** The first cycle that does not begin before this. */
  cycleAt(ns: number): number;
  /** Calls once at this time (T1). */
  atNs(ns: number, call: () => void): Alarm;
  sysHz(): number;
  /** clk_sys runs at this frequency from now on. */
  setSysHz(hz: number): void;
}

interface Pending {
  ns: number;
  call: () => void;
  alarm: Alarm;
}

/** Time of a chip whose clk_sys starts with this frequency. */
export function createChipTime(clock: ChipClock, startHz: number): ChipTime {
  const pending = new Set<Pending>();
  let hz = startHz;
  let nsPerCycle = 1e9 / startHz;
  let epochCycle = 0;
  let epochNs = 0;

  const nsAt = (cycle: number): number => epochNs + (cycle - epochCycle) * nsPerCycle;
  const cycleAt = (ns: number): number =>
    epochCycle + Math.ceil((ns - epochNs) / nsPerCycle - CYCLE_FRACTION_MIN);

  function arm(entry: Pending): Alarm {
    return clock.at(cycleAt(entry.ns), () => {
      pending.delete(entry);
      entry.call();
    });
  }

  return {
    nowNs: () => nsAt(clock.now()),
    nsAt,
    cycleAt,
    atNs(ns, call) {
      const entry: Pending = { ns, call, alarm: { cancel: () => undefined } };
      pending.add(entry);
      entry.alarm = arm(entry);
      return {
        cancel() {
          if (pending.delete(entry)) entry.alarm.cancel();
        },
      };
    },
    sysHz: () => hz,
    setSysHz(next) {
      if (next === hz) return;
      const cycle = clock.now();
      epochNs = nsAt(cycle);
      epochCycle = cycle;
      hz = next;
      nsPerCycle = 1e9 / next;
      for (const entry of pending) {
        entry.alarm.cancel();
        entry.alarm = arm(entry);
      }
    },
  };
}
