// SPDX-License-Identifier: MIT
// Goal: SPI does what the datasheet (4.4) says of a master.
//
// Method: a wire that writes down frames and answers; times from CPSDVSR and SCR by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSpi, SPI_LINES, type SpiWire } from "../../../host-sim/chips/rp2040/spi.ts";
import { FUNCTION_SPI } from "../../../host-sim/chips/rp2040/pins.ts";
import { createBlock } from "./block.ts";

const [CR0, CR1, DR, SR, CPSR, IMSC, RIS, ICR, DMACR] = [
  0x00, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x20, 0x24,
] as const;
const FRAME_NS = 8 * 4 * 8; // 8 bits x CPSR 2 x (1 + SCR 1) x 8 ns: 31.25 MHz
const IDLE = 3; // transmit FIFO empty, room in it

function createMaster() {
  const block = createBlock();
  const frames: number[] = [];
  let answer = 0xa0;
  const wire: SpiWire = {
    pins: [18, 19, 16],
    exchange(sent) {
      frames.push(sent);
      return answer++;
    },
  };
  for (const pin of wire.pins) block.selected.set(pin, FUNCTION_SPI);
  const spi = createSpi(block.context, SPI_LINES[0]!, () => wire);
  spi.write(CPSR, 2);
  spi.write(CR0, 0x0107);
  spi.write(CR1, 2);
  return { block, spi, frames };
}

test("a frame takes its bits at clk_peri / (CPSDVSR x (1 + SCR)), both ways at once", () => {
  const { block, spi, frames } = createMaster();
  assert.equal(spi.read(SR), IDLE);
  for (const octet of [1, 2, 3]) spi.write(DR, octet);
  assert.equal(spi.read(SR) & 16, 16, "busy");
  block.run(FRAME_NS - 8);
  assert.deepEqual(frames, []);
  block.run(8);
  assert.deepEqual(frames, [1]);
  block.run(2 * FRAME_NS);
  assert.deepEqual(frames, [1, 2, 3]);
  assert.equal(spi.read(SR), IDLE | 4);
  assert.equal(spi.peek(DR), 0xa0);
  assert.deepEqual(
    [1, 2, 3].map(() => spi.read(DR)),
    [0xa0, 0xa1, 0xa2],
  );
  assert.equal(spi.read(SR), IDLE);
});

test("a full transmit FIFO takes no more, a full receive FIFO loses and tells", () => {
  const { block, spi, frames } = createMaster();
  for (let octet = 0; octet < 12; octet++) spi.write(DR, octet);
  assert.equal(spi.read(SR) & 2, 0, "no room");
  block.run(20 * FRAME_NS);
  assert.deepEqual(frames, [0, 1, 2, 3, 4, 5, 6, 7, 8], "one in the shifter, eight behind it");
  assert.equal(spi.read(SR) & 8, 8);
  assert.equal(spi.read(RIS) & 1, 1, "overrun");
  spi.write(ICR, 1);
  assert.equal(spi.read(RIS) & 1, 0);
});

test("interrupts: half full, half empty, and silence of 32 bits over what nobody reads", () => {
  const { block, spi } = createMaster();
  const isRaised = (): boolean => block.interrupts.get(18) === true;
  spi.write(IMSC, 4);
  for (let octet = 0; octet < 4; octet++) spi.write(DR, octet);
  block.run(3 * FRAME_NS);
  assert.equal(isRaised(), false);
  block.run(FRAME_NS);
  assert.equal(isRaised(), true);
  spi.read(DR);
  assert.equal(isRaised(), false);
  spi.write(IMSC, 2);
  block.run(32 * 32 - 8);
  assert.equal(isRaised(), false);
  block.run(8);
  assert.equal(isRaised(), true);
  spi.write(ICR, 2);
  assert.equal(isRaised(), false);
  spi.write(IMSC, 8);
  assert.equal(isRaised(), true, "an empty transmit FIFO is half empty");
});

test("requests of DMA follow DMACR and the FIFOs", () => {
  const { block, spi } = createMaster();
  spi.write(DMACR, 3);
  assert.deepEqual([block.requests.get(16), block.requests.get(17)], [true, false]);
  for (let octet = 0; octet < 9; octet++) spi.write(DR, octet);
  assert.equal(block.requests.get(16), false);
  block.run(FRAME_NS);
  assert.deepEqual([block.requests.get(16), block.requests.get(17)], [true, true]);
  spi.read(DR);
  assert.equal(block.requests.get(17), false);
});

test("pins that are not given to SPI carry nothing", () => {
  const { block, spi, frames } = createMaster();
  block.selected.set(19, 5);
  spi.write(DR, 0x55);
  block.run(FRAME_NS);
  assert.deepEqual(frames, []);
  assert.equal(spi.read(DR), 0);
});

test("what the model does not know ends the run by name", () => {
  const { block, spi } = createMaster();
  assert.throws(() => spi.write(CR0, 0x0117), /SPI: 0x117 in register \+0x0 is not modelled/);
  assert.throws(() => spi.write(CR1, 3), /SPI: 0x3 in register \+0x4 is not modelled/);
  assert.throws(() => spi.read(0x30), /SPI: register \+0x30 is not modelled/);
  spi.write(CPSR, 0);
  assert.throws(() => spi.write(DR, 1), /CPSDVSR is 0/);
  const stopped = createMaster();
  stopped.block.tree.setRule(() => ({ ref: 12e6, sys: 1e6, peri: 0, usb: 0, adc: 0, rtc: 0 }));
  assert.throws(() => stopped.spi.write(DR, 1), /clk_peri is stopped/);
  assert.equal(block.nowNs(), 0);
});
