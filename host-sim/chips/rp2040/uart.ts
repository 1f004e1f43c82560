// SPDX-License-Identifier: MIT
// UART (datasheet 4.2): an Arm PL011 with FIFOs of 32, at its characters' time.
//
// Spec: DDI 0183. IBRD and FBRD are taken over by a write to LCR_H, which may change only while the UART
// is off (break apart). Levels raise interrupts as they are crossed. Flow control is not modelled.
// (U1) error bits ride with their character; a lost one marks the next that fits.
// (U2) the receive timeout is 32 bit times without a character or a read while the FIFO holds any.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Alarm, type Peripheral } from "./peripheral.ts";
import { FUNCTION_UART } from "./pins.ts";
import { characterBits, ERROR_BREAK, ERROR_FRAME, hearAs, TRANSMIT_PINS } from "./serial.ts";
import type { Character, Format, Parity, UartLines } from "./serial.ts";

const FIFO = 32;
const LINES = [20, 21];
const REQUESTS = [20, 22]; // DREQ of transmit; of receive one more
const LEVELS = [4, 8, 16, 24, 28];
const TIMEOUT_BITS = 32;

const CR_ENABLE = 1;
const CR_LOOP = 1 << 7;
const CR_TRANSMIT = 1 << 8;
const CR_RECEIVE = 1 << 9;
const LCR_BREAK = 1;
const LCR_FIFO = 1 << 4;
const IRQ_RX = 1 << 4;
const IRQ_TX = 1 << 5;
const IRQ_TIMEOUT = 1 << 6;
const IRQ_OVERRUN = 1 << 10;
const OVERRUN = 0x800; // in the data register
const IDENTITY = [0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1]; // at FE0

interface State {
  readonly context: Context;
  readonly uart: number;
  readonly lines: UartLines;
  readonly received: number[]; // octet and error bits 11:8
  readonly waiting: number[]; // to be sent
  sending: boolean;
  sentNs: number; // end of the character under way
  overrun: boolean; // one was lost since the last that fitted
  raw: number;
  mask: number;
  status: number; // RSR
  ctrl: number;
  lcr: number;
  divisor: number; // in 1/64, as written
  inUse: number; // as taken over
  levels: number;
  dma: number;
  silence: Alarm | undefined;
}

/** UART `uart`, 0 or 1, after reset. */
export function createUart(context: Context, uart: number, lines: UartLines): Peripheral {
  const state: State = {
    context,
    uart,
    lines,
    received: [],
    waiting: [],
    sending: false,
    sentNs: -Infinity,
    overrun: false,
    raw: 0,
    mask: 0,
    status: 0,
    ctrl: CR_TRANSMIT | CR_RECEIVE,
    lcr: 0,
    divisor: 0,
    inUse: 0,
    levels: 0x12,
    dma: 0,
    silence: undefined,
  };
  lines.listen(
    uart,
    (character) => receive(state, character),
    () => (hears(state) ? format(state) : undefined),
  );
  driveLine(state, true);
  return {
    read: (offset) => (offset === 0 ? take(state) : peek(state, offset)),
    peek: (offset) => peek(state, offset),
    write: (offset, value) => write(state, offset, value),
  };
}

// Idle is high. Bits of characters are not shown as levels; a break is.
function driveLine({ context, uart }: State, level: boolean): void {
  for (const pin of TRANSMIT_PINS[uart]!) context.pins.drive(FUNCTION_UART, pin, level, true);
}

const name = ({ uart }: State): string => `UART${uart}`;
const depth = ({ lcr }: State): number => ((lcr & LCR_FIFO) !== 0 ? FIFO : 1);
const level = (state: State, shift: number): number =>
  depth(state) === 1 ? 1 : (LEVELS[(state.levels >> shift) & 7] ?? LEVELS.at(-1)!);

function format(state: State): Format {
  const { lcr, inUse, context } = state;
  if (inUse < 64) throw new ChipFailure(`${name(state)}: it is used without a divisor`);
  if (context.tree.hz.peri === 0) throw new ChipFailure(`${name(state)}: clk_peri does not run`);
  const kinds: readonly Parity[] = ["odd", "even", "mark", "space"];
  return {
    bitNs: (inUse * 1e9) / (4 * context.tree.hz.peri), // 16 clocks of clk_peri x divisor / 64
    dataBits: 5 + ((lcr >> 5) & 3),
    parity: (lcr & 2) === 0 ? "none" : kinds[((lcr >> 2) & 1) | ((lcr >> 6) & 2)]!,
    stopBits: (lcr & 8) !== 0 ? 2 : 1,
  };
}

// ---- what the processor sees

function flags(state: State): number {
  const { received, waiting } = state;
  const full = depth(state);
  const transmit = (waiting.length === 0 ? 0x80 : 0) | (waiting.length >= full ? 0x20 : 0);
  const receive = (received.length >= full ? 0x40 : 0) | (received.length === 0 ? 0x10 : 0);
  return transmit | receive | (state.sending ? 8 : 0);
}

function peek(state: State, offset: number): number {
  switch (offset) {
    case 0x00:
      return state.received[0] ?? 0;
    case 0x04:
      return state.status;
    case 0x18:
      return flags(state);
    case 0x24:
      return state.divisor >> 6;
    case 0x28:
      return state.divisor & 63;
    case 0x2c:
      return state.lcr;
    case 0x30:
      return state.ctrl;
    case 0x34:
      return state.levels;
    case 0x38:
      return state.mask;
    case 0x3c:
      return state.raw;
    case 0x40:
      return state.raw & state.mask;
    case 0x44:
      return 0; // write only
    case 0x48:
      return state.dma;
    default:
      return IDENTITY[(offset - 0xfe0) >> 2] ?? unknownRegister(name(state), offset);
  }
}

