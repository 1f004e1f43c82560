// SPDX-License-Identifier: MIT
// Goal: every record of an M-Bus meter is said value for value, nothing malformed.
// Method: the decoder, compiled as a node's, hears the shared captures and vectors of our own; each event is compared with what the
// capture expects.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import * as decoders from "../support/decoder.ts";
import { EVENT_READING, EVENT_TEXT, playBytes, readTrace, type Trace } from "../support/meter.ts";
import * as need from "../support/need.ts";

const SHARED = "taps/mbus";
const EVENT_READ = 1;
const EVENT_EXCEPTION = 3;
const EVENT_UNANSWERED = 4;
const EVENT_ORPHAN = 5;
const EVENT_QUERY = 6;
const CHARACTER_US = 4584; // 2400 8E1

const mbus = await decoders.buildDecoder(decoders.M_BUS);

interface ExpectedRecord {
  dib?: string;
  vib?: string;
  data: string;
  raw?: number | string | null;
  value?: number | string;
  unit?: string;
  note?: string;
  time_invalid?: boolean;
}

interface Expected {
  frames: number;
  requests?: number;
  responses?: number;
  acknowledges?: number;
  pairs?: number;
  unanswered?: number;
  junk_bytes: number;
  address: number;
  ci_field?: number;
  application_error?: number;
  application_layer?: string;
  whole_records_before_the_fault?: number;
  telegram?: {
    records?: (ExpectedRecord | string)[];
    counters?: { unit_code: number; raw: number }[];
  };
}

// Numbers of IEC 62056-6-2.
const UNITS: Record<string, number> = {
  Wh: 30,
  J: 25,
  "m^3": 13,
  "m^3/h": 15,
  W: 27,
  "°C": 9,
  K: 52,
  s: 7,
  V: 35,
  A: 33,
};

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

function play(trace: Trace) {
  const decoder = decoders.createDecoder(mbus, [], CHARACTER_US);
  return { events: playBytes(decoder, trace), counters: decoder.counters() };
}

/** A date as the number that the decoder makes of it. */
function dateNumber(text: string): bigint {
  return BigInt(text.replace(/[-:T]/g, "").slice(0, text.length > 10 ? 12 : 8));
}

function checkRecord(event: decoders.DecoderEvent, expected: ExpectedRecord, says: string): void {
  if (expected.dib === undefined) {
    // Manufacturer data to the end, or more telegrams follow.
    assert.deepEqual([event.kind, event.name.length], [EVENT_TEXT, 1], says);
    assert.equal(hex(event.values), expected.data, says);
    return;
  }
  assert.equal(hex(event.name), `${expected.dib}${expected.vib}`, says);
  assert.equal(hex(event.values), expected.data, says);
  const { value } = expected;
  if (value === undefined || expected.note !== undefined || expected.time_invalid === true) {
    assert.equal(event.kind, EVENT_TEXT, says);
    return;
  }
  const isDate = /^\w+-\d\d-\d\d/.test(String(value));
  if (typeof value === "string" && !isDate) {
    assert.equal(event.kind, EVENT_TEXT, says);
    assert.equal(Buffer.from(event.values).reverse().toString("latin1"), value, says);
    return;
  }
  assert.equal(event.kind, EVENT_READING, says);
  if (typeof value === "string") {
    assert.deepEqual([event.digits, event.decimals], [dateNumber(value), 0], says);
    return;
  }
  const said = Number(event.digits) * 10 ** -event.decimals;
  assert.ok(Math.abs(said - value) <= 1e-9 * Math.abs(value), `${says}: ${said}, not ${value}`);
  const unit = UNITS[expected.unit ?? ""];
  if (unit !== undefined) assert.equal(event.unitCode, unit, says);
}

test("three polls of our own: every record, and the pairs", () => {
  const trace = readTrace(join(import.meta.dirname, "../vectors/meter-heat.jsonl"));
  const expected = trace.expected as unknown as Expected & { telegrams: Telegram[] };
  const { events, counters } = play(trace);
  const { frames, requests, responses, pairs, unanswered, junk_bytes } = counters;
  assert.deepEqual(
    [frames, requests, responses, pairs, unanswered, junk_bytes],
    [expected.frames, expected.requests, expected.responses, expected.pairs, 0, 0],
  );
  const records = events.filter(({ kind }) => kind === EVENT_READING || kind === EVENT_TEXT);
  const wanted = expected.telegrams.flatMap(({ records: all }) => all);
  assert.deepEqual(
    records.map(({ name, values }) => [hex(name), hex(values)]),
    wanted.map(({ dib, vib, data }) => [`${dib}${vib}`, data]),
  );
  const texts = records.filter(({ kind }) => kind === EVENT_TEXT).map(({ name }) => hex(name));
  assert.deepEqual(texts, ["3c2b", "3c2b", "3c2b"], "digits that are none");
});

