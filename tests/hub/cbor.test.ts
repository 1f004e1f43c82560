// SPDX-License-Identifier: MIT
// Goal: exactly strict CBOR is taken, and it means what others read.
//
// Method: vectors, each refused form with its name, prefixes, seeded mutations; cbor-x and cbor2 as judges.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import { createCborCheck, type CborError } from "../../hub/cbor.ts";
import { MESSAGE_BYTES_MAX } from "../../hub/limits.ts";
import { asCborX, byCborX, byHub, byPython } from "../support/cbor-canonical.ts";
import { debianPython } from "../support/need.ts";
import { birth, Decimal, encode, Float, halfValue, head, pack, status } from "../support/pack.ts";

const LIMITS = { bytesMax: MESSAGE_BYTES_MAX, depthMax: 4 };
const DEEP = { bytesMax: MESSAGE_BYTES_MAX, depthMax: 6 };
const check = createCborCheck();
const SEEDS = process.env["SEED"] === undefined ? [1, 2, 3] : [Number(process.env["SEED"])];

// Two resolved SenML records and a boolean one: temp 23.50 Cel, spin 25 1/s, run true; bn, bt.
const SENML_VECTOR =
  "83a5006474656d70016343656c02c4822119092e21781d75726e3a6465763a6d61633a30303234626566666665" +
  "3830346666315f221a6955b900a300647370696e0163312f73021819a2006372756e04f5";

const VALID: Uint8Array[] = [
  Buffer.from(SENML_VECTOR, "hex"),
  pack({
    records: [
      { n: "t", v: new Decimal(-2, 2350) },
      { n: "u", vs: "stale", t: 100 },
    ],
  }),
  pack({
    bt: null,
    records: [
      { n: "f", v: new Float(0.1) },
      { n: "f", v: new Float(1.5), t: -5 },
    ],
  }),
  ...birth({
    channels: [[{ name: "a", alarms: [["hot", 1, new Decimal(-1, 2005), 3, 1000]] }], []],
    taps: [["bus", "modbus-rtu", 9600, "8E1"]],
  }),
  status({ taps: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] }),
];

// What RFC 8949 appendix A lists: hex, and null where it is ours too, else the name of the refusal.
const APPENDIX_A: [string, CborError | null][] = [
  ["00", null],
  ["01", null],
  ["0a", null],
  ["17", null],
  ["1818", null],
  ["1819", null],
  ["1864", null],
  ["1903e8", null],
  ["1a000f4240", null],
  ["1b000000e8d4a51000", null],
  ["1bffffffffffffffff", "bad-field"],
  ["c249010000000000000000", "tag"],
  ["3bffffffffffffffff", "bad-field"],
  ["20", null],
  ["29", null],
  ["3863", null],
  ["3903e7", null],
  ["f90000", null],
  ["f98000", null],
  ["f93c00", null],
  ["fb3ff199999999999a", null],
  ["f93e00", null],
  ["f97bff", null],
  ["fa47c35000", null],
  ["fa7f7fffff", null],
  ["fb7e37e43c8800759c", null],
  ["f90001", null],
  ["f90400", null],
  ["f9c400", null],
  ["fbc010666666666666", null],
  ["f97c00", "nan"],
  ["f97e00", "nan"],
  ["f9fc00", "nan"],
  ["fa7f800000", "nan"],
  ["fa7fc00000", "nan"],
  ["faff800000", "nan"],
  ["fb7ff0000000000000", "nan"],
  ["fb7ff8000000000000", "nan"],
  ["fbfff0000000000000", "nan"],
  ["f4", null],
  ["f5", null],
  ["f6", "bad-field"],
  ["f7", "bad-field"],
  ["f0", "bad-field"],
  ["f8ff", "bad-field"],
  ["c074323031332d30332d32315432303a30343a30305a", "tag"],
  ["c11a514b67b0", "tag"],
  ["d74401020304", "tag"],
  ["d818456449455446", "tag"],
  ["40", null],
  ["4401020304", null],
  ["60", null],
  ["6161", null],
  ["6449455446", null],
  ["62225c", null],
  ["62c3bc", null],
  ["63e6b0b4", null],
  ["64f0908591", null],
  ["80", null],
  ["83010203", null],
  ["8301820203820405", null],
  ["98190102030405060708090a0b0c0d0e0f101112131415161718181819", null],
  ["a0", null],
  ["a201020304", null],
  ["a26161016162820203", null],
  ["826161a161626163", null],
  ["a56161614161626142616361436164614461656145", null],
  ["5f42010243030405ff", "indefinite"],
  ["7f657374726561646d696e67ff", "indefinite"],
  ["9fff", "indefinite"],
  ["9f018202039f0405ffff", "indefinite"],
  ["83018202039f0405ff", "indefinite"],
  ["83019f0203ff820405", "indefinite"],
  ["bf61610161629f0203ffff", "indefinite"],
  ["826161bf61626163ff", "indefinite"],
  ["bf6346756ef563416d7421ff", "indefinite"],
];

