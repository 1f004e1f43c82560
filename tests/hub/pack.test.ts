// SPDX-License-Identifier: MIT
// Goal: a pack becomes exactly what it says, or is refused as a whole by name.
//
// Method: packs from an independent encoder; each wrong field once; seeded mutations; python3-cbor2's Decimal.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import { createCborCheck } from "../../hub/cbor.ts";
import { createCborReader, fractionValue } from "../../hub/cbor-reader.ts";
import {
  CAUSES,
  createPackDecoder,
  type Pack,
  type PackError,
  type PackKind,
} from "../../hub/decode.ts";
import { EXPONENT_MAX, RECORDS_MAX, WALL_MS_MAX } from "../../hub/limits.ts";
import {
  Decimal,
  encode,
  EUI64,
  Float,
  type Item,
  pack,
  type RecordSpec,
} from "../support/pack.ts";

const decode = createPackDecoder(createCborCheck(), createCborReader());
const BT = 1_767_225_600_000;

function taken(bytes: Uint8Array, kind: PackKind = "data"): Pack {
  const result = decode(bytes, kind);
  assert.ok(typeof result !== "string", `refused: ${String(result)}`);
  return result;
}

test("readings come out with value, decimals, quality, cause, time and sequence", () => {
  const result = taken(
    pack({
      bt: BT,
      b: 7,
      q: 41,
      records: [
        { n: "temperature", v: new Decimal(-2, 2350) },
        { n: "count", v: 12, t: 100 },
        { n: "flow", v: new Float(Math.fround(0.1)), t: 200, g: 1 },
        { n: "level", vs: "open-wire", t: -300, q: 90 },
        { n: "energy", v: new Decimal(1, 36) },
      ],
    }),
  );
  assert.deepEqual(
    { ...result, entries: result.entries.slice(0, result.count) },
    {
      baseName: `urn:dev:mac:${EUI64}_`,
      boot: 7,
      baseMs: BT,
      count: 5,
      entries: [
        entry({ sequence: 41, name: "temperature", value: 23.5, decimals: 2 }),
        entry({ sequence: 42, name: "count", value: 12, offsetMs: 100 }),
        entry({
          sequence: 43,
          name: "flow",
          value: Math.fround(0.1),
          decimals: -1,
          offsetMs: 200,
          quality: 1,
        }),
        entry({ sequence: 90, name: "level", cause: "open-wire", quality: 2, offsetMs: -300 }),
        entry({ sequence: 91, name: "energy", value: 360 }),
      ],
    },
  );
});

function entry(fields: Partial<Pack["entries"][0]>): Pack["entries"][0] {
  return {
    sequence: 0,
    name: "",
    alarm: "",
    active: false,
    value: NaN,
    decimals: 0,
    quality: 0,
    cause: "",
    text: null,
    notice: null,
    offsetMs: 0,
    ...fields,
  };
}

test("events come out with channel, alarm, state and the value at the event", () => {
  const result = taken(
    pack({
      records: [
        { n: "temperature/too-hot", vb: true, x: new Decimal(-2, 20_031) },
        { n: "line/3/pressure/low", vb: false },
      ],
    }),
    "event",
  );
  const [raised, returned] = result.entries;
  assert.deepEqual(
    raised,
    entry({
      sequence: 1,
      name: "temperature",
      alarm: "too-hot",
      active: true,
      value: 200.31,
      decimals: 2,
    }),
  );
  assert.deepEqual(returned, entry({ sequence: 2, name: "line/3/pressure", alarm: "low" }));
});

test("a pack without wall time has none, and its times are relative", () => {
  const result = taken(pack({ bt: null, records: [{ n: "a", v: 1, t: -2500 }] }));
  assert.ok(Number.isNaN(result.baseMs));
  assert.equal(result.entries[0]?.offsetMs, -2500);
});

test("each cause of SPEC.md §3 is taken", () => {
  for (const vs of CAUSES)
    assert.equal(taken(pack({ records: [{ n: "a", vs }] })).entries[0]?.cause, vs);
});

