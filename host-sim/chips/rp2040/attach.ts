// SPDX-License-Identifier: MIT
// A device of host-sim/devices on the pins of the chip.
//
// The device lives in the machine's time and is asked for its present: at each conversion for its analog
// inputs, every STEP_NS for the rest. Characters arrive LAG_NS after the device has said them, so that
// their distances on the line are kept whatever the step.

import type { Device } from "../../devices/device.ts";
import { createKx134, type Kx134 } from "../kx134/index.ts";
import type { Rp2040 } from "./index.ts";
import type { Alarm } from "./peripheral.ts";
import type { Format } from "./serial.ts";

const STEP_NS = 50_000; // half a character at 115,200 baud
export const LAG_NS = STEP_NS;
const REFERENCE_V = 3.3;
const CODES = 4096;
const DUTY_FULL = 65_535;
const PULSES_A_STEP_MAX = 16; // 320 kHz: more than any counter of a machine

/** GPIOs by the device's numbers: place 1 is input, output, pin or tap 1. */
export interface Wiring {
  analog: readonly number[];
  digital: readonly number[];
  pulses: readonly number[];
  pwm: readonly number[];
  taps: readonly { rx: number; tx?: number | undefined; format: Format }[];
  /** A KX134 each, alone on its SPI or I2C; a node's firmware speaks to one. */
  accelerometers?: readonly SensorPins[];
}

export type SensorPins = SpiPins | I2cPins;

export interface SpiPins {
  spi: 0 | 1;
  sck: number;
  tx: number;
  rx: number;
  cs: number;
}

export interface I2cPins {
  i2c: 0 | 1;
  sda: number;
  scl: number;
  address: number;
}

export interface Attachment {
  readonly accelerometers: readonly Kx134[];
  /** Characters of the device that no UART heard. */
  unheard(): number;
  /** Lets go of the pins. */
  end(): void;
}

interface State {
  readonly chip: Rp2040;
  readonly device: Device;
  readonly wiring: Wiring;
  readonly startUs: number; // the machine's time at the chip's power-on
  readonly pulses: number[]; // by input: counted so far
  readonly ends: (() => void)[];
  readonly counts: { unheard: number };
  nextNs: number;
  alarm: Alarm | undefined;
}

/** Attaches it from now on. */
export function attachDevice(
  chip: Rp2040,
  device: Device,
  wiring: Wiring,
  startUs = 0,
): Attachment {
  const state: State = {
    ...{ chip, device, wiring, startUs },
    pulses: wiring.pulses.map((_, input) => device.pulses?.(input) ?? -1),
    ends: [],
    nextNs: chip.time.nowNs(),
    counts: { unheard: 0 },
    alarm: undefined,
  };
  attachAnalog(state);
  attachOutputs(state);
  wiring.taps.forEach(({ tx }, tap) => attachSender(state, tap, tx));
  const accelerometers = (wiring.accelerometers ?? []).map((pins, number) =>
    attachAccelerometer(state, pins, number),
  );
  step(state);
  return {
    accelerometers,
    unheard: () => state.counts.unheard,
    end() {
      state.alarm?.cancel();
      for (const end of state.ends) end();
    },
  };
}

// The device lives on to the chip's present.
function advance(state: State): void {
  const { chip, device, startUs } = state;
  const { time } = chip;
  device.advance(startUs + Math.floor(time.nowNs() / 1000), (tap, endUs, octet, errors) => {
    const ns = (endUs - startUs) * 1000 + LAG_NS;
    time.atNs(Math.max(ns, time.nowNs()), () => hear(state, tap, octet, errors));
  });
}

function hear({ chip, wiring, counts }: State, tap: number, octet: number, errors: number): void {
  const line = wiring.taps[tap];
  const { rx, format } = line ?? { rx: -1, format: undefined };
  if (format === undefined || !chip.serial.hear(rx, { octet, errors, format })) counts.unheard++;
}

