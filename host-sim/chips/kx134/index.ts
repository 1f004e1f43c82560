// SPDX-License-Identifier: MIT
// A KX134-1211 accelerometer at SPI and I2C level, with its sample buffer.
//
// Spec: Kionix KX134-1211 Technical Reference Manual Rev. 1.0, sections 1.4 to 1.6, 1.48 to 1.53, 2.5; data sheet, I2C
// Operation. Modelled: software reset, identity, standby, output data rate, range, the buffer in stream mode with 16
// bits, a supply that fails. The vibration is on Z; X and Y are 0, and nothing weighs: as the simulator's
// accelerometer has it. On I2C it acknowledges neither the octet that resets it nor, for RESET_NS, its address.
// (X1) sample n stands at n periods after PC1 was set and is in the buffer one period later.
// (X2) a full buffer drops its oldest sample for the newest.
// (X3) what the manual forbids or the model does not know ends the run by name.

import { countsOf } from "../../accelerometer.ts";
import { ChipFailure } from "../failure.ts";

export const BUFFER_SAMPLES = 86; // of three axes of 16 bits
const SAMPLE_OCTETS = 6;
const RESET_NS = 2e6; // from SRST until it answers again
const SLOWEST_HZ = 25 / 32; // OSA 0; each step doubles it
const NARROWEST_G = 8; // GSEL 0
const READ = 0x80;

const [WHO_AM_I, COTR, CNTL1, CNTL2, ODCNTL] = [0x13, 0x12, 0x1b, 0x1c, 0x21];
const [BUF_CNTL2, BUF_STATUS_1, BUF_STATUS_2] = [0x5f, 0x60, 0x61];
const [BUF_CLEAR, BUF_READ, POWER] = [0x62, 0x63, 0x7f];
const RESET_VALUES: readonly (readonly [register: number, value: number])[] = [
  [0x00, 0x4b], // "Kion"
  [0x01, 0x69],
  [0x02, 0x6f],
  [0x03, 0x6e],
  [COTR, 0x55],
  [WHO_AM_I, 0x46],
  [CNTL1, 0],
  [CNTL2, 0x3f],
  [ODCNTL, 0x06],
  [BUF_CNTL2, 0],
];
const WRITABLE: ReadonlySet<number> = new Set([CNTL1, CNTL2, ODCNTL, BUF_CNTL2, BUF_CLEAR, POWER]);

/** Where its samples come from. */
export interface Kx134Source {
  nowNs(): number;
  /** Accelerations along Z in m/s²: `target[i]` is sample `first + i`, sample n at startNs + n / rateHz. */
  sample(startNs: number, first: number, rateHz: number, target: Float64Array): void;
}

export interface Kx134 {
  /** CS is low from now on, or no longer. */
  select(low: boolean): void;
  /** An octet each way. */
  exchange(octet: number): number;
  /** Its face on I2C; nCS is high there. */
  onI2c(address: number): Kx134OnI2c;
  /** Its supply fails: nothing drives a line; it comes back as after power-on. */
  setPower(on: boolean): void;
  /** When PC1 was set last, undefined: standby. */
  startNs(): number | undefined;
  /** Samples that a full buffer dropped since power-on. */
  dropped(): number;
}

/** As a device of I2C is asked; true: acknowledged. */
export interface Kx134OnI2c {
  start(address: number, reads: boolean): boolean;
  write(octet: number): boolean;
  read(): number;
  stop(): void;
}

interface State {
  readonly source: Kx134Source;
  readonly registers: Map<number, number>;
  readonly value: Float64Array; // of one sample
  readonly sample: Uint8Array; // the one that is being read
  selected: boolean; // by CS, or by its address
  address: number; // of the next octet, -1: it is the address
  powered: boolean;
  reads: boolean;
  readyNs: number;
  startNs: number;
  next: number; // number of the oldest sample in the buffer
  octet: number; // of `sample`, the next one to be read
  dropped: number;
}

/** A sensor that has had power for long. */
export function createKx134(source: Kx134Source): Kx134 {
  const s: State = {
    source,
    registers: new Map(RESET_VALUES),
    value: new Float64Array(1),
    sample: new Uint8Array(SAMPLE_OCTETS),
    ...{ selected: false, address: -1, reads: false, readyNs: -Infinity, startNs: 0 },
    powered: true,
    ...{ next: 0, octet: 0, dropped: 0 },
  };
  return {
    select(low) {
      s.selected = low;
      s.address = -1;
    },
    exchange(octet) {
      if (!s.selected || !s.powered) return 0;
      if (s.address < 0) {
        s.reads = (octet & READ) !== 0;
        s.address = octet & 0x7f;
        return 0;
      }
      const address = takeAddress(s);
      if (source.nowNs() < s.readyNs) return 0;
      if (s.reads) return read(s, address);
      write(s, address, octet);
      return 0;
    },
    onI2c: (address) => createI2cFace(s, address),
    setPower(on) {
      reset(s);
      s.readyNs = on ? source.nowNs() + RESET_NS : Infinity;
      s.powered = on;
      s.selected = false;
    },
    startNs: () => (isOn(s) ? s.startNs : undefined),
    dropped: () => s.dropped,
  };
}

