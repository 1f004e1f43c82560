// SPDX-License-Identifier: MIT
// Walks the lists of SML while they come; keeps what GetList answers say.
//
// Spec: SML 1.04 §6. An element is a type-length field, more of them while bit 7 is set, and its octets; the length
// counts the field itself except in a list, which has elements. Where an element stands is its path:
//
//   message (6) [3] body (2) [0] 0701 [1] answer (7) [4] entries [n] entry (7) [0 OBIS, 3 unit, 4 scaler, 5 value]
//
// Lists deeper than SML_DEPTH_MAX, and what is no element, make the telegram unsound. Lengths are bounded
// by the telegram.

import { KEY_MEDIUM, keepValue, Objects, openObject, scaleOf } from "./object";
import { RANK_MEASURED, RANK_NUMBER, RANK_TEXT, UNIT_UNSAID } from "./object";
import { SML_BYTES_MAX, SML_DEPTH_MAX } from "../../limits";

const TYPE_OCTETS = 0;
const TYPE_BOOLEAN = 4;
const TYPE_SIGNED = 5;
const TYPE_UNSIGNED = 6;
const TYPE_LIST = 7;

const GET_LIST_ANSWER: i64 = 0x0701;
const MESSAGE_ELEMENTS = 6;
const BODY_AT = 3; // in a message
const ENTRIES_AT = 4; // in an answer
const ENTRY_OBIS = 0;
const ENTRY_UNIT = 3;
const ENTRY_SCALER = 4;
const ENTRY_VALUE = 5;
const ENTRY_DEPTH = 5; // lists that an element of an entry stands in
const OBIS_BYTES = 6;
const INTEGER_BYTES_MAX = 8;

/** Followed in memory by SML_DEPTH_MAX pairs of i32: elements of a list, and which of them is open. */
@unmanaged
export class Walk {
  digits: i64; // integer or OBIS of the open element
  key: u64; // OBIS of the open entry
  depth: i32; // open lists
  type: i32; // of the open element
  left: i32; // its octets that are still to come
  bytes: i32; // its octets in all
  more: i32; // 1: another octet of its length comes
  heads: i32; // octets of its type-length field
  fill: i32; // octets 00 after the last message
  body: i32; // 1: the open message is a GetList answer
  unit: i32;
  scaler: i32;
  broken: u8;
  reserved0: u8;
  reserved1: u16;
  reserved: i32; // a multiple of 8 in all
}

const LEVELS: usize = offsetof<Walk>();

export const WALK_BYTES: usize = LEVELS + SML_DEPTH_MAX * 8;

/** A telegram begins. */
export function clearWalk(walk: Walk): void {
  walk.depth = 0;
  walk.left = 0;
  walk.more = 0;
  walk.fill = 0;
  walk.body = 0;
  walk.broken = 0;
}

/** True when a telegram may end here, after `fill` octets of 00. */
export function isWalkWhole(walk: Walk, fill: i32): bool {
  return !walk.broken && walk.depth == 0 && walk.left == 0 && !walk.more && walk.fill == fill;
}

/** Takes the next octet of a telegram. */
export function putWalk(walk: Walk, objects: Objects, octet: i32): void {
  if (walk.broken) return;
  if (walk.left > 0) return putContent(walk, objects, octet);
  if (walk.more) return putLength(walk, objects, octet);
  if (octet == 0) return putZero(walk, objects);
  walk.type = (octet >> 4) & 7;
  walk.bytes = octet & 15;
  walk.heads = 1;
  walk.more = octet >> 7;
  if (!walk.more) openElement(walk, objects);
}

function putLength(walk: Walk, objects: Objects, octet: i32): void {
  if ((octet & 0x70) != 0 || walk.bytes > SML_BYTES_MAX) {
    walk.broken = 1;
    return;
  }
  walk.bytes = (walk.bytes << 4) | (octet & 15);
  walk.heads++;
  walk.more = octet >> 7;
  if (!walk.more) openElement(walk, objects);
}

// The end of a message, which is an element of it; or fill after the last one.
function putZero(walk: Walk, objects: Objects): void {
  if (walk.depth == 0) walk.fill++;
  else if (walk.depth == 1) closeElement(walk, objects);
  else walk.broken = 1;
}

