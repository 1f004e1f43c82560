// SPDX-License-Identifier: MIT
// Goal: frames are found again after anything, and nothing false is heard.
//
// Method: known frames; every octet of three frames inserted, deleted and flipped; random lines by seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import {
  crc32c,
  createFrameDecoder,
  createFrameEncoder,
  FRAME_BYTES_MAX,
} from "../../gateway/frame.ts";
import { DATAGRAM_BYTES_MAX } from "../../gateway/limits.ts";
import { createPrng } from "../../host-sim/prng.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/ /g, ""), "hex"));

/** Message and frame, worked out apart from this code. */
const KNOWN: readonly [name: string, message: string, frame: string][] = [
  ["PINGREQ", "02 16", "00 07 02 16 BB 67 DB E0 00"],
  ["CONNACK", "03 05 00", "00 03 03 05 05 A2 9A 62 D7 00"],
  [
    "PUBLISH",
    "0B 0C 20 00 01 00 02 32 31 2E 35",
    "00 04 0B 0C 20 02 01 0A 02 32 31 2E 35 D3 49 D3 16 00",
  ],
];

function hear(line: Uint8Array, pieces = line.length): { heard: Uint8Array[]; dropped: number } {
  const decoder = createFrameDecoder();
  const heard: Uint8Array[] = [];
  for (let at = 0; at < line.length; at += pieces)
    decoder.push(line.subarray(at, at + pieces), (message) => heard.push(message));
  const { badCrc, badFrame, tooLong } = decoder.counters;
  return { heard, dropped: badCrc + badFrame + tooLong };
}

function frame(message: Uint8Array): Uint8Array {
  return createFrameEncoder()(message).slice();
}

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((p) => [...p]));

test("CRC-32C of the digits is the published one, and no other CRC", () => {
  const digits = new TextEncoder().encode("123456789");
  assert.equal(crc32c(digits, 9), 0xe3069283);
  assert.notEqual(crc32c(digits, 9), crc32?.(digits));
});

for (const [name, message, expected] of KNOWN)
  test(`${name} is the frame that SPEC.md shows, and back`, () => {
    assert.deepEqual(frame(hex(message)), hex(expected));
    for (const pieces of [1, 2, 100])
      assert.deepEqual(hear(hex(expected), pieces), { heard: [hex(message)], dropped: 0 });
  });

test("messages of all lengths, with and without zeros, come back in any pieces", () => {
  const prng = createPrng(7);
  for (let length = 1; length <= DATAGRAM_BYTES_MAX; length += length < 300 ? 1 : 97) {
    for (const share of [0, 0.02, 0.5, 1]) {
      const message = Uint8Array.from({ length }, () =>
        prng.chance(share) ? 0 : 1 + prng.below(255),
      );
      const line = frame(message);
      assert.ok(line.length <= FRAME_BYTES_MAX);
      assert.ok(line.subarray(1, -1).every((octet) => octet !== 0));
      assert.deepEqual(hear(line, 1 + prng.below(64)), { heard: [message], dropped: 0 });
    }
  }
  assert.throws(() => frame(new Uint8Array(DATAGRAM_BYTES_MAX + 1)), /1401 octets/);
});

test("an octet inserted, deleted or flipped costs at most its frame and the delimiter's", () => {
  const messages = KNOWN.map(([, message]) => hex(message));
  const line = join(...messages.map(frame));
  const last = frame(Uint8Array.of(2, 0x17));
  let tried = 0;
  for (let at = 0; at < line.length; at++) {
    const [before, after] = [line.subarray(0, at), line.subarray(at + 1)];
    const spoilt = [join(before, after)];
    for (let octet = 0; octet < 256; octet++) {
      spoilt.push(join(before, Uint8Array.of(octet), line.subarray(at)));
      if (octet !== line[at]) spoilt.push(join(before, Uint8Array.of(octet), after));
    }
    for (const one of spoilt) {
      tried++;
      const { heard } = hear(join(one, last));
      assert.deepEqual(heard.at(-1), Uint8Array.of(2, 0x17), "the next frame is accepted");
      const known = heard.slice(0, -1);
      assert.ok(known.length >= messages.length - 1, `octet ${at}: ${known.length} heard`);
      for (const message of known)
        assert.ok(
          messages.some((m) => Buffer.compare(m, message) === 0),
          "nothing false",
        );
    }
  }
  assert.ok(tried > 15_000);
});

test("a start within a frame drops up to its end; noise on an idle line hurts nobody", () => {
  const message = hex("02 16");
  const whole = frame(message);
  for (let from = 1; from < whole.length; from++) {
    const { heard, dropped } = hear(join(whole.subarray(from), whole));
    assert.deepEqual([heard, dropped], [[message], 0]);
  }
  const prng = createPrng(11);
  for (let round = 0; round < 500; round++) {
    const noise = Uint8Array.from({ length: prng.below(40) }, () => prng.below(256));
    const { heard } = hear(join(whole, noise, whole));
    assert.deepEqual([heard[0], heard.at(-1)], [message, message]);
  }
});

test("what is too long is dropped and counted, and a megabyte of noise says nothing", () => {
  const long = new Uint8Array(DATAGRAM_BYTES_MAX * 3).fill(0xfe);
  const whole = frame(hex("02 16"));
  assert.deepEqual(hear(join(Uint8Array.of(0), long, whole)), {
    heard: [hex("02 16")],
    dropped: 1,
  });
  const noise = new Uint8Array(1 << 20);
  const prng = createPrng(3);
  for (let at = 0; at < noise.length; at++) noise[at] = prng.below(256);
  const { heard, dropped } = hear(noise, 4096);
  assert.deepEqual(heard, []);
  assert.ok(dropped > 1000);
});
