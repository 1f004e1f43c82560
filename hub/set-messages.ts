// SPDX-License-Identifier: MIT
// Set-point messages: the write to a node, and the node's answer.
//
// Spec: SPEC.md §2, `set` and `set/result`. Deterministic CBOR; a value is an integer, or 4([e, m])
// where the set-point has digits after the point.

import type { CborCheck, CborError } from "./cbor.ts";
import * as cbor from "./cbor-reader.ts";
import * as limits from "./limits.ts";
import { isName } from "./names.ts";

export interface SetMessage {
  request: number; // u32
  name: string;
  mantissa: number;
  decimals: number;
  lifetimeMs: number; // 0: the set-point's own
}

export interface SetResult {
  request: number;
  name: string;
  requested: number | null;
  effective: number | null;
  code: number;
}

export type ResultError = CborError | "not-a-result";

// Codes below 16 come from loop, the others from link without asking it.
export const CODE_APPLIED = 0;
export const CODE_CLAMPED = 1;
export const CODE_STALE = 2;

/** Why a node did not do as it was asked, by code. */
export function resultReason(code: number): string | null {
  return REASONS.get(code) ?? (code <= CODE_APPLIED ? null : `the node gives code ${code}`);
}

const REASONS = new Map<number, string>([
  [CODE_CLAMPED, "the node took the nearest value that it can take now"],
  [CODE_STALE, "no write came in time, the node went back to the default"],
  [3, "an interlock of the node refused it"],
  [16, "the node knows no such set-point"],
  [17, "the node finds it below the least value"],
  [18, "the node finds it above the greatest value"],
  [19, "the node cannot tell such small steps apart"],
  [20, "the node has too many writes waiting"],
  [21, "the node could not read the write"],
]);

export function encodeSet({ request, name, mantissa, decimals, lifetimeMs }: SetMessage) {
  const bytes: number[] = [0xa4, 0x00];
  putHead(bytes, 0, request);
  bytes.push(0x01);
  putHead(bytes, 3, name.length);
  for (let i = 0; i < name.length; i++) bytes.push(name.charCodeAt(i)); // names are ASCII
  bytes.push(0x02);
  if (decimals > 0) {
    bytes.push(0xc4, 0x82);
    putInteger(bytes, -decimals);
  }
  putInteger(bytes, mantissa);
  bytes.push(0x03);
  putHead(bytes, 0, lifetimeMs);
  return Uint8Array.from(bytes);
}

/** Decodes an answer; a string is an error. */
export function decodeSetResult(
  check: CborCheck,
  reader: cbor.CborReader,
  bytes: Uint8Array,
): SetResult | ResultError {
  const error = check(bytes, RESULT_LIMITS);
  if (error !== null) return error;
  cbor.startReading(reader, bytes);
  if (cbor.majorType(reader) !== 5) return "not-a-result";
  const result: SetResult = { request: -1, name: "", requested: null, effective: null, code: -1 };
  const pairs = cbor.takeMap(reader);
  for (let i = 0; i < pairs && !reader.failed; i++) {
    const key = cbor.takeKey(reader);
    if (key === cbor.KEY_REQUIRED_TEXT) return "bad-key";
    takeField(reader, result, key);
  }
  if (reader.failed) return "bad-field";
  const whole = result.request >= 0 && result.code >= 0;
  return whole ? result : "not-a-result";
}

const U32_MAX = 0xffff_ffff;
const RESULT_LIMITS = { bytesMax: limits.MESSAGE_BYTES_MAX, depthMax: 3 }; // map, fraction, spare

function takeField(reader: cbor.CborReader, result: SetResult, key: number): void {
  if (key === 0) result.request = cbor.takeUnsigned(reader, U32_MAX);
  else if (key === 1) result.name = takeSetName(reader);
  else if (key === 2) result.requested = cbor.takeNumber(reader);
  else if (key === 3) result.effective = cbor.takeNumber(reader);
  else if (key === 4) result.code = cbor.takeUnsigned(reader, 255);
  else cbor.skipItem(reader);
}

function takeSetName(reader: cbor.CborReader): string {
  const name = cbor.takeText(reader, limits.NAME_CHARS_MAX);
  if (!isName(name)) reader.failed = true;
  return name;
}

function putInteger(bytes: number[], value: number): void {
  if (value < 0) putHead(bytes, 1, -1 - value);
  else putHead(bytes, 0, value);
}

/** Initial octet and argument, up to u32, in the shortest form. */
function putHead(bytes: number[], major: number, argument: number): void {
  const initial = major << 5;
  if (argument < 24) bytes.push(initial | argument);
  else if (argument < 0x100) bytes.push(initial | 24, argument);
  else if (argument < 0x10000) bytes.push(initial | 25, argument >>> 8, argument & 255);
  else {
    bytes.push(initial | 26, argument >>> 24, (argument >>> 16) & 255);
    bytes.push((argument >>> 8) & 255, argument & 255);
  }
}
