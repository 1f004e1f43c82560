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
  write_addr?: number;
  write_values?: number[];
  t_answer_us?: number;
  exception?: number;
  orphan?: boolean;
}

export interface Capture {
  protocol: string;
  baud: number;
  format: string;
  expected: Record<string, number> & {
    transactions: Transaction[];
    last_values?: Record<string, Record<string, number>>; // "unit/table", address
  };
  octets: Uint8Array;
  flagged: Uint16Array; // the same with the flags of the receiver in the upper octet
  timesUs: number[];
  directions: string[]; // of each octet
}

/** A register or a bit that was read or written, in order of the wire. */
export interface HeardRegister {
  unit: number;
  code: number; // function code that reads it
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

const FLAGS: Record<string, number> = { framing: 1, parity: 2 };
const TABLES = ["", "coil", "discrete", "holding", "input"];

export function readCapture(file: string): Capture {
  const [head, ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  const { protocol, baud, format, expected } = JSON.parse(head!) as Capture;
  const entries = lines.map(
    (line) => JSON.parse(line) as { t_us: number; dir: string; hex: string; err?: string },
  );
  return {
    protocol,
    baud,
    format,
    expected,
    octets: Uint8Array.from(entries, ({ hex }) => parseInt(hex, 16)),
    flagged: Uint16Array.from(
      entries,
      ({ hex, err }) => parseInt(hex, 16) | ((FLAGS[err ?? ""] ?? 0) << 8),
    ),
    timesUs: entries.map(({ t_us }) => t_us),
    directions: entries.map(({ dir }) => dir),
  };
}

/** Every value of the answered reads, and where asked for of the answered writes, repeats included. */
export function expectedRegisters(capture: Capture, writes = false): HeardRegister[] {
  return capture.expected.transactions.filter(isAnswered).flatMap((one) => {
    const { unit, fc, addr, values } = one;
    const list = (code: number, at: number | undefined, all: number[] = []): HeardRegister[] =>
      all.map((value, i) => ({ unit, code, address: at! + i, value }));
    const written = writes ? list(3, one.write_addr, one.write_values) : [];
    if (fc === 23) return [...written, ...list(3, addr, values)];
    if (fc <= 4) return list(fc, addr, values);
    return writes ? list(fc === 5 || fc === 15 ? 1 : 3, addr, values) : [];
  });
}

function isAnswered(one: Transaction): boolean {
  return one.t_answer_us !== undefined && one.orphan !== true && one.exception === undefined;
}

/** A node with one channel for each of these registers, no dead band; its key names the register. */
export function mapRegisters(
  registers: Iterable<HeardRegister>,
  line: { baud: number; format: string; protocol?: string },
  more: { writes?: boolean; twoWires?: boolean } = {},
): NodeType {
  const channels: Record<string, unknown> = {};
  const wanted = [...registers];
  if (wanted.length === 0) wanted.push({ unit: 1, code: 3, address: 0, value: 0 });
  for (const { unit, code, address } of wanted)
    channels[`r-${unit}-${code}-${address}`] = {
      kind: "register",
      tap: more.twoWires ? "replies" : "bus",
      unitId: unit,
      table: TABLES[code],
      address,
      fromWrites: more.writes === true && (code === 1 || code === 3),
    };
  const { baud, format, protocol = "modbus-rtu" } = line;
  const bus = { uart: 0, protocol, baud, format };
  const replies = { ...bus, uart: 1, requestsOn: "bus" };
  return parseNode({
    type: "all",
    taps: more.twoWires ? { bus, replies } : { bus },
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
  octets: Uint8Array | Uint16Array,
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

/** The counters of the last state record of a tap, by the names that captures use. */
export function lastCounters(host: LoopHost, tap = 0): Record<string, number> {
  const state = host.records
    .filter(({ kind, channel }) => kind === KIND_STATE && channel === tap)
    .at(-1);
  return Object.fromEntries(COUNTER_KEYS.map((key, i) => [key, state!.counters[i]!]));
}
