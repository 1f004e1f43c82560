// SPDX-License-Identifier: MIT
// Goal: a wave stands for a machine in the simulator, edges and octets alike.
// Method: a node with a bare tap finds random lines; a tap that is set hears what the receiver's model hears.

import assert from "node:assert/strict";
import test from "node:test";
import { LINE_BAUD, LINE_PHASE, PHASE_PROTOCOL } from "../../../firmware/wire/finding.ts";
import { KIND_LINE, RECORD_VALUE } from "../../../firmware/wire/record.ts";
import { createWave } from "../../../host-sim/devices/wave.ts";
import { formatOf } from "../../../host-sim/line/format.ts";
import { hear } from "../../../host-sim/line/hear.ts";
import { randomLine } from "../../../host-sim/line/random.ts";
import { EDGES_WAITING_MAX } from "../../../host-sim/limits.ts";
import { createBench } from "../node-rig.ts";
import { buildLoop, parseNode } from "../../support/loop-host.ts";

const bare = parseNode({
  type: "bare",
  periodMs: 10,
  channels: {},
  taps: { line: { protocol: "auto", uart: 0 } },
});
const wasm = await buildLoop(bare);
// Long enough for edges first and frames then.
const SEEDS = Array.from({ length: 60 }, (_, i) => i + 1).filter((seed) => {
  const { truth, endNs } = randomLine(seed);
  return truth.protocol === "modbus-rtu" && endNs > 2e9;
});

/** The rate that a node with a bare tap finds together with the protocol. */
function baudFound(seed: number): number | undefined {
  const { wave, endNs } = randomLine(seed);
  const taps = [{ name: "line", uart: 0, baud: 0, format: "8N1" }];
  const bench = createBench({ loopWasm: wasm, taps, outputs: [] }, createWave(0, wave));
  bench.node.powerOn(0);
  bench.runTo(Math.ceil(endNs / 1000) + 2_000_000);
  const told = bench
    .linesWith("ring-put")
    .map((line) => Buffer.from((JSON.parse(line) as { record: string }).record, "hex"))
    .filter((record) => record[0] === KIND_LINE)
    .find((record) => record[RECORD_VALUE + LINE_PHASE] === PHASE_PROTOCOL);
  return told?.readUInt32LE(RECORD_VALUE + LINE_BAUD);
}

test("a node with a bare tap finds lines of Modbus by their edges, then by their octets", (t) => {
  assert.ok(SEEDS.length > 3);
  const found = SEEDS.map(baudFound);
  t.diagnostic(found.join(" "));
  assert.deepEqual(
    found,
    SEEDS.map((seed) => randomLine(seed).truth.baud),
  );
});

test("a tap that is set hears what the receiver's model hears, in ticks of any length", () => {
  const { wave, endNs, truth } = randomLine(SEEDS[0]!);
  const format = formatOf(truth.baud!, truth.format);
  const wanted = hear(wave, { format }, endNs).map(({ data, flags }) => [data & 0xff, flags]);
  for (const tickUs of [1000, 10_000, 1_000_000]) {
    const device = createWave(0, wave, { baud: truth.baud!, format: truth.format });
    const heard: number[][] = [];
    for (let nowUs = 0; nowUs < endNs / 1000 + tickUs; nowUs += tickUs)
      device.advance(nowUs, (_tap, endUs, byte, flags) => {
        assert.ok(endUs <= nowUs);
        heard.push([byte, flags]);
      });
    assert.deepEqual(heard, wanted);
  }
});

test("distances of edges add up to their times; lost ones are told", () => {
  const { wave } = randomLine(SEEDS[0]!);
  const device = createWave(0, wave);
  const line = device.edgeLine!(0)!;
  assert.equal(device.edgeLine!(1), undefined);
  const entries: number[] = [];
  const take = (): number => line.take(100, (_, entry) => entries.push(entry));
  const untilUs = wave.edges[99]! / 1000 + 1;
  device.advance(untilUs, () => undefined);
  assert.equal(take(), 100);
  const sum = entries.reduce((all, entry) => all + (entry & 0x7fff_ffff), 0);
  assert.ok(Math.abs(sum * 16 - wave.edges[99]!) < 16);
  entries.forEach((entry, i) => assert.equal(entry >= 2 ** 31, (wave.initial ^ (i & 1)) === 1));
  device.advance(wave.edges[EDGES_WAITING_MAX + 300]! / 1000 + 1, () => undefined);
  take();
  assert.equal(entries[100]! & 0x7fff_ffff, 0x7fff_ffff);
  assert.notEqual(entries[101]! & 0x7fff_ffff, 0x7fff_ffff);
});
