// SPDX-License-Identifier: MIT
// Goal: recorded Modbus lines give what the captures say, to the last counter.
// Method: the release module of a node that maps all registers hears each capture, its wires merged.

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
} from "../support/capture.ts";
import { buildLoop } from "../support/loop-host.ts";
import * as need from "../support/need.ts";

const OWN = join(import.meta.dirname, "../vectors/modbus-libmodbus-mbpoll.jsonl");
const SHARED = "taps/modbus";

async function check(capture: Capture): Promise<void> {
  const registers = expectedRegisters(capture);
  const node = mapRegisters(registers, capture);
  const host = playLine(await buildLoop(node), capture.octets, capture.timesUs);
  const counters = lastCounters(host);
  for (const [key, value] of Object.entries(counters))
    if (key in capture.expected) assert.equal(value, capture.expected[key], key);
  assert.equal(counters["bytes"], capture.octets.length);
  assert.deepEqual(heardRegisters(node, host.records), registers);
}

test("every register of the paired answers of our own recording is published, in order", () =>
  check(readCapture(OWN)));

const captures = [
  "brainchild",
  "flowmeter-graph-tool",
  "flowmeter-target-0liter",
  "flowmeter-target0-val0",
  "libmodbus-mbpoll-jitter",
  "libmodbus-mbpoll",
  "noisy",
  "pymodbus-rare-functions",
  "pymodbus-two-units",
  "wizmodbus-bus",
  "wizmodbus-two-wire",
].map((name) => `${SHARED}/modbus-${name}.jsonl`);

for (const file of captures)
  test(`${file} gives its frames, pairs, junk and registers`, need.shared(file), () =>
    check(readCapture(need.sharedFile(file))),
  );

test("every capture of Modbus RTU is played", need.shared(SHARED), () => {
  const there = readdirSync(need.sharedFile(SHARED)).map((name) => `${SHARED}/${name}`);
  const rtu = there.filter((name) => !name.includes("ascii"));
  assert.deepEqual(rtu.sort(), captures.sort());
});
