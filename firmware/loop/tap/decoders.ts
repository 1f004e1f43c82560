// SPDX-License-Identifier: MIT
// Every decoder behind one face, for a tap that does not know its line.
//
// Spec: event.ts. A decoder is added with a line in each function, its size in DECODER_BYTES, and what its
// check is worth in STRENGTHS. All share one memory: one runs at a time. Those on exchange.ts differ in take only.

import {
  PROTOCOL_3964R,
  PROTOCOL_ASCII_LINE,
  PROTOCOL_DF1,
  PROTOCOL_DSMR_P1,
  PROTOCOL_HOST_LINK,
  PROTOCOL_IEC62056_21,
  PROTOCOL_M_BUS,
  PROTOCOL_MELSEC_FX,
  PROTOCOL_MODBUS_ASCII,
  PROTOCOL_MODBUS_RTU,
  PROTOCOL_NMEA,
  PROTOCOL_SML,
  PROTOCOL_TOLEDO_CONTINUOUS,
  PROTOCOL_USS,
} from "../../wire/tap";
import {
  ASCII_TAP_BYTES,
  asciiCounters,
  AsciiTap,
  noteIdleAscii,
  putAscii,
  startAscii,
  takeAscii,
} from "./ascii";
import { takeDf1 } from "./df1";
import { TapEvent } from "./event";
import {
  Exchange,
  EXCHANGE_BYTES,
  exchangeCounters,
  noteIdleExchange,
  putExchange,
  startExchange,
} from "./exchange";
import { takeHostLink } from "./hostlink";
import {
  IEC_TAP_BYTES,
  iecCounters,
  IecTap,
  noteIdleIec,
  putIec,
  startIec,
  takeIec,
} from "./iec62056";
import {
  M_BUS_TAP_BYTES,
  mbusCounters,
  MbusTap,
  noteIdleMbus,
  putMbus,
  startMbus,
  takeMbus,
} from "./mbus";
import {
  modbusCounters,
  ModbusTap,
  noteIdleModbus,
  putModbus,
  startModbus,
  takeModbus,
} from "./modbus";
import { takeMelsecFx } from "./melsec-fx";
import { noteIdleP1, P1_TAP_BYTES, p1Counters, P1Tap, putP1, startP1, takeP1 } from "./p1";
import { S3964R_SILENCE_US, S3964R_WAIT_US, take3964r } from "./s3964r";
import { noteIdleSml, putSml, SML_TAP_BYTES, smlCounters, SmlTap, startSml, takeSml } from "./sml";
import { noteIdleText, putText, startText, textCounters, TextTap } from "./text";
import { takeToledo } from "./toledo";
import { takeUss, USS_WAIT_US } from "./uss";

export const PROTOCOL_COUNT: i32 = 15; // numbers of wire/tap.ts, 0 among them

// The larger of each two: asc folds no max().
// A ModbusTap is part of an AsciiTap.
const BINARY: usize = ASCII_TAP_BYTES > M_BUS_TAP_BYTES ? ASCII_TAP_BYTES : M_BUS_TAP_BYTES;
const TEXT: usize = IEC_TAP_BYTES > P1_TAP_BYTES ? IEC_TAP_BYTES : P1_TAP_BYTES;
const METER: usize = TEXT > SML_TAP_BYTES ? TEXT : SML_TAP_BYTES;
const OTHER: usize = BINARY > METER ? BINARY : METER;

/** Memory of whichever decoder. */
export const DECODER_BYTES: usize = OTHER > EXCHANGE_BYTES ? OTHER : EXCHANGE_BYTES;

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
    case PROTOCOL_MODBUS_ASCII:
      return startAscii(changetype<AsciiTap>(at), characterUs, nowUs);
    case PROTOCOL_DSMR_P1:
      return startP1(changetype<P1Tap>(at), characterUs, nowUs);
    case PROTOCOL_IEC62056_21:
      return startIec(changetype<IecTap>(at), characterUs, nowUs);
    case PROTOCOL_SML:
      return startSml(changetype<SmlTap>(at), characterUs, nowUs);
    case PROTOCOL_M_BUS:
      return startMbus(changetype<MbusTap>(at), characterUs, nowUs);
    case PROTOCOL_ASCII_LINE:
    case PROTOCOL_NMEA:
      return startText(changetype<TextTap>(at), protocol == PROTOCOL_NMEA ? 1 : 0);
    default:
      startExchanged(protocol, changetype<Exchange>(at), characterUs, nowUs);
  }
}

function startExchanged(protocol: i32, x: Exchange, characterUs: u32, nowUs: u32): void {
  startExchange(x, characterUs, nowUs);
  if (protocol == PROTOCOL_USS) x.waitUs = USS_WAIT_US;
  if (protocol != PROTOCOL_3964R) return;
  x.silenceUs = S3964R_SILENCE_US;
  x.waitUs = S3964R_WAIT_US;
}

