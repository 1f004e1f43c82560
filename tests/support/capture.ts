// SPDX-License-Identifier: MIT
// Recorded Modbus lines for tests, and a node that maps all their registers.
//
// A capture is JSON lines: a header with `expected`, then one octet a line. Wires are merged by time.

import { readFileSync } from "node:fs";
import { createLoopHost, parseNode, type LoopHost, type LoopRecord } from "./loop-host.ts";
import type { NodeType } from "../../scripts/build/schema.ts";
import { KIND_READING, KIND_STATE } from "../../firmware/wire/record.ts";
import { TAP_ENTRIES_PER_TICK } from "../../firmware/limits.ts";

export interface Transaction {
  unit: number;
  fc: number;
  addr?: number;
  values?: number[];
  t_request_us?: number;
  t_answer_us?: number;
  orphan?: boolean;
}

export interface Capture {
  baud: number;
  format: string;
  expected: Record<string, number> & { transactions: Transaction[] };
  octets: Uint8Array;
  timesUs: number[];
}

/** A register that was read, in order of the wire. */
export interface HeardRegister {
  unit: number;
  code: number;
  address: number;
  value: number;
}

export const COUNTER_KEYS = [
  "bytes",
  "frames",
  "requests",
  "responses",
  "exceptions",
  "pairs",
  "orphans",
  "unanswered",
  "broadcasts",
  "junk_bytes",
];

export function readCapture(file: string): Capture {
  const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { baud, format, expected } = JSON.parse(head!) as Capture;
  const entries = lines.map((line) => JSON.parse(line) as { t_us: number; hex: string });
  return {
    baud,
    format,
    expected,
    octets: Uint8Array.from(entries, ({ hex }) => parseInt(hex, 16)),
    timesUs: entries.map(({ t_us }) => t_us),
  };
}

/** Every register of the paired FC 3 and FC 4 answers, repeats included. */
export function expectedRegisters(capture: Capture): HeardRegister[] {
  return capture.expected.transactions
    .filter((t) => (t.fc === 3 || t.fc === 4) && t.values !== undefined && !t.orphan)
    .flatMap(({ unit, fc, addr, values }) =>
      values!.map((value, i) => ({ unit, code: fc, address: addr! + i, value })),
    );
}

/** A node with one channel for each of these registers, no dead band; its key names the register. */
export function mapRegisters(
  registers: Iterable<HeardRegister>,
  line: { baud: number; format: string },
): NodeType {
  const channels: Record<string, unknown> = {};
  const wanted = [...registers];
  if (wanted.length === 0) wanted.push({ unit: 1, code: 3, address: 0, value: 0 });
  for (const { unit, code, address } of wanted)
    channels[`r-${unit}-${code}-${address}`] = {
      kind: "register",
      tap: "bus",
      unitId: unit,
      table: code === 3 ? "holding" : "input",
      address,
    };
  return parseNode({
    type: "all",
    taps: { bus: { uart: 0, protocol: "modbus-rtu", baud: line.baud, format: line.format } },
    channels,
  });
}

/** What the records say was heard, by the keys of mapRegisters. */
export function heardRegisters(node: NodeType, records: LoopRecord[]): HeardRegister[] {
  const keys = Object.keys(node.channels).map((key) => key.split("-").slice(1).map(Number));
  return records
    .filter(({ kind }) => kind === KIND_READING)
    .map(({ channel, value }) => {
      const [unit, code, address] = keys[channel]!;
      return { unit: unit!, code: code!, address: address!, value: value! };
    });
}

/** Feeds a line and then silence, so that every wait ends and the last counters are told. */
export function playLine(
  wasm: Uint8Array | WebAssembly.Module,
  octets: Uint8Array,
  timesUs: ArrayLike<number>,
  before: (host: LoopHost) => number = () => 10_000, // each tick; gives its length
): LoopHost {
  const host = createLoopHost(wasm);
  host.init();
  host.put(0, octets, timesUs);
  const endUs = (timesUs[timesUs.length - 1] ?? 0) + 12_000_000;
  let nowUs = 0;
  while (nowUs < endUs || host.waiting(0) > 0) host.tick((nowUs += before(host)));
  return host;
}

/** As playLine, for lines too long to keep their times: characters without any pause. */
export function playSolid(host: LoopHost, octets: Uint8Array, characterUs: number): void {
  const perTick = TAP_ENTRIES_PER_TICK;
  const times = new Float64Array(perTick);
  let nowUs = host.nowUs;
  for (let at = 0; at < octets.length; at += perTick) {
    const part = octets.subarray(at, at + perTick);
    for (let i = 0; i < part.length; i++) times[i] = nowUs += characterUs;
    host.put(0, part, times.subarray(0, part.length));
    host.tick(nowUs);
  }
}

/** The counters of the last state record, by the names that captures use. */
export function lastCounters(host: LoopHost): Record<string, number> {
  const state = host.records.filter(({ kind }) => kind === KIND_STATE).at(-1);
  return Object.fromEntries(COUNTER_KEYS.map((key, i) => [key, state!.counters[i]!]));
}
