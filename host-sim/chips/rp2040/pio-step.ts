// SPDX-License-Identifier: MIT
// The nine instructions of a PIO, a tick at a time.
//
// Spec: RP2040 datasheet 3.4, 3.5.
// (M1) side-set happens also while an instruction stalls; delays follow an instruction that is done.

import type { Effects, Machine, Setup, View } from "./pio-machine.ts";

const threshold = (shiftctrl: number, at: number): number => (shiftctrl >>> at) & 31 || 32;
const ones = (count: number): number => (count >= 32 ? 0xffffffff : 2 ** count - 1);

/** Bits of a value in a circle of 32 pins. */
function rotate(value: number, by: number): number {
  return by === 0 ? value >>> 0 : ((value << by) | (value >>> (32 - by))) >>> 0;
}

function reverse(value: number): number {
  let [result, rest] = [0, value];
  for (let i = 0; i < 32; i++, rest >>>= 1) result = (result << 1) | (rest & 1);
  return result >>> 0;
}

// Only what differs is an effect.
function drivePins(view: View, fx: Effects, isEnable: boolean, mask: number, value: number): void {
  const now = isEnable ? view.enables : view.outputs;
  fx.sawOutputs = true;
  if (isEnable) {
    fx.enableMask = (fx.enableMask | mask) >>> 0;
    fx.enables = ((fx.enables & ~mask) | (value & mask)) >>> 0;
    fx.any ||= ((now ^ fx.enables) & fx.enableMask) !== 0;
  } else {
    fx.outputMask = (fx.outputMask | mask) >>> 0;
    fx.outputs = ((fx.outputs & ~mask) | (value & mask)) >>> 0;
    fx.any ||= ((now ^ fx.outputs) & fx.outputMask) !== 0;
  }
}

function driveField(
  view: View,
  fx: Effects,
  isEnable: boolean,
  at: [number, number],
  value: number,
): void {
  const [base, count] = at;
  drivePins(view, fx, isEnable, rotate(ones(count), base), rotate(value & ones(count), base));
}

// (M1) gives the delay that follows.
function sideSet(setup: Setup, instruction: number, view: View, fx: Effects): number {
  const { execctrl, pinctrl } = setup;
  const bits = pinctrl >>> 29;
  const field = (instruction >> 8) & 31;
  const delay = field & ones(5 - bits);
  const isOptional = (execctrl >>> 30) & 1;
  if (bits === 0 || (isOptional === 1 && (field & 16) === 0)) return delay;
  const count = bits - isOptional;
  const value = (field >> (5 - bits)) & ones(count);
  driveField(view, fx, ((execctrl >>> 29) & 1) === 1, [(pinctrl >> 10) & 31, count], value);
  return delay;
}

const flagOf = (m: Machine, index: number): number =>
  (index & 16) === 0 ? index & 7 : (index & 4) | ((index + m.index) & 3);

/** One tick. The caller clears `fx` before it. */
export function step(m: Machine, setup: Setup, view: View, fx: Effects): void {
  m.tick++;
  refill(m, setup, view, fx, m.delay > 0);
  if (m.delay > 0) {
    m.delay--;
    return;
  }
  const isForced = m.exec >= 0;
  const instruction = isForced ? m.exec : view.memory[m.pc]!;
  const delay = sideSet(setup, instruction, view, fx);
  const { pc } = m;
  m.exec = -1;
  if (!isForced)
    m.pc = pc === ((setup.execctrl >> 12) & 31) ? (setup.execctrl >> 7) & 31 : (pc + 1) & 31;
  execute(m, setup, instruction, view, fx);
  if (!fx.stalls) m.delay = delay;
  else {
    m.pc = pc;
    if (isForced) m.exec = instruction;
  }
}

// Autopull goes on behind every instruction but OUT, which has its own (datasheet 3.5.4.2).
function refill(m: Machine, setup: Setup, view: View, fx: Effects, resting: boolean): void {
  if ((setup.shiftctrl & (1 << 17)) === 0) return;
  const instruction = m.exec >= 0 ? m.exec : view.memory[m.pc]!;
  const opcode = instruction >> 13;
  if (!resting && (opcode === 3 || (opcode === 4 && (instruction & 0x80) !== 0))) return;
  if (m.osrCount >= threshold(setup.shiftctrl, 25)) pull(m, view, fx);
}

function pull(m: Machine, view: View, fx: Effects): boolean {
  fx.sawFifos = true;
  if (view.sent.length === 0 || fx.pull) return false;
  m.osr = view.sent[0]!;
  m.osrCount = 0;
  fx.pull = fx.any = true;
  return true;
}

