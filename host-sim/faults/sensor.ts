// SPDX-License-Identifier: MIT
// Faults of the analog inputs: a device between the machine and the node's ADC.
//
// In the order of the signal: stuck, drift, noise, spike, open wire. Without a fault a count passes as
// it is and no chance is drawn. An input that the machine does not have stays missing.

import type { Device } from "../devices/device.ts";
import type { Prng } from "../prng.ts";

const RAW_MAX = 4095;
const SECOND_US = 1_000_000;

export interface SensorFault {
  kind: "stuck" | "noise" | "drift" | "open-wire" | "spike";
  input: number;
  amount: number; // see vocabulary.ts
}

interface Active extends SensorFault {
  readonly sinceUs: number;
  heldCount: number; // stuck: the first count it met, -1 before
}

export interface Sensors extends Device {
  /** Begins a fault; what it returns ends it. */
  begin(fault: SensorFault): () => void;
}

/** The same machine behind sensors that can fail. */
export function createSensors(device: Device, prng: Prng): Sensors {
  const active = new Set<Active>();
  let nowUs = 0;

  function spoil(fault: Active, count: number): number {
    switch (fault.kind) {
      case "stuck":
        if (fault.heldCount < 0) fault.heldCount = count;
        return fault.heldCount;
      case "drift":
        return count + Math.round((fault.amount * (nowUs - fault.sinceUs)) / SECOND_US);
      case "noise":
        return count + prng.below(2 * fault.amount + 1) - fault.amount;
      case "spike":
        return prng.chance(fault.amount) ? prng.below(2) * RAW_MAX : count;
      case "open-wire":
        return fault.amount;
    }
  }

  function read(input: number): number {
    const whole = device.adc(input);
    if (active.size === 0 || whole < 0) return whole;
    let count = whole;
    for (const kind of ORDER) {
      for (const fault of active) {
        if (fault.kind === kind && fault.input === input) count = spoil(fault, count);
      }
    }
    return Math.max(0, Math.min(RAW_MAX, Math.round(count)));
  }

  return {
    ...device,
    advance(toUs, sink) {
      nowUs = toUs;
      device.advance(toUs, sink);
    },
    adc: read,
    begin(fault) {
      const own: Active = { ...fault, sinceUs: nowUs, heldCount: -1 };
      active.add(own);
      return () => void active.delete(own);
    },
  };
}

const ORDER = ["stuck", "drift", "noise", "spike", "open-wire"] as const;