// One sentence each; the name that comes back.
const REFUSED: [string, string, CborError][] = [
  ["nothing at all", "", "truncated"],
  ["an argument of one octet that is missing", "18", "truncated"],
  ["an argument of eight octets with seven there", "1b00000000000000", "truncated"],
  ["a text longer than what follows", "6261", "truncated"],
  ["octets longer than what follows", "43aabb", "truncated"],
  ["an array of two with one item", "8201", "truncated"],
  ["a map whose last value is missing", "a100", "truncated"],
  ["a fraction without its mantissa", "c48221", "truncated"],
  ["a half float of one octet", "f93c", "truncated"],
  ["a second item after the first", "0001", "trailing"],
  ["a break after the item", "00ff", "trailing"],
  ["a break alone", "ff", "indefinite"],
  ["an indefinite text as a key", "a17f6161ff01", "indefinite"],
  ["an indefinite fraction", "c49f2101ff", "indefinite"],
  ["5 in one more octet", "1805", "non-minimal"],
  ["23 in one more octet", "1817", "non-minimal"],
  ["255 in two octets", "1900ff", "non-minimal"],
  ["65535 in four octets", "1a0000ffff", "non-minimal"],
  ["2^32 - 1 in eight octets", "1b00000000ffffffff", "non-minimal"],
  ["-1 in one more octet", "3800", "non-minimal"],
  ["the length of a text in two octets", "780161", "non-minimal"],
  ["the count of an array in two octets", "980100", "non-minimal"],
  ["a tag in two octets", "d804822101", "non-minimal"],
  ["1.5 as a single", "fa3fc00000", "non-minimal"],
  ["1.5 as a double", "fb3ff8000000000000", "non-minimal"],
  ["100000.0 as a double", "fb40f86a0000000000", "non-minimal"],
  ["the smallest half as a single", "fa33800000", "non-minimal"],
  ["five arrays in each other", "8181818180", "depth"],
  ["four arrays around a fraction", "81818181c4822101", "depth"],
  ["a map five deep", "a100a100a100a100a0", "depth"],
  ["a date", "c000", "tag"],
  ["a big number", "c24101", "tag"],
  ["a big float", "c5822101", "tag"],
  ["the tag that says CBOR", "d9d9f780", "tag"],
  ["a tag of a tag", "c4c4822101", "bad-field"],
  ["a NaN with a payload", "fb7ff8000000000001", "nan"],
  ["a signalling NaN", "fa7f800001", "nan"],
  ["65 items in an array", "9841" + "00".repeat(65), "too-many-records"],
  ["an array that declares 2^32 - 1 items", "9affffffff", "too-many-records"],
  ["an array that declares 2^64 - 1 items", "9bffffffffffffffff", "too-many-records"],
  ["17 pairs in a map", "b1" + keys(17), "too-many-pairs"],
  ["a map that declares 2^63 pairs", "bb8000000000000000", "too-many-pairs"],
  ["the same key twice", "a200010002", "unsorted-keys"],
  ["the same text key twice", "a2616101616102", "unsorted-keys"],
  ["1 before 0", "a201000000", "unsorted-keys"],
  ["a negative key before a positive", "a220000100", "unsorted-keys"],
  ["a text key before an integer", "a2616100" + "0000", "unsorted-keys"],
  ["a longer text key before a shorter", "a2626161006162" + "00", "unsorted-keys"],
  ["an inner map out of order, the outer in order", "a200a2010000000100", "unsorted-keys"],
  ["octets as a key", "a1410000", "bad-key"],
  ["an array as a key", "a18000", "bad-key"],
  ["a map as a key", "a1a000", "bad-key"],
  ["a float as a key", "a1f93c0000", "bad-key"],
  ["true as a key", "a1f500", "bad-key"],
  ["a fraction as a key", "a1c482210100", "bad-key"],
  ["a key above 2^53", "a11b002000000000000000", "bad-key"],
  ["null", "f6", "bad-field"],
  ["a simple value of two octets", "f820", "bad-field"],
  ["a head that is reserved", "1c", "bad-field"],
  ["a reserved head of a text", "7d", "bad-field"],
  ["an integer without end", "1f", "bad-field"],
  ["2^53", "1b0020000000000000", "bad-field"],
  ["a fraction of three", "c483210101", "bad-field"],
  ["a fraction with a float", "c48221f93c00", "bad-field"],
  ["a fraction with a text", "c482216131", "bad-field"],
  ["a fraction that is a map", "c4a12101", "bad-field"],
  ["a text that is Latin-1", "61e4", "bad-field"],
  ["a text with an overlong slash", "62c0af", "bad-field"],
  ["a text with half a pair of surrogates", "63eda080", "bad-field"],
  ["a text above U+10FFFF", "64f4908080", "bad-field"],
];

