// SPDX-License-Identifier: MIT
// How late ticks start, and why.
//
// Lateness is from the alarm's match to the handler's first instruction. The entry itself takes 15 cycles (Cortex-M0+ TRM 3.6.1) and is part of it. What was under way at the match is the
// cause of all beyond: an instruction, an access of a slow bus, another handler's entry or return, a mask. Contention
// between masters is not modelled, so no cycle of it is in here.

import type { Bus, CoreWatch } from "../armv6m/core.ts";

/** Ticks that started so late for that reason. */
export interface LateBucket {
  cycles: number;
  cause: string; // "none": only the entry
  count: number;
}

export interface Lateness {
  readonly watch: CoreWatch;
  /** The alarm of the tick matched at this cycle. */
  matched(cycle: number): void;
  /** The bus with an ear on it. */
  listen(bus: Bus): Bus;
  /** In order of cycles, then of names. */
  buckets(): LateBucket[];
  readonly counts: Readonly<LateCounts>;
  clear(): void;
}

export interface LateCounts {
  ticks: number; // started
  passed: number; // periods without a match: the firmware went over them
  unserved: number; // matches that the next one overtook
}

/** What it is about. The chip comes after its watch: all of it is asked for when it is there. */
export interface Ticking {
  tick: () => number; // the exception
  name: (exception: number) => string;
  now: () => number; // cycle
  periodCycles: () => number;
}

interface State {
  readonly about: Ticking;
  readonly buckets: Map<string, LateBucket>;
  readonly counts: LateCounts;
  matchCycle: number;
  waits: boolean; // matched and not yet started
  // Ends of the latest of each kind: what ends where the tick's entry starts was under way at the match.
  entered: { end: number; name: string };
  left: { end: number; name: string };
  busEnd: number;
  maskEnd: number;
}

/** Nothing has matched yet. */
export function createLateness(about: Ticking): Lateness {
  const state: State = {
    ...{ about, buckets: new Map(), counts: { ticks: 0, passed: 0, unserved: 0 } },
    ...{ matchCycle: NaN, waits: false, busEnd: -1, maskEnd: -1 },
    entered: { end: -1, name: "" },
    left: { end: -1, name: "" },
  };
  const { buckets, counts } = state;
  const order = (a: LateBucket, b: LateBucket): number =>
    a.cycles - b.cycles || (a.cause < b.cause ? -1 : 1);
  return {
    counts,
    watch: watchOf(state),
    matched: (cycle) => match(state, cycle),
    listen: (bus) => listen(state, bus),
    buckets: () => [...buckets.values()].toSorted(order),
    clear() {
      buckets.clear();
      counts.ticks = counts.passed = counts.unserved = 0;
    },
  };
}

function watchOf(state: State): CoreWatch {
  const { now, name, tick } = state.about;
  const nothing = (): void => undefined;
  return {
    ...{ pended: nothing, slept: nothing, woke: nothing },
    entered(exception, startCycle) {
      if (exception === tick() && state.waits) start(state, startCycle);
      state.entered = { end: now(), name: name(exception) };
    },
    left: (exception) => void (state.left = { end: now(), name: name(exception) }),
    masked: (masked) => void (state.maskEnd = masked ? Infinity : now()),
  };
}

function start(state: State, startCycle: number): void {
  const { buckets, counts, about } = state;
  const cycles = about.now() - state.matchCycle;
  const cause = causeAt(state, startCycle);
  const key = `${cycles} ${cause}`;
  const bucket = buckets.get(key) ?? { cycles, cause, count: 0 };
  state.waits = false;
  counts.ticks++;
  bucket.count++;
  buckets.set(key, bucket);
}

function causeAt(state: State, startCycle: number): string {
  const { matchCycle, maskEnd, entered, left, busEnd } = state;
  if (startCycle === matchCycle) return "none";
  if (maskEnd > matchCycle) return "mask";
  if (entered.end === startCycle) return `entry of ${entered.name}`;
  if (left.end === startCycle) return `return from ${left.name}`;
  return busEnd === startCycle ? "bus" : "instruction";
}

function match(state: State, cycle: number): void {
  const { counts, about } = state;
  const periods = Math.round((cycle - state.matchCycle) / about.periodCycles());
  if (state.waits) counts.unserved++;
  if (periods > 1) counts.passed += periods - 1;
  state.matchCycle = cycle;
  state.waits = true;
}

// The data phase is the last cycle of the instruction.
function listen(state: State, { read, write, waits }: Bus): Bus {
  const { now } = state.about;
  return {
    read(address, size) {
      const value = read(address, size);
      state.busEnd = now() + 1;
      return value;
    },
    write(address, size, value) {
      write(address, size, value);
      state.busEnd = now() + 1;
    },
    waits,
  };
}
