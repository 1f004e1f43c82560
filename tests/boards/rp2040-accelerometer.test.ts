// SPDX-License-Identifier: MIT
// The accelerometer of the flash image: each sample of the simulator's.
//
// Goal: what burst_take gives on the chip is value for value what it gives in the wasm simulator for the same machine;
// gaps and a missing sensor are told, never hidden. Method: the press node's image with a loop that logs; the samples
// that the simulator's accelerometer computes from the instant at which the sensor on the pins was switched on.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createAccelerometer } from "../../host-sim/accelerometer.ts";
import { attachDevice, type Attachment, type Wiring } from "../../host-sim/chips/rp2040/attach.ts";
import { createNothing, type Vibration } from "../../host-sim/devices/device.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { boardHeader, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { assemble } from "../host-sim/small-modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { type Running, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico sensor "));
const MS = 1e6;
const LOG = 4096; // samples of two octets, 30,000 at most
const [GAPS, GAPS_MAX] = [64, 500]; // words: samples in the log when -1 came
const SAMPLES_MAX = 512; // a tick
const CS = 22;
const PINS = { analog: [], digital: [], pulses: [], pwm: [], taps: [] };

// Noise that also goes beyond 16 g, a function of the sample's number.
const shake: Vibration = (_device, { first }, target) =>
  target.forEach((_, i) => (target[i] = (((first + i) * 2_654_435_761) % 4_001) / 10 - 200));

let press: BuiltNode;
let image: Rp2040Image;
before(async () => {
  press = await buildNode(join(PROJECT, "firmware/nodes/press"));
  if (tools.skip !== false) return;
  const wasm = loggingLoop(5000);
  image = buildRp2040("pico", { ...press, loop: { ...press.loop, wasm } }, join(folder, "press"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

// Word 0: samples in the log. Word 4, set by the test: 1, take nothing. Word 8: how often -1 came.
function loggingLoop(busyUs: number): Uint8Array {
  return assemble(`(module
    (import "host" "now_us" (func $now (result i32)))
    (import "host" "burst_take" (func $burst (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "init"))
    (func (export "tick") (local $began i32) (local $n i32)
      (local.set $began (call $now))
      (if (i32.eqz (i32.load (i32.const 4))) (then
        (local.set $n (call $burst (i32.const 0)
          (i32.add (i32.const ${LOG}) (i32.shl (i32.load (i32.const 0)) (i32.const 1)))
          (i32.const ${SAMPLES_MAX})))
        (if (i32.lt_s (local.get $n) (i32.const 0))
          (then
            (i32.store
              (i32.add (i32.const ${GAPS}) (i32.shl (i32.load (i32.const 8)) (i32.const 2)))
              (i32.load (i32.const 0)))
            (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1))))
          (else (i32.store (i32.const 0)
            (i32.add (i32.load (i32.const 0)) (local.get $n)))))))
      (loop $busy (br_if $busy (i32.lt_u
        (i32.sub (call $now) (local.get $began)) (i32.const ${busyUs}))))))`);
}

interface Shaken extends Running {
  readonly attachment: Attachment;
  hush(on: boolean): void; // loop takes nothing meanwhile
  taken(): number[];
  gaps(): number[]; // samples taken when -1 came
  counters(): number[]; // samples, overruns, restarts
}

function startShaken(wired = true): Shaken {
  const running = start(image);
  const { chip, symbol, words } = running;
  const { accelerometers } = readBoard("pico");
  const wiring: Wiring = { ...PINS, ...(wired ? { accelerometers } : {}) };
  const attachment = attachDevice(chip, { ...createNothing(), vibration: shake }, wiring);
  const memory = new DataView(chip.sram.buffer, symbol("loop_memory") - 0x20000000);
  const list = (count: number, get: (i: number) => number): number[] =>
    Array.from({ length: count }, (_, i) => get(i));
  return {
    ...{ ...running, attachment },
    hush: (on) => memory.setUint32(4, on ? 1 : 0, true),
    taken: () => list(memory.getUint32(0, true), (i) => memory.getInt16(LOG + 2 * i, true)),
    gaps: () =>
      list(Math.min(memory.getUint32(8, true), GAPS_MAX), (i) =>
        memory.getUint32(GAPS + 4 * i, true),
      ),
    counters: () => words("sensor_counters", 3),
  };
}

/** What the simulator's accelerometer gives from its start, `count` samples. */
function simulated(count: number): number[] {
  const sensor = createAccelerometer({ device: 0, rateHz: 3200, rangeG: 16 }, shake);
  sensor.start(0);
  const bytes = new Uint8Array(2 * count);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < count;) {
    const nowUs = Math.ceil(((at + 1000) * 1e6) / 3200) + 1;
    at += sensor.take(nowUs, bytes, 2 * at, Math.min(1000, count - at));
  }
  return Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true));
}

test(
  "loop gets each sample of the simulator's accelerometer, none later than a poll",
  tools,
  () => {
    const { chip, attachment, taken, gaps, counters, words } = startShaken();
    chip.runToNs(3000 * MS);
    const startNs = attachment.accelerometers[0]!.startNs()!;
    const samples = taken();
    const due = Math.floor(((chip.time.nowNs() - startNs) * 3200) / 1e9);
    assert.ok(due - samples.length <= 3.2 * (10 + 2.5 + 2), `${samples.length} of ${due}`);
    assert.deepEqual(samples, simulated(samples.length));
    assert.ok(samples.includes(-32_768) && samples.includes(32_767)); // beyond the range
    assert.deepEqual(gaps(), []);
    assert.deepEqual(counters().slice(1), [0, 0]);
    assert.deepEqual(words("rhythm", 3).slice(1), [0, 0]);
    assert.equal(chip.counts.bites, 0);
  },
);

test("a queue that overflows is told once; then come the newest 4,095", tools, () => {
  const { chip, taken, gaps, hush } = startShaken();
  chip.runToNs(500 * MS);
  hush(true);
  const before = taken().length;
  chip.runToNs(2500 * MS);
  hush(false);
  chip.runToNs(2700 * MS);
  const samples = taken();
  assert.deepEqual(gaps(), [before]);
  const all = simulated(samples.length + 6400);
  const first = samples.slice(before, before + 50).join();
  let lost = 0;
  while (all.slice(before + lost, before + lost + 50).join() !== first) lost++;
  assert.ok(lost > 6400 - 4096 && lost < 6400 - 4096 + 32 * 3, `${lost} lost`); // and two ticks
  assert.deepEqual(samples.slice(before), all.slice(before + lost, samples.length + lost));
});

test("a sensor that loses its power is set up anew, and the gap is told", tools, () => {
  const { chip, attachment, taken, gaps, counters } = startShaken();
  chip.runToNs(500 * MS);
  const sensor = attachment.accelerometers[0]!;
  sensor.select(true); // a reset from outside: as after its supply failed
  for (const octet of [0x1c, 0x80]) sensor.exchange(octet);
  sensor.select(false);
  chip.runToNs(1000 * MS);
  const before = taken().length;
  chip.runToNs(2000 * MS);
  assert.deepEqual(gaps(), [before]);
  assert.deepEqual(counters().slice(1), [0, 1]);
  const fresh = taken().slice(before);
  assert.ok(fresh.length > 2000, `${fresh.length} samples`);
  assert.deepEqual(fresh, simulated(fresh.length)); // from its new start
});

test("without a sensor there are no samples, and everything else goes on", tools, () => {
  const { chip, taken, counters, words } = startShaken(false);
  chip.runToNs(1500 * MS);
  assert.deepEqual(taken(), []);
  const [samples, , restarts] = counters();
  assert.equal(samples, 0);
  assert.ok(restarts! >= 10, String(restarts));
  const [ticks, missed, overruns] = words("rhythm", 3);
  assert.ok(ticks! > 130);
  assert.deepEqual([missed, overruns], [0, 0]);
  assert.deepEqual([chip.counts.bites, chip.pins.level(CS)], [0, true]);
});

test("a rate, a range or a sensor that is not there is refused by name", () => {
  const board = readBoard("pico");
  const bearing = press.type.accelerometers["bearing"]!;
  const header = (change: Partial<typeof bearing>, where = board): string => {
    const accelerometers = { bearing: { ...bearing, ...change } };
    return boardHeader(where, { ...press, type: { ...press.type, accelerometers } });
  };
  assert.match(header({ rateHz: 400, rangeG: 64 }), /SENSOR_RATE 9\n#define BOARD_SENSOR_RANGE 3/);
  assert.throws(() => header({ rateHz: 1000 }), { next: /^take one of 25, 50, .* 3200$/ });
  assert.throws(() => header({ rangeG: 4 }), /press: rangeG 4 is nothing a KX134 can do/);
  assert.throws(() => header({ device: 1 }), /pico has no accelerometer 1 of press/);
  assert.throws(() => header({}, { ...board, accelerometers: [] }), /has no accelerometer 0/);
});