test("a text is a reading that is not bad, an empty one too; else it is a cause", () => {
  const texts = ["", "RECIPE-7", "stale", " ~", "x".repeat(64)];
  const records = texts.map((vs, i) => ({ n: "a", vs, g: i % 2 }));
  const { entries, count } = taken(pack({ records }));
  assert.deepEqual(
    entries.slice(0, count).map(({ text, cause, value, quality }) => [text, cause, value, quality]),
    texts.map((text, i) => [text, "", NaN, i % 2]),
  );
  const [bad, number] = taken(
    pack({
      records: [
        { n: "a", vs: "stale" },
        { n: "a", v: 1 },
      ],
    }),
  ).entries;
  assert.deepEqual([bad?.text, bad?.cause, number?.text], [null, "stale", null], "nothing is left");
});

test("64 records are taken, and their entries are the same objects the next time", () => {
  const records = Array.from({ length: RECORDS_MAX }, (_, i) => ({ n: `c${i}`, v: i }));
  const first = taken(pack({ records }));
  assert.equal(first.count, 64);
  const entries = [...first.entries];
  const second = taken(pack({ records }));
  assert.ok(second.entries.every((one, index) => one === entries[index]));
});

// Each wrong pack with one sentence and the name that comes back.
const good: RecordSpec = { n: "a", v: 1 };
const base: [number | string, Item][] = [
  [-2, `urn:dev:mac:${EUI64}_`],
  ["b", 1],
  ["q", 1],
];
const bare = (...pairs: [number | string, Item][]): Buffer => encode([new Map(pairs)]);
const REFUSED: [string, Uint8Array, PackError, PackKind?][] = [
  ["an empty array", encode([]), "not-a-pack"],
  ["a map", encode(new Map([[0, 1]])), "not-a-pack"],
  ["a text", encode("online"), "not-a-pack"],
  ["a number", encode(5), "not-a-pack"],
  ["an array of numbers", encode([1, 2]), "not-a-pack"],
  ["an array of arrays", encode([[1]]), "not-a-pack"],
  ["65 records", pack({ records: Array.from({ length: 65 }, () => good) }), "too-many-records"],
  ["17 pairs", pack({ records: [{ ...good, raw: more(12) }] }), "too-many-pairs"],
  ["a record without a value", bare(...base, [0, "a"]), "no-value"],
  ["an event without a value", pack({ records: [{ n: "a/b" }] }), "no-value", "event"],
  ["no sequence", bare([0, "a"], [2, 1], [-2, base[0]![1]], ["b", 1]), "no-sequence"],
  ["no boot", bare([0, "a"], [2, 1], [-2, base[0]![1]], ["q", 1]), "no-sequence"],
  ["no base name", bare([0, "a"], [2, 1], ["b", 1], ["q", 1]), "bad-field"],
  ["a base name of another scheme", named("urn:dev:ow:0024befffe804ff1_"), "bad-field"],
  ["a base name with capital digits", named("urn:dev:mac:0024BEFFFE804FF1_"), "bad-field"],
  ["a base name without its underscore", named("urn:dev:mac:0024befffe804ff1"), "bad-field"],
  [
    "a boot above 32 bits",
    bare(...base.slice(0, 1), ["b", 2 ** 32], ["q", 1], [0, "a"], [2, 1]),
    "bad-field",
  ],
  ["a negative sequence", pack({ q: -1, records: [good] }), "bad-field"],
  ["a sequence that runs over", pack({ q: 0xffffffff, records: [good, good] }), "bad-field"],
  ["a base name in the second record", second([-2, base[0]![1]]), "bad-field"],
  ["a base time in the second record", second([-3, new Decimal(-3, BT)]), "bad-field"],
  ["a boot in the second record", second(["b", 1]), "bad-field"],
  ["a base time in seconds", first([-3, 1_767_225_600]), "bad-field"],
  ["a base time as a float", first([-3, new Float(1.5)]), "bad-field"],
  ["a base time with another exponent", first([-3, new Decimal(-2, 1)]), "bad-field"],
  ["a base time before 1970", pack({ bt: -1, records: [good] }), "bad-field"],
  ["a base time that no calendar has", pack({ bt: WALL_MS_MAX + 1, records: [good] }), "bad-field"],
  ["a time before 1970", pack({ bt: 5, records: [{ ...good, t: -6 }] }), "bad-field"],
  [
    "a time beyond all calendars",
    pack({ bt: null, records: [{ ...good, t: WALL_MS_MAX + 1 }] }),
    "bad-field",
  ],
  ["no name", bare(...base, [2, 1]), "bad-field"],
  ["an empty name", pack({ records: [{ n: "", v: 1 }] }), "bad-field"],
  ["a name of 33 characters", pack({ records: [{ n: "a".repeat(33), v: 1 }] }), "bad-field"],
  ["a name with a space", pack({ records: [{ n: "a b", v: 1 }] }), "bad-field"],
  ["a name with a quote", pack({ records: [{ n: 'a"b', v: 1 }] }), "bad-field"],
  ["a name with a line feed", pack({ records: [{ n: "a\nb", v: 1 }] }), "bad-field"],
  ["a name with an umlaut", pack({ records: [{ n: "wärme", v: 1 }] }), "bad-field"],
  ["a name that starts with a sign", pack({ records: [{ n: "_meta", v: 1 }] }), "bad-field"],
  ["a name that is a number", bare(...base, [0, 5], [2, 1]), "bad-field"],
  ["a value that is a text", bare(...base, [0, "a"], [2, "1"]), "bad-field"],
  ["a value that is true", bare(...base, [0, "a"], [2, true]), "bad-field"],
  [
    "a value with an exponent of 23",
    pack({ records: [{ n: "a", v: new Decimal(23, 1) }] }),
    "bad-field",
  ],
  [
    "a value with an exponent of -23",
    pack({ records: [{ n: "a", v: new Decimal(-23, 1) }] }),
    "bad-field",
  ],
  ["a value and a cause", pack({ records: [{ n: "a", v: 1, vs: "stale" }] }), "bad-field"],
  ["a value that is called bad", pack({ records: [{ n: "a", v: 1, g: 2 }] }), "bad-field"],
  ["a value and a text", pack({ records: [{ n: "a", v: 1, vs: "x", g: 0 }] }), "bad-field"],
  [
    "a text of 65 characters",
    pack({ records: [{ n: "a", vs: "x".repeat(65), g: 0 }] }),
    "bad-field",
  ],
  ["a text with an escape", pack({ records: [{ n: "a", vs: "\x1b[31m", g: 0 }] }), "bad-field"],
  ["a text with a line end", pack({ records: [{ n: "a", vs: "a\nb", g: 0 }] }), "bad-field"],
  ["a text that is not ASCII", pack({ records: [{ n: "a", vs: "f\u00fcnf", g: 0 }] }), "bad-field"],
  ["an empty cause", pack({ records: [{ n: "a", vs: "" }] }), "bad-field"],
  ["a cause that nobody knows", pack({ records: [{ n: "a", vs: "tired" }] }), "bad-field"],
  [
    "a cause that is octets",
    bare(...base, [0, "a"], [3, Buffer.from("stale")], ["g", 2]),
    "bad-field",
  ],
  ["a quality of 3", pack({ records: [{ n: "a", v: 1, g: 3 }] }), "bad-field"],
  ["a quality that is a text", first(["g", "bad"]), "bad-field"],
  ["an event among the readings", pack({ records: [{ n: "a/b", vb: true }] }), "bad-field"],
  ["a reading that is an event too", pack({ records: [{ n: "a", v: 1, vb: true }] }), "bad-field"],
  ["a reading with a value at the event", pack({ records: [{ n: "a", v: 1, x: 1 }] }), "bad-field"],
  ["a reading among the events", pack({ records: [good] }), "bad-field", "event"],
  [
    "an event with a cause",
    pack({ records: [{ n: "a/b", vb: true, vs: "stale" }] }),
    "bad-field",
    "event",
  ],
  ["an event without its alarm", pack({ records: [{ n: "a", vb: true }] }), "bad-field", "event"],
  [
    "an event with an empty alarm",
    pack({ records: [{ n: "a/", vb: true }] }),
    "bad-field",
    "event",
  ],
  [
    "an event with an empty channel",
    pack({ records: [{ n: "/b", vb: true }] }),
    "bad-field",
    "event",
  ],
  ["an event that is 1", bare(...base, [0, "a/b"], [4, 1]), "bad-field", "event"],
  ["a base value", first([-5, 1]), "bad-key"],
  ["a base sum", first([-6, 1]), "bad-key"],
  ["a unit of its own", first([1, "Cel"]), "bad-key"],
  ["a sum", first([5, 1]), "bad-key"],
  ["octets as a value", first([8, Buffer.from("x")]), "bad-key"],
  ["an integer key that looks like the letter b", first([98, 1]), "bad-key"],
  ["an integer key far away", first([1_000_000, 1]), "bad-key"],
  ["an extension that must be understood", first(["color_", 1]), "bad-key"],
  ["an extension that is an underscore", first(["_", 1]), "bad-key"],
  ["an extension five deep", first(["z", [[[[1]]]]]), "depth"],
];

