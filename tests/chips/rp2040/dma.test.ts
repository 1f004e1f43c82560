// SPDX-License-Identifier: MIT
// Goal: DMA moves what, when and where the datasheet (2.5) says.
//
// Method: a memory of plain octets, request lines that a test raises, cycles counted by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDma, type DmaBus } from "../../../host-sim/chips/rp2040/dma.ts";
import { createBlock } from "./block.ts";

const [READ, WRITE, COUNT, CTRL, AL1_CTRL] = [0x00, 0x04, 0x08, 0x0c, 0x10] as const;
const AL3_READ_TRIG = 0x3c;
const [INTR, INTE0, INTS0, MULTI, ABORT] = [0x400, 0x404, 0x40c, 0x430, 0x444] as const;
const CHANNEL = 0x40;
const EN = 1;
const WORD = 2 << 2;
const INC_READ = 1 << 4;
const INC_WRITE = 1 << 5;
const UNPACED = 63 << 15;
const PERIPHERAL = 0x4000_0000;
const CYCLE_NS = 8;

const chain = (channel: number): number => channel << 11;

function createMover() {
  const block = createBlock();
  const memory = new DataView(new ArrayBuffer(4096));
  const popped: number[] = [];
  let next = 100;
  const bus: DmaBus = {
    read(address, size) {
      if (address === PERIPHERAL) {
        popped.push(next);
        return next++;
      }
      return size === 4 ? memory.getUint32(address, true) : memory.getUint8(address);
    },
    write(address, size, value) {
      if (size === 4) memory.setUint32(address, value, true);
      else memory.setUint8(address, value);
    },
    cycles: (address) => (address >= PERIPHERAL ? 4 : 1),
  };
  const dma = createDma(block.context, bus, {
    level: (line) => block.requests.get(line) === true,
    onRise: (call) => void block.onRequest.add(call),
  });
  const set = (channel: number, values: Record<number, number>): void => {
    for (const [offset, value] of Object.entries(values))
      dma.write(channel * CHANNEL + Number(offset), value);
  };
  return { block, dma, memory, popped, set };
}

test("memory to memory: one word a cycle, an interrupt at the end", () => {
  const { block, dma, memory, set } = createMover();
  for (let at = 0; at < 8; at++) memory.setUint32(4 * at, at + 1, true);
  dma.write(INTE0, 1);
  const control = EN | WORD | INC_READ | INC_WRITE | chain(0) | UNPACED;
  set(0, { [READ]: 0, [WRITE]: 256, [COUNT]: 8, [CTRL]: control });
  assert.equal(dma.read(CTRL) >>> 24, 1, "busy");
  block.run(7 * CYCLE_NS);
  assert.equal(dma.read(COUNT), 1);
  assert.equal(block.interrupts.get(11), false);
  block.run(CYCLE_NS);
  assert.equal(dma.read(CTRL) >>> 24, 0);
  assert.equal(block.interrupts.get(11), true);
  for (let at = 0; at < 8; at++) assert.equal(memory.getUint32(256 + 4 * at, true), at + 1);
  assert.deepEqual([dma.read(READ), dma.read(WRITE)], [32, 288]);
  dma.write(INTS0, 1);
  assert.equal(block.interrupts.get(11), false);
});

test("a paced channel moves only while its request is high, into a ring", () => {
  const { block, dma, memory, popped, set } = createMover();
  const ring = (3 << 6) | (1 << 10); // eight octets, of the write address
  const control = EN | INC_WRITE | ring | chain(0) | (20 << 15);
  set(0, { [READ]: PERIPHERAL, [WRITE]: 512, [COUNT]: 1000, [CTRL]: control });
  block.run(100 * CYCLE_NS);
  assert.deepEqual(popped, []);
  for (let count = 0; count < 10; count++) {
    block.context.request(20, true);
    block.run(CYCLE_NS);
    block.context.request(20, false);
    block.run(5 * CYCLE_NS);
  }
  assert.equal(popped.length, 10);
  assert.deepEqual(
    Array.from({ length: 8 }, (_, at) => memory.getUint8(512 + at)),
    [108, 109, 102, 103, 104, 105, 106, 107],
  );
  assert.equal(dma.read(WRITE), 514);
});

