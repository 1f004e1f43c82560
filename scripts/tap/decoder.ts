// SPDX-License-Identifier: MIT
// The node's own decoder of a protocol, compiled and run here.
//
// A module of firmware/loop/tap/<decoder>.ts with a generated entry (SPEC.md §18): a tick takes the octets that the host has
// for it and hands every event to `tap_event` or `tap_reading`. Ticks come each 10 ms of the line's time, as on a node; a
// silence in which nothing can happen any more is leapt over. Memory of the module is read during a call only.

import { TAP_COUNTER_COUNT, TAP_ENTRY_BYTES } from "../../firmware/wire/tap.ts";
import { entryOf, type Protocol } from "./decoder-entry.ts";
import type { TapEvent } from "./event.ts";
import { characterUs, type Batch, type Character, type Line } from "./line.ts";
import { buildOwnModule, type ModuleBuild } from "./module.ts";
import { KEY_BYTES, nameReading, unitName } from "./naming.ts";

const TICK_US = 10_000; // the period of a node unless its node.json says otherwise
const IDLE_US_MAX = 3_000_000; // a request is given up after one second: then nothing is left to notice
const NAME_BYTES_MAX = 128;
const ENTRY = "node/decoder.ts";

export interface Decoder {
  /** Everything up to the batch's time; events go to `heard` in the order of the wire. */
  put(batch: Batch, heard: (event: TapEvent) => void): void;
  /** Ends all waits: nothing more will come. */
  end(heard: (event: TapEvent) => void): void;
  /** The counters of SPEC.md §6. */
  counters(): number[];
  /** Octets that nothing was decided of yet. */
  undecided(): number;
}

/** The decoder's module, from the cache or compiled. Throws Failure. */
export function buildDecoder(
  protocol: Protocol,
  options: ModuleBuild,
): Promise<WebAssembly.Module> {
  // firmware/generated/uses.ts as it lies there compiles all in that a decoder can tell.
  const parts = { folder: undefined, overlay: { [ENTRY]: entryOf(protocol) } };
  return buildOwnModule("decoder", `the decoder of ${protocol}`, { parts, entry: ENTRY }, options);
}

interface State {
  nowUs: number;
  tickedUs: number; // the latest tick
  lastUs: number; // the latest character that was taken
  waiting: readonly Character[];
  next: number; // of those waiting
  hear: (event: TapEvent) => void;
  taken: () => void; // all that was taken is worked through
}

/** What ends a line of text: an octet, and whether a CR stands before it. */
export interface LineEnd {
  octet: number;
  afterReturn: boolean;
}

interface Choices {
  protocol?: Protocol;
  end?: LineEnd; // of text
  taken?: (decoder: Decoder) => void; // after each octet
}

const LINE_FEED: LineEnd = { octet: 10, afterReturn: false };

/** An instance that begins with nothing heard. */
export function createDecoder(
  module: WebAssembly.Module,
  line: Line,
  { protocol = "modbus-rtu", end = LINE_FEED, taken = () => undefined }: Choices = {},
): Decoder {
  const state: State = {
    ...{ nowUs: 0, tickedUs: 0, lastUs: -IDLE_US_MAX, waiting: [], next: 0 },
    hear: () => undefined,
    taken: () => taken(decoder),
  };
  const host = hostFunctions(protocol, state, () => memory);
  const { exports } = new WebAssembly.Instance(module, { host });
  const memory = exports["memory"] as WebAssembly.Memory;
  const tick = exports["tick"] as () => void;
  const start = exports["start"] as (...parameters: number[]) => void;
  start(Math.round(characterUs(line)), end.octet, end.afterReturn ? 1 : 0);

  const decoder: Decoder = {
    put({ characters, nowUs }, heard) {
      const { waiting, next } = state;
      state.hear = heard;
      state.waiting = next < waiting.length ? [...waiting.slice(next), ...characters] : characters;
      state.next = 0;
      tickUntil(state, tick, nowUs);
    },
    end(heard) {
      state.hear = heard;
      tickUntil(state, tick, Math.max(state.nowUs, state.waiting.at(-1)?.atUs ?? 0) + IDLE_US_MAX);
    },
    counters() {
      const at = (exports["counters"] as () => number)();
      return [...new Uint32Array(memory.buffer, at, TAP_COUNTER_COUNT)];
    },
    undecided: () => (exports["undecided"] as () => number)(),
  };
  return decoder;
}

function tickUntil(state: State, tick: () => void, endUs: number): void {
  while (state.tickedUs + TICK_US <= endUs) {
    const dueUs = Math.min(state.waiting[state.next]?.atUs ?? endUs, endUs);
    if (state.tickedUs - state.lastUs > IDLE_US_MAX && dueUs > state.tickedUs + TICK_US)
      state.tickedUs = (Math.floor(dueUs / TICK_US) - 1) * TICK_US;
    state.nowUs = state.tickedUs += TICK_US;
    tick();
    state.taken();
  }
}

function hostFunctions(protocol: Protocol, state: State, memoryOf: () => WebAssembly.Memory) {
  const octetsAt = (address: number, bytes: number): Uint8Array =>
    new Uint8Array(memoryOf().buffer, address, bytes).slice();
  const atUs = (): number => Math.max(0, state.lastUs);
  return {
    now_us: () => state.nowUs | 0,
    tap_take(_tap: number, address: number, capacity: number): number {
      state.taken();
      const character = state.waiting[state.next];
      if (capacity < 1 || character === undefined || character.atUs > state.nowUs) return 0;
      const entry = new DataView(memoryOf().buffer, address, TAP_ENTRY_BYTES);
      entry.setUint32(0, character.atUs % 2 ** 32, true);
      entry.setUint32(4, character.octet | (character.flags << 8), true);
      state.lastUs = character.atUs;
      state.next++;
      return 1;
    },
    tap_event(...fields: number[]) {
      const [kind, unit, code, address, quantity, reason, answerUs, values, bytes] = fields;
      state.hear({
        ...{ atUs: atUs(), kind: kind!, unit: unit!, code: code!, address: address! },
        ...{ quantity: quantity!, reason: reason!, answerUs: answerUs! >>> 0 },
        ...{ values: octetsAt(values!, bytes!), name: "", number: 0, decimals: 0 },
        ...{ unitName: "", meter: 0 },
      });
    },
    tap_reading(...fields: number[]) {
      const [kind, unit, unitCode, address, name, nameBytes, low, high, ...more] = fields;
      const [decimals, values, bytes, meter] = more;
      const digits = high! * 2 ** 32 + (low! >>> 0);
      const isKey = protocol !== "m-bus" && nameBytes! > 0; // then one more octet of it counts
      const octets = octetsAt(name!, isKey ? KEY_BYTES : Math.min(nameBytes!, NAME_BYTES_MAX));
      state.hear({
        ...{ atUs: atUs(), kind: kind!, unit: unit!, code: 0, address: 0, quantity: 0, reason: 0 },
        ...{ answerUs: 0, values: octetsAt(values!, bytes!), decimals: decimals! },
        ...{ name: nameReading(protocol, octets, address!), number: digits / 10 ** decimals! },
        ...{ unitName: unitName(unitCode!), meter: meter! >>> 0 },
      });
    },
  };
}
