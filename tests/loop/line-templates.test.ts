// SPDX-License-Identifier: MIT
// Goal: known scales, meters and receivers are read with their template alone.
//
// Spec: SPEC.md §13. Method: release modules with a channel for each field of a template hear vectors of their makers' formats,
// every prefix and suffix of them, and the shared captures, whose expected readings are not ours.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { QUALITY_BAD, QUALITY_UNCERTAIN, KIND_READING } from "../../firmware/wire/record.ts";
import { CAUSES } from "../../hub/decode.ts";
import { patternFields } from "../../scripts/build/generate-line.ts";
import { LINE_TEMPLATES } from "../../scripts/build/line-templates.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { lastCounters, readCapture } from "../support/capture.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import * as need from "../support/need.ts";

type Name = keyof typeof LINE_TEMPLATES;
type Told = Record<string, number | string | [number, string]>;
interface Vector {
  template: Name;
  name: string;
  line: string;
  told: Told;
  sum?: boolean; // the right one is reckoned here
  damaged?: boolean;
}

const VECTORS = JSON.parse(
  readFileSync(new URL("../vectors/line-templates.json", import.meta.url), "utf8"),
) as Vector[];
const DECIMALS = 3;
const CHARACTER_US = 500;
const ENDS = { CRLF: "\r\n", CR: "\r", LF: "\n", ETX: "\x03" };

// Words that only say how to read the numbers beside them.
const HELPER = /^(sign|unit|status|reckoned|mode|limits|.*-range)$/;

/** A channel for each field that any pattern of the template has, but for helpers. */
function nodeOf(template: Name): ReturnType<typeof parseNode> {
  const { patterns, words } = LINE_TEMPLATES[template];
  const fields = Object.values(patterns).flatMap((pattern) => {
    const found = patternFields(pattern, words);
    assert.ok(found.ok, found.ok ? "" : found.message);
    return found.value.filter((field) => !HELPER.test(field));
  });
  const channel = (field: string): object => {
    return { kind: "field", tap: "line", field, decimals: field in words ? 0 : DECIMALS };
  };
  return parseNode({
    type: "lines",
    taps: { line: { uart: 0, protocol: "ascii-line", template } },
    channels: Object.fromEntries([...new Set(fields)].map((field) => [field, channel(field)])),
  });
}

const nodes = Object.fromEntries(
  (Object.keys(LINE_TEMPLATES) as Name[]).map((name) => [name, nodeOf(name)]),
) as Record<Name, ReturnType<typeof parseNode>>;
const modules = new Map<Name, WebAssembly.Module>();
for (const [name, node] of Object.entries(nodes))
  modules.set(name as Name, new WebAssembly.Module((await buildLoop(node)) as BufferSource));

function start(template: Name): LoopHost {
  const host = createLoopHost(modules.get(template)!);
  host.init();
  for (let i = 0; i < 30; i++) host.tick(host.nowUs + 10_000); // silence: what comes is a line
  return host;
}

function say(host: LoopHost, octets: Uint8Array): void {
  host.put(
    0,
    octets,
    Array.from(octets, (_, i) => host.nowUs + (i + 1) * CHARACTER_US),
  );
  while (host.waiting(0) > 0) host.tick(host.nowUs + 10_000);
}

/** All that was told, by channel in order. */
function told(host: LoopHost, template: Name): [string, Told[string]][] {
  const channels = Object.entries(nodes[template].channels);
  return host.records
    .filter(({ kind }) => kind === KIND_READING)
    .map(({ channel, value, quality, cause }) => {
      const [name, one] = channels[channel]!;
      assert.ok(one.kind === "field");
      if (quality === QUALITY_BAD) return [name, CAUSES[cause - 1]!];
      const number = value! / 10 ** one.decimals;
      return [name, quality === QUALITY_UNCERTAIN ? [number, "uncertain"] : number];
    });
}