test("a chain stamps what comes: an octet, then a word from elsewhere, and back", () => {
  const { block, memory, set } = createMover();
  memory.setUint32(1024, 0x1234, true);
  const first = EN | INC_WRITE | chain(1) | (20 << 15) | (1 << 21);
  const second = EN | WORD | INC_WRITE | chain(0) | UNPACED | (1 << 21);
  set(1, { [READ]: 1024, [WRITE]: 768, [COUNT]: 1, [AL1_CTRL]: second });
  set(0, { [READ]: PERIPHERAL, [WRITE]: 512, [COUNT]: 1, [CTRL]: first });
  for (let count = 0; count < 3; count++) {
    memory.setUint32(1024, 0x1000 + count, true);
    block.context.request(20, true);
    block.run(CYCLE_NS);
    block.context.request(20, false);
    block.run(20 * CYCLE_NS);
  }
  assert.deepEqual(
    [512, 513, 514].map((at) => memory.getUint8(at)),
    [100, 101, 102],
  );
  assert.deepEqual(
    [768, 772, 776].map((at) => memory.getUint32(at, true)),
    [0x1000, 0x1001, 0x1002],
  );
});

test("high priority goes first, others take turns, an abort stops", () => {
  const { block, dma, set } = createMover();
  const control = (high: number, channel: number): number =>
    EN | high | INC_WRITE | chain(channel) | UNPACED;
  for (const channel of [0, 1, 2])
    set(channel, {
      ...{ [READ]: 0, [WRITE]: 512 * (channel + 1), [COUNT]: 10 },
      [AL1_CTRL]: control(channel === 2 ? 2 : 0, channel),
    });
  dma.write(MULTI, 7);
  block.run(10 * CYCLE_NS);
  assert.deepEqual(
    [0, 1, 2].map((n) => dma.read(n * CHANNEL + COUNT)),
    [10, 10, 0],
  );
  block.run(6 * CYCLE_NS);
  assert.deepEqual(
    [0, 1].map((n) => dma.read(n * CHANNEL + COUNT)),
    [7, 7],
  );
  dma.write(ABORT, 1);
  block.run(100 * CYCLE_NS);
  assert.deepEqual(
    [0, 1].map((n) => dma.read(n * CHANNEL + COUNT)),
    [7, 0],
  );
  assert.equal(dma.read(INTR), 0b110);
});

test("an alias triggers by its last register, a null trigger ends a list with an interrupt", () => {
  const { block, dma, memory, set } = createMover();
  memory.setUint8(40, 77);
  const control = EN | chain(0) | UNPACED | (1 << 21);
  set(0, { [AL1_CTRL]: control, [WRITE]: 50, [COUNT]: 1 });
  assert.equal(dma.read(CTRL) >>> 24, 0);
  dma.write(AL3_READ_TRIG, 40);
  block.run(CYCLE_NS);
  assert.equal(memory.getUint8(50), 77);
  assert.equal(dma.read(INTR), 0, "quiet");
  dma.write(AL3_READ_TRIG, 0);
  assert.equal(dma.read(INTR), 1);
});

test("what the model does not know ends the run by name", () => {
  const { block, dma, set } = createMover();
  assert.throws(() => dma.write(CTRL, EN | (59 << 15)), /DMA: 0x1d8001 in register \+0xc/);
  assert.throws(() => dma.read(0x438), /DMA: register \+0x438 is not modelled/);
  const control = EN | WORD | chain(0) | UNPACED;
  set(0, { [READ]: 2, [WRITE]: 512, [COUNT]: 1, [CTRL]: control });
  assert.throws(() => block.run(CYCLE_NS), /channel 0 moves 4 octets from or to a part of them/);
});
