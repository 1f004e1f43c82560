// SPDX-License-Identifier: MIT
// Goal: what a device says in text lines is published exactly.
// Method: the release module hears vectors, shared captures, every prefix, flagged octets, noise; what is
// damaged never becomes a number.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { KIND_READING, QUALITY_BAD } from "../../firmware/wire/record.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { lastCounters, readCapture } from "../support/capture.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import * as need from "../support/need.ts";

const CHARACTER_US = 1042; // 9600 8N1
const QUIET_US = 1_000_000; // longer than any silence that is waited for
const SHARED = "taps/lines";

function scaleNode(tap: object = {}): ReturnType<typeof parseNode> {
  const from = { kind: "field", tap: "line", pattern: "weight" };
  return parseNode({
    type: "scale",
    taps: {
      line: {
        uart: 0,
        protocol: "ascii-line",
        patterns: { weight: "{weight} {unit} {condition}" },
        words: {
          unit: { G: 0, GN: 1, CT: 2, PC: 3 },
          condition: {
            S: 1,
            U: { value: 0, others: "uncertain" },
            E: { value: 2, others: "over-range" },
          },
        },
        ...tap,
      },
    },
    channels: {
      weight: { ...from, field: "weight", decimals: 3, staleMs: 60_000 },
      condition: { ...from, field: "condition" },
    },
  });
}

const WASM = buildLoop(scaleNode());

interface Heard {
  value: number | null;
  quality: number;
  cause: number;
}

function heard(host: LoopHost, channel: number): Heard[] {
  return host.records
    .filter((one) => one.kind === KIND_READING && one.channel === channel)
    .map(({ value, quality, cause }) => ({ value, quality, cause }));
}

/** Octets, with flags in the upper octet, that follow each other after silence. */
function say(host: LoopHost, octets: Uint16Array, startUs = host.nowUs + QUIET_US): void {
  const times = Float64Array.from(octets, (_, i) => startUs + (i + 1) * CHARACTER_US);
  host.put(0, octets, times);
  let nowUs = host.nowUs;
  while (host.waiting(0) > 0) host.tick((nowUs += 10_000));
}

function octetsOf(text: string): Uint16Array {
  return Uint16Array.from(Buffer.from(text, "latin1"));
}

/** Counters as they are told within the next ten seconds. */
function countersOf(host: LoopHost): Record<string, number> {
  for (let i = 0; i < 1100; i++) host.tick(host.nowUs + 10_000);
  return lastCounters(host);
}

async function createHost(): Promise<LoopHost> {
  const host = createLoopHost(await WASM);
  host.init();
  return host;
}

interface Vector {
  name: string;
  line: string;
  weight?: number;
  quality?: number;
  cause?: number;
  condition?: number;
  drop?: boolean;
}
const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, "../vectors/lines-scale.json"), "utf8"),
) as Vector[];

for (const { name, line, drop, ...wanted } of vectors)
  test(`line: ${name}`, async () => {
    const host = await createHost();
    say(host, octetsOf(`${line}\r\n`));
    const { quality = 0, cause = 0, weight = null, condition } = wanted;
    assert.deepEqual(heard(host, 0), drop ? [] : [{ value: weight, quality, cause }]);
    const said = [{ value: condition, quality: 0, cause: 0 }];
    assert.deepEqual(heard(host, 1), drop ? [] : said);
    say(host, octetsOf("5 G S\r\n"));
    assert.equal(heard(host, 0).at(-1)?.value, 5000, "the next good line is accepted");
    const counters = countersOf(host);
    assert.equal(counters["bytes"], line.length + 9);
    assert.equal(counters["frames"], drop ? 1 : 2);
    assert.equal(counters["orphans"], drop ? 1 : 0);
    assert.equal(counters["junk_bytes"], drop ? line.length + 2 : 0);
  });

const captures = [
  "0g",
  "0pcs",
  "2014-8ct-15b-8o2",
  "26-9g-stable",
  "26-9g-unstable",
  "635-8ct",
  "636ct-15b",
  "minus-0-04g",
  "various-values-and-overflow",
].map((name) => `${SHARED}/kern-${name}.jsonl`);

interface Reading {
  value?: number;
  stable?: boolean;
  overload?: boolean;
}

for (const file of captures)
  test(`${file} gives its weights, and no number for an overload`, need.shared(file), async () => {
    const capture = readCapture(need.sharedFile(file));
    const expected = capture.expected as unknown as { readings: Reading[]; lines: number };
    const { baud, octets, timesUs } = capture;
    const host = createLoopHost(await buildLoop(scaleNode({ baud })));
    host.init();
    host.put(0, octets, timesUs);
    while (host.waiting(0) > 0) host.tick(host.nowUs + 10_000);
    const wanted = expected.readings.map(({ value, stable, overload }) =>
      overload === true
        ? { value: null, quality: 2, cause: 2 }
        : { value: Math.round(value! * 1000), quality: stable ? 0 : 1, cause: 0 },
    );
    assert.equal(wanted.length, expected.lines);
    assert.deepEqual(heard(host, 0), wanted);
  });

