// SPDX-License-Identifier: MIT
// One tap decoder as a module of its own: octets in, events out.
//
// A channel selects; a test wants all that a decoder says. The entry below hands out each event.

import assert from "node:assert/strict";
import { LOOP_ENTRY } from "../../scripts/build/sources.ts";
import { TAP_COUNTER_COUNT } from "../../firmware/wire/tap.ts";
import { COUNTER_KEYS } from "./capture.ts";
import { buildRelease } from "./release.ts";

/** What a decoder's file and its functions are called. */
export interface DecoderName {
  file: string; // in firmware/loop/tap
  name: string; // as in putName
  bytes: string; // constant
  objects: string | null; // function that gives its Objects; null: it wants none
}

/** Number of wire/tap.ts: the decoder as a tap that finds its line has it, behind tap/decoders.ts. */
export type DecoderNumber = number;

export const P1: DecoderName = {
  file: "p1",
  name: "P1",
  bytes: "P1_TAP_BYTES",
  objects: "p1Objects",
};
export const IEC: DecoderName = {
  file: "iec62056",
  name: "Iec",
  bytes: "IEC_TAP_BYTES",
  objects: "iecObjects",
};
export const SML: DecoderName = {
  file: "sml",
  name: "Sml",
  bytes: "SML_TAP_BYTES",
  objects: "smlObjects",
};
export const M_BUS: DecoderName = {
  file: "mbus",
  name: "Mbus",
  bytes: "M_BUS_TAP_BYTES",
  objects: null,
};

export interface DecoderEvent {
  digits: bigint;
  kind: number;
  unit: number;
  code: number;
  address: number;
  quantity: number;
  reason: number;
  answerUs: number;
  values: Uint8Array;
  name: Uint8Array;
  decimals: number;
  unitCode: number;
}

/** An object that is wanted: A to F, null for an A-B that is not said; which of its values, 0 the best. */
export interface WantedObject {
  obis: (number | null)[];
  part: number;
}

export interface Decoder {
  put(octet: number, flags: number, atUs: number): DecoderEvent[];
  idle(nowUs: number): DecoderEvent[];
  counters(): Record<string, number>;
  /** Rate that the line changed to, 0 none; of IEC 62056-21 only. */
  baud(): number;
}

export const WANTED_MAX = 1200;
const SLOT_BYTES = 32;
const CHARACTER_US = 1042;

function entry({ file, name, bytes, objects }: DecoderName): string {
  const lower = name[0]!.toLowerCase() + name.slice(1);
  const imported = `start${name}, put${name}, take${name}, noteIdle${name}, ${lower}Counters`;
  const wants = objects === null ? "" : `, ${objects}`;
  return `
import { ${imported}, ${bytes}, ${name}Tap${wants} } from "../firmware/loop/tap/${file}";
import { TapEvent } from "../firmware/loop/tap/event";
${objects === null ? "" : 'import { wantObjects } from "../firmware/loop/tap/object";'}
const EVENT = memory.data(offsetof<TapEvent>(), 8);
const TAP = memory.data(${bytes}, 8);
const SLOTS = memory.data(${WANTED_MAX * SLOT_BYTES}, 8);
function tap(): ${name}Tap { return changetype<${name}Tap>(TAP); }
export function slots(): usize { return SLOTS; }
export function start(characterUs: u32, count: i32): void {
  start${name}(tap(), characterUs, 0);
  ${objects === null ? "" : `wantObjects(${objects}(tap()), SLOTS, count);`}
}
export function put(octet: i32, flags: i32, atUs: u32): void {
  put${name}(tap(), octet, flags, atUs);
}
export function take(): usize {
  return take${name}(tap(), changetype<TapEvent>(EVENT)) ? EVENT : 0;
}
export function idle(nowUs: u32): void { noteIdle${name}(tap(), nowUs); }
export function counters(): usize { return ${lower}Counters(tap()); }
export function baud(): i32 { return ${name === "Iec" ? "tap().baud" : "0"}; }
`;
}

