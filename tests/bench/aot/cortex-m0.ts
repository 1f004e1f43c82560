// SPDX-License-Identifier: MIT
// Cortex-M0+ in a few hundred lines: what gcc emits for it, with its cycles.
//
// Spec: Armv6-M Architecture Reference Manual §A5, §A6; Cortex-M0+ Technical Reference Manual §3.3, with the
// single-cycle multiplier and memory without wait states. An unknown instruction ends the run, as does an
// access that is not aligned.

import {
  type FunctionCall,
  hex,
  place,
  RAM_BASE,
  type Ram,
  RETURN_ADDRESS,
  STACK_TOP,
  trapOf,
} from "./image.ts";

interface Core {
  registers: Int32Array; // 13 is SP, 14 LR; 15 is not used
  pc: number; // of the instruction that runs
  next: number;
  negative: boolean;
  zero: boolean;
  carry: boolean;
  overflow: boolean;
  ram: Ram;
}

type Handler = (core: Core, op: number) => number; // cycles

const SP = 13;
const LR = 14;
const TAKEN = 2; // cycles of a taken branch
const ACCESS = 2;

/** Calls a function: its result and the cycles until it returns. */
export function callThumb(
  ram: Ram,
  { address, operand }: FunctionCall,
  cyclesMax: number,
): { result: number; count: number } {
  const flags = { negative: false, zero: false, carry: false, overflow: false };
  const core: Core = { registers: new Int32Array(16), pc: 0, next: address & ~1, ...flags, ram };
  core.registers[0] = operand;
  core.registers[SP] = STACK_TOP;
  core.registers[LR] = RETURN_ADDRESS | 1;
  let count = 0;
  while (core.next !== RETURN_ADDRESS) {
    core.pc = core.next;
    core.next = core.pc + 2;
    const op = ram.getUint16(core.pc - RAM_BASE, true);
    count += BY_TOP_BITS[op >> 11]!(core, op);
    if (count > cyclesMax) throw new Error(`no end after ${cyclesMax} cycles`);
  }
  return { result: core.registers[0]!, count };
}

function unknown(core: Core, op: number): never {
  throw new Error(`unknown instruction 0x${op.toString(16)} at ${hex(core.pc)}`);
}

function setNZ(core: Core, value: number): number {
  core.negative = value < 0;
  core.zero = value === 0;
  return value;
}

// Result of left + right + carry, all flags set (§A2.2.1 AddWithCarry).
function add(core: Core, left: number, right: number, carry: number): number {
  const sum = (left >>> 0) + (right >>> 0) + carry;
  const result = sum | 0;
  core.carry = sum > 0xffff_ffff;
  core.overflow = ((left ^ result) & (right ^ result)) < 0;
  return setNZ(core, result);
}

function subtract(core: Core, left: number, right: number): number {
  return add(core, left, ~right, 1);
}

function shiftLeft(core: Core, value: number, by: number): number {
  if (by === 0) return setNZ(core, value);
  core.carry = by <= 32 && ((by === 32 ? value : value >>> (32 - by)) & 1) === 1;
  return setNZ(core, by > 31 ? 0 : value << by);
}

function shiftRight(core: Core, value: number, by: number): number {
  if (by === 0) return setNZ(core, value);
  core.carry = by <= 32 && ((value >>> (by - 1)) & 1) === 1;
  return setNZ(core, by > 31 ? 0 : (value >>> by) | 0);
}

function shiftSigned(core: Core, value: number, by: number): number {
  if (by === 0) return setNZ(core, value);
  core.carry = ((value >> Math.min(by - 1, 31)) & 1) === 1;
  return setNZ(core, value >> Math.min(by, 31));
}

function rotate(core: Core, value: number, by: number): number {
  if (by === 0) return setNZ(core, value);
  const turn = by & 31;
  const result = turn === 0 ? value : (value >>> turn) | (value << (32 - turn));
  core.carry = result < 0;
  return setNZ(core, result);
}

