// SPDX-License-Identifier: MIT
// Memory protection unit: eight regions, and what they forbid.
//
// Spec: Armv6-M ARM §B3.5. The region with the highest number decides; a sub-region that is off is no match.
// Not in force: while off, and in NMI and HardFault unless HFNMIENA. Never for the private peripheral bus.

import {
  GRANULE_SHIFT,
  GRANULES_KNOWN,
  HAS_CODE,
  type Machine,
  NO_READ,
  NO_WRITE,
  type Regime,
} from "./machine.ts";

/** Beside NO_READ and NO_WRITE of machine.ts; it never stands in an access table. */
export const NO_FETCH = 8;

export const ENABLE = 1;
const HFNMIENA = 2;
const PRIVDEFENA = 4;
const NONE = 0;
const ALL = NO_READ | NO_WRITE | NO_FETCH;
const RO = NO_WRITE;

// AP of RASR (table B3-18): for privileged and for other software. 4 and more than 6 is reserved, but 7 = 6.
const PRIVILEGED = [ALL, NONE, NONE, NONE, ALL, RO, RO, RO] as const;
const UNPRIVILEGED = [ALL, ALL, RO, NONE, ALL, ALL, RO, RO] as const;

/** True when the MPU forbids an access of this kind now. */
export function forbids(m: Machine, address: number, kind: number): boolean {
  return m.regime !== 0 && (known(m, address, m.regime) & kind) !== 0;
}

// Rights are those of a granule: no region or sub-region is smaller.
function known(m: Machine, address: number, regime: Regime): number {
  const { asked, found } = m.mpu;
  const granule = address >>> GRANULE_SHIFT;
  const slot = (granule ^ (granule >>> 9)) & (GRANULES_KNOWN - 1);
  const who = 2 * granule + regime; // not 0
  if (asked[slot] !== who) {
    asked[slot] = who;
    found[slot] = forbidden(m, address >>> 0, regime);
  }
  return found[slot]!;
}

/** What is forbidden at an address, as bits. */
function forbidden(m: Machine, address: number, regime: Regime): number {
  const { bases, attributes, control } = m.mpu;
  if (address >>> 20 === 0xe00) return NO_FETCH;
  for (let i = bases.length - 1; i >= 0; i--) {
    const rasr = attributes[i]!;
    if ((rasr & 1) === 0 || !covers(bases[i]!, rasr, address)) continue;
    const rights = (regime === 1 ? PRIVILEGED : UNPRIVILEGED)[(rasr >>> 24) & 7]!;
    return rights | ((rasr & (1 << 28)) === 0 ? NONE : NO_FETCH);
  }
  if (regime === 1 && (control & PRIVDEFENA) !== 0) return isExecutable(address) ? NONE : NO_FETCH;
  return ALL;
}

// SIZE n covers 2^(n+1) bytes, 256 at least; eight sub-regions, a bit of SRD each.
function covers(base: number, rasr: number, address: number): boolean {
  const size = 2 ** (Math.max((rasr >> 1) & 31, 7) + 1);
  const offset = address - Math.floor(base / size) * size;
  if (offset < 0 || offset >= size) return false;
  return ((rasr >> (8 + Math.floor((offset * 8) / size))) & 1) === 0;
}

// Default map (§B3.1): devices and the system are not for code.
const isExecutable = (address: number): boolean =>
  address < 0x4000_0000 || (address >= 0x6000_0000 && address < 0xa000_0000);

/** Finds who accesses now, after a change of mode, priority or CONTROL; true when that has changed. */
export function updateRegime(m: Machine): boolean {
  const { control } = m.mpu;
  const inForce = (control & ENABLE) !== 0 && (m.activePriority >= 0 || (control & HFNMIENA) !== 0);
  const regime = !inForce ? 0 : m.unprivileged && m.ipsr === 0 ? 2 : 1;
  const changed = regime !== m.regime;
  m.regime = regime;
  m.access = m.accesses[regime];
  return changed;
}

/** Forgets what was found, after a write to a register of the MPU. */
export function forgetRights({ mpu }: Machine): void {
  mpu.asked.fill(0);
}

/** Writes the access tables of RAM anew, after a change of the regions. */
export function updateAccess(m: Machine): void {
  const { ram, accesses } = m;
  for (const regime of [1, 2] as const) {
    const access = accesses[regime];
    for (let i = 0; i < access.length; i++) {
      const address = (ram.base + (i << GRANULE_SHIFT)) >>> 0;
      const rights = forbidden(m, address, regime) & (NO_READ | NO_WRITE);
      access[i] = (access[i]! & HAS_CODE) | rights;
    }
  }
}
