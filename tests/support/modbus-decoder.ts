// SPDX-License-Identifier: MIT
// The firmware's Modbus decoders as a module: octets in, every event out.
//
// Built from the sources that nodes are built from, by the same compiler, with all kinds of events in. A node
// shows only what its channels and counters tell; this shows the rest.

import { LOOP_ENTRY } from "../../scripts/build/sources.ts";
import { TAP_COUNTER_COUNT } from "../../firmware/wire/tap.ts";
import { buildRelease } from "./release.ts";

const ENTRY = `
import { ASCII_TAP_BYTES, asciiCounters, AsciiTap } from "../firmware/loop/tap/ascii";
import { noteIdleAscii, putAscii, startAscii, takeAscii } from "../firmware/loop/tap/ascii";
import { TapEvent } from "../firmware/loop/tap/event";
import { joinModbus, MODBUS_TAP_BYTES, modbusCounters } from "../firmware/loop/tap/modbus";
import { ModbusTap, noteIdleModbus, putModbus } from "../firmware/loop/tap/modbus";
import { startModbus, takeModbus } from "../firmware/loop/tap/modbus";

const EVENT = changetype<TapEvent>(memory.data(offsetof<TapEvent>(), 8));
const ONE = changetype<ModbusTap>(memory.data(MODBUS_TAP_BYTES, 4));
const OTHER = changetype<ModbusTap>(memory.data(MODBUS_TAP_BYTES, 4));
const TEXT = changetype<AsciiTap>(memory.data(ASCII_TAP_BYTES, 4));

function tapOf(wire: i32): ModbusTap {
  return wire == 0 ? ONE : OTHER;
}
export function start(characterUs: i32): void {
  startModbus(ONE, characterUs, 0);
  startModbus(OTHER, characterUs, 0);
  startAscii(TEXT, characterUs, 0);
}
export function join(): void {
  joinModbus(ONE, OTHER);
}
export function put(wire: i32, octet: i32, flags: i32, atUs: i32): void {
  if (wire == 2) putAscii(TEXT, octet, flags, atUs);
  else putModbus(tapOf(wire), octet, flags, atUs);
}
export function idle(wire: i32, nowUs: i32): void {
  if (wire == 2) noteIdleAscii(TEXT, nowUs);
  else noteIdleModbus(tapOf(wire), nowUs);
}
export function take(wire: i32): bool {
  return wire == 2 ? takeAscii(TEXT, EVENT) : takeModbus(tapOf(wire), EVENT);
}
export function counters(wire: i32): usize {
  return wire == 2 ? asciiCounters(TEXT) : modbusCounters(tapOf(wire));
}
export function event(): usize {
  return changetype<usize>(EVENT);
}
`;

/** The wires of a decoder. */
export const WIRE_ONE = 0;
export const WIRE_OTHER = 1; // of the answers, after join()
export const WIRE_ASCII = 2;

export interface HeardEvent {
  kind: number;
  unit: number;
  code: number;
  address: number;
  quantity: number;
  reason: number;
  answerUs: number;
  values: Uint8Array;
  atUs: number; // of the octet or the idle time that brought it
}

interface Exports {
  memory: WebAssembly.Memory;
  start(characterUs: number): void;
  join(): void;
  put(wire: number, octet: number, flags: number, atUs: number): void;
  idle(wire: number, nowUs: number): void;
  take(wire: number): number;
  counters(wire: number): number;
  event(): number;
}

export interface ModbusDecoder {
  events: HeardEvent[];
  join(): void;
  put(wire: number, octet: number, atUs: number, flags?: number): void;
  idle(wire: number, nowUs: number): void;
  counters(wire: number): number[];
}

/** Compiles the decoders once for each state of the sources. */
export async function buildDecoder(): Promise<WebAssembly.Module> {
  return new WebAssembly.Module((await buildRelease({ [LOOP_ENTRY]: ENTRY })) as BufferSource);
}

/** Decoders that have heard nothing yet. */
export function createDecoder(module: WebAssembly.Module, characterUs: number): ModbusDecoder {
  const wasm = new WebAssembly.Instance(module).exports as unknown as Exports;
  wasm.start(characterUs);
  const events: HeardEvent[] = [];
  const drain = (wire: number, atUs: number): void => {
    while (wasm.take(wire) !== 0) events.push(readEvent(wasm, atUs));
  };
  return {
    events,
    join: () => wasm.join(),
    put(wire, octet, atUs, flags = 0) {
      wasm.put(wire, octet, flags, atUs | 0);
      drain(wire, atUs);
    },
    idle(wire, nowUs) {
      wasm.idle(wire, nowUs | 0);
      drain(wire, nowUs);
    },
    counters: (wire) => [
      ...new Uint32Array(wasm.memory.buffer, wasm.counters(wire), TAP_COUNTER_COUNT),
    ],
  };
}

function readEvent(wasm: Exports, atUs: number): HeardEvent {
  const view = new DataView(wasm.memory.buffer, wasm.event());
  const word = (index: number): number => view.getInt32(8 + index * 4, true);
  const at = word(7);
  return {
    kind: word(0),
    unit: word(1),
    code: word(2),
    address: word(3),
    quantity: word(4),
    reason: word(5),
    answerUs: word(6),
    values: new Uint8Array(wasm.memory.buffer.slice(at, at + word(8))),
    atUs,
  };
}
