// SPDX-License-Identifier: MIT
// What stands at a node's pins: analog inputs, PWM outputs, heard lines.
//
// A device lives in the machine's time, which runs on while the node has no power.

/** Receives a character heard on a tap; `endUs` is the machine's time at its end. */
export type TapSink = (tap: number, endUs: number, byte: number, flags: number) => void;

export interface Device {
  /** Lives on to this time and hands over what was heard until then. Never goes back. */
  advance(nowUs: number, sink: TapSink): void;
  /** Raw count 0..4095 of an analog input, -1: there is no such input. */
  adc(input: number): number;
  /** An output was set, duty 0..65535. */
  pwm(output: number, duty: number): void;
}

/** Nothing at the pins. */
export function createNothing(): Device {
  return { advance: () => undefined, adc: () => -1, pwm: () => undefined };
}
