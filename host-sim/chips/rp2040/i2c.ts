// SPDX-License-Identifier: MIT
// I2C (DW_apb_i2c, datasheet 4.3) as the master of devices with 7-bit addresses.
//
// An octet takes nine periods of SCL, start, restart and stop one each; a period is HCNT + SPKLEN + 7 and LCNT + 1
// cycles of clk_sys (4.3.14.1). The block's own levels are not shown; what others pull low it sees: SCL stretches the
// octet, SDA loses it what it says, and with one of them low there is no START or STOP. Both FIFOs hold 16. Not
// modelled: slave, ten-bit addresses, other masters, lines without pull-ups, SDA hold and set-up times.
// (I1) an abort empties the transmit FIFO, and it stays empty until CLR_TX_ABRT is read.
// (I2) without STOP in the latest command the master holds SCL low and waits for the next one.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";
import { FUNCTION_I2C } from "./pins.ts";

const FIFO = 16;
const OCTET_BITS = 9; // with its acknowledgement
const INTERRUPT = 23;
const REQUEST = 32; // of transmit; of receive one more
const [RX_UNDER, RX_OVER, RX_FULL, TX_OVER, TX_EMPTY] = [1, 2, 4, 8, 16];
const [TX_ABRT, ACTIVITY, STOP_DET, START_DET, RESTART_DET] = [64, 256, 512, 1024, 4096];
const [NO_ADDRESS_ACK, NO_DATA_ACK, LOST, USER_ABORT] = [1, 8, 1 << 12, 1 << 16];
const [READ, STOP, RESTART, FIRST] = [0x100, 0x200, 0x400, 0x800]; // of DATA_CMD
const [SDA, SCL] = [0, 1]; // of a wire's pins
const [CON_MASTER, CON_RESTART, CON_NO_SLAVE] = [1, 32, 64];
const CON_KNOWN = 0x167; // master, speed, restart, no slave, TX_EMPTY at the end of the octet

/** A device; each call stands at the end of what it is told of. */
export interface I2cDevice {
  /** Start or restart with this address; true: acknowledged. */
  start(address: number, reads: boolean): boolean;
  /** An octet for the device; true: acknowledged. */
  write(octet: number): boolean;
  /** An octet of the device. `last`: it is not acknowledged. */
  read(last: boolean): number;
  stop(): void;
  /** How long it holds SCL low before the next octet. */
  stretchNs?(): number;
}

/** What hangs on the lines of one I2C; outlives resets of the block. */
export interface I2cWire {
  pins: readonly [sda: number, scl: number];
  devices: readonly I2cDevice[];
}

// Registers that keep what is written: reset value and bits.
const STORED: Readonly<Record<number, readonly [reset: number, mask: number]>> = {
  0x08: [0x55, 0x3ff],
  0x14: [0x28, 0xffff],
  0x18: [0x2f, 0xffff],
  0x1c: [0x06, 0xffff],
  0x20: [0x0d, 0xffff],
  0x30: [0x8ff, 0x1fff],
  0x38: [0, 0xff],
  0x3c: [0, 0xff],
  0x7c: [1, 0xffffff],
  0x88: [0, 3],
  0x8c: [0, 15],
  0x90: [0, 15],
  0x94: [0x64, 0xff],
  0xa0: [7, 0xff],
};
// What reading a CLR register clears.
const CLEARS: Readonly<Record<number, number>> = {
  0x40: RX_UNDER | RX_OVER | TX_OVER | TX_ABRT | ACTIVITY | STOP_DET | START_DET | RESTART_DET,
  0x44: RX_UNDER,
  0x48: RX_OVER,
  0x4c: TX_OVER,
  0x50: 0,
  0x54: TX_ABRT,
  0x58: 0,
  0x5c: ACTIVITY,
  0x60: STOP_DET,
  0x64: START_DET,
  0x68: 0,
  0xa8: RESTART_DET,
};

interface I2c {
  readonly context: Context;
  readonly index: number;
  readonly wire: () => I2cWire | undefined;
  readonly commands: number[];
  readonly received: number[];
  readonly stored: Map<number, number>;
  control: number;
  target: number;
  enable: number;
  latched: number;
  abortSource: number;
  device: I2cDevice | undefined; // that acknowledged its address
  reads: boolean;
  first: boolean; // the next octet that is read comes first after the address
  owns: boolean; // between START and STOP
  working: boolean; // something is on the wires
}

