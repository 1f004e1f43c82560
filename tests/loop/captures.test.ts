// SPDX-License-Identifier: MIT
// Goal: recorded Modbus lines give what the captures say, to the last counter.
// Method: the release module of a node that maps all registers and bits hears each capture: its wires merged,
// with and without what was written, and each on a tap of its own.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import {
  expectedRegisters,
  heardRegisters,
  lastCounters,
  mapRegisters,
  playLine,
  readCapture,
  type Capture,
  type HeardRegister,
} from "../support/capture.ts";
import { buildLoop, createLoopHost } from "../support/loop-host.ts";
import * as need from "../support/need.ts";
import { RECORDINGS } from "./octets.ts";

const VECTORS = join(import.meta.dirname, "../vectors");
const OWN = ["modbus-libmodbus-mbpoll", "modbus-ascii-two-units", "modbus-pymodbus-rare-functions"];
const SHARED = "taps/modbus";
const TABLES = ["", "coil", "discrete", "holding", "input"];

function compareCounters(capture: Capture, counters: Record<string, number>): void {
  for (const [key, value] of Object.entries(counters))
    if (key in capture.expected) assert.equal(value, capture.expected[key], key);
  assert.equal(counters["bytes"], capture.octets.length);
}

async function check(capture: Capture): Promise<void> {
  const registers = expectedRegisters(capture);
  const node = mapRegisters(registers, capture);
  const host = playLine(await buildLoop(node), capture.flagged, capture.timesUs);
  compareCounters(capture, lastCounters(host));
  assert.deepEqual(heardRegisters(node, host.records), registers);
}

// The latest value of each register, as captures list them; what all units were told is nobody's.
function checkLast(capture: Capture, heard: HeardRegister[]): void {
  const last: Record<string, Record<string, number>> = {};
  for (const { unit, code, address, value } of heard)
    (last[`${unit}/${TABLES[code]}`] ??= {})[address] = value;
  const { "0/holding": _, ...wanted } = capture.expected.last_values ?? {};
  if (capture.expected.last_values !== undefined) assert.deepEqual(last, wanted);
}

async function checkWrites(capture: Capture): Promise<void> {
  const registers = expectedRegisters(capture, true);
  const node = mapRegisters(registers, capture, { writes: true });
  const host = playLine(await buildLoop(node), capture.flagged, capture.timesUs);
  compareCounters(capture, lastCounters(host));
  assert.deepEqual(heardRegisters(node, host.records), registers);
  checkLast(capture, registers);
}

// The two wires as the two taps of a node that joins them.
async function checkWires(capture: Capture): Promise<void> {
  const registers = expectedRegisters(capture, true);
  const node = mapRegisters(registers, capture, { writes: true, twoWires: true });
  const host = createLoopHost(await buildLoop(node));
  host.init();
  for (const [tap, dir] of ["a", "b"].entries()) {
    const here = <T>(_: T, i: number): boolean => capture.directions[i] === dir;
    host.put(tap, capture.flagged.filter(here), capture.timesUs.filter(here));
  }
  const endUs = capture.timesUs.at(-1)! + 12_000_000;
  for (let nowUs = 0; nowUs < endUs;) host.tick((nowUs += 10_000));
  const [asked, answered] = [lastCounters(host, 0), lastCounters(host, 1)];
  for (const key of Object.keys(asked)) asked[key]! += answered[key]!;
  compareCounters(capture, asked);
  assert.deepEqual(heardRegisters(node, host.records), registers);
}

for (const name of OWN)
  test(`every value of our own ${name} is published, in order`, async () => {
    const capture = readCapture(join(VECTORS, `${name}.jsonl`));
    await check(capture);
    await checkWrites(capture);
    if (!name.includes("ascii")) await checkWires(capture);
  });

const captures = [`${SHARED}/modbus-ascii-two-units.jsonl`, ...RECORDINGS];

for (const file of captures)
  test(`${file} gives its frames, pairs, junk and registers`, need.shared(file), async () => {
    const capture = readCapture(need.sharedFile(file));
    await check(capture);
    await checkWrites(capture);
    if (capture.directions.includes("b") && !file.includes("ascii")) await checkWires(capture);
  });

test("every capture of Modbus is played", need.shared(SHARED), () => {
  const there = readdirSync(need.sharedFile(SHARED)).map((name) => `${SHARED}/${name}`);
  assert.deepEqual(there.sort(), captures.sort());
});
