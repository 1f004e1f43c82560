// SPDX-License-Identifier: MIT
// Goal: the node.json that init writes reads what its line says.
//
// Method: captures are heard, the proposal is written and built, and its release module hears the same capture; readings are
// compared with what independent decoders say of it, or with the text itself. One goes the whole road to the hub.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KIND_READING } from "../../firmware/wire/record.ts";
import type { Hub } from "../../hub/hub.ts";
import { plantSchema, toPlantPlan } from "../../scripts/build/plant.ts";
import { readNode } from "../../scripts/build/node.ts";
import { channelScale, type NodeType } from "../../scripts/build/schema.ts";
import { writeProposal } from "../../scripts/tap/propose.ts";
import { proposeLines } from "../../scripts/tap/propose-lines.ts";
import type { Heard } from "../../scripts/tap/report.ts";
import { hear, type Wish } from "../../scripts/tap/session.ts";
import { addLine, createShape } from "../../scripts/tap/shape.ts";
import { calm } from "../scenarios/plants.ts";
import { traced } from "../scenarios/runs.ts";
import { playLine, readCapture } from "../support/capture.ts";
import { PROJECT } from "../support/ferrule.ts";
import { buildLoop } from "../support/loop-host.ts";
import * as need from "../support/need.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-init-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const P1 = join(PROJECT, "tests/vectors/meter-p1.jsonl");
const HEAT = join(PROJECT, "tests/vectors/meter-heat.jsonl");
const SCALE = "taps/lines/kern-various-values-and-overflow.jsonl";
const NMEA = "taps/lines/gps-mtk3339.jsonl";
const SML = "taps/meters/sml-dnt.jsonl";
const LOW = "taps/edges/modbus-brainchild-edges.jsonl";
const M_BUS = "taps/mbus/mbus-els-falcon.jsonl";

function expectedOf<T>(file: string): T {
  const [head = ""] = readFileSync(file, "utf8").split("\n", 1);
  return (JSON.parse(head) as { expected: T }).expected;
}

function heardOf(file: string, protocol: Wish["protocol"] = "auto"): Promise<Heard> {
  return hear(file, { protocol, quiet: true }, new AbortController().signal);
}

interface Written {
  folder: string;
  node: NodeType;
}

async function init(file: string, name: string, said?: Wish["protocol"]): Promise<Written> {
  const heard = await heardOf(file, said);
  const out = join(folder, name);
  writeProposal(heard, out);
  return { folder: out, node: readNode(out).type };
}

/** What each channel said, repeats left out; null: a bad one. */
async function replay(node: NodeType, file: string): Promise<Record<string, (number | null)[]>> {
  const { flagged, timesUs } = readCapture(file);
  const host = playLine(await buildLoop(node), flagged, timesUs);
  const names = Object.keys(node.channels);
  const said: Record<string, (number | null)[]> = Object.fromEntries(names.map((n) => [n, []]));
  for (const { kind, channel, value } of host.records) {
    if (kind !== KIND_READING) continue;
    const { mantissa, exponent } = channelScale(node.channels[names[channel]!]!);
    const number = value === null ? null : Number(`${value * mantissa}e${exponent}`);
    const list = said[names[channel]!]!;
    if (list.at(-1) !== number) list.push(number);
  }
  return said;
}

const withoutRepeats = <T>(list: readonly T[]): T[] => list.filter((one, i) => one !== list[i - 1]);

/** The values behind the last one that is null: a channel is stale before, and after its line. */
const numbers = (list: readonly (number | null)[] = []): number[] =>
  list.filter((value) => value !== null);

interface P1Object {
  id: string;
  values: string[];
}

test("a P1 meter: each number with a unit, from its telegram to the hub", async () => {
  const { telegram } = expectedOf<{ telegram: { objects: P1Object[] }[] }>(P1);
  const { folder: out, node } = await init(P1, "p1");
  const of = (id: string): number[] =>
    telegram.map(({ objects }) => {
      const text = objects.find((one) => one.id === id)!.values.at(-1)!;
      const [digits, unit] = text.split("*");
      const factor = unit === "kWh" ? 3_600_000 : unit === "kW" ? 1000 : 1;
      return Number((Number(digits) * factor).toFixed(3));
    });
  const objects = Object.entries(node.channels).map(([name, channel]) => {
    assert.ok(channel.kind === "object");
    return [name, channel.object] as const;
  });
  assert.deepEqual(
    objects.map(([, object]) => object).sort(),
    telegram[0]!.objects
      .filter(({ values }) => values.at(-1)!.includes("*"))
      .map(({ id }) => id)
      .sort(),
  );
  const said = await replay(node, P1);
  for (const [name, object] of objects)
    assert.deepEqual(numbers(said[name]), withoutRepeats(of(object)), name);

  const place = { enterprise: "acme", site: "north", area: "bake", line: "one", cell: "a" };
  const nodes = [{ id: "p1-1", node: "p1" }];
  const plan = await toPlantPlan({
    folder: join(out, ".."),
    type: plantSchema.parse({ ...place, nodes }),
  });
  let hub: Hub | undefined;
  traced(plan, { ...calm(12_000), watch: (one: Hub): void => void (hub = one) });
  const [shown] = hub!.snapshot(0).nodes;
  assert.equal(shown!.channels.length, objects.length);
  for (const { name, quality, value } of shown!.channels) {
    const object = objects.find(([one]) => one === name)![1];
    assert.equal(quality, "good", name);
    assert.ok(of(object).includes(Number(value!.toFixed(3))), `${name} ${value}`);
  }
});

