// SPDX-License-Identifier: MIT
// Modbus ASCII heard passively: characters to frames, frames to the pairs of RTU.
//
// Spec: Modbus over serial line 1.02 §2.5.2; SPEC.md §1.3, §6. Never transmits. A frame is `:`, hex pairs of
// address, PDU and LRC, CR LF. A colon begins a frame at any time; a character that cannot stand where it
// stands, a flagged one, or a pause of more than a second drops the open frame as junk.
//
//   OUTSIDE -:-> HEX -CR-> END -LF, LRC right-> window of a ModbusTap, which pairs it (takeModbus)
//
// (I1) counters are those of the ModbusTap, in characters. (I2) a frame is looked at once, when it is whole.

import { MODBUS_FRAME_BYTES_MAX } from "../../limits";
import { TAP_COUNTER_BYTES, TAP_COUNTER_JUNK_BYTES } from "../../wire/tap";
import { TapEvent } from "./event";
import {
  countModbus,
  MODBUS_TAP_BYTES,
  modbusCounters,
  ModbusTap,
  noteJunk,
  startModbus,
  takeModbus,
  takeWholeFrames,
  windowOf,
} from "./modbus";
import { hexDigit } from "./octets";
import { beginFrame, endFrame, putOctet } from "./window";

const OUTSIDE = 0;
const HEX = 1;
const END = 2; // after CR
const PAUSE_US_MAX: u32 = 1_000_000; // §2.5.2: up to a second between characters
const LATE_US: u32 = 50_000; // adapters collect for 16 ms, at both ends of a pause
const OCTETS_MAX = MODBUS_FRAME_BYTES_MAX - 1; // address, PDU and LRC; RTU has one octet more of check

/** Followed in memory by its ModbusTap. */
@unmanaged
export class AsciiTap {
  state: i32;
  lastUs: u32; // end of the latest character
  characters: u32; // of the open frame
  octets: i32; // of it, the one in `held` included
  held: i32; // the latest octet, which may be the LRC
  sum: i32; // of the octets, and 0 modulo 256 in a right frame
  digit: i32; // first half of an octet, or NONE
}

const NONE = -1;
const PAIRS: usize = offsetof<AsciiTap>();

/** Memory of one tap, a multiple of 4. */
export const ASCII_TAP_BYTES: usize = PAIRS + MODBUS_TAP_BYTES;

/** Once, before the first octet. */
export function startAscii(tap: AsciiTap, characterUs: u32, nowUs: u32): void {
  startModbus(pairsOf(tap), characterUs * 2, nowUs); // an octet has two
  takeWholeFrames(pairsOf(tap));
}

/** Address of the counters, u32 each. */
export function asciiCounters(tap: AsciiTap): usize {
  return modbusCounters(pairsOf(tap));
}

/** One character that ended at `atUs`; follow it with takeAscii until that returns false. */
export function putAscii(tap: AsciiTap, octet: u32, flags: u32, atUs: u32): void {
  dropAfterPause(tap, atUs);
  tap.lastUs = atUs;
  pairsOf(tap).nowUs = atUs;
  countModbus(pairsOf(tap), TAP_COUNTER_BYTES, 1);
  tap.characters++;
  if (flags == 0 && octet == 58) begin(tap);
  else if (flags != 0 || !putInside(tap, octet)) drop(tap);
}

/** In a tick without octets; then takeAscii until it returns false. */
export function noteIdleAscii(tap: AsciiTap, nowUs: u32): void {
  dropAfterPause(tap, nowUs - LATE_US);
  pairsOf(tap).nowUs = nowUs - LATE_US;
}

/** As takeModbus. */
export function takeAscii(tap: AsciiTap, event: TapEvent): bool {
  return takeModbus(pairsOf(tap), event);
}

// A colon: what stood open before it is junk.
function begin(tap: AsciiTap): void {
  tap.characters--;
  drop(tap);
  tap.characters = 1;
  tap.state = HEX;
  tap.octets = 0;
  tap.sum = 0;
  tap.digit = NONE;
  pairsOf(tap).hushed = 0;
  beginFrame(windowOf(pairsOf(tap)));
}

// False: the character cannot stand here.
function putInside(tap: AsciiTap, octet: u32): bool {
  if (tap.state == END) return octet == 10 && end(tap);
  if (tap.state != HEX) return false;
  if (octet == 13) {
    tap.state = END;
    return tap.digit == NONE;
  }
  const value = hexDigit(octet); // capitals by the standard; some devices send small letters
  if (value < 0) return false;
  if (tap.digit == NONE) {
    tap.digit = value;
    return true;
  }
  return putUnhexed(tap, (tap.digit << 4) | value);
}

function putUnhexed(tap: AsciiTap, octet: i32): bool {
  if (tap.octets == OCTETS_MAX) return false;
  if (tap.octets > 0) putOctet(windowOf(pairsOf(tap)), tap.held);
  tap.held = octet;
  tap.sum += octet;
  tap.octets++;
  tap.digit = NONE;
  return true;
}

// LF: the frame is whole, if its LRC is right.
function end(tap: AsciiTap): bool {
  const pairs = pairsOf(tap);
  if (tap.octets < 3 || (tap.sum & 0xff) != 0) return false;
  endFrame(windowOf(pairs));
  pairs.lastUs = tap.lastUs;
  pairs.hushed = 1; // nothing follows that could make it longer
  tap.state = OUTSIDE;
  tap.characters = 0;
  return true;
}

function drop(tap: AsciiTap): void {
  countModbus(pairsOf(tap), TAP_COUNTER_JUNK_BYTES, tap.characters);
  noteJunk(pairsOf(tap), tap.characters);
  tap.characters = 0;
  tap.state = OUTSIDE;
  windowOf(pairsOf(tap)).fill = 0;
}

function dropAfterPause(tap: AsciiTap, nowUs: u32): void {
  // Signed: `nowUs` may lie before the latest character when a tick looks back.
  const pauseUs = <i32>(nowUs - tap.lastUs);
  if (tap.state != OUTSIDE && pauseUs > <i32>(PAUSE_US_MAX + LATE_US)) drop(tap);
}

/** The tap that pairs its frames. */
export function pairsOf(tap: AsciiTap): ModbusTap {
  return changetype<ModbusTap>(changetype<usize>(tap) + PAIRS);
}
