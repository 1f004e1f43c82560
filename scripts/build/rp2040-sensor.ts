// SPDX-License-Identifier: MIT
// The accelerometer of a board with an RP2040: bus, pins, rate and range, checked.
//
// A KX134-1211 (boards/rp2040/accelerometer.c): rates are 25 Hz x 2^n, ranges 8 g x 2^n. What part, bus or board cannot
// do is refused by name. A node has one; `device` of node.json is its place in the board's list.
//
// I2C: a look at the buffer costs 5 octets, what is read of it 7 more and 6 a sample, nine periods each. While POLL_MS,
// a look and a burst go by, the buffer must not be more than half full: the other half is for lateness.

import { z } from "zod";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { NodeType } from "./schema.ts";

const gpio = z.number().int().min(0).max(29);
const SLOWEST_HZ = 25;
const SLOWEST_CODE = 5; // OSA of 25 Hz
const RATES = 8; // up to 3,200 Hz
const NARROWEST_G = 8;
const RANGES = 4;
const POLL_MS = 2.5; // POLL_US of accelerometer.c
const OCTET_BITS = 9;
const SAMPLE_OCTETS = 6;
const OTHER_OCTETS = 14; // addresses, registers, status; starts and stops are two more
const HALF_BUFFER = 43;
const [I2C_400_KHZ, I2C_100_KHZ] = [400_000, 100_000] as const;

const onSpi = z
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
const onI2c = z
  .strictObject({
    i2c: z.literal([0, 1]),
    sda: gpio,
    scl: gpio,
    address: z.literal([0x1e, 0x1f]).describe("30: ADDR is at GND, 31: at 3V3"),
    hz: z.literal([I2C_100_KHZ, I2C_400_KHZ]),
  })
  .refine(({ i2c, sda, scl }) => sda % 4 === 2 * i2c && scl === sda + 1, {
    message: "SDA, SCL are not pins of this I2C",
  });

/** Of a board's JSON. */
export const sensorSchema = z.union([onSpi, onI2c]);
export type SensorPins = z.output<typeof sensorSchema>;

/** GPIOs of a sensor. */
export function sensorPins(sensor: SensorPins): number[] {
  if ("i2c" in sensor) return [sensor.sda, sensor.scl];
  return [sensor.rx, sensor.sck, sensor.tx, sensor.cs];
}

// RX is pin 0, 4, 16 or 20 of SPI0, 8, 12, 24 or 28 of SPI1; SCK two higher, TX three.
function isOf(spi: number, rx: number): boolean {
  return rx % 4 === 0 && ((rx >> 3) & 1) === spi;
}

/** The sensor of a node, undefined: it has none. Throws Failure for what the board has not. */
export function sensorOf(
  board: { name: string; accelerometers: readonly SensorPins[] },
  { type, accelerometers }: NodeType,
): SensorPins | undefined {
  const [wanted, second] = Object.values(accelerometers);
  if (wanted === undefined) return undefined;
  if (second !== undefined)
    throw refuse(`${board.name} reads one accelerometer, ${type} has more`, "leave one");
  const pins = board.accelerometers[wanted.device];
  if (pins !== undefined) return pins;
  throw refuse(
    `${board.name} has no accelerometer ${wanted.device} of ${type}`,
    `see boards/${board.name}.json`,
  );
}

/** Constants of board.h. Throws Failure for what part or bus cannot do. */
export function sensorConstants(
  pins: SensorPins | undefined,
  { type, accelerometers }: NodeType,
): [string, number][] {
  const [sensor] = Object.values(accelerometers);
  const rate = SLOWEST_CODE + codeOf(sensor?.rateHz, SLOWEST_HZ, RATES, `${type}: rateHz`);
  const range = codeOf(sensor?.rangeG, NARROWEST_G, RANGES, `${type}: rangeG`);
  const [spi, i2c] = pins === undefined ? [] : "spi" in pins ? [pins] : [undefined, pins];
  if (i2c !== undefined && sensor!.rateHz > fastestHz(i2c.hz))
    throw refuse(
      `${type}: rateHz ${sensor!.rateHz} is too fast for I2C at ${i2c.hz / 1000} kHz`,
      `take ${fastestHz(i2c.hz)} or less, or the accelerometer on SPI`,
    );
  return [
    ["ACCELEROMETERS", pins === undefined ? 0 : 1],
    ["SENSOR_DEVICE", sensor?.device ?? 0],
    ["SENSOR_SPI", spi?.spi ?? 0],
    ["SENSOR_RX", spi?.rx ?? 0],
    ["SENSOR_SCK", spi?.sck ?? 0],
    ["SENSOR_TX", spi?.tx ?? 0],
    ["SENSOR_CS", spi?.cs ?? 0],
    ["SENSOR_ON_I2C", i2c === undefined ? 0 : 1],
    ["SENSOR_I2C", i2c?.i2c ?? 0],
    ["SENSOR_SDA", i2c?.sda ?? 0],
    ["SENSOR_SCL", i2c?.scl ?? 0],
    ["SENSOR_ADDRESS", i2c?.address ?? 0],
    ["SENSOR_I2C_HZ", i2c?.hz ?? I2C_400_KHZ],
    ["SENSOR_RATE", rate],
    ["SENSOR_RANGE", range],
  ];
}

/** The fastest rate of a KX134 that an I2C of so many periods a second carries. */
export function fastestHz(busHz: number): number {
  const octetMs = (OCTET_BITS * 1000) / busHz;
  const fits = (rateHz: number): boolean => {
    const left = 1 - (SAMPLE_OCTETS * octetMs * rateHz) / 1000; // of the time, beside samples
    const roundMs = (POLL_MS + OTHER_OCTETS * octetMs) / left;
    return left > 0 && (roundMs * rateHz) / 1000 <= HALF_BUFFER;
  };
  return allOf(SLOWEST_HZ, RATES).findLast(fits) ?? SLOWEST_HZ;
}

const allOf = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => first * 2 ** n);

// n of first x 2^n.
function codeOf(value: number | undefined, first: number, count: number, what: string): number {
  const all = allOf(first, count);
  const code = value === undefined ? 0 : all.indexOf(value);
  if (code >= 0) return code;
  throw refuse(`${what} ${value} is nothing a KX134 can do`, `take one of ${all.join(", ")}`);
}

function refuse(message: string, next: string): Failure {
  return new Failure(EXIT_FAILED, message, next);
}
