// SPDX-License-Identifier: MIT
// The accelerometer on I2C: samples as on SPI, and what a bus can do wrong.
//
// Goal: each sample of the simulator's accelerometer comes to loop, and no fault of bus or device stalls a tick, ends
// the run or becomes a sample. Method: the press node's image with a loop that logs, its KX134 as device 1 of a Pico;
// lines pulled low from outside; a supply that fails in the middle of bursts.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { SensorPins } from "../../host-sim/chips/rp2040/attach.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { boardHeader, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { fastestHz } from "../../scripts/build/rp2040-sensor.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { loggingLoop, MS, type Shaken, simulated, startShaken } from "./shaken.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico i2c "));
const [SDA, SCL] = [18, 19];
const DEVICE = 1;
const LATE_CYCLES_MAX = 60; // from the alarm to the tick's first instruction
// enum i2c_outcome and its neighbours, boards/rp2040/rp2040.h
const FAULTS = ["none", "busy", "nobody", "refused", "lost", "data low", "clock low", "late"];
const [STRANGE, SILENT] = [16, 17];

let press: BuiltNode;
let image: Rp2040Image;
before(async () => {
  press = onI2c(await buildNode(join(PROJECT, "firmware/nodes/press")));
  if (tools.skip !== false) return;
  const wasm = loggingLoop(5000, DEVICE);
  image = buildRp2040("pico", { ...press, loop: { ...press.loop, wasm } }, join(folder, "press"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function onI2c(built: BuiltNode): BuiltNode {
  const bearing = { ...built.type.accelerometers["bearing"]!, device: DEVICE };
  return { ...built, type: { ...built.type, accelerometers: { bearing } } };
}

const sensors = (): readonly SensorPins[] => readBoard("pico").accelerometers;

function faultOf({ words }: Shaken): string {
  const [fault] = words("sensor_fault", 1);
  if (fault === STRANGE) return "strange";
  return fault === SILENT ? "silent" : FAULTS[fault!]!;
}

/** Ticks of 10 ms went on, each in its time, and nothing was reset. */
function assertUndisturbed({ chip, late, words }: Shaken): void {
  assert.ok(Math.max(...late.keys()) <= LATE_CYCLES_MAX, [...late.keys()].join());
  const [ticks, missed, overruns] = words("rhythm", 3);
  const ran = chip.time.nowNs() / (10 * MS);
  assert.ok(ticks! > ran - 20, `${ticks} of ${ran}`);
  assert.deepEqual([missed, overruns, chip.counts.bites], [0, 0, 0]);
}

/** Samples that were taken, apart where a gap was told. */
function parts({ taken, gaps }: Shaken): number[][] {
  const all = taken();
  const ends = [...gaps(), all.length];
  return ends.map((end, i) => all.slice(i === 0 ? 0 : ends[i - 1], end));
}

test("loop gets each sample of the simulator's accelerometer by I2C", tools, () => {
  const shaken = startShaken(image, sensors());
  const { chip, attachment, taken, gaps, counters } = shaken;
  chip.runToNs(3000 * MS);
  const samples = taken();
  const startNs = attachment.accelerometers[DEVICE]!.startNs()!;
  const due = Math.floor(((chip.time.nowNs() - startNs) * 3200) / 1e9);
  assert.ok(due > 8500 && due - samples.length <= 3.2 * (10 + 6), `${samples.length} of ${due}`);
  assert.deepEqual(samples, simulated(samples.length));
  assert.deepEqual([gaps(), counters().slice(1), faultOf(shaken)], [[], [0, 0], "none"]);
  assertUndisturbed(shaken);
});

test("nobody at the address is told as that, and everything else goes on", tools, () => {
  for (const wired of [true, false]) {
    const shaken = startShaken(image, []);
    if (wired) shaken.chip.blocks.attachI2c(1, { pins: [SDA, SCL], devices: [] });
    shaken.chip.runToNs(1500 * MS);
    const [samples, , restarts] = shaken.counters();
    assert.deepEqual([shaken.taken(), samples, faultOf(shaken)], [[], 0, "nobody"]);
    assert.ok(restarts! >= 10, String(restarts));
    assertUndisturbed(shaken);
  }
});

test("SDA that is stuck is clocked nine times; when it is free again samples come", tools, () => {
  const shaken = startShaken(image, sensors());
  const { chip, counters } = shaken;
  const pulses: number[] = []; // when SCL fell, in ns
  chip.pins.onChange(SCL, (level) => void (level || pulses.push(chip.time.nowNs())));
  chip.pins.drive(SDA, false);
  chip.runToNs(1000 * MS);
  assert.deepEqual([counters()[0], faultOf(shaken)], [0, "data low"]);
  const tries = counters()[2]!;
  assert.ok(tries >= 7, String(tries));
  assert.equal(pulses.length, 9 * tries);
  const halves = pulses.slice(1, 9).map((ns, i) => ns - pulses[i]!);
  assert.ok(Math.min(...halves) >= 9_900 && Math.max(...halves) < 40_000, String(halves));
  chip.pins.drive(SDA, undefined);
  chip.runToNs(1500 * MS);
  assert.equal(counters()[2], tries);
  const samples = shaken.taken();
  assert.ok(samples.length > 1000, String(samples.length));
  assert.deepEqual(samples, simulated(samples.length));
  assertUndisturbed(shaken);
});

test("a device that was stopped in an octet lets go after some clocks", tools, () => {
  const shaken = startShaken(image, sensors());
  const { chip, counters } = shaken;
  let left = 5; // bits of the octet that it still has to say
  chip.pins.drive(SDA, false);
  chip.pins.onChange(SCL, (level) => {
    if (!level && --left === 0) chip.pins.drive(SDA, undefined);
  });
  chip.runToNs(1000 * MS);
  assert.deepEqual([left, counters()[2], faultOf(shaken)], [0, 0, "none"]);
  assert.deepEqual(shaken.taken(), simulated(shaken.taken().length));
  assert.ok(shaken.taken().length > 2000);
});

test("a clock stretched within the limit costs nothing, beyond it is told", tools, () => {
  const shaken = startShaken(image, sensors());
  const { chip, counters } = shaken;
  for (let ms = 500; ms < 700; ms += 7) {
    chip.runToNs((ms + 0.31 * (ms % 10)) * MS);
    chip.pins.drive(SCL, false);
    chip.runToNs(chip.time.nowNs() + 0.7 * MS);
    chip.pins.drive(SCL, undefined);
  }
  chip.runToNs(800 * MS);
  assert.deepEqual([counters().slice(1), faultOf(shaken)], [[0, 0], "none"]);
  chip.pins.drive(SCL, false);
  chip.runToNs(1300 * MS);
  const [, , restarts] = counters();
  assert.ok(restarts! >= 4 && restarts! <= 6, String(restarts));
  assert.equal(faultOf(shaken), "clock low");
  chip.pins.drive(SCL, undefined);
  chip.runToNs(2000 * MS);
  assert.equal(counters()[2], restarts);
  for (const part of parts(shaken)) assert.deepEqual(part, simulated(part.length));
  assert.ok(parts(shaken).at(-1)!.length > 1500);
  assertUndisturbed(shaken);
});

test("a device lost in the middle of a burst, and back: a gap, never a wrong sample", tools, () => {
  const shaken = startShaken(image, sensors());
  const { chip, attachment, counters } = shaken;
  const sensor = attachment.accelerometers[DEVICE]!;
  const faults = new Set<string>();
  const [ROUNDS, NOTICED_MS] = [16, 520]; // at the latest by its silence
  chip.runToNs(400 * MS);
  for (let round = 0; round < ROUNDS; round++) {
    chip.runToNs(chip.time.nowNs() + (250 + 0.31 * round) * MS); // a round of polls is about 5 ms
    sensor.setPower(false);
    chip.runToNs(chip.time.nowNs() + (round % 2 === 0 ? 0.4 : 20) * MS);
    sensor.setPower(true);
    for (let left = NOTICED_MS / 10; left > 0 && counters()[2] === round; left--)
      chip.runToNs(chip.time.nowNs() + 10 * MS);
    assert.equal(counters()[2], round + 1);
    faults.add(faultOf(shaken));
  }
  chip.runToNs(chip.time.nowNs() + 500 * MS);
  const pieces = parts(shaken);
  assert.equal(pieces.length, ROUNDS + 1);
  for (const piece of pieces) {
    assert.ok(piece.length > 100, String(piece.length));
    assert.deepEqual(piece, simulated(piece.length));
  }
  assert.deepEqual([...faults].toSorted(), ["nobody", "silent", "strange"]);
  assertUndisturbed(shaken);
});

test("what bus or board cannot do is refused by name", () => {
  const board = readBoard("pico");
  const bearing = press.type.accelerometers["bearing"]!;
  const slow = board.accelerometers.map((one) => ("i2c" in one ? { ...one, hz: 100_000 } : one));
  const header = (change: Partial<typeof bearing>, more = {}, where = board): string => {
    const accelerometers = { bearing: { ...bearing, ...change }, ...more };
    return boardHeader(where, { ...press, type: { ...press.type, accelerometers } });
  };
  assert.match(header({}), /SENSOR_ON_I2C 1\n.*SENSOR_I2C 1\n.*SDA 18\n.*SCL 19\n.*ADDRESS 30\n/);
  assert.throws(() => header({ device: 2 }), /pico has no accelerometer 2 of press/);
  assert.throws(
    () => header({}, { other: { ...bearing, device: 0 } }),
    /pico reads one accelerometer, press has more/,
  );
  // By hand: 6 octets of 90 us a sample are 0.864 of the time at 1,600 Hz; (2.5 + 1.26) ms / 0.136 is 44 samples.
  assert.deepEqual([fastestHz(400_000), fastestHz(100_000)], [3200, 800]);
  const at100kHz = { ...board, accelerometers: slow } as typeof board;
  assert.throws(() => header({ rateHz: 1600 }, {}, at100kHz), {
    message: "press: rateHz 1600 is too fast for I2C at 100 kHz",
    next: "take 800 or less, or the accelerometer on SPI",
  });
  assert.match(header({ rateHz: 800 }, {}, at100kHz), /SENSOR_I2C_HZ 100000/);
});
