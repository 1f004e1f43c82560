// SPDX-License-Identifier: MIT
// A node's machine as it stands at the pins of a board, in the chip's time.
//
// The device keeps the time of the run (span.ts). An analog pin where the machine has nothing reads 0: open,
// with the board's leakage to ground. What was said while the chip stood still nobody heard.

import type { Device } from "../devices/device.ts";
import { isDutyBeyond } from "../limits-watch.ts";
import type { NodePlan } from "../plan.ts";
import type { Span } from "./span.ts";

export interface Outputs {
  pwm(output: number, duty: number): void;
  digital(pin: number, level: number): void;
}

/** The device for attachDevice(); outputs that change are told. */
export function createMachineAtPins(device: Device, span: Span, outputs: Outputs): Device {
  const duties = new Map<number, number>();
  const levels = new Map<number, number>();
  const { vibration } = device;
  return {
    ...device,
    advance(chipUs, sink) {
      device.advance(Math.floor(span.runUs(chipUs)), (tap, endUs, octet, flags) => {
        if (endUs >= span.stoodUntilUs()) sink(tap, span.chipUs(endUs), octet, flags);
      });
    },
    ...(vibration && {
      vibration: (number, { startUs, first, rateHz }, target) =>
        vibration(number, { startUs: span.runUs(startUs), first, rateHz }, target),
    }),
    adc: (input) => Math.max(0, device.adc(input)),
    pwm(output, duty) {
      if (duties.get(output) === duty) return;
      duties.set(output, duty);
      device.pwm(output, duty);
      outputs.pwm(output, duty);
    },
    setDigital(pin, level) {
      if (levels.get(pin) === level) return;
      levels.set(pin, level);
      device.setDigital?.(pin, level);
      outputs.digital(pin, level);
    },
  };
}

/** Resistors at the outputs: what the machine has while no chip drives them. */
export function driveSafe(machine: Device, { outputs, digitalOutputs = [] }: NodePlan): void {
  for (const { output, safeDuty } of outputs) machine.pwm(output, safeDuty);
  for (const { pin, safe } of digitalOutputs) machine.setDigital?.(pin, safe);
}

/** Whether a duty breaks the limits of node.json; what a wrap of the PWM leaves half set is no duty. */
export function breaksLimits(plan: NodePlan, output: number, duty: number): boolean {
  return plan.outputs.some((entry) => entry.output === output) && isDutyBeyond(plan, output, duty);
}
