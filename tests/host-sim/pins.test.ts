// SPDX-License-Identifier: MIT
// Digital pins, pulses, bursts and the mailbox, as loop and link see them.
//
// Goal: SPEC.md §1.1 and §1.2 hold for these host functions at and beyond their bounds. Method: modules of a
// few instructions whose records show each result, on a bench with a device made for the case.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccelerometer } from "../../host-sim/accelerometer.ts";
import type { Device } from "../../host-sim/devices/device.ts";
import { createNothing } from "../../host-sim/devices/device.ts";
import { BURST_FIFO_SAMPLES, MAILBOX_RECORDS_MAX } from "../../host-sim/limits.ts";
import { createMailbox } from "../../host-sim/mailbox.ts";
import { createBench, type Bench } from "./node-rig.ts";
import { assemble } from "./small-modules.ts";

const SIGNATURES: Record<string, string> = {
  digital_read: "(param i32) (result i32)",
  digital_write: "(param i32 i32) (result i32)",
  pulse_count: "(param i32) (result i32)",
  burst_take: "(param i32 i32 i32) (result i32)",
  mailbox_take: "(param i32 i32) (result i32)",
};

// A loop that stores the result of a call at 0 each tick and puts 16 octets from there to the ring.
function calling(name: string, values: number[], trapAtTick = 0): Uint8Array {
  const operands = values.map((value) => `(i32.const ${value})`).join(" ");
  return assemble(`(module
    (import "host" "${name}" (func $f ${SIGNATURES[name]!}))
    (import "host" "ring_put" (func $put (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $n (mut i32) (i32.const 0))
    (func (export "init"))
    (func (export "tick")
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (if (i32.eq (global.get $n) (i32.const ${trapAtTick})) (then unreachable))
      (i32.store (i32.const 0) (call $f ${operands}))
      (drop (call $put (i32.const 0) (i32.const 16)))))`);
}

// Octets 0..15 that each tick put, as numbers of four octets.
function records(bench: Bench): number[][] {
  return bench.linesWith('"ring-put"').map((line) => {
    const bytes = Buffer.from((JSON.parse(line) as { record: string }).record, "hex");
    return [0, 4, 8, 12].map((offset) => bytes.readInt32LE(offset));
  });
}

function results(loopWasm: Uint8Array, device: Device, ticks: number, changes = {}): number[] {
  const bench = createBench({ loopWasm, ...changes }, device);
  bench.node.powerOn(0);
  bench.runTo(ticks * 10_000);
  return records(bench).map(([first]) => first!);
}

function createPins(): Device & { levels: [number, number][]; counted: number } {
  const pins = {
    ...createNothing(),
    levels: [] as [number, number][],
    counted: 0xffff_fffe,
    digital: (pin: number) => (pin === 3 ? 1 : pin === 4 ? 0 : -1),
    setDigital: (pin: number, level: number) => void pins.levels.push([pin, level]),
    pulses: (input: number) => (input === 1 ? pins.counted : -1),
  };
  return pins;
}

test("a digital input reads 0 or 1, one that is not there -1", () => {
  for (const [pin, level] of [
    [3, 1],
    [4, 0],
    [5, -1],
    [-1, -1],
  ]) {
    assert.deepEqual(results(calling("digital_read", [pin!]), createPins(), 1), [level], `${pin}`);
    assert.deepEqual(results(calling("digital_read", [pin!]), createNothing(), 1), [-1]);
  }
});

test("a digital output takes all but 0 as 1; it is safe before start and after a trap", () => {
  const digitalOutputs = [{ name: "release", pin: 2, safe: 0 as const }];
  const pins = createPins();
  const loop = calling("digital_write", [2, 7], 3);
  assert.deepEqual(results(loop, pins, 4, { digitalOutputs }), [0, 0, 0]);
  assert.deepEqual(pins.levels, [
    [2, 0],
    [2, 1],
    [2, 0],
    [2, 1],
  ]);
  assert.deepEqual(results(calling("digital_write", [9, 1]), pins, 1, { digitalOutputs }), [-1]);
});

test("pulses count from power-on as a u32; an input that is not there counts 0", () => {
  const pins = createPins();
  const bench = createBench({ loopWasm: calling("pulse_count", [1]) }, pins);
  bench.node.powerOn(0);
  bench.runTo(10_000);
  pins.counted += 5; // beyond 2^32
  bench.runTo(20_000);
  pins.counted += 0xffff_ffff;
  bench.runTo(30_000);
  bench.node.powerCut(35_000);
  pins.counted += 3;
  bench.node.powerOn(40_000);
  bench.runTo(50_000);
  assert.deepEqual(
    records(bench).map(([first]) => first! >>> 0),
    [0, 5, 4, 0],
  );
  assert.deepEqual(results(calling("pulse_count", [2]), pins, 1), [0]);
});

const ACCELEROMETER = { device: 1, rateHz: 1000, rangeG: 2 };