function execute(m: Machine, setup: Setup, instruction: number, view: View, fx: Effects): void {
  switch (instruction >> 13) {
    case 0:
      return jump(m, setup, instruction, view, fx);
    case 1:
      return wait(m, setup, instruction, view, fx);
    case 2:
      return shiftIn(m, setup, instruction, view, fx);
    case 3:
      return shiftOut(m, setup, instruction, view, fx);
    case 4:
      return (instruction & 0x80) === 0
        ? pushIsr(m, setup, instruction, view, fx)
        : pullOsr(m, setup, instruction, view, fx);
    case 5:
      return move(m, setup, instruction, view, fx);
    case 6:
      return interrupt(m, instruction, view, fx);
    default:
      return set(m, setup, instruction, view, fx);
  }
}

function jump(
  m: Machine,
  { execctrl, shiftctrl }: Setup,
  instruction: number,
  view: View,
  fx: Effects,
): void {
  const pin = (execctrl >>> 24) & 31;
  const condition = (instruction >> 5) & 7;
  let taken = true;
  if (condition === 1) taken = m.x === 0;
  else if (condition === 2) {
    taken = m.x !== 0;
    m.x = (m.x - 1) >>> 0;
  } else if (condition === 3) taken = m.y === 0;
  else if (condition === 4) {
    taken = m.y !== 0;
    m.y = (m.y - 1) >>> 0;
  } else if (condition === 5) taken = m.x !== m.y;
  else if (condition === 6) {
    fx.sawPins |= 1 << pin;
    taken = ((view.inputs >>> pin) & 1) === 1;
  } else if (condition === 7) taken = m.osrCount < threshold(shiftctrl, 25);
  if (taken) m.pc = instruction & 31;
}

function wait(m: Machine, { pinctrl }: Setup, instruction: number, view: View, fx: Effects): void {
  const wanted = (instruction >> 7) & 1;
  const source = (instruction >> 5) & 3;
  const index = instruction & 31;
  if (source === 2) {
    const flag = 1 << flagOf(m, index);
    fx.sawFlags |= flag;
    fx.stalls = ((view.flags & flag) !== 0 ? 1 : 0) !== wanted;
    if (fx.stalls || wanted === 0) return;
    fx.clear |= flag;
    fx.any = true;
    return;
  }
  const pin = source === 0 ? index : (index + ((pinctrl >> 15) & 31)) & 31;
  fx.sawPins |= 1 << pin;
  fx.stalls = ((view.inputs >>> pin) & 1) !== wanted;
}

// Sources of IN and MOV; STATUS is all ones while a FIFO holds less than STATUS_N.
function source(
  m: Machine,
  { execctrl, pinctrl }: Setup,
  from: number,
  view: View,
  fx: Effects,
): number {
  if (from === 1) return m.x;
  if (from === 2) return m.y;
  if (from === 3) return 0;
  if (from === 6) return m.isr;
  if (from === 7) return m.osr;
  if (from === 5) {
    fx.sawFifos = true;
    const fifo = (execctrl & 16) === 0 ? view.sent : view.received;
    return fifo.length < (execctrl & 15) ? 0xffffffff : 0;
  }
  fx.sawPins = -1;
  const base = (pinctrl >> 15) & 31;
  return rotate(view.inputs, (32 - base) & 31);
}

function shiftIn(m: Machine, setup: Setup, instruction: number, view: View, fx: Effects): void {
  const { shiftctrl } = setup;
  const count = instruction & 31 || 32;
  const value = (source(m, setup, (instruction >> 5) & 7, view, fx) & ones(count)) >>> 0;
  const filled = Math.min(32, m.isrCount + count);
  const pushes = (shiftctrl & (1 << 16)) !== 0 && filled >= threshold(shiftctrl, 20);
  fx.sawFifos ||= pushes;
  if (pushes && view.received.length >= view.receivedMax) {
    fx.stalls = true;
    fx.debug |= 1;
    return;
  }
  if (count === 32) m.isr = value;
  else if ((shiftctrl & (1 << 18)) !== 0)
    m.isr = ((m.isr >>> count) | (value << (32 - count))) >>> 0;
  else m.isr = ((m.isr << count) | value) >>> 0;
  m.isrCount = filled;
  if (!pushes) return;
  fx.push = m.isr;
  fx.any = true;
  m.isr = m.isrCount = 0;
}

