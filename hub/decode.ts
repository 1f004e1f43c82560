// SPDX-License-Identifier: MIT
// A pack of readings or events: octets to typed entries, or the name of the error.
//
// Spec: SPEC.md §3, RFC 8428. A pack is taken as a whole or refused as a whole.
// (D1) the pack returned is the decoder's own and valid until the next call; its entries are used again.
// (D2) a bad reading has a cause and no value; a good or uncertain one has a finite value, or a text of
//      printable ASCII. Both stand under vs: the quality says which it is.
// (D3) integer keys that are not in the table are refused, since they would change the meaning (base
//      value, sum, unit); unknown text keys are passed over unless they end with _ (RFC 8428 §4.4).

import { QUALITY_BAD, QUALITY_GOOD, QUALITY_UNCERTAIN } from "../firmware/wire/record.ts";
import * as senml from "../firmware/wire/senml.ts";
import type { CborCheck, CborError } from "./cbor.ts";
import * as cbor from "./cbor-reader.ts";
import * as limits from "./limits.ts";
import { isName } from "./names.ts";

/** Why a pack was refused; the words of SPEC.md §3. */
export type PackError = CborError | "not-a-pack" | "no-value" | "no-sequence";

export interface Entry {
  sequence: number;
  name: string; // the channel
  alarm: string; // of an event; "" in a reading
  active: boolean; // of an event
  value: number; // NaN: none
  decimals: number; // digits after the point; -1: a float
  quality: number; // QUALITY_* of wire/record.ts
  cause: string; // of a bad reading; "": none
  text: string | null; // of a reading that is a text, which has no value
  notice: number[] | null; // of a tap: unit, code, address, quantity, value, times
  offsetMs: number; // after the base time, or after the arrival where there is none
}

export interface Pack {
  baseName: string; // urn:dev:mac:<16 hex digits>_
  boot: number;
  baseMs: number; // NaN: the node had no wall time
  count: number; // entries in use
  entries: Entry[];
}

export type PackKind = "data" | "event";

export const CAUSES: readonly string[] = [
  "open-wire",
  "over-range",
  "under-range",
  "stale",
  "not-a-number",
  "no-input",
];

/** Decodes packs; see (D1). A string is an error. */
export type PackDecoder = (bytes: Uint8Array, kind: PackKind) => Pack | PackError;

export function createPackDecoder(check: CborCheck, reader: cbor.CborReader): PackDecoder {
  const pack = emptyPack();
  const record = emptyRecord();
  return (bytes, kind) => {
    const error = check(bytes, PACK_LIMITS);
    if (error !== null) return error;
    cbor.startReading(reader, bytes);
    const count = cbor.majorType(reader) === 4 ? cbor.takeArray(reader) : 0;
    if (count === 0) return "not-a-pack";
    pack.count = count;
    for (let index = 0; index < count; index++) {
      const bad = takeRecord(reader, record) ?? putEntry(pack, index, record, kind);
      if (bad !== null) return bad;
    }
    return pack;
  };
}

const PACK_LIMITS = { bytesMax: limits.MESSAGE_BYTES_MAX, depthMax: limits.PACK_DEPTH_MAX };
const U32_MAX = 0xffff_ffff;
const NOTICE_MAX = [254, 127, 0xffff, 0xffff, U32_MAX, 0xffff] as const;
const NOTICE_ITEMS = NOTICE_MAX.length;
const BASE_NAME = /^urn:dev:mac:[0-9a-f]{16}_$/;
const BASE_NAME_CHARS = 29;
const EVENT_NAME_CHARS_MAX = 2 * limits.NAME_CHARS_MAX + 1;

// The fields of one record as they stand there; what is absent is "", NaN, -1 or null.
interface Fields {
  name: string;
  value: number;
  decimals: number;
  text: string | null;
  active: boolean | null;
  offsetMs: number;
  baseName: string;
  baseMs: number;
  boot: number;
  quality: number;
  sequence: number;
  eventValue: number;
  notice: number[] | null;
}

