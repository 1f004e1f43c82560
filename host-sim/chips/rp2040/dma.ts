// SPDX-License-Identifier: MIT
// DMA (datasheet 2.5): twelve channels between memory and peripherals.
//
// One transfer at a time: the channels that may go take turns, those of high priority first, and each
// transfer takes the cycles of its two accesses. Contention with the core is not modelled; neither are the
// sniffer, pacing timers and byte order. A bad address ends the run, as it would end the transfer.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Alarm, type Peripheral } from "./peripheral.ts";

const DMA_CHANNELS = 12;
const INTERRUPTS = [11, 12] as const;
const CHANNEL_BYTES = 0x40;
const UNPACED = 63;
const TIMER_FIRST = 59; // to 62
const BUSY = 1 << 24;
const CONTROL_BITS = 0x3fffff; // writable and modelled, but for what setControl refuses

/** Memory as a bus master sees it. */
export interface DmaBus {
  read(address: number, size: 1 | 2 | 4): number;
  write(address: number, size: 1 | 2 | 4, value: number): void;
  /** Cycles of one access. */
  cycles(address: number): number;
}

/** Levels of the request lines; outlives resets of the block. */
export interface DmaRequests {
  level(line: number): boolean;
  /** Calls when a line rises; the last one who asked is called. */
  onRise(call: (line: number) => void): void;
}

interface Channel {
  read: number;
  write: number;
  count: number; // transfers left
  reload: number;
  control: number;
  busy: boolean;
}

// Registers of a channel's four aliases (datasheet table 121); the last of each four triggers.
const ORDER = [
  ["read", "write", "count", "control"],
  ["control", "read", "write", "count"],
  ["control", "count", "read", "write"],
  ["control", "write", "count", "read"],
] as const;

interface Dma {
  context: Context;
  bus: DmaBus;
  requests: DmaRequests;
  channels: Channel[];
  raw: number;
  enabled: number[];
  forced: number[];
  turn: number; // where the search for the next channel begins
  step: Alarm | undefined;
}

/** The block after reset. */
export function createDma(context: Context, bus: DmaBus, requests: DmaRequests): Peripheral {
  const s: Dma = {
    context,
    bus,
    requests,
    channels: Array.from({ length: DMA_CHANNELS }, () => ({
      ...{ read: 0, write: 0, count: 0, reload: 0, control: 0, busy: false },
    })),
    raw: 0,
    enabled: [0, 0],
    forced: [0, 0],
    turn: 0,
    step: undefined,
  };
  for (const [index, channel] of s.channels.entries()) channel.control = index << 11;
  s.requests.onRise(() => wake(s));
  return {
    read: (offset) => peek(s, offset),
    peek: (offset) => peek(s, offset),
    write: (offset, value) => write(s, offset, value),
  };
}

function asserted(s: Dma, which: number): number {
  return (s.raw & s.enabled[which]!) | s.forced[which]!;
}

function update(s: Dma): void {
  for (const which of [0, 1]) s.context.interrupt(INTERRUPTS[which]!, asserted(s, which) !== 0);
}

function mayGo(s: Dma, { busy, control }: Channel): boolean {
  const line = (control >> 15) & 63;
  return busy && (control & 1) !== 0 && (line === UNPACED || s.requests.level(line));
}

function choose(s: Dma): number {
  for (const high of [1, 0])
    for (let offset = 0; offset < DMA_CHANNELS; offset++) {
      const index = (s.turn + offset) % DMA_CHANNELS;
      const channel = s.channels[index]!;
      if (((channel.control >> 1) & 1) === high && mayGo(s, channel)) return index;
    }
  return -1;
}

function wake(s: Dma): void {
  if (s.step !== undefined) return;
  if (choose(s) >= 0) s.step = s.context.clock.at(s.context.clock.now() + 1, () => transferNext(s));
}

function transferNext(s: Dma): void {
  s.step = undefined;
  const index = choose(s);
  if (index < 0) return;
  s.turn = (index + 1) % DMA_CHANNELS;
  const channel = s.channels[index]!;
  const cycles = Math.max(s.bus.cycles(channel.read), s.bus.cycles(channel.write));
  transfer(s, channel, index);
  if (choose(s) >= 0)
    s.step = s.context.clock.at(s.context.clock.now() + cycles, () => transferNext(s));
}

