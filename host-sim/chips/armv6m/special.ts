// SPDX-License-Identifier: MIT
// Instructions of the system: CPS, MRS, MSR, hints, SVC, BKPT, and what is none.
//
// Spec: Armv6-M ARM §B5.2, §A6.7. On entry `at` is behind the first half-word.

import { OPERATIONS } from "./decode.ts";
import { enter, priorityOf, setFlags, sleep, SV_CALL } from "./exceptions.ts";
import { updatePriority, xpsrOf } from "./exceptions.ts";
import { type Machine, WAITING_EVENT, WAITING_INTERRUPT } from "./machine.ts";

const O = OPERATIONS;
const EVENT_CYCLES = 2;
const LONG_CYCLES = 3;

/** Runs the instruction in `special`. */
export function runSpecial(m: Machine): void {
  const entry = m.special;
  const a = (entry >> 8) & 15;
  const c = entry >> 16;
  m.special = 0;
  switch (entry & 255) {
    case O.cps:
      m.cycle++;
      return isPrivileged(m) ? setPrimask(m, a === 1) : undefined;
    case O.wfe:
      return waitForEvent(m);
    case O.wfi:
      m.cycle += EVENT_CYCLES;
      m.attention = true;
      return sleep(m, WAITING_INTERRUPT);
    case O.sev:
      m.cycle++;
      m.event = true;
      return;
    case O.mrs:
      m.at++;
      m.cycle += LONG_CYCLES;
      m.registers[a] = readSpecial(m, c);
      return;
    case O.msr:
      m.at++;
      m.cycle += LONG_CYCLES;
      return writeSpecial(m, c, m.registers[a]!);
    case O.svc:
      return callSupervisor(m);
    default:
      m.at--;
      m.fault = (entry & 255) === O.bkpt ? `BKPT ${c}` : `undefined instruction ${opcode(m)}`;
  }
}

function opcode({ window, at }: Machine): string {
  return `0x${window.halves[at]!.toString(16).padStart(4, "0")}`;
}

function isPrivileged(m: Machine): boolean {
  return !m.unprivileged || m.ipsr !== 0;
}

function setPrimask(m: Machine, masked: boolean): void {
  m.primask = masked;
  updatePriority(m);
  m.options.watch?.masked(masked);
}

function waitForEvent(m: Machine): void {
  m.cycle += EVENT_CYCLES;
  if (!m.event) sleep(m, WAITING_EVENT);
  m.event = false;
}

// SVC that cannot pre-empt is a HardFault (§B1.5.6); it returns behind the SVC as well.
function callSupervisor(m: Machine): void {
  m.cycle++;
  if (priorityOf(m, SV_CALL) < m.priority) enter(m, SV_CALL);
  else m.fault = "SVC where its priority does not suffice";
}

const IPSR = 5;
const MSP = 8;
const PSP = 9;
const PRIMASK = 16;
const CONTROL = 20;

// SYSm 0 to 7: bit 0 adds IPSR, bit 2 leaves out the flags; EPSR reads as zero (§B5.2.2).
function readSpecial(m: Machine, register: number): number {
  if (register < MSP) {
    const flags = (register & 4) === 0 ? xpsrOf(m) & 0xf000_0000 : 0;
    return flags | ((register & 1) === 0 ? 0 : m.ipsr);
  }
  if (register === CONTROL) return (m.unprivileged ? 1 : 0) | (m.onPsp ? 2 : 0);
  if (!isPrivileged(m)) return 0;
  if (register === PRIMASK) return m.primask ? 1 : 0;
  return (register === PSP) === m.onPsp ? m.registers[13]! : m.otherSp;
}

function writeSpecial(m: Machine, register: number, value: number): void {
  if (register < IPSR - 1) return setFlags(m, value);
  if (register < MSP || !isPrivileged(m)) return;
  if (register === PRIMASK) return setPrimask(m, (value & 1) === 1);
  if (register === CONTROL) return writeControl(m, value);
  if ((register === PSP) === m.onPsp) m.registers[13] = value & ~3;
  else m.otherSp = value & ~3;
}

// SPSEL changes in thread mode only.
function writeControl(m: Machine, value: number): void {
  m.unprivileged = (value & 1) === 1;
  if (m.ipsr === 0 && ((value & 2) !== 0) !== m.onPsp) {
    const sp = m.registers[13]!;
    m.registers[13] = m.otherSp;
    m.otherSp = sp;
    m.onPsp = !m.onPsp;
  }
  updatePriority(m);
}
