// SPDX-License-Identifier: MIT
// Exceptions: what is pending, entry, return, faults.
//
// Spec: Armv6-M ARM §B1.5. Cycles: 15 for an entry (TRM §3.6.1), 12 for a return, which Arm does not publish.
// Tail-chaining is a return and an entry here (27 cycles); a late arrival is an entry after the first one, before
// its handler's first instruction. Both leave memory and registers as Arm has them and cost more, never less.
// What Arm calls UNPREDICTABLE (a wrong EXC_RETURN) is a HardFault; a fault in NMI or HardFault, or in stacking
// for HardFault, is lock-up: it ends the run, or lasts until a reset (CoreOptions).

import { ChipFailure, hex32 } from "../failure.ts";
import { AWAKE, goTo, LOCKED_UP, type Machine, pcOf, PRIORITY_THREAD } from "./machine.ts";
import { WAITING_EVENT, WAITING_INTERRUPT } from "./machine.ts";
import { forgetCode, load, readVector, store } from "./memory.ts";
import { updateRegime } from "./mpu.ts";

export const NMI = 2;
export const HARD_FAULT = 3;
export const SV_CALL = 11;
export const PEND_SV = 14;
export const SYS_TICK = 15;
export const FIRST_LINE = 16;

const ENTRY_CYCLES = 15;
const RETURN_CYCLES = 12;
const FRAME_BYTES = 32;
const ALIGNED = 1 << 9; // of the stacked xPSR: 4 bytes were left free
const THUMB = 1 << 24;
const SLEEPONEXIT = 2;

/** xPSR: flags, T, exception number. */
export function xpsrOf(m: Machine): number {
  const flags = (m.n < 0 ? 8 : 0) | (m.z === 0 ? 4 : 0) | (m.carry << 1) | (m.overflow >>> 31);
  return (flags << 28) | (m.thumb ? THUMB : 0) | m.ipsr;
}

/** Sets the flags from the upper bits of a word. */
export function setFlags(m: Machine, xpsr: number): void {
  m.n = xpsr | 0;
  m.z = (xpsr & 0x4000_0000) === 0 ? 1 : 0;
  m.carry = (xpsr >>> 29) & 1;
  m.overflow = xpsr << 3;
}

export function priorityOf(m: Machine, exception: number): number {
  if (exception === NMI) return -2;
  return exception === HARD_FAULT ? -1 : m.priorities[exception]!;
}

/** Finds priorities anew after a change of what is active, of PRIMASK or of a priority. */
export function updatePriority(m: Machine): void {
  let priority = PRIORITY_THREAD;
  for (let i = NMI; i < m.active.length; i++)
    if (m.active[i] !== 0) priority = Math.min(priority, priorityOf(m, i));
  m.activePriority = priority;
  m.priority = m.primask ? Math.min(priority, 0) : priority;
  m.attention = true;
  if (updateRegime(m)) forgetCode(m);
}

/** The pending exception that comes first, whatever is active or masked; 0: none. */
export function firstPending(m: Machine): number {
  if (m.nmi.pending) return NMI;
  let best = 0;
  let priority = PRIORITY_THREAD;
  const consider = (exception: number): void => {
    if (m.priorities[exception]! >= priority) return;
    best = exception;
    priority = m.priorities[exception]!;
  };
  if (m.pendSv) consider(PEND_SV);
  if (m.tick.pending) consider(SYS_TICK);
  const { pending, enabled } = m.lines;
  for (let rest = pending & enabled; rest !== 0; rest &= rest - 1)
    consider(FIRST_LINE + 31 - Math.clz32(rest & -rest));
  return best;
}

/** Wakes and pre-empts, as far as something pending does. */
export function attend(m: Machine): void {
  m.attention = false;
  const exception = firstPending(m);
  const priority = exception === 0 ? PRIORITY_THREAD : priorityOf(m, exception);
  // §B1.5.19: PRIMASK does not count for WFI; it does for WFE.
  if (m.sleeping === WAITING_INTERRUPT && priority < m.activePriority) wake(m);
  if (m.sleeping === WAITING_EVENT && m.event) {
    m.event = false;
    wake(m);
  }
  if (priority >= m.priority) return;
  if (m.sleeping !== AWAKE) wake(m);
  enter(m, exception);
}

function wake(m: Machine): void {
  m.sleeping = AWAKE;
  m.options.watch?.woke();
}

/** Sleeps until an interrupt or an event; what is pending already is looked at first. */
export function sleep(m: Machine, until: typeof WAITING_INTERRUPT | typeof WAITING_EVENT): void {
  m.sleeping = until;
  m.options.watch?.slept();
}

/** Takes an exception, or the HardFault that stacking for it has caused (§B1.5.6). */
export function enter(m: Machine, exception: number): void {
  const startCycle = m.cycle;
  pushFrame(m);
  m.cycle = startCycle + ENTRY_CYCLES;
  const taken = m.fault === "" ? exception : derived(m, exception);
  if (taken === exception) clearPending(m, exception);
  m.ipsr = taken;
  m.active[taken] = 1;
  if (m.onPsp) swapStacks(m);
  m.event = true;
  updatePriority(m);
  const vector = readVector(m, (m.vtor + 4 * taken) >>> 0);
  m.thumb = (vector & 1) === 1;
  goTo(m, vector);
  m.options.watch?.entered(taken, startCycle);
}

