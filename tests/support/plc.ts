// SPDX-License-Identifier: MIT
// Lines of controllers, drives and scales for tests, and damage to them.
//
// The oracle is what a line's generator wrote beside it; nothing here uses code of the firmware.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as decoders from "./decoder.ts";
import { playBytes, readTrace, traceOf, type Trace } from "./meter.ts";
import * as need from "./need.ts";
import { createPrng } from "../../host-sim/prng.ts";

const VECTORS = new URL("../vectors/plc.json", import.meta.url);
const BEFORE_US = 1_000_000; // the decoder listens so long before a line begins
const SILENCE_US = 3_000_000; // ends every wait
const NOISE_OCTETS = 1 << 20;

interface Line {
  baud: number;
  format: string;
  char_us: number;
  bursts: [number, string][];
  expected: Record<string, unknown>[];
}

/** A line with what it says, in the order of the wire. */
export interface PlcLine {
  trace: Trace;
  expected: Record<string, unknown>[];
}

export interface Heard {
  events: decoders.DecoderEvent[];
  counters: Record<string, number>;
}

/** The line of this protocol (word of node.json) that is part of this repository. */
export function ownLine(protocol: string): PlcLine {
  const { lines } = JSON.parse(readFileSync(VECTORS, "utf8")) as { lines: Record<string, Line> };
  const { baud, format, char_us, bursts, expected } = lines[protocol]!;
  const octets = Buffer.from(bursts.map(([, hex]) => hex).join(""), "hex");
  const timesUs = bursts.flatMap(([atUs, hex]) =>
    Array.from({ length: hex.length / 2 }, (_, i) => Math.round(BEFORE_US + atUs + i * char_us)),
  );
  return { trace: { baud, format, expected: {}, octets, timesUs }, expected };
}

/** A shared capture; `list` is what its `expected` calls what it says. */
export function sharedLine(file: string, list: string): PlcLine {
  const trace = readTrace(need.sharedFile(file));
  trace.timesUs = trace.timesUs.map((us) => us + BEFORE_US);
  return { trace, expected: trace.expected[list] as Record<string, unknown>[] };
}

export function hear(module: WebAssembly.Module, trace: Trace, characterUs = 1146): Heard {
  const decoder = decoders.createDecoder(module, [], characterUs);
  const events = playBytes(decoder, trace);
  const counters = decoder.counters();
  assert.equal(counters["bytes"], trace.octets.length);
  assert.ok(counters["junk_bytes"]! <= counters["bytes"]!);
  return { events, counters };
}

/** Octets in one row, a hex text, at 9600 baud. */
export function hearHex(module: WebAssembly.Module, hex: string): Heard {
  return hear(module, traceOf(Buffer.from(hex.replaceAll(/[\s|]/g, ""), "hex")));
}

/** What an event says, without its times. */
export function sayEvent(event: decoders.DecoderEvent): string {
  const { kind, unit, code, address, quantity, reason, digits, decimals, values, name } = event;
  const numbers = [kind, unit, code, address, quantity, reason, digits, decimals].join(" ");
  return `${numbers} ${Buffer.from(values).toString("hex")} ${Buffer.from(name).toString("hex")}`;
}

/** Random octets say nothing. */
export function checkNoise(module: WebAssembly.Module, seed: number): Heard {
  const prng = createPrng(seed);
  const octets = Uint8Array.from({ length: NOISE_OCTETS }, () => prng.below(256));
  const heard = hear(module, traceOf(octets));
  assert.deepEqual(heard.events.map(sayEvent), [], `seed ${seed}`);
  return heard;
}

/**
 * Each octet lost, and each of its bits turned: what is told is true, and the undamaged line that follows after a
 * silence is told whole. `isClaim` leaves out what says nothing of values (a question without an answer).
 */
export function checkDamage(
  module: WebAssembly.Module,
  { octets, timesUs }: Trace,
  isClaim: (event: decoders.DecoderEvent) => boolean,
): void {
  const say = (heard: decoders.DecoderEvent[]): string[] => heard.filter(isClaim).map(sayEvent);
  const clean = say(hear(module, { octets, timesUs, baud: 0, format: "", expected: {} }).events);
  const lastUs = timesUs.at(-1)!;
  const again = timesUs.map((us) => us + lastUs + SILENCE_US);
  for (let at = 0; at < octets.length; at++)
    for (let bit = -1; bit < 8; bit++) {
      const decoder = decoders.createDecoder(module, [], 1146);
      const told: decoders.DecoderEvent[] = [];
      octets.forEach((octet, i) => {
        if (i === at && bit < 0) return;
        const turned = i === at ? octet ^ (1 << bit) : octet;
        told.push(...decoder.put(turned, 0, timesUs[i]!));
      });
      for (let us = lastUs; us < lastUs + SILENCE_US; us += 500_000) told.push(...decoder.idle(us));
      const damage = `octet ${at}, ${bit < 0 ? "lost" : `bit ${bit}`}`;
      checkTrue(say(told), clean, damage);
      const later: decoders.DecoderEvent[] = [];
      octets.forEach((octet, i) => later.push(...decoder.put(octet, 0, again[i]!)));
      later.push(...decoder.idle(again.at(-1)! + SILENCE_US));
      assert.deepEqual(say(later), clean, `after ${damage}`);
    }
}

// In the order of the wire, nothing that was not said.
function checkTrue(told: string[], clean: string[], damage: string): void {
  let from = 0;
  for (const one of told) {
    const found = clean.indexOf(one, from);
    assert.ok(found >= 0, `${damage}: told ${one}`);
    from = found + 1;
  }
}
