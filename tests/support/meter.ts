// SPDX-License-Identifier: MIT
// Traces of meters for tests, and what their objects must be.
//
// The oracle is the text of each value as the trace has it; nothing here uses code of the firmware.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Decoder, DecoderEvent, WantedObject } from "./decoder.ts";

export const EVENT_READING = 8;
export const EVENT_TEXT = 9;

export interface Trace {
  baud: number;
  format: string;
  expected: Record<string, unknown>;
  octets: Uint8Array;
  timesUs: number[];
}

/** An object as a trace expects it. */
export interface TextObject {
  id: string;
  values: string[];
  number?: number;
  unit?: string;
}

export function readTrace(file: string): Trace {
  const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { baud, format, expected } = JSON.parse(head!) as Trace;
  const entries = lines.map((line) => JSON.parse(line) as { t_us: number; hex: string });
  return {
    baud,
    format,
    expected,
    octets: Uint8Array.from(entries, ({ hex }) => parseInt(hex, 16)),
    timesUs: entries.map(({ t_us }) => t_us),
  };
}

/** All events of a trace, and of the silence behind it. */
export function playBytes(decoder: Decoder, { octets, timesUs }: Trace): DecoderEvent[] {
  const events: DecoderEvent[] = [];
  octets.forEach((octet, i) => events.push(...decoder.put(octet, 0, timesUs[i]!)));
  const endUs = timesUs.at(-1) ?? 0;
  for (let i = 1; i <= 60; i++) events.push(...decoder.idle(endUs + i * 100_000));
  return events;
}

/** Octets that follow each other, as a trace. */
export function traceOf(octets: Uint8Array, characterUs = 1042, startUs = 1_000_000): Trace {
  const timesUs = Array.from(octets, (_, i) => startUs + (i + 1) * characterUs);
  return { baud: 9600, format: "8N1", expected: {}, octets, timesUs };
}

const LETTERS: Record<string, number> = { C: 96, F: 97, L: 98, P: 99 };

/** A to F of an id as it is written; 255 where E or F is missing. */
export function obisOf(id: string): (number | null)[] {
  const found = /^(?:(\w+)-(\w+):)?(\w+)\.(\w+)(?:\.(\w+))?(?:\*(\w+))?$/.exec(id);
  assert.ok(found, id);
  const [a, b, c, d, e, f] = found.slice(1).map((one) => (one === undefined ? null : partOf(one)));
  return [a ?? null, b ?? null, c!, d!, e ?? 255, f ?? 255];
}

function partOf(text: string): number {
  return LETTERS[text] ?? Number(text);
}

/** Each value of each object. */
export function wantAll(objects: TextObject[]): WantedObject[] {
  return objects.flatMap(({ id, values }) =>
    values.map((_, i) => ({ obis: obisOf(id), part: i + 1 })),
  );
}

/** Of each object the one number. */
export function wantBest(objects: TextObject[]): WantedObject[] {
  return objects.map(({ id }) => ({ obis: obisOf(id), part: 0 }));
}

// Numbers of IEC 62056-6-2, and the power of ten that a prefix of the text stands for.
const UNITS: Record<string, [code: number, power: number]> = {
  W: [27, 0],
  kW: [27, 3],
  Wh: [30, 0],
  kWh: [30, 3],
  var: [29, 0],
  kvar: [29, 3],
  varh: [32, 0],
  kvarh: [32, 3],
  V: [35, 0],
  A: [33, 0],
  m3: [13, 0],
  GJ: [25, 9],
};
const OTHER = 254;
const NONE = 255;

/** The events of wantAll() must be the texts of the objects, to the last digit. */
export function checkObjects(objects: TextObject[], events: DecoderEvent[]): void {
  const texts = objects.flatMap(({ id, values }) => values.map((value) => ({ id, value })));
  assert.equal(events.length, texts.length);
  texts.forEach(({ id, value }, i) => checkValue(`${id}(${value})`, value, events[i]!));
}

function checkValue(says: string, value: string, event: DecoderEvent): void {
  const [number, unit] = value.split("*");
  const digits = /^([+-]?\d*)(?:\.(\d*))?$/.exec(number!);
  const isNumber = digits !== null && /\d/.test(number!) && number!.replace(/\D/g, "").length <= 17;
  if (!isNumber) {
    assert.equal(event.kind, EVENT_TEXT, says);
    return;
  }
  const [code, power] = unit === undefined ? [NONE, 0] : (UNITS[unit] ?? [OTHER, 0]);
  assert.equal(event.kind, EVENT_READING, says);
  const decimals = digits[2]?.length ?? 0;
  assert.deepEqual(
    [event.digits, event.decimals, event.unitCode],
    [BigInt(number!.replace(".", "")), decimals - power, code],
    says,
  );
}

/** Of each object with one plain number, that number in its base unit. */
export function checkBest(objects: TextObject[], events: DecoderEvent[]): void {
  for (const [i, { id, number, unit }] of objects.entries()) {
    if (number === undefined) continue;
    const { kind, digits, decimals } = events.find(({ address }) => address === i)!;
    assert.equal(kind, EVENT_READING, id);
    const [, power] = unit === undefined ? [NONE, 0] : (UNITS[unit] ?? [OTHER, 0]);
    const wanted = number * 10 ** power;
    assert.ok(Math.abs(Number(digits) * 10 ** -decimals - wanted) <= 1e-12 * Math.abs(wanted), id);
  }
}
