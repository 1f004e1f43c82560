// SPDX-License-Identifier: MIT
// Forms of lines that scales send: what is the weight, and how good it is.
//
// KERN (`+0026.90 G S`), MT-SICS (`S S     100.00 g`), A&D and Ohaus (`ST,+00123.45  g`). A form has a line where its parts are in
// that order and its words are of the form; what it says of the weight is known then, and need not be seen first.

import { nameOf } from "./pattern.ts";
import { isUnitName } from "./line-unit.ts";
import type { Column } from "./column.ts";

type Says = number | { value: number; others: "uncertain" | "over-range" };

export interface ScaleForm {
  kinds: string; // of the cells
  first: string | undefined; // its first cell, where it is always the same
  weight: number; // places of the cells
  unit: number;
  condition: number;
  words: Readonly<Record<string, Says>>;
}

const STABLE = 1;
const MOVING: Says = { value: 0, others: "uncertain" };
const OVERLOAD: Says = { value: 2, others: "over-range" };

const FORMS: readonly ScaleForm[] = [
  {
    ...{ kinds: "number word blank word", first: undefined, weight: 0, unit: 1, condition: 3 },
    words: { U: MOVING, S: STABLE, E: OVERLOAD },
  },
  {
    ...{ kinds: "word blank word number word", first: "S", weight: 3, unit: 4, condition: 2 },
    words: { D: MOVING, S: STABLE },
  },
  {
    ...{ kinds: "word other number word", first: undefined, weight: 2, unit: 3, condition: 0 },
    words: { US: MOVING, ST: STABLE, OL: OVERLOAD, QT: STABLE },
  },
];
const PIECES = /^pcs?$/i;
const OTHERS = /^(?:ct|lb|oz)$/i; // weights without a unit that a channel has

/** The form that these lines have; undefined: none. */
export function scaleFormOf(columns: readonly Column[]): ScaleForm | undefined {
  const kinds = columns.map(({ kind }) => kind).join(" ");
  return FORMS.find((form) => {
    const { texts } = columns[form.condition] ?? { texts: [] };
    if (form.kinds !== kinds || !texts.every((text) => text in form.words)) return false;
    if (form.first !== undefined && columns[0]!.texts.some((text) => text !== form.first))
      return false;
    return columns[form.unit]!.texts.every(isWeight);
  });
}

function isWeight(unit: string): boolean {
  return /^k?g$/i.test(unit) || PIECES.test(unit) || OTHERS.test(unit);
}

/** The name of the field that has such a unit. */
export function weightName(unit: string): string {
  if (PIECES.test(unit)) return "count";
  return isUnitName(unit) ? "weight" : `weight-${nameOf(unit)}`;
}
