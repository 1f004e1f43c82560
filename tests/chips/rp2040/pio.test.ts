// SPDX-License-Identifier: MIT
// Goal: the state machines of a PIO are as the datasheet (chapter 3) says.
//
// Method: programs of a few words; cycles counted by hand; values read from FIFOs, pins and registers.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createMachines,
  CTRL,
  CYCLE_NS,
  FDEBUG,
  FLEVEL,
  FORCE,
  FSTAT,
  inn,
  IRQ,
  irq,
  jmp,
  type Machines,
  mov,
  out,
  pull,
  push,
  set,
  side,
  TXF,
  wait,
} from "./pio-rig.ts";

const JOIN_TX = 2 ** 30;
const JOIN_RX = 2 ** 31;
const [IN_RIGHT, OUT_RIGHT, AUTOPUSH, AUTOPULL] = [1 << 18, 1 << 19, 1 << 16, 1 << 17];
const pushAt = (bits: number): number => (bits & 31) << 20;
const pullAt = (bits: number): number => (bits & 31) << 25;
const PINS = (out: number, outs: number, sets: number, base: number): number =>
  ((sets << 26) | (outs << 20) | (base << 15) | (out << 5) | out) >>> 0; // out and set at one base

/** Cycles after now at which a pin changed its level. */
function watchPin(m: Machines, pin: number): number[] {
  const startNs = m.block.nowNs();
  const { drive } = m.block.context.pins;
  const seen: number[] = [];
  let level = m.block.driven.get(pin)?.output ?? false;
  m.block.context.pins.drive = (source, at, output, enable) => {
    if (at === pin && output !== level)
      seen.push((m.block.context.time.nowNs() - startNs) / CYCLE_NS);
    if (at === pin) level = output;
    drive(source, at, output, enable);
  };
  return seen;
}

test("an instruction takes a cycle and its delay; a program wraps at no cost", () => {
  const m = createMachines();
  m.set(0, "pins", PINS(3, 0, 1, 0));
  m.load([set("pins", 1, 2), set("pins", 0, 6)]);
  const seen = watchPin(m, 3);
  m.pio.write(CTRL, 1);
  m.cycles(31);
  assert.deepEqual(seen, [1, 4, 11, 14, 21, 24, 31]);
  assert.equal(m.get(0, "at"), 1);
});

test("the divider: whole cycles, and fractions that stay right on average", () => {
  const m = createMachines();
  m.set(0, "pins", PINS(3, 0, 1, 0));
  m.set(0, "divider", (2 << 16) | (0x80 << 8)); // 2.5
  m.load([set("pins", 1), set("pins", 0)]);
  const seen = watchPin(m, 3);
  m.pio.write(CTRL, 1);
  m.cycles(2500);
  assert.deepEqual(seen.slice(0, 5), [1, 3, 6, 8, 11]);
  assert.equal(seen.length, 1000);
  m.set(0, "divider", 0); // 65,536
  const before = seen.length;
  m.cycles(3 * 65_536);
  assert.ok(Math.abs(seen.length - before - 3) <= 1);
});

test("JMP: each condition, X and Y count down also when they are 0", () => {
  const m = createMachines();
  m.load([set("x", 2), jmp("x--", 1), inn("x", 32), push(), jmp("always", 4)]);
  m.pio.write(CTRL, 1);
  m.cycles(10);
  assert.deepEqual(m.take(0), [0xffffffff]);
  assert.equal(m.get(0, "at"), 4);
  const taken = (condition: Parameters<typeof jmp>[0], x: number, y: number): boolean => {
    for (const value of [set("x", x), set("y", y), jmp("always", 0)]) m.force(0, value);
    m.force(0, jmp(condition, 20));
    return m.get(0, "at") === 20;
  };
  m.pio.write(CTRL, 0);
  assert.deepEqual([taken("!x", 0, 1), taken("!x", 1, 0)], [true, false]);
  assert.deepEqual([taken("!y", 1, 0), taken("!y", 0, 1)], [true, false]);
  assert.deepEqual([taken("y--", 0, 1), taken("y--", 1, 0)], [true, false]);
  assert.deepEqual([taken("x!=y", 1, 2), taken("x!=y", 2, 2)], [true, false]);
  m.force(0, pull(false)); // X to OSR: full
  assert.equal(taken("!osre", 0, 0), true);
  m.force(0, out("null", 32));
  assert.equal(taken("!osre", 0, 0), false);
  m.set(0, "exec", (9 << 24) | 0x1f000);
  assert.equal(taken("pin", 0, 0), false);
});

