// SPDX-License-Identifier: MIT
// A PIO block: its registers, FIFOs, flags and lines.
//
// Spec: RP2040 datasheet 3.7; how its machines run is in pio-block.ts. Not modelled: the bypass of the synchroniser,
// OUT_STICKY, INLINE_OUT_EN, a forced instruction that stalls a stopped machine.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";
import {
  advance,
  arm,
  asserted,
  bit,
  change,
  commit,
  createSm,
  cycleOf,
  drivePins,
  FIFO,
  hear,
  MACHINES,
  type Pio,
  raw,
  refreshLines,
  type Sm,
  sync,
} from "./pio-block.ts";
import { clearEffects, createEffects, createMachine } from "./pio-machine.ts";
import { step } from "./pio-step.ts";
import { PIN_COUNT } from "./pins.ts";

const STICKY = 0x60000; // EXECCTRL
const REGISTERS = 0x18; // of one machine, from C8

/** PIO `index`, 0 or 1, after reset. */
export function createPio(context: Context, index: number): Peripheral {
  const s: Pio = {
    ...{ context, index, memory: new Uint16Array(32), sms: [], spare: createEffects() },
    ...{ changes: [], inputs: context.pins.inputs(), flags: 0, outputs: 0, enables: 0, debug: 0 },
    ...{ enabled: [0, 0], forced: [0, 0], alarm: undefined, alarmCycle: Infinity },
  };
  for (let i = 0; i < MACHINES; i++) s.sms.push(createSm(s, i));
  for (let pin = 0; pin < PIN_COUNT; pin++) context.pins.onInput(pin, () => hear(s));
  refreshLines(s);
  return {
    read: (offset) => read(s, offset),
    peek(offset) {
      advance(s);
      return peek(s, offset);
    },
    write: (offset, value) => write(s, offset, value >>> 0),
  };
}

// ---- registers

function fifoStatus(s: Pio): number {
  let bits = 0;
  s.sms.forEach(({ sent, received, sentMax, receivedMax }, i) => {
    const tx = (sent.length === 0 ? 1 << 24 : 0) | (sent.length >= sentMax ? 1 << 16 : 0);
    const rx = (received.length === 0 ? 1 << 8 : 0) | (received.length >= receivedMax ? 1 : 0);
    bits |= (tx | rx) << i;
  });
  return bits >>> 0;
}

function peek(s: Pio, offset: number): number {
  if (offset >= 0xc8 && offset < 0x128) return peekMachine(s, offset);
  if (offset >= 0x20 && offset < 0x30) return s.sms[(offset >> 2) & 3]!.received[0] ?? 0;
  if (offset >= 0x10 && offset < 0x20) return 0; // write only
  if (offset === 0x00)
    return s.sms.reduce((all, { enabled }, i) => all | (enabled ? 1 << i : 0), 0);
  if (offset === 0x04) return fifoStatus(s);
  if (offset === 0x08) {
    for (const sm of s.sms) sync(s, sm, s.context.clock.now()); // a stall shows when it is looked for
    return s.debug >>> 0;
  }
  if (offset === 0x0c)
    return s.sms.reduce(
      (all, { sent, received }, i) =>
        (all | ((sent.length | (received.length << 4)) << (8 * i))) >>> 0,
      0,
    );
  if (offset === 0x30) return s.flags;
  if (offset === 0x38) return 0;
  if (offset === 0x3c) return s.outputs;
  if (offset === 0x40) return s.enables;
  if (offset === 0x44) return (32 << 16) | (MACHINES << 8) | FIFO;
  if (offset === 0x128) return raw(s);
  const at = [0x12c, 0x130, 0x134].indexOf(offset > 0x134 ? offset - 12 : offset);
  const line = offset > 0x134 ? 1 : 0;
  if (at < 0) return unknownRegister(`PIO${s.index}`, offset);
  return [s.enabled[line]!, s.forced[line]!, asserted(s, line)][at]!;
}

function peekMachine(s: Pio, offset: number): number {
  const sm = s.sms[Math.floor((offset - 0xc8) / REGISTERS)]!;
  const { machine, setup } = sm;
  sync(s, sm, s.context.clock.now());
  const register = (offset - 0xc8) % REGISTERS;
  const stalled = machine.exec >= 0 ? 0x80000000 : 0;
  const current = machine.exec >= 0 ? machine.exec : s.memory[machine.pc]!;
  const values = [setup.divider << 8, setup.execctrl | stalled, setup.shiftctrl, machine.pc];
  return ([...values, current, setup.pinctrl][register >> 2]! | 0) >>> 0;
}

function read(s: Pio, offset: number): number {
  advance(s);
  const value = peek(s, offset);
  if (offset < 0x20 || offset >= 0x30) return value;
  const sm = s.sms[(offset >> 2) & 3]!;
  if (sm.received.length === 0) s.debug |= 1 << (8 + sm.machine.index);
  else changeFifo(s, sm, () => void sm.received.shift());
  return value;
}

