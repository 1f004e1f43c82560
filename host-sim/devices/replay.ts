// SPDX-License-Identifier: MIT
// Plays a recorded serial line with its own timing, again and again if wanted.
//
// Captures are JSON lines: a header with "kind":"bytes", then one character a line with the end of it
// in µs, its direction and its octet. Both directions are merged onto the one wire that a tap hears.
// A capture that is not as described is refused with the number of its line.

import { TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import type { TraceByte } from "../plan.ts";
import type { Device } from "./device.ts";

export const REPLAY_PAUSE_US = 1_000_000; // between the last character and the first of the next round

/** A capture cannot be read; the message names the line. */
export class CaptureError extends Error {
  constructor(line: number, reason: string) {
    super(`line ${line} of the capture: ${reason}`);
    this.name = "CaptureError";
  }
}

/** Characters of a capture in order of time; throws CaptureError. */
export function parseTrace(text: string): TraceByte[] {
  const lines = text.split("\n");
  const header = parseLine(lines[0] ?? "", 1);
  if (header["kind"] !== "bytes")
    throw new CaptureError(1, 'a header with "kind":"bytes" is needed');
  const trace: TraceByte[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line.trim() === "") continue;
    const entry = parseCharacter(parseLine(line, i + 1), i + 1);
    if (entry.tUs < (trace.at(-1)?.tUs ?? 0)) throw new CaptureError(i + 1, "time runs backwards");
    trace.push(entry);
  }
  return trace;
}

function parseLine(line: string, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CaptureError(number, "not JSON");
  }
  if (typeof value !== "object" || value === null) throw new CaptureError(number, "not an object");
  return value as Record<string, unknown>;
}

function parseCharacter(value: Record<string, unknown>, number: number): TraceByte {
  const tUs = value["t_us"];
  if (typeof tUs !== "number" || !Number.isSafeInteger(tUs) || tUs < 0) {
    throw new CaptureError(number, "t_us is a whole number of µs");
  }
  const text = value["hex"];
  if (typeof text !== "string" || !/^[0-9a-f]{2}$/i.test(text)) {
    throw new CaptureError(number, "hex is one octet");
  }
  const error = value["err"];
  if (error !== undefined && error !== "framing" && error !== "parity") {
    throw new CaptureError(number, "err is framing or parity");
  }
  const flags = error === "framing" ? TAP_FLAG_FRAMING : error === "parity" ? TAP_FLAG_PARITY : 0;
  return { tUs, byte: parseInt(text, 16), flags };
}

/** Replays a trace on one tap from time 0 of the machine. */
export function createReplay(tap: number, trace: readonly TraceByte[], repeat: boolean): Device {
  const roundUs = (trace.at(-1)?.tUs ?? 0) + REPLAY_PAUSE_US;
  let next = 0;
  let roundStartUs = 0;

  return {
    advance(nowUs, sink) {
      if (trace.length === 0) return;
      for (;;) {
        if (next === trace.length) {
          if (!repeat) return;
          next = 0;
          roundStartUs += roundUs;
        }
        const entry = trace[next]!;
        const endUs = roundStartUs + entry.tUs;
        if (endUs > nowUs) return;
        sink(tap, endUs, entry.byte, entry.flags);
        next++;
      }
    },
    adc: () => -1,
    pwm: () => undefined,
  };
}