function derived(m: Machine, exception: number): number {
  const cause = `${m.fault} while stacking for exception ${exception}`;
  m.fault = "";
  refuseFault(m, cause, exception === HARD_FAULT ? -1 : m.activePriority);
  return HARD_FAULT;
}

function pushFrame(m: Machine): void {
  const r = m.registers;
  const align = r[13]! & 4;
  const frame = (r[13]! - FRAME_BYTES) & ~4;
  const xpsr = xpsrOf(m) | (align === 0 ? 0 : ALIGNED);
  const words = [r[0]!, r[1]!, r[2]!, r[3]!, r[12]!, r[14]!, pcOf(m), xpsr];
  words.forEach((word, i) => store(m, frame + 4 * i, 4, word));
  r[13] = frame;
  r[14] = m.ipsr !== 0 ? 0xffff_fff1 : m.onPsp ? 0xffff_fffd : 0xffff_fff9;
}

function swapStacks(m: Machine): void {
  const sp = m.registers[13]!;
  m.registers[13] = m.otherSp;
  m.otherSp = sp;
  m.onPsp = !m.onPsp;
}

function clearPending(m: Machine, exception: number): void {
  if (exception === NMI) m.nmi.pending = false;
  else if (exception === PEND_SV) m.pendSv = false;
  else if (exception === SYS_TICK) m.tick.pending = false;
  else if (exception >= FIRST_LINE) m.lines.pending &= ~(1 << (exception - FIRST_LINE));
}

/** Carries out the branch in `jump`: a return from an exception, or one that leaves Thumb state. */
export function finishJump(m: Machine): void {
  m.jumping = false;
  if (m.ipsr !== 0 && m.jump >>> 28 === 15) return leave(m, m.jump);
  m.thumb = (m.jump & 1) === 1;
  goTo(m, m.jump);
}

const FROM_NESTED = 1;
const TO_MSP = 9;
const TO_PSP = 13;

/** ExceptionReturn() of §B1.5.8. */
function leave(m: Machine, code: number): void {
  const kind = code & 15;
  const nested = m.active.reduce((sum, active) => sum + active, 0) > 1;
  const known = nested ? kind === FROM_NESTED : kind === TO_MSP || kind === TO_PSP;
  if ((code | 15) !== -1 || !known || m.active[m.ipsr] === 0)
    return void (m.fault = `wrong EXC_RETURN ${hex32(code)} in exception ${m.ipsr}`);
  const from = m.ipsr;
  m.active[from] = 0;
  if (from >= FIRST_LINE) m.lines.pending |= m.lines.level & (1 << (from - FIRST_LINE));
  if (kind === TO_PSP) swapStacks(m);
  const startCycle = m.cycle;
  const xpsr = popFrame(m);
  m.cycle = startCycle + RETURN_CYCLES;
  m.event = true;
  updatePriority(m);
  m.options.watch?.left(from, m.ipsr, startCycle);
  if (m.fault !== "") return;
  if (nested === ((xpsr & 63) === 0)) m.fault = `wrong exception number in xPSR ${hex32(xpsr)}`;
  else if (!nested && (m.scr & SLEEPONEXIT) !== 0) sleep(m, WAITING_INTERRUPT);
}

function popFrame(m: Machine): number {
  const r = m.registers;
  const frame = r[13]!;
  const word = (i: number): number => load(m, frame + 4 * i, 4);
  for (let i = 0; i < 4; i++) r[i] = word(i);
  r[12] = word(4);
  r[14] = word(5);
  const pc = word(6);
  const xpsr = word(7);
  if ((pc & 1) !== 0) m.fault ||= `stacked PC ${hex32(pc)} is odd`;
  r[13] = (frame + FRAME_BYTES) | ((xpsr & ALIGNED) === 0 ? 0 : 4);
  setFlags(m, xpsr);
  m.thumb = (xpsr & THUMB) !== 0;
  m.ipsr = xpsr & 63;
  goTo(m, pc);
  return xpsr;
}

/** Takes a HardFault for the cause in `fault`. */
export function takeFault(m: Machine): void {
  const cause = m.fault;
  m.fault = "";
  refuseFault(m, cause, m.activePriority);
  if (m.sleeping !== LOCKED_UP) enter(m, HARD_FAULT);
}

function refuseFault(m: Machine, cause: string, priority: number): void {
  const where = `${cause}; pc ${hex32(pcOf(m))}`;
  m.registers[15] = pcOf(m);
  if (priority < 0 && m.options.staysLockedUp === true) return void (m.sleeping = LOCKED_UP);
  if (priority < 0) throw new ChipFailure(`lock-up: ${where}`);
  if (m.options.failOnFault === true) throw new ChipFailure(`HardFault: ${where}`);
}