test("a heat meter: records with their address; what has no number has no channel", async () => {
  const { node } = await init(HEAT, "heat");
  const said = await replay(node, HEAT);
  const energy = (kWh: number): number => kWh * 3_600_000;
  assert.deepEqual(numbers(said["unit1-energy-0406"]), [energy(15_204), energy(15_205)]);
  assert.deepEqual(numbers(said["unit1-volume-0c13"]), [3114.218, 3114.231, 3114.244]);
  assert.deepEqual(numbers(said["unit1-temperature-025a"]), [74.2, 74.3, 74.1]);
  assert.deepEqual(numbers(said["unit1-flow-per-h-0b3b"]), [0.421, 0.428, 0.425]);
  assert.equal(said["unit1-power-3c2b"], undefined, "digits that are none");
  assert.equal(said["unit1-value-046d"], undefined, "a date never moved and has no unit");
});

interface Sml {
  readings: { values: { obis: string; value?: number; unit?: string }[] }[];
}

test("an SML meter", need.shared(SML), async () => {
  const file = need.sharedFile(SML);
  const { readings } = expectedOf<Sml>(file);
  const { node } = await init(file, "sml");
  const said = await replay(node, file);
  const names = Object.keys(node.channels);
  assert.ok(names.length >= 4, names.join());
  for (const name of names) {
    const channel = node.channels[name]!;
    assert.ok(channel.kind === "object");
    const values = readings.map(({ values: all }) => {
      const one = all.find(({ obis }) => obis.replace("*255", "") === channel.object)!;
      return one.unit === "Wh" ? Math.round(one.value! * 3600) : one.value!;
    });
    assert.deepEqual(numbers(said[name]), withoutRepeats(values), name);
  }
});

interface Datum {
  dib: string;
  vib: string;
  unit?: string;
  value?: number | string;
  note?: string;
}

test("every number of an M-Bus meter", need.shared(M_BUS), async () => {
  const file = need.sharedFile(M_BUS);
  const { telegram } = expectedOf<{ telegram: { records: Datum[] } }>(file);
  const { node } = await init(file, "m-bus");
  const said = await replay(node, file);
  const FACTORS: Record<string, number> = { Wh: 3600, bar: 100_000 };
  let compared = 0;
  for (const { dib, vib, unit = "", value } of telegram.records) {
    const found = Object.entries(node.channels).find(
      ([, channel]) => channel.kind === "object" && channel.object === `${dib}${vib}`.toUpperCase(),
    );
    if (found === undefined || typeof value !== "number") continue;
    const [name] = found;
    const [own, ...others] = numbers(said[name]);
    const wanted = value * (FACTORS[unit] ?? 1);
    assert.deepEqual(others, [], name);
    assert.ok(Math.abs(own! - wanted) <= Math.abs(wanted) * 1e-9, `${name}: ${own}, ${wanted}`);
    compared++;
  }
  assert.equal(compared, Object.keys(node.channels).length);
  assert.ok(compared >= 3, `${compared} records`);
});

interface Weighed {
  value: number | null;
  stable?: boolean;
  overload?: boolean;
}

test("an I/O module on a line that rests low: it is said", need.shared(LOW), async () => {
  const { node } = await init(need.sharedFile(LOW), "low");
  const { baud, format, ...tap } = Object.values(node.taps)[0]!;
  assert.deepEqual([baud, format, "inverted" in tap && tap.inverted], [19_200, "8E1", true]);
});

test("a scale: weights in kg, without a value when overloaded", need.shared(SCALE), async () => {
  const file = need.sharedFile(SCALE);
  const { readings } = expectedOf<{ readings: Weighed[] }>(file);
  const { node } = await init(file, "scale");
  const { bus } = node.taps;
  assert.ok(bus?.protocol === "ascii-line");
  assert.deepEqual(bus.patterns, { weight: "{weight:8} G {condition}" });
  const said = await replay(node, file);
  const kg = readings.map(({ value }) => (value === null ? null : Math.round(value * 100) / 1e5));
  const words = readings.map(({ stable, overload }) => (overload ? 2 : stable ? 1 : 0));
  const isGone = said["weight"]!.at(-1) === null && kg.at(-1) !== null;
  assert.deepEqual(said["weight"]!.slice(0, isGone ? -1 : undefined), withoutRepeats(kg));
  assert.deepEqual(numbers(said["condition"]), withoutRepeats(words));
});