function more(count: number): [string, Item][] {
  return Array.from({ length: count }, (_, index) => [`more${index}`, 0]);
}
function named(text: string): Buffer {
  return bare([-2, text], ["b", 1], ["q", 1], [0, "a"], [2, 1]);
}
function first(...raw: [number | string, Item][]): Buffer {
  return pack({ records: [{ ...good, raw }] });
}
function second(...raw: [number | string, Item][]): Buffer {
  return pack({ records: [good, { ...good, raw }] });
}

test("each wrong pack is refused by its name, and the next good one is taken", () => {
  for (const [sentence, bytes, error, kind = "data"] of REFUSED) {
    assert.equal(decode(bytes, kind), error, sentence);
    assert.equal(taken(pack({ records: [good] })).count, 1, `after ${sentence}`);
  }
});

test("extensions that nobody must understand are passed over, whatever they hold", () => {
  for (const value of [1, "x", true, new Float(1.5), new Decimal(-1, 5), [[1]], new Map([[0, 1]])])
    for (const key of ["z", "zone", "a", "ü"])
      assert.equal(taken(first([key, value as Item])).entries[0]?.value, 1);
});

test("every strict prefix of a pack is truncated, one octet more is trailing", () => {
  const bytes = pack({
    records: [
      { n: "t", v: new Decimal(-2, 2350) },
      { n: "u", vs: "stale", t: 9 },
    ],
  });
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decode(bytes.subarray(0, length), "data"), "truncated");
  assert.equal(decode(Buffer.concat([bytes, Buffer.of(0)]), "data"), "trailing");
});

