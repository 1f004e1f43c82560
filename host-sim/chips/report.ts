// SPDX-License-Identifier: MIT
// What a flash image costs: lateness, cycles, memory, on the emulated RP2040.
//
// Spec: DESIGN D1, D10. Everything is seen from outside, in cycles of clk_sys: the image is the one a Pico gets. Same
// plan and seed: same report. What the chip's model does not know ends the run as ChipFailure.

import { createPrng } from "../prng.ts";
import { createCore } from "./armv6m/core.ts";
import type { CoreWatch } from "./armv6m/core.ts";
import { ChipFailure } from "./failure.ts";
import { createLateness, type LateBucket, type Lateness } from "./measure/lateness.ts";
import { createMarks, type Mark, type Marks, type StackPeak } from "./measure/marks.ts";
import { attachPeer, type PeerCounts, type PeerPlan, type SerialLine } from "./measure/peer.ts";
import { ASLEEP, count, createSpent, percentile, THREAD } from "./measure/spent.ts";
import type { Costs, Spent } from "./measure/spent.ts";
import { createRp2040, FLASH_BYTES, loadUf2, type Rp2040 } from "./rp2040/index.ts";

export interface RunPlan {
  uf2: Uint8Array;
  /** Of the ELF file: addresses by name. */
  symbols: ReadonlyMap<string, number>;
  periodUs: number;
  ticks: number;
  /** Run before it is measured; not given: those in which loop starts. */
  settleTicks?: number;
  seed: number;
  line: SerialLine;
  peer: PeerPlan;
  /** What hangs on the pins. */
  attach?: (chip: Rp2040) => void;
  /** Where link's counters (SPEC.md §6) lie in its memory; not given: the outbox is not watched. */
  countersAt?: number;
}

/** What one run of something took: a tick, a poll, a handler. */
export interface Cost {
  name: string;
  count: number;
  p50: number; // cycles, as the next two
  p99: number;
  max: number;
  share: number; // of all cycles, 0..1
  latencyMax: number; // cycles from becoming pending to the first instruction; 0 for what never becomes so
}

export interface RunReport {
  ticks: number;
  missed: number; // periods without a tick, as seen from outside
  periodCycles: number;
  sysHz: number;
  virtualS: number;
  lateness: { max: number; buckets: LateBucket[] };
  /** The handler of the tick and loop together, in one period. */
  tick: Cost;
  /** Link from one sleep to the next: thread mode alone. */
  link: Cost;
  /** Each handler by itself, that of the tick and loop's among them. */
  handlers: Cost[];
  cpuShare: number; // all that is not sleep
  stacks: StackPeak[];
  queues: Mark[];
  /** From here on: since power-on. */
  uptimeS: number;
  /** The firmware's own counts. */
  counted: { missed: number; overruns: number; ringDropped: number; traps: number };
  erases: number;
  programs: number;
  resets: number; // 1: power-on
  peer: PeerCounts;
}

const TICK = "on_tick";
const LOOP = "on_loop";
const SETTLE_TICKS = 10;
const START_NS_MAX = 5e9; // until the first tick: entropy, an erase
const SLICE_PERIODS = 8; // between two looks at how many ticks there were
const WAITING = 4 * 5; // SPEC.md §6: counter 5
const EXCEPTIONS = 48;
const SRAM_BASE = 0x20000000;

interface Run {
  readonly plan: RunPlan;
  readonly chip: Rp2040;
  readonly spent: Spent;
  readonly late: Lateness;
  readonly marks: Marks;
  readonly names: readonly string[]; // by exception
  readonly tickCosts: Costs;
  readonly peer: { counts: Readonly<PeerCounts> };
}

/** Powers a chip up, runs it for so many ticks and reports. Throws ChipFailure. */
export function runReport(plan: RunPlan): RunReport {
  const run = begin(plan);
  runTicks(run, plan.settleTicks ?? SETTLE_TICKS);
  for (const part of [run.spent, run.late, run.marks]) part.clear();
  run.tickCosts.clear();
  const startNs = run.chip.time.nowNs();
  runTicks(run, plan.ticks);
  run.spent.settle();
  return tell(run, (run.chip.time.nowNs() - startNs) / 1e9);
}

function begin(plan: RunPlan): Run {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  loadUf2(plan.uf2, flash);
  const made: { chip?: Rp2040; marks?: Marks } = {};
  const now = (): number => made.chip?.core.cycle ?? 0;
  const names = handlerNames(plan, flash);
  const [tick, loop] = [names.indexOf(TICK), names.indexOf(LOOP)];
  const spent = createSpent(now, () => made.chip?.clock.now() ?? 0);
  const late = createLateness({
    tick: () => tick,
    name: (exception) => names[exception]!,
    now,
    periodCycles: () => (plan.periodUs * made.chip!.time.sysHz()) / 1e6,
  });
  const tickCosts: Costs = new Map();
  const watches = [spent.watch, late.watch, watchTicks(spent, tickCosts, [tick, loop])];
  const watch = together(watches, () => made.marks);
  const chip = createRp2040({
    ...{ flash, seed: plan.seed },
    makeCore: (regions, bus, options) =>
      createCore(regions, late.listen(bus), { ...options, watch }),
    alarmFired: (alarm, cycle) => void (alarm === 0 && late.matched(cycle)),
  });
  made.chip = chip;
  const { symbols, countersAt } = plan;
  const waitingAt = countersAt === undefined ? undefined : countersAt + WAITING;
  const marks = createMarks(chip.sram, symbols, waitingAt);
  made.marks = marks;
  plan.attach?.(chip);
  const peer = attachPeer(chip, plan.line, plan.peer, createPrng(plan.seed).fork("peer"));
  return { plan, chip, spent, late, marks, names, tickCosts, peer };
}

