// SPDX-License-Identifier: MIT
// Armv6-M instructions as words that the interpreter takes apart with shifts.
//
// Spec: Armv6-M ARM §A5, §A6. An encoding that is UNDEFINED or UNPREDICTABLE there decodes to `undefined`:
// firmware that needs it must not pass. Never 0, which stands for "not yet decoded".
//
//   bits 7:0 operation | 11:8 a | 15:12 b | 31:16 c (signed)       but BL: 31:8 half-words to the target
//
// a is the destination (what is stored, the base of LDM and STM), b the first operand or the base, c the second
// operand, a constant, a list of registers or a branch's distance in half-words from the next half-word.

/** Numbers of the operations; the interpreter's cases are these. */
export const OPERATIONS = {
  ...{ lslConstant: 1, movRegister: 2, lsrConstant: 3, asrConstant: 4 },
  ...{ addRegister: 5, subRegister: 6, addConstant: 7, subConstant: 8 },
  ...{ movConstant: 9, cmpConstant: 10 },
  ...{ and: 11, eor: 12, lsl: 13, lsr: 14, asr: 15, adc: 16, sbc: 17, ror: 18 },
  ...{ tst: 19, rsb: 20, cmp: 21, cmn: 22, orr: 23, mul: 24, bic: 25, mvn: 26 },
  ...{ addHigh: 27, cmpHigh: 28, movHigh: 29, addPc: 30, movPc: 31, toPcAdd: 32, toPcMov: 33 },
  ...{ bx: 34, blx: 35, ldrLiteral: 36 },
  ...{ str: 37, strh: 38, strb: 39, ldrsb: 40, ldr: 41, ldrh: 42, ldrb: 43, ldrsh: 44 },
  ...{ strAt: 45, ldrAt: 46, strbAt: 47, ldrbAt: 48, strhAt: 49, ldrhAt: 50 },
  ...{ adr: 51, addSp: 52, moveSp: 53 },
  ...{ sxth: 54, sxtb: 55, uxth: 56, uxtb: 57, rev: 58, rev16: 59, revsh: 60 },
  ...{ push: 61, pop: 62, stm: 63, ldm: 64 },
  ...{ beq: 65, bne: 66, bcs: 67, bcc: 68, bmi: 69, bpl: 70, bvs: 71, bvc: 72 },
  ...{ bhi: 73, bls: 74, bge: 75, blt: 76, bgt: 77, ble: 78 },
  ...{ b: 79, bl: 80, nop: 81, barrier: 82 },
  ...{ cps: 83, wfe: 84, wfi: 85, sev: 86, mrs: 87, msr: 88, svc: 89, bkpt: 90, undefined: 91 },
} as const;

const O = OPERATIONS;
const UNDEFINED = O.undefined;

const entry = (operation: number, a: number, b: number, c: number): number =>
  operation | (a << 8) | (b << 12) | (c << 16);

/** True when an instruction has a second half-word (§A5.1). */
export const isLong = (first: number): boolean => first >> 11 > 28;

/** The word of an instruction; `second` counts only for a long one. */
export function decode(first: number, second: number): number {
  return isLong(first) ? decodeLong(first, second) : BY_TOP_BITS[first >> 11]!(first);
}

type Decoder = (op: number) => number;

const low = (op: number): number => op & 7;
const middle = (op: number): number => (op >> 3) & 7;
const high = (op: number): number => (op >> 6) & 7;
const upper = (op: number): number => (op >> 8) & 7;
const five = (op: number): number => (op >> 6) & 31;

const shiftLeft: Decoder = (op) =>
  entry(five(op) === 0 ? O.movRegister : O.lslConstant, low(op), middle(op), five(op));

// A right shift by 0 means 32.
const shiftRight =
  (operation: number): Decoder =>
  (op) =>
    entry(operation, low(op), middle(op), five(op) || 32);

const addOrSubtract: Decoder = (op) =>
  entry(O.addRegister + ((op >> 9) & 3), low(op), middle(op), high(op));

const constant =
  (operation: number): Decoder =>
  (op) =>
    entry(operation, upper(op), upper(op), op & 255);

const registers: Decoder = (op) => {
  if ((op & 0x400) === 0) return entry(O.and + ((op >> 6) & 15), low(op), middle(op), 0);
  const source = (op >> 3) & 15;
  const target = low(op) | ((op >> 4) & 8);
  switch ((op >> 8) & 3) {
    case 0:
      if (target === 15) return source === 15 ? UNDEFINED : entry(O.toPcAdd, 15, source, 0);
      return entry(source === 15 ? O.addPc : O.addHigh, target, source, 0);
    case 1:
      if (target === 15 || source === 15 || (target < 8 && source < 8)) return UNDEFINED;
      return entry(O.cmpHigh, target, source, 0);
    case 2:
      if (target === 15) return source === 15 ? UNDEFINED : entry(O.toPcMov, 15, source, 0);
      return entry(source === 15 ? O.movPc : O.movHigh, target, source, 0);
    default:
      if (low(op) !== 0 || source === 15) return UNDEFINED;
      return entry((op & 0x80) === 0 ? O.bx : O.blx, source, 0, 0);
  }
};

