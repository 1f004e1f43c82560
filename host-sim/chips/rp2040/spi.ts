// SPDX-License-Identifier: MIT
// SPI (PL022, datasheet 4.4) as a master in Motorola format.
//
// A frame takes its bits times CPSDVSR x (1 + SCR) periods of clk_peri; frames follow without a gap. Both
// FIFOs hold eight frames: what comes into a full one is lost and RORRIS tells. The other formats, a slave
// and loop-back are not modelled.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Alarm, type Peripheral } from "./peripheral.ts";
import { FUNCTION_SPI } from "./pins.ts";

const FIFO_FRAMES = 8;
const HALF = 4; // frames at which the FIFO interrupts are raised
const TIMEOUT_BITS = 32;
const OVERRUN = 1;
const TIMEOUT = 2;

/** What hangs on the lines of one SPI; outlives resets of the block. */
export interface SpiWire {
  pins: readonly [sck: number, tx: number, rx: number];
  /** One frame: what is sent, and the answer, both `bits` wide. Called at the end of its last bit. */
  exchange(sent: number, bits: number): number;
}

/** Which of the two blocks: its interrupt and request lines. */
export interface SpiLines {
  interrupt: number;
  requestTx: number;
  requestRx: number;
}

export const SPI_LINES: readonly SpiLines[] = [
  { interrupt: 18, requestTx: 16, requestRx: 17 },
  { interrupt: 19, requestTx: 18, requestRx: 19 },
];

interface Spi {
  context: Context;
  lines: SpiLines;
  wire: () => SpiWire | undefined;
  sent: number[];
  received: number[];
  control0: number;
  control1: number;
  prescale: number;
  mask: number;
  latched: number;
  dma: number;
  shifting: boolean;
  silence: Alarm | undefined;
}

/** The block after reset. Without a wire on selected pins zeros come back. */
export function createSpi(
  context: Context,
  lines: SpiLines,
  wire: () => SpiWire | undefined,
): Peripheral {
  const s: Spi = {
    context,
    lines,
    wire,
    sent: [],
    received: [],
    control0: 0,
    control1: 0,
    prescale: 0,
    mask: 0,
    latched: 0,
    dma: 0,
    shifting: false,
    silence: undefined,
  };

  return {
    read(offset) {
      const value = peek(s, offset);
      if (offset === 0x08 && s.received.length > 0) {
        s.received.shift();
        watchSilence(s);
        update(s);
      }
      return value;
    },
    peek: (offset) => peek(s, offset),
    write: (offset, value) => write(s, offset, value),
  };
}

function bits(s: Spi): number {
  return (s.control0 & 15) + 1;
}

function isOn(s: Spi): boolean {
  return (s.control1 & 2) !== 0;
}

function raw(s: Spi): number {
  return s.latched | (s.received.length >= HALF ? 4 : 0) | (s.sent.length <= HALF ? 8 : 0);
}

function update(s: Spi): void {
  s.context.interrupt(s.lines.interrupt, (raw(s) & s.mask) !== 0);
  s.context.request(s.lines.requestTx, (s.dma & 2) !== 0 && s.sent.length < FIFO_FRAMES);
  s.context.request(s.lines.requestRx, (s.dma & 1) !== 0 && s.received.length > 0);
}

function bitNs(s: Spi): number {
  if (s.context.tree.hz.peri === 0)
    throw new ChipFailure("SPI: a frame is sent while clk_peri is stopped");
  if (s.prescale === 0) throw new ChipFailure("SPI: a frame is sent while CPSDVSR is 0");
  return (s.prescale * (1 + (s.control0 >> 8)) * 1e9) / s.context.tree.hz.peri;
}

function shift(s: Spi): void {
  s.shifting = isOn(s) && s.sent.length > 0;
  if (!s.shifting) return;
  const frame = s.sent.shift()!;
  s.context.time.atNs(s.context.time.nowNs() + bits(s) * bitNs(s), () => {
    take(s, frame);
    shift(s);
    update(s);
  });
}

function take(s: Spi, frame: number): void {
  const there = s.wire();
  const joined = there?.pins.every((pin) => s.context.pins.selected(pin) === FUNCTION_SPI) === true;
  const answer = joined ? there!.exchange(frame, bits(s)) & (2 ** bits(s) - 1) : 0;
  if (s.received.length < FIFO_FRAMES) s.received.push(answer);
  else s.latched |= OVERRUN;
  watchSilence(s);
}

function watchSilence(s: Spi): void {
  s.silence?.cancel();
  s.silence = undefined;
  if (s.received.length === 0) return;
  s.silence = s.context.time.atNs(s.context.time.nowNs() + TIMEOUT_BITS * bitNs(s), () => {
    s.latched |= TIMEOUT;
    update(s);
  });
}

function status(s: Spi): number {
  const empty = s.sent.length === 0 ? 1 : 0;
  const room = s.sent.length < FIFO_FRAMES ? 2 : 0;
  const some = s.received.length > 0 ? 4 : 0;
  const full = s.received.length === FIFO_FRAMES ? 8 : 0;
  return empty | room | some | full | (s.shifting || s.sent.length > 0 ? 16 : 0);
}

function peek(s: Spi, offset: number): number {
  if (offset === 0x00) return s.control0;
  if (offset === 0x04) return s.control1;
  if (offset === 0x08) return s.received[0] ?? 0;
  if (offset === 0x0c) return status(s);
  if (offset === 0x10) return s.prescale;
  if (offset === 0x14) return s.mask;
  if (offset === 0x18) return raw(s);
  if (offset === 0x1c) return raw(s) & s.mask;
  return offset === 0x24 ? s.dma : unknownRegister("SPI", offset);
}

function write(s: Spi, offset: number, value: number): void {
  if (offset === 0x00) s.control0 = setControl0(s, value);
  else if (offset === 0x04) {
    if ((value & ~2) !== 0) unknownValue("SPI", offset, value);
    s.control1 = value;
  } else if (offset === 0x08) {
    if (s.sent.length < FIFO_FRAMES) s.sent.push(value & (2 ** bits(s) - 1));
  } else if (offset === 0x10) s.prescale = value & 0xfe;
  else if (offset === 0x14) s.mask = value & 15;
  else if (offset === 0x20) s.latched &= ~value;
  else if (offset === 0x24) s.dma = value & 3;
  else unknownRegister("SPI", offset);
  if (!s.shifting) shift(s);
  update(s);
}

function setControl0(s: Spi, value: number): number {
  const isMotorola = (value & 0x30) === 0 && (value & 15) >= 3;
  if (!isMotorola) unknownValue("SPI", 0, value);
  if (s.shifting) throw new ChipFailure("SPI: the format changes within a frame");
  return value & 0xffff;
}
