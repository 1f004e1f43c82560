// SPDX-License-Identifier: MIT
// Every decoder behind one face, for a tap that does not know its line.
//
// Spec: event.ts. A decoder is added with a line in each function, its size in DECODER_BYTES, and what its
// check is worth in STRENGTHS. All share one memory: one runs at a time.

import { PROTOCOL_MODBUS_RTU } from "../../wire/tap";
import { TapEvent } from "./event";
import {
  MODBUS_TAP_BYTES,
  modbusCounters,
  ModbusTap,
  noteIdleModbus,
  putModbus,
  startModbus,
  takeModbus,
} from "./modbus";

export const PROTOCOL_COUNT: i32 = 15; // numbers of wire/tap.ts, 0 among them

/** Memory of whichever decoder. */
export const DECODER_BYTES: usize = MODBUS_TAP_BYTES;

/** 0: there is no such decoder. */
export function strengthOf(protocol: i32): i32 {
  return load<u8>(strengths() + protocol);
}

/** True where frames come in pairs. */
export function isAsked(protocol: i32): bool {
  return load<u8>(asked() + protocol) != 0;
}

/** Begins to decode `protocol` in memory that may hold anything. */
export function startDecoder(protocol: i32, at: usize, characterUs: u32, nowUs: u32): void {
  memory.fill(at, 0, DECODER_BYTES);
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return startModbus(changetype<ModbusTap>(at), characterUs, nowUs);
    default:
      return;
  }
}

/** One octet; follow it with takeDecoded until that returns false. */
export function putDecoder(protocol: i32, at: usize, octet: i32, flags: i32, atUs: u32): void {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return putModbus(changetype<ModbusTap>(at), octet, flags, atUs);
    default:
      return;
  }
}

/** The next event; false: the decoder needs more octets. */
export function takeDecoded(protocol: i32, at: usize, event: TapEvent): bool {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return takeModbus(changetype<ModbusTap>(at), event);
    default:
      return false;
  }
}

/** In a tick without octets. */
export function idleDecoder(protocol: i32, at: usize, nowUs: u32): void {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return noteIdleModbus(changetype<ModbusTap>(at), nowUs);
    default:
      return;
  }
}

/** Address of its counters, u32 each; 0: there is no such decoder. */
export function decoderCounters(protocol: i32, at: usize): usize {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return modbusCounters(changetype<ModbusTap>(at));
    default:
      return 0;
  }
}

// By protocol what a frame with a right check proves: 3 a CRC, 2 a sum or an XOR with structure, 1 text, 0: no
// decoder. Functions, so that only a module with such a tap has the tables.
function strengths(): usize {
  return memory.data<u8>([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

// 1: an answer must have been seen with its request.
function asked(): usize {
  return memory.data<u8>([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}