// What a period cost: the handler of the tick and loop, from one tick to the next.
function watchTicks(spent: Spent, costs: Costs, [tick, loop]: [number, number]): CoreWatch {
  const nothing = (): void => undefined;
  const sum = (): number => spent.cycles[tick]! + spent.cycles[loop]!;
  let before = NaN;
  return {
    ...{ pended: nothing, left: nothing, slept: nothing, woke: nothing, masked: nothing },
    entered(exception) {
      if (exception !== tick) return;
      if (sum() >= before) count(costs, sum() - before); // not across a clear()
      before = sum();
    },
  };
}

function together(watches: readonly CoreWatch[], marks: () => Marks | undefined): CoreWatch {
  return {
    pended: (lines) => watches.forEach((watch) => watch.pended(lines)),
    entered: (exception, startCycle) =>
      watches.forEach((watch) => watch.entered(exception, startCycle)),
    left(exception, to, startCycle) {
      for (const watch of watches) watch.left(exception, to, startCycle);
      marks()?.handled();
    },
    slept() {
      for (const watch of watches) watch.slept();
      marks()?.slept();
    },
    woke: () => watches.forEach((watch) => watch.woke()),
    masked: (masked) => watches.forEach((watch) => watch.masked(masked)),
  };
}

// The vectors stand at the start of the image; the function at such an address is the handler's name.
function handlerNames({ symbols }: RunPlan, flash: Uint8Array): string[] {
  const [load, start] = [symbols.get("image_load"), symbols.get("image_start")];
  if (load === undefined || start !== SRAM_BASE)
    throw new ChipFailure("the ELF file names no image_load, or image_start is not 0x20000000");
  const view = new DataView(flash.buffer, flash.byteOffset + (load & 0xffffff));
  const functions = new Map([...symbols].map(([name, address]) => [address & ~1, name]));
  const names = Array.from({ length: EXCEPTIONS }, (_, exception) => {
    const handler = view.getUint32(4 * exception, true) & ~1;
    return functions.get(handler) ?? `exception ${exception}`;
  });
  for (const name of [TICK, LOOP])
    if (!names.includes(name)) throw new ChipFailure(`no vector of the image leads to ${name}`);
  return names;
}

function runTicks({ chip, plan, late }: Run, ticks: number): void {
  const sliceNs = SLICE_PERIODS * plan.periodUs * 1000;
  const startNs = chip.time.nowNs();
  const endNs = startNs + START_NS_MAX + 2 * ticks * plan.periodUs * 1000;
  const goal = late.counts.ticks + ticks;
  for (let ns = startNs + sliceNs; late.counts.ticks < goal; ns += sliceNs) {
    if (ns > endNs) {
      const seen = late.counts.ticks - goal + ticks;
      throw new ChipFailure(`only ${seen} of ${ticks} ticks came in the time of twice as many`);
    }
    chip.runToNs(ns);
  }
}

// ---- report

function tell(run: Run, virtualS: number): RunReport {
  const { chip, spent, late, marks, names, plan, peer } = run;
  const total = spent.cycles.reduce((sum, cycles) => sum + cycles, 0);
  const buckets = late.buckets();
  const [tick, loop] = [names.indexOf(TICK), names.indexOf(LOOP)];
  const ticking = (spent.cycles[tick]! + spent.cycles[loop]!) / total;
  const costOf = (name: string, which: number): Cost =>
    costs(name, spent.runs[which]!, spent.cycles[which]! / total, spent.latency[which]!);
  const [, firmwareMissed = 0, overruns = 0] = marks.words("rhythm", 3);
  const [ringDropped = 0, loopTraps = 0, , linkTraps = 0] = marks.words("host_counters", 4);
  const sysHz = chip.time.sysHz();
  return {
    ticks: late.counts.ticks,
    missed: late.counts.passed + late.counts.unserved,
    periodCycles: (plan.periodUs * sysHz) / 1e6,
    ...{ sysHz, virtualS },
    lateness: { max: buckets.at(-1)?.cycles ?? 0, buckets },
    tick: costs("tick", run.tickCosts, ticking, spent.latency[tick]!),
    link: costOf("link", THREAD),
    handlers: names.flatMap((name, exception) =>
      spent.runs[exception]!.size > 0 && exception !== THREAD ? [costOf(name, exception)] : [],
    ),
    cpuShare: 1 - spent.cycles[ASLEEP]! / total,
    stacks: marks.stacks(),
    queues: marks.found(),
    uptimeS: chip.time.nowNs() / 1e9,
    counted: { missed: firmwareMissed, overruns, ringDropped, traps: loopTraps + linkTraps },
    erases: chip.nor.counts.erases,
    programs: chip.nor.counts.programs,
    resets: chip.counts.resets,
    peer: { ...peer.counts },
  };
}

function costs(name: string, runs: Costs, share: number, latencyMax: number): Cost {
  const runCount = [...runs.values()].reduce((sum, often) => sum + often, 0);
  const [p50, p99] = [percentile(runs, 0.5), percentile(runs, 0.99)];
  return { name, count: runCount, p50, p99, max: percentile(runs, 1), share, latencyMax };
}