function lineOf({ template, line, sum }: Vector): Buffer {
  let text = line;
  if (sum === true) {
    const body = line.slice(1, line.lastIndexOf("*"));
    const xor = [...body].reduce((all, sign) => all ^ sign.charCodeAt(0), 0);
    text = `$${body}*${xor.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return Buffer.from(text + ENDS[LINE_TEMPLATES[template].end], "latin1");
}

for (const vector of VECTORS)
  test(`${vector.template}: ${vector.name}`, () => {
    const host = start(vector.template);
    say(host, lineOf(vector));
    assert.deepEqual(Object.fromEntries(told(host, vector.template)), vector.told);
    for (let i = 0; i < 1100; i++) host.tick(host.nowUs + 10_000);
    const { frames, orphans, exceptions } = lastCounters(host);
    const fits = Object.keys(vector.told).length > 0;
    const damaged = vector.damaged === true;
    assert.deepEqual(
      [frames, orphans, exceptions],
      [fits ? 1 : 0, fits || damaged ? 0 : 1, damaged ? 1 : 0],
    );
  });

test("no part of a line is told as a number that is not the line's", () => {
  let parts = 0;
  for (const vector of VECTORS.filter(({ told: all }) => Object.keys(all).length > 0)) {
    const whole = lineOf(vector);
    const end = ENDS[LINE_TEMPLATES[vector.template].end].length;
    const body = whole.subarray(0, whole.length - end);
    // A number that ends its line has nothing behind it that shows it whole.
    const isOpen = vector.template === "heidenhain-nd";
    for (let cut = 1; cut < body.length; cut++)
      for (const part of isOpen
        ? [body.subarray(cut)]
        : [body.subarray(0, cut), body.subarray(cut)]) {
        const host = start(vector.template);
        say(host, Buffer.concat([part, whole.subarray(-end)]));
        for (const [field, value] of told(host, vector.template))
          assert.deepEqual(value, vector.told[field], `${vector.line}: ${part.toString()}`);
        parts++;
      }
  }
  assert.ok(parts > 1000);
});

test("DPRNT: a channel hears each pattern that has its field, DC2 before the first", async () => {
  const patterns = { axes: "X {x} Y {y}", first: "\u0012X {x} Y {y}" };
  const line = { uart: 0, protocol: "ascii-line", end: "LF", patterns };
  const of = (field: string): object => ({ kind: "field", tap: "line", field, decimals: 3 });
  const channels = { x: of("x"), y: of("y"), "only-first": { ...of("x"), pattern: "first" } };
  const host = createLoopHost(await buildLoop(parseNode({ type: "n", taps: { line }, channels })));
  host.init();
  for (let i = 0; i < 30; i++) host.tick(host.nowUs + 10_000);
  say(host, Buffer.from("\x12X 12.345 Y -7.500\nX 12.350 Y -7.500\n\x14", "latin1"));
  assert.deepEqual(
    host.records
      .filter(({ kind }) => kind === KIND_READING)
      .map(({ channel, value }) => [channel, value]),
    [
      [0, 12_345],
      [1, -7_500],
      [2, 12_345],
      [0, 12_350],
      [1, -7_500],
    ],
  );
});

test("own patterns, words, rate and end go before those of a template", () => {
  const tap = (more: object) => {
    const line = { uart: 0, protocol: "ascii-line", ...more };
    const channels = { w: { kind: "field", tap: "line", field: "weight" } };
    const found = nodeSchema.safeParse({ type: "n", taps: { line }, channels });
    const lines = found.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    return { lines: lines ?? [], tap: found.data?.taps["line"] };
  };
  const mine = tap({
    ...{ template: "mt-sics", baud: 2400, end: "LF" },
    patterns: { mine: "W{weight}", weight: "S {weight}" },
  });
  assert.deepEqual(mine.lines, []);
  assert.ok(mine.tap?.protocol === "ascii-line");
  assert.deepEqual([mine.tap.baud, mine.tap.format, mine.tap.end], [2400, "8N1", "LF"]);
  assert.deepEqual(Object.keys(mine.tap.patterns), ["mine", "weight", "pieces", "none"]);
  assert.deepEqual(Object.keys(mine.tap.words), ["condition", "trouble"]);
  assert.equal("template" in mine.tap, false);
  const plain = tap({ patterns: { one: "{weight}" } }).tap;
  assert.ok(plain?.protocol === "ascii-line");
  assert.deepEqual([plain.baud, plain.format, plain.end], [9600, "8N1", "CRLF"]);

  assert.match(tap({ template: "kerm" }).lines.join(), /taps.line.template: .*"kern".*"ut61e"/);
  assert.match(tap({}).lines.join(), /taps.line.patterns: a tap of lines needs a pattern/);
  const many = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`p${i}`, `${i}{weight}`]));
  assert.match(tap({ template: "mt-sics", patterns: many }).lines.join(), /at most 8 patterns/);
  const absent = { one: "{weight}", two: "-{!size}" };
  assert.match(tap({ patterns: absent }).lines.join(), /two: "size" is a number of no pattern/);
  assert.match(tap({ patterns: { one: "{!weight:3}" } }).lines.join(), /is no field/);
});

interface ScaleReading {
  value: number | null;
  stable?: boolean;
  overload?: boolean;
  state?: string;
}

/** What a capture gives with a template; the octets come as they were recorded. */
function played(template: Name, file: string) {
  const { octets, timesUs, expected } = readCapture(need.sharedFile(file));
  const host = createLoopHost(modules.get(template)!);
  host.init();
  const startUs = 1_000_000;
  host.put(
    0,
    octets,
    timesUs.map((atUs) => startUs + atUs),
  );
  for (let nowUs = 0; host.waiting(0) > 0;) host.tick((nowUs += 10_000));
  const numbers = new Set(["weight", "carats", "pieces", "volts", "speed", "course"]);
  return { heard: told(host, template).filter(([field]) => numbers.has(field)), expected };
}

const KERN_FILES = ["0g", "0pcs", "26-9g-stable", "26-9g-unstable", "635-8ct", "636ct-15b"]
  .concat("2014-8ct-15b-8o2", "minus-0-04g", "various-values-and-overflow")
  .map((name) => `taps/lines/kern-${name}.jsonl`);
const CAPTURES = need.shared("taps/lines");

test("KERN: 58 lines as captured, 15 of them overloads without a value", CAPTURES, () => {
  const all = KERN_FILES.flatMap((file) => {
    const { heard, expected } = played("kern", file);
    const readings = expected["readings"] as unknown as ScaleReading[];
    assert.deepEqual(
      heard.map(([, value]) => value),
      readings.map(({ value, stable, overload }) => {
        if (overload === true) return "over-range";
        return stable === false ? [value, "uncertain"] : value;
      }),
      file,
    );
    return heard;
  });
  assert.equal(all.length, 58);
  assert.equal(all.filter(([, value]) => value === "over-range").length, 15);
});

test(
  "MT-SICS: every answer of the poll, commands passed over",
  need.shared("taps/synthetic"),
  () => {
    const { heard, expected } = played("mt-sics", "taps/synthetic/mt-sics-poll.jsonl");
    const readings = expected["readings"] as unknown as ScaleReading[];
    const causes: Record<string, string> = { "+": "over-range", "-": "under-range", I: "no-input" };
    assert.deepEqual(
      heard.filter(([field]) => field === "weight").map(([, value]) => value),
      readings.map(({ value, stable, state }) => {
        if (state !== undefined) return causes[state];
        return stable === false ? [value, "uncertain"] : value;
      }),
    );
  },
);

test("UT61E: 1.8174 V as captured, 7O1", CAPTURES, () => {
  const { heard, expected } = played("ut61e", "taps/lines/ut61e-voltage-dc-1-8v.jsonl");
  const texts = expected["texts"] as unknown as string[];
  assert.deepEqual(
    heard,
    texts.map((text) => ["volts", Math.round(Number(text.slice(1, 6)) / 10) / 1000]),
  );
});

test("NMEA 0183: every RMC of a receiver gives speed and course", CAPTURES, () => {
  const { heard, expected } = played("nmea0183", "taps/lines/gps-mtk3339.jsonl");
  const list = expected["list"] as unknown as { text: string; checksum_ok: boolean }[];
  const fixes = list.filter((one) => one.checksum_ok && one.text.startsWith("$GPRMC"));
  assert.ok(fixes.length > 0);
  assert.deepEqual(
    heard,
    fixes.flatMap(({ text }) => {
      const fields = text.split(",");
      return [
        ["speed", Number(fields[7])],
        ["course", Number(fields[8])],
      ];
    }),
  );
});
