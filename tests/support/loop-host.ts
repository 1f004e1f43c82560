// SPDX-License-Identifier: MIT
// A tiny host for loop.wasm in tests: builds the release module and ticks it.
//
// Everything a tick does is kept: records, duties, counts. Time is set by the test. No timers, no queues
// beyond the entries that a test put on a tap.

import assert from "node:assert/strict";
import { generateLoop } from "../../scripts/build/generate-loop.ts";
import type { BoardNode } from "../../scripts/build/board-values.ts";
import { doublesOf } from "../../scripts/build/doubles.ts";
import { generateUses } from "../../scripts/build/generate-uses.ts";
import { nodeSchema, type NodeType } from "../../scripts/build/schema.ts";
import { LOOP_ENTRY } from "../../scripts/build/sources.ts";
import {
  KIND_LINE,
  KIND_READING,
  KIND_SETPOINT,
  KIND_STATE,
  RECORD_ACTIVE,
  RECORD_ALARM,
  RECORD_CAUSE,
  RECORD_CHANNEL,
  RECORD_KIND,
  RECORD_QUALITY,
  RECORD_TIME_US,
  RECORD_TYPE,
  RECORD_VALUE,
  RECORD_VALUE_BYTES,
  TYPE_BYTES,
  TYPE_F32,
  TYPE_I32,
  TYPE_U32,
} from "../../firmware/wire/record.ts";
import {
  MAILBOX_BYTES,
  MAILBOX_LIFETIME_MS,
  MAILBOX_MANTISSA,
  MAILBOX_REQUEST,
  MAILBOX_SETPOINT,
  OUTCOME_BYTES,
  OUTCOME_CODE,
  OUTCOME_EFFECTIVE,
  OUTCOME_REQUEST,
  OUTCOME_REQUESTED,
} from "../../firmware/wire/setpoint.ts";
import { TAP_COUNTER_COUNT, TAP_ENTRY_BYTES } from "../../firmware/wire/tap.ts";
import { buildRelease } from "./release.ts";

export const NO_CODE = "export function decide(): void {}\n";

/** A ring record as loop wrote it. */
export interface LoopRecord {
  kind: number;
  channel: number;
  quality: number;
  cause: number;
  timeUs: number;
  type: number;
  alarm: number;
  active: number;
  value: number | null; // null: type 0, or a state
  counters: number[]; // of a state
  outcome: Outcome | null; // of a command
  octets?: DataView; // value of a record of kinds 5 to 7, or a text
}

export interface Outcome {
  request: number;
  requested: number;
  effective: number;
  code: number;
}

export interface Command {
  setpoint: number;
  request: number;
  mantissa: number;
  lifetimeMs?: number;
}

export interface LoopHost {
  nowUs: number; // any size; the module sees it modulo 2^32
  adc: number[];
  adcReads: number; // calls so far
  duties: Map<number, number>;
  digital: number[]; // levels of the input pins; absent: no such pin
  levels: Map<number, number>; // of the output pins
  pulses: number[]; // counts of the pulse inputs
  mailbox: Uint8Array[];
  bursts: Map<number, (capacity: number) => Int16Array | null>; // by device; null: samples were lost
  records: LoopRecord[];
  ringFull: boolean;
  tapLimit: number; // most entries that a tap_take gives
  send: (tap: number, octets: Uint8Array) => number; // tap_put; the octets are a copy
  opened: number[][]; // tap, baud, format of each tap_open
  memory: WebAssembly.Memory;
  init(): void;
  tick(nowUs: number): void;
  /** A command for the next tick that takes one. */
  command(command: Command): void;
  /** Octets for a tap (flags in the upper octet of 16 bits), with the ends of their characters; taken by the following ticks. */
  put(tap: number, octets: Uint8Array | Uint16Array, timesUs: ArrayLike<number>): void;
  /** Entries not yet taken. */
  waiting(tap: number): number;
}

/** A node.json text or object, checked. */
export function parseNode(node: unknown): NodeType {
  return nodeSchema.parse(node);
}

