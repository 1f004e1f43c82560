// SPDX-License-Identifier: MIT
// Pins of the flash image: ADC, digital inputs and outputs, pulse counters, PWM.
//
// Goal: loop reads what stands at each pin and nothing else, however long it takes, and its outputs reach their pins.
// Method: a node with every kind of channel and a loop that logs what the host functions give in each tick.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildNode } from "../../scripts/build/modules.ts";
import { readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { assemble } from "../host-sim/small-modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { type Running, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico pins "));
const MS = 1e6;
const PADS = 0x4001c004;
const [LOG, LOG_MAX, WORDS] = [4096, 900, 12]; // a tick each
const BUSY_US = 7000;
const READ = { analog: [0, 1, 2, 3], digital: [0, 1, 7], pulses: [0, 1, 5] }; // the last are not there

let image: Rp2040Image;
before(async () => {
  if (tools.skip !== false) return;
  const press = await buildNode(join(PROJECT, "firmware/nodes/press"));
  const { channels } = press.type;
  const current = channels["motor-current"]!;
  const other = (input: number): typeof current => Object.assign({ ...current }, { input });
  const type: typeof press.type = {
    ...press.type,
    channels: { ...channels, b: other(1), c: other(2) },
    outputs: {
      heater: { kind: "pwm", output: 0, min: 0, max: 1, safe: 0.25 },
      valve: { kind: "digital", pin: 3, min: 0, max: 1, safe: 1 },
    },
  };
  const built = { ...press, type, loop: { ...press.loop, wasm: loggingLoop() } };
  image = buildRp2040("pico", built, join(folder, "pins"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// Word 0: ticks in the log. Set by the test: word 4 the duty, word 8 the level, word 12 makes it trap.
function loggingLoop(): Uint8Array {
  const reads = [
    ...READ.analog.map((n) => `(call $adc (i32.const ${n}))`),
    ...READ.digital.map((n) => `(call $digital (i32.const ${n}))`),
    ...READ.pulses.map((n) => `(call $pulses (i32.const ${n}))`),
    `(call $pwm (i32.const 0) (i32.load (i32.const 4)))`,
    `(call $set (i32.const 3) (i32.load (i32.const 8)))`,
  ];
  const stores = reads.map(
    (read, i) => `(i32.store offset=${LOG + 4 * i} (local.get $at) ${read})`,
  );
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "adc_read" (func $adc (param i32) (result i32)))
    (import "host" "digital_read" (func $digital (param i32) (result i32)))
    (import "host" "pulse_count" (func $pulses (param i32) (result i32)))
    (import "host" "pwm_write" (func $pwm (param i32 i32) (result i32)))
    (import "host" "digital_write" (func $set (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "init"))
    (func (export "tick") (local $began i32) (local $at i32)
      (local.set $began (call $now))
      (if (i32.load (i32.const 12)) (then unreachable))
      (local.set $at (i32.mul (i32.load (i32.const 0)) (i32.const ${4 * WORDS})))
      ${stores.join("\n")}
      (if (i32.lt_u (i32.load (i32.const 0)) (i32.const ${LOG_MAX}))
        (then (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))))
      (loop $busy (br_if $busy (i32.lt_u
        (i32.sub (call $now) (local.get $began)) (i32.const ${BUSY_US}))))))`);
}

interface Node extends Running {
  latest(): { adc: number[]; digital: number[]; pulses: number[]; done: number[] };
  put(word: number, value: number): void;
  run(ms: number): void;
}

function startNode(): Node {
  const running = start(image);
  const { chip, symbol } = running;
  const memory = new DataView(
    chip.sram.buffer,
    chip.sram.byteOffset + symbol("loop_memory") - 0x20000000,
  );
  const run = (ms: number): void => chip.runToNs(chip.time.nowNs() + ms * MS);
  run(200);
  return {
    ...{ ...running, run },
    put: (word, value) => memory.setUint32(word, value, true),
    latest() {
      const at = LOG + 4 * WORDS * (memory.getUint32(0, true) - 1);
      const words = Array.from({ length: WORDS }, (_, i) => memory.getInt32(at + 4 * i, true));
      return {
        adc: words.slice(0, 4),
        digital: words.slice(4, 7),
        pulses: words.slice(7, 10),
        done: words.slice(10),
      };
    },
  };
}

const volts = (code: number): number => ((code + 0.5) * 3.3) / 4096;

test("each analog input reads its own pin, within two periods, while loop is busy", tools, () => {
  const { chip, latest, run } = startNode();
  for (let round = 0; round < 10; round++) {
    const codes = [100 + 7 * round, 2000 + 31 * round, 4095 - 5 * round];
    codes.forEach((code, i) => chip.pins.setVolts(26 + i, volts(code)));
    run(41);
    assert.deepEqual(latest().adc, [...codes, -1]);
  }
});

test("a reading is the mean of four samples, rounded", tools, () => {
  const { chip, latest, run } = startNode();
  const samples = [1000, 1001, 1003, 1006]; // 1002.5
  let asked = 0;
  chip.pins.setVolts(27, () => volts(samples[asked++ % 4]!));
  run(60);
  assert.equal(latest().adc[1], 1003);
  assert.ok(asked > 4 * 4 && asked < 4 * 8, `${asked} samples in 60 ms`);
});

test("digital inputs follow their pins at the tick; pulls hold a pin nobody drives", tools, () => {
  const { chip, latest, run } = startNode();
  const [first, second] = readBoard("pico").digital;
  assert.deepEqual(latest().digital, [0, 0, -1]);
  for (const pin of [first!, second!]) assert.equal(chip.bus.read(PADS + 4 * pin, 4) & 0xcc, 0xc4); // no output, input, pulled down
  chip.pins.drive(first!, true);
  run(20);
  assert.deepEqual(latest().digital, [1, 0, -1]);
  chip.pins.drive(first!, undefined);
  chip.pins.drive(second!, true);
  run(20);
  assert.deepEqual(latest().digital, [0, 1, -1]);
  assert.deepEqual([chip.pins.driven(first!), chip.pins.driven(second!)], [false, false]);
});

test(
  "pulses are counted over the 16 bits of the slice, none lost, each input its own",
  tools,
  () => {
    const { chip, latest, run } = startNode();
    const [first, second] = readBoard("pico").pulses;
    const pulse = (pin: number, count: number): void => {
      for (let i = 0; i < count; i++)
        for (const level of [true, false]) chip.pins.drive(pin, level);
    };
    let given = 0;
    for (const count of [1, 40_000, 40_000, 65_535, 65_535, 3]) {
      pulse(first!, count);
      pulse(second!, 2);
      given += count;
      run(20);
      assert.equal(latest().pulses[0], given);
    }
    assert.deepEqual(latest().pulses, [211_074, 12, 0]);
  },
);

test(
  "outputs reach their pins, stay at their safe values before loop and after a trap",
  tools,
  () => {
    const { chip, latest, put, run } = startNode();
    const { pwm, digital } = readBoard("pico");
    const duty = (): number => chip.blocks.pwm[0]!.duty;
    assert.equal(pwm[0], 16); // slice 0, A
    for (const [wanted, level] of [
      [0, 0],
      [32_768, 1],
      [65_535, 0],
      [70_000, 1],
    ] as const) {
      put(4, wanted);
      put(8, level);
      run(25);
      assert.ok(Math.abs(duty() - Math.min(wanted, 65_535) / 65_535) < 1e-9, `${duty()}`);
      assert.equal(chip.blocks.pwm[0]!.hz > 1900 || wanted === 0 || wanted >= 65_535, true);
      assert.equal(chip.pins.level(digital[3]!), level === 1);
      assert.deepEqual(latest().done, [0, 0]);
    }
    put(4, 65_535);
    put(8, 0);
    run(25);
    put(12, 1);
    run(15);
    assert.ok(Math.abs(duty() - 0.25) < 1e-4);
    assert.equal(chip.pins.level(digital[3]!), true);
  },
);