function numberedEntry(protocol: DecoderNumber): string {
  return `
import {
  DECODER_BYTES, decoderCounters, idleDecoder, putDecoder, startDecoder, takeDecoded
} from "../firmware/loop/tap/decoders";
import { TapEvent } from "../firmware/loop/tap/event";
const EVENT = memory.data(offsetof<TapEvent>(), 8);
const TAP = memory.data(DECODER_BYTES, 8);
export function start(characterUs: u32, count: i32): void {
  startDecoder(${protocol}, TAP, characterUs, 0);
}
export function put(octet: i32, flags: i32, atUs: u32): void {
  putDecoder(${protocol}, TAP, octet, flags, atUs);
}
export function take(): usize {
  return takeDecoded(${protocol}, TAP, changetype<TapEvent>(EVENT)) ? EVENT : 0;
}
export function idle(nowUs: u32): void { idleDecoder(${protocol}, TAP, nowUs); }
export function counters(): usize { return decoderCounters(${protocol}, TAP); }
export function baud(): i32 { return 0; }
`;
}

/** The release module of a decoder. */
export async function buildDecoder(name: DecoderName | DecoderNumber): Promise<WebAssembly.Module> {
  const text = typeof name === "number" ? numberedEntry(name) : entry(name);
  return new WebAssembly.Module((await buildRelease({ [LOOP_ENTRY]: text })) as BufferSource);
}

/** A decoder that heard nothing yet. */
export function createDecoder(
  module: WebAssembly.Module,
  wanted: WantedObject[] = [],
  characterUs = CHARACTER_US,
): Decoder {
  const { exports } = new WebAssembly.Instance(module);
  const call = (name: string, ...values: number[]): number =>
    (exports[name] as (...values: number[]) => number)(...values);
  const { buffer } = exports["memory"] as WebAssembly.Memory;
  const view = new DataView(buffer);
  assert.ok(wanted.length <= WANTED_MAX);
  wanted.forEach((one, i) => writeSlot(view, call("slots") + i * SLOT_BYTES, one));
  call("start", characterUs, wanted.length);
  const events = (): DecoderEvent[] => {
    const all: DecoderEvent[] = [];
    for (let at = call("take"); at !== 0; at = call("take")) {
      all.push(readEvent(view, at));
      assert.ok(all.length < 10_000, "events without end");
    }
    return all;
  };
  return {
    put(octet, flags, atUs) {
      call("put", octet, flags, atUs);
      return events();
    },
    idle(nowUs) {
      call("idle", nowUs);
      return events();
    },
    counters() {
      const at = call("counters");
      assert.equal(COUNTER_KEYS.length, TAP_COUNTER_COUNT);
      return Object.fromEntries(
        COUNTER_KEYS.map((key, i) => [key, view.getUint32(at + 4 * i, true)]),
      );
    },
    baud: () => call("baud"),
  };
}

// ObjectSlot, tap/object.ts.
function writeSlot(view: DataView, at: number, { obis, part }: WantedObject): void {
  const hasMedium = obis[0] !== null && obis[1] !== null;
  const octets = obis.map((one) => one ?? 0).reverse(); // F at bit 0
  octets.forEach((octet, i) => view.setUint8(at + 8 + i, octet));
  view.setUint8(at + 14, hasMedium ? 1 : 0); // KEY_MEDIUM
  view.setUint8(at + 24, part);
}

// TapEvent, tap/event.ts.
function readEvent(view: DataView, at: number): DecoderEvent {
  const octets = (address: number, length: number): Uint8Array =>
    new Uint8Array(
      view.buffer,
      view.getUint32(at + address, true),
      view.getInt32(at + length, true),
    ).slice();
  return {
    digits: view.getBigInt64(at, true),
    kind: view.getInt32(at + 8, true),
    unit: view.getInt32(at + 12, true),
    code: view.getInt32(at + 16, true),
    address: view.getInt32(at + 20, true),
    quantity: view.getInt32(at + 24, true),
    reason: view.getInt32(at + 28, true),
    answerUs: view.getUint32(at + 32, true),
    values: octets(36, 40),
    name: octets(44, 48),
    decimals: view.getInt32(at + 52, true),
    unitCode: view.getInt32(at + 56, true),
  };
}