/** One octet; follow it with takeDecoded until that returns false. */
export function putDecoder(protocol: i32, at: usize, octet: i32, flags: i32, atUs: u32): void {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return putModbus(changetype<ModbusTap>(at), octet, flags, atUs);
    case PROTOCOL_MODBUS_ASCII:
      return putAscii(changetype<AsciiTap>(at), octet, flags, atUs);
    case PROTOCOL_DSMR_P1:
      return putP1(changetype<P1Tap>(at), octet, flags, atUs);
    case PROTOCOL_IEC62056_21:
      return putIec(changetype<IecTap>(at), octet, flags, atUs);
    case PROTOCOL_SML:
      return putSml(changetype<SmlTap>(at), octet, flags, atUs);
    case PROTOCOL_M_BUS:
      return putMbus(changetype<MbusTap>(at), octet, flags, atUs);
    case PROTOCOL_ASCII_LINE:
    case PROTOCOL_NMEA:
      return putText(changetype<TextTap>(at), octet, flags);
    default:
      return putExchange(changetype<Exchange>(at), octet, flags, atUs);
  }
}

/** The next event; false: the decoder needs more octets. */
export function takeDecoded(protocol: i32, at: usize, event: TapEvent): bool {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return takeModbus(changetype<ModbusTap>(at), event);
    case PROTOCOL_MODBUS_ASCII:
      return takeAscii(changetype<AsciiTap>(at), event);
    case PROTOCOL_DSMR_P1:
      return takeP1(changetype<P1Tap>(at), event);
    case PROTOCOL_IEC62056_21:
      return takeIec(changetype<IecTap>(at), event);
    case PROTOCOL_SML:
      return takeSml(changetype<SmlTap>(at), event);
    case PROTOCOL_M_BUS:
      return takeMbus(changetype<MbusTap>(at), event);
    case PROTOCOL_DF1:
      return takeDf1(changetype<Exchange>(at), event);
    case PROTOCOL_HOST_LINK:
      return takeHostLink(changetype<Exchange>(at), event);
    case PROTOCOL_3964R:
      return take3964r(changetype<Exchange>(at), event);
    case PROTOCOL_MELSEC_FX:
      return takeMelsecFx(changetype<Exchange>(at), event);
    case PROTOCOL_USS:
      return takeUss(changetype<Exchange>(at), event);
    case PROTOCOL_TOLEDO_CONTINUOUS:
      return takeToledo(changetype<Exchange>(at), event);
    default:
      return false;
  }
}

/** In a tick without octets. */
export function idleDecoder(protocol: i32, at: usize, nowUs: u32): void {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return noteIdleModbus(changetype<ModbusTap>(at), nowUs);
    case PROTOCOL_MODBUS_ASCII:
      return noteIdleAscii(changetype<AsciiTap>(at), nowUs);
    case PROTOCOL_DSMR_P1:
      return noteIdleP1(changetype<P1Tap>(at), nowUs);
    case PROTOCOL_IEC62056_21:
      return noteIdleIec(changetype<IecTap>(at), nowUs);
    case PROTOCOL_SML:
      return noteIdleSml(changetype<SmlTap>(at), nowUs);
    case PROTOCOL_M_BUS:
      return noteIdleMbus(changetype<MbusTap>(at), nowUs);
    case PROTOCOL_ASCII_LINE:
    case PROTOCOL_NMEA:
      return noteIdleText(changetype<TextTap>(at));
    default:
      return noteIdleExchange(changetype<Exchange>(at), nowUs);
  }
}

/** Address of its counters, u32 each. */
export function decoderCounters(protocol: i32, at: usize): usize {
  switch (protocol) {
    case PROTOCOL_MODBUS_RTU:
      return modbusCounters(changetype<ModbusTap>(at));
    case PROTOCOL_MODBUS_ASCII:
      return asciiCounters(changetype<AsciiTap>(at));
    case PROTOCOL_DSMR_P1:
      return p1Counters(changetype<P1Tap>(at));
    case PROTOCOL_IEC62056_21:
      return iecCounters(changetype<IecTap>(at));
    case PROTOCOL_SML:
      return smlCounters(changetype<SmlTap>(at));
    case PROTOCOL_M_BUS:
      return mbusCounters(changetype<MbusTap>(at));
    case PROTOCOL_ASCII_LINE:
    case PROTOCOL_NMEA:
      return textCounters(changetype<TextTap>(at));
    default:
      return exchangeCounters(changetype<Exchange>(at));
  }
}

// By protocol what a frame with a right check proves: 3 a CRC, 2 a sum or an XOR with structure, 1 text, 0: no
// decoder. Functions, so that only a module with such a tap has the tables.
function strengths(): usize {
  return memory.data<u8>([0, 3, 2, 1, 2, 3, 2, 3, 2, 2, 2, 2, 2, 2, 2]);
}

// 1: an answer must have been seen with its request.
function asked(): usize {
  return memory.data<u8>([0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0]);
}
