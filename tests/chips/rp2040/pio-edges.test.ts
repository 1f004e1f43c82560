// SPDX-License-Identifier: MIT
// Goal: a PIO that is run ahead does what single cycles would.
//
// Method: the program of edge capture against a simulation of its seven instructions cycle by cycle, written for this test;
// random programs twice, once undisturbed and once stopped by a register access in each cycle.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng, type Prng } from "../../../host-sim/prng.ts";
import {
  createMachines,
  CTRL,
  FDEBUG,
  FSTAT,
  inn,
  IRQ,
  jmp,
  type Machines,
  mov,
  set,
} from "./pio-rig.ts";

const PIN = 14;
const JOIN_RX = 2 ** 31;
const AUTOPUSH = 1 << 16;
const EDGE_CAPTURE = [
  jmp("x--", 1),
  jmp("pin", 0),
  inn("x", 32),
  jmp("pin", 6),
  jmp("x--", 3),
  jmp("always", 3),
  inn("x", 32),
];

function startCapture(x: number): Machines {
  const m = createMachines();
  m.load(EDGE_CAPTURE);
  m.set(0, "exec", ((PIN << 24) | (6 << 12) | (1 << 7)) >>> 0);
  m.set(0, "shift", JOIN_RX + AUTOPUSH);
  m.force(0, jmp("always", 3));
  m.force(0, x < 0 ? mov("x", "null", 1) : set("x", x));
  m.pio.write(CTRL, 1);
  return m;
}

/** The same in single cycles: `level` is the pin two cycles before. */
function simulate(level: (cycle: number) => boolean, first: number, cycles: number): number[] {
  const pushed: number[] = [];
  let [pc, x] = [3, first >>> 0];
  for (let cycle = 0; cycle < cycles; cycle++) {
    const high = level(cycle - 2);
    const next = pc === 6 ? 1 : pc + 1;
    if (pc === 2 || pc === 6) pushed.push(x);
    if (pc === 0 || pc === 4) {
      const target = pc === 0 ? 1 : 3;
      pc = x !== 0 ? target : next;
      x = (x - 1) >>> 0;
    } else if (pc === 1) pc = high ? 0 : 2;
    else if (pc === 3) pc = high ? 6 : 4;
    else if (pc === 5) pc = 3;
    else pc = next;
  }
  return pushed;
}

function randomEdges(prng: Prng, count: number): number[] {
  const edges = [20];
  while (edges.length < count)
    edges.push(edges.at(-1)! + 2 + prng.below(prng.chance(0.2) ? 4000 : 40));
  return edges;
}

function capture(m: Machines, edges: readonly number[]): number[] {
  const values: number[] = [];
  let now = 0;
  edges.forEach((edge, i) => {
    m.cycles(edge - now);
    now = edge;
    m.block.input(PIN, i % 2 === 0);
    values.push(...m.take(0));
  });
  m.cycles(100);
  return [...values, ...m.take(0)];
}

test("edges two cycles apart and more are pushed as single cycles give them", () => {
  const edges = randomEdges(createPrng(5), 3000);
  const captured = capture(startCapture(-1), edges);
  let at = 0;
  const level = (cycle: number): boolean => {
    while (at < edges.length && edges[at]! <= cycle) at++;
    return at % 2 === 1;
  };
  assert.deepEqual(captured, simulate(level, -1, edges.at(-1)! + 100));
  assert.equal(captured.length, edges.length);
  for (let i = 1; i < edges.length; i++) {
    const cycles = 2 * ((captured[i - 1]! - captured[i]! + 1) >>> 0);
    assert.ok(Math.abs(cycles - (edges[i]! - edges[i - 1]!)) <= 1, `edge ${i}`);
  }
});

test("X passes 0 as single cycles give it, whatever stands before", () => {
  for (let x = 0; x < 32; x++) {
    const edges = [21 + 3 * x, 80 + x, 150];
    let at = 0;
    const level = (cycle: number): boolean => {
      while (at < edges.length && edges[at]! <= cycle) at++;
      return at % 2 === 1;
    };
    assert.deepEqual(capture(startCapture(x), edges), simulate(level, x, 250), `x = ${x}`);
  }
});

test("minutes without an edge are passed over, and the count goes round exactly", () => {
  const m = startCapture(-1);
  m.cycles(10_000_000_001); // 80 s: more than 2^32 counts of two cycles
  m.block.input(PIN, true);
  m.cycles(10);
  const [count] = m.take(0);
  // Two cycles a count, one more in 2^32; the pin is seen two cycles late.
  const counts = Math.floor((10_000_000_001 + 2 - 1) / 2);
  assert.ok(Math.abs(((0xffffffff - counts) >>> 0) - count!) <= 1, `${count}`);
});

// What firmware and wires see, in each cycle when `often`.
function trace(seed: number, often: boolean): unknown {
  const prng = createPrng(seed);
  const m = createMachines();
  const log: string[] = [];
  const { drive } = m.block.context.pins;
  m.block.context.pins.drive = (source, pin, output, enable) => {
    const before = m.block.driven.get(pin);
    if (before?.output !== output || before.enable !== enable)
      log.push(`${m.block.context.clock.now()}: ${pin} ${output} ${enable}`);
    drive(source, pin, output, enable);
  };
  for (let place = 0; place < 32; place++) m.pio.write(0x48 + 4 * place, prng.below(65_536));
  for (let machine = 0; machine < 4; machine++) {
    m.set(machine, "divider", (256 + prng.below(prng.chance(0.5) ? 1 : 2000)) << 8);
    m.set(machine, "exec", ((prng.below(0x8000) << 16) | prng.below(0x10000)) & 0x7ff9ff9f);
    m.set(machine, "shift", prng.nextU32() & 0x3fff0000);
    m.set(machine, "pins", (prng.nextU32() & 0x1fffffff) | (prng.below(3) << 29));
  }
  m.pio.write(CTRL, 15);
  for (let round = 0; round < 60; round++) {
    const cycles = 1 + prng.below(60);
    for (let i = 0; i < cycles; i++) {
      m.cycles(1);
      if (often) for (let machine = 0; machine < 4; machine++) m.get(machine, "at");
    }
    m.block.input(prng.below(30), prng.chance(0.5));
    const machine = prng.below(4);
    if (prng.chance(0.3)) m.pio.write(0x10 + 4 * machine, prng.nextU32());
    if (prng.chance(0.3)) log.push(`took ${String(m.take(machine))}`);
    if (prng.chance(0.2)) m.pio.write(IRQ, 255);
    log.push(`${m.pio.read(FSTAT)} ${m.pio.read(FDEBUG)} ${m.pio.read(IRQ)}`);
    log.push([0, 1, 2, 3].map((one) => m.get(one, "at")).join());
  }
  return log;
}

test("60 random programs give the same whether they are run ahead or cycle by cycle", () => {
  for (let seed = 1; seed <= 60; seed++)
    assert.deepEqual(trace(seed, false), trace(seed, true), `seed ${seed}`);
});
