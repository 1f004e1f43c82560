// SPDX-License-Identifier: MIT
// Goal: what is sent arrives, and each disturbance does what it does on a bench.
// Method: seeded characters of every format through wave and receiver; the edges of a real recording as oracle of the sender.

import assert from "node:assert/strict";
import test from "node:test";
import { TAP_FLAG_BREAK, TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../../firmware/wire/tap.ts";
import { formatOf } from "../../../host-sim/line/format.ts";
import { hear, type HeardCharacter } from "../../../host-sim/line/hear.ts";
import { createReceiver } from "../../../host-sim/line/receiver.ts";
import { inARow, transmit, type Said, type Sender } from "../../../host-sim/line/sender.ts";
import * as line from "../../../host-sim/line/wave.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import * as need from "../../support/need.ts";
import { readEdges } from "../../support/waves.ts";

const FORMATS = ["5", "6", "7", "8", "9"].flatMap((bits) =>
  ["N1", "E1", "O1", "N2", "E2", "O2"].map((rest) => bits + rest),
);
const FORMAT = formatOf(9600, "8N1");
const BIT = FORMAT.bitNs;
const START = 1e6;

function octets(count: number, seed: number, bits = 8): number[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, () => prng.below(2 ** bits));
}

function sendAll(said: readonly Said[], sender: Sender = { format: FORMAT }, seed = 1): line.Wave {
  return transmit(said, sender, createPrng(seed));
}

function listen(wave: line.Wave, format = FORMAT, inverted = false): HeardCharacter[] {
  return hear(wave, { format, inverted }, (wave.edges.at(-1) ?? 0) + 20 * format.bitNs);
}

const data = (heard: HeardCharacter[]): number[] => heard.map((character) => character.data);
const flags = (heard: HeardCharacter[]): number[] => heard.map((character) => character.flags);

test("every format arrives with clocks 1.5 % apart and edges off by 0.05 bit", () => {
  for (const name of FORMATS)
    for (const [seed, clockPpm] of [-15_000, -5000, 0, 5000, 15_000].entries()) {
      const format = formatOf(19_200, name);
      const said = octets(200, seed, format.dataBits);
      const sender = { format, clockPpm, jitterBits: 0.05 };
      const heard = listen(sendAll(inARow(said, START), sender, seed), format);
      assert.deepEqual(data(heard), said, `${name} ${clockPpm}`);
      assert.ok(flags(heard).every((flag) => flag === 0));
    }
});

test("clocks 6 % apart break every format", () => {
  for (const name of FORMATS.filter((format) => format.startsWith("8")))
    for (const clockPpm of [-60_000, 60_000]) {
      const format = formatOf(19_200, name);
      const said = octets(200, 3);
      const heard = listen(sendAll(inARow(said, START), { format, clockPpm }), format);
      assert.notDeepEqual(data(heard), said, `${name} ${clockPpm}`);
    }
});

test("a receiver's own clock counts as much as the sender's", () => {
  const wave = sendAll(inARow(octets(300, 4), START), { format: FORMAT, clockPpm: 40_000 });
  const endNs = wave.edges.at(-1)! + 20 * BIT;
  const same = hear(wave, { format: FORMAT, clockPpm: 40_000 }, endNs);
  assert.deepEqual(data(same), octets(300, 4));
  const against = hear(wave, { format: FORMAT, clockPpm: -40_000 }, endNs);
  assert.notDeepEqual(data(against), octets(300, 4));
});

test("a character is decided in the middle of its stop bit", () => {
  const format = formatOf(9600, "8E2");
  const [heard] = listen(sendAll([{ startNs: 160 * BIT, data: 0x41 }], { format }), format);
  assert.ok(Math.abs(heard!.atNs - (160 + 10.5) * BIT) < 0.15 * BIT, `${heard!.atNs / BIT}`);
});

test("two characters that collide are the AND of both", () => {
  const a = sendAll([{ startNs: START, data: 0xf3 }]);
  const b = sendAll([{ startNs: START, data: 0x9e }]);
  assert.deepEqual(data(listen(line.collide(a, b))), [0xf3 & 0x9e]);
  const late = line.delay(b, 4 * BIT);
  assert.notDeepEqual(data(listen(line.collide(a, late))), [0xf3, 0x9e]);
  assert.deepEqual(line.collide(a, late), line.collide(late, a));
});

test("an echo after the character is heard as a second one", () => {
  const wave = sendAll([{ startNs: START, data: 0x55 }]);
  const echoed = line.collide(wave, line.delay(wave, 11 * BIT));
  assert.deepEqual(data(listen(echoed)), [0x55, 0x55]);
});

test("swapped wires are right for a receiver that inverts, and for no other", () => {
  const said = octets(50, 5);
  const wave = line.invert(sendAll(inARow(said, START)));
  assert.deepEqual(data(listen(wave, FORMAT, true)), said);
  assert.notDeepEqual(data(listen(wave)), said);
});

test("a glitch of less than a tick changes nothing; one of half a bit does", () => {
  const said = octets(400, 6);
  const wave = sendAll(inARow(said, START));
  // One in the data bits of each character; between characters a glitch may hide a start.
  const glitches = (widthNs: number): line.Pulse[] => {
    const prng = createPrng(7);
    return said.flatMap((_, i) => {
      const fromNs = START + (10 * i + 1) * BIT;
      return line.scatter({ fromNs, toNs: fromNs + 8 * BIT }, 1, widthNs, prng);
    });
  };
  assert.deepEqual(data(listen(line.strike(wave, glitches(BIT / 17)))), said);
  const wrong = data(listen(line.strike(wave, glitches(BIT / 2)))).filter((x, i) => x !== said[i]);
  assert.ok(wrong.length > 100, `${wrong.length}`);
});

