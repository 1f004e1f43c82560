// SPDX-License-Identifier: MIT
// Encodes waiting readings or events as a SenML pack: as many as fit.
//
// Spec: SPEC.md §3; RFC 8428; keys in bytewise order (RFC 8949 §4.2.1): 0 2 3 4 6 -2 -3 b e g q x.
// A record that does not fit is taken back whole, so a pack is always well-formed. State: `pack`.

import { TEXT_BYTES, USES_FLOATS } from "../generated/uses";
import { PACK_RECORDS_MAX } from "../limits";
import {
  QUALITY_BAD,
  QUALITY_GOOD,
  TYPE_BYTES,
  TYPE_F32,
  TYPE_NONE,
  TYPE_U32,
} from "../wire/record";
import { wide } from "../wide";
import {
  LABEL_BASE_NAME,
  LABEL_BASE_TIME,
  LABEL_BOOLEAN_VALUE,
  LABEL_BOOT,
  LABEL_EVENT_VALUE,
  LABEL_NAME,
  LABEL_QUALITY,
  LABEL_SEQUENCE,
  LABEL_STRING_VALUE,
  LABEL_TIME,
  LABEL_VALUE,
  TIME_EXPONENT,
} from "../wire/senml";
import {
  put,
  putArray,
  putBoolean,
  putDecimal,
  putFloat,
  putInteger,
  putMap,
  putRaw,
  putText,
  putTextHead,
  putUnsigned,
  writer,
  writerStart,
} from "./cbor";
import { isNotice, putNoticeDetail, putNoticeName } from "./notice";
import { alarmAt, Channel, channelAt, EUI64, EUI64_BYTES, node, textAt } from "./node";
import {
  FLAG_ACTIVE,
  FLAG_EVENT,
  FLAG_STAMPED,
  listHead,
  NO_SLOT,
  Slot,
  SLOT_TEXT,
  slotAt,
} from "./outbox";
import { TEXT_BASE_NAME, TEXT_CAUSE } from "./texts";

namespace pack {
  export let baseMs: wide = 0; // wall time of the first record, or now without wall time
  export let sequence: u32 = 0; // of the record before
  export let first: bool = false;
}

const ARRAY_HEAD_LONG = 24; // from so many records on the array's head takes two octets

/**
 * Encodes the head of a list from `at` on, at most to `end`; returns how many records went in.
 * The pack ends at writer.at. `monotonicMs` is time since start: the base of a pack without wall time.
 */
export function encodePack(list: u32, at: usize, end: usize, monotonicMs: wide): i32 {
  writerStart(at + 1, end - 1);
  let records = 0;
  for (let slot = listHead(list); slot != NO_SLOT && records < PACK_RECORDS_MAX; records++) {
    const entry = slotAt(slot);
    const start = writer.at;
    if (records == 0) pack.baseMs = entry.flags & FLAG_STAMPED ? entry.timeMs : monotonicMs;
    pack.first = records == 0;
    encodeRecord(entry);
    if (writer.failed) {
      writer.at = start;
      break;
    }
    pack.sequence = entry.sequence;
    slot = entry.next;
  }
  // One record always fits: names and values are bounded, and so is what a first record carries.
  assert(records > 0);
  const bytes = writer.at - (at + 1);
  if (records >= ARRAY_HEAD_LONG) memory.copy(at + 2, at + 1, bytes); // before the head covers it
  writerStart(at, end);
  putArray(records);
  writer.at += bytes;
  return records;
}

