// SPDX-License-Identifier: MIT
// Value numbers: equal numbers mean equal values at run time.
//
// A number stands for an instruction applied to numbers, for a constant, or for what one place of the program
// brings forth (a load, a parameter, a join). A place in a loop brings forth a new value in each pass under
// the same number; that is sound because at the head of a loop nothing mentions a number made inside it.

import { constant, type Range } from "./range.ts";

export interface Term {
  op: string; // "i32.add", or what kind of place
  left: number;
  right: number;
  range?: Range; // of a constant
}

export interface Numbers {
  known: Map<string, Map<number, number>>; // by instruction, then by operands
  terms: Term[];
  places: Map<object, number>;
}

/** Number 0 is a value nobody knows; nothing is equal to it in a useful way. */
export function makeNumbers(): Numbers {
  return { known: new Map(), terms: [{ op: "nothing", left: 0, right: 0 }], places: new Map() };
}

/** The number of an instruction on numbers; operands of commutative ones in ascending order. */
export function numberOf(numbers: Numbers, op: string, left: number, right = -1): number {
  if (right >= 0 && right < left && COMMUTATIVE.test(op)) return numberOf(numbers, op, right, left);
  if (right >= 0 && left >= LEFT_END) return numbers.terms.push({ op, left, right }) - 1;
  let alike = numbers.known.get(op);
  if (alike === undefined) numbers.known.set(op, (alike = new Map<number, number>()));
  const key = right < 0 ? -1 - left : left * 2 ** 32 + right;
  const known = alike.get(key);
  if (known !== undefined) return known;
  const made = numbers.terms.push({ op, left, right }) - 1;
  alike.set(key, made);
  return made;
}

const LEFT_END = 2 ** 21; // a key is exact; beyond, equal values get several numbers, which is sound

const COMMUTATIVE = /^i(32|64)\.(add|mul|and|or|xor|eq|ne)$/;

/** The number of an i32 constant. */
export function numberOfConstant(numbers: Numbers, value: number): number {
  const number = numberOf(numbers, "constant", value >>> 0);
  numbers.terms[number]!.range ??= constant(value);
  return number;
}

/** The number of what a place of the program brings forth, `which` of several. */
export function numberOfPlace(numbers: Numbers, kind: string, place: object, which = 0): number {
  let index = numbers.places.get(place);
  if (index === undefined) numbers.places.set(place, (index = numbers.places.size));
  return numberOf(numbers, kind, index, which + 2 ** 31); // a cell's number may be negative
}