// 00000, 00001, 00010: shifts by a constant; a right shift by 0 means 32.
const shiftConstant: Handler = (core, op) => {
  const r = core.registers;
  const value = r[(op >> 3) & 7]!;
  const by = (op >> 6) & 31;
  const kind = op >> 11;
  if (kind === 0) r[op & 7] = shiftLeft(core, value, by);
  else if (kind === 1) r[op & 7] = shiftRight(core, value, by === 0 ? 32 : by);
  else r[op & 7] = shiftSigned(core, value, by === 0 ? 32 : by);
  return 1;
};

// 00011: ADDS and SUBS of a register or three bits.
const addOrSubtract: Handler = (core, op) => {
  const r = core.registers;
  const field = (op >> 6) & 7;
  const right = (op & 0x400) !== 0 ? field : r[field]!;
  const left = r[(op >> 3) & 7]!;
  r[op & 7] = (op & 0x200) !== 0 ? subtract(core, left, right) : add(core, left, right, 0);
  return 1;
};

// 001xx: MOVS, CMP, ADDS, SUBS of eight bits.
const immediate8: Handler = (core, op) => {
  const r = core.registers;
  const index = (op >> 8) & 7;
  const value = op & 255;
  const kind = (op >> 11) & 3;
  if (kind === 0) r[index] = setNZ(core, value);
  else if (kind === 1) subtract(core, r[index]!, value);
  else if (kind === 2) r[index] = add(core, r[index]!, value, 0);
  else r[index] = subtract(core, r[index]!, value);
  return 1;
};

// 010000: the sixteen operations of two registers; those without a result give back the first.
const OPERATIONS: readonly ((core: Core, left: number, right: number) => number)[] = [
  (core, left, right) => setNZ(core, left & right),
  (core, left, right) => setNZ(core, left ^ right),
  (core, left, right) => shiftLeft(core, left, right & 255),
  (core, left, right) => shiftRight(core, left, right & 255),
  (core, left, right) => shiftSigned(core, left, right & 255),
  (core, left, right) => add(core, left, right, core.carry ? 1 : 0),
  (core, left, right) => add(core, left, ~right, core.carry ? 1 : 0),
  (core, left, right) => rotate(core, left, right & 255),
  (core, left, right) => (setNZ(core, left & right), left),
  (core, _, right) => subtract(core, 0, right),
  (core, left, right) => (subtract(core, left, right), left),
  (core, left, right) => (add(core, left, right, 0), left),
  (core, left, right) => setNZ(core, left | right),
  (core, left, right) => setNZ(core, Math.imul(left, right)),
  (core, left, right) => setNZ(core, left & ~right),
  (core, _, right) => setNZ(core, ~right),
];

// 01000: two registers; with bit 10 set, high registers and BX.
const registersOrBranch: Handler = (core, op) => {
  const r = core.registers;
  if ((op & 0x400) === 0) {
    r[op & 7] = OPERATIONS[(op >> 6) & 15]!(core, r[op & 7]!, r[(op >> 3) & 7]!);
    return 1;
  }
  const source = (op >> 3) & 15;
  const value = source === 15 ? core.pc + 4 : r[source]!;
  const kind = (op >> 8) & 3;
  if (kind === 3) {
    if ((op & 0x80) !== 0) r[LR] = (core.pc + 2) | 1;
    core.next = value & ~1;
    return TAKEN;
  }
  const target = (op & 7) | ((op >> 4) & 8);
  const old = target === 15 ? core.pc + 4 : r[target]!;
  if (kind === 1) {
    subtract(core, old, value);
    return 1;
  }
  const result = kind === 0 ? (old + value) | 0 : value;
  if (target !== 15) r[target] = result;
  else core.next = result & ~1;
  return target === 15 ? TAKEN : 1;
};

// 01001: from the literals behind the code.
const loadLiteral: Handler = (core, op) => {
  const address = ((core.pc + 4) & ~3) + ((op & 255) << 2);
  core.registers[(op >> 8) & 7] = core.ram.getInt32(place(address, 4), true);
  return ACCESS;
};