function createI2cFace(s: State, own: number): Kx134OnI2c {
  return {
    start(address, reads) {
      s.selected = address === own && s.source.nowNs() >= s.readyNs;
      if (!reads) s.address = -1;
      return s.selected;
    },
    write(octet) {
      if (!s.selected) return false;
      if (s.address >= 0) return write(s, takeAddress(s), octet);
      if ((octet & READ) !== 0) unknown("register", octet);
      s.address = octet;
      return true;
    },
    read: () => (s.selected ? read(s, takeAddress(s)) : 0xff), // nobody pulls SDA down
    stop: () => void (s.selected = false),
  };
}

// Where the next octet is read or written; it goes up by itself.
function takeAddress(s: State): number {
  const { address } = s;
  if (address !== BUF_READ) s.address = (address + 1) & 0x7f;
  return address;
}

const isOn = ({ registers }: State): boolean => (registers.get(CNTL1)! & 0x80) !== 0;
const rateHz = ({ registers }: State): number => SLOWEST_HZ * 2 ** (registers.get(ODCNTL)! & 15);
const rangeG = ({ registers }: State): number =>
  NARROWEST_G * 2 ** ((registers.get(CNTL1)! >> 3) & 3);

// Samples in the buffer now.
function level(s: State): number {
  if (!isOn(s) || s.registers.get(BUF_CNTL2) === 0) return 0;
  const sampled = Math.floor(((s.source.nowNs() - s.startNs) * rateHz(s)) / 1e9 + 1e-6); // (X1)
  const over = sampled - s.next - BUFFER_SAMPLES;
  if (over > 0) {
    s.next += over; // (X2)
    s.dropped += over;
    s.octet = 0;
  }
  return sampled - s.next;
}

function read(s: State, address: number): number {
  const waiting = level(s) * SAMPLE_OCTETS - s.octet;
  if (address === BUF_STATUS_1) return waiting & 0xff;
  if (address === BUF_STATUS_2) return waiting >> 8;
  if (address === BUF_READ) return readBuffer(s, waiting);
  return s.registers.get(address) ?? unknown("register", address);
}

function readBuffer(s: State, waiting: number): number {
  if (waiting <= 0) throw new ChipFailure("KX134: BUF_READ of an empty buffer");
  if (s.octet === 0) {
    s.source.sample(s.startNs, s.next, rateHz(s), s.value);
    const counts = countsOf(s.value[0]!, rangeG(s));
    s.sample[4] = counts & 0xff; // Z; X and Y stay 0
    s.sample[5] = (counts >> 8) & 0xff;
  }
  const octet = s.sample[s.octet++]!;
  if (s.octet < SAMPLE_OCTETS) return octet;
  s.octet = 0;
  s.next++;
  return octet;
}

// False: it has no time to say that it heard.
function write(s: State, address: number, octet: number): boolean {
  if (!WRITABLE.has(address)) unknown("register", address);
  const wasOn = isOn(s);
  if (address === CNTL2 && (octet & 0x80) !== 0) {
    reset(s);
    return false;
  }
  if (address === BUF_CLEAR) {
    s.next += level(s);
    s.octet = 0;
    return true;
  }
  if (wasOn && (address === ODCNTL || (address === CNTL1 && (octet & 0x80) !== 0)))
    throw new ChipFailure("KX134: rate or range changes while PC1 is set"); // (X3)
  if (address === BUF_CNTL2 && octet !== 0 && (octet & 0xc3) !== 0xc1) unknown("mode", octet);
  if (address === CNTL1 && (octet & 0x27) !== 0) unknown("mode", octet);
  if (address === POWER && octet !== 0) unknown("mode", octet);
  s.registers.set(address, octet);
  if (wasOn || !isOn(s)) return true;
  s.startNs = s.source.nowNs();
  s.next = s.octet = 0;
  return true;
}

function reset(s: State): void {
  for (const [register, value] of RESET_VALUES) s.registers.set(register, value);
  s.readyNs = s.source.nowNs() + RESET_NS;
  s.next = s.octet = 0;
}

function unknown(what: string, value: number): never {
  throw new ChipFailure(`KX134: ${what} 0x${value.toString(16)} is not modelled`);
}