/** I2C `index`, 0 or 1, after reset. Without a device at the selected pins nobody acknowledges. */
export function createI2c(
  context: Context,
  index: number,
  wire: () => I2cWire | undefined,
): Peripheral {
  const s: I2c = {
    ...{ context, index, wire, commands: [], received: [] },
    stored: new Map(Object.entries(STORED).map(([offset, [reset]]) => [Number(offset), reset])),
    ...{ control: 0x65, target: 0x55, enable: 0, latched: 0, abortSource: 0 },
    ...{ device: undefined, reads: false, first: false, owns: false, working: false },
  };
  return {
    read: (offset) => read(s, offset),
    peek: (offset) => peek(s, offset),
    write: (offset, value) => write(s, offset, value),
  };
}

// ---- the wires

function periodNs(s: I2c): number {
  const isFast = ((s.control >> 1) & 3) > 1;
  const high = s.stored.get(isFast ? 0x1c : 0x14)! + s.stored.get(0xa0)! + 7;
  return ((high + s.stored.get(isFast ? 0x20 : 0x18)! + 1) * 1e9) / s.context.time.sysHz();
}

// Once the periods are over and nobody pulls one of these lines low.
function after(s: I2c, periods: number, call: () => void, lines = [SCL]): void {
  s.working = true;
  const { time } = s.context;
  const done = (): void => {
    s.working = false;
    call();
    update(s);
  };
  time.atNs(time.nowNs() + periods * periodNs(s), () => whenHigh(s, lines, done));
}

const isLow = (s: I2c, line: number): boolean => {
  const pin = s.wire()?.pins[line];
  return pin !== undefined && !s.context.pins.input(pin);
};

function whenHigh(s: I2c, lines: readonly number[], call: () => void): void {
  const low = lines.find((line) => isLow(s, line));
  if (low === undefined) return call();
  const end = s.context.pins.onInput(s.wire()!.pins[low]!, (level) => {
    if (!level) return;
    end();
    whenHigh(s, lines, call);
  });
}

function next(s: I2c): void {
  if (s.working || (s.enable & 1) === 0) return;
  if ((s.enable & 2) !== 0) return abort(s, USER_ABORT);
  const command = s.commands[0];
  if (command === undefined) return; // (I2)
  const reads = (command & READ) !== 0;
  const isOther = s.owns && (reads !== s.reads || (command & RESTART) !== 0);
  if (!s.owns) return begin(s, reads);
  if (isOther && (s.control & CON_RESTART) !== 0) return address(s, reads);
  if (isOther) return finish(s, () => next(s)); // STOP, then START
  s.commands.shift();
  transfer(s, command);
}

function begin(s: I2c, reads: boolean): void {
  s.working = true;
  whenHigh(s, [SDA, SCL], () => {
    s.working = false;
    address(s, reads);
    update(s);
  });
}

// START or RESTART, and the address.
function address(s: I2c, reads: boolean): void {
  s.latched |= ACTIVITY | START_DET | (s.owns ? RESTART_DET : 0);
  s.owns = true;
  s.reads = s.first = reads;
  s.commands[0]! &= ~RESTART; // done
  after(s, 1 + OCTET_BITS, () => {
    const there = s.wire();
    const joined = there?.pins.every((pin) => s.context.pins.selected(pin) === FUNCTION_I2C);
    const devices = joined === true ? there!.devices : [];
    if (isLow(s, SDA)) return lose(s);
    s.device = devices.find((device) => device.start(s.target, reads));
    if (s.device === undefined) abort(s, NO_ADDRESS_ACK);
    else stretch(s);
  });
}

function stretch(s: I2c): void {
  const ns = s.device?.stretchNs?.() ?? 0;
  if (ns > 0) after(s, ns / periodNs(s), () => next(s));
  else next(s);
}

function transfer(s: I2c, command: number): void {
  after(s, OCTET_BITS, () => {
    const stops = (command & STOP) !== 0;
    const held = isLow(s, SDA);
    if (s.reads) receive(s, s.device!.read(stops) & (held ? 0 : 0xff));
    else if (held && (command & 0xff) !== 0) return lose(s);
    else if (!s.device!.write(command & 0xff)) return abort(s, NO_DATA_ACK);
    if (stops) finish(s, () => next(s));
    else stretch(s);
  });
}

function receive(s: I2c, octet: number): void {
  if (s.received.length < FIFO) s.received.push(octet | (s.first ? FIRST : 0));
  else s.latched |= RX_OVER;
  s.first = false;
}

// What it said is not what stood on SDA: it lets go, without a STOP.
function lose(s: I2c): void {
  s.owns = false;
  s.device = undefined;
  abort(s, LOST);
}

function finish(s: I2c, call: () => void): void {
  after(
    s,
    1,
    () => {
      s.device?.stop();
      s.device = undefined;
      s.owns = false;
      s.latched |= STOP_DET;
      s.latched &= ~ACTIVITY;
      call();
    },
    [SDA, SCL],
  );
}