test("a burst gives the samples since the last one, oldest first, as counts of the range", () => {
  const device: Device = {
    ...createNothing(),
    vibration(which, { first }, target) {
      assert.equal(which, 1);
      target.forEach((_, i) => (target[i] = (first + i) % 2 === 0 ? 9.80665 : -99));
    },
  };
  const loopWasm = calling("burst_take", [1, 4, 6]);
  const bench = createBench({ loopWasm, accelerometers: [ACCELEROMETER] }, device);
  bench.node.powerOn(0);
  bench.runTo(20_000);
  const pair = (16_384 | (-32_768 << 16)) >>> 0; // half the range, and its end
  const [first, second] = records(bench);
  assert.deepEqual(
    first,
    [6, pair, pair, pair].map((value) => value | 0),
  );
  assert.equal(second![0], 6);
  assert.deepEqual(results(calling("burst_take", [0, 4, 6]), device, 1), [0], "no such device");
});

test("an accelerometer that nobody read says so once, then has the newest samples", () => {
  const firsts: number[] = [];
  const sensor = createAccelerometer(ACCELEROMETER, (_device, { first }) => firsts.push(first));
  const bytes = new Uint8Array(2 * BURST_FIFO_SAMPLES);
  sensor.start(1_000_000);
  const take = (ms: number, capacity: number): number =>
    sensor.take(1_000_000 + 1000 * ms, bytes, 0, capacity);
  assert.equal(take(BURST_FIFO_SAMPLES, 1), 1, "a full FIFO is no overflow");
  assert.equal(take(BURST_FIFO_SAMPLES + 2, 100), -1);
  assert.equal(take(BURST_FIFO_SAMPLES + 12, 100), 100, "even if it went on overflowing");
  assert.equal(take(BURST_FIFO_SAMPLES + 12, 10_000), BURST_FIFO_SAMPLES - 100);
  assert.equal(take(BURST_FIFO_SAMPLES + 12, 10_000), 0);
  assert.equal(take(3 * BURST_FIFO_SAMPLES, 1), -1);
  assert.deepEqual(firsts, [0, 12, 112, BURST_FIFO_SAMPLES + 12]);
});

test("the mailbox holds its bound, keeps the order and refuses what is no record", () => {
  const mailbox = createMailbox();
  const record = (n: number): Uint8Array => new Uint8Array(16).fill(n);
  for (let round = 0; round < 3; round++) {
    for (let n = 1; n <= MAILBOX_RECORDS_MAX; n++) assert.ok(mailbox.put(record(n), 0, 16));
    assert.ok(!mailbox.put(record(99), 0, 16), "full");
    const target = new Uint8Array(20);
    assert.equal(mailbox.take(target, 4, 15), 0, "it stays when it does not fit");
    for (let n = 1; n <= MAILBOX_RECORDS_MAX; n++) {
      assert.equal(mailbox.take(target, 4, 16), 16);
      assert.deepEqual([target[3], target[4], target[19]], [0, n, n]);
    }
    assert.equal(mailbox.take(target, 4, 16), 0);
  }
  for (const length of [0, 1, 15, 17, 4096])
    assert.ok(!mailbox.put(new Uint8Array(5000), 0, length));
});

test("what link puts loop takes in its next tick; a power cut empties the mailbox", () => {
  const linkWasm = assemble(`(module
    (import "host" "mailbox_put" (func $put (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "init") (i32.store (i32.const 8) (i32.const 4711)))
    (func (export "poll") (result i32)
      (drop (call $put (i32.const 8) (i32.const 16)))
      (i32.const 1000))
    (func (export "counters") (result i32) (i32.const 256))
    (func (export "waiting") (param i32 i32) (result i32) (i32.const 0))
    (func (export "memoryBytes") (result i32) (i32.const 4096)))`);
  const bench = createBench({ loopWasm: calling("mailbox_take", [4, 16]), linkWasm });
  bench.node.powerOn(0);
  bench.runTo(10_000);
  assert.deepEqual(records(bench)[0], [16, 4711, 0, 0]);
  bench.runTo(15_000); // the poll after the tick puts another one
  bench.node.powerCut(15_000);
  const before = records(bench).length;
  bench.node.powerOn(20_000);
  bench.node.run(20_000);
  bench.runTo(30_000);
  assert.equal(records(bench)[before]![0], 16, "only what the new life put");
  assert.equal(bench.node.hostCounters().linkTraps, 0);
});

test("a pointer outside memory is a trap of its module", () => {
  for (const [name, values] of [
    ["burst_take", [1, 65_530, 100]],
    ["mailbox_take", [65_530, 16]],
  ] as const) {
    const bench = createBench({
      loopWasm: calling(name, [...values]),
      accelerometers: [ACCELEROMETER],
    });
    bench.node.powerOn(0);
    bench.runTo(10_000);
    assert.equal(bench.node.hostCounters().loopTraps, 1, name);
  }
});