/** The release module of a node type with the given loop.ts. */
export async function buildLoop(node: BoardNode, code = NO_CODE): Promise<Uint8Array> {
  const { constants, names, entry } = generateLoop(node);
  return buildRelease({
    "firmware/generated/loop.ts": constants,
    "firmware/generated/uses.ts": generateUses(node),
    ...doublesOf(node),
    "node_modules/ferrule/node.ts": names,
    "node/loop.ts": code,
    [LOOP_ENTRY]: entry,
  });
}

interface TapSource {
  octets: Uint8Array | Uint16Array; // flags in the upper octet of 16 bits
  timesUs: ArrayLike<number>;
  next: number;
}

function compiled(wasm: Uint8Array | WebAssembly.Module): WebAssembly.Module {
  return wasm instanceof WebAssembly.Module ? wasm : new WebAssembly.Module(wasm as BufferSource);
}

/** Instantiates a module; the test calls init(). */
export function createLoopHost(wasm: Uint8Array | WebAssembly.Module): LoopHost {
  const sources = new Map<number, TapSource>();
  const taken = (at: number, length: number) => new DataView(host.memory.buffer, at, length);

  const host = blankHost();
  const imports = {
    ...pinFunctions(host),
    burst_take(device: number, address: number, capacity: number) {
      const samples = host.bursts.get(device)?.(capacity);
      if (samples === undefined) return 0;
      if (samples === null) return -1;
      const target = taken(address, capacity * 2);
      samples.forEach((sample, i) => target.setInt16(2 * i, sample, true));
      return samples.length;
    },
    mailbox_take(address: number, capacity: number) {
      const record = host.mailbox[0];
      if (record === undefined || record.length > capacity) return 0;
      host.mailbox.shift();
      new Uint8Array(host.memory.buffer, address, capacity).set(record);
      return record.length;
    },
    tap_take: (tap: number, address: number, capacity: number) => {
      const source = sources.get(tap);
      if (source === undefined) return 0;
      const most = Math.min(capacity, host.tapLimit);
      return takeEntries(source, taken(address, capacity * TAP_ENTRY_BYTES), most, host.nowUs);
    },
    tap_put: (tap: number, at: number, length: number) =>
      host.send(tap, new Uint8Array(host.memory.buffer.slice(at, at + length))),
    ring_put: (address: number, length: number) => {
      if (host.ringFull) return 0;
      host.records.push(readRecord(taken(address, length), length));
      return 1;
    },
  };
  const { exports } = new WebAssembly.Instance(compiled(wasm), { host: imports });
  const call = (name: string) => exports[name] as () => void;

  return Object.assign(host, {
    memory: exports["memory"] as WebAssembly.Memory,
    init: () => call("init")(),
    tick(nowUs: number) {
      host.nowUs = nowUs;
      call("tick")();
    },
    command(command: Command) {
      host.mailbox.push(encodeCommand(command));
    },
    put(tap: number, octets: Uint8Array | Uint16Array, timesUs: ArrayLike<number>) {
      assert.equal(octets.length, timesUs.length);
      assert.equal(host.waiting(tap), 0);
      sources.set(tap, { octets, timesUs, next: 0 });
    },
    waiting(tap: number) {
      const { octets, next } = sources.get(tap) ?? { octets: [], next: 0 };
      return octets.length - next;
    },
  });
}

// What the test may set; the rest needs the instance.
function blankHost(): LoopHost {
  const settings: Partial<LoopHost> = {
    nowUs: 0,
    adc: [],
    adcReads: 0,
    duties: new Map(),
    digital: [],
    levels: new Map(),
    pulses: [],
    mailbox: [],
    bursts: new Map(),
    records: [],
    ringFull: false,
    tapLimit: Infinity,
    send: () => -1,
    opened: [],
  };
  return settings as LoopHost;
}

// What needs no memory: the clock, pins and counters.
function pinFunctions(host: LoopHost) {
  return {
    now_us: () => host.nowUs | 0,
    adc_read(input: number) {
      host.adcReads++;
      return host.adc[input] ?? -1;
    },
    pwm_write: (output: number, duty: number) => {
      host.duties.set(output, duty);
      return 0;
    },
    digital_read: (pin: number) => host.digital[pin] ?? -1,
    digital_write: (pin: number, level: number) => {
      host.levels.set(pin, level);
      return 0;
    },
    pulse_count: (input: number) => (host.pulses[input] ?? 0) | 0,
    edge_take: () => -1,
    edge_unit_ps: () => 0,
    tap_open: (tap: number, baud: number, format: number) => {
      host.opened.push([tap, baud, format]);
      return 0;
    },
  };
}

