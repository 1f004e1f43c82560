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
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { boardHeader, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { loggingLoop, MS, type Shaken, simulated, startShaken } from "./shaken.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico sensor "));
const CS = 22;

let press: BuiltNode;
let image: Rp2040Image;
before(async () => {
  press = await buildNode(join(PROJECT, "firmware/nodes/press"));
  if (tools.skip !== false) return;
  const wasm = loggingLoop(5000);
  image = buildRp2040("pico", { ...press, loop: { ...press.loop, wasm } }, join(folder, "press"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const startWired = (): Shaken => startShaken(image, readBoard("pico").accelerometers);

test(
  "loop gets each sample of the simulator's accelerometer, none later than a poll",
  tools,
  () => {
    const { chip, attachment, taken, gaps, counters, words } = startWired();
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
  const { chip, taken, gaps, hush } = startWired();
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
  const { chip, attachment, taken, gaps, counters } = startWired();
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
  const { chip, taken, counters, words } = startShaken(image, []);
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
  assert.throws(() => header({ device: 2 }), /pico has no accelerometer 2 of press/);
  assert.throws(() => header({}, { ...board, accelerometers: [] }), /has no accelerometer 0/);
});
