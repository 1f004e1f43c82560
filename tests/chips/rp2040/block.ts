// SPDX-License-Identifier: MIT
// One block of the chip without the chip: time, clocks, pins and lines.

import { createClockTree, type ClockTree } from "../../../host-sim/chips/rp2040/clock-tree.ts";
import { createCycleClock } from "../../../host-sim/chips/rp2040/clock.ts";
import type { Context } from "../../../host-sim/chips/rp2040/context.ts";
import { createChipTime } from "../../../host-sim/chips/rp2040/time.ts";

export const SYS_HZ = 125_000_000;

export interface Block {
  context: Context;
  tree: ClockTree;
  interrupts: Map<number, boolean>;
  requests: Map<number, boolean>;
  /** Calls when a request line rises. */
  onRequest: Set<(line: number) => void>;
  /** Functions of pins; a test sets them. */
  selected: Map<number, number>;
  /** What a block drives, by pin. */
  driven: Map<number, { output: boolean; enable: boolean }>;
  /** A level from outside. */
  input(pin: number, level: boolean): void;
  run(ns: number): void;
  nowNs(): number;
}

/** All clocks run: clk_sys and clk_peri at 125 MHz, clk_adc at 48 MHz. */
export function createBlock(): Block {
  let cycle = 0;
  const clock = createCycleClock(
    () => cycle,
    () => undefined,
  );
  const time = createChipTime(clock, SYS_HZ);
  const tree = createClockTree(SYS_HZ);
  tree.setRule(() => ({ ref: 12e6, sys: SYS_HZ, peri: SYS_HZ, usb: 48e6, adc: 48e6, rtc: 0 }));
  const interrupts = new Map<number, boolean>();
  const requests = new Map<number, boolean>();
  const onRequest: Block["onRequest"] = new Set();
  const selected = new Map<number, number>();
  const driven: Block["driven"] = new Map();
  const levels = new Map<number, boolean>();
  const listeners = new Map<number, Set<(level: boolean) => void>>();
  const context: Context = {
    ...{ clock, time, tree },
    pins: {
      drive: (_source, pin, output, enable) => void driven.set(pin, { output, enable }),
      selected: (pin) => selected.get(pin) ?? 31,
      input: (pin) => levels.get(pin) ?? false,
      inputs() {
        let bits = 0;
        for (const [pin, level] of levels) bits |= level ? 1 << pin : 0;
        return bits >>> 0;
      },
      onInput(pin, call) {
        const calls = listeners.get(pin) ?? new Set();
        listeners.set(pin, calls.add(call));
        return () => void calls.delete(call);
      },
    },
    interrupt: (line, level) => void interrupts.set(line, level),
    request(line, level) {
      const rises = level && requests.get(line) !== true;
      requests.set(line, level);
      if (rises) for (const call of onRequest) call(line);
    },
  };
  return {
    ...{ context, tree, interrupts, requests, onRequest, selected, driven },
    input(pin, level) {
      levels.set(pin, level);
      for (const call of listeners.get(pin) ?? []) call(level);
    },
    run(ns) {
      const end = time.cycleAt(time.nsAt(cycle) + ns);
      while (clock.nextDue() <= end) {
        cycle = clock.nextDue();
        clock.runDue(cycle);
      }
      cycle = end;
    },
    nowNs: () => time.nsAt(cycle),
  };
}
