// SPDX-License-Identifier: MIT
// Random programs for an Armv6-M processor that print what they computed.
//
// A case sets flags and r0-r12, runs random instructions, and pushes flags and r0-r12; after some cases all that,
// and the memory they used, goes to the UART of an nRF51. Flash at 0, RAM at 0x20000000: QEMU's microbit.
// HardFault's handler notes the stacked PC and xPSR in that memory and returns one half-word on.

import { OPERAND_EDGES } from "./operands.ts";

export const FLASH_BYTES = 256 * 1024;
export const RAM = 0x2000_0000;
export const RAM_BYTES = 16 * 1024;
export const UART_SENT = 0x4000_211c; // EVENTS_TXDRDY
export const UART_BYTE = 0x4000_251c; // TXD
export const UART_STOP = 0x4000_200c; // what a program does last
const UART_ENABLE = 0x4000_2500; // 4 turns it on
const UART_START = 0x4000_2008;

const STACK_TOP = RAM + 0x3c00;
export const MEMORY_BYTES = 0x600; // that instructions load from and store to
const NOTES = RAM + MEMORY_BYTES - 8; // of HardFault
export const CASES_A_DUMP = 200;
const STEPS_A_CASE = 12;
export const CASE_WORDS = 14; // APSR, r8-r12, r0-r7

/** A whole number from 0 up to, not including, its argument. */
export type Random = (below: number) => number;

/** Cases of a program and its bytes, 256 KiB of flash. */
export interface Program {
  flash: Uint8Array;
  cases: { address: number; halves: number[] }[];
}

interface Writer {
  at: number;
  half(...halves: number[]): void;
  word(...words: number[]): void;
}

function writerTo(flash: Uint8Array): Writer {
  const view = new DataView(flash.buffer);
  const writer: Writer = {
    at: 0,
    half: (...halves) => {
      for (const half of halves) view.setUint16((writer.at += 2) - 2, half, true);
    },
    word: (...words) => {
      for (const word of words) view.setUint32((writer.at += 4) - 4, word, true);
    },
  };
  return writer;
}

const HANDLER = 0xc0;
const SERVICE = 0xe0;
const DUMP = 0x100;
const START = 0x150;
const CASES = 0x170;

/** A program of so many cases. */
export function makeProgram(random: Random, count: number): Program {
  const flash = new Uint8Array(FLASH_BYTES);
  const writer = writerTo(flash);
  writer.word(STACK_TOP, START | 1, HANDLER | 1, HANDLER | 1);
  while (writer.at < HANDLER) writer.word(SERVICE | 1);
  putFixed(writer);
  const cases: Program["cases"] = [];
  for (let i = 1; i <= count; i++) {
    cases.push(putCase(writer, random));
    if (i % CASES_A_DUMP === 0 || i === count) writer.half(...branchAndLink(writer.at, DUMP));
  }
  if ((writer.at & 3) !== 0) writer.half(0xbf00);
  // LDR r2, UART_STOP; LDR r1, r1 of SYS_EXIT; STR r1, [r2]; MOVS r0, #SYS_EXIT; BKPT 0xab
  writer.half(0x4a02, 0x4903, 0x6011, 0x2018, 0xbeab, 0);
  writer.word(UART_STOP, 0x2_0026); // ADP_Stopped_ApplicationExit
  return { flash, cases };
}

function putFixed(writer: Writer): void {
  // HardFault: turns its first note by 5 and adds the frame's PC to it, notes xPSR, returns to PC + 2.
  writer.at = HANDLER;
  writer.half(0x4a05, 0x9806, 0x6811, 0x2305, 0x41d9, 0x4041, 0x6011); // LDR r2, NOTES; ..
  writer.half(0x9907, 0x6051, 0x3002, 0x9006, 0x4770);
  writer.word(NOTES);
  writer.at = SERVICE;
  writer.half(0xf3ef, 0x8003, 0x9000, 0x4770); // MRS r0, XPSR; STR r0, [sp]; BX lr
  // Sends [sp, STACK_TOP), then the memory, a byte when the last one is sent; empties the stack.
  writer.at = DUMP;
  writer.half(0x4a0a, 0x4b0b, 0x4668, 0x490b, 0x2602); // r2 = TXD, r3 = TXDRDY, r0 = sp, r6 = 2
  writer.half(0x7804, 0x6014, 0x681d, 0x2d00, 0xd0fc, 0x2500, 0x601d, 0x3001, 0x4288, 0xd1f5);
  writer.half(0x4806, 0x4906, 0x3e01, 0xd1f1, 0x4803, 0x4685, 0x4770);
  writer.word(UART_BYTE, UART_SENT, STACK_TOP, RAM, RAM + MEMORY_BYTES);
  writer.at = START;
  writer.half(0x4803, 0x2104, 0x6001, 0x4803, 0x2101, 0x6001, 0xe008, 0xbf00); // both; to CASES
  writer.word(UART_ENABLE, UART_START);
  writer.at = CASES;
}

