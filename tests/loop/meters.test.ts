// SPDX-License-Identifier: MIT
// Goal: every object of a telegram is said value for value, none of a wrong check.
// Method: each decoder is compiled as a node's and hears vectors of our own and the shared captures; all
// objects are wanted at once, each of their values by its place.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import * as decoders from "../support/decoder.ts";
import {
  checkBest,
  checkObjects,
  EVENT_TEXT,
  playBytes,
  readTrace,
  wantAll,
  wantBest,
  type TextObject,
  type Trace,
} from "../support/meter.ts";
import * as need from "../support/need.ts";

const SHARED = "taps/meters";
const p1 = await decoders.buildDecoder(decoders.P1);
const iec = await decoders.buildDecoder(decoders.IEC);
const sml = await decoders.buildDecoder(decoders.SML);

const OWN = join(import.meta.dirname, "../vectors/meter-p1.jsonl");

interface Telegram {
  objects: TextObject[];
}

const shared = (name: string): Trace => readTrace(need.sharedFile(`${SHARED}/${name}.jsonl`));

/** One telegram, or several, whose objects are all said. */
function checkTelegrams(module: WebAssembly.Module, trace: Trace, telegrams: Telegram[]): void {
  const objects = telegrams[0]!.objects;
  const wanted = wantAll(objects);
  const decoder = decoders.createDecoder(module, wanted);
  const events = playBytes(decoder, trace);
  assert.equal(events.length, telegrams.length * wanted.length);
  telegrams.forEach((telegram, i) =>
    checkObjects(telegram.objects, events.slice(i * wanted.length, (i + 1) * wanted.length)),
  );
  checkBest(objects, playBytes(decoders.createDecoder(module, wantBest(objects)), trace));
}

test("four telegrams of our own: every value of every object", () => {
  const trace = readTrace(OWN);
  checkTelegrams(p1, trace, trace.expected["telegram"] as Telegram[]);
});

for (const name of [
  "p1-fluvius-v171",
  "p1-iskra-ie",
  "p1-sagemcom-t210-d-r",
  "p1-unpadded-crc",
  "p1-v2-2",
  "p1-v3",
  "p1-v4-2",
  "p1-v5",
])
  test(`${name}: every value of every object`, need.shared(SHARED), () => {
    const trace = shared(name);
    checkTelegrams(p1, trace, [trace.expected["telegram"] as Telegram]);
  });

test(
  "p1-v4-0-wrong-crc: nothing is said of a telegram whose CRC is wrong",
  need.shared(SHARED),
  () => {
    const trace = shared("p1-v4-0-wrong-crc");
    const { objects } = trace.expected["telegram"] as Telegram;
    const decoder = decoders.createDecoder(p1, wantBest(objects));
    assert.deepEqual(playBytes(decoder, trace), []);
    const { bytes, frames, exceptions, junk_bytes } = decoder.counters();
    assert.deepEqual([frames, exceptions, junk_bytes], [0, 1, bytes]);
  },
);

test(
  "p1-stream-mixed: two telegrams of three, and the tail and the cut one are junk",
  need.shared(SHARED),
  () => {
    const trace = shared("p1-stream-mixed");
    const wanted = wantBest([
      { id: "1-0:1.8.1", values: [] },
      { id: "0-1:24.2.1", values: [] },
    ]);
    const decoder = decoders.createDecoder(p1, wanted);
    const said = playBytes(decoder, trace).map(({ digits, decimals }) => [
      Number(digits),
      decimals,
    ]);
    assert.deepEqual(said, [
      [4426, 0],
      [107, 3],
      [34, 0],
    ]);
    const { bytes, frames, exceptions, orphans, junk_bytes } = decoder.counters();
    assert.deepEqual([frames, exceptions, orphans], [2, 1, 1]);
    const right = [0, 2].map((i) => telegramBytes(trace, i)).reduce((a, b) => a + b);
    assert.equal(junk_bytes, bytes! - right);
  },
);

/** Octets of the i-th whole telegram, from / to the end of its line of check. */
function telegramBytes({ octets }: Trace, index: number): number {
  const text = Buffer.from(octets).toString("latin1");
  return [...text.matchAll(/\/[^/!]*!\w*\r\n/g)][index]![0].length;
}

