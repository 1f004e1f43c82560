// SPDX-License-Identifier: MIT
// What became of commands: a short queue of results until the gateway has them.
//
// Spec: SPEC.md §8. Kept over a reconnect. Full: the oldest is dropped and counted, since the newest
// result is the one that is true now. Runs of numbers name the places: `first` .. `next` - 1 wait.
// State: `results`, ENTRIES.

import { USES_SETPOINTS } from "../generated/uses";
import { NAME_BYTES_MAX, RESULTS_MAX } from "../limits";
import { wide } from "../wide";
import { COUNTER_RESULTS_DROPPED } from "../wire/counters";
import {
  CODE_MALFORMED,
  CODE_UNKNOWN_NAME,
  RESULT_CODE,
  RESULT_EFFECTIVE,
  RESULT_NAME,
  RESULT_REQUEST,
  RESULT_REQUESTED,
} from "../wire/setpoint";
import { putDecimal, putInteger, putMap, putRaw, putTextHead, putUnsigned } from "./cbor";
import { count } from "./counters";

/** One result; its name follows it. Values are `mantissa x 10^exponent`. */
@unmanaged
export class Result {
  requested: wide;
  request: u32;
  effective: i32; // of loop's codes only
  exponent: i8;
  code: u8;
  nameBytes: u8;
}
const ENTRY_BYTES: u32 = 56; // a multiple of 8
export const RESULT_NAME_OFFSET: u32 = 20;

export namespace results {
  export let first: u32 = 0;
  export let next: u32 = 0;
}
const ENTRIES: usize = memory.data(USES_SETPOINTS ? RESULTS_MAX * ENTRY_BYTES : ENTRY_BYTES, 8);

function resultAt(number: u32): Result {
  return changetype<Result>(ENTRIES + (number % RESULTS_MAX) * ENTRY_BYTES);
}

export function resultWaits(): bool {
  return results.first != results.next;
}

/** A new result at the end of the queue with its name; the caller fills the rest. */
export function addResult(name: usize, nameBytes: u32): Result {
  assert(nameBytes <= (NAME_BYTES_MAX as u32));
  if (results.next - results.first == RESULTS_MAX) {
    results.first++;
    count(COUNTER_RESULTS_DROPPED);
  }
  const result = resultAt(results.next++);
  result.nameBytes = nameBytes as u8;
  memory.copy(changetype<usize>(result) + RESULT_NAME_OFFSET, name, nameBytes);
  return result;
}

/** The result of this number reached the gateway, or it refuses it; it may have been dropped meanwhile. */
export function settleResult(number: u32, acknowledged: bool): void {
  if (number != results.first) return;
  results.first++;
  if (!acknowledged) count(COUNTER_RESULTS_DROPPED);
}

/** Writes the oldest result to the writer. */
export function encodeResult(): void {
  const result = resultAt(results.first);
  const isNamed = result.code != CODE_MALFORMED;
  const isOfLoop = (result.code as i32) < CODE_UNKNOWN_NAME;
  putMap(2 + (isNamed ? 2 : 0) + (isOfLoop ? 1 : 0));
  putUnsigned(RESULT_REQUEST);
  putUnsigned(result.request);
  if (isNamed) {
    putUnsigned(RESULT_NAME);
    putTextHead(result.nameBytes);
    putRaw(changetype<usize>(result) + RESULT_NAME_OFFSET, result.nameBytes);
    putUnsigned(RESULT_REQUESTED);
    putValue(result.requested, result.exponent);
  }
  if (isOfLoop) {
    putUnsigned(RESULT_EFFECTIVE);
    putValue(result.effective as wide, result.exponent);
  }
  putUnsigned(RESULT_CODE);
  putUnsigned(result.code);
}

function putValue(mantissa: wide, exponent: i32): void {
  if (exponent == 0) putInteger(mantissa);
  else putDecimal(exponent, mantissa);
}