function encodeRecord(entry: Slot): void {
  const isEvent = (entry.flags & FLAG_EVENT) != 0;
  const stamped = (entry.flags & FLAG_STAMPED) != 0;
  const hasTime = entry.timeMs != pack.baseMs;
  const hasQuality = !isEvent && entry.quality != QUALITY_GOOD;
  const hasSequence = pack.first || entry.sequence != pack.sequence + 1;
  const hasEventValue = isEvent && entry.type != TYPE_NONE;
  const notice = isNotice(entry);
  // A notice has a tap, and its node may have no channel.
  const channel = notice ? changetype<Channel>(0) : channelAt(entry.channel);
  let pairs: u32 = notice ? 3 : 2;
  if (hasTime) pairs++;
  if (pack.first) pairs += stamped ? 3 : 2;
  if (hasQuality) pairs++;
  if (hasSequence) pairs++;
  if (hasEventValue) pairs++;
  putMap(pairs);
  if (notice) encodeNoticeName(entry);
  else encodeName(entry, channel, isEvent);
  if (isEvent) {
    put(LABEL_BOOLEAN_VALUE, 1);
    putBoolean((entry.flags & FLAG_ACTIVE) != 0);
  } else if (entry.quality == QUALITY_BAD) {
    put(LABEL_STRING_VALUE, 1);
    putText(textAt(TEXT_CAUSE + entry.cause));
  } else if (TEXT_BYTES > 0 && entry.type == TYPE_BYTES) {
    put(LABEL_STRING_VALUE, 1);
    putTextHead(entry.value);
    putRaw(changetype<usize>(entry) + SLOT_TEXT, entry.value);
  } else {
    put(LABEL_VALUE, 1);
    encodeValue(entry, channel);
  }
  if (hasTime) {
    put(LABEL_TIME, 1);
    putDecimal(TIME_EXPONENT, entry.timeMs - pack.baseMs);
  }
  if (pack.first) encodeBase(stamped);
  if (notice) putNoticeDetail(entry);
  if (hasQuality) encodeField(LABEL_QUALITY, entry.quality);
  if (hasSequence) encodeField(LABEL_SEQUENCE, entry.sequence);
  if (hasEventValue) {
    putLetter(LABEL_EVENT_VALUE);
    encodeValue(entry, channel);
  }
}

function encodeNoticeName(entry: Slot): void {
  put(LABEL_NAME, 1);
  putNoticeName(entry);
}

function encodeName(entry: Slot, channel: Channel, isEvent: bool): void {
  const name = node.birth + channel.name;
  const bytes: u32 = channel.nameBytes;
  put(LABEL_NAME, 1);
  if (!isEvent) {
    putTextHead(bytes);
    putRaw(name, bytes);
    return;
  }
  const alarm = alarmAt(channel, entry.alarm);
  putTextHead(bytes + 1 + alarm.nameBytes);
  putRaw(name, bytes);
  put(0x2f, 1); // "/"
  putRaw(node.birth + alarm.name, alarm.nameBytes);
}

/** Base fields of a first record: bn, bt unless the node has no wall time, boot. */
function encodeBase(stamped: bool): void {
  putInteger(LABEL_BASE_NAME);
  const prefix = textAt(TEXT_BASE_NAME);
  const prefixBytes: u32 = load<u8>(prefix);
  putTextHead(prefixBytes + 2 * EUI64_BYTES + 1);
  putRaw(prefix + 1, prefixBytes);
  for (let octet = 0; octet < EUI64_BYTES; octet++) {
    const value: u32 = load<u8>(EUI64 + octet);
    putHexDigit(value >> 4);
    putHexDigit(value & 15);
  }
  put(0x5f, 1); // "_"
  if (stamped) {
    putInteger(LABEL_BASE_TIME);
    putDecimal(TIME_EXPONENT, pack.baseMs);
  }
  encodeField(LABEL_BOOT, node.boot);
}

function putHexDigit(digit: u32): void {
  put(digit < 10 ? 0x30 + digit : 0x57 + digit, 1);
}

function putLetter(letter: u32): void {
  putTextHead(1);
  put(letter, 1);
}

function encodeField(letter: u32, value: u32): void {
  putLetter(letter);
  putUnsigned(value);
}

/** The engineering value: integer, decimal with the channel's exponent, or float for f32 registers. */
function encodeValue(entry: Slot, channel: Channel): void {
  const exponent: i32 = channel.scaleExponent;
  if (USES_FLOATS && entry.type == TYPE_F32) {
    putFloat(scaled(reinterpret<f32>(entry.value), channel.scaleMantissa, exponent));
    return;
  }
  // |mantissa| < 2^32 and the scale's has at most four digits: the product stays below 2^46.
  const value = entry.type == TYPE_U32 ? (entry.value as wide) : (entry.value as i32 as wide);
  const mantissa = value * (channel.scaleMantissa as wide);
  if (exponent == 0 && channel.scaleMantissa == 1) putInteger(mantissa);
  else putDecimal(exponent, mantissa);
}

/** value × mantissa × 10^exponent with one rounding: 24 and 14 bits multiply exactly in a double. */
function scaled(value: f32, mantissa: u32, exponent: i32): f64 {
  const product = (value as f64) * mantissa;
  let power: f64 = 1;
  for (let step = exponent < 0 ? -exponent : exponent; step > 0; step--) power *= 10;
  return exponent < 0 ? product / power : product * power;
}