function transfer(s: Dma, channel: Channel, index: number): void {
  const size = (1 << ((channel.control >> 2) & 3)) as 1 | 2 | 4;
  const { read, write } = channel;
  if ((read | write) & (size - 1))
    throw new ChipFailure(`DMA: channel ${index} moves ${size} octets from or to a part of them`);
  const value = s.bus.read(read, size);
  channel.read = advance(channel, read, size, 4);
  channel.write = advance(channel, write, size, 5);
  channel.count--;
  s.bus.write(write, size, value);
  if (channel.count === 0 && channel.busy) finish(s, channel, index);
}

function advance({ control }: Channel, address: number, size: number, bit: number): number {
  if (((control >> bit) & 1) === 0) return address;
  const ring = (control >> 6) & 15;
  const isRinged = ring > 0 && ((control >> 10) & 1) === bit - 4;
  if (!isRinged) return (address + size) >>> 0;
  const mask = 2 ** ring - 1;
  return ((address & ~mask) | ((address + size) & mask)) >>> 0;
}

function finish(s: Dma, channel: Channel, index: number): void {
  channel.busy = false;
  if (((channel.control >> 21) & 1) === 0) raise(s, index); // IRQ_QUIET
  const next = (channel.control >> 11) & 15;
  if (next !== index) start(s, next);
}

function raise(s: Dma, index: number): void {
  s.raw |= 1 << index;
  update(s);
}

function start(s: Dma, index: number): void {
  const channel = s.channels[index];
  if (channel === undefined) throw new ChipFailure(`DMA: channel ${index} does not exist`);
  if ((channel.control & 1) === 0 || channel.busy) return;
  channel.count = channel.reload;
  channel.busy = channel.count > 0;
  if (channel.busy) wake(s);
  else finish(s, channel, index);
}

function setControl(s: Dma, channel: Channel, value: number): void {
  const line = (value >> 15) & 63;
  const isTimer = line >= TIMER_FIRST && line < UNPACED;
  const isOdd = (value & 0xc00000) !== 0 || (value & 0xc) === 0xc;
  if (isTimer || isOdd) unknownValue("DMA", 0x0c, value);
  channel.control = value & CONTROL_BITS;
  wake(s);
}

function writeChannel(s: Dma, index: number, register: number, value: number): void {
  const channel = s.channels[index]!;
  const name = ORDER[register >> 2]![register & 3]!;
  if (name === "control") setControl(s, channel, value);
  else if (name === "count") channel.reload = value;
  else channel[name] = value;
  if ((register & 3) !== 3) return;
  // A null trigger: the last of a control-block list, which raises the interrupt of a quiet channel.
  if (value !== 0) start(s, index);
  else if (((channel.control >> 21) & 1) === 1) raise(s, index);
}

function abort(s: Dma, bits: number): void {
  for (const [index, channel] of s.channels.entries())
    if (((bits >> index) & 1) === 1) channel.busy = false;
}

function peek(s: Dma, offset: number): number {
  if (offset < DMA_CHANNELS * CHANNEL_BYTES) {
    const channel = s.channels[offset >> 6]!;
    const name = ORDER[(offset >> 4) & 3]![(offset >> 2) & 3]!;
    const isBusy = channel.busy ? BUSY : 0;
    return name === "control" ? (channel.control | isBusy) >>> 0 : channel[name];
  }
  if (offset === 0x400) return s.raw;
  const which = offset >= 0x414 ? 1 : 0;
  const list = [0x404, 0x408, 0x40c].indexOf(offset - 16 * which);
  if (list >= 0) return [s.enabled[which]!, s.forced[which]!, asserted(s, which)][list]!;
  if (offset === 0x448) return DMA_CHANNELS;
  return offset === 0x430 || offset === 0x444 ? 0 : unknownRegister("DMA", offset);
}

function write(s: Dma, offset: number, value: number): void {
  if (offset < DMA_CHANNELS * CHANNEL_BYTES)
    writeChannel(s, offset >> 6, (offset >> 2) & 15, value >>> 0);
  else if (offset === 0x400 || offset === 0x40c || offset === 0x41c) s.raw &= ~value;
  else if (offset === 0x404 || offset === 0x414) s.enabled[(offset >> 4) & 1] = value & 0xfff;
  else if (offset === 0x408 || offset === 0x418) s.forced[(offset >> 4) & 1] = value & 0xfff;
  else if (offset === 0x430) {
    for (let index = 0; index < DMA_CHANNELS; index++)
      if (((value >> index) & 1) === 1) start(s, index);
  } else if (offset === 0x444) abort(s, value);
  else unknownRegister("DMA", offset);
  update(s);
}
