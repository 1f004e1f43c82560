// SPDX-License-Identifier: MIT
// Frequencies of oscillators, PLLs and clocks (datasheet 2.15), in Hz; 0: stopped.
//
// Oscillators and PLLs say what they give, CLOCKS says what it makes of it. The tree outlives resets of
// both, since what is clocked keeps running from whatever is there.

import { ChipFailure } from "./peripheral.ts";

export type ClockSource = "rosc" | "xosc" | "pllSys" | "pllUsb";
export type ClockName = "ref" | "sys" | "peri" | "usb" | "adc" | "rtc";

export interface ClockTree {
  readonly sources: Readonly<Record<ClockSource, number>>;
  readonly hz: Readonly<Record<ClockName, number>>;
  setSource(source: ClockSource, hz: number): void;
  /** CLOCKS gives the rule by which clocks follow from sources. */
  setRule(
    rule: (sources: Readonly<Record<ClockSource, number>>) => Record<ClockName, number>,
  ): void;
  /** Works the rule again: a register of CLOCKS changed. */
  settle(): void;
  /** Calls after each change of a frequency; gives the end of it. */
  onChange(call: () => void): () => void;
}

export function createClockTree(roscHz: number): ClockTree {
  const sources = { rosc: roscHz, xosc: 0, pllSys: 0, pllUsb: 0 };
  const hz = { ref: roscHz, sys: roscHz, peri: 0, usb: 0, adc: 0, rtc: 0 };
  const listeners = new Set<() => void>();
  let rule = (): Record<ClockName, number> => hz;

  function settle(): void {
    const next = rule();
    if (next.sys === 0 || next.ref === 0)
      throw new ChipFailure(
        `clocks: ${next.sys === 0 ? "clk_sys" : "clk_ref"} stops, its source does not run`,
      );
    const names = Object.keys(hz) as ClockName[];
    if (names.every((name) => hz[name] === next[name])) return;
    Object.assign(hz, next);
    for (const call of listeners) call();
  }

  return {
    sources,
    hz,
    setSource(source, value) {
      if (sources[source] === value) return;
      sources[source] = value;
      settle();
    },
    setRule(next) {
      rule = () => next(sources);
      settle();
    },
    settle,
    onChange(call) {
      listeners.add(call);
      return () => void listeners.delete(call);
    },
  };
}
