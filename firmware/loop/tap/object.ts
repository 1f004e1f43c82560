// SPDX-License-Identifier: MIT
// Objects of a meter that a node wants, held back until their check is right.
//
// Spec: SPEC.md §17 "Meters"; object codes A-B:C.D.E*F of IEC 62056-61. A telegram may have hundreds of objects and no end in memory:
// only those that a channel names are kept, OBJECT_SLOT_BYTES each. What a telegram says twice counts as
// it was said last.
//
//   clearObjects -> openObject ► keepValue ... -> releaseObjects (the check is right) ► takeObject until false

import { USES_FREE_SLOTS } from "../../generated/uses";
import { TAP_EVENT_READING, TAP_EVENT_TEXT, TapEvent, UNIT_NONE } from "./event";

/** A key says which A-B it means; without, any do. */
export const KEY_MEDIUM: u64 = 1 << 48;
/** Of a slot that takes the first object that no slot before it means; where nobody knows what will be said. */
export const KEY_FREE: u64 = 1 << 49;
const KEY_BODY: u64 = 0xffff_ffff; // C, D, E, F
const KEY_ALL: u64 = 0xffff_ffff_ffff;

// How good what was kept is: of several values of an object the best counts, and of equals the last.
export const RANK_NONE = 0; // not said in this telegram
export const RANK_TEXT = 1; // said, but no number
export const RANK_NUMBER = 2;
export const RANK_MEASURED = 3; // a number with its unit

/** One object that is wanted. */
@unmanaged
export class ObjectSlot {
  digits: i64; // number = digits x 10^-decimals
  key: u64; // A at bit 40, B, C, D, E, F at bit 0; KEY_MEDIUM
  decimals: i32;
  serial: i32; // which object of the telegram it was
  part: u8; // which of several values, 1 the first; 0: the best
  rank: u8;
  unit: u8; // UNIT_*
  reserved0: u8;
  reserved: i32; // a multiple of 8 in all
}

export const OBJECT_SLOT_BYTES: usize = offsetof<ObjectSlot>();
const KEY_AT: usize = 8; // behind the digits

/** What a decoder that hears objects keeps of them. */
@unmanaged
export class Objects {
  slots: usize;
  count: i32;
  serial: i32; // of the open object
  next: i32; // slot that is told next; `count`: none
  spare: i32;
  key: u64; // of the open object
}

// Units as IEC 62056-6-2 numbers them
export const UNIT_SECOND = 7;
export const UNIT_CELSIUS = 9;
export const UNIT_CUBIC_METRE = 13;
export const UNIT_CUBIC_METRE_PER_HOUR = 15;
export const UNIT_KILOGRAM = 20;
export const UNIT_BAR = 24;
export const UNIT_JOULE = 25;
export const UNIT_JOULE_PER_HOUR = 26;
export const UNIT_WATT = 27;
export const UNIT_VOLT_AMPERE = 28;
export const UNIT_VAR = 29;
export const UNIT_WATT_HOUR = 30;
export const UNIT_VOLT_AMPERE_HOUR = 31;
export const UNIT_VAR_HOUR = 32;
export const UNIT_AMPERE = 33;
export const UNIT_VOLT = 35;
export const UNIT_HERTZ = 44;
export const UNIT_KELVIN = 52;
export const UNIT_OTHER = 254;
export const UNIT_UNSAID = 255; // a pure number, or nobody says

/** The wanted objects of a decoder, `count` slots at `slots` with their keys and parts filled in. */
export function wantObjects(objects: Objects, slots: usize, count: i32): void {
  objects.slots = slots;
  objects.count = count;
  objects.next = count;
}

export function objectSlot(objects: Objects, index: i32): ObjectSlot {
  return changetype<ObjectSlot>(objects.slots + index * OBJECT_SLOT_BYTES);
}

/** A telegram begins: nothing is said yet. */
export function clearObjects(objects: Objects): void {
  objects.next = objects.count;
  objects.serial = 0;
  for (let i = 0; i < objects.count; i++) objectSlot(objects, i).rank = <u8>RANK_NONE;
}

/** What follows are values of this object. */
export function openObject(objects: Objects, key: u64): void {
  objects.key = key;
  objects.serial++;
}

/** Value `part` (1 the first) of the open object. */
export function keepValue(
  objects: Objects,
  part: i32,
  rank: i32,
  digits: i64,
  scale: i32, // decimals, and the unit from bit 16 on
): void {
  for (let i = 0; i < objects.count; i++) {
    const slot = objectSlot(objects, i);
    if (USES_FREE_SLOTS && slot.key == KEY_FREE) {
      if (isKnown(objects, i)) return;
      slot.key = objects.key;
    }
    if (!isMeant(slot.key, objects.key) || (slot.part != 0 && slot.part != part)) continue;
    const isAgain = slot.rank != RANK_NONE && slot.serial == objects.serial;
    if (isAgain && rank < <i32>slot.rank) continue;
    slot.serial = objects.serial;
    slot.rank = <u8>rank;
    slot.digits = digits;
    slot.decimals = <i32>(<i16>scale);
    slot.unit = <u8>(scale >> 16);
  }
}

/** Decimals and unit in one, for keepValue(). */
export function scaleOf(decimals: i32, unit: i32): i32 {
  return (decimals & 0xffff) | (unit << 16);
}

/** The check was right: takeObject() tells what was kept. */
export function releaseObjects(objects: Objects): void {
  objects.next = 0;
}

/** The next object of the telegram; `address` of the event is its slot. */
export function takeObject(objects: Objects, event: TapEvent): bool {
  while (objects.next < objects.count) {
    const index = objects.next++;
    const slot = objectSlot(objects, index);
    if (slot.rank == RANK_NONE) continue;
    event.kind = slot.rank == RANK_TEXT ? TAP_EVENT_TEXT : TAP_EVENT_READING;
    event.unit = UNIT_NONE;
    event.address = index;
    event.digits = slot.digits;
    event.decimals = slot.decimals;
    event.unitCode = slot.unit;
    event.name = changetype<usize>(slot) + KEY_AT;
    event.nameBytes = 6; // F first
    event.values = 0;
    event.bytes = 0;
    return true;
  }
  return false;
}

// True where a slot before `end` means the open object.
function isKnown(objects: Objects, end: i32): bool {
  for (let i = 0; i < end; i++) {
    if (isMeant(objectSlot(objects, i).key, objects.key)) return true;
  }
  return false;
}

// A-B is compared where both say it.
function isMeant(wanted: u64, said: u64): bool {
  const all = (wanted & said & KEY_MEDIUM) != 0;
  return ((wanted ^ said) & (all ? KEY_ALL : KEY_BODY)) == 0;
}