function keys(count: number): string {
  return Array.from({ length: count }, (_, key) => encode(key).toString("hex") + "00").join("");
}

test(
  "each valid vector is taken, and means what cbor-x and cbor2 read",
  debianPython("/usr/lib/python3/dist-packages/cbor2"),
  () => {
    const taken = VALID.concat(
      APPENDIX_A.filter(([, e]) => e === null).map(([h]) => Buffer.from(h, "hex")),
    );
    const python = byPython(taken);
    for (const [index, bytes] of taken.entries()) {
      assert.equal(check(bytes, DEEP), null, Buffer.from(bytes).toString("hex"));
      assert.equal(byHub(bytes), python[index]);
      assert.equal(asCborX(byHub(bytes)), byCborX(bytes));
    }
  },
);

test("every form that RFC 8949 shows and we do not use is refused by name", () => {
  for (const [hex, error] of APPENDIX_A)
    assert.equal(check(Buffer.from(hex, "hex"), LIMITS), error, hex);
});

test("each malformed form is refused by its name, and the next good one is taken", () => {
  for (const [sentence, hex, error] of REFUSED) {
    assert.equal(check(Buffer.from(hex, "hex"), LIMITS), error, sentence);
    assert.equal(check(VALID[1]!, LIMITS), null, `after ${sentence}`);
  }
});

test("every strict prefix is truncated, and one octet more is trailing", () => {
  for (const bytes of VALID) {
    for (let length = 0; length < bytes.length; length++)
      assert.equal(check(bytes.subarray(0, length), DEEP), "truncated");
    for (const more of [0x00, 0x40, 0x80, 0xa0, 0xf5, 0xff])
      assert.equal(check(Buffer.concat([bytes, Buffer.of(more)]), DEEP), "trailing");
  }
});

test("a message of the longest length is taken, one octet more is too long", () => {
  const text = (length: number): Buffer => Buffer.concat([head(2, length), Buffer.alloc(length)]);
  assert.equal(check(text(MESSAGE_BYTES_MAX - 3), LIMITS), null);
  assert.equal(check(text(MESSAGE_BYTES_MAX - 2), LIMITS), "too-long");
});

test("64 items and 16 pairs at depth 4 are taken", () => {
  const map = Buffer.from("b0" + keys(16), "hex");
  const deepest = Buffer.concat([head(4, 1), head(4, 1), head(4, 1), map]);
  assert.equal(check(deepest, LIMITS), null);
  assert.equal(check(Buffer.concat([head(4, 64), Buffer.alloc(64)]), LIMITS), null);
});

test("all half floats but NaN and infinity are taken, and none is taken in a longer form", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfValue(bits);
    const half = Buffer.of(0xf9, bits >> 8, bits & 255);
    const single = Buffer.alloc(5, 0xfa);
    const double = Buffer.alloc(9, 0xfb);
    single.writeFloatBE(value, 1);
    double.writeDoubleBE(value, 1);
    const finite = Number.isFinite(value);
    assert.equal(check(half, LIMITS), finite ? null : "nan");
    assert.equal(check(single, LIMITS), finite ? "non-minimal" : "nan");
    assert.equal(check(double, LIMITS), finite ? "non-minimal" : "nan");
  }
});

