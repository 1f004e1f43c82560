// SPDX-License-Identifier: MIT
// Goal: every exchange of a recorded line is told as what it was, value for value.
//
// Nothing else is told. Method: the firmware's decoders hear each capture, RTU and ASCII, on one wire and on two; their events are
// compared with the transactions that the captures list.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_QUERY,
  TAP_EVENT_READ,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
} from "../../firmware/wire/tap.ts";
import { COUNTER_KEYS } from "../support/capture.ts";
import {
  buildDecoder,
  createDecoder,
  WIRE_ASCII,
  WIRE_ONE,
  WIRE_OTHER,
  type HeardEvent,
  type ModbusDecoder,
} from "../support/modbus-decoder.ts";
import * as need from "../support/need.ts";

interface Exchange {
  unit: number;
  fc: number;
  addr?: number;
  qty?: number;
  values?: number[];
  write_addr?: number;
  write_values?: number[];
  and_mask?: number;
  or_mask?: number;
  exception?: number;
  unanswered?: boolean;
  orphan?: boolean;
  broadcast?: boolean;
  t_request_us?: number;
  t_answer_us?: number;
}

interface Line {
  protocol: string;
  char_us: number;
  wires: Record<string, string>;
  expected: Record<string, number> & { transactions: Exchange[] };
  octets: { t_us: number; dir: string; hex: string; err?: string }[];
}

const OWN = join(import.meta.dirname, "../vectors/modbus-libmodbus-mbpoll.jsonl");
const OWN_ASCII = join(import.meta.dirname, "../vectors/modbus-ascii-two-units.jsonl");
const OWN_RARE = join(import.meta.dirname, "../vectors/modbus-pymodbus-rare-functions.jsonl");
const SHARED = "taps/modbus";
const FLAGS: Record<string, number> = { framing: 1, parity: 2 };
const module = await buildDecoder();

function read(file: string): Line {
  const [head, ...octets] = readFileSync(file, "utf8").trimEnd().split("\n");
  return { ...(JSON.parse(head!) as Line), octets: octets.map((one) => JSON.parse(one)) };
}

function play(line: Line, wireOf: (dir: string) => number, twoWires = false): ModbusDecoder {
  const decoder = createDecoder(module, line.char_us);
  if (twoWires) decoder.join();
  for (const { t_us, dir, hex, err } of line.octets)
    decoder.put(wireOf(dir), parseInt(hex, 16), t_us, err === undefined ? 0 : FLAGS[err]);
  const endUs = line.octets.at(-1)!.t_us;
  for (const wire of new Set(line.octets.map(({ dir }) => wireOf(dir))))
    for (let ms = 10; ms < 3000; ms += 10) decoder.idle(wire, endUs + ms * 1000);
  return decoder;
}

const words = (values: Uint8Array): number[] =>
  Array.from({ length: values.length / 2 }, (_, i) => (values[2 * i]! << 8) | values[2 * i + 1]!);

const bits = (values: Uint8Array, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (values[i >> 3]! >> (i & 7)) & 1);

// An event in the words of the captures; only what they list of its kind.
function told(event: HeardEvent): object {
  const { kind, unit, code, address, quantity, values } = event;
  const asked = { unit, fc: code, addr: address, qty: quantity };
  const coils = code === 1 || code === 2 || code === 5 || code === 15;
  const list =
    code === 5 ? [values[0] === 0xff ? 1 : 0] : coils ? bits(values, quantity) : words(values);
  if (kind === TAP_EVENT_READ) return { ...asked, values: list };
  if (kind === TAP_EVENT_QUERY) return { unit, fc: code };
  if (kind === TAP_EVENT_EXCEPTION) return { ...asked, exception: event.reason };
  if (kind === TAP_EVENT_UNANSWERED) return { ...asked, unanswered: true };
  if (kind === TAP_EVENT_ORPHAN) return { unit, fc: code, orphan: true };
  if (kind === TAP_EVENT_BROADCAST) return { ...asked, values: list, broadcast: true };
  assert.equal(kind, TAP_EVENT_WRITE);
  if (code === 22) return { unit, fc: 22, addr: address, and_mask: list[0], or_mask: list[1] };
  if (code === 23) return { unit, fc: 23, write_addr: address, write_values: list };
  return { ...asked, values: list };
}