function branchAndLink(from: number, to: number): number[] {
  const distance = (to - from - 4) >> 1;
  const sign = distance < 0 ? 1 : 0;
  const j1 = 1 ^ sign ^ ((distance >> 22) & 1);
  const j2 = 1 ^ sign ^ ((distance >> 21) & 1);
  const high = 0xf000 | (sign << 10) | ((distance >> 11) & 0x3ff);
  return [high, 0xd000 | (j1 << 13) | (j2 << 11) | (distance & 0x7ff)];
}

function putCase(writer: Writer, random: Random): Program["cases"][number] {
  if ((writer.at & 3) !== 0) writer.half(0xbf00);
  const address = writer.at;
  const edge = (): number =>
    random(3) === 0 ? (random(65_536) << 16) | random(65_536) : OPERAND_EDGES[random(13)]!;
  writer.half(0xa700, 0xe01b); // ADR r7, the words; B behind them
  writer.word(random(16) << 28, edge(), edge(), edge(), edge(), RAM + 4 * random(64));
  for (let i = 0; i < 8; i++) writer.word(edge());
  writer.half(0xcf3f, 0xf380, 0x8800); // LDM r7!, {r0-r5}; MSR APSR, r0
  writer.half(0x4688, 0x4691, 0x469a, 0x46a3, 0x46ac); // MOV r8, r1 to MOV r12, r5
  writer.half(0xcfff); // LDM r7, {r0-r7}
  const halves: number[] = [];
  for (let i = 0; i < STEPS_A_CASE; i++)
    halves.push(...randomInstruction(random, writer.at + 2 * halves.length));
  writer.half(...halves);
  writer.half(0xb4ff, 0xf3ef, 0x8000); // PUSH {r0-r7}; MRS r0, APSR
  writer.half(0x4641, 0x464a, 0x4653, 0x465c, 0x4665, 0xb43f); // MOV r1, r8 ..; PUSH {r0-r5}
  return { address, halves };
}

type Kind = (random: Random, at: number) => number[];

const low = (random: Random): number => random(8);
const high = (random: Random): number => 8 + random(4); // r8 to r11: r12 is the address of memory
const highMove = (op: number, target: number, source: number): number =>
  op | ((target & 8) << 4) | (source << 3) | (target & 7);
const base = (register: number): number => highMove(0x4600, register, 12);

// Two registers that differ.
function pair(random: Random): [number, number] {
  const first = low(random);
  return [first, (first + 1 + random(7)) & 7];
}

function anyRegister(random: Random): number {
  return random(2) === 0 ? low(random) : high(random);
}

