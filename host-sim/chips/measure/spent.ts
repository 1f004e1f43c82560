// SPDX-License-Identifier: MIT
// Where the cycles of a core go: handlers, thread mode, sleep.
//
// A handler's cycles are its own: from the start of its entry to the end of its return, without those of handlers that
// interrupted it. A run of thread mode is from one sleep to the next. Every cycle is counted once.

import type { CoreWatch } from "../armv6m/core.ts";

export const THREAD = 0; // as IPSR has it
export const ASLEEP = 48; // one behind the last exception
const CONTEXTS = 49;

/** How often something took so many cycles. */
export type Costs = Map<number, number>;

export interface Spent {
  /** Cycles so far by context: exception number, THREAD, ASLEEP. */
  readonly cycles: Float64Array;
  /** By context: what its runs cost, each without what interrupted it. */
  readonly runs: readonly Costs[];
  /** The longest from becoming pending to the first instruction of the handler, by exception. */
  readonly latency: Float64Array;
  readonly watch: CoreWatch;
  /** Counts what runs now up to now. */
  settle(): void;
  /** Forgets what was counted, not what runs. */
  clear(): void;
}

export function count(costs: Costs, cycles: number): void {
  costs.set(cycles, (costs.get(cycles) ?? 0) + 1);
}

/** The least number of cycles that this part of all runs (0..1) does not exceed; 0: there was none. */
export function percentile(costs: Costs, part: number): number {
  const sorted = [...costs].toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, often]) => sum + often, 0);
  let seen = 0;
  for (const [cycles, often] of sorted) {
    seen += often;
    if (seen >= part * total) return cycles;
  }
  return 0;
}

/** `now` is the core's cycle, `dueNow` the one that an event under way was due at. */
export function createSpent(now: () => number, dueNow: () => number): Spent {
  const cycles = new Float64Array(CONTEXTS);
  const begun = new Float64Array(CONTEXTS);
  const latency = new Float64Array(CONTEXTS);
  const pendedAt = new Float64Array(CONTEXTS).fill(NaN);
  const runs = Array.from({ length: CONTEXTS }, (): Costs => new Map());
  let context = THREAD;
  let sleeper = THREAD;
  let sinceCycle = now();

  function become(next: number, cycle: number): void {
    cycles[context]! += cycle - sinceCycle;
    sinceCycle = cycle;
    context = next;
  }
  const begin = (which: number): void => void (begun[which] = cycles[which]!);
  const end = (which: number): void => count(runs[which]!, cycles[which]! - begun[which]!);

  const watch: CoreWatch = {
    pended(lines) {
      for (let rest = lines; rest !== 0; rest &= rest - 1)
        pendedAt[16 + 31 - Math.clz32(rest & -rest)] = dueNow();
    },
    entered(exception, startCycle) {
      const waited = now() - pendedAt[exception]!;
      if (waited > latency[exception]!) latency[exception] = waited;
      pendedAt[exception] = NaN;
      become(exception, startCycle);
      begin(exception);
    },
    left(exception, to) {
      become(to, now());
      end(exception);
    },
    slept() {
      sleeper = context;
      become(ASLEEP, now());
      if (sleeper === THREAD) end(THREAD);
    },
    woke() {
      become(sleeper, now());
      if (sleeper === THREAD) begin(THREAD);
    },
    masked: () => undefined,
  };
  return {
    ...{ cycles, runs, latency, watch },
    settle: () => become(context, now()),
    clear() {
      become(context, now());
      cycles.fill(0);
      begun.fill(0);
      latency.fill(0);
      for (const costs of runs) costs.clear();
    },
  };
}
