// SPDX-License-Identifier: MIT
// An Armv6-M processor (Cortex-M0+) as the chip around it sees it.
//
// Spec: Armv6-M Architecture Reference Manual (DDI 0419); cycles: Cortex-M0+ TRM (DDI 0484C) table 3.1.
// Time is `cycle` alone; what is due is called by whoever calls run(), between instructions.

import { attend, finishJump, takeFault, updatePriority } from "./exceptions.ts";
import { execute } from "./execute.ts";
import {
  AWAKE,
  createMachine,
  goTo,
  initialState,
  lookAhead,
  type Machine,
  pcOf,
} from "./machine.ts";
import { fetch, forgetCode, invalidate, readVector } from "./memory.ts";
import { pendLines } from "./scs.ts";
import { runSpecial } from "./special.ts";
import { expireTick } from "./systick.ts";

/** Plain memory that the core reads and fetches from directly, e.g. SRAM or a flash window. */
export interface Region {
  base: number; // a multiple of 32
  bytes: Uint8Array; // a multiple of 32; regions may share it: windows onto one memory
  writable: boolean; // a store to one that is not goes to the bus
}

/** Everything else. Accesses arrive aligned; what the bus does not know, it throws as ChipFailure. */
export interface Bus {
  read(address: number, size: 1 | 2 | 4): number; // u32; the upper bits of a shorter one do not count
  write(address: number, size: 1 | 2 | 4, value: number): void; // u32; upper bits may be set
  /** Cycles beyond the table's 2 for this access; -1: a single-cycle I/O port. Asked before the access. */
  waits(address: number): number;
}

/** What a measurement is told, and when: `cycle` is the end of what it tells of. It changes nothing. */
export interface CoreWatch {
  /** Lines that became pending and were not, a bit each. */
  pended(lines: number): void;
  /** The first instruction of this exception's handler is next; its entry began at `startCycle`. */
  entered(exception: number, startCycle: number): void;
  /** Back in exception `to`, 0: thread mode; the return itself began at `startCycle`. */
  left(exception: number, to: number, startCycle: number): void;
  /** WFI, WFE or SLEEPONEXIT. */
  slept(): void;
  woke(): void;
  /** PRIMASK was written. */
  masked(masked: boolean): void;
}

export interface CoreOptions {
  /** AIRCR.SYSRESETREQ was written: run() returns after that instruction. */
  onReset?: () => void;
  /** A HardFault is thrown as ChipFailure that names its cause; without it the handler is entered. */
  failOnFault?: boolean;
  /** Lock-up lasts until a reset; without it, it is thrown as ChipFailure. */
  staysLockedUp?: boolean;
  /** Cycles of clk_sys a pulse of SysTick's reference clock; 0 (not given): there is none. */
  referenceCycles?: number;
  watch?: CoreWatch;
}

export interface Core {
  /** Cycles of clk_sys since createCore; a reset does not set it back. The bus may read it in an access. */
  cycle: number;
  /** run() returns when cycle >= limit; whoever schedules an earlier event in an access lowers it. */
  limit: number;
  /** r0 to r15. PC is right between runs and in an access of the bus: the instruction that runs. */
  readonly registers: Int32Array;
  /** Sets limit and runs to it. Asleep with nothing pending, the cycle becomes the limit at once. */
  run(until: number): void;
  /** Level of NVIC line 0 to 31. A raised line stays pending when it falls before it is served. */
  setInterrupt(line: number, level: boolean): void;
  setNmi(level: boolean): void;
  /** SEV of another master. */
  sendEvent(): void;
  /** All state but `cycle` as after power-on; SP and PC from the vector table at address 0. */
  reset(): void;
  /** A closed region is as if it were not there: accesses go to the bus, a fetch faults. */
  setRegion(base: number, open: boolean): void;
  /** Bytes of a region changed behind the core's back (DMA, flash): decoded instructions go. */
  invalidate(address: number, bytes: number): void;
}

/** A processor after its reset: it starts at the vectors at address 0. */
export function createCore(regions: readonly Region[], bus: Bus, options: CoreOptions = {}): Core {
  const m = createMachine(regions, bus, options);
  const core: Core = Object.assign(m, {
    run: (until: number) => run(m, until),
    setInterrupt: (line: number, level: boolean) => setInterrupt(m, line, level),
    setNmi: (level: boolean) => setNmi(m, level),
    sendEvent: () => sendEvent(m),
    reset: () => reset(m),
    setRegion: (base: number, open: boolean) => setRegion(m, base, open),
    invalidate: (address: number, bytes: number) => invalidate(m, address, bytes),
  });
  reset(m);
  return core;
}

function setRegion(m: Machine, base: number, open: boolean): void {
  const window = m.windows.find((one) => one.base === base);
  if (window === undefined) throw new RangeError(`no region at ${base}`);
  window.size = open ? window.bytes.length : 0;
  if (!open) window.code.fill(0);
}

function reset(m: Machine): void {
  Object.assign(m, initialState());
  m.active.fill(0);
  m.priorities.fill(0);
  m.registers.fill(0);
  m.jumping = false;
  m.special = 0;
  m.fault = "";
  m.resetAsked = false;
  updatePriority(m);
  forgetCode(m);
  m.registers[13] = readVector(m, 0) & ~3;
  const start = readVector(m, 4);
  m.thumb = (start & 1) === 1;
  goTo(m, start);
  m.registers[14] = -1;
  m.registers[15] = pcOf(m);
}

function run(m: Machine, until: number): void {
  m.limit = until;
  while (m.cycle < m.limit && !m.resetAsked) {
    if (m.cycle >= m.tick.due) expireTick(m);
    if (m.attention) attend(m);
    if (m.fault === "" && m.sleeping !== AWAKE) {
      m.cycle = Math.max(m.cycle, Math.min(m.limit, m.tick.due));
      continue;
    }
    if (m.fault === "" && m.cycle < m.limit) runAwake(m);
    if (m.fault !== "") takeFault(m);
  }
  m.registers[15] = pcOf(m);
  if (!m.resetAsked) return;
  m.resetAsked = false;
  m.options.onReset?.();
}

function runAwake(m: Machine): void {
  if (!m.thumb) {
    m.fault = "instruction outside Thumb state";
    return;
  }
  if (fetch(m) === 0) return;
  lookAhead(m);
  execute(m);
  if (m.special !== 0) runSpecial(m);
  else if (m.jumping) finishJump(m);
}

function setInterrupt(m: Machine, line: number, level: boolean): void {
  const bit = 1 << line;
  const was = (m.lines.level & bit) !== 0;
  if (level === was) return;
  m.lines.level ^= bit;
  if (level) pendLines(m, bit);
}

function setNmi(m: Machine, level: boolean): void {
  if (level && !m.nmi.level) {
    m.nmi.pending = true;
    m.attention = true;
  }
  m.nmi.level = level;
}

function sendEvent(m: Machine): void {
  m.event = true;
  m.attention = true;
}