test("an input is seen two cycles after it changed, by JMP, WAIT, IN and MOV", () => {
  const m = createMachines();
  m.set(0, "pins", PINS(3, 0, 1, 7)); // inputs from pin 7
  m.load([wait(1, "pin", 2), set("pins", 1), wait(0, "gpio", 9), set("pins", 0)]);
  m.pio.write(CTRL, 1);
  m.cycles(100);
  const seen = watchPin(m, 3);
  m.block.input(9, true); // at cycle 0: seen in cycle 2, SET is cycle 3 and acts at its end
  m.cycles(100);
  m.block.input(9, false);
  m.cycles(100);
  assert.deepEqual(seen, [4, 104]);
  m.pio.write(CTRL, 0);
  m.block.input(8, true);
  m.force(0, inn("pins", 4));
  m.force(0, push());
  m.force(0, mov("isr", "pins", 1)); // inverted
  m.force(0, push());
  assert.deepEqual(m.take(0), [0b0010 * 2 ** 28, ~0b10 >>> 0]);
});

test("IN and OUT shift both ways and as far as they say; PUSH and PULL empty and fill", () => {
  const m = createMachines();
  m.pio.write(TXF, 0x12345678);
  m.force(0, pull());
  m.set(0, "shift", IN_RIGHT | OUT_RIGHT);
  for (const count of [8, 4]) {
    m.force(0, out("x", count));
    m.force(0, inn("x", count));
  }
  m.force(0, push());
  m.set(0, "shift", 0); // left
  for (const count of [8, 8]) {
    m.force(0, out("y", count));
    m.force(0, inn("y", count));
  }
  m.force(0, push());
  assert.deepEqual(m.take(0), [0x67800000, 0x001]); // left over: 0x00012345
  m.force(0, mov("isr", "y", 2)); // reversed
  m.force(0, out("isr", 12));
  m.force(0, push());
  assert.deepEqual(m.take(0), [0x234]);
});

test("autopush and autopull at their thresholds, OUT a cycle after its refill", () => {
  const m = createMachines();
  m.set(0, "shift", OUT_RIGHT | AUTOPUSH | AUTOPULL | pushAt(16) | pullAt(16));
  m.load([out("x", 8), inn("x", 8)]);
  m.pio.write(CTRL, 1);
  m.cycles(50);
  assert.equal(m.pio.read(FDEBUG) & 0x01000000, 0x01000000); // it waits for words
  m.pio.write(FDEBUG, 0x01000000);
  m.pio.write(TXF, 0xbbaa);
  m.cycles(5); // refill, out, in, out, in
  assert.deepEqual(m.take(0), [0xaabb]);
  for (let word = 0; word < 4; word++) m.pio.write(TXF, word);
  m.cycles(40);
  assert.deepEqual(m.take(0), [0, 0x0100, 0x0200, 0x0300]);
});

test("a full RX FIFO stalls IN and PUSH, nothing is lost; without block ISR is lost", () => {
  const m = createMachines();
  m.set(0, "shift", IN_RIGHT | AUTOPUSH);
  m.load([inn("x", 32), jmp("x--", 0)]);
  m.pio.write(CTRL, 1);
  m.cycles(100);
  assert.equal((m.pio.read(FLEVEL) >> 4) & 15, 4);
  assert.equal(m.pio.read(FDEBUG) & 1, 1);
  assert.deepEqual(m.take(0).slice(0, 4), [0, 0xffffffff, 0xfffffffe, 0xfffffffd]);
  m.cycles(20);
  assert.deepEqual(m.take(0).slice(0, 3), [0xfffffffc, 0xfffffffb, 0xfffffffa]);
  m.pio.write(CTRL, 0);
  m.set(0, "shift", IN_RIGHT | JOIN_TX); // no RX FIFO at all
  m.pio.write(FDEBUG, 15);
  m.force(0, inn("y", 4));
  m.force(0, push(false));
  assert.equal(m.pio.read(FDEBUG) & 15, 1);
  assert.throws(() => m.force(0, push()), /forced instruction stalls a stopped machine/);
});

test("joined FIFOs hold eight, are empty after joining, and tell over and under", () => {
  const m = createMachines();
  m.pio.write(TXF, 1);
  m.set(0, "shift", JOIN_TX);
  assert.equal(m.pio.read(FLEVEL) & 0xff, 0);
  for (let i = 0; i < 9; i++) m.pio.write(TXF, i);
  assert.equal(m.pio.read(FLEVEL) & 0xff, 8);
  assert.equal(m.pio.read(FDEBUG), 1 << 16);
  assert.equal(m.pio.read(FSTAT) & 0x01010101, 0x00010101); // TX full; RX full and empty
  m.set(0, "shift", JOIN_RX);
  m.pio.read(0x20);
  assert.equal(m.pio.read(FDEBUG), (1 << 16) | (1 << 8));
  assert.equal(m.block.requests.get(0), false); // no room for ever
});

test("requests and interrupts follow the FIFOs' levels", () => {
  const m = createMachines(1);
  assert.deepEqual([m.block.requests.get(8), m.block.requests.get(12)], [true, false]);
  m.pio.write(0x12c, 1); // RX of machine 0 not empty
  m.force(0, push());
  assert.deepEqual([m.block.requests.get(12), m.block.interrupts.get(9)], [true, true]);
  m.take(0);
  assert.deepEqual([m.block.requests.get(12), m.block.interrupts.get(9)], [false, false]);
  for (let i = 0; i < 4; i++) m.pio.write(TXF, 0);
  assert.equal(m.block.requests.get(8), false);
  m.pio.write(0x138, 1 << 8); // flag 0, second line
  m.pio.write(FORCE, 1);
  assert.equal(m.block.interrupts.get(10), true);
  m.pio.write(IRQ, 1);
  assert.equal(m.block.interrupts.get(10), false);
});