interface Telegram {
  records: ExpectedRecord[];
}

const files = existsSync(need.sharedFile(SHARED))
  ? readdirSync(need.sharedFile(SHARED)).sort()
  : [];
const names = files.map((file) => file.replace(".jsonl", ""));
const meters = names.filter((name) => !/error|odd|bus-poll/.test(name));
const odd = names.filter((name) => /error|odd/.test(name));

for (const name of meters)
  test(`${name}: every record`, need.shared(SHARED), () => {
    const trace = readTrace(need.sharedFile(`${SHARED}/${name}.jsonl`));
    const expected = trace.expected as unknown as Expected;
    const { events, counters } = play(trace);
    for (const key of ["frames", "requests", "responses", "pairs", "junk_bytes"] as const)
      if (expected[key] !== undefined) assert.equal(counters[key], expected[key], key);
    const [answer, ...records] = events;
    assert.deepEqual([answer!.kind, answer!.unit], [EVENT_READ, expected.address]);
    for (const { unit } of records) assert.equal(unit, expected.address);
    const { records: wanted, counters: fixed } = expected.telegram!;
    if (fixed !== undefined) {
      const said = records.map(({ kind, digits, address }) => [kind, Number(digits), address]);
      assert.deepEqual(
        said,
        fixed.map(({ raw }, i) => [EVENT_READING, raw, i + 1]),
      );
      return;
    }
    assert.equal(records.length, wanted!.length);
    wanted!.forEach((one, i) =>
      checkRecord(records[i]!, one as ExpectedRecord, `record ${i} ${JSON.stringify(one)}`),
    );
  });

for (const name of odd)
  test(`${name}: no crash, no invented value`, need.shared(SHARED), () => {
    const trace = readTrace(need.sharedFile(`${SHARED}/${name}.jsonl`));
    const expected = trace.expected as unknown as Expected;
    const { events, counters } = play(trace);
    assert.deepEqual(
      [counters["frames"], counters["junk_bytes"]],
      [expected.frames, expected.junk_bytes],
    );
    const readings = events.filter(({ kind }) => kind === EVENT_READING);
    if (expected.application_error !== undefined) {
      const [{ kind, reason, unit }] = events as [decoders.DecoderEvent];
      assert.deepEqual(
        [kind, reason, unit, events.length],
        [EVENT_EXCEPTION, expected.application_error, expected.address, 1],
      );
    } else if (expected.application_layer !== undefined) {
      const [{ kind }, ...records] = events as [decoders.DecoderEvent, ...decoders.DecoderEvent[]];
      assert.equal(kind, EVENT_ORPHAN, "an answer without its request");
      assert.equal(records.length, expected.whole_records_before_the_fault);
      assert.equal(counters["exceptions"], 1);
    } else assert.deepEqual(readings, []);
  });

test("mbus-bus-poll: 45 pairs of 48 requests, three unanswered", need.shared(SHARED), () => {
  const trace = readTrace(need.sharedFile(`${SHARED}/mbus-bus-poll.jsonl`));
  const expected = trace.expected as unknown as Expected;
  const { events, counters } = play(trace);
  const { frames, requests, responses, pairs, unanswered, junk_bytes } = counters;
  assert.deepEqual(
    [frames, requests, responses, pairs, unanswered, junk_bytes],
    [
      expected.frames,
      expected.requests,
      expected.responses,
      expected.pairs,
      expected.unanswered,
      0,
    ],
  );
  const count = (kind: number): number => events.filter((one) => one.kind === kind).length;
  assert.deepEqual(
    [EVENT_READ, EVENT_QUERY, EVENT_UNANSWERED, EVENT_ORPHAN, EVENT_EXCEPTION].map(count),
    [30, 15, 3, 0, 0],
  );
  const silent = events.filter(({ kind }) => kind === EVENT_UNANSWERED);
  assert.deepEqual(new Set(silent.map(({ unit }) => unit)), new Set([250]));
});

test(
  "49 meters, 14 answers that are malformed or errors, every capture",
  need.shared(SHARED),
  () => {
    assert.equal(meters.length, 49);
    assert.equal(odd.filter((name) => name.includes("error")).length, 14);
    assert.equal(meters.length + odd.length + 1, files.length);
  },
);
