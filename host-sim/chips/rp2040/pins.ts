// SPDX-License-Identifier: MIT
// What peripherals and devices see of the 30 pins.
//
// Inside: each function of a pin (datasheet 2.19.2) drives an output and its enable; CTRL chooses whose
// pair reaches the pad. Outside: a device drives a level or lets go, and watches what the chip drives.

export const PIN_COUNT = 30;

/** Functions of a pin, as CTRL.FUNCSEL numbers them. */
export const FUNCTION_SPI = 1;
export const FUNCTION_UART = 2;
export const FUNCTION_I2C = 3;
export const FUNCTION_PWM = 4;
export const FUNCTION_SIO = 5;
export const FUNCTION_PIO0 = 6;
export const FUNCTION_PIO1 = 7;
export const FUNCTION_CLOCK = 8;
export const FUNCTION_USB = 9;
export const FUNCTION_NONE = 31;

/** The side of the peripherals. */
export interface InnerPins {
  /** What a function gives out on a pin; it reaches the pad while CTRL selects the function. */
  drive(source: number, pin: number, output: boolean, enable: boolean): void;
  /** The function that CTRL selects. */
  selected(pin: number): number;
  /** What a peripheral hears: the pad through input enable and input override. */
  input(pin: number): boolean;
  /** The same of all pins, bit 0 is pin 0. */
  inputs(): number;
  /** Calls after each change of what peripherals hear; gives the end of it. */
  onInput(pin: number, call: (level: boolean) => void): () => void;
}

/** The side of the devices. */
export interface OuterPins {
  /** Drives the pin from outside; undefined lets go of it. */
  drive(pin: number, level: boolean | undefined): void;
  /** An analog source at the pin: volts, or what is asked for them at each sample; undefined: none. */
  setVolts(pin: number, volts: number | (() => number | undefined) | undefined): void;
  volts(pin: number): number | undefined;
  /** The level of the wire. */
  level(pin: number): boolean;
  /** Whether the chip drives it. */
  driven(pin: number): boolean;
  /** Calls after each change of the wire's level or of whether the chip drives; gives the end of it. */
  onChange(pin: number, call: (level: boolean, driven: boolean) => void): () => void;
}
