// SPDX-License-Identifier: MIT
// System control space: SysTick, NVIC, system control block, MPU.
//
// Spec: Armv6-M ARM §B3.2 to §B3.5. Words only. A register that Armv6-M does not have is a ChipFailure, an
// access from software that is not privileged a HardFault.

import { ChipFailure, hex32 } from "../failure.ts";
import {
  FIRST_LINE,
  firstPending,
  PEND_SV,
  SV_CALL,
  SYS_TICK,
  updatePriority,
} from "./exceptions.ts";
import type { Machine } from "./machine.ts";
import { forgetCode } from "./memory.ts";
import { ENABLE, forgetRights, updateAccess, updateRegime } from "./mpu.ts";
import { expireTick, setTick, tickValue } from "./systick.ts";

const CPUID = 0x410c_c601; // Cortex-M0+ r0p1
const CCR = 0x208; // STKALIGN, UNALIGN_TRP
const VECTKEY = 0x05fa;
const SYSRESETREQ = 4;
const VTOR_MASK = 0xffff_ff00;
const SCR_MASK = 0x16; // SEVONPEND, SLEEPDEEP, SLEEPONEXIT
const SEVONPEND = 0x10;
const TYPE_REGIONS = 0x800; // MPU_TYPE: 8

export function readSystem(m: Machine, address: number, size: number): number {
  if (!isAllowed(m, address, size)) return 0;
  const register = address & 0xfff;
  if (register >= 0x400 && register < 0x420) return readPriorities(m, register);
  switch (register) {
    case 0x010:
      return readTickControl(m);
    case 0x014:
      return m.tick.reload;
    case 0x018:
      expireTick(m);
      return tickValue(m);
    case 0x01c:
      return (m.options.referenceCycles ?? 0) > 0 ? 0 : 0x8000_0000; // NOREF; no calibration
    case 0x100:
    case 0x180:
      return m.lines.enabled >>> 0;
    case 0x200:
    case 0x280:
      return m.lines.pending >>> 0;
    default:
      return readControl(m, register);
  }
}

function isAllowed(m: Machine, address: number, size: number): boolean {
  if (size !== 4)
    throw new ChipFailure(`core register ${hex32(address)} takes words, not ${size} bytes`);
  if (!m.unprivileged || m.ipsr !== 0) return true;
  m.fault = `unprivileged access to core register ${hex32(address)}`;
  return false;
}

function unknown(register: number): never {
  throw new ChipFailure(`Armv6-M has no core register ${hex32(0xe000_e000 + register)}`);
}

function readControl(m: Machine, register: number): number {
  const { priorities, mpu } = m;
  switch (register) {
    case 0xd00:
      return CPUID;
    case 0xd04:
      return readInterruptState(m);
    case 0xd08:
      return m.vtor >>> 0;
    case 0xd0c:
      return 0xfa05_0000;
    case 0xd10:
      return m.scr;
    case 0xd14:
      return CCR;
    case 0xd1c:
      return (priorities[SV_CALL]! << 30) >>> 0;
    case 0xd20:
      return ((priorities[PEND_SV]! << 22) | (priorities[SYS_TICK]! << 30)) >>> 0;
    case 0xd90:
      return TYPE_REGIONS;
    case 0xd94:
      return mpu.control;
    case 0xd98:
      return mpu.region;
    case 0xd9c:
      return (mpu.bases[mpu.region]! | mpu.region) >>> 0;
    case 0xda0:
      return mpu.attributes[mpu.region]!;
    default:
      return unknown(register);
  }
}

function readTickControl(m: Machine): number {
  expireTick(m);
  const { tick } = m;
  const own = tick.reference ? 0 : 4;
  const value = (tick.enabled ? 1 : 0) | (tick.interrupt ? 2 : 0) | own;
  const counted = tick.counted ? 1 << 16 : 0;
  tick.counted = false; // read clears it
  return value | counted;
}

// ICSR. VECTPENDING does not heed PRIMASK.
function readInterruptState(m: Machine): number {
  const bit = (set: boolean, at: number): number => (set ? 1 << at : 0);
  const state =
    m.ipsr |
    (firstPending(m) << 12) |
    bit((m.lines.pending & m.lines.enabled) !== 0, 22) |
    bit(m.tick.pending, 26) |
    bit(m.pendSv, 28) |
    bit(m.nmi.pending, 31);
  return state >>> 0;
}