// 0101x: address is a sum of two registers.
const accessByRegister: Handler = (core, op) => {
  const { registers: r, ram } = core;
  const address = (r[(op >> 3) & 7]! + r[(op >> 6) & 7]!) | 0;
  const index = op & 7;
  switch ((op >> 9) & 7) {
    case 0:
      ram.setInt32(place(address, 4), r[index]!, true);
      break;
    case 1:
      ram.setInt16(place(address, 2), r[index]!, true);
      break;
    case 2:
      ram.setInt8(place(address, 1), r[index]!);
      break;
    case 3:
      r[index] = ram.getInt8(place(address, 1));
      break;
    case 4:
      r[index] = ram.getInt32(place(address, 4), true);
      break;
    case 5:
      r[index] = ram.getUint16(place(address, 2), true);
      break;
    case 6:
      r[index] = ram.getUint8(place(address, 1));
      break;
    default:
      r[index] = ram.getInt16(place(address, 2), true);
  }
  return ACCESS;
};

// 011xx, 1000x, 1001x: a register and five bits, or SP and eight.
const accessByConstant: Handler = (core, op) => {
  const { registers: r, ram } = core;
  const offset = (op >> 6) & 31;
  const base = r[(op >> 3) & 7]!;
  const index = op & 7;
  const kind = op >> 11;
  if (kind === 12) ram.setInt32(place(base + (offset << 2), 4), r[index]!, true);
  else if (kind === 13) r[index] = ram.getInt32(place(base + (offset << 2), 4), true);
  else if (kind === 14) ram.setInt8(place(base + offset, 1), r[index]!);
  else if (kind === 15) r[index] = ram.getUint8(place(base + offset, 1));
  else if (kind === 16) ram.setInt16(place(base + (offset << 1), 2), r[index]!, true);
  else r[index] = ram.getUint16(place(base + (offset << 1), 2), true);
  return ACCESS;
};

const accessByStack: Handler = (core, op) => {
  const { registers: r, ram } = core;
  const at = place(r[SP]! + ((op & 255) << 2), 4);
  const index = (op >> 8) & 7;
  if ((op & 0x800) === 0) ram.setInt32(at, r[index]!, true);
  else r[index] = ram.getInt32(at, true);
  return ACCESS;
};

// 1010x: address of a literal, or of a place on the stack.
const addressOf: Handler = (core, op) => {
  const base = (op & 0x800) === 0 ? (core.pc + 4) & ~3 : core.registers[SP]!;
  core.registers[(op >> 8) & 7] = base + ((op & 255) << 2);
  return 1;
};

// 10110: SP, extensions, PUSH. 10111: REV, POP, NOP; BKPT is where a trap ends.
const various: Handler = (core, op) => {
  const r = core.registers;
  const kind = (op >> 8) & 15;
  if (kind === 0) {
    r[SP]! += ((op & 0x80) === 0 ? 1 : -1) * ((op & 127) << 2);
    return 1;
  }
  if (kind === 2) {
    const value = r[(op >> 3) & 7]!;
    const how = (op >> 6) & 3;
    r[op & 7] = [(value << 16) >> 16, (value << 24) >> 24, value & 0xffff, value & 0xff][how]!;
    return 1;
  }
  if (kind === 4 || kind === 5) return pushMany(core, (op & 255) | ((op & 0x100) << 6));
  if (kind === 12 || kind === 13) return popMany(core, (op & 255) | ((op & 0x100) << 7));
  if (kind === 10) return reverse(core, op);
  if (kind === 14) throw trapOf(r[0]!, r[1]!, r[2]!);
  if (op === 0xbf00) return 1;
  return unknown(core, op);
};

function reverse(core: Core, op: number): number {
  const value = core.registers[(op >> 3) & 7]!;
  const halves = ((value >>> 8) & 0x00ff_00ff) | ((value & 0x00ff_00ff) << 8);
  const kind = (op >> 6) & 3;
  if (kind === 0) core.registers[op & 7] = (halves >>> 16) | (halves << 16);
  else if (kind === 1) core.registers[op & 7] = halves;
  else if (kind === 3) core.registers[op & 7] = (halves << 16) >> 16;
  else return unknown(core, op);
  return 1;
}

