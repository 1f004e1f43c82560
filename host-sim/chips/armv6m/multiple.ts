// SPDX-License-Identifier: MIT
// PUSH, POP, STM and LDM: several words, 1 + N cycles.
//
// Spec: Armv6-M ARM §A6.7.28, §A6.7.49, §A6.7.50, §A6.7.59. The processor may abandon one for an interrupt and
// start it anew (TRM §3.6.1); here it is always completed, up to 8 cycles later: the safe side of a latency.
// A fault leaves the base as it was, so the instruction can be started anew.

import { load, store } from "./memory.ts";
import { GRANULE_SHIFT, type Machine, NO_READ } from "./machine.ts";

/** Number of registers in a list. */
export function countOf(list: number): number {
  let count = 0;
  for (let rest = list; rest !== 0; rest &= rest - 1) count++;
  return count;
}

// True when all words lie in RAM with nothing in the way.
function isPlain({ ram, access }: Machine, address: number, bytes: number, bad: number): boolean {
  const offset = (address - ram.base) >>> 0;
  if ((offset & 3) !== 0 || offset + bytes > ram.size) return false;
  const last = (offset + bytes - 1) >> GRANULE_SHIFT;
  return (access[offset >> GRANULE_SHIFT]! & bad) === 0 && (access[last]! & bad) === 0;
}

/** Stores registers by number, lowest first; true when all were stored. Bit 8 is LR, as in PUSH. */
function storeList(m: Machine, address: number, list: number): boolean {
  const { registers, ram } = m;
  const bytes = 4 * countOf(list);
  const plain = isPlain(m, address, bytes, 255);
  let word = (address - ram.base) >> 2;
  let at = address;
  const startCycle = m.cycle;
  for (let i = 0; i < 9; i++) {
    if ((list & (1 << i)) === 0) continue;
    const value = registers[i === 8 ? 14 : i]!;
    if (plain) ram.words[word++] = value;
    else store(m, at, 4, value);
    if (m.fault !== "") return false;
    if (!plain) m.cycle--; // 2 of one access are 1 of several
    at += 4;
  }
  m.cycle = plain ? startCycle + 1 + (bytes >> 2) : m.cycle + 1;
  return true;
}

/** Loads registers by number, lowest first; true when all were loaded. Bit 8 goes to `jump`, as in POP. */
function loadList(m: Machine, address: number, list: number): boolean {
  const { registers, ram } = m;
  const bytes = 4 * countOf(list);
  const plain = isPlain(m, address, bytes, NO_READ);
  let word = (address - ram.base) >> 2;
  let at = address;
  const startCycle = m.cycle;
  for (let i = 0; i < 9; i++) {
    if ((list & (1 << i)) === 0) continue;
    const value = plain ? ram.words[word++]! : load(m, at, 4);
    if (m.fault !== "") return false;
    if (i === 8) m.jump = value;
    else registers[i] = value;
    if (!plain) m.cycle--;
    at += 4;
  }
  m.cycle = plain ? startCycle + 1 + (bytes >> 2) : m.cycle + 1;
  return true;
}

export function push(m: Machine, list: number): void {
  const { registers } = m;
  const address = (registers[13]! - 4 * countOf(list)) | 0;
  if (storeList(m, address, list)) registers[13] = address;
}

/** POP; with PC in the list its value is in `jump`, and 2 more cycles pass. */
export function pop(m: Machine, list: number): void {
  const { registers } = m;
  if (!loadList(m, registers[13]!, list)) return;
  registers[13]! += 4 * countOf(list);
  if ((list & 0x100) === 0) return;
  m.cycle += 2;
  m.jumping = true;
}

export function storeMultiple(m: Machine, base: number, list: number): void {
  const { registers } = m;
  if (storeList(m, registers[base]!, list)) registers[base]! += 4 * countOf(list);
}

/** LDM: a base that is loaded itself keeps what was loaded; on a fault it is what it was. */
export function loadMultiple(m: Machine, base: number, list: number): void {
  const { registers } = m;
  const address = registers[base]!;
  const whole = loadList(m, address, list);
  if (!whole) registers[base] = address;
  else if ((list & (1 << base)) === 0) registers[base] = address + 4 * countOf(list);
}
