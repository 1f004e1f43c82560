// SPDX-License-Identifier: MIT
// Goal: lines by seed are what their truth says, for a detector to be held to it.
// Method: the receiver at the true rate hears each whole; outside decoders and checks accept the frames.

import assert from "node:assert/strict";
import test from "node:test";
import { TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../../firmware/wire/tap.ts";
import { formatOf } from "../../../host-sim/line/format.ts";
import { hear } from "../../../host-sim/line/hear.ts";
import { randomLine, type RandomLine } from "../../../host-sim/line/random.ts";
import { ascii, crc16 as anyCrc16, crcX25 } from "../../../host-sim/line/traffic/message.ts";
import { crc16 } from "../../support/modbus.ts";

const SEEDS = 64;
const lines = Array.from({ length: SEEDS }, (_, seed) => ({ seed, ...randomLine(seed) }));
const of = (protocol: string): RandomLine[] =>
  lines.filter(({ truth }) => truth.protocol === protocol);

/** The characters of a line at its true rate, format and polarity. */
function heardOf({ truth, wave, endNs }: RandomLine): {
  text: string;
  octets: number[];
  bad: number;
} {
  const format = formatOf(truth.baud!, truth.format);
  const heard = hear(wave, { format, inverted: truth.inverted }, endNs);
  const octets = heard.map(({ data }) => data);
  const bad = heard.filter(({ flags }) => flags & (TAP_FLAG_FRAMING | TAP_FLAG_PARITY)).length;
  return { text: String.fromCharCode(...octets), octets, bad };
}

test("the same seed gives the same line; formats, rates and protocols all occur", () => {
  assert.deepEqual(randomLine(5), randomLine(5));
  const many = Array.from({ length: 256 }, (_, seed) => randomLine(seed).truth);
  const count = (key: "baud" | "format" | "protocol" | "inverted"): number =>
    new Set(many.map((truth) => truth[key])).size;
  assert.equal(count("protocol"), 11);
  assert.equal(count("inverted"), 2);
  assert.ok(count("baud") >= 11 && count("format") >= 7);
  const none = many.filter(({ baud }) => baud === null).length;
  assert.ok(none >= 20 && none <= 48, `${none}`);
});

test("a receiver at the true rate hears hardly an error but strays", () => {
  for (const { seed, truth, wave, endNs, about } of lines) {
    assert.ok(
      wave.edges.every((edge, i) => edge > (wave.edges[i - 1] ?? 0) && edge < endNs),
      about,
    );
    if (truth.baud === null) continue;
    const { octets, bad } = heardOf({ truth, wave, endNs, about });
    const share = bad / octets.length;
    assert.ok(share < (about.includes("strays") ? 0.2 : 0.01), `seed ${seed}: ${about}: ${share}`);
  }
});

test("checks have the values that catalogues of CRCs give for 123456789", () => {
  const nine = ascii("123456789");
  assert.equal(anyCrc16(nine, 0xa001, 0xffff), 0x4b37); // MODBUS
  assert.equal(anyCrc16(nine, 0xa001, 0), 0xbb3d); // ARC, of P1
  assert.equal(crcX25(nine), 0x906e); // of SML
});

test("lines of text check as their standards say", () => {
  for (const line of of("nmea")) {
    const sentences = heardOf(line).text.split("\r\n");
    const right = sentences.filter((text) => {
      const [, body, sum] = /^\$(.*)\*([0-9A-F]{2})$/.exec(text) ?? [];
      return Buffer.from(body ?? "?").reduce((all, octet) => all ^ octet, 0) === parseInt(sum!, 16);
    });
    assert.ok(right.length >= 57, line.about);
  }
  for (const line of of("modbus-ascii")) {
    const frames = heardOf(line)
      .text.split("\r\n")
      .filter((text) => text.startsWith(":"));
    const right = frames.filter((text) => {
      const octets = Buffer.from(text.slice(1), "hex");
      return (octets.reduce((sum, octet) => sum + octet, 0) & 0xff) === 0;
    });
    assert.ok(right.length >= 76, line.about);
  }
});

test("Modbus RTU frames of the plan stand in the line with a right CRC", () => {
  for (const line of of("modbus-rtu")) {
    const { octets } = heardOf(line);
    let frames = 0;
    for (let at = 0; at < octets.length;) {
      const length = [8, ...Array.from({ length: 60 }, (_, i) => i + 4)].find(
        (bytes) => at + bytes <= octets.length && crc16(octets.slice(at, at + bytes)) === 0,
      );
      if (length !== undefined) frames++;
      at += length ?? 1;
    }
    assert.ok(frames >= 95 && frames <= 101, `${frames}: ${line.about}`);
  }
});
