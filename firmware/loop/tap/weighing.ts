// SPDX-License-Identifier: MIT
// Weights of Toledo Continuous: shown, gross, net, tare, and whether they move.
//
// Spec: SPEC.md §17 "Scales"; events of toledo.ts: "weight", then "tare", both with SWB as code. A weight that moves
// is uncertain; out of range, blank, expanded or not in kilograms it is none. No state but the weight that waits.

import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
} from "../../wire/record";
import { TAP_EVENT_TEXT, TapEvent } from "./event";
import { UNIT_KILOGRAM } from "./object";

export const WEIGHT_SHOWN = 0;
export const WEIGHT_GROSS = 1;
export const WEIGHT_NET = 2;
export const WEIGHT_TARE = 3;
export const WEIGHT_MOTION = 4; // 1: it moves

const SWB_NET = 1;
const SWB_NEGATIVE = 2;
const SWB_OUT_OF_RANGE = 4;
const SWB_MOTION = 8;

/** One message. */
@unmanaged
export class Weighing {
  weight: i64; // digits, with those of the tare
  tare: i64;
  weightCause: i32;
  tareCause: i32;
  decimals: i32;
  status: i32; // SWB
}

/** Takes an event; true when the message is whole. */
export function takeWeighing(held: Weighing, event: TapEvent): bool {
  const isTare = event.nameBytes == 4; // "tare"
  let cause = event.kind == TAP_EVENT_TEXT ? CAUSE_NOT_A_NUMBER : CAUSE_NONE;
  if (event.unitCode != UNIT_KILOGRAM) cause = CAUSE_NOT_A_NUMBER;
  if (isTare) {
    held.tare = event.digits;
    held.tareCause = cause;
    return true;
  }
  held.status = event.code;
  held.decimals = event.decimals;
  held.weight = event.digits;
  if (event.code & SWB_OUT_OF_RANGE)
    cause = event.code & SWB_NEGATIVE ? CAUSE_UNDER_RANGE : CAUSE_OVER_RANGE;
  held.weightCause = cause;
  return false;
}

/** Why the wanted weight is none; CAUSE_NONE: weighed() has it. */
export function weighedCause(held: Weighing, wanted: i32): i32 {
  if (wanted == WEIGHT_MOTION) return CAUSE_NONE;
  if (wanted == WEIGHT_TARE) return held.tareCause;
  if (held.weightCause != CAUSE_NONE) return held.weightCause;
  return wanted == WEIGHT_SHOWN || isShown(held, wanted) ? CAUSE_NONE : held.tareCause;
}

/** Digits of the wanted weight; of motion 0 or 1. */
export function weighed(held: Weighing, wanted: i32): i64 {
  if (wanted == WEIGHT_MOTION) return isMoving(held) ? 1 : 0;
  if (wanted == WEIGHT_TARE) return held.tare;
  if (wanted == WEIGHT_SHOWN || isShown(held, wanted)) return held.weight;
  return wanted == WEIGHT_GROSS ? held.weight + held.tare : held.weight - held.tare;
}

export function isMoving(held: Weighing): bool {
  return (held.status & SWB_MOTION) != 0;
}

function isShown(held: Weighing, wanted: i32): bool {
  return wanted == ((held.status & SWB_NET) != 0 ? WEIGHT_NET : WEIGHT_GROSS);
}