function shiftOut(m: Machine, setup: Setup, instruction: number, view: View, fx: Effects): void {
  const { shiftctrl } = setup;
  const isAuto = (shiftctrl & (1 << 17)) !== 0;
  const bound = threshold(shiftctrl, 25);
  if (isAuto && m.osrCount >= bound) {
    if (!pull(m, view, fx)) fx.debug |= 1 << 24;
    fx.stalls = true; // also when it was filled: OUT follows a tick later
    return;
  }
  const count = instruction & 31 || 32;
  const isRight = (shiftctrl & (1 << 19)) !== 0;
  const value = isRight ? (m.osr & ones(count)) >>> 0 : m.osr >>> (32 - count);
  if (count === 32) m.osr = 0;
  else m.osr = (isRight ? m.osr >>> count : m.osr << count) >>> 0;
  m.osrCount = Math.min(32, m.osrCount + count);
  const to = (instruction >> 5) & 7;
  if (to === 3) {
    // NULL
  } else if (to === 6) {
    m.isr = value;
    m.isrCount = count;
  } else store(m, setup, [to === 7 ? 8 : to, value], view, fx);
  if (isAuto && m.osrCount >= bound) pull(m, view, fx);
}

// Destinations of OUT and MOV: 0 pins, 1 X, 2 Y, 4 pin directions, 5 PC, 8 an instruction.
function store(
  m: Machine,
  { pinctrl }: Setup,
  what: [number, number],
  view: View,
  fx: Effects,
): void {
  const [to, value] = what;
  if (to === 1) m.x = value;
  else if (to === 2) m.y = value;
  else if (to === 5) m.pc = value & 31;
  else if (to === 8) m.exec = value & 0xffff;
  else driveField(view, fx, to === 4, [pinctrl & 31, (pinctrl >> 20) & 63], value);
}

function pushIsr(
  m: Machine,
  { shiftctrl }: Setup,
  instruction: number,
  view: View,
  fx: Effects,
): void {
  const [ifFull, blocks] = [(instruction & 0x40) !== 0, (instruction & 0x20) !== 0];
  if (ifFull && m.isrCount < threshold(shiftctrl, 20)) return;
  fx.sawFifos = true;
  if (view.received.length >= view.receivedMax) {
    fx.debug |= 1;
    fx.stalls = blocks;
    if (blocks) return;
  } else {
    fx.push = m.isr;
    fx.any = true;
  }
  m.isr = m.isrCount = 0; // lost when there was no room
}

function pullOsr(
  m: Machine,
  { shiftctrl }: Setup,
  instruction: number,
  view: View,
  fx: Effects,
): void {
  const [ifEmpty, blocks] = [(instruction & 0x40) !== 0, (instruction & 0x20) !== 0];
  const isEmpty = m.osrCount >= threshold(shiftctrl, 25);
  const isAuto = (shiftctrl & (1 << 17)) !== 0;
  if ((ifEmpty || isAuto) && !isEmpty) return; // with autopull a barrier
  if (pull(m, view, fx)) return;
  fx.debug |= 1 << 24;
  fx.stalls = blocks;
  if (blocks) return;
  m.osr = m.x;
  m.osrCount = 0;
}

function move(m: Machine, setup: Setup, instruction: number, view: View, fx: Effects): void {
  let value = source(m, setup, instruction & 7, view, fx);
  const operation = (instruction >> 3) & 3;
  if (operation === 1) value = ~value >>> 0;
  else if (operation === 2) value = reverse(value);
  const to = (instruction >> 5) & 7;
  if (to === 6) {
    m.isr = value;
    m.isrCount = 0;
  } else if (to === 7) {
    m.osr = value;
    m.osrCount = 0;
  } else store(m, setup, [to === 4 ? 8 : to, value], view, fx);
}

function interrupt(m: Machine, instruction: number, view: View, fx: Effects): void {
  const flag = 1 << flagOf(m, instruction & 31);
  if ((instruction & 0x40) !== 0) fx.clear |= flag;
  else if ((instruction & 0x20) === 0) fx.raise |= flag;
  else if (!m.waits) {
    fx.raise |= flag;
    fx.stalls = m.waits = true;
  } else {
    fx.sawFlags |= flag;
    m.waits = fx.stalls = (view.flags & flag) !== 0;
  }
  fx.any ||= (fx.raise | fx.clear) !== 0;
}

function set(m: Machine, { pinctrl }: Setup, instruction: number, view: View, fx: Effects): void {
  const to = (instruction >> 5) & 7;
  const value = instruction & 31;
  if (to === 1) m.x = value;
  else if (to === 2) m.y = value;
  else driveField(view, fx, to === 4, [(pinctrl >> 5) & 31, (pinctrl >>> 26) & 7], value);
}
