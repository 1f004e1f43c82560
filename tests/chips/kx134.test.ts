// SPDX-License-Identifier: MIT
// The accelerometer's model against its manual: identity, buffer, reset.
//
// Method: octets at SPI and I2C level with a clock of the test's own; each sample says its number.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BUFFER_SAMPLES, createKx134, type Kx134 } from "../../host-sim/chips/kx134/index.ts";

const MS = 1e6;
const COUNT = (16 * 9.80665) / 32_768; // m/s² of one count at 16 g

interface Sensor {
  readonly chip: Kx134;
  pass(ns: number): void;
  read(address: number, count?: number): number[];
  write(address: number, value: number): void;
  level(): number;
}

function createSensor(): Sensor {
  let nowNs = 0;
  const chip = createKx134({
    nowNs: () => nowNs,
    sample: (_startNs, first, _rateHz, target) =>
      target.forEach((_, i) => (target[i] = (first + i) * COUNT)),
  });
  const talk = (octets: number[]): number[] => {
    chip.select(true);
    const answer = octets.map((octet) => chip.exchange(octet));
    chip.select(false);
    return answer.slice(1);
  };
  const read = (address: number, count = 1): number[] =>
    talk([address | 0x80, ...Array.from({ length: count }, () => 0)]);
  return {
    ...{ chip, read },
    pass: (ns) => void (nowNs += ns),
    write: (address, value) => void talk([address, value]),
    level() {
      const [low, high] = read(0x60, 2);
      return low! | (high! << 8);
    },
  };
}

/** Samples at 3,200 Hz, 16 g, into the buffer. */
function started(): Sensor {
  const sensor = createSensor();
  sensor.write(0x21, 0x0c);
  sensor.write(0x5f, 0xc1);
  sensor.write(0x1b, 0xc8);
  return sensor;
}

const zOf = (octets: number[]): number[] =>
  Array.from({ length: octets.length / 6 }, (_, i) => {
    assert.deepEqual(octets.slice(6 * i, 6 * i + 4), [0, 0, 0, 0]);
    return octets[6 * i + 4]! | (octets[6 * i + 5]! << 8);
  });

test("it says who it is, and addresses go up by themselves", () => {
  const { read } = createSensor();
  assert.deepEqual(read(0x12, 2), [0x55, 0x46]);
  assert.equal(Buffer.from(read(0x00, 4)).toString(), "Kion");
});

test("the buffer holds octets of samples, the oldest first, one a period", () => {
  const { pass, read, level } = started();
  assert.equal(level(), 0);
  pass(1e9 / 3200 - 1000);
  assert.equal(level(), 0);
  pass(2000);
  assert.equal(level(), 6);
  pass((9 * 1e9) / 3200);
  assert.equal(level(), 60);
  assert.deepEqual(zOf(read(0x63, 30)), [0, 1, 2, 3, 4]);
  assert.equal(level(), 30);
  assert.deepEqual(zOf([...read(0x63, 4), ...read(0x63, 2)]), [5]); // a sample may be read in parts
});

test("a full buffer drops its oldest samples", () => {
  const { chip, pass, read, level } = started();
  pass((100 * 1e9) / 3200 + 1);
  assert.equal(level(), 6 * BUFFER_SAMPLES);
  assert.deepEqual(zOf(read(0x63, 12)), [14, 15]);
  assert.equal(chip.dropped(), 14);
});

test("range and rate are as the registers say; clearing empties the buffer", () => {
  const { pass, read, write, level } = createSensor();
  write(0x21, 0x05); // 25 Hz
  write(0x5f, 0xc1);
  write(0x1b, 0xd8); // 64 g
  pass(41 * MS * 8);
  assert.deepEqual(zOf(read(0x63, 48)), [0, 0, 1, 1, 1, 1, 2, 2]); // a quarter, rounded
  pass(81 * MS);
  assert.equal(level(), 12);
  write(0x62, 0);
  assert.equal(level(), 0);
});

test("for 2 ms after a reset it does not answer, then all is as at the beginning", () => {
  const { chip, pass, read, write } = started();
  write(0x1c, 0x80);
  pass(1.9 * MS);
  assert.deepEqual(read(0x13), [0]);
  pass(0.2 * MS);
  assert.deepEqual([read(0x13), read(0x1b), read(0x21)], [[0x46], [0], [6]]);
  assert.equal(chip.startNs(), undefined);
});

test("on I2C it says the same behind its address, and nothing to another one", () => {
  const { chip, pass } = createSensor();
  const bus = chip.onI2c(0x1e);
  const write = (register: number, ...octets: number[]): boolean[] => {
    const heard = [bus.start(0x1e, false), ...[register, ...octets].map((one) => bus.write(one))];
    bus.stop();
    return heard;
  };
  const read = (register: number, count: number): number[] => {
    assert.deepEqual([bus.start(0x1e, false), bus.write(register)], [true, true]);
    assert.equal(bus.start(0x1e, true), true); // a restart
    const octets = Array.from({ length: count }, () => bus.read());
    bus.stop();
    return octets;
  };
  assert.deepEqual(read(0x12, 2), [0x55, 0x46]);
  assert.deepEqual(write(0x21, 0x0c), [true, true, true]);
  write(0x5f, 0xc1);
  write(0x1b, 0xc8);
  pass((3 * 1e9) / 3200 + 1);
  assert.deepEqual(read(0x60, 2), [18, 0]);
  assert.deepEqual(zOf(read(0x63, 18)), [0, 1, 2]);
  assert.equal(bus.start(0x1f, false), false);
  assert.deepEqual([bus.write(0x12), bus.read()], [false, 0xff]);
  assert.throws(() => write(0xe3), /KX134: register 0xe3 is not modelled/); // no bit for reading here
});

test("on I2C the octet that resets it is not acknowledged, nor its address for 2 ms", () => {
  const { chip, pass } = createSensor();
  const bus = chip.onI2c(0x1f);
  assert.deepEqual([bus.start(0x1f, false), bus.write(0x1c), bus.write(0x80)], [true, true, false]);
  pass(1.9 * MS);
  assert.equal(bus.start(0x1f, false), false);
  pass(0.2 * MS);
  assert.equal(bus.start(0x1f, false), true);
});

test("without a supply nothing answers; with it again all is as after power-on", () => {
  const { chip, pass, read } = started();
  const bus = chip.onI2c(0x1e);
  assert.equal(bus.start(0x1e, true), true);
  chip.setPower(false);
  assert.deepEqual([bus.read(), read(0x13)], [0xff, [0]]);
  assert.equal(bus.start(0x1e, false), false);
  chip.setPower(true);
  pass(2.1 * MS);
  assert.deepEqual([bus.read(), chip.startNs()], [0xff, undefined]); // it was not addressed
  assert.deepEqual(read(0x13), [0x46]);
});

test("what the manual forbids ends the run by name", () => {
  const { write, read } = started();
  assert.throws(() => write(0x21, 0x0b), /KX134: rate or range changes while PC1 is set/);
  assert.throws(() => read(0x63), /BUF_READ of an empty buffer/);
  assert.throws(() => read(0x30), /KX134: register 0x30 is not modelled/);
  assert.throws(() => write(0x5f, 0x80), /KX134: mode 0x80 is not modelled/);
});
