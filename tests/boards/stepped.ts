// SPDX-License-Identifier: MIT
// A machine for two nodes that must hear and read the same.
//
// Instants are counted from the first tick: the machine's time is 0 at the node's first tick, whenever that
// comes after power-on. What stands at pins moves in jumps, all at once, JUMP_US after each tenth tick: far from
// a tick, so that a pin is latched, a pulse counted and an output set on the same side of the jump whatever a
// host takes for it. Lines are said in their own time. An accelerometer's sampling starts when its host wants it:
// the machine shakes with a period of whole samples that divides a burst, so that every burst holds the same.

import type { Device } from "../../host-sim/devices/device.ts";

export const STEP_US = 100_000; // ten ticks of the example nodes
export const JUMP_US = 22_000; // between the second and the third tick
const INPUTS = 2;
const PINS = 3;

// m/s²: 100 Hz at 3,200 Hz, and a blow once a period.
const SHAKE_SAMPLES = 32;
function shake(sample: number): number {
  return 1.5 * Math.sin((2 * Math.PI * sample) / SHAKE_SAMPLES) + (sample === 5 ? 6 : 0);
}

export interface Stepped extends Device {
  /** The count that an input holds now. */
  held(input: number): number;
}

/** `firstTickUs` is in the time of the run; before it the machine stands at its beginning. */
export function createStepped(inner: Device, firstTickUs: number): Stepped {
  const counts = Array.from({ length: INPUTS }, () => -1);
  const levels = Array.from({ length: PINS }, () => -1);
  const pulses = Array.from({ length: INPUTS }, () => -1);
  const duties = new Map<number, number>();
  let jumps = 0;
  hold();

  function hold(): void {
    for (const [output, duty] of duties) inner.pwm(output, duty);
    inner.advance(jumps * STEP_US, () => undefined);
    for (let i = 0; i < INPUTS; i++) counts[i] = inner.adc(i);
    for (let i = 0; i < INPUTS; i++) pulses[i] = inner.pulses?.(i) ?? -1;
    for (let i = 0; i < PINS; i++) levels[i] = inner.digital?.(i) ?? -1;
  }
  return {
    advance(nowUs) {
      for (; firstTickUs + jumps * STEP_US + JUMP_US <= nowUs; jumps++) hold();
    },
    held: (input) => counts[input] ?? -1,
    adc: (input) => counts[input] ?? -1,
    digital: (pin) => levels[pin] ?? -1,
    pulses: (input) => pulses[input] ?? -1,
    pwm: (output, duty) => void duties.set(output, duty),
    ...(inner.vibration && {
      vibration(_device, { first }, target) {
        for (let i = 0; i < target.length; i++) target[i] = shake((first + i) % SHAKE_SAMPLES);
      },
    }),
  };
}

/** A machine that talks: the same times on the line, counted from the first tick. */
export function createShifted(inner: Device, firstTickUs: number): Device {
  return {
    ...inner,
    advance(nowUs, sink) {
      inner.advance(Math.max(0, nowUs - firstTickUs), (tap, endUs, octet, flags) =>
        sink(tap, endUs + firstTickUs, octet, flags),
      );
    },
  };
}
