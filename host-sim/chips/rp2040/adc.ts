// SPDX-License-Identifier: MIT
// ADC (datasheet 4.9): one converter of 12 bits for four pins and the sensor.
//
// A conversion takes 96 cycles of clk_adc. The input is sampled at the start of a conversion, where firmware that is timed by the tick has set it off.
// Which code a voltage becomes is the part's: `ideal`, or `measured` with the wide codes of erratum E11.

import { unknownRegister, type Context } from "./context.ts";
import { ChipFailure, type Alarm, type Peripheral } from "./peripheral.ts";

const ADC_CHANNELS = 5;
export const ADC_MAX = 4095;
const TEMPERATURE = 4;
const INTERRUPT = 22;
const REQUEST = 36;
const FIFO_SAMPLES = 4;
const CONVERSION_CYCLES = 96;
const REFERENCE_V = 3.3;

// Erratum E11: each of these codes is as wide as about nine others.
const WIDE_CODES = [512, 1536, 2560, 3584];
const WIDE = 9;

/** Volts at the input to a code. */
export type Converter = (volts: number) => number;

export const ideal: Converter = (volts) => clampCode(Math.floor((volts / REFERENCE_V) * 4096));

const thresholds = wideThresholds();

/** With the wide codes of E11 and nothing else: the gain is that of `ideal` at both ends. */
export const measured: Converter = (volts) => {
  const wanted = (volts / REFERENCE_V) * 4096;
  let [low, high] = [0, ADC_MAX];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (thresholds[middle]! <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
};

/** Where each code begins, in ideal steps. */
function wideThresholds(): Float64Array {
  const narrow = (4096 - WIDE * WIDE_CODES.length) / (4096 - WIDE_CODES.length);
  const begins = new Float64Array(4096);
  for (let code = 1; code < 4096; code++)
    begins[code] = begins[code - 1]! + (WIDE_CODES.includes(code - 1) ? WIDE : narrow);
  return begins;
}

function clampCode(code: number): number {
  return Math.min(ADC_MAX, Math.max(0, code));
}

/** Degrees of the chip to volts of its sensor (datasheet 4.9.5). */
export function sensorVolts(celsius: number): number {
  return 0.706 - (celsius - 27) * 0.001721;
}

export interface AdcInput {
  /** Volts at ADC0 to ADC3 and of the sensor; undefined: nothing is there. */
  volts(channel: number): number | undefined;
  convert: Converter;
}

interface Adc {
  context: Context;
  input: AdcInput;
  fifo: number[];
  control: number;
  fifoControl: number;
  divider: number;
  enabled: number;
  forced: number;
  result: number;
  fifoSticky: number; // bit 10 underflow, 11 overflow
  conversion: Alarm | undefined;
  period: Alarm | undefined;
}

/** The block after reset. A conversion of a pin without a source ends the run. */
export function createAdc(context: Context, input: AdcInput): Peripheral {
  const s: Adc = {
    context,
    input,
    fifo: [],
    control: 0,
    fifoControl: 0,
    divider: 0,
    enabled: 0,
    forced: 0,
    result: 0,
    fifoSticky: 0,
    conversion: undefined,
    period: undefined,
  };

  return {
    read(offset) {
      const value = peek(s, offset);
      if (offset !== 0x0c) return value;
      if (s.fifo.shift() === undefined) s.fifoSticky |= 1 << 10;
      update(s);
      return value;
    },
    peek: (offset) => peek(s, offset),
    write(offset, value) {
      if (offset === 0x00) setControl(s, value);
      else if (offset === 0x08) {
        s.fifoControl = value & 0x0f00000f;
        s.fifoSticky &= ~(value & 0xc00);
      } else if (offset === 0x10) s.divider = value & 0xffffff;
      else if (offset === 0x18) s.enabled = value & 1;
      else if (offset === 0x1c) s.forced = value & 1;
      else unknownRegister("ADC", offset);
      update(s);
    },
  };
}

function isOn(s: Adc): boolean {
  return (s.control & 1) !== 0;
}

function threshold(s: Adc): number {
  return (s.fifoControl >> 24) & 15;
}

function raw(s: Adc): number {
  return s.fifoControl & 1 && s.fifo.length >= threshold(s) ? 1 : 0;
}

function update(s: Adc): void {
  s.context.interrupt(INTERRUPT, ((raw(s) & s.enabled) | s.forced) !== 0);
  s.context.request(
    REQUEST,
    (s.fifoControl & 8) !== 0 && s.fifo.length >= Math.max(1, threshold(s)),
  );
}

function cyclesNs(s: Adc, cycles: number): number {
  if (s.context.tree.hz.adc === 0)
    throw new ChipFailure("ADC: a conversion starts while clk_adc is stopped");
  return (cycles * 1e9) / s.context.tree.hz.adc;
}

function start(s: Adc): void {
  const channel = (s.control >> 12) & 7;
  if (channel === TEMPERATURE && (s.control & 2) === 0)
    throw new ChipFailure("ADC: the temperature sensor is read while CS.TS_EN is 0");
  const volts = s.input.volts(channel);
  if (channel >= ADC_CHANNELS || volts === undefined)
    throw new ChipFailure(`ADC: nothing is on channel ${channel}`);
  const code = s.input.convert(volts);
  s.control &= ~0x100;
  s.conversion = s.context.time.atNs(s.context.time.nowNs() + cyclesNs(s, CONVERSION_CYCLES), () =>
    end(s, code),
  );
}

// Conversions of START_MANY begin at a fixed distance, of at least one conversion.
function startMany(s: Adc): void {
  if ((s.control & 8) === 0 || !isOn(s)) return;
  const startNs = s.context.time.nowNs();
  start(s);
  const cycles = Math.max(CONVERSION_CYCLES, 1 + s.divider / 256);
  s.period = s.context.time.atNs(startNs + cyclesNs(s, cycles), () => startMany(s));
}

function end(s: Adc, code: number): void {
  s.conversion = undefined;
  s.result = code;
  s.control |= 0x100;
  if (s.fifoControl & 1) {
    if (s.fifo.length < FIFO_SAMPLES) s.fifo.push((s.fifoControl & 2) !== 0 ? code >> 4 : code);
    else s.fifoSticky |= 1 << 11;
  }
  advance(s);
  update(s);
}

// Round robin: the next channel of RROBIN above this one, in a circle.
function advance(s: Adc): void {
  const set = (s.control >> 16) & 31;
  if (set === 0) return;
  let channel = (s.control >> 12) & 7;
  do channel = (channel + 1) % ADC_CHANNELS;
  while (((set >> channel) & 1) === 0);
  s.control = (s.control & ~0x7000) | (channel << 12);
}

function setControl(s: Adc, value: number): void {
  const wasOn = isOn(s);
  const isReady = s.conversion === undefined ? 0x100 : 0;
  s.control = (value & 0x1f700b) | ((value & 1) !== 0 ? isReady : 0);
  if (!isOn(s) || (value & 8) === 0) {
    s.period?.cancel();
    s.period = undefined;
  }
  if (!isOn(s)) {
    s.conversion?.cancel();
    s.conversion = undefined;
    return;
  }
  if (!wasOn) s.control |= 0x100;
  if (s.conversion !== undefined) return;
  if ((value & 8) !== 0 && s.period === undefined) startMany(s);
  else if ((value & 4) !== 0) start(s);
}

function fifoStatus(s: Adc): number {
  const empty = s.fifo.length === 0 ? 0x100 : 0;
  const full = s.fifo.length === FIFO_SAMPLES ? 0x200 : 0;
  return s.fifoControl | empty | full | s.fifoSticky | (s.fifo.length << 16);
}

function peek(s: Adc, offset: number): number {
  if (offset === 0x00) return s.control;
  if (offset === 0x04) return s.result;
  if (offset === 0x08) return fifoStatus(s);
  if (offset === 0x0c) return s.fifo[0] ?? 0;
  if (offset === 0x10) return s.divider;
  if (offset === 0x14) return raw(s);
  if (offset === 0x18) return s.enabled;
  if (offset === 0x1c) return s.forced;
  return offset === 0x20 ? (raw(s) & s.enabled) | s.forced : unknownRegister("ADC", offset);
}
