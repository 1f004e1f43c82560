// SPDX-License-Identifier: MIT
// What taps find out, on its way: a short queue of ring records, told at QoS 0.
//
// Spec: SPEC.md §1.4 (kinds 5, 6), §16. loop says each row again within a minute, so nothing waits for an
// acknowledgement and nothing is kept: a full queue pushes out the oldest record and counts it.
// Runs of numbers name the places: `first` .. `next` - 1 wait. State: `findings`, ENTRIES.

import { USES_FINDINGS } from "../generated/uses";
import { FINDINGS_MAX, RECORD_VALUE_BYTES_MAX } from "../limits";
import {
  FINDINGS_BOOT,
  FINDINGS_ITEMS,
  FINDINGS_LOST,
  FORM_COUNT,
  FORM_LINE,
} from "../wire/finding";
import {
  KIND_LINE,
  RECORD_CHANNEL,
  RECORD_FORM,
  RECORD_KIND,
  RECORD_VALUE,
  RECORD_VALUE_BYTES,
} from "../wire/record";
import { put, putArray, putMap, putUnsigned, writer } from "./cbor";
import { node } from "./node";
import { due, FINDINGS_LINGER_MS } from "./timing";

/** One record; its value follows. */
@unmanaged
class Entry {
  tap: u8;
  form: u8;
  rows: u8;
  spare: u8;
}
const ENTRY_BYTES: u32 = offsetof<Entry>() + RECORD_VALUE_BYTES_MAX;
const ITEMS_MAX: u32 = 23; // the head of their array is one octet
const ARRAY: u32 = 0x80;
const HALF_FULL: u32 = FINDINGS_MAX / 2;

// By form: octets of the fields of a row (wire/finding.ts), four bits each, the first field lowest.
const WIDTHS: usize = USES_FINDINGS
  ? memory.data<u64>([0x421111114, 0x442222211, 0x44444422211, 0x4422])
  : 0;

export namespace findings {
  export let first: u32 = 0;
  export let next: u32 = 0;
  export let lost: u32 = 0;
  export let leaving: u32 = 0; // records in the packet that goes out now; they leave when the host took it
  export let lingerMs: u32 = 0; // when they leave even if few
}
const ENTRIES: usize = USES_FINDINGS ? memory.data(FINDINGS_MAX * ENTRY_BYTES, 4) : 0;

function entryAt(number: u32): Entry {
  return changetype<Entry>(ENTRIES + (number % FINDINGS_MAX) * ENTRY_BYTES);
}

function widthsOf(form: u32): u64 {
  return load<u64>(WIDTHS + ((form as usize) << 3));
}

function rowBytes(form: u32): u32 {
  let bytes: u32 = 0;
  for (let rest = widthsOf(form); rest != 0; rest >>= 4) bytes += (rest & 15) as u32;
  return bytes;
}

function formOf(record: usize): u32 {
  return load<u8>(record, RECORD_KIND) == KIND_LINE ? FORM_LINE : load<u8>(record, RECORD_FORM);
}

/** True when the record of kind 5 or 6 holds whole rows of its form. */
export function isFindingSound(record: usize): bool {
  const form = formOf(record);
  const bytes: u32 = load<u8>(record, RECORD_VALUE_BYTES);
  const isLine = load<u8>(record, RECORD_KIND) == KIND_LINE;
  if (form >= (FORM_COUNT as u32) || isLine != (form == FORM_LINE)) return false;
  return bytes > 0 && bytes <= (RECORD_VALUE_BYTES_MAX as u32) && bytes % rowBytes(form) == 0;
}

/** Takes a sound record. */
export function addFinding(record: usize, nowMs: u32): void {
  if (findings.next - findings.first == FINDINGS_MAX) {
    findings.first++;
    findings.lost++;
  }
  if (!findingsWait()) findings.lingerMs = nowMs + FINDINGS_LINGER_MS;
  const entry = entryAt(findings.next++);
  const bytes: u32 = load<u8>(record, RECORD_VALUE_BYTES);
  entry.tap = load<u8>(record, RECORD_CHANNEL);
  entry.form = formOf(record) as u8;
  entry.rows = (bytes / rowBytes(entry.form)) as u8;
  memory.copy(changetype<usize>(entry) + offsetof<Entry>(), record + RECORD_VALUE, bytes);
}

export function findingsWait(): bool {
  return findings.first != findings.next;
}

/** When what waits wants to leave: at once when half of the queue is full. */
export function findingsDueMs(nowMs: u32): u32 {
  return findings.next - findings.first >= HALF_FULL ? nowMs : findings.lingerMs;
}

export function findingsReady(nowMs: u32): bool {
  return findingsWait() && due(nowMs, findingsDueMs(nowMs));
}

/** Writes a message to the writer, of as many records as fit; how many. */
export function encodeFindings(): u32 {
  putMap(findings.lost > 0 ? 3 : 2);
  putUnsigned(FINDINGS_BOOT);
  putUnsigned(node.boot);
  if (findings.lost > 0) {
    putUnsigned(FINDINGS_LOST);
    putUnsigned(findings.lost);
  }
  putUnsigned(FINDINGS_ITEMS);
  const head = writer.at;
  put(ARRAY, 1);
  let items: u32 = 0;
  let number = findings.first;
  for (; number != findings.next; number++) {
    const entry = entryAt(number);
    const start = writer.at;
    if (items + entry.rows > ITEMS_MAX) break;
    encodeEntry(entry);
    if (writer.failed) {
      writer.at = start;
      writer.failed = false;
      break;
    }
    items += entry.rows;
  }
  // One record always fits: its rows have at most 64 octets of fields, each with one octet more.
  assert(items > 0);
  store<u8>(head, ARRAY | items);
  return number - findings.first;
}

/** What became of the packet that was to go out: if the host took it, its records are gone. */
export function findingsSent(taken: bool, nowMs: u32): void {
  if (taken && findings.leaving > 0) {
    findings.first += findings.leaving;
    findings.lingerMs = nowMs; // what is left has waited already
  }
  findings.leaving = 0;
}

function encodeEntry(entry: Entry): void {
  let at = changetype<usize>(entry) + offsetof<Entry>();
  for (let row: u32 = entry.rows; row > 0; row--) {
    const widths = widthsOf(entry.form);
    let fields: u32 = 2;
    for (let rest = widths; rest != 0; rest >>= 4) fields++;
    putArray(fields);
    putUnsigned(entry.form);
    putUnsigned(entry.tap);
    for (let rest = widths; rest != 0; rest >>= 4) {
      const width = (rest & 15) as u32;
      putUnsigned(width == 1 ? load<u8>(at) : width == 2 ? load<u16>(at) : load<u32>(at));
      at += width;
    }
  }
}
