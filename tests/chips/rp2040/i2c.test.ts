// SPDX-License-Identifier: MIT
// Goal: the I2C master keeps the times and aborts that the datasheet (4.3) states.
//
// Method: a memory with one address octet, as a 24C02 is; periods of SCL counted from the registers by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createI2c, type I2cDevice } from "../../../host-sim/chips/rp2040/i2c.ts";
import type { Peripheral } from "../../../host-sim/chips/rp2040/peripheral.ts";
import { FUNCTION_I2C } from "../../../host-sim/chips/rp2040/pins.ts";
import { createBlock, type Block } from "./block.ts";

const [CON, TAR, DATA, MASK, RAW] = [0x00, 0x04, 0x10, 0x30, 0x34] as const;
const [CLR_ABRT, CLR_STOP, ENABLE, STATUS, TXFLR, RXFLR, SOURCE] = [
  0x54, 0x60, 0x6c, 0x70, 0x74, 0x78, 0x80,
] as const;
const [READ, STOP, RESTART, FIRST] = [0x100, 0x200, 0x400, 0x800];
const [RX_UNDER, RX_OVER, RX_FULL, TX_OVER, TX_EMPTY] = [1, 2, 4, 8, 16];
const [TX_ABRT, STOP_DET, START_DET, RESTART_DET] = [64, 512, 1024, 4096];
const SCL_NS = (125 + 11 + 7 + 187 + 1) * 8; // 378 kHz
const OCTET_NS = 9 * SCL_NS;
const [SDA, SCL] = [4, 5];

interface Bus {
  readonly block: Block;
  readonly i2c: Peripheral;
  readonly calls: string[];
  readonly memory: Uint8Array;
  stretchNs: number;
  refuseFrom: number; // the octet that is not acknowledged, counted from the start
}

function createBus(): Bus {
  const block = createBlock();
  const memory = Uint8Array.from({ length: 256 }, (_, i) => i ^ 0x5a);
  const calls: string[] = [];
  let [at, written] = [0, 0];
  const bus: Partial<Bus> = { block, calls, memory, stretchNs: 0, refuseFrom: Infinity };
  const device: I2cDevice = {
    start(address, reads) {
      if (address !== 0x50) return false;
      calls.push(reads ? "start read" : "start write");
      written = 0;
      return true;
    },
    write(octet) {
      if (written++ === 0) at = octet;
      else memory[at++ & 255] = octet;
      return written <= bus.refuseFrom!;
    },
    read(last) {
      calls.push(last ? "last" : "more");
      return memory[at++ & 255]!;
    },
    stop: () => void calls.push("stop"),
    stretchNs: () => bus.stretchNs!,
  };
  const i2c = createI2c(block.context, 0, () => ({ pins: [SDA, SCL], devices: [device] }));
  for (const pin of [SDA, SCL]) {
    block.selected.set(pin, FUNCTION_I2C);
    block.input(pin, true);
  }
  i2c.write(CON, 0x165);
  i2c.write(TAR, 0x50);
  i2c.write(0x1c, 125);
  i2c.write(0x20, 187);
  i2c.write(0xa0, 11);
  i2c.write(ENABLE, 1);
  return Object.assign(bus as Omit<Bus, "i2c">, { i2c });
}

test("registers begin as the datasheet says, and the block says what it is", () => {
  const i2c = createI2c(createBlock().context, 0, () => undefined);
  const values = [CON, TAR, 0x14, 0x18, 0x1c, 0x20, MASK, 0x94, 0xa0].map((at) => i2c.read(at));
  assert.deepEqual(values, [0x65, 0x55, 0x28, 0x2f, 0x06, 0x0d, 0x8ff, 0x64, 7]);
  assert.equal(i2c.read(0xfc), 0x44570140);
  assert.equal(i2c.read(STATUS), 6); // empty, with room
});

test("a write takes a period for START and STOP and nine for each octet", () => {
  const { block, i2c, memory, calls } = createBus();
  i2c.write(DATA, 0x10);
  i2c.write(DATA, 0xaa);
  i2c.write(DATA, 0xbb | STOP);
  assert.equal(i2c.read(STATUS) & 0x20, 0x20);
  assert.equal(i2c.read(RAW) & START_DET, START_DET);
  const wholeNs = 2 * SCL_NS + 4 * OCTET_NS;
  block.run(wholeNs - 100);
  assert.equal(i2c.read(RAW) & STOP_DET, 0);
  block.run(200);
  assert.equal(i2c.read(RAW) & STOP_DET, STOP_DET);
  assert.equal(i2c.read(STATUS) & 0x21, 0);
  assert.deepEqual([...memory.subarray(0x10, 0x12)], [0xaa, 0xbb]);
  assert.deepEqual(calls, ["start write", "stop"]);
  i2c.read(CLR_STOP);
  assert.equal(i2c.read(RAW) & STOP_DET, 0);
});

