// SPDX-License-Identifier: MIT
// The accelerometer of a board with an RP2040: pins, rate and range, checked.
//
// A KX134-1211 (boards/rp2040/accelerometer.c): rates are 25 Hz x 2^n, ranges 8 g x 2^n. What it cannot do is refused
// by name.

import { z } from "zod";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { NodeType } from "./schema.ts";

const gpio = z.number().int().min(0).max(29);
const SLOWEST_HZ = 25;
const SLOWEST_CODE = 5; // OSA of 25 Hz
const RATES = 8; // up to 3,200 Hz
const NARROWEST_G = 8;
const RANGES = 4;

/** Of a board's JSON. */
export const sensorSchema = z
  .strictObject({
    spi: z.literal([0, 1]),
    rx: gpio.describe("data out of the sensor"),
    sck: gpio,
    tx: gpio.describe("data into the sensor"),
    cs: gpio,
  })
  .refine(({ spi, rx, sck, tx }) => [rx, sck - 2, tx - 3].every((pin) => isOf(spi, pin)), {
    message: "a pin is not of this SPI: RX, SCK, TX",
  });
type SensorPins = z.output<typeof sensorSchema>;

// RX is pin 0, 4, 16 or 20 of SPI0, 8, 12, 24 or 28 of SPI1; SCK two higher, TX three.
function isOf(spi: number, rx: number): boolean {
  return rx % 4 === 0 && ((rx >> 3) & 1) === spi;
}

/** Constants of board.h. Throws Failure for what the board or the part has not. */
export function sensorConstants(
  board: { name: string; accelerometers: readonly SensorPins[] },
  { type, accelerometers }: NodeType,
): [string, number][] {
  const [sensor] = Object.values(accelerometers);
  const pins = sensor === undefined ? undefined : board.accelerometers[sensor.device];
  if (sensor !== undefined && pins === undefined)
    throw refuse(
      `${board.name} has no accelerometer ${sensor.device} of ${type}`,
      `see boards/${board.name}.json`,
    );
  const rate = SLOWEST_CODE + codeOf(sensor?.rateHz, SLOWEST_HZ, RATES, `${type}: rateHz`);
  const range = codeOf(sensor?.rangeG, NARROWEST_G, RANGES, `${type}: rangeG`);
  return [
    ["ACCELEROMETERS", pins === undefined ? 0 : 1],
    ["SENSOR_SPI", pins?.spi ?? 0],
    ["SENSOR_RX", pins?.rx ?? 0],
    ["SENSOR_SCK", pins?.sck ?? 0],
    ["SENSOR_TX", pins?.tx ?? 0],
    ["SENSOR_CS", pins?.cs ?? 0],
    ["SENSOR_RATE", rate],
    ["SENSOR_RANGE", range],
  ];
}

// n of first x 2^n.
function codeOf(value: number | undefined, first: number, count: number, what: string): number {
  const all = Array.from({ length: count }, (_, n) => first * 2 ** n);
  const code = value === undefined ? 0 : all.indexOf(value);
  if (code >= 0) return code;
  throw refuse(`${what} ${value} is nothing a KX134 can do`, `take one of ${all.join(", ")}`);
}

function refuse(message: string, next: string): Failure {
  return new Failure(EXIT_FAILED, message, next);
}