test("a single or double is taken exactly when no shorter float holds it", () => {
  const halves = new Set(Array.from({ length: 0x10000 }, (_, bits) => halfValue(bits)));
  const prng = createPrng(7);
  for (let round = 0; round < 20_000; round++) {
    const single = Buffer.alloc(5, 0xfa);
    // Half of them are near a half: 13 low bits zero, or all but one.
    const bits = prng.chance(0.5) ? prng.nextU32() : (prng.nextU32() & 0xffffe000) >>> 0;
    single.writeUInt32BE(prng.chance(0.2) ? (bits ^ (1 << prng.below(13))) >>> 0 : bits, 1);
    const value = single.readFloatBE(1);
    const expected = !Number.isFinite(value) ? "nan" : halves.has(value) ? "non-minimal" : null;
    assert.equal(check(single, LIMITS), expected, single.toString("hex"));
  }
});

test("a text is taken exactly when it is UTF-8", () => {
  const judge = new TextDecoder("utf-8", { fatal: true });
  const prng = createPrng(11);
  const starts = [0x41, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0x80, 0xbf, 0xff];
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.alloc(1 + prng.below(6));
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = prng.chance(0.4) ? starts[prng.below(starts.length)]! : 0x80 + prng.below(64);
    let valid = true;
    try {
      judge.decode(bytes);
    } catch {
      valid = false;
    }
    const item = Buffer.concat([head(3, bytes.length), bytes]);
    assert.equal(check(item, LIMITS), valid ? null : "bad-field", bytes.toString("hex"));
  }
});

for (const seed of SEEDS)
  test(
    `whatever is taken after mutation, seed ${seed}, means what cbor-x and cbor2 read`,
    debianPython("/usr/lib/python3/dist-packages/cbor2"),
    () => {
      const taken = mutants(seed, 30_000).filter((bytes) => check(bytes, DEEP) === null);
      assert.ok(taken.length > 300, `only ${taken.length} were taken`);
      const python = byPython(taken);
      for (const [index, bytes] of taken.entries()) {
        const where = `SEED=${seed}: ${Buffer.from(bytes).toString("hex")}`;
        const ours = byHub(bytes);
        assert.equal(ours, python[index], where);
        assert.equal(asCborX(ours), byCborX(bytes), where);
      }
    },
  );

/** Valid vectors with octets flipped, set, cut out, doubled; and short random octets. */
function mutants(seed: number, count: number): Uint8Array[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, index) => {
    if (index % 3 === 0) {
      const bytes = new Uint8Array(prng.below(12));
      prng.fill(bytes);
      return bytes;
    }
    let bytes = Buffer.from(VALID[prng.below(VALID.length)]!);
    for (let times = 1 + prng.below(3); times > 0; times--) {
      const at = prng.below(bytes.length);
      const kind = prng.below(4);
      if (kind === 0) bytes[at]! ^= 1 << prng.below(8);
      if (kind === 1) bytes[at] = prng.below(256);
      if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
      if (bytes.length === 0) return bytes;
    }
    return bytes;
  });
}

test("inputs that blow up other decoders are refused at once and cost no memory", () => {
  const declares = (major: number, count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, () => head(major, MESSAGE_BYTES_MAX)));
  const bombs: [Buffer, CborError][] = [
    [declares(4, 2700), "too-many-records"],
    [declares(5, 2700), "too-many-pairs"],
    [Buffer.concat([head(4, 64), Buffer.alloc(8000, 0x98)]), "too-many-records"],
    [Buffer.alloc(8000, 0x81), "depth"],
    [Buffer.alloc(8000, 0xa1), "bad-key"],
    [Buffer.alloc(8000, 0xc4), "bad-field"],
    [Buffer.alloc(8000, 0x9f), "indefinite"],
    [Buffer.alloc(200_000, 0x81), "too-long"],
    [Buffer.from("9bffffffffffffffff", "hex"), "too-many-records"],
    [Buffer.from("5bffffffffffffffff", "hex"), "truncated"],
    [Buffer.from("7affffffff", "hex"), "truncated"],
  ];
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < 1000; round++)
    for (const [bytes, error] of bombs) assert.equal(check(bytes, LIMITS), error);
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
});