const KINDS: readonly Kind[] = [
  (random) => [random(0x2000)], // shifts by a constant, ADDS, SUBS
  (random) => [0x1800 | random(0x800)],
  (random) => [0x2000 | random(0x2000)], // MOVS, CMP, ADDS, SUBS of eight bits
  (random) => [0x4000 | random(0x400)], // the sixteen of two registers
  (random) => [0x4000 | random(0x400)],
  (random) => [0x4000 | ((2 + random(6)) << 6) | random(64)], // shifts, carry
  (random) => [highMove(0x4400, anyRegister(random), anyRegister(random))], // ADD
  (random) => [highMove(0x4600, anyRegister(random), anyRegister(random))], // MOV
  (random) => [highMove(0x4500, high(random), anyRegister(random))], // CMP
  (random) => [highMove(random(2) === 0 ? 0x4400 : 0x4600, anyRegister(random), 15)],
  (random) => [0xb200 | random(256)], // SXTH, SXTB, UXTH, UXTB
  (random) => [0xba00 | [0, 0x40, 0xc0][random(3)]! | random(64)],
  (random) => [0xa000 | (low(random) << 8) | random(8)], // ADR
  (random) => [0x4800 | (low(random) << 8) | random(8)], // LDR of what comes next
  accessAt,
  accessAt,
  accessByRegister,
  accessByRegister,
  accessStack,
  manyAt,
  pushAndPop,
  (random) => [0xd000 | (random(14) << 8), 0x1c00 | random(64), random(0x1800)], // over one
  (random) => [0xe000, 0x3000 | random(0x1000)], // B over one
  (random) => [0xf000, 0xf801, 0x1c00 | random(64), highMove(0x4600, low(random), 14)], // BL
  jump,
  (random) => [0xf3ef, 0x8000 | (low(random) << 8) | [0, 1, 2, 3, 5, 6, 7, 16, 20][random(9)]!],
  writeFlags,
  (random) => [0xf3bf, 0x8f4f + 16 * random(3)], // barriers
  (random) => [[0xbf00, 0xbf10, 0xbf40][random(3)]!],
  (random) => [0xb672, highMove(0x4600, low(random), 8), 0xb662], // CPSID, CPSIE
  (random) => [0xdf00 | random(256)], // SVC
  fault,
];

// MSR APSR of a register with its upper four bits alone: QEMU keeps a Q flag, which Armv6-M has not.
function writeFlags(random: Random): number[] {
  const r = low(random);
  return [0x0f00 | (r * 9), 0x0700 | (r * 9), 0xf380 | r, 0x8800 | random(4)];
}

function randomInstruction(random: Random, at: number): number[] {
  return KINDS[random(KINDS.length)]!(random, at);
}

function accessAt(random: Random): number[] {
  const [rb, rt] = pair(random);
  return [base(rb), 0x6000 | (random(6) << 11) | (random(32) << 6) | (rb << 3) | rt];
}

function accessByRegister(random: Random): number[] {
  const [rb, rm] = pair(random);
  const kind = random(8);
  return [
    base(rb),
    0x2000 | (rm << 8) | (random(64) * 4),
    0x5000 | (kind << 9) | (rm << 6) | (rb << 3) | low(random),
  ];
}

function accessStack(random: Random): number[] {
  const store = 0x9000 | (low(random) << 8) | random(32);
  const load = 0x9800 | (low(random) << 8) | random(32);
  return [0xb0a0, store, load, 0xa800 | (low(random) << 8) | random(32), 0xb020]; // in 128 bytes
}

// STM with its base in the list, unless as the first, stores what Arm calls UNKNOWN.
function manyAt(random: Random): number[] {
  const rb = low(random);
  const list = 1 + random(255);
  const isLoad = random(2) === 1;
  const isFirst = (list & ((1 << rb) - 1)) === 0;
  const known = isLoad || isFirst ? list : list & ~(1 << rb);
  return [base(rb), (isLoad ? 0xc800 : 0xc000) | (rb << 8) | known];
}

function pushAndPop(random: Random): number[] {
  const pushed = 1 + random(255);
  const link = random(2) << 8;
  return [0xb400 | link | pushed, 0xbc00 | pushed, ...(link === 0 ? [] : [0xb001])];
}

// ADR gives the word that is 8 behind it; BX, BLX or MOV pc goes there, over one half-word.
function jump(random: Random, at: number): number[] {
  const r = low(random);
  const branch = [0x4700, 0x4780, 0x4687][random(3)]! | (r << 3);
  const align = (at & 3) === 0 ? [] : [0xbf00];
  return [...align, 0xa001 | (r << 8), 0x3001 | (r << 8), branch, 0x1c00 | random(64)];
}

// HardFault: a misaligned access, no instruction, BKPT, SVC while masked. What is behind may be skipped.
function fault(random: Random): number[] {
  const [rb, rt] = pair(random);
  const nop = 0xbf00;
  const access = [0x6000, 0x6800, 0x8000, 0x8800][random(4)]! | (rb << 3) | rt;
  switch (random(4)) {
    case 0:
      return [base(rb), 0x3001 | (rb << 8), access];
    case 1:
      return [0xde00 | random(256)];
    case 2:
      return random(2) === 0 ? [0xba80] : [0xf8d0, 0x1c00 | random(64)];
    default:
      return [0xb672, 0xdf00, nop, nop, 0xb662];
  }
}