function emptyRecord(): Fields {
  return {
    name: "",
    value: NaN,
    decimals: 0,
    text: null,
    active: null,
    offsetMs: 0,
    baseName: "",
    baseMs: NaN,
    boot: -1,
    quality: QUALITY_GOOD,
    sequence: -1,
    eventValue: NaN,
    notice: null,
  };
}

function emptyPack(): Pack {
  const entries: Entry[] = [];
  for (let i = 0; i < limits.RECORDS_MAX; i++)
    entries.push({
      sequence: 0,
      name: "",
      alarm: "",
      active: false,
      value: NaN,
      decimals: 0,
      quality: QUALITY_GOOD,
      cause: "",
      text: null,
      notice: null,
      offsetMs: 0,
    });
  return { baseName: "", boot: 0, baseMs: NaN, count: 0, entries };
}

function clear(record: Fields): void {
  record.name = "";
  record.value = NaN;
  record.decimals = 0;
  record.text = null;
  record.active = null;
  record.offsetMs = 0;
  record.baseName = "";
  record.baseMs = NaN;
  record.boot = -1;
  record.quality = QUALITY_GOOD;
  record.sequence = -1;
  record.eventValue = NaN;
  record.notice = null;
}

function takeRecord(reader: cbor.CborReader, record: Fields): PackError | null {
  clear(record);
  if (cbor.majorType(reader) !== 5) return "not-a-pack";
  const pairs = cbor.takeMap(reader);
  for (let i = 0; i < pairs; i++)
    if (!takeField(reader, record, cbor.takeKey(reader))) return "bad-key";
  return reader.failed ? "bad-field" : null;
}

/** One field of a record; false: a key that nobody may pass over. */
function takeField(reader: cbor.CborReader, record: Fields, key: number): boolean {
  switch (key) {
    case senml.LABEL_NAME:
      record.name = cbor.takeText(reader, EVENT_NAME_CHARS_MAX);
      return true;
    case senml.LABEL_VALUE:
      record.value = cbor.takeNumber(reader);
      record.decimals = reader.decimals;
      return true;
    case senml.LABEL_STRING_VALUE:
      record.text = cbor.takeTextOrEmpty(reader, limits.READING_CHARS_MAX);
      return true;
    case senml.LABEL_BOOLEAN_VALUE:
      record.active = cbor.takeBoolean(reader);
      return true;
    case senml.LABEL_TIME:
      record.offsetMs = takeMilliseconds(reader);
      return true;
    case senml.LABEL_BASE_NAME:
      record.baseName = cbor.takeText(reader, BASE_NAME_CHARS);
      return true;
    case senml.LABEL_BASE_TIME:
      record.baseMs = takeMilliseconds(reader);
      return true;
    case cbor.KEY_TEXT + senml.LABEL_BOOT:
      record.boot = cbor.takeUnsigned(reader, U32_MAX);
      return true;
    case cbor.KEY_TEXT + senml.LABEL_NOTICE:
      record.notice = takeNotice(reader);
      return true;
    case cbor.KEY_TEXT + senml.LABEL_QUALITY:
      record.quality = cbor.takeUnsigned(reader, QUALITY_BAD);
      return true;
    case cbor.KEY_TEXT + senml.LABEL_SEQUENCE:
      record.sequence = cbor.takeUnsigned(reader, U32_MAX);
      return true;
    case cbor.KEY_TEXT + senml.LABEL_EVENT_VALUE:
      record.eventValue = cbor.takeNumber(reader);
      record.decimals = reader.decimals;
      return true;
    default:
      if (key < cbor.KEY_TEXT || key > cbor.KEY_UNKNOWN_TEXT) return false;
      cbor.skipItem(reader);
      return true;
  }
}

/** Key e: six whole numbers, the first of them -1 or a unit. */
function takeNotice(reader: cbor.CborReader): number[] {
  if (cbor.takeArray(reader) !== NOTICE_ITEMS) reader.failed = true;
  const unit = cbor.takeInteger(reader);
  if (unit < -1 || unit > NOTICE_MAX[0]!) reader.failed = true;
  return NOTICE_MAX.map((max, i) => (i === 0 ? unit : cbor.takeUnsigned(reader, max)));
}

