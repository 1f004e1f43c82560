// SPDX-License-Identifier: MIT
// What stands at a node's pins: analog, digital, pulses, vibration, lines.
//
// A device lives in the machine's time, which runs on while the node has no power. What a machine does
// not have it leaves out.

/** Receives a character on a tap; `endUs` is the machine's time at its end. */
export type TapSink = (tap: number, endUs: number, byte: number, flags: number) => void;

/** Which samples of an accelerometer are wanted: sample n stands at startUs + n / rateHz. */
export interface SampleSpan {
  startUs: number; // the machine's time of sample 0
  first: number;
  rateHz: number;
}

/** Fills `target` with accelerations in m/s² of one accelerometer, the first being sample `first`. */
export type Vibration = (device: number, span: SampleSpan, target: Float64Array) => void;

/** A wire whose edges can be seen, and the UART at it. */
export interface EdgeLine {
  readonly unitPs: number; // length of a unit of distances
  /** Gives up to `capacity` edges until the present, as edge_take of SPEC.md §1.1 has them; how many. */
  take(capacity: number, put: (index: number, entry: number) => void): number;
  /** Sets the UART from now on; `baud` 0 closes it. */
  open(baud: number, format: string, inverted: boolean): void;
}

export interface Device {
  /** Lives on to this time and hands over what was heard until then. Never goes back. */
  advance(nowUs: number, sink: TapSink): void;
  /** Raw count 0..4095 of an analog input, -1: there is no such input. */
  adc(input: number): number;
  /** An output was set, duty 0..65535. */
  pwm(output: number, duty: number): void;
  /** Level of a digital input, 0 or 1, -1: there is no such pin. */
  digital?(pin: number): number;
  /** A digital output was set, 0 or 1. */
  setDigital?(pin: number, level: number): void;
  /** Pulses of an input since the machine began, -1: there is no such input. */
  pulses?(input: number): number;
  vibration?: Vibration;
  /** A character that the node sends on a tap, at its end. */
  hear?: TapSink;
  /** The wire of a tap, where there is more of it than characters. */
  edgeLine?(tap: number): EdgeLine | undefined;
}

/** Nothing at the pins. */
export function createNothing(): Device {
  return { advance: () => undefined, adc: () => -1, pwm: () => undefined };
}
