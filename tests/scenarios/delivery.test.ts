// SPDX-License-Identifier: MIT
// What machines do arrives at the far end with its values.
//
// Goal: the tapped line's registers and the oven's temperature reach the broker as they were. Method:
// runs of the whole road, packs decoded by cbor-x, the recorded session dissected by tshark.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Decoder } from "cbor-x";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { runSimulation } from "../../host-sim/simulation.ts";
import { expectedRegisters, mapRegisters, readCapture } from "../support/capture.ts";
import * as need from "../support/need.ts";
import { buildPlant, calm } from "./plants.ts";
import { assertAccounted, messages, traced, type Line } from "./runs.ts";

const CAPTURE = join(import.meta.dirname, "../vectors/modbus-libmodbus-mbpoll.jsonl");
const folder = mkdtempSync(join(tmpdir(), "ferrule-"));
let plan: PlantPlan;

before(async () => {
  const capture = readCapture(CAPTURE);
  const node = {
    ...mapRegisters(expectedRegisters(capture), capture),
    simulate: { machine: "replay", tap: "bus", trace: CAPTURE, repeat: false },
  };
  writeFileSync(join(folder, "node.json"), JSON.stringify(node));
  plan = await buildPlant({ all: folder, "oven-1": "oven" });
});
after(() => rmSync(folder, { recursive: true }));

const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });

interface Published {
  sequence: number;
  name: string;
  value: unknown;
}

// Readings of one node in order of arrival, what came again left out.
function published(lines: Line[], node: string): Published[] {
  const seen = new Set<number>();
  const readings: Published[] = [];
  for (const { payload } of messages(lines, `ferrule/${node}/data`)) {
    let sequence = 0;
    for (const record of decoder.decode(payload) as Map<unknown, unknown>[]) {
      sequence = Number(record.get("q") ?? sequence + 1);
      if (seen.has(sequence)) continue;
      seen.add(sequence);
      readings.push({ sequence, name: String(record.get(0)), value: record.get(2) });
    }
  }
  return readings;
}

for (const loss of [0, 0.2]) {
  test(`every register of a recorded line's paired answers arrives in order, loss ${loss}`, () => {
    const run = traced(plan, { ...calm(10_000), loss });
    assertAccounted(run.result, `loss ${loss}`);
    const readings = published(run.lines, "all");
    const expected = expectedRegisters(readCapture(CAPTURE)).map(
      ({ unit, code, address, value }) => `r-${unit}-${code}-${address} ${value}`,
    );
    assert.equal(expected.length, 135 + 37 + 22); // registers, coils, discrete inputs
    assert.deepEqual(
      readings.map(({ name, value }) => `${name} ${String(value)}`),
      expected,
    );
    assert.deepEqual(
      readings.map(({ sequence }) => sequence),
      readings.map((_, i) => i + 1),
    );
  });
}

test("the oven reaches its setpoint, and the namespace tells it as flat JSON", () => {
  const { lines } = traced(plan, calm(100_000));
  const tag = messages(lines, "_raw/oven-1/temperature").map(
    ({ payload }) => JSON.parse(payload.toString()) as { value: number; timestamp_ms: number },
  );
  assert.ok(tag.length > 50);
  assert.ok(tag[0]!.value < 30, `starts at ${tag[0]!.value}`);
  const last = tag.at(-1)!;
  assert.ok(Math.abs(last.value - 180) < 25, `ends at ${last.value}`); // the door may be open
  const closest = Math.min(...tag.map(({ value }) => Math.abs(value - 180)));
  assert.ok(closest < 1, `never closer than ${closest} K`);
  assert.ok(tag.every(({ timestamp_ms }, i) => timestamp_ms >= (tag[i - 1]?.timestamp_ms ?? 0)));
});

test("tshark reads the recorded session without a malformed packet", need.program("tshark"), () => {
  const pieces: Uint8Array[] = [];
  const options = { ...calm(20_000), loss: 0.1, duplicate: 0.1 };
  runSimulation(plan, { ...options, pcap: (bytes) => pieces.push(bytes) });
  const file = join(folder, "run.pcap");
  writeFileSync(file, Buffer.concat(pieces));
  const fields = [
    "ip.src",
    "udp.srcport",
    "mqttsn.msg.type",
    "_ws.malformed",
    "ip.checksum.status",
    "udp.checksum.status",
  ];
  const text = execFileSync("tshark", [
    ...["-r", file, "-d", "udp.port==10000,mqttsn", "-T", "fields", "-E", "separator=|"],
    ...["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"],
    ...fields.flatMap((field) => ["-e", field]),
  ]).toString();
  const rows = text
    .trim()
    .split("\n")
    .map((row) => row.split("|"));
  assert.ok(rows.length > 100, `${rows.length} packets`);
  assert.ok(
    rows.every((row) => row[3] === ""),
    "malformed",
  );
  assert.ok(
    rows.every((row) => row[4] === "1" && row[5] === "1"),
    "checksums",
  );
  const types = new Set(rows.map((row) => Number(row[2])));
  for (const type of [0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x12, 0x13]) {
    assert.ok(types.has(type), `no message of type ${type}`);
  }
  const ports = new Set(rows.map((row) => `${row[0]}:${row[1]}`));
  assert.deepEqual(ports, new Set(["192.0.2.1:10000", "192.0.2.2:10001", "192.0.2.3:10002"]));
});