test("another direction is a restart; the last octet read is not acknowledged", () => {
  const { block, i2c, memory, calls } = createBus();
  i2c.write(DATA, 0x20);
  for (let left = 2; left >= 0; left--) i2c.write(DATA, READ | (left === 0 ? STOP : 0));
  block.run(3 * SCL_NS + 6 * OCTET_NS + 100);
  assert.equal(i2c.read(RAW) & (STOP_DET | RESTART_DET), STOP_DET | RESTART_DET);
  assert.equal(i2c.read(RXFLR), 3);
  assert.deepEqual(
    [1, 2, 3].map(() => i2c.read(DATA)),
    [FIRST | memory[0x20]!, memory[0x21], memory[0x22]],
  );
  assert.deepEqual(calls, ["start write", "start read", "more", "more", "last", "stop"]);
  i2c.read(DATA);
  assert.equal(i2c.read(RAW) & RX_UNDER, RX_UNDER);
});

test("RESTART asks for one in one direction; without IC_RESTART_EN it is STOP and START", () => {
  const { block, i2c, calls } = createBus();
  i2c.write(DATA, 0x20);
  i2c.write(DATA, 0x30 | RESTART | STOP);
  block.run(50 * SCL_NS);
  assert.deepEqual(calls, ["start write", "start write", "stop"]);
  i2c.write(ENABLE, 0);
  i2c.write(CON, 0x145);
  i2c.write(ENABLE, 1);
  calls.length = 0;
  i2c.write(DATA, 0x20);
  i2c.write(DATA, READ | STOP);
  block.run(50 * SCL_NS);
  assert.deepEqual(calls, ["start write", "stop", "start read", "last", "stop"]);
});

test("without STOP the master holds the bus and goes on with the next command", () => {
  const { block, i2c, memory, calls } = createBus();
  i2c.write(DATA, 0x40);
  block.run(1e6);
  assert.equal(i2c.read(STATUS) & 0x20, 0x20);
  assert.throws(() => i2c.write(ENABLE, 0), /I2C0: off within a transfer/);
  i2c.write(DATA, 0x77 | STOP);
  block.run(OCTET_NS + SCL_NS + 100);
  assert.equal(memory[0x40], 0x77);
  assert.deepEqual(calls, ["start write", "stop"]);
});

test("nobody at the address: abort by source, what waits is flushed and counted", () => {
  const { block, i2c } = createBus();
  i2c.write(ENABLE, 0);
  i2c.write(TAR, 0x51);
  i2c.write(ENABLE, 1);
  for (const octet of [1, 2, 3 | STOP]) i2c.write(DATA, octet);
  block.run(12 * SCL_NS);
  assert.equal(i2c.read(RAW) & (TX_ABRT | STOP_DET), TX_ABRT | STOP_DET);
  assert.equal(i2c.read(SOURCE), (3 << 23) | 1);
  i2c.write(DATA, 9); // stays flushed until the abort is cleared
  assert.equal(i2c.read(TXFLR), 0);
  i2c.read(CLR_ABRT);
  assert.deepEqual([i2c.read(SOURCE), i2c.read(RAW) & TX_ABRT], [0, 0]);
  block.selected.set(SDA, 31); // a pin that belongs to another function reaches nobody
  i2c.write(ENABLE, 0);
  i2c.write(TAR, 0x50);
  i2c.write(ENABLE, 1);
  i2c.write(DATA, STOP);
  block.run(12 * SCL_NS);
  assert.equal(i2c.read(SOURCE) & 1, 1);
});

test("an octet that is not acknowledged, and an abort that is asked for", () => {
  const bus = createBus();
  const { block, i2c, calls } = bus;
  bus.refuseFrom = 2;
  for (const octet of [0x10, 1, 2, 3, 4 | STOP]) i2c.write(DATA, octet);
  block.run(60 * SCL_NS);
  assert.equal(i2c.read(SOURCE), (2 << 23) | 8);
  assert.equal(calls.at(-1), "stop");
  i2c.read(CLR_ABRT);
  bus.refuseFrom = Infinity;
  for (const octet of [0x10, 1, 2, 3, 4 | STOP]) i2c.write(DATA, octet);
  block.run(15 * SCL_NS); // within the first octet
  i2c.write(ENABLE, 3);
  block.run(60 * SCL_NS);
  assert.equal(i2c.read(SOURCE), (4 << 23) | (1 << 16));
  assert.deepEqual([i2c.read(ENABLE), i2c.read(STATUS) & 0x21], [1, 0]);
});