test("a glitch on a line that rests is no start", () => {
  const prng = createPrng(8);
  const pulses = Array.from({ length: 500 }, (_, i) => {
    const fromNs = (i + line.fraction(prng) / 2) * 2e6;
    return { fromNs, toNs: fromNs + BIT / 3 };
  });
  assert.deepEqual(listen(line.strike(line.IDLE, pulses)), []);
});

test("space lengthened by a sixth of a bit, as behind an optical head, still arrives", () => {
  const said = octets(300, 9);
  const wave = line.stretch(sendAll(inARow(said, START)), 0.17 * BIT);
  assert.deepEqual(data(listen(wave)), said);
  assert.deepEqual(data(listen(line.stretch(wave, -0.34 * BIT))), said);
  const [fall, rise] = line.stretch({ initial: 1, edges: [10, 20, 25, 40] }, 7).edges;
  assert.deepEqual([fall, rise], [10, 47], "a pause shorter than the lengthening is gone");
});

test("a break is one character of 0, however long, and the next one is heard", () => {
  const said: Said[] = [
    { startNs: START, data: 0, breakBits: 25 },
    { startNs: START + 30 * BIT, data: 0x5a },
  ];
  const heard = listen(sendAll(said));
  assert.deepEqual(data(heard), [0, 0x5a]);
  assert.deepEqual(flags(heard), [TAP_FLAG_BREAK | TAP_FLAG_FRAMING, 0]);
});

test("a bad stop bit and a bad parity bit are flagged, each alone", () => {
  const format = formatOf(9600, "8E1");
  const said: Said[] = [
    { startNs: START, data: 0x31, badStop: true },
    { startNs: START + 12 * BIT, data: 0x31, badParity: true },
    { startNs: START + 24 * BIT, data: 0x31 },
  ];
  const heard = listen(sendAll(said, { format }), format);
  assert.deepEqual(data(heard), [0x31, 0x31, 0x31]);
  assert.deepEqual(flags(heard), [TAP_FLAG_FRAMING, TAP_FLAG_PARITY, 0]);
});

test("drop-outs read as mark, held lines as space", () => {
  const wave = sendAll([{ startNs: START, data: 0 }]);
  const lost = { fromNs: START + 3 * BIT, toNs: START + 5 * BIT };
  assert.deepEqual(data(listen(line.dropOut(wave, [lost]))), [0b1100]);
  assert.deepEqual(data(listen(line.dropOut(wave, [{ fromNs: 0, toNs: 1e9 }]))), []);
  const full = sendAll([{ startNs: START, data: 0xff }]);
  assert.deepEqual(data(listen(line.holdSpace(full, [lost]))), [0xff & ~0b1100]);
});

test("a receiver of another format or rate makes of it what bits say", () => {
  const even = formatOf(9600, "7E1");
  const seven = sendAll([{ startNs: START, data: 0x03 }], { format: even });
  assert.deepEqual(data(listen(seven)), [0x03]); // even: bit 7 is 0
  const one = sendAll([{ startNs: START, data: 0x01 }], { format: even });
  assert.deepEqual(data(listen(one)), [0x81]); // bit 7 is the parity
  // At twice the rate each bit is two: the upper half of the octet begins a second character.
  const twice = listen(sendAll([{ startNs: START, data: 0x0f }]), formatOf(19_200, "8N1"));
  assert.deepEqual(data(twice), [0xfe, 0x80]);
});

test("a coarse capture of the wave is still read", () => {
  const said = octets(200, 10);
  const wave = line.sampled(sendAll(inARow(said, START)), BIT / 9);
  assert.deepEqual(data(listen(wave)), said);
});

test("the same seed gives the same wave, another one another", () => {
  const sender = { format: FORMAT, jitterBits: 0.2 };
  const said = inARow(octets(50, 11), START);
  assert.deepEqual(sendAll(said, sender, 12), sendAll(said, sender, 12));
  assert.notDeepEqual(sendAll(said, sender, 12), sendAll(said, sender, 13));
});

test("a receiver tells when it will have decided, and does so without another edge", () => {
  const heard: number[] = [];
  const receiver = createReceiver({ format: FORMAT }, (octet) => heard.push(octet));
  assert.equal(receiver.dueNs(), Infinity);
  receiver.level(0, START);
  receiver.level(1, START + BIT);
  const dueNs = receiver.dueNs();
  receiver.runTo(dueNs);
  assert.deepEqual(heard, []);
  receiver.runTo(dueNs + 1);
  assert.deepEqual(heard, [0xff]);
  assert.equal(receiver.dueNs(), Infinity);
});

const recording = "taps/edges/modbus-flowmeter-target-0liter-edges.jsonl";

test("a sender's edges stand where a real device has them", need.shared(recording), () => {
  const { wave, endNs, expected } = readEdges(need.sharedFile(recording))[0]!;
  const format = formatOf(expected.baud, "8N1"); // its second stop bit is a pause: it runs 0.2 % fast
  const heard = hear(wave, { format }, endNs);
  const toStop = 9.6 * format.bitNs; // from its fall to the last vote on the stop bit
  const said = heard.map(({ atNs, data: octet }) => ({ startNs: atNs - toStop, data: octet }));
  const { edges } = transmit(said, { format }, createPrng(1));
  assert.equal(edges.length, wave.edges.length);
  const worst = Math.max(...edges.map((at, i) => Math.abs(at - wave.edges[i]!)));
  assert.ok(worst < 0.25 * format.bitNs, `${worst / format.bitNs} bit`);
});