// What the events of an exchange must be, in their order.
function wanted(exchange: Exchange): object[] {
  const { unit, fc, addr, qty, values } = exchange;
  if (exchange.orphan) return [{ unit, fc, orphan: true }];
  const asked = { unit, fc, addr, qty };
  if (exchange.exception !== undefined) return [{ ...asked, exception: exchange.exception }];
  if (exchange.unanswered) return [{ ...asked, unanswered: true }];
  if (exchange.broadcast) return [{ ...asked, values, broadcast: true }];
  if (fc === 22)
    return [{ unit, fc, addr, and_mask: exchange.and_mask, or_mask: exchange.or_mask }];
  if (fc === 23) {
    const { write_addr, write_values } = exchange;
    return [
      { unit, fc, write_addr, write_values },
      { ...asked, values },
    ];
  }
  return values === undefined ? [{ unit, fc }] : [{ ...asked, values }];
}

// Requests are given up when the next one comes, so an exchange that nobody answered may be told late.
function compare(line: Line, decoder: ModbusDecoder): void {
  assert.deepEqual(decoder.events.map(told), line.expected.transactions.flatMap(wanted));
  const answers = line.expected.transactions.filter(
    (one) => one.t_answer_us !== undefined && one.t_request_us !== undefined,
  );
  const times = decoder.events.filter(({ kind, code }) => {
    const isHalf = kind === TAP_EVENT_WRITE && code === 23;
    return !isHalf && ![TAP_EVENT_UNANSWERED, TAP_EVENT_ORPHAN, TAP_EVENT_BROADCAST].includes(kind);
  });
  // Behind damage a frame may be found later than it ended: then no time is told.
  const measured = answers.map((one, i) =>
    line.expected["damaged_frames"] !== 0 && times[i]!.answerUs === 0
      ? 0
      : one.t_answer_us! - one.t_request_us!,
  );
  assert.deepEqual(
    times.map(({ answerUs }) => answerUs),
    measured,
  );
  assert.ok(measured.filter((us) => us > 0).length > measured.length / 2);
}

function compareCounters(line: Line, counters: number[]): void {
  COUNTER_KEYS.forEach((key, i) => {
    if (key in line.expected) assert.equal(counters[i], line.expected[key], key);
  });
  assert.equal(counters[0], line.octets.length);
}

function check(file: string): void {
  const line = read(file);
  const wire = line.protocol === "modbus-ascii" ? WIRE_ASCII : WIRE_ONE;
  const decoder = play(line, () => wire);
  compare(line, decoder);
  compareCounters(line, decoder.counters(wire));
  if (wire === WIRE_ASCII || !("b" in line.wires)) return;
  const two = play(line, (dir) => (dir === "a" ? WIRE_ONE : WIRE_OTHER), true);
  compare(line, two);
  const [asked, answered] = [two.counters(WIRE_ONE), two.counters(WIRE_OTHER)];
  compareCounters(
    line,
    asked.map((count, i) => count + answered[i]!),
  );
  // Of what the other wire carries each counts nothing.
  assert.deepEqual([asked[3], asked[4], asked[5], asked[6]], [0, 0, 0, 0]);
  assert.deepEqual([answered[2], answered[7], answered[8]], [0, 0, 0]);
}

test("our own recordings are told exchange by exchange, RTU and ASCII", () => {
  check(OWN);
  check(OWN_ASCII);
  check(OWN_RARE);
});

const captures = need.shared(SHARED).skip
  ? []
  : readdirSync(need.sharedFile(SHARED)).map((name) => `${SHARED}/${name}`);

test("the captures of Modbus are there", need.shared(SHARED), () =>
  assert.equal(captures.length, 12),
);

for (const file of captures)
  test(`${file} is told exchange by exchange`, () => check(need.sharedFile(file)));
