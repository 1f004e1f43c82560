// SPDX-License-Identifier: MIT
// Whether a loop keeps the limits of its node.json, seen from outside.
//
// Looks at what crosses loop's border: duties, and readings of set-points, which are the effective
// values. Where it is right this says false for ever. The limits come from node.json, not from the module.

import {
  KIND_READING,
  RECORD_CHANNEL,
  RECORD_KIND,
  RECORD_TYPE,
  RECORD_VALUE,
  TYPE_I32,
} from "../firmware/wire/record.ts";
import type { NodePlan } from "./plan.ts";

/** A duty outside min..max of its output that is not the safe one either. */
export function isDutyBeyond({ outputs }: NodePlan, output: number, duty: number): boolean {
  for (const { output: number, safeDuty, minDuty = -Infinity, maxDuty = Infinity } of outputs) {
    if (number === output && duty !== safeDuty) return duty < minDuty || duty > maxDuty;
  }
  return false;
}

/** A ring record at `at` that says an effective set-point outside its min..max. */
export function isRecordBeyond({ setpoints }: NodePlan, bytes: Uint8Array, at: number): boolean {
  if (setpoints === undefined || bytes[at + RECORD_KIND] !== KIND_READING) return false;
  for (const { channel, min, max } of setpoints) {
    if (channel !== bytes[at + RECORD_CHANNEL] || bytes[at + RECORD_TYPE] !== TYPE_I32) continue;
    const value = Buffer.from(bytes.buffer, bytes.byteOffset).readInt32LE(at + RECORD_VALUE);
    return value < min || value > max;
  }
  return false;
}