test("every capture of the scale is played", need.shared(SHARED), () => {
  const there = readdirSync(need.sharedFile(SHARED)).filter((name) => name.startsWith("kern"));
  assert.deepEqual(there.map((name) => `${SHARED}/${name}`).sort(), captures.sort());
});

test("no prefix and no rest of a line becomes a number", async () => {
  const line = "+1026.90 G S\r\n";
  for (let cut = 1; cut < line.length; cut++) {
    const host = await createHost();
    say(host, octetsOf(line.slice(0, cut)));
    assert.deepEqual(heard(host, 0), [], `prefix of ${cut}`);
    say(host, octetsOf(line));
    assert.deepEqual(
      heard(host, 0).map(({ value }) => value),
      [1_026_900],
      `a good line after silence, prefix of ${cut}`,
    );
    // As when the tap starts in the middle of a line, without silence before.
    const late = await createHost();
    say(late, octetsOf(line.slice(cut) + "+0001.00 G S\r\n"), CHARACTER_US);
    assert.deepEqual(
      heard(late, 0).map(({ value }) => value),
      [1000],
      `the rest after ${cut}`,
    );
  }
});

test("a line with a flagged octet is dropped and counted, the next one is taken", async () => {
  const line = "+1026.90 G S\r\n";
  for (const flag of [1, 2, 4, 8])
    for (let at = 0; at < line.length; at++) {
      const host = await createHost();
      const octets = octetsOf(line + line + "+0003.00 G S\r\n");
      octets[at]! |= flag << 8;
      say(host, octets);
      const isEnd = at === line.length - 1; // then the line after it is part of the same one
      const values = isEnd ? [3000] : [1_026_900, 3000];
      assert.deepEqual(
        heard(host, 0).map(({ value }) => value),
        values,
        `flag ${flag} at ${at}`,
      );
      assert.equal(countersOf(host)["exceptions"], 1, `flag ${flag} at ${at}`);
    }
});

test("a line of 80 octets is taken, one of 81 is too long", async () => {
  for (const [length, taken] of [
    [80, 1],
    [81, 0],
    [5000, 0],
  ] as const) {
    const host = await createHost();
    say(host, octetsOf(`${"0".repeat(length - 4)}7 G S\r\n`.slice(-length - 2)));
    assert.equal(heard(host, 0).length, taken, `${length} octets`);
    say(host, octetsOf("8 G S\r\n"));
    assert.equal(heard(host, 0).at(-1)?.value, 8000, `after ${length} octets`);
    assert.equal(countersOf(host)["exceptions"], 1 - taken, `${length} octets`);
  }
});

test("a line without its CR is dropped; empty lines are none", async () => {
  const host = await createHost();
  say(host, octetsOf("1 G S\n\r\n\r\n2 G S\r\n"));
  assert.deepEqual(
    heard(host, 0).map(({ value }) => value),
    [2000],
  );
  const { frames, orphans, exceptions } = countersOf(host);
  assert.deepEqual({ frames, orphans, exceptions }, { frames: 1, orphans: 1, exceptions: 0 });
});

test("noise gives no value that nobody sent, and every octet is accounted for", async () => {
  const prng = createPrng(7);
  const host = await createHost();
  const texts: string[] = [];
  const octets: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const noise = prng.below(40);
    for (let k = 0; k < noise; k++) octets.push(prng.below(256) | (prng.chance(0.02) ? 256 : 0));
    const text = `+${String(prng.below(1000)).padStart(4, "0")}.${prng.below(10)}0 G S\r\n`;
    octets.push(13, 10, ...Buffer.from(text));
    texts.push(text);
  }
  say(host, Uint16Array.from(octets));
  const sent = new Set(texts.map((text) => Math.round(Number(text.slice(0, 8)) * 1000)));
  const values = heard(host, 0).map(({ value }) => value!);
  assert.ok(values.length > 1900, `${values.length} of 2000 lines survive`);
  for (const value of values) assert.ok(sent.has(value), `${value} was never sent`);
  const { bytes, frames, junk_bytes } = countersOf(host);
  assert.equal(bytes, octets.length);
  assert.equal(frames! * 14 + junk_bytes!, bytes, "octets of lines and junk are all there is");
});

test("a line that falls silent goes stale, and comes back", async () => {
  const host = await createHost();
  say(host, octetsOf("1 G S\r\n"));
  for (let i = 0; i < 6100; i++) host.tick(host.nowUs + 10_000);
  const stale = heard(host, 0).at(-1)!;
  assert.deepEqual(stale, { value: null, quality: QUALITY_BAD, cause: 4 });
  say(host, octetsOf("2 G S\r\n"));
  assert.equal(heard(host, 0).at(-1)?.value, 2000);
});
