// SPDX-License-Identifier: MIT
// Goal: meters, lines and edges are found out and say what stands in them.
//
// Method: captures with no option at all, against what independent decoders read in them; the text of a report is exact.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { textOf, type TapEvent } from "../../scripts/tap/event.ts";
import { TAP_EVENT_TEXT } from "../../firmware/wire/tap.ts";
import { reportOf, showReport, type Heard } from "../../scripts/tap/report.ts";
import { hear } from "../../scripts/tap/session.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import * as need from "../support/need.ts";

const P1 = join(PROJECT, "tests/vectors/meter-p1.jsonl");
const HEAT = join(PROJECT, "tests/vectors/meter-heat.jsonl");
const SML = "taps/meters/sml-dnt.jsonl";
const ASCII = "taps/modbus/modbus-ascii-two-units.jsonl";
const METER = "taps/lines/ut61e-voltage-dc-1-8v.jsonl";
// A capture, and where its texts are said.
const LINES: [string, string][] = [
  ...["kern-various-values-and-overflow", "kern-0g"].map((name): [string, string] => {
    const path = `taps/lines/${name}.jsonl`;
    return [path, path];
  }),
  [METER, METER],
  ["taps/edges/edges-ut61e-voltage-dc-1-8v.jsonl", METER],
];
const EDGES = "taps/edges/modbus-flowmeter-target-0liter-edges.jsonl";
const SAME_AS_OCTETS = "taps/modbus/modbus-flowmeter-target-0liter.jsonl";

function expectedOf<T>(file: string): T {
  const [head = ""] = readFileSync(file, "utf8").split("\n", 1);
  return (JSON.parse(head) as { expected: T }).expected;
}

async function listen(file: string): Promise<{ heard: Heard; events: TapEvent[] }> {
  const events: TapEvent[] = [];
  const { signal } = new AbortController();
  const wish = { protocol: "auto", quiet: true } as const;
  const heard = await hear(file, wish, signal, { event: (event) => events.push(event) });
  return { heard, events };
}

test("objects of a P1 meter stand in the report with their units", async () => {
  const { heard } = await listen(P1);
  const text = showReport(reportOf({ ...heard, source: "p1.jsonl" })).split("\n");
  assert.deepEqual(text.slice(0, 12), [
    "p1.jsonl: dsmr-p1, 115200 8N1, heard for 3.029 s",
    "",
    "bus",
    "  duty cycle     3.9 %",
    "  octets         1360, of them 0 outside frames, 0 flagged",
    "  telegrams      4",
    "",
    "objects",
    "  1-3:0.2.8    50                        4 times, every 1000 ms",
    "  0-0:1.0.0    no number                 4 times, every 1000 ms",
    "  0-0:96.1.1   no number                 4 times, every 1000 ms",
    "  1-0:1.8.1    4428 Wh     4426..4428    4 times, every 1000 ms",
  ]);
});

test("records of an M-Bus meter are its data in one unit, with its number", async () => {
  const { telegrams } = expectedOf<{ telegrams: { id: string; records: Entry[] }[] }>(HEAT);
  const { heard } = await listen(HEAT);
  const { objects, bus } = reportOf(heard);
  const last = telegrams.at(-1)!;
  assert.deepEqual(
    objects.map(({ object }) => object),
    last.records.map(({ dib, vib }) => `${dib}${vib}`.toUpperCase()),
  );
  assert.ok(objects.every(({ meterId, unitId }) => meterId === last.id && unitId === 1));
  const energy = Buffer.from(last.records[0]!.data, "hex").readUInt32LE() * 1000; // VIF 06: kWh
  assert.deepEqual([objects[0]!.value, objects[0]!.unit, bus["pairs"]], [energy, "Wh", 4]);
  assert.equal(
    objects.find(({ object }) => object === "3C2B")!.value,
    null,
    "digits that are none",
  );
});

interface Entry {
  dib: string;
  vib: string;
  data: string;
}

test("listen tells an object in a line, and as JSON", async () => {
  const { stdout } = await ferrule(["tap", "listen", P1]);
  assert.match(stdout, /^ {4}0\.230 {2}1-3:0\.2\.8 = 50\n {4}0\.230 {2}0-0:1\.0\.0: no number\n/);
  const json = await ferrule(["tap", "listen", HEAT, "--json"]);
  const lines = json.stdout.trimEnd().split("\n");
  const first = lines.find((line) => line.includes('"object":"0B3B"'))!;
  const { t_us: at, ...rest } = JSON.parse(first) as Record<string, unknown>;
  assert.equal(typeof at, "number");
  assert.deepEqual(rest, {
    ...{ kind: "reading", unitId: 1, meterId: "24681012" },
    ...{ object: "0B3B", value: 0.421, unit: "m3/h" },
  });
});

interface Sml {
  readings: { values: { obis: string; value?: number; unit?: string }[] }[];
}

test("objects of an SML meter are what its telegrams say", need.shared(SML), async () => {
  const file = need.sharedFile(SML);
  const { readings } = expectedOf<Sml>(file);
  const { heard } = await listen(file);
  assert.equal(heard.protocol, "sml");
  const { objects } = reportOf(heard);
  assert.deepEqual(
    objects
      .filter(({ value }) => value !== null)
      .map(({ object, value, unit }) => [object, value, unit]),
    readings
      .at(-1)!
      .values.filter(({ value }) => value !== undefined)
      .map(({ obis, value, unit }) => [obis.replace("*255", ""), value, unit]),
  );
  assert.ok(objects.every(({ times }) => times === readings.length));
});

for (const [path, oracle] of LINES)
  test(`lines of ${path} are whole and in order`, need.shared(path), async () => {
    const file = need.sharedFile(path);
    const { texts } = expectedOf<{ texts: string[] }>(need.sharedFile(oracle));
    const { heard, events } = await listen(file);
    assert.equal(heard.protocol, "ascii-line");
    const said = events.filter(({ kind }) => kind === TAP_EVENT_TEXT).map(textOf);
    assert.deepEqual(said, texts);
  });

test("Modbus ASCII is paired as RTU is", need.shared(ASCII), async () => {
  const file = need.sharedFile(ASCII);
  const expected = expectedOf<Record<string, number>>(file);
  const { heard } = await listen(file);
  assert.equal(heard.protocol, "modbus-ascii");
  const { bus } = reportOf(heard);
  for (const name of ["frames", "requests", "responses", "exceptions", "pairs", "unanswered"])
    assert.equal(bus[name], expected[name], name);
});

test("edges say what their octets say", need.shared(EDGES), async () => {
  const octets = reportOf((await listen(need.sharedFile(SAME_AS_OCTETS))).heard);
  const edges = reportOf((await listen(need.sharedFile(EDGES))).heard);
  assert.equal(edges.line.baud, octets.line.baud);
  const values = (report: typeof edges) =>
    report.units.map(({ unit, registers }) => [
      unit,
      registers.map(({ table, address, value, reads }) => [table, address, value, reads]),
    ]);
  assert.deepEqual(values(edges), values(octets));
  assert.equal(edges.bus["pairs"], octets.bus["pairs"]);
});