test("flags join machines: WAIT takes them, IRQ WAIT waits for that, REL adds the number", () => {
  const m = createMachines();
  m.set(0, "pins", PINS(3, 0, 1, 0));
  m.load([set("pins", 1), irq(0x12, "wait"), set("pins", 0), jmp("always", 3)]); // 2 + 0
  m.pio.write(0x48 + 4 * 10, wait(1, "irq", 0x11)); // of machine 1: 1 + 1
  m.pio.write(0x48 + 4 * 11, jmp("always", 11));
  m.force(1, jmp("always", 10));
  const seen = watchPin(m, 3);
  m.pio.write(CTRL, 1);
  m.cycles(50);
  assert.equal(m.pio.read(IRQ), 4);
  m.pio.write(CTRL, 3);
  m.cycles(50);
  assert.equal(m.pio.read(IRQ), 0);
  assert.deepEqual(seen, [1, 53]); // 50: WAIT clears; 51: IRQ sees it; 52: SET
  assert.deepEqual([m.get(0, "at"), m.get(1, "at")], [3, 11]);
});

test("side-set: always or by its enable bit, pins or directions, also in a stall", () => {
  const m = createMachines();
  m.set(0, "pins", ((1 << 29) | (5 << 10)) >>> 0);
  m.load([side(1, 1, pull()), side(0, 1, mov("y", "y") | (3 << 8))]);
  const seen = watchPin(m, 5);
  m.pio.write(CTRL, 1);
  m.cycles(20);
  assert.deepEqual(seen, [1]);
  m.pio.write(TXF, 0); // at cycle 20 the stall ends
  m.cycles(20);
  assert.deepEqual(seen, [1, 22, 26]);
  const n = createMachines();
  n.set(0, "pins", ((2 << 29) | (5 << 10)) >>> 0); // one pin and the enable bit
  n.load([mov("y", "y"), side(3, 2, mov("y", "y")), mov("y", "y"), side(2, 2, mov("y", "y"))]);
  n.set(0, "exec", (2 ** 30 + 2 ** 29 + (3 << 12)) >>> 0); // directions
  n.pio.write(CTRL, 1);
  n.cycles(2);
  assert.equal(n.pio.read(0x40), 1 << 5);
  n.cycles(1);
  assert.equal(n.pio.read(0x40), 1 << 5);
  n.cycles(1);
  assert.equal(n.pio.read(0x40), 0);
});

test("OUT and MOV to PC and EXEC, to pins round the end, STATUS by level", () => {
  const m = createMachines();
  m.pio.write(TXF, set("x", 9));
  m.force(0, pull());
  m.set(0, "shift", OUT_RIGHT);
  m.load([out("exec", 16), jmp("always", 1)]);
  m.pio.write(CTRL, 1);
  m.cycles(10);
  m.pio.write(CTRL, 0);
  m.force(0, mov("isr", "x"));
  m.force(0, push());
  m.force(0, set("x", 19));
  m.force(0, mov("pc", "x"));
  assert.equal(m.get(0, "at"), 19);
  m.set(0, "pins", (4 << 20) | 30); // four pins from 30: 30, 31, 0, 1
  m.force(0, mov("pins", "x")); // 0b10011
  assert.equal(m.pio.read(0x3c), 0b11 * 2 ** 30);
  m.set(0, "exec", 2); // all ones while TX holds less than 2
  m.force(0, mov("isr", "status"));
  m.force(0, push());
  for (const word of [1, 2]) m.pio.write(TXF, word);
  m.force(0, mov("isr", "status"));
  m.force(0, push());
  assert.deepEqual(m.take(0), [9, 0xffffffff, 0]);
});

test("a restart forgets shift counts and stalls, keeps X and the program counter", () => {
  const m = createMachines();
  m.force(0, set("x", 21));
  m.load([wait(1, "gpio", 0), jmp("always", 1)]);
  m.pio.write(CTRL, 1);
  m.cycles(5);
  m.force(0, jmp("always", 1));
  m.pio.write(CTRL, 0x11);
  m.force(0, mov("isr", "x"));
  m.force(0, push());
  assert.deepEqual(m.take(0), [21]);
  assert.equal(m.get(0, "at"), 1);
});

test("what the model does not know ends the run by name", () => {
  const m = createMachines();
  assert.throws(() => m.pio.write(0x38, 1), /PIO0: 0x1 in register \+0x38 is not modelled/);
  assert.throws(() => m.set(0, "exec", 1 << 17), /not modelled/);
  assert.throws(() => m.pio.read(0x144), /PIO0: register \+0x144 is not modelled/);
});