test(
  "iec62056-c-mt174: 343 objects of one block of 9.5 kB, and the rate that was agreed",
  need.shared(SHARED),
  () => {
    const trace = shared("iec62056-c-mt174");
    const block = Buffer.from(trace.octets).toString("latin1").split("\x02")[1]!;
    const objects = [...block.matchAll(/^([^(\r\n]+)((?:\([^)]*\))+)/gm)].map(
      ([, id, values]): TextObject => {
        return { id: id!, values: [...values!.matchAll(/\(([^)]*)\)/g)].map(([, one]) => one!) };
      },
    );
    assert.equal(objects.length, trace.expected["objects"]);
    const first = trace.expected["first_objects"] as TextObject[];
    assert.deepEqual(
      first.map(({ id, values }) => ({ id, values })),
      objects.slice(0, first.length),
    );
    const named = objects.filter(
      ({ id }) => /^[\w:.*-]+$/.test(id) && !/[A-BD-EG-KM-OQ-Z]/.test(id),
    );
    assert.equal(named.length, objects.length);
    checkTelegrams(iec, trace, [{ objects }]);

    const decoder = decoders.createDecoder(iec);
    const rates = Array.from(trace.octets, (octet, i) => {
      decoder.put(octet, 0, trace.timesUs[i]!);
      return decoder.baud();
    });
    const { requests, frames, junk_bytes } = decoder.counters();
    assert.deepEqual([frames, requests, junk_bytes], [4, 2, 0]);
    const signOn = "/?!\r\n/ISk5MT174-0001\r\n\x06050\r\n".length;
    assert.deepEqual(rates.slice(0, signOn - 1), Array(signOn - 1).fill(0));
    assert.deepEqual(new Set(rates.slice(signOn - 1, -1)), new Set([9600]));
    assert.equal(rates.at(-1), 0, "the next one signs on at 300 again");
  },
);

test("iec62056-d-ehz: two pushed telegrams", need.shared(SHARED), () => {
  const trace = shared("iec62056-d-ehz");
  checkTelegrams(iec, trace, trace.expected["telegram"] as Telegram[]);
});

test("p1-esy5q3db1024-v304: a telegram of mode D", need.shared(SHARED), () => {
  const trace = shared("p1-esy5q3db1024-v304");
  for (const module of [iec, p1])
    checkTelegrams(module, trace, [trace.expected["telegram"] as Telegram]);
});

interface SmlValue {
  obis: string;
  hex?: string;
  raw?: number;
  scaler?: number;
  unit?: string;
}

test("sml-dnt: 12 telegrams of 12, every value", need.shared(SHARED), () => {
  const trace = shared("sml-dnt");
  const readings = trace.expected["readings"] as { values: SmlValue[] }[];
  assert.equal(readings.length, trace.expected["telegrams"]);
  const wanted = wantBest(readings[0]!.values.map(({ obis }) => ({ id: obis, values: [] })));
  const decoder = decoders.createDecoder(sml, wanted);
  const events = playBytes(decoder, trace);
  const said = events.map(({ kind, digits, decimals, unitCode }) =>
    kind === EVENT_TEXT ? "text" : [Number(digits), decimals, unitCode],
  );
  const units: Record<string, number> = { Wh: 30, W: 27 };
  const expected = readings.flatMap(({ values }) =>
    values.map(({ raw, scaler, unit }) =>
      raw === undefined ? "text" : [raw, 0 - scaler!, units[unit!]],
    ),
  );
  assert.deepEqual(said, expected);
  const { frames, exceptions, junk_bytes } = decoder.counters();
  assert.deepEqual([frames, exceptions, junk_bytes], [12, 0, trace.expected["junk_bytes"]]);
});

test("every capture of a meter is played", need.shared(SHARED), () => {
  const own = readFileSync(import.meta.filename, "utf8");
  for (const file of readdirSync(need.sharedFile(SHARED)))
    assert.ok(
      own.includes(`"${file.replace(".jsonl", "")}`) ||
        own.includes(`${file.replace(".jsonl", "")}:`),
      file,
    );
});