const literal: Decoder = (op) => entry(O.ldrLiteral, upper(op), 0, (op & 255) << 2);

const accessByRegister: Decoder = (op) =>
  entry(O.str + ((op >> 9) & 7), low(op), middle(op), high(op));

const accessAt =
  (operation: number, shift: number): Decoder =>
  (op) =>
    entry(operation, low(op), middle(op), five(op) << shift);

const accessStack =
  (operation: number): Decoder =>
  (op) =>
    entry(operation, upper(op), 13, (op & 255) << 2);

const address =
  (operation: number): Decoder =>
  (op) =>
    entry(operation, upper(op), 13, (op & 255) << 2);

const HINTS = [O.nop, O.nop, O.wfe, O.wfi, O.sev] as const;

// 1011: by bits 11:8.
const various: Decoder = (op) => {
  const list = op & 0x1ff;
  switch ((op >> 8) & 15) {
    case 0:
      return entry(O.moveSp, 13, 13, (op & 128) === 0 ? (op & 127) << 2 : -((op & 127) << 2));
    case 2:
      return entry(O.sxth + ((op >> 6) & 3), low(op), middle(op), 0);
    case 4:
    case 5:
      return list === 0 ? UNDEFINED : entry(O.push, 0, 0, list);
    case 6:
      return (op & 0xffef) === 0xb662 ? entry(O.cps, (op >> 4) & 1, 0, 0) : UNDEFINED;
    case 10:
      return reverse(op);
    case 12:
    case 13:
      return list === 0 ? UNDEFINED : entry(O.pop, 0, 0, list);
    case 14:
      return entry(O.bkpt, 0, 0, op & 255);
    case 15:
      return (op & 15) === 0 ? entry(HINTS[(op >> 4) & 15] ?? O.nop, 0, 0, 0) : UNDEFINED;
    default:
      return UNDEFINED;
  }
};

const REVERSALS = [O.rev, O.rev16, UNDEFINED, O.revsh] as const;
const reverse: Decoder = (op) => entry(REVERSALS[(op >> 6) & 3]!, low(op), middle(op), 0);

const many =
  (operation: number): Decoder =>
  (op) =>
    (op & 255) === 0 ? UNDEFINED : entry(operation, upper(op), 0, op & 255);

const conditional: Decoder = (op) => {
  const condition = (op >> 8) & 15;
  if (condition === 14) return UNDEFINED;
  if (condition === 15) return entry(O.svc, 0, 0, op & 255);
  return entry(O.beq + condition, 0, 0, ((op << 24) >> 24) + 1);
};

const branch: Decoder = (op) => entry(O.b, 0, 0, ((op << 21) >> 21) + 1);

const BY_TOP_BITS: readonly Decoder[] = [
  ...[shiftLeft, shiftRight(O.lsrConstant), shiftRight(O.asrConstant), addOrSubtract],
  ...[constant(O.movConstant), constant(O.cmpConstant)],
  ...[constant(O.addConstant), constant(O.subConstant)],
  ...[registers, literal, accessByRegister, accessByRegister],
  ...[accessAt(O.strAt, 2), accessAt(O.ldrAt, 2), accessAt(O.strbAt, 0), accessAt(O.ldrbAt, 0)],
  ...[accessAt(O.strhAt, 1), accessAt(O.ldrhAt, 1), accessStack(O.strAt), accessStack(O.ldrAt)],
  ...[address(O.adr), address(O.addSp), various, various],
  ...[many(O.stm), many(O.ldm), conditional, conditional],
  branch,
];

// SYSm that Armv6-M has (§B5.2): xPSR and its parts, MSP, PSP, PRIMASK, CONTROL.
const SPECIAL = new Set([0, 1, 2, 3, 5, 6, 7, 8, 9, 16, 20]);

// §A5.3. Registers 13 and 15 are UNPREDICTABLE in MRS and MSR.
function decodeLong(first: number, second: number): number {
  if (first >> 11 === 30 && (second & 0xd000) === 0xd000) return branchAndLink(first, second);
  const special = second & 255;
  if ((first & 0xfff0) === 0xf380 && second >> 8 === 0x88)
    return isGeneral(first & 15) && SPECIAL.has(special)
      ? entry(O.msr, first & 15, 0, special)
      : UNDEFINED;
  if (first === 0xf3ef && second >> 12 === 8)
    return isGeneral((second >> 8) & 15) && SPECIAL.has(special)
      ? entry(O.mrs, (second >> 8) & 15, 0, special)
      : UNDEFINED;
  const isBarrier = first === 0xf3bf && second >> 8 === 0x8f && [4, 5, 6].includes(special >> 4);
  return isBarrier ? entry(O.barrier, 0, 0, 0) : UNDEFINED;
}

const isGeneral = (register: number): boolean => register !== 13 && register !== 15;

function branchAndLink(first: number, second: number): number {
  const sign = (first >> 10) & 1;
  const i1 = 1 ^ sign ^ ((second >> 13) & 1);
  const i2 = 1 ^ sign ^ ((second >> 11) & 1);
  const upper = (-sign << 23) | (i1 << 22) | (i2 << 21);
  return O.bl | (((upper | ((first & 0x3ff) << 11) | (second & 0x7ff)) + 1) << 8);
}
