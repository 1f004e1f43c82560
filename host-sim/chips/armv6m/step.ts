// SPDX-License-Identifier: MIT
// Instructions outside the interpreter's loop that touch no flag.
//
// Accesses off the fast path, lists of registers, reversals, ADD and MOV with PC. On entry `at` is behind the half-word that runs; it leads there again after a fault (return address of a
// synchronous fault, Armv6-M ARM §B1.5.6) and to the target after a branch.

import { OPERATIONS } from "./decode.ts";
import { goTo, lookAhead, type Machine, pcOf } from "./machine.ts";
import { load, store } from "./memory.ts";
import { loadMultiple, pop, push, storeMultiple } from "./multiple.ts";

const O = OPERATIONS;

/** Runs a decoded instruction; `address` is that of an access. Leaves `bound` right. */
export function step(m: Machine, entry: number, address: number): void {
  const operation = entry & 255;
  const a = (entry >> 8) & 15;
  if (operation >= O.ldrLiteral && operation <= O.ldrhAt) access(m, operation, a, address);
  else if (operation >= O.push) many(m, operation, a, entry >> 16);
  else if (operation >= O.rev) reverse(m, operation, a, (entry >> 12) & 15);
  else usePc(m, operation, a, (entry >> 12) & 15);
  if (m.fault !== "") m.at--;
  if (m.jumping && isPlainTarget(m.jump)) {
    m.jumping = false;
    goTo(m, m.jump);
  }
  lookAhead(m);
  if (m.jumping) m.bound = m.cycle;
}

// A target in Thumb state that cannot be an EXC_RETURN; others are judged in exceptions.ts.
const isPlainTarget = (target: number): boolean => (target & 1) === 1 && target >>> 28 !== 15;

function access(m: Machine, operation: number, a: number, address: number): void {
  const r = m.registers;
  switch (operation) {
    case O.str:
    case O.strAt:
      return store(m, address, 4, r[a]!);
    case O.strh:
    case O.strhAt:
      return store(m, address, 2, r[a]!);
    case O.strb:
    case O.strbAt:
      return store(m, address, 1, r[a]!);
    default:
  }
  const value = loaded(m, operation, address);
  if (m.fault === "") r[a] = value;
}

function loaded(m: Machine, operation: number, address: number): number {
  switch (operation) {
    case O.ldrsb:
      return (load(m, address, 1) << 24) >> 24;
    case O.ldrsh:
      return (load(m, address, 2) << 16) >> 16;
    case O.ldrb:
    case O.ldrbAt:
      return load(m, address, 1) & 0xff;
    case O.ldrh:
    case O.ldrhAt:
      return load(m, address, 2) & 0xffff;
    default:
      return load(m, address, 4);
  }
}

function many(m: Machine, operation: number, base: number, list: number): void {
  if (operation === O.push) push(m, list);
  else if (operation === O.pop) pop(m, list);
  else if (operation === O.stm) storeMultiple(m, base, list);
  else loadMultiple(m, base, list);
}

function reverse(m: Machine, operation: number, a: number, b: number): void {
  const value = m.registers[b]!;
  const halves = ((value & 0x00ff_00ff) << 8) | ((value >>> 8) & 0x00ff_00ff);
  m.cycle++;
  if (operation === O.rev) m.registers[a] = (halves << 16) | (halves >>> 16);
  else m.registers[a] = operation === O.rev16 ? halves : (halves << 16) >> 16;
}

// ADD and MOV that read PC, which is 4 behind the instruction, or write it: 2 cycles, no change of state.
function usePc(m: Machine, operation: number, a: number, b: number): void {
  const r = m.registers;
  const pc = pcOf(m) + 2;
  m.cycle++;
  if (operation === O.toPcAdd || operation === O.toPcMov) {
    m.cycle++;
    return goTo(m, operation === O.toPcAdd ? pc + r[b]! : r[b]!);
  }
  const value = operation === O.addPc ? r[a]! + pc : pc;
  r[a] = a === 13 ? value & ~3 : value;
}
