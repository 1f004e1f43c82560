// SPDX-License-Identifier: MIT
// Goal: behind an adapter that hears what it sends, pairs and values stay right.
//
// Spec: SPEC.md §19: a request heard twice is unanswered once, and the latest pairs; where the answer repeats the request,
// frames alternate, and a third one is a request again. Method: each request of our recordings twice, at once or after a
// pause, through the firmware's decoder; and a node's channels.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import {
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_ORPHANS,
  TAP_COUNTER_PAIRS,
  TAP_COUNTER_REQUESTS,
  TAP_COUNTER_UNANSWERED,
  TAP_EVENT_BROADCAST,
  TAP_EVENT_UNANSWERED,
} from "../../firmware/wire/tap.ts";
import {
  expectedRegisters,
  heardRegisters,
  lastCounters,
  mapRegisters,
  playLine,
  readCapture,
  type Capture,
} from "../support/capture.ts";
import { buildLoop } from "../support/loop-host.ts";
import { buildDecoder, createDecoder, WIRE_ASCII, WIRE_ONE } from "../support/modbus-decoder.ts";
import { framesOf } from "./octets.ts";

const REPEATING = [5, 6, 8, 21, 22]; // the answer is the request again
const SHORT = [7, 11, 12, 17, 24]; // not counted until one was seen with its answer
const CHARACTER_US = 573;
const PAUSES_US = [0, 3 * CHARACTER_US, 100_000]; // before the repetition

const module = await buildDecoder();
const vector = (name: string): Capture =>
  readCapture(join(import.meta.dirname, `../vectors/modbus-${name}.jsonl`));

interface Echoed {
  octets: number[];
  timesUs: number[];
}

// Later octets move back, so that nothing overlaps.
function echo(capture: Capture, pauseUs: number): Echoed {
  const requests = new Set(capture.expected.transactions.map((one) => one.t_request_us));
  const echoed: Echoed = { octets: [], timesUs: [] };
  let laterUs = 0;
  const put = (octet: number, atUs: number): void => {
    echoed.octets.push(octet);
    echoed.timesUs.push(atUs);
  };
  for (const [from, to] of framesOf(capture)) {
    for (let at = from; at < to; at++) put(capture.octets[at]!, capture.timesUs[at]! + laterUs);
    const lastUs = capture.timesUs[to - 1]!;
    if (!requests.has(lastUs)) continue;
    const shiftUs = pauseUs + (to - from) * CHARACTER_US;
    for (let at = from; at < to; at++)
      put(capture.octets[at]!, lastUs + laterUs + pauseUs + (at - from + 1) * CHARACTER_US);
    laterUs += shiftUs;
  }
  return echoed;
}

// The function codes of what is told, "?" behind one that is told as unanswered.
function wanted(capture: Capture): string[] {
  const proven = new Set<number>();
  return capture.expected.transactions.flatMap((one) => {
    const { unit, fc, t_answer_us: answered } = one;
    if (unit === 0) return [`${fc}*`, `${fc}*`];
    if (answered === undefined) return [`${fc}?`, `${fc}?`];
    if (REPEATING.includes(fc)) return [`${fc}`, `${fc}?`];
    const heard = fc === 23 ? [`${fc}`, `${fc}`] : [`${fc}`]; // what it wrote, what it read
    if (SHORT.includes(fc) && !proven.has(fc)) return (proven.add(fc), heard);
    return [`${fc}?`, ...heard];
  });
}

for (const name of ["libmodbus-mbpoll", "pymodbus-rare-functions", "ascii-two-units"])
  for (const pauseUs of PAUSES_US)
    test(`${name}: each request twice, ${pauseUs} us apart, pairs once`, () => {
      const capture = vector(name);
      const wire = capture.protocol === "modbus-ascii" ? WIRE_ASCII : WIRE_ONE;
      const { octets, timesUs } = echo(capture, pauseUs);
      const decoder = createDecoder(module, CHARACTER_US);
      octets.forEach((octet, i) => decoder.put(wire, octet, timesUs[i]!));
      for (let ms = 10; ms < 3000; ms += 10) decoder.idle(wire, timesUs.at(-1)! + ms * 1000);
      const marks: Record<number, string> = {
        [TAP_EVENT_UNANSWERED]: "?",
        [TAP_EVENT_BROADCAST]: "*",
      };
      const told = decoder.events.map(({ kind, code }) => `${code & 0x7f}${marks[kind] ?? ""}`);
      assert.deepEqual(told, wanted(capture));
      const counters = decoder.counters(wire);
      const { pairs } = capture.expected;
      assert.deepEqual([counters[TAP_COUNTER_PAIRS], counters[TAP_COUNTER_ORPHANS]], [pairs, 0]);
      const open = counters[TAP_COUNTER_REQUESTS]! - counters[TAP_COUNTER_UNANSWERED]!;
      assert.equal(open, pairs! + told.filter((one) => one.endsWith("*")).length);
      if (!told.includes("17")) assert.equal(counters[TAP_COUNTER_JUNK_BYTES], 0);
    });

for (const name of ["libmodbus-mbpoll", "ascii-two-units"])
  test(`${name}: channels have the values of the line without repetitions`, async () => {
    const capture = vector(name);
    const expected = expectedRegisters(capture);
    const node = mapRegisters(expected, capture);
    const { octets, timesUs } = echo(capture, 0);
    const host = playLine(await buildLoop(node), Uint8Array.from(octets), timesUs);
    assert.deepEqual(heardRegisters(node, host.records), expected);
    assert.equal(lastCounters(host)["pairs"], capture.expected.pairs);
  });
