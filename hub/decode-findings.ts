// SPDX-License-Identifier: MIT
// What taps find out: octets to typed items, or the name of the error.
//
// Spec: SPEC.md §16. A message is taken whole or refused whole. An item of a form that is not known, and
// fields behind those that are, are passed over, so that a newer node still shows.

import * as wire from "../firmware/wire/finding.ts";
import { INVENTORY_POLLS_MAX, INVENTORY_REGISTERS_MAX } from "../firmware/limits.ts";
import type { CborCheck, CborError } from "./cbor.ts";
import * as cbor from "./cbor-reader.ts";
import * as limits from "./limits.ts";

export type FindingsError = CborError | "not-findings";

/** What line a tap hears. */
export interface LineItem {
  form: "line";
  tap: number;
  baud: number; // 0: none
  format: number; // LINE_FORMATS
  inverted: boolean;
  protocol: number;
  confidence: number; // %
  coverage: number; // %
  phase: number;
  frames: number;
  edges: number;
}

export interface RegisterItem {
  form: "register";
  tap: number;
  unit: number;
  code: number;
  address: number;
  value: number;
  min: number;
  max: number;
  writes: number;
  changes: number;
  samples: number;
}

export interface PollItem {
  form: "poll";
  tap: number;
  unit: number;
  code: number;
  address: number;
  quantity: number;
  reason: number;
  answered: number;
  exceptions: number;
  unanswered: number;
  periodMs: number;
  answerUs: number;
  answerUsMax: number;
}

export interface TotalsItem {
  form: "totals";
  tap: number;
  registers: number;
  polls: number;
  registersLeftOut: number;
  pollsLeftOut: number;
}

export type FindingItem = LineItem | RegisterItem | PollItem | TotalsItem;

export interface Findings {
  boot: number;
  lost: number; // records that the node pushed out
  items: FindingItem[];
}

/** Decodes a message; a string is an error. */
export function decodeFindings(
  check: CborCheck,
  reader: cbor.CborReader,
  bytes: Uint8Array,
): Findings | FindingsError {
  const error = check(bytes, FINDINGS_LIMITS);
  if (error !== null) return error;
  cbor.startReading(reader, bytes);
  if (cbor.majorType(reader) !== 5) return "not-findings";
  const findings: Findings = { boot: -1, lost: 0, items: [] };
  const pairs = cbor.takeMap(reader);
  for (let i = 0; i < pairs && !reader.failed; i++) {
    const key = cbor.takeKey(reader);
    if (key === cbor.KEY_REQUIRED_TEXT) return "bad-key";
    takeField(reader, findings, key);
  }
  if (reader.failed) return "bad-field";
  return findings.boot >= 0 && findings.items.length > 0 ? findings : "not-findings";
}

const U16 = 0xffff;
const U32 = 0xffff_ffff;
const FINDINGS_LIMITS = { bytesMax: limits.MESSAGE_BYTES_MAX, depthMax: limits.STATUS_DEPTH_MAX };
// Fields of each form behind the form and the tap.
const FIELDS = [9, 9, 11, 4];

function takeField(reader: cbor.CborReader, findings: Findings, key: number): void {
  if (key === wire.FINDINGS_BOOT) findings.boot = cbor.takeUnsigned(reader, U32);
  else if (key === wire.FINDINGS_LOST) findings.lost = cbor.takeUnsigned(reader, U32);
  else if (key === wire.FINDINGS_ITEMS) {
    const count = cbor.takeArray(reader);
    for (let i = 0; i < count && !reader.failed; i++) {
      const item = takeItem(reader);
      if (item !== null) findings.items.push(item);
    }
  } else cbor.skipItem(reader);
}

/** An item; null: of a form that is not known. */
function takeItem(reader: cbor.CborReader): FindingItem | null {
  const fields = cbor.takeArray(reader) - 2;
  if (fields < 0) reader.failed = true;
  const form = cbor.takeUnsigned(reader, U32);
  const tap = cbor.takeUnsigned(reader, limits.TAPS_MAX - 1);
  const wanted = FIELDS[form] ?? 0;
  if (fields < wanted) reader.failed = true;
  const item = reader.failed ? null : takeForm(reader, form, tap);
  for (let rest = fields - wanted; rest > 0 && !reader.failed; rest--) cbor.skipItem(reader);
  return item;
}

function takeForm(reader: cbor.CborReader, form: number, tap: number): FindingItem | null {
  const up = (max: number): number => cbor.takeUnsigned(reader, max);
  switch (form) {
    case wire.FORM_LINE:
      return {
        ...{ form: "line", tap, baud: up(U32), format: up(255), inverted: up(1) === 1 },
        ...{ protocol: up(255), confidence: up(100), coverage: up(100), phase: up(255) },
        ...{ frames: up(U16), edges: up(U32) },
      };
    case wire.FORM_REGISTERS:
      return {
        ...{ form: "register", tap, unit: up(255), code: up(127), address: up(U16) },
        ...{ value: up(U16), min: up(U16), max: up(U16), writes: up(U16) },
        ...{ changes: up(U32), samples: up(U32) },
      };
    case wire.FORM_POLLS:
      return {
        ...{ form: "poll", tap, unit: up(255), code: up(127), address: up(U16) },
        ...{ quantity: up(U16), reason: up(U16), answered: up(U32), exceptions: up(U32) },
        ...{ unanswered: up(U32), periodMs: up(U32), answerUs: up(U32), answerUsMax: up(U32) },
      };
    case wire.FORM_TOTALS:
      return {
        ...{ form: "totals", tap, registers: up(INVENTORY_REGISTERS_MAX) },
        ...{ polls: up(INVENTORY_POLLS_MAX), registersLeftOut: up(U32), pollsLeftOut: up(U32) },
      };
    default:
      return null;
  }
}