// What a UART sends on a tap; a character counts where its pin was driven to its end.
function attachSender(state: State, tap: number, tx: number | undefined): void {
  const { chip, device, startUs } = state;
  if (tx === undefined) return;
  const end = chip.serial.onSay(tx, ({ octet }) => {
    if (!chip.pins.driven(tx)) return;
    advance(state);
    device.hear?.(tap, startUs + Math.round(chip.time.nowNs() / 1000), octet, 0);
  });
  state.ends.push(end);
}

function attachAnalog(state: State): void {
  const { chip, device, wiring } = state;
  wiring.analog.forEach((pin, input) => {
    chip.pins.setVolts(pin, () => {
      advance(state);
      const code = device.adc(input);
      return code < 0 ? undefined : ((code + 0.5) / CODES) * REFERENCE_V; // the middle of the code
    });
    state.ends.push(() => chip.pins.setVolts(pin, undefined));
  });
}

function attachOutputs(state: State): void {
  const { chip, device, wiring } = state;
  const outputOf = (pin: number): number => ((pin & 15) >> 1) * 2 + (pin & 1);
  const stop = chip.blocks.onPwm((changed) => {
    wiring.pwm.forEach((pin, output) => {
      if (outputOf(pin) !== changed) return;
      advance(state);
      device.pwm(output, Math.round(chip.blocks.pwm[changed]!.duty * DUTY_FULL));
    });
  });
  state.ends.push(stop);
  wiring.digital.forEach((pin, number) => {
    if ((device.digital?.(number) ?? -1) >= 0) return; // an input
    const end = chip.pins.onChange(pin, (level, driven) => {
      if (!driven) return;
      advance(state);
      device.setDigital?.(number, level ? 1 : 0);
    });
    state.ends.push(end);
  });
  state.ends.push(() => {
    for (const pin of [...wiring.digital, ...wiring.pulses]) chip.pins.drive(pin, undefined);
  });
}

function attachAccelerometer(state: State, pins: SensorPins, number: number): Kx134 {
  const { chip, device, startUs } = state;
  const sensor = createKx134({
    nowNs: () => chip.time.nowNs(),
    sample(startNs, first, rateHz, target) {
      if (device.vibration === undefined) return void target.fill(0);
      advance(state);
      device.vibration(number, { startUs: startUs + startNs / 1000, first, rateHz }, target);
    },
  });
  if ("i2c" in pins) {
    const { i2c, sda, scl, address } = pins;
    chip.blocks.attachI2c(i2c, { pins: [sda, scl], devices: [sensor.onI2c(address)] });
    state.ends.push(() => chip.blocks.attachI2c(i2c, undefined));
    return sensor;
  }
  const { spi, sck, tx, rx, cs } = pins;
  const exchange = (octet: number): number => sensor.exchange(octet);
  chip.blocks.attachSpi(spi, { pins: [sck, tx, rx], exchange });
  const stop = chip.pins.onChange(cs, (level, driven) => sensor.select(driven && !level));
  state.ends.push(stop, () => chip.blocks.attachSpi(spi, undefined));
  return sensor;
}

function step(state: State): void {
  const { chip, device, wiring } = state;
  advance(state);
  wiring.digital.forEach((pin, number) => {
    const level = device.digital?.(number) ?? -1;
    if (level >= 0) chip.pins.drive(pin, level === 1);
  });
  wiring.pulses.forEach((pin, input) => pulse(state, pin, input));
  state.nextNs += STEP_NS;
  state.alarm = chip.time.atNs(state.nextNs, () => step(state));
}

// The pulses of the last step, evenly over the next.
function pulse(state: State, pin: number, input: number): void {
  const { chip, device, pulses } = state;
  const count = device.pulses?.(input) ?? -1;
  const before = pulses[input]!;
  if (count < 0 || count === before) return;
  const fresh = Math.min(count - before, PULSES_A_STEP_MAX);
  pulses[input] = before + fresh;
  const halfNs = STEP_NS / (2 * fresh);
  for (let edge = 0; edge < 2 * fresh; edge++) {
    const ns = state.nextNs + edge * halfNs;
    chip.time.atNs(ns, () => chip.pins.drive(pin, edge % 2 === 0));
  }
}