test("NMEA: places, heights and courses of the sentences", need.shared(NMEA), async () => {
  const file = need.sharedFile(NMEA);
  const { list } = expectedOf<{ list: { text: string }[] }>(file);
  const { node } = await init(file, "nmea");
  const said = await replay(node, file);
  const of = (sentence: string, cell: number): number[] => {
    const texts = list
      .map(({ text }) => text.split(/[,*]/))
      .filter(([n]) => n === `$GP${sentence}`);
    return withoutRepeats(texts.map((cells) => Number(cells[cell])));
  };
  for (const [name, values] of [
    ["RMC-latitude", of("RMC", 3)],
    ["RMC-longitude", of("RMC", 5)],
    ["RMC-knots", of("RMC", 7)],
    ["GGA-satellites", of("GGA", 7)],
    ["GGA-altitude", of("GGA", 9)],
    ["VTG-course", of("VTG", 1)],
  ] as const)
    assert.deepEqual(numbers(said[name]), values, name);
  assert.deepEqual(numbers(said["RMC-north"]), [1]);
  assert.deepEqual(numbers(said["RMC-east"]), [-1]);
});

/** A capture of lines that end with CR LF, one each 100 ms. */
function lines(name: string, texts: readonly string[]): string {
  const header = { kind: "bytes", baud: 9600, format: "8N1", origin: "synthetic" };
  const octets = texts.flatMap((text, line) =>
    [...Buffer.from(`${text}\r\n`, "latin1")].map((octet, i) => ({
      t_us: 500_000 + line * 100_000 + (i + 1) * 1042, // silence first: a line has a beginning
      ...{ dir: "x", hex: octet.toString(16).padStart(2, "0") },
    })),
  );
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, [header, ...octets].map((line) => JSON.stringify(line)).join("\n"));
  return file;
}

test("lines of any form: labels name fields, words that change are a list", async () => {
  const texts = Array.from({ length: 12 }, (_, i) => {
    const state = i % 3 === 0 ? "IDLE" : "RUN";
    const warm = (20 + i / 4).toFixed(2);
    return [`PRESS ${state}; T=${warm} \u00b0C; P=${i} kPa; N 0007`, `{${100 + i},"ok"}`];
  }).flat();
  const file = lines("press", texts);
  const { node } = await init(file, "press", "ascii-line");
  const { bus } = node.taps;
  assert.ok(bus?.protocol === "ascii-line");
  assert.deepEqual(Object.values(bus.patterns), [
    "PRESS {word1}; T={t} \u00b0C; P={p} kPa; N{}",
    '{{{value},"ok"}',
  ]);
  assert.deepEqual(bus.words, { word1: { IDLE: 0, RUN: 1 } });
  assert.deepEqual(
    Object.entries(node.channels).map(([name, { unit }]) => [name, unit]),
    [
      ["line1-word1", undefined],
      ["line1-t", "Cel"],
      ["line1-p", "Pa"],
      ["line2-value", undefined],
    ],
  );
  const said = await replay(node, file);
  const rising = Array.from({ length: 12 }, (_, i) => i);
  assert.deepEqual(
    numbers(said["line1-t"]),
    rising.map((i) => 20 + i / 4),
  );
  assert.deepEqual(
    numbers(said["line1-p"]),
    rising.map((i) => i * 1000),
  );
  assert.deepEqual(
    numbers(said["line2-value"]),
    rising.map((i) => 100 + i),
  );
  assert.deepEqual(numbers(said["line1-word1"]).slice(0, 4), [0, 1, 0, 1]);
});

test("of nine shapes one finds no place, and nothing is written of what never moves", async () => {
  const nine = Array.from({ length: 9 }, (_, k) =>
    [1, 2, 3].map((i) => `A${"#".repeat(k + 1)}${i * 7}`),
  ).flat();
  const { inventory } = await heardOf(lines("nine", nine));
  const { patterns, channels, left } = proposeLines(inventory.texts.values(), "bus");
  assert.deepEqual([Object.keys(patterns).length, Object.keys(channels).length, left], [8, 8, 1]);
  const still = lines("still", ["ready", "ready", "ready"]);
  await assert.rejects(init(still, "none"), /told no value/);
  assert.equal(existsSync(join(folder, "none")), false);
});

test("only filled numbers have a width, and a line that cannot be cut no pattern", () => {
  const of = (...texts: string[]): string[] => {
    const shape = createShape(texts[0]!, 0);
    for (const text of texts) addLine(shape, text, 0);
    return Object.values(proposeLines([shape], "bus").patterns);
  };
  assert.deepEqual(of("+12-34", "+13-35"), ["{value1:3}{value2}"]);
  assert.deepEqual(of("+12-34", "+1-3", "+9-34"), []);
  assert.deepEqual(of("a 007", "a 012"), ["a{a:4}"]);
  assert.deepEqual(of("a 7", "a 12"), ["a{a}"]);
  assert.deepEqual(of("no { 5", "no { 6"), ["no {{{value}"]);
  assert.deepEqual(of("S S     100.00 g"), ["S {condition}{weight:11} g"]);
  assert.deepEqual(of("ST,+00123.45  g"), ["{condition},{weight:9} g"]);
});