/** SPEC.md §3: times are 4([-3, ms]). */
function takeMilliseconds(reader: cbor.CborReader): number {
  cbor.takeFraction(reader);
  if (reader.exponent !== senml.TIME_EXPONENT) reader.failed = true;
  return reader.mantissa;
}

function putEntry(pack: Pack, index: number, record: Fields, kind: PackKind): PackError | null {
  if (index === 0) {
    if (record.boot < 0 || record.sequence < 0) return "no-sequence";
    if (!BASE_NAME.test(record.baseName)) return "bad-field";
    if (!(Number.isNaN(record.baseMs) || isWallMs(record.baseMs))) return "bad-field";
    pack.baseName = record.baseName;
    pack.boot = record.boot;
    pack.baseMs = record.baseMs;
  } else if (record.boot >= 0 || record.baseName !== "" || !Number.isNaN(record.baseMs))
    return "bad-field"; // base fields stand in the first record only
  const entry = pack.entries[index];
  if (entry === undefined) return "too-many-records";
  const before = index === 0 ? 0 : (pack.entries[index - 1]?.sequence ?? 0);
  entry.sequence = record.sequence < 0 ? before + 1 : record.sequence;
  if (entry.sequence > U32_MAX) return "bad-field";
  entry.offsetMs = record.offsetMs;
  if (!Number.isNaN(pack.baseMs) && !isWallMs(pack.baseMs + record.offsetMs)) return "bad-field";
  if (Math.abs(record.offsetMs) > limits.WALL_MS_MAX) return "bad-field";
  entry.quality = record.quality;
  entry.decimals = record.decimals;
  return kind === "data" ? putReading(entry, record) : putEvent(entry, record);
}

function putReading(entry: Entry, record: Fields): PackError | null {
  const hasValue = !Number.isNaN(record.value);
  const { text } = record;
  if (!hasValue && text === null) return record.active === null ? "no-value" : "bad-field";
  if (record.active !== null || !Number.isNaN(record.eventValue)) return "bad-field";
  if (record.notice !== null) return "bad-field";
  const bad = record.quality === QUALITY_BAD;
  if (hasValue === (text !== null) || (bad && hasValue)) return "bad-field";
  if (bad && !CAUSES.includes(text ?? "")) return "bad-field";
  if (!isChannelName(record.name)) return "bad-field";
  entry.name = record.name;
  entry.alarm = "";
  entry.active = false;
  entry.value = record.value;
  entry.cause = bad ? (text ?? "") : "";
  entry.text = bad ? null : text;
  entry.notice = null;
  return null;
}

function putEvent(entry: Entry, record: Fields): PackError | null {
  if (record.active === null)
    return Number.isNaN(record.value) && record.text === null ? "no-value" : "bad-field";
  if (!Number.isNaN(record.value) || record.text !== null) return "bad-field";
  // A channel name may hold a slash, an alarm name does not: the last one divides them.
  const slash = record.name.lastIndexOf("/");
  const channel = record.name.slice(0, Math.max(slash, 0));
  const alarm = record.name.slice(slash + 1);
  if (!isChannelName(channel) || !isChannelName(alarm)) return "bad-field";
  entry.name = channel;
  entry.alarm = alarm;
  entry.active = record.active;
  entry.value = record.eventValue;
  entry.cause = "";
  entry.text = null;
  entry.notice = record.notice;
  return null;
}

function isChannelName(name: string): boolean {
  return name.length <= limits.NAME_CHARS_MAX && isName(name);
}

function isWallMs(value: number): boolean {
  return value >= 0 && value <= limits.WALL_MS_MAX;
}

/** The word of the HTTP API for a quality. */
export function qualityName(quality: number): "good" | "uncertain" | "bad" {
  if (quality === QUALITY_GOOD) return "good";
  return quality === QUALITY_UNCERTAIN ? "uncertain" : "bad";
}