function changeFifo(s: Pio, sm: Sm, act: () => void): void {
  change(s, sm.enabled && sm.fx.sawFifos ? [sm] : [], s.context.clock.now(), act);
  refreshLines(s);
  arm(s);
}

function write(s: Pio, offset: number, value: number): void {
  advance(s);
  const now = s.context.clock.now();
  if (offset >= 0xc8 && offset < 0x128) writeMachine(s, offset, value);
  else if (offset >= 0x48 && offset < 0xc8)
    change(s, s.sms, now, () => void (s.memory[(offset - 0x48) >> 2] = value));
  else if (offset >= 0x10 && offset < 0x20) send(s, s.sms[(offset >> 2) & 3]!, value);
  else if (offset === 0x00) control(s, value);
  else if (offset === 0x08) {
    for (const sm of s.sms) sync(s, sm, now);
    s.debug &= ~value;
  } else if (offset === 0x30) change(s, s.sms, now, () => void (s.flags &= ~value));
  else if (offset === 0x34) change(s, s.sms, now, () => void (s.flags |= value & 0xff));
  else if (offset === 0x38 && value !== 0) unknownValue(`PIO${s.index}`, offset, value);
  else if (offset === 0x12c || offset === 0x138)
    s.enabled[offset === 0x138 ? 1 : 0] = value & 0xfff;
  else if (offset === 0x130 || offset === 0x13c) s.forced[offset === 0x13c ? 1 : 0] = value & 0xfff;
  else if (offset !== 0x38) unknownRegister(`PIO${s.index}`, offset);
  refreshLines(s);
  arm(s);
}

function send(s: Pio, sm: Sm, value: number): void {
  if (sm.sent.length >= sm.sentMax) s.debug |= 1 << (16 + sm.machine.index);
  else changeFifo(s, sm, () => void sm.sent.push(value));
}

// Enable, restart, restart of the divider: four bits each.
function control(s: Pio, value: number): void {
  const now = s.context.clock.now();
  change(s, s.sms, now, () => {
    s.sms.forEach((sm, i) => {
      const starts = bit(value, i) && !sm.enabled;
      sm.enabled = bit(value, i);
      if (bit(value, 4 + i)) {
        const { pc, x, y, osr, tick } = sm.machine;
        Object.assign(sm.machine, createMachine(i), { pc, x, y, osr, tick });
      }
      if (starts || bit(value, 8 + i)) rebase(sm, now);
    });
  });
}

function rebase(sm: Sm, cycle: number): void {
  sm.base = cycle;
  sm.machine.tick = 0;
}

function writeMachine(s: Pio, offset: number, value: number): void {
  const sm = s.sms[Math.floor((offset - 0xc8) / REGISTERS)]!;
  const register = (offset - 0xc8) % REGISTERS;
  if (register === 0x10) return force(s, sm, value & 0xffff);
  if (register === 0x04 && (value & STICKY) !== 0) unknownValue(`PIO${s.index}`, offset, value);
  const { setup } = sm;
  change(s, [sm], s.context.clock.now(), () => {
    if (register === 0x00) {
      const next = cycleOf(sm, sm.machine.tick);
      setup.divider = value >>> 16 === 0 ? 0x1000000 : value >>> 8;
      rebase(sm, next);
    } else if (register === 0x04) setup.execctrl = value & 0x7fffff9f;
    else if (register === 0x08) setShift(sm, value);
    else if (register === 0x14) setup.pinctrl = value;
  });
}

// A FIFO may take the other's place; both are empty then.
function setShift(sm: Sm, value: number): void {
  const joins = (value ^ sm.setup.shiftctrl) >>> 30 !== 0;
  sm.setup.shiftctrl = value >>> 0;
  if (!joins) return;
  const [tx, rx] = [bit(value, 30), bit(value, 31)];
  sm.sentMax = rx ? 0 : tx ? 2 * FIFO : FIFO;
  sm.receivedMax = tx ? 0 : rx ? 2 * FIFO : FIFO;
  sm.sent.length = sm.received.length = 0;
}

// An instruction from the bus, at once.
function force(s: Pio, sm: Sm, instruction: number): void {
  change(s, s.sms, s.context.clock.now(), () => {
    const { machine, fx } = sm;
    const { tick } = machine;
    machine.exec = instruction;
    machine.delay = 0;
    clearEffects(fx, true);
    step(machine, sm.setup, sm.view, fx);
    machine.tick = tick;
    if (fx.stalls && !sm.enabled)
      throw new ChipFailure(`PIO${s.index}: a forced instruction stalls a stopped machine`);
    Object.assign(sm.ahead, machine);
    commit(s, sm);
  });
  drivePins(s);
}