function openElement(walk: Walk, objects: Objects): void {
  const isList = walk.type == TYPE_LIST;
  if (walk.depth == 0 && (!isList || walk.bytes != MESSAGE_ELEMENTS || walk.fill > 0)) {
    walk.broken = 1;
    return;
  }
  if (isList) return openList(walk, objects);
  walk.left = walk.bytes - walk.heads;
  walk.bytes = walk.left;
  walk.digits = 0;
  const isKnown =
    walk.type <= TYPE_UNSIGNED && (walk.type == TYPE_OCTETS || walk.type >= TYPE_BOOLEAN);
  if (walk.left < 0 || !isKnown) walk.broken = 1;
  else if (walk.left == 0) closeElement(walk, objects);
}

function openList(walk: Walk, objects: Objects): void {
  if (walk.bytes == 0) return closeElement(walk, objects);
  if (walk.depth == SML_DEPTH_MAX) {
    walk.broken = 1;
    return;
  }
  if (walk.depth == ENTRY_DEPTH - 1 && isEntries(walk)) openEntry(walk);
  store<i32>(levelAt(walk, walk.depth), walk.bytes);
  store<i32>(levelAt(walk, walk.depth), 0, 4);
  walk.depth++;
}

function putContent(walk: Walk, objects: Objects, octet: i32): void {
  // The sign of a short integer is that of its first octet.
  const isFirst = walk.left == walk.bytes;
  if (isFirst && walk.type == TYPE_SIGNED && octet >= 0x80) walk.digits = -1;
  walk.digits = (walk.digits << 8) | octet;
  if (--walk.left == 0) closeElement(walk, objects);
}

// An element is whole; with the last one of a list, so is the list.
function closeElement(walk: Walk, objects: Objects): void {
  takeElement(walk, objects);
  while (walk.depth > 0) {
    const level = levelAt(walk, walk.depth - 1);
    const next = load<i32>(level, 4) + 1;
    if (next < load<i32>(level)) {
      store<i32>(level, next, 4);
      return;
    }
    walk.depth--;
  }
}

function takeElement(walk: Walk, objects: Objects): void {
  if (walk.depth == 2 && placeAt(walk, 0) == BODY_AT && placeAt(walk, 1) == 0)
    walk.body = walk.digits == GET_LIST_ANSWER ? 1 : 0;
  if (walk.depth != ENTRY_DEPTH || !isEntries(walk)) return;
  const isNumber = walk.type == TYPE_SIGNED || walk.type == TYPE_UNSIGNED;
  switch (placeAt(walk, ENTRY_DEPTH - 1)) {
    case ENTRY_OBIS:
      if (walk.type == TYPE_OCTETS && walk.bytes == OBIS_BYTES)
        walk.key = ((<u64>walk.digits) & 0xffff_ffff_ffff) | KEY_MEDIUM;
      break;
    case ENTRY_UNIT:
      if (isNumber && walk.bytes > 0) walk.unit = <i32>(walk.digits & 255);
      break;
    case ENTRY_SCALER:
      if (isNumber) walk.scaler = <i32>walk.digits;
      break;
    case ENTRY_VALUE:
      takeValue(walk, objects, isNumber);
  }
}

function openEntry(walk: Walk): void {
  walk.key = 0;
  walk.unit = UNIT_UNSAID;
  walk.scaler = 0;
}

function takeValue(walk: Walk, objects: Objects, isNumber: bool): void {
  if (walk.key == 0) return;
  openObject(objects, walk.key);
  // An unsigned one beyond 63 bits is no meter's.
  const isKept = isNumber && walk.bytes > 0 && walk.bytes <= INTEGER_BYTES_MAX;
  const isPlain = isKept && (walk.type == TYPE_SIGNED || walk.digits >= 0);
  if (!isPlain) return keepValue(objects, 1, RANK_TEXT, 0, scaleOf(0, UNIT_UNSAID));
  const rank = walk.unit == UNIT_UNSAID ? RANK_NUMBER : RANK_MEASURED;
  keepValue(objects, 1, rank, walk.digits, scaleOf(-walk.scaler, walk.unit));
}

// Whether the list at ENTRY_DEPTH - 2 is that of the entries of a GetList answer.
function isEntries(walk: Walk): bool {
  return (
    walk.body != 0 &&
    placeAt(walk, 0) == BODY_AT &&
    placeAt(walk, 1) == 1 &&
    placeAt(walk, 2) == ENTRIES_AT
  );
}

function placeAt(walk: Walk, level: i32): i32 {
  return load<i32>(levelAt(walk, level), 4);
}

function levelAt(walk: Walk, level: i32): usize {
  return changetype<usize>(walk) + LEVELS + (level << 3);
}
