// SPDX-License-Identifier: MIT
// Goal: a scale's continuous output is read value for value, nothing malformed.
// Method: the decoder hears the line of our own, the shared capture, both again with damage, and noise; the layout's manual and
// the generator of the lines say what must be told.

import assert from "node:assert/strict";
import test from "node:test";
import { PROTOCOL_TOLEDO_CONTINUOUS } from "../../firmware/wire/tap.ts";
import { detectOctets } from "../../scripts/tap/detect.ts";
import { buildProbe } from "../../scripts/tap/probe.ts";
import { buildDecoder, type DecoderEvent } from "../support/decoder.ts";
import { EVENT_READING, EVENT_TEXT, type Trace } from "../support/meter.ts";
import * as need from "../support/need.ts";
import * as plc from "../support/plc.ts";

const SHARED = "taps/synthetic/toledo-continuous.jsonl";
const KILOGRAM = 20; // IEC 62056-6-2
const OTHER = 254;
const MESSAGE = 18;

const toledo = await buildDecoder(PROTOCOL_TOLEDO_CONTINUOUS);
const own = plc.ownLine("toledo-continuous");

const nameOf = ({ name }: DecoderEvent): string => Buffer.from(name).toString();
const valueOf = ({ digits, decimals }: DecoderEvent): number =>
  Number((Number(digits) / 10 ** decimals).toFixed(6));

function checkLine({ trace, expected }: plc.PlcLine): void {
  const { events, counters } = plc.hear(toledo, trace);
  const told = events.map((event) => {
    assert.equal(event.unitCode, KILOGRAM);
    const isKnown = event.kind === EVENT_READING;
    return [nameOf(event), isKnown ? valueOf(event) : null, event.code & 1, (event.code >> 3) & 1];
  });
  const wanted = expected.flatMap(({ value, tare, net, motion, out_of_range }) => [
    ["weight", out_of_range === true ? null : value, Number(net), Number(motion)],
    ["tare", tare, Number(net), Number(motion)],
  ]);
  assert.deepEqual(told, wanted);
  assert.equal(counters["frames"], expected.length);
  assert.equal(counters["junk_bytes"], 0);
}

test("every weight and tare of our own line is told", () => checkLine(own));

test("every weight and tare of the shared capture is told", need.shared(SHARED), () =>
  checkLine(plc.sharedLine(SHARED, "readings")),
);

function message(swa: number, swb: number, swc: number, fields: string, check = true): number[] {
  const octets = [2, swa, swb, swc, ...Buffer.from(fields), 13];
  const sum = octets.reduce((all, octet) => all + octet, 0);
  return check ? [...octets, -sum & 127] : octets;
}

function hearMessages(messages: number[][], gapUs: number): plc.Heard {
  let us = 1_000_000;
  const timesUs: number[] = [];
  for (const one of messages) {
    for (const _ of one) timesUs.push((us += 1042));
    us += gapUs;
  }
  const octets = Uint8Array.from(messages.flat());
  return plc.hear(toledo, { octets, timesUs, baud: 9600, format: "7E1", expected: {} });
}

test("decimals, sign, unit and range are as the manual says", () => {
  const said = (swa: number, swb: number, swc: number, fields: string): unknown[] => {
    const [weight, tare] = hearMessages([message(swa, swb, swc, fields)], 0).events;
    assert.ok(weight !== undefined && tare !== undefined);
    return [weight.kind, valueOf(weight), weight.unitCode, tare.kind, valueOf(tare)];
  };
  const fields = "  1234000005";
  for (const [swa, scale] of [100, 10, 1, 0.1, 0.01, 0.001, 0.0001, 0.00001].entries()) {
    const [value, tare] = [Number((1234 * scale).toFixed(6)), Number((5 * scale).toFixed(6))];
    const wanted = [EVENT_READING, value, KILOGRAM, EVENT_READING, tare];
    assert.deepEqual(said(0x28 + swa, 0x30, 0x20, fields), wanted);
  }
  const minus = [EVENT_READING, -12.34, OTHER, EVENT_READING, 0.05];
  assert.deepEqual(said(0x2c, 0x22, 0x20, fields), minus);
  const beyond = [EVENT_TEXT, 0, KILOGRAM, EVENT_READING, 5];
  assert.deepEqual(said(0x2a, 0x34, 0x20, fields), beyond);
  const blank = [EVENT_TEXT, 0, KILOGRAM, EVENT_TEXT, 0];
  assert.deepEqual(said(0x2a, 0x30, 0x20, "      1 2   "), blank);
  assert.deepEqual(said(0x2a, 0x30, 0x30, fields)[0], EVENT_TEXT);
});

test("a scale without check is believed from its third message on", () => {
  const fields = ["001000000000", "001001000000", "001002000000", "001003000000"];
  const messages = fields.map((text) => message(0x2a, 0x30, 0x20, text, false));
  for (const gapUs of [0, 120_000]) {
    const { events, counters } = hearMessages(messages, gapUs);
    assert.deepEqual(events.map(valueOf), [1002, 0, 1003, 0]);
    assert.deepEqual([counters["frames"], counters["junk_bytes"]], [4, 0]);
  }
  const checked = message(0x2a, 0x30, 0x20, "000999000000");
  const { events } = hearMessages([checked, ...messages], 120_000);
  assert.deepEqual(events.map(valueOf), [999, 0]);
});

test("a check that looks like a start is a check", () => {
  const odd = Array.from({ length: 2000 }, (_, i) => String(i).padStart(6, "0"))
    .map((text) => message(0x2a, 0x30, 0x20, `${text}999900`))
    .filter((octets) => octets.at(-1) === 2)
    .slice(0, 3);
  const { events, counters } = hearMessages(odd, 0);
  assert.deepEqual([events.length, counters["junk_bytes"]], [6, 0]);
});

test("each octet lost and each bit turned tells nothing untrue", () => {
  const { octets, timesUs, ...rest } = own.trace;
  const size = MESSAGE * 6;
  const trace: Trace = { ...rest, octets: octets.slice(0, size), timesUs: timesUs.slice(0, size) };
  plc.checkDamage(toledo, trace, () => true);
});

test("a mebibyte of noise tells nothing", () => {
  plc.checkNoise(toledo, 1401);
});

test("a tap that finds its line knows it", async () => {
  const { octets, timesUs } = own.trace;
  const characters = Array.from(octets, (octet, i) => ({ octet, flags: 0, atUs: timesUs[i]! }));
  const found = detectOctets(await buildProbe(), characters);
  assert.equal(found.protocol, "toledo-continuous");
});