test("names that begin alike stay apart, however many were seen", () => {
  for (let count = 0; count < 10_000; count++)
    for (const n of [`x${count}`, "x"])
      assert.equal(taken(pack({ records: [{ n, v: 1 }] })).entries[0]?.name, n);
});

test("no octets make the decoder throw, and a good pack is taken after each", () => {
  const prng = createPrng(Number(process.env["SEED"] ?? 5));
  const clean = pack({
    records: [
      { n: "t", v: new Decimal(-2, 2350) },
      { n: "e", v: 3, t: 7, x: 1 },
    ],
  });
  const names = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const bytes = round % 4 === 0 ? Buffer.alloc(prng.below(40)) : Buffer.from(clean);
    if (round % 4 === 0) prng.fill(bytes);
    else bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decode(bytes, prng.chance(0.8) ? "data" : "event");
    if (typeof result === "string") names.add(result);
    else
      for (const { value, name } of result.entries.slice(0, result.count))
        assert.ok(name !== "" && (Number.isNaN(value) || Number.isFinite(value)));
  }
  assert.ok(names.size >= 9, [...names].join());
  assert.equal(taken(pack({ records: [good] })).count, 1);
});

test("a decimal fraction is the number that its text is", () => {
  const prng = createPrng(3);
  for (let round = 0; round < 200_000; round++) {
    const exponent = prng.below(2 * EXPONENT_MAX + 1) - EXPONENT_MAX;
    const large = prng.nextU32() * 2 ** prng.below(22);
    const mantissa = prng.chance(0.5) ? prng.below(100_000) - 50_000 : large - 2 ** 31;
    const expected = Number(`${mantissa}e${exponent}`);
    assert.ok(fractionValue(mantissa, exponent) === expected, `${mantissa}e${exponent}`);
  }
  assert.equal(String(fractionValue(2301, -1)), "230.1");
  assert.equal(String(fractionValue(3, -1)), "0.3");
});