function pushMany(core: Core, list: number): number {
  const r = core.registers;
  let count = 0;
  for (let i = LR; i >= 0; i--) {
    if ((list & (1 << i)) === 0) continue;
    r[SP]! -= 4;
    core.ram.setInt32(place(r[SP]!, 4), r[i]!, true);
    count++;
  }
  return 1 + count;
}

function popMany(core: Core, list: number): number {
  const r = core.registers;
  let count = 0;
  let address = r[SP]!;
  for (let i = 0; i < 16; i++) {
    if ((list & (1 << i)) === 0) continue;
    const value = core.ram.getInt32(place(address, 4), true);
    if (i === 15) core.next = value & ~1;
    else r[i] = value;
    address += 4;
    count++;
  }
  r[SP] = address;
  return (list & 0x8000) === 0 ? 1 + count : 3 + count;
}

// 1100x: STM and LDM; a base that is loaded itself is not written back.
const many: Handler = (core, op) => {
  const { registers: r, ram } = core;
  const base = (op >> 8) & 7;
  let address = r[base]!;
  let count = 0;
  for (let i = 0; i < 8; i++) {
    if ((op & (1 << i)) === 0) continue;
    if ((op & 0x800) === 0) ram.setInt32(place(address, 4), r[i]!, true);
    else r[i] = ram.getInt32(place(address, 4), true);
    address += 4;
    count++;
  }
  if ((op & 0x800) === 0 || (op & (1 << base)) === 0) r[base] = address;
  return 1 + count;
};

const CONDITIONS: readonly ((core: Core) => boolean)[] = [
  ({ zero }) => zero,
  ({ carry }) => carry,
  ({ negative }) => negative,
  ({ overflow }) => overflow,
  ({ carry, zero }) => carry && !zero,
  ({ negative, overflow }) => negative === overflow,
  ({ zero, negative, overflow }) => !zero && negative === overflow,
];

// 1101x: a branch on a condition; odd conditions are the even ones turned round.
const branchOnCondition: Handler = (core, op) => {
  const condition = CONDITIONS[(op >> 9) & 7];
  if (condition === undefined) return unknown(core, op);
  if (condition(core) === ((op & 0x100) !== 0)) return 1;
  core.next = core.pc + 4 + (((op << 24) >> 24) << 1);
  return TAKEN;
};

const branch: Handler = (core, op) => {
  core.next = core.pc + 4 + (((op << 21) >> 21) << 1);
  return TAKEN;
};

// 11110: the first half of BL, the only long instruction that compiled code has.
const branchAndLink: Handler = (core, op) => {
  const low = core.ram.getUint16(core.pc + 2 - RAM_BASE, true);
  if ((low & 0xd000) !== 0xd000) return unknown(core, op);
  const sign = (op >> 10) & 1;
  const i1 = ((low >> 13) & 1) === sign ? 1 : 0;
  const i2 = ((low >> 11) & 1) === sign ? 1 : 0;
  const high = (sign << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((low & 0x7ff) << 1);
  core.registers[LR] = (core.pc + 4) | 1;
  core.next = core.pc + 4 + ((high << 7) >> 7);
  return 3;
};

const BY_TOP_BITS: readonly Handler[] = [
  ...[shiftConstant, shiftConstant, shiftConstant, addOrSubtract],
  ...[immediate8, immediate8, immediate8, immediate8],
  ...[registersOrBranch, loadLiteral, accessByRegister, accessByRegister],
  ...[accessByConstant, accessByConstant, accessByConstant, accessByConstant],
  ...[accessByConstant, accessByConstant, accessByStack, accessByStack],
  ...[addressOf, addressOf, various, various],
  ...[many, many, branchOnCondition, branchOnCondition],
  ...[branch, unknown, branchAndLink, unknown],
];