// (I1)
function abort(s: I2c, source: number): void {
  s.abortSource = (source | (s.commands.length << 23)) >>> 0;
  s.commands.length = 0;
  s.latched |= TX_ABRT;
  s.enable &= ~2;
  if (s.owns) finish(s, () => undefined);
}

// ---- interrupts and requests

function raw(s: I2c): number {
  const full = s.received.length > s.stored.get(0x38)! ? RX_FULL : 0;
  const waits = s.commands.length > s.stored.get(0x3c)!;
  const atEnd = (s.control & 0x100) !== 0 && s.working && s.commands.length === 0 && s.owns;
  return s.latched | full | ((s.enable & 1) === 0 || waits || atEnd ? 0 : TX_EMPTY);
}

function update(s: I2c): void {
  const dma = s.stored.get(0x88)!;
  s.context.interrupt(INTERRUPT + s.index, (raw(s) & s.stored.get(0x30)!) !== 0);
  const wants = (s.enable & 1) !== 0 && s.commands.length <= s.stored.get(0x8c)!;
  const line = REQUEST + 2 * s.index;
  s.context.request(line, (dma & 2) !== 0 && wants && (s.latched & TX_ABRT) === 0);
  s.context.request(line + 1, (dma & 1) !== 0 && s.received.length > s.stored.get(0x90)!);
}

// ---- registers

const name = ({ index }: I2c): string => `I2C${index}`;

function status(s: I2c): number {
  const room = s.commands.length < FIFO ? 2 : 0;
  const empty = s.commands.length === 0 ? 4 : 0;
  const some = s.received.length > 0 ? 8 : 0;
  const full = s.received.length === FIFO ? 16 : 0;
  return room | empty | some | full | (s.owns || s.working ? 0x21 : 0);
}

function peek(s: I2c, offset: number): number {
  if (offset === 0x00) return s.control;
  if (offset === 0x04) return s.target;
  if (offset === 0x10) return s.received[0] ?? 0;
  if (offset === 0x2c) return raw(s) & s.stored.get(0x30)!;
  if (offset === 0x34) return raw(s);
  if (offset === 0x6c) return s.enable;
  if (offset === 0x70) return status(s);
  if (offset === 0x74) return s.commands.length;
  if (offset === 0x78) return s.received.length;
  if (offset === 0x80) return s.abortSource;
  if (offset === 0x9c) return s.enable & 1;
  if (offset === 0xfc) return 0x44570140;
  if (CLEARS[offset] !== undefined) return 0;
  return s.stored.get(offset) ?? unknownRegister(name(s), offset);
}

function read(s: I2c, offset: number): number {
  const value = peek(s, offset);
  if (offset === 0x10) {
    if (s.received.shift() === undefined) s.latched |= RX_UNDER;
  } else if (CLEARS[offset] !== undefined) {
    s.latched &= ~CLEARS[offset];
    if (offset === 0x54 || offset === 0x40) s.abortSource = 0;
  } else return value;
  update(s);
  return value;
}

function write(s: I2c, offset: number, value: number): void {
  if (offset === 0x10) send(s, value);
  else if (offset === 0x6c) setEnable(s, value);
  else if (offset === 0x00 || offset === 0x04 || (offset >= 0x14 && offset <= 0x20)) {
    if ((s.enable & 1) !== 0)
      throw new ChipFailure(`${name(s)}: CON, TAR or a count changes while it is on`);
    if (offset === 0x00) setControl(s, value);
    else if (offset === 0x04) s.target = known(s, offset, value, 0x3ff);
    else s.stored.set(offset, value & 0xffff);
  } else {
    const mask = STORED[offset]?.[1];
    if (mask === undefined) unknownRegister(name(s), offset);
    s.stored.set(offset, value & mask);
  }
  next(s);
  update(s);
}

function known(s: I2c, offset: number, value: number, mask: number): number {
  return (value & ~mask) === 0 ? value : unknownValue(name(s), offset, value);
}

function setControl(s: I2c, value: number): void {
  const isMaster = (value & CON_MASTER) !== 0 && (value & CON_NO_SLAVE) !== 0;
  if (!isMaster) unknownValue(name(s), 0, value);
  s.control = known(s, 0, value, CON_KNOWN);
}

function setEnable(s: I2c, value: number): void {
  if ((value & 1) === 0 && s.owns) throw new ChipFailure(`${name(s)}: off within a transfer`);
  s.enable = known(s, 0x6c, value, 3);
  if ((value & 1) === 0) s.commands.length = s.received.length = 0;
}

function send(s: I2c, value: number): void {
  if ((s.enable & 1) === 0) throw new ChipFailure(`${name(s)}: a command while it is off`);
  if ((s.latched & TX_ABRT) !== 0) return; // (I1)
  if (s.commands.length >= FIFO) s.latched |= TX_OVER;
  else s.commands.push(value & 0x7ff);
}
