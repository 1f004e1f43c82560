// SPDX-License-Identifier: MIT
// Pins, their interrupts, and SIO with its divider and locks.
//
// Stated behaviour of the datasheet 2.3.1 and 2.19, seen from the bus on one side and the wire on the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CLR, createRig, SET, type Rig } from "./rig.ts";

const IO = 0x40014000;
const PADS = 0x4001c000;
const SIO = 0xd0000000;
const IO_AND_PADS = (1 << 5) | (1 << 8);
const LINE = 13;

const ctrl = (pin: number): number => IO + 8 * pin + 4;
const pad = (pin: number): number => PADS + 4 + 4 * pin;

function createPins(): Rig {
  const rig = createRig();
  rig.release(IO_AND_PADS);
  return rig;
}

test("a pad begins with 0x56: input on, pulled down; pulls decide a wire nobody drives", () => {
  const { chip, read, write } = createPins();
  assert.equal(read(pad(7)), 0x56);
  assert.equal(chip.pins.level(7), false);
  write(pad(7), 0x48); // pull-up
  assert.equal(chip.pins.level(7), true);
  assert.equal((read(SIO + 4) >>> 7) & 1, 1);
  write(pad(7), 0x08); // input off
  assert.equal(chip.pins.level(7), true);
  assert.equal((read(SIO + 4) >>> 7) & 1, 0);
});

test("SIO drives a pin only with its function, its enable and the pad's consent", () => {
  const { chip, write } = createPins();
  write(SIO + 0x14, 1 << 3); // out
  write(SIO + 0x24, 1 << 3); // enable
  assert.equal(chip.pins.driven(3), false);
  write(ctrl(3), 5);
  assert.deepEqual([chip.pins.driven(3), chip.pins.level(3)], [true, true]);
  write(SIO + 0x1c, 1 << 3); // xor
  assert.equal(chip.pins.level(3), false);
  write(pad(3) + SET, 1 << 7); // output disable
  assert.equal(chip.pins.driven(3), false);
});

test("overrides invert and force output, enable and input", () => {
  const { chip, read, write } = createPins();
  write(ctrl(4), 5 | (1 << 8) | (3 << 12)); // SIO, output inverted, always enabled
  assert.deepEqual([chip.pins.driven(4), chip.pins.level(4)], [true, true]);
  write(ctrl(4), 5 | (2 << 12)); // never enabled
  assert.equal(chip.pins.driven(4), false);
  chip.pins.drive(4, true);
  write(ctrl(4), 5 | (1 << 16));
  assert.equal((read(SIO + 4) >>> 4) & 1, 0);
  write(ctrl(4), 5 | (3 << 16));
  chip.pins.drive(4, false);
  assert.equal((read(SIO + 4) >>> 4) & 1, 1);
});

test("chip and device driving against each other is a failure, the same level is not", () => {
  const { chip, write } = createPins();
  write(ctrl(9), 5);
  write(SIO + 0x14, 1 << 9);
  write(SIO + 0x24, 1 << 9);
  chip.pins.drive(9, true);
  assert.throws(
    () => chip.pins.drive(9, false),
    /pin 9 is driven 1 by the chip and 0 from outside/,
  );
});

test("edges are latched until they are cleared, levels follow the pin", () => {
  const rig = createPins();
  const { chip, lines, read, write } = rig;
  write(IO + 0x104, 8 << 8); // pin 10: rising edge
  chip.pins.drive(10, true);
  assert.equal(lines[LINE], true);
  chip.pins.drive(10, false);
  assert.equal(lines[LINE], true);
  assert.equal((read(IO + 0xf4) >>> 8) & 15, 1 | 4 | 8); // low now, fell, rose
  write(IO + 0xf4, 8 << 8);
  assert.equal(lines[LINE], false);
  assert.equal((read(IO + 0xf4) >>> 8) & 15, 1 | 4);
  write(IO + 0x104, 2 << 8); // level high
  assert.equal(lines[LINE], false);
  chip.pins.drive(10, true);
  assert.equal(lines[LINE], true);
  chip.pins.drive(10, false);
  assert.equal(lines[LINE], false);
});

test("pin 29 has the fourth word of events, and clearing the enable ends the interrupt", () => {
  const { chip, lines, read, write } = createPins();
  write(IO + 0x10c, 8 << 20);
  chip.pins.drive(29, true);
  assert.equal(lines[LINE], true);
  assert.equal(read(IO + 0x12c), 8 << 20);
  write(IO + 0x10c + CLR, 8 << 20);
  assert.equal(lines[LINE], false);
});

test("a device hears each change of level and of whether the chip drives", () => {
  const { chip, write } = createPins();
  const seen: string[] = [];
  const stop = chip.pins.onChange(2, (level, driven) =>
    seen.push(`${level ? "high" : "low"}${driven ? " driven" : ""}`),
  );
  write(ctrl(2), 5);
  write(SIO + 0x24, 4);
  write(SIO + 0x14, 4);
  write(SIO + 0x28, 4);
  stop();
  write(SIO + 0x24, 4);
  assert.deepEqual(seen, ["low driven", "high driven", "low"]);
});

test("the divider needs 8 cycles; signs and division by 0 are the datasheet's", () => {
  const { chip, read, write } = createRig();
  const divide = (base: number, a: number, b: number): [number, number] => {
    write(SIO + base, a);
    write(SIO + base + 4, b);
    chip.runCycles(8);
    return [read(SIO + 0x74) | 0, read(SIO + 0x70) | 0]; // remainder, then quotient
  };
  assert.deepEqual(divide(0x60, 4_000_000_000, 7), [3, 571_428_571]);
  assert.deepEqual(divide(0x68, -17, 5), [-2, -3]);
  assert.deepEqual(divide(0x68, -17, 0), [-17, 1]);
  assert.deepEqual(divide(0x60, 17, 0), [17, -1]);
  assert.deepEqual(divide(0x68, 0x80000000, -1), [0, -0x80000000]);
  write(SIO + 0x64, 3);
  chip.runCycles(7);
  assert.equal(read(SIO + 0x78) & 1, 0);
  assert.throws(() => read(SIO + 0x70), /divider result read before it is ready/);
  chip.runCycles(1);
  assert.equal(read(SIO + 0x78), 3); // ready, dirty
  read(SIO + 0x70);
  assert.equal(read(SIO + 0x78), 1);
});

test("a spinlock is won once until it is given back", () => {
  const { read, write } = createRig();
  const lock = SIO + 0x100 + 4 * 31;
  assert.equal(read(lock), 0x80000000);
  assert.equal(read(lock), 0);
  write(lock, 1);
  assert.equal(read(lock), 0x80000000);
});

test("core 0 says it is core 0, and a word for core 1 is a failure", () => {
  const { read, write } = createRig();
  assert.equal(read(SIO), 0);
  assert.throws(() => write(SIO + 0x54, 0), /core 1 is not modelled/);
});