test("a device that stretches the clock takes its time before the next octet", () => {
  const bus = createBus();
  bus.stretchNs = 50_000;
  bus.i2c.write(DATA, 0x10);
  bus.i2c.write(DATA, 0x11 | STOP);
  const wholeNs = 2 * SCL_NS + 3 * OCTET_NS + 2 * 50_000; // after the address and the first octet
  bus.block.run(wholeNs - 100);
  assert.equal(bus.i2c.read(RAW) & STOP_DET, 0);
  bus.block.run(300);
  assert.equal(bus.i2c.read(RAW) & STOP_DET, STOP_DET);
});

test("a clock that somebody holds stops the octet, and START waits for both lines", () => {
  const { block, i2c, calls } = createBus();
  block.input(SCL, false);
  i2c.write(DATA, 0x10);
  i2c.write(DATA, 0x11 | STOP);
  block.run(1e6);
  assert.deepEqual([calls, i2c.read(STATUS) & 0x20, i2c.read(RAW) & START_DET], [[], 0x20, 0]);
  block.input(SCL, true);
  block.run(SCL_NS + OCTET_NS + 100);
  assert.deepEqual(calls, ["start write"]);
  block.input(SCL, false);
  block.run(1e6);
  block.input(SCL, true);
  block.run(OCTET_NS - 100); // the first octet is over, the second one is not
  assert.equal(i2c.read(RAW) & STOP_DET, 0);
  block.input(SDA, false);
  block.run(1e6);
  assert.equal(i2c.read(SOURCE), 1 << 12); // 0x11 is not what stands there
  assert.deepEqual([i2c.read(RAW) & STOP_DET, i2c.read(STATUS) & 0x20], [0, 0]);
});

test("SDA that is held low loses the address, reads as 0, and lets no STOP arise", () => {
  const { block, i2c, memory, calls } = createBus();
  memory[0x20] = 0xff;
  i2c.write(DATA, 0x20);
  for (const octet of [READ, READ | STOP]) i2c.write(DATA, octet);
  block.run(2 * SCL_NS + 3 * OCTET_NS + 100);
  block.input(SDA, false);
  block.run(1e6);
  assert.deepEqual([i2c.read(DATA), i2c.read(DATA)], [FIRST, 0]);
  assert.equal(calls.at(-1), "last");
  block.input(SDA, true);
  assert.equal(calls.at(-1), "stop");
  i2c.write(DATA, 0x20 | STOP);
  block.run(100);
  block.input(SDA, false);
  block.run(1e6);
  assert.equal(i2c.read(SOURCE), (1 << 23) | (1 << 12));
  assert.equal(calls.at(-1), "stop");
});

test("FIFOs hold 16 each, tell what was lost, and interrupt at their levels", () => {
  const { block, i2c } = createBus();
  i2c.write(0x38, 1); // RX: more than one
  i2c.write(0x3c, 2); // TX: two or fewer
  i2c.write(MASK, RX_FULL);
  assert.equal(i2c.read(RAW) & TX_EMPTY, TX_EMPTY);
  for (let i = 0; i < 18; i++) i2c.write(DATA, READ);
  assert.equal(i2c.read(TXFLR), 16);
  assert.equal(i2c.read(RAW) & (TX_OVER | TX_EMPTY), TX_OVER);
  block.run(SCL_NS + 2 * OCTET_NS + 100);
  assert.equal(block.interrupts.get(23), false);
  block.run(OCTET_NS);
  assert.equal(block.interrupts.get(23), true);
  block.run(20 * OCTET_NS);
  assert.equal(i2c.read(RXFLR), 16);
  i2c.write(DATA, READ | STOP);
  block.run(20 * OCTET_NS);
  assert.equal(i2c.read(RAW) & RX_OVER, RX_OVER);
});

test("DMA is asked for commands up to its level and for octets above it", () => {
  const { block, i2c } = createBus();
  i2c.write(0x8c, 1);
  i2c.write(0x90, 1);
  i2c.write(0x88, 3);
  assert.deepEqual([block.requests.get(32), block.requests.get(33)], [true, false]);
  for (let i = 0; i < 3; i++) i2c.write(DATA, READ);
  assert.equal(block.requests.get(32), false);
  block.run(SCL_NS + 3 * OCTET_NS + 100);
  assert.deepEqual([block.requests.get(32), block.requests.get(33)], [true, true]);
});

test("what the model does not know ends the run by name", () => {
  const { i2c } = createBus();
  assert.throws(() => i2c.write(TAR, 0x51), /I2C0: CON, TAR or a count changes while it is on/);
  i2c.write(ENABLE, 0);
  assert.throws(() => i2c.write(DATA, 0), /a command while it is off/);
  assert.throws(() => i2c.write(CON, 0x20), /I2C0: 0x20 in register \+0x0 is not modelled/);
  assert.throws(() => i2c.write(CON, 0x175), /not modelled/); // ten bits
  assert.throws(() => i2c.read(0x0c), /I2C0: register \+0xc is not modelled/);
});
