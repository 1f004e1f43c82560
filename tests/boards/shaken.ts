// SPDX-License-Identifier: MIT
// A flash image whose loop logs samples, and a machine that shakes its sensor.
//
// The log lies in loop's memory; simulated() says what the simulator's accelerometer gives for the same machine.

import { createAccelerometer } from "../../host-sim/accelerometer.ts";
import {
  attachDevice,
  type Attachment,
  type SensorPins,
} from "../../host-sim/chips/rp2040/attach.ts";
import { createNothing, type Vibration } from "../../host-sim/devices/device.ts";
import type { Rp2040Image } from "../../scripts/build/rp2040.ts";
import { assemble } from "../host-sim/small-modules.ts";
import { type Running, start } from "./rp2040-rig.ts";

export const MS = 1e6;
const LOG = 4096; // samples of two octets, 30,000 at most
const [GAPS, GAPS_MAX] = [64, 500]; // words: samples in the log when -1 came
const SAMPLES_MAX = 512; // a tick
const PINS = { analog: [], digital: [], pulses: [], pwm: [], taps: [] };

// Noise that also goes beyond 16 g, a function of the sample's number.
const shake: Vibration = (_device, { first }, target) =>
  target.forEach((_, i) => (target[i] = (((first + i) * 2_654_435_761) % 4_001) / 10 - 200));

/** Word 0: samples in the log. Word 4, set by the test: 1, take nothing. Word 8: how often -1 came. */
export function loggingLoop(busyUs: number, device = 0): Uint8Array {
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "burst_take" (func $burst (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "init"))
    (func (export "tick") (local $began i32) (local $n i32)
      (local.set $began (call $now))
      (if (i32.eqz (i32.load (i32.const 4))) (then
        (local.set $n (call $burst (i32.const ${device})
          (i32.add (i32.const ${LOG}) (i32.shl (i32.load (i32.const 0)) (i32.const 1)))
          (i32.const ${SAMPLES_MAX})))
        (if (i32.lt_s (local.get $n) (i32.const 0))
          (then
            (i32.store
              (i32.add (i32.const ${GAPS}) (i32.shl (i32.load (i32.const 8)) (i32.const 2)))
              (i32.load (i32.const 0)))
            (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))))
          (else (i32.store (i32.const 0)
            (i32.add (i32.load (i32.const 0)) (local.get $n)))))))
      (loop $busy (br_if $busy (i32.lt_u
        (i32.sub (call $now) (local.get $began)) (i32.const ${busyUs}))))))`);
}

export interface Shaken extends Running {
  readonly attachment: Attachment;
  hush(on: boolean): void; // loop takes nothing meanwhile
  taken(): number[];
  gaps(): number[]; // samples taken when -1 came
  counters(): number[]; // samples, overruns, restarts
}

/** Powers it up with these sensors on its pins. */
export function startShaken(image: Rp2040Image, accelerometers: readonly SensorPins[]): Shaken {
  const running = start(image);
  const { chip, symbol, words } = running;
  const device = { ...createNothing(), vibration: shake };
  const attachment = attachDevice(chip, device, { ...PINS, accelerometers });
  const memory = new DataView(chip.sram.buffer, symbol("loop_memory") - 0x20000000);
  const list = (count: number, get: (i: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => get(i));
  return {
    ...{ ...running, attachment },
    hush: (on) => memory.setUint32(4, on ? 1 : 0, true),
    taken: () => list(memory.getUint32(0, true), (i) => memory.getInt16(LOG + 2 * i, true)),
    gaps: () =>
      list(Math.min(memory.getUint32(8, true), GAPS_MAX), (i) =>
        memory.getUint32(GAPS + 4 * i, true),
      ),
    counters: () => words("sensor_counters", 3),
  };
}

/** What the simulator's accelerometer gives from its start, `count` samples. */
export function simulated(count: number): number[] {
  const sensor = createAccelerometer({ device: 0, rateHz: 3200, rangeG: 16 }, shake);
  sensor.start(0);
  const bytes = new Uint8Array(2 * count);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < count;) {
    const nowUs = Math.ceil(((at + 1000) * 1e6) / 3200) + 1;
    at += sensor.take(nowUs, bytes, 2 * at, Math.min(1000, count - at));
  }
  return Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true));
}