function write(state: State, offset: number, value: number): void {
  if (offset === 0x00) return put(state, value & 0xff);
  if (offset === 0x04) state.status = 0;
  else if (offset === 0x24) state.divisor = ((value & 0xffff) << 6) | (state.divisor & 63);
  else if (offset === 0x28) state.divisor = (state.divisor & ~63) | (value & 63);
  else if (offset === 0x2c) setLine(state, value & 0xff);
  else if (offset === 0x30) setControl(state, value);
  else if (offset === 0x34) state.levels = value & 63;
  else if (offset === 0x38) state.mask = value & 0x7ff;
  else if (offset === 0x44) state.raw &= ~value;
  else if (offset === 0x48) state.dma = value & 7;
  else unknownRegister(name(state), offset);
  update(state);
}

function setLine(state: State, value: number): void {
  const on = (state.ctrl & CR_ENABLE) !== 0;
  const other = (value ^ state.lcr) & ~LCR_BREAK;
  if (on && (other !== 0 || state.inUse !== state.divisor))
    throw new ChipFailure(`${name(state)}: format or divisor changes while it is on`);
  if (((value ^ state.lcr) & LCR_FIFO) !== 0) state.received.length = state.waiting.length = 0;
  state.lcr = value;
  state.inUse = state.divisor;
  driveLine(state, (value & LCR_BREAK) === 0);
}

function setControl(state: State, value: number): void {
  const known = CR_ENABLE | CR_LOOP | CR_TRANSMIT | CR_RECEIVE;
  if ((value & ~known) !== 0) unknownValue(name(state), 0x30, value);
  state.ctrl = value;
  if ((value & CR_ENABLE) !== 0) format(state); // it must have one
  send(state);
}

function update(state: State): void {
  const { context, uart, raw, mask, dma, ctrl } = state;
  context.interrupt(LINES[uart]!, (raw & mask) !== 0);
  const on = (ctrl & CR_ENABLE) !== 0;
  const errors = (dma & 4) !== 0 && (raw & 0x780) !== 0;
  const room = state.waiting.length < depth(state);
  context.request(REQUESTS[uart]!, on && (dma & 2) !== 0 && room);
  context.request(REQUESTS[uart]! + 1, (dma & 1) !== 0 && !errors && state.received.length > 0);
}

// ---- transmit

function put(state: State, octet: number): void {
  if (state.waiting.length >= depth(state))
    throw new ChipFailure(`${name(state)}: transmit FIFO overflows`);
  state.waiting.push(octet);
  if (state.waiting.length > level(state, 0)) state.raw &= ~IRQ_TX;
  send(state);
  update(state);
}

function send(state: State): void {
  const { context, waiting, ctrl } = state;
  const on = (ctrl & (CR_ENABLE | CR_TRANSMIT)) === (CR_ENABLE | CR_TRANSMIT);
  if (state.sending || !on || waiting.length === 0) return;
  const octet = waiting.shift()!;
  const bound = depth(state) === 1 ? 0 : level(state, 0);
  if (waiting.length === bound) state.raw |= IRQ_TX; // it falls to the level
  const shape = format(state);
  // Back to back: each begins where the one before ended, whatever the rounding to cycles.
  const nowNs = context.time.nowNs();
  const startNs = nowNs - state.sentNs < 1e9 / context.time.sysHz() ? state.sentNs : nowNs;
  state.sentNs = startNs + characterBits(shape) * shape.bitNs;
  state.sending = true;
  const errors = (state.lcr & LCR_BREAK) !== 0 ? ERROR_BREAK | ERROR_FRAME : 0;
  context.time.atNs(state.sentNs, () => sent(state, { octet, format: shape, errors }));
}

function sent(state: State, character: Character): void {
  state.sending = false;
  send(state);
  update(state);
  if ((state.ctrl & CR_LOOP) !== 0) receive(state, character, true);
  else state.lines.say(state.uart, character);
}

// ---- receive

const hears = ({ ctrl }: State): boolean =>
  (ctrl & (CR_ENABLE | CR_RECEIVE)) === (CR_ENABLE | CR_RECEIVE);

function receive(state: State, character: Character, looped = false): void {
  if (!hears(state) || (!looped && (state.ctrl & CR_LOOP) !== 0)) return;
  const { octet, errors } = hearAs(character, format(state));
  const { received } = state;
  if (received.length >= depth(state)) {
    state.overrun = true;
    state.status |= 8;
    state.raw |= IRQ_OVERRUN;
    state.lines.lost(state.uart);
  } else {
    received.push(octet | (errors << 8) | (state.overrun ? OVERRUN : 0)); // (U1)
    state.overrun = false;
    state.raw |= errors << 7;
    if (received.length === level(state, 3)) state.raw |= IRQ_RX; // it rises to the level
  }
  armSilence(state);
  update(state);
}

function take(state: State): number {
  const { received } = state;
  const entry = received.shift();
  if (entry === undefined) return 0;
  state.status = (state.status & 8) | ((entry >> 8) & 7);
  if (received.length < level(state, 3)) state.raw &= ~IRQ_RX;
  if (received.length === 0) state.raw &= ~IRQ_TIMEOUT;
  armSilence(state);
  update(state);
  return entry;
}

// (U2)
function armSilence(state: State): void {
  const { time } = state.context;
  state.silence?.cancel();
  state.silence = undefined;
  if (state.received.length === 0) return;
  state.silence = time.atNs(time.nowNs() + TIMEOUT_BITS * format(state).bitNs, () => {
    state.silence = undefined;
    state.raw |= IRQ_TIMEOUT;
    update(state);
  });
}