function encodeCommand({ setpoint, request, mantissa, lifetimeMs = 0 }: Command): Uint8Array {
  const record = new DataView(new ArrayBuffer(MAILBOX_BYTES));
  record.setUint8(MAILBOX_SETPOINT, setpoint);
  record.setUint32(MAILBOX_REQUEST, request, true);
  record.setInt32(MAILBOX_MANTISSA, mantissa, true);
  record.setUint32(MAILBOX_LIFETIME_MS, lifetimeMs, true);
  return new Uint8Array(record.buffer);
}

// What ended by now, in order.
function takeEntries(source: TapSource, target: DataView, most: number, nowUs: number): number {
  let count = 0;
  while (count < most && source.next < source.octets.length) {
    const timeUs = source.timesUs[source.next]!;
    if (timeUs > nowUs) break;
    const at = count * TAP_ENTRY_BYTES;
    target.setUint32(at, timeUs >>> 0, true);
    target.setUint32(at + 4, source.octets[source.next]!, true);
    source.next++;
    count++;
  }
  return count;
}

function readRecord(view: DataView, length: number): LoopRecord {
  const type = view.getUint8(RECORD_TYPE);
  assert.equal(length, RECORD_VALUE + view.getUint8(RECORD_VALUE_BYTES));
  const kind = view.getUint8(RECORD_KIND);
  const counters: number[] = [];
  if (kind === KIND_STATE)
    for (let i = 0; i < TAP_COUNTER_COUNT; i++)
      counters.push(view.getUint32(RECORD_VALUE + 4 * i, true));
  return {
    kind,
    channel: view.getUint8(RECORD_CHANNEL),
    quality: view.getUint8(RECORD_QUALITY),
    cause: view.getUint8(RECORD_CAUSE),
    timeUs: view.getUint32(RECORD_TIME_US, true),
    type,
    alarm: view.getUint8(RECORD_ALARM),
    active: view.getUint8(RECORD_ACTIVE),
    ...(kind >= KIND_LINE || (kind === KIND_READING && type === TYPE_BYTES)
      ? {
          octets: new DataView(
            view.buffer.slice(view.byteOffset + RECORD_VALUE, view.byteOffset + length),
          ),
        }
      : {}),
    value: readValue(view, type),
    counters,
    outcome: kind === KIND_SETPOINT ? readOutcome(view) : null,
  };
}

function readOutcome(view: DataView): Outcome {
  assert.equal(view.getUint8(RECORD_VALUE_BYTES), OUTCOME_BYTES);
  assert.equal(view.getUint32(RECORD_VALUE + OUTCOME_CODE, true) >>> 8, 0, "reserved octets");
  return {
    request: view.getUint32(RECORD_VALUE + OUTCOME_REQUEST, true),
    requested: view.getInt32(RECORD_VALUE + OUTCOME_REQUESTED, true),
    effective: view.getInt32(RECORD_VALUE + OUTCOME_EFFECTIVE, true),
    code: view.getUint8(RECORD_VALUE + OUTCOME_CODE),
  };
}

function readValue(view: DataView, type: number): number | null {
  if (type === TYPE_I32) return view.getInt32(RECORD_VALUE, true);
  if (type === TYPE_U32) return view.getUint32(RECORD_VALUE, true);
  if (type === TYPE_F32) return view.getFloat32(RECORD_VALUE, true);
  return null;
}

const HEARD_CHARACTER_US = 573; // 19,200 baud, 8E1
const HEARD_TICK_US = 10_000;

/** Puts frames on tap 0 without a pause, and ticks until they are taken. */
export function hearFrames(host: LoopHost, ...frames: Uint8Array[]): void {
  const octets = Buffer.concat(frames);
  const times = Array.from(octets, (_, i) => host.nowUs + (i + 1) * HEARD_CHARACTER_US);
  host.put(0, octets, times);
  while (host.waiting(0) > 0) host.tick(host.nowUs + HEARD_TICK_US);
}