function readPriorities(m: Machine, register: number): number {
  let word = 0;
  for (let i = 0; i < 4; i++)
    word |= m.priorities[FIRST_LINE + (register & 0x1c) + i]! << (8 * i + 6);
  return word >>> 0;
}

export function writeSystem(m: Machine, address: number, size: number, value: number): void {
  if (!isAllowed(m, address, size)) return;
  const register = address & 0xfff;
  const { lines } = m;
  m.attention = true;
  if (register >= 0x400 && register < 0x420) return writePriorities(m, register, value);
  switch (register) {
    case 0x010:
      return writeTickControl(m, value);
    case 0x014:
      m.tick.reload = value & 0xff_ffff;
      return;
    case 0x018:
      m.tick.counted = false;
      return setTick(m, 0);
    case 0x100:
      lines.enabled |= value;
      return;
    case 0x180:
      lines.enabled &= ~value;
      return;
    case 0x200:
      return pendLines(m, value);
    case 0x280:
      lines.pending = (lines.pending & ~value) | (lines.level & value); // a level asks again
      return;
    default:
      return writeControl(m, register, value);
  }
}

/** Lines become pending; with SEVONPEND that is an event. */
export function pendLines(m: Machine, mask: number): void {
  const fresh = mask & ~m.lines.pending;
  if (fresh !== 0 && (m.scr & SEVONPEND) !== 0) m.event = true;
  m.lines.pending |= mask;
  if (fresh !== 0) m.options.watch?.pended(fresh);
  m.attention = true;
}

function writePriorities(m: Machine, register: number, value: number): void {
  for (let i = 0; i < 4; i++)
    m.priorities[FIRST_LINE + (register & 0x1c) + i] = (value >>> (8 * i + 6)) & 3;
  updatePriority(m);
}

function writeTickControl(m: Machine, value: number): void {
  expireTick(m);
  const held = tickValue(m);
  const { tick } = m;
  tick.enabled = (value & 1) !== 0;
  tick.interrupt = (value & 2) !== 0;
  tick.reference = (value & 4) === 0 && (m.options.referenceCycles ?? 0) > 0;
  setTick(m, held);
}

function writeControl(m: Machine, register: number, value: number): void {
  switch (register) {
    case 0xd04:
      return writeInterruptState(m, value);
    case 0xd08:
      m.vtor = value & VTOR_MASK;
      return;
    case 0xd0c:
      if (value >>> 16 === VECTKEY && (value & SYSRESETREQ) !== 0) m.resetAsked = true;
      return;
    case 0xd10:
      m.scr = value & SCR_MASK;
      return;
    case 0xd1c:
      m.priorities[SV_CALL] = value >>> 30;
      return updatePriority(m);
    case 0xd20:
      m.priorities[SYS_TICK] = value >>> 30;
      m.priorities[PEND_SV] = (value >>> 22) & 3;
      return updatePriority(m);
    case 0xd14: // read only, as is MPU_TYPE
    case 0xd90:
      return;
    default:
      return writeMpu(m, register, value);
  }
}

function writeInterruptState(m: Machine, value: number): void {
  const bit = (at: number): boolean => ((value >>> at) & 1) === 1;
  if (bit(31)) m.nmi.pending = true;
  if (bit(28)) m.pendSv = true;
  if (bit(27)) m.pendSv = false;
  if (bit(26)) m.tick.pending = true;
  if (bit(25)) m.tick.pending = false;
}

// RBAR with VALID chooses the region as well.
function writeMpu(m: Machine, register: number, value: number): void {
  const { mpu } = m;
  if (register === 0xd94) mpu.control = value & 7;
  else if (register === 0xd98) mpu.region = value & 7;
  else if (register === 0xd9c) {
    if ((value & 16) !== 0) mpu.region = value & 7;
    mpu.bases[mpu.region] = value & 0xffff_ff00;
  } else if (register === 0xda0) mpu.attributes[mpu.region] = value & 0x1707_ff3f;
  else unknown(register);
  if (register === 0xd98) return;
  forgetRights(m);
  updateRegime(m);
  if ((mpu.control & ENABLE) !== 0) updateAccess(m);
  forgetCode(m);
}
