// SPDX-License-Identifier: MIT
// What hangs on ADC, PWM, SPI and I2C, and what DMA sees of the others.
//
// All of it outlives resets of the chip: voltages, wires, and the outputs that devices look at.

import { ideal, sensorVolts, type AdcInput, type Converter } from "./adc.ts";
import type { DmaRequests } from "./dma.ts";
import type { I2cWire } from "./i2c.ts";
import type { OuterPins } from "./pins.ts";
import { PWM_SLICES, type PwmOutput } from "./pwm.ts";
import type { SpiWire } from "./spi.ts";

const ADC_PIN = 26;
const SENSOR_CHANNEL = 4;
const REQUEST_LINES = 64;

/** The side of the devices. */
export interface OuterBlocks {
  /** Two a slice: A and B. */
  readonly pwm: readonly PwmOutput[];
  /** Calls with the output of PWM that changed; gives the end of it. */
  onPwm(call: (output: number) => void): () => void;
  attachSpi(index: 0 | 1, wire: SpiWire | undefined): void;
  attachI2c(index: 0 | 1, wire: I2cWire | undefined): void;
  /** Degrees that the sensor of the chip feels. */
  setCelsius(celsius: number): void;
}

/** The side of the blocks. */
export interface InnerBlocks {
  readonly adc: AdcInput;
  readonly pwm: readonly PwmOutput[];
  readonly pwmChanged: (output: number) => void;
  readonly spi: (index: number) => SpiWire | undefined;
  readonly i2c: (index: number) => I2cWire | undefined;
  readonly requests: DmaRequests & { set(line: number, level: boolean): void };
}

export interface Outside {
  readonly outer: OuterBlocks;
  readonly inner: InnerBlocks;
}

/** Nothing is attached; the chip is at 27 degrees. */
export function createOutside(pins: OuterPins, convert: Converter = ideal): Outside {
  const pwm = Array.from({ length: 2 * PWM_SLICES }, (): PwmOutput => ({ duty: 0, hz: 0 }));
  const calls = new Set<(output: number) => void>();
  const wires: (SpiWire | undefined)[] = [undefined, undefined];
  const buses: (I2cWire | undefined)[] = [undefined, undefined];
  let celsius = 27;
  return {
    outer: {
      pwm,
      onPwm(call) {
        calls.add(call);
        return () => void calls.delete(call);
      },
      attachSpi: (index, wire) => void (wires[index] = wire),
      attachI2c: (index, wire) => void (buses[index] = wire),
      setCelsius: (next) => void (celsius = next),
    },
    inner: {
      adc: {
        convert,
        volts: (channel) =>
          channel === SENSOR_CHANNEL ? sensorVolts(celsius) : pins.volts(ADC_PIN + channel),
      },
      pwm,
      pwmChanged(output) {
        for (const call of calls) call(output);
      },
      spi: (index) => wires[index],
      i2c: (index) => buses[index],
      requests: createRequests(),
    },
  };
}

function createRequests(): InnerBlocks["requests"] {
  const levels = new Uint8Array(REQUEST_LINES);
  let rose: (line: number) => void = () => undefined;
  return {
    level: (line) => levels[line] === 1,
    onRise: (call) => void (rose = call),
    set(line, level) {
      const rises = level && levels[line] === 0;
      levels[line] = level ? 1 : 0;
      if (rises) rose(line);
    },
  };
}
