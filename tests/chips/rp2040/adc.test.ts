// SPDX-License-Identifier: MIT
// Goal: the converter is as the datasheet (4.9) and erratum E11 say.
//
// Method: voltages by channel; times counted in periods of clk_adc by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ADC_MAX, createAdc, ideal, measured } from "../../../host-sim/chips/rp2040/adc.ts";
import { sensorVolts } from "../../../host-sim/chips/rp2040/adc.ts";
import { createBlock } from "./block.ts";

const [CS, RESULT, FCS, FIFO, DIV, INTE] = [0x00, 0x04, 0x08, 0x0c, 0x10, 0x18] as const;
const CONVERSION_NS = 2000; // 96 cycles at 48 MHz
const ON = 1;
const ONCE = 4;
const MANY = 8;
const READY = 0x100;

/** Volts that are that code, in its middle. */
const volts = (code: number): number => ((code + 0.5) * 3.3) / 4096;

function createConverter(codes: (number | undefined)[] = [100, 200, 300, 400]) {
  const block = createBlock();
  const levels = codes.map((code) => (code === undefined ? undefined : volts(code)));
  const adc = createAdc(block.context, {
    volts: (channel) => (channel === 4 ? sensorVolts(27) : levels[channel]),
    convert: ideal,
  });
  return { block, adc, levels };
}

test("one conversion takes 96 cycles of clk_adc, and samples at its start", () => {
  const { block, adc, levels } = createConverter();
  assert.equal(adc.read(CS), 0);
  adc.write(CS, ON);
  assert.equal(adc.read(CS), ON | READY);
  adc.write(CS, ON | ONCE | (1 << 12));
  levels[1] = volts(999);
  assert.equal(adc.read(CS) & READY, 0);
  block.run(CONVERSION_NS - 16);
  assert.equal(adc.read(CS) & READY, 0);
  block.run(16);
  assert.equal(adc.read(CS), ON | READY | (1 << 12));
  assert.equal(adc.read(RESULT), 200);
});

test("many conversions go round the chosen channels, at DIV's distance, into the FIFO", () => {
  const { block, adc } = createConverter();
  adc.write(FCS, 1 | (3 << 24));
  adc.write(INTE, 1);
  adc.write(DIV, 479 << 8); // a period of 480 cycles: 10 us
  adc.write(CS, ON | MANY | (0b1101 << 16));
  block.run(22_100);
  assert.equal(block.interrupts.get(22), true, "three samples");
  assert.equal((adc.read(FCS) >> 16) & 15, 3);
  assert.deepEqual(
    [1, 2, 3].map(() => adc.read(FIFO)),
    [100, 300, 400],
  );
  assert.equal(block.interrupts.get(22), false);
  assert.equal(adc.read(FCS) & 0x100, 0x100, "empty");
  block.run(10_000);
  assert.equal(adc.read(FIFO), 100);
  adc.write(CS, ON);
  block.run(50_000);
  assert.equal((adc.read(FCS) >> 16) & 15, 0, "stopped");
});

test("a FIFO that is full or empty says what was lost, and forgets when told", () => {
  const { block, adc } = createConverter();
  adc.write(FCS, 1);
  adc.read(FIFO);
  assert.equal(adc.read(FCS) & 0xc00, 0x400);
  adc.write(CS, ON | MANY);
  block.run(6 * CONVERSION_NS);
  assert.equal(adc.read(FCS) & 0xe00, 0xe00, "full, overflow, underflow");
  adc.write(FCS, 1 | 0xc00);
  assert.equal(adc.read(FCS) & 0xc00, 0);
});

test("eight bits when FCS.SHIFT says so, and requests of DMA", () => {
  const { block, adc } = createConverter([0xabc]);
  adc.write(FCS, 1 | 2 | 8 | (1 << 24));
  adc.write(CS, ON | ONCE);
  block.run(CONVERSION_NS);
  assert.equal(block.requests.get(36), true);
  assert.equal(adc.read(FIFO), 0xab);
  assert.equal(block.requests.get(36), false);
});

test("the sensor: 0.706 V at 27 degrees is code 876", () => {
  const { block, adc } = createConverter();
  assert.throws(() => adc.write(CS, ON | ONCE | (4 << 12)), /CS\.TS_EN is 0/);
  adc.write(CS, ON | 2 | ONCE | (4 << 12));
  block.run(CONVERSION_NS);
  assert.equal(adc.read(RESULT), Math.floor((0.706 / 3.3) * 4096));
});

test("a channel without a source, a stopped clock, an unknown register end the run", () => {
  const { block, adc } = createConverter([undefined, 5]);
  assert.throws(() => adc.write(CS, ON | ONCE), /nothing is on channel 0/);
  assert.throws(() => adc.read(0x24), /ADC: register \+0x24 is not modelled/);
  block.tree.setRule(() => ({ ref: 12e6, sys: 1e6, peri: 0, usb: 0, adc: 0, rtc: 0 }));
  assert.throws(() => adc.write(CS, ON | ONCE | (1 << 12)), /clk_adc is stopped/);
});

test("E11: codes at 512, 1536, 2560 and 3584 are nine wide, and both ends stay", () => {
  const counts = new Map<number, number>();
  const steps = 16;
  for (let at = 0; at < 4096 * steps; at++) {
    const code = measured(((at + 0.5) / steps / 4096) * 3.3);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  for (const code of [512, 1536, 2560, 3584])
    assert.equal(Math.round(counts.get(code)! / steps), 9);
  assert.equal(counts.size, 4096, "no code is missing");
  assert.deepEqual([measured(0), measured(3.3), measured(-1)], [0, ADC_MAX, 0]);
  for (const code of [1, 511, 2000, 4094]) assert.ok(Math.abs(measured(volts(code)) - code) <= 9);
  assert.deepEqual([ideal(-0.1), ideal(9)], [0, ADC_MAX]);
});
