// SPDX-License-Identifier: MIT
// Compressed instructions of RISC-V as the long ones that they stand for.
//
// Spec: The RISC-V Instruction Set Manual, Volume I, 20191213, chapter 16. Of 65,536 only those seen are
// worked out; each is remembered.

const LOAD = 0x03;
const IMMEDIATE = 0x13;
const STORE = 0x23;
const REGISTER = 0x33;
const UPPER = 0x37;
const BRANCH = 0x63;
const JALR = 0x67;
const JAL = 0x6f;
const EBREAK = 0x0010_0073;
const SP = 2;

const known = new Map<number, number>();

/** The long instruction; 0, which nobody knows, when there is none. */
export function expandCompressed(op: number): number {
  const before = known.get(op);
  if (before !== undefined) return before;
  const expand = [quadrant0, quadrant1, quadrant2][op & 3]!;
  const long = op === 0 ? 0 : expand(op, op >> 13);
  known.set(op, long);
  return long;
}

// Bits of `op` from `from`, so many, put to `to`.
function bits(op: number, from: number, count: number, to: number): number {
  return ((op >> from) & ((1 << count) - 1)) << to;
}

function iType(opcode: number, kind: number, [rd, rs1]: readonly [number, number], value: number) {
  return opcode | (rd << 7) | (kind << 12) | (rs1 << 15) | (value << 20);
}

function rType(kind: number, [rd, rs1, rs2]: readonly [number, number, number], top = 0): number {
  return REGISTER | (rd << 7) | (kind << 12) | (rs1 << 15) | (rs2 << 20) | (top << 25);
}

function storeWord(base: number, source: number, offset: number): number {
  const low = (offset & 31) << 7;
  return STORE | low | (2 << 12) | (base << 15) | (source << 20) | ((offset >> 5) << 25);
}

const low3 = (op: number): number => 8 + ((op >> 2) & 7);
const high3 = (op: number): number => 8 + ((op >> 7) & 7);
const full = (op: number): number => (op >> 7) & 31;
const second = (op: number): number => (op >> 2) & 31;

function quadrant0(op: number, kind: number): number {
  const offset = bits(op, 6, 1, 2) | bits(op, 10, 3, 3) | bits(op, 5, 1, 6);
  if (kind === 0) {
    const value = bits(op, 6, 1, 2) | bits(op, 5, 1, 3) | bits(op, 11, 2, 4) | bits(op, 7, 4, 6);
    return iType(IMMEDIATE, 0, [low3(op), SP], value); // C.ADDI4SPN
  }
  if (kind === 2) return iType(LOAD, 2, [low3(op), high3(op)], offset);
  return kind === 6 ? storeWord(high3(op), low3(op), offset) : 0;
}

function quadrant1(op: number, kind: number): number {
  const value = (bits(op, 12, 1, 31) >> 26) | bits(op, 2, 5, 0);
  const rd = full(op);
  switch (kind) {
    case 0:
      return iType(IMMEDIATE, 0, [rd, rd], value);
    case 1:
      return jump(op, 1);
    case 2:
      return iType(IMMEDIATE, 0, [rd, 0], value);
    case 3:
      return rd === SP
        ? iType(IMMEDIATE, 0, [SP, SP], stackStep(op))
        : UPPER | (rd << 7) | (value << 12);
    case 4:
      return arithmetic(op, value);
    case 5:
      return jump(op, 0);
    default:
      return branch(op, kind & 1);
  }
}

// C.ADDI16SP
function stackStep(op: number): number {
  const low = bits(op, 6, 1, 4) | bits(op, 2, 1, 5) | bits(op, 5, 1, 6) | bits(op, 3, 2, 7);
  return (bits(op, 12, 1, 31) >> 22) | low;
}

function arithmetic(op: number, value: number): number {
  const rd = high3(op);
  const how = (op >> 10) & 3;
  if (how === 0) return iType(IMMEDIATE, 5, [rd, rd], value & 31);
  if (how === 1) return iType(IMMEDIATE, 5, [rd, rd], (value & 31) | 0x400);
  if (how === 2) return iType(IMMEDIATE, 7, [rd, rd], value);
  if ((op & 0x1000) !== 0) return 0;
  const registers = [rd, rd, low3(op)] as const;
  const which = (op >> 5) & 3;
  return which === 0 ? rType(0, registers, 32) : rType([0, 4, 6, 7][which]!, registers);
}

function jump(op: number, link: number): number {
  const offset =
    (bits(op, 12, 1, 31) >> 20) |
    (bits(op, 11, 1, 4) | bits(op, 9, 2, 8) | bits(op, 8, 1, 10) | bits(op, 7, 1, 6)) |
    (bits(op, 6, 1, 7) | bits(op, 3, 3, 1) | bits(op, 2, 1, 5));
  const placed =
    bits(offset, 20, 1, 31) |
    bits(offset, 1, 10, 21) |
    bits(offset, 11, 1, 20) |
    (offset & 0xf_f000);
  return JAL | (link << 7) | placed;
}

function branch(op: number, kind: number): number {
  const offset =
    (bits(op, 12, 1, 31) >> 23) |
    (bits(op, 10, 2, 3) | bits(op, 5, 2, 6) | bits(op, 3, 2, 1) | bits(op, 2, 1, 5));
  const placed =
    bits(offset, 12, 1, 31) |
    bits(offset, 5, 6, 25) |
    bits(offset, 1, 4, 8) |
    bits(offset, 11, 1, 7);
  return BRANCH | (kind << 12) | (high3(op) << 15) | placed;
}

function quadrant2(op: number, kind: number): number {
  const rd = full(op);
  if (kind === 0) return iType(IMMEDIATE, 1, [rd, rd], second(op));
  if (kind === 2) {
    const offset = bits(op, 4, 3, 2) | bits(op, 12, 1, 5) | bits(op, 2, 2, 6);
    return iType(LOAD, 2, [rd, SP], offset);
  }
  if (kind === 6) {
    const offset = bits(op, 9, 4, 2) | bits(op, 7, 2, 6);
    return storeWord(SP, second(op), offset);
  }
  if (kind !== 4) return 0;
  const link = (op & 0x1000) === 0 ? 0 : 1;
  if (second(op) !== 0) return rType(0, [rd, link === 1 ? rd : 0, second(op)]);
  if (rd === 0) return EBREAK;
  return iType(JALR, 0, [link, rd], 0);
}
