// SPDX-License-Identifier: MIT
// RV32IMC in a few hundred lines: what gcc emits for it, counted.
//
// Spec: The RISC-V Instruction Set Manual, Volume I, 20191213: chapters 2 (I), 7 (M), 16 (C). A compressed
// instruction is turned into the long one that it stands for. An unknown instruction ends the run, as does
// an access that is not aligned.

import { expandCompressed } from "./rv32c.ts";
import {
  type FunctionCall,
  hex,
  place,
  type Ram,
  RETURN_ADDRESS,
  STACK_TOP,
  trapOf,
} from "./image.ts";

interface Core {
  registers: Int32Array; // 0 is written with 0 after each instruction
  pc: number;
  next: number;
  ram: Ram;
}

type Handler = (core: Core, op: number) => void;

const RA = 1;
const SP = 2;
const GP = 3;
const A0 = 10;

const rd = (op: number): number => (op >> 7) & 31;
const rs1 = (op: number): number => (op >> 15) & 31;
const rs2 = (op: number): number => (op >> 20) & 31;
const funct3 = (op: number): number => (op >> 12) & 7;

/** Calls a function: its result and the instructions until it returns. */
export function callRiscv(
  ram: Ram,
  { address, operand, gp }: FunctionCall,
  instructionsMax: number,
): { result: number; count: number } {
  const core: Core = { registers: new Int32Array(32), pc: 0, next: address, ram };
  const r = core.registers;
  r[RA] = RETURN_ADDRESS;
  r[SP] = STACK_TOP;
  r[GP] = gp;
  r[A0] = operand;
  let count = 0;
  for (; core.next !== RETURN_ADDRESS; count++) {
    core.pc = core.next;
    const at = place(core.pc, 2);
    const low = ram.getUint16(at, true);
    const long = (low & 3) === 3;
    core.next = core.pc + (long ? 4 : 2);
    const op = long ? low | (ram.getUint16(at + 2, true) << 16) : expandCompressed(low);
    const handler = HANDLERS[(op >> 2) & 31];
    if (handler === undefined) throw new Error(`unknown instruction ${hex(op)} at ${hex(core.pc)}`);
    handler(core, op);
    r[0] = 0;
    if (count > instructionsMax) throw new Error(`no end after ${instructionsMax} instructions`);
  }
  return { result: r[A0]!, count };
}

const load: Handler = ({ registers: r, ram }, op) => {
  const address = (r[rs1(op)]! + (op >> 20)) | 0;
  switch (funct3(op)) {
    case 0:
      r[rd(op)] = ram.getInt8(place(address, 1));
      break;
    case 1:
      r[rd(op)] = ram.getInt16(place(address, 2), true);
      break;
    case 2:
      r[rd(op)] = ram.getInt32(place(address, 4), true);
      break;
    case 4:
      r[rd(op)] = ram.getUint8(place(address, 1));
      break;
    case 5:
      r[rd(op)] = ram.getUint16(place(address, 2), true);
      break;
    default:
      throw new Error(`unknown load ${hex(op)}`);
  }
};

const store: Handler = ({ registers: r, ram }, op) => {
  const address = (r[rs1(op)]! + (((op >> 25) << 5) | rd(op))) | 0;
  const value = r[rs2(op)]!;
  const width = funct3(op);
  if (width === 0) ram.setInt8(place(address, 1), value);
  else if (width === 1) ram.setInt16(place(address, 2), value, true);
  else ram.setInt32(place(address, 4), value, true);
};

// By funct3; bit 30 makes SUB of ADD and SRA of SRL.
function arithmetic(kind: number, other: boolean, left: number, right: number): number {
  switch (kind) {
    case 0:
      return other ? left - right : left + right;
    case 1:
      return left << right;
    case 2:
      return left < right ? 1 : 0;
    case 3:
      return left >>> 0 < right >>> 0 ? 1 : 0;
    case 4:
      return left ^ right;
    case 5:
      return other ? left >> right : left >>> right;
    case 6:
      return left | right;
    default:
      return left & right;
  }
}

const withImmediate: Handler = ({ registers: r }, op) => {
  const kind = funct3(op);
  const other = kind === 5 && (op & 0x4000_0000) !== 0;
  r[rd(op)] = arithmetic(kind, other, r[rs1(op)]!, op >> 20);
};

const withRegister: Handler = ({ registers: r }, op) => {
  const left = r[rs1(op)]!;
  const right = r[rs2(op)]!;
  const other = (op & 0x4000_0000) !== 0;
  const multiplies = ((op >> 25) & 127) === 1;
  r[rd(op)] = multiplies
    ? multiply(funct3(op), left, right)
    : arithmetic(funct3(op), other, left, right);
};

// §7.2: division by zero gives all ones, the remainder is then the dividend.
function multiply(kind: number, left: number, right: number): number {
  switch (kind) {
    case 0:
      return Math.imul(left, right);
    case 1:
      return high(BigInt(left), BigInt(right));
    case 2:
      return high(BigInt(left), BigInt(right >>> 0));
    case 3:
      return high(BigInt(left >>> 0), BigInt(right >>> 0));
    case 4:
      return right === 0 ? -1 : left / right;
    case 5:
      return right === 0 ? -1 : (left >>> 0) / (right >>> 0);
    case 6:
      return right === 0 ? left : left % right;
    default:
      return right === 0 ? left : (left >>> 0) % (right >>> 0);
  }
}

function high(left: bigint, right: bigint): number {
  return Number(BigInt.asIntN(32, (left * right) >> 32n));
}

const branch: Handler = (core, op) => {
  const left = core.registers[rs1(op)]!;
  const right = core.registers[rs2(op)]!;
  const kind = funct3(op);
  const holds = kind < 2 ? left === right : kind < 6 ? left < right : left >>> 0 < right >>> 0;
  if (holds === ((kind & 1) === 1)) return;
  const offset =
    ((op >> 31) << 12) | ((op & 0x80) << 4) | ((op >> 20) & 0x7e0) | ((op >> 7) & 0x1e);
  core.next = core.pc + offset;
};

const jumpAndLink: Handler = (core, op) => {
  const offset = ((op >> 31) << 20) | (op & 0xf_f000) | ((op >> 9) & 0x800) | ((op >> 20) & 0x7fe);
  core.registers[rd(op)] = core.next;
  core.next = core.pc + offset;
};

const jumpToRegister: Handler = (core, op) => {
  const target = (core.registers[rs1(op)]! + (op >> 20)) & ~1;
  core.registers[rd(op)] = core.next;
  core.next = target;
};

// By bits 6..2 of the instruction.
const HANDLERS: Record<number, Handler> = {
  0: load,
  3: () => undefined, // FENCE
  4: withImmediate,
  5: (core, op) => void (core.registers[rd(op)] = core.pc + (op & ~0xfff)),
  8: store,
  12: withRegister,
  13: ({ registers: r }, op) => void (r[rd(op)] = op & ~0xfff),
  24: branch,
  25: jumpToRegister,
  27: jumpAndLink,
  28: ({ registers: r }) => {
    throw trapOf(r[A0]!, r[A0 + 1]!, r[A0 + 2]!);
  },
};
