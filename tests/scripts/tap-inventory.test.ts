// SPDX-License-Identifier: MIT
// Goal: what stands behind a line is what the captures say stands there.
//
// Method: captures through the node's own decoder into an inventory, against the results that an independent decoder
// reached: counters, last value of every register, polls. The report's text of one recording is exact.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { reportOf, showReport, type Heard, type LineReport } from "../../scripts/tap/report.ts";
import { hear } from "../../scripts/tap/session.ts";
import { PROJECT } from "../support/ferrule.ts";
import * as need from "../support/need.ts";

const OWN = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");
const SHARED = [
  ...["brainchild", "flowmeter-graph-tool", "flowmeter-target-0liter", "flowmeter-target0-val0"],
  ...["libmodbus-mbpoll-jitter", "noisy", "pymodbus-rare-functions", "pymodbus-two-units"],
  ...["wizmodbus-bus", "wizmodbus-two-wire"],
].map((name) => `taps/modbus/modbus-${name}.jsonl`);
const COUNTERS = [
  ...["frames", "requests", "responses", "exceptions", "pairs", "orphans"],
  ...["unanswered", "broadcasts"],
];

interface Expected extends Record<string, unknown> {
  junk_bytes: number;
  last_values: Record<string, Record<string, number>>;
}

function expectedOf(file: string): Expected {
  const [head = ""] = readFileSync(file, "utf8").split("\n", 1);
  return (JSON.parse(head) as { expected: Expected }).expected;
}

async function hearFile(file: string): Promise<Heard> {
  const { signal } = new AbortController();
  return hear(file, { protocol: "modbus-rtu", quiet: true }, signal);
}

function lastValues({ units }: LineReport): Record<string, Record<string, number>> {
  const all: Record<string, Record<string, number>> = {};
  for (const { unit, registers } of units)
    for (const { table, address, value } of registers)
      (all[`${unit}/${table}`] ??= {})[address] = value;
  return all;
}

async function compare(file: string): Promise<void> {
  const expected = expectedOf(file);
  const report = reportOf(await hearFile(file));
  for (const name of COUNTERS) assert.equal(report.bus[name], expected[name], `${file}: ${name}`);
  assert.equal(report.bus["junk"], expected.junk_bytes, file);
  assert.deepEqual(lastValues(report), expected.last_values, file);
}

test("counters and registers of a recording are those of its oracle", () => compare(OWN));

for (const path of SHARED)
  test(`counters and registers of ${path}`, need.shared(path), () =>
    compare(need.sharedFile(path)),
  );

test("the report tells polls, answer times and registers", async () => {
  const text = showReport(reportOf({ ...(await hearFile(OWN)), source: "line.jsonl" }));
  const lines = text.split("\n");
  assert.deepEqual(lines.slice(0, 9), [
    "line.jsonl: modbus-rtu, 9600 8E1, heard for 2.521 s",
    "",
    "bus",
    "  duty cycle     21.9 %",
    "  octets         481, of them 0 outside frames, 0 flagged",
    "  transactions   13 answered, 1 unanswered, 0 broadcast, 0 answers without request",
    "  exceptions     1",
    "  noise at turns 0 octets for each frame",
    "",
  ]);
  assert.equal(lines[9], "unit 17: 13 answered, 0 unanswered, in 10.31 to 296.77 ms");
  assert.ok(lines.includes("  read holding          499  x 2    once  exception 2: 1"), text);
  assert.ok(lines.includes("unit 18: 0 answered, 1 unanswered"), text);
  assert.match(text, /^ {2}holding +1 +10 +3\.\.10 +1 changes +2 writes +u16$/m);
  assert.match(text, /^ {2}holding +3\.\.124 +1003 1004 1005 1006 1007 1008 1009 1010 …$/m);
});

const METER = "taps/modbus/modbus-flowmeter-target-0liter.jsonl";
test("periods, answer times and types of a real meter", need.shared(METER), async () => {
  const { units, bus } = reportOf(await hearFile(need.sharedFile(METER)));
  const [{ polls, registers }] = units as [LineReport["units"][number]];
  const poll = polls.find(({ address }) => address === 0)!;
  assert.deepEqual([poll.quantity, poll.answered, poll.periodMs], [15, 16, 218.8]);
  assert.deepEqual(poll.answerMs, { min: 44.02, mean: 44.08, max: 44.46 });
  assert.equal(bus["dutyPercent"], 38.4);
  // 41B7 D0C0 is 22.976, 3AC3 0FB5 is 0.00149; both move.
  const types = Object.fromEntries(registers.map((each) => [each.address, each.types[0]]));
  assert.deepEqual([types[2], types[8], types[13]], ["f32", "f32", "u16"]);
});
