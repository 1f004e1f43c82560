// SPDX-License-Identifier: MIT
// Objects of meters and kinds of lines in the report of a line.
//
// An object stands in the report as node.json names it. Texts are shown with their control characters written out.

import { meterOf } from "./event.ts";
import type { Reading } from "./inventory.ts";
import type { Shape } from "./shape.ts";
import { table } from "./table.ts";

export interface ObjectReport {
  object: string;
  unitId: number | null; // address of the meter
  meterId: string | null;
  value: number | null; // it never was a number
  unit: string;
  decimals: number;
  min: number | null;
  max: number | null;
  times: number;
  changes: number;
  everyMs: number | null;
}

export interface TextReport {
  text: string; // the latest
  times: number;
  everyMs: number | null;
}

const DECIMALS_SHOWN_MAX = 9;

export function objectReport(reading: Reading): ObjectReport {
  const { name, unit, value, unitName, decimals, min, max, times, changes } = reading;
  return {
    ...{ object: name, unitId: unit < 0 ? null : unit, meterId: meterOf(reading).meterId ?? null },
    ...{ value: value ?? null, unit: unitName, decimals },
    ...(value === undefined ? { min: null, max: null } : { min, max }),
    ...{ times, changes, everyMs: everyMs(reading) },
  };
}

export function textReport({ text, times, firstUs, lastUs }: Shape): TextReport {
  return { text, times, everyMs: everyMs({ times, firstUs, lastUs }) };
}

type Told = Pick<Reading, "times" | "firstUs" | "lastUs">;

// From one time to the next.
function everyMs({ times, firstUs, lastUs }: Told): number | null {
  return times < 2 ? null : Number(((lastUs - firstUs) / (times - 1) / 1000).toFixed(1));
}

/** Rows of all objects, a heading for each meter. */
export function showObjects(objects: readonly ObjectReport[]): string[] {
  const meters = [...new Set(objects.map(meterName))];
  return meters.flatMap((meter) => {
    const own = objects.filter((each) => meterName(each) === meter);
    return ["", meter, ...table(own.map(showObject))];
  });
}

function meterName({ unitId, meterId }: ObjectReport): string {
  const number = meterId === null ? "" : `, number ${meterId}`;
  return unitId === null ? "objects" : `meter ${unitId}${number}`;
}

function showObject(of: ObjectReport): string[] {
  const { object, value, unit, decimals, min, max, times } = of;
  const show = (number: number): string => showNumber(number, decimals);
  return [
    `  ${object}`,
    value === null ? "no number" : `${show(value)} ${unit}`.trimEnd(),
    min === null || min === max ? "" : `${show(min)}..${show(max!)}`,
    howOften(times, of.everyMs),
  ];
}

/** A number with the digits that were said. */
export function showNumber(value: number, decimals: number): string {
  return value.toFixed(Math.min(DECIMALS_SHOWN_MAX, Math.max(0, decimals)));
}

function howOften(times: number, every: number | null): string {
  return every === null ? "once" : `${times} times, every ${every} ms`;
}

/** Rows of the kinds of lines. */
export function showTexts(texts: readonly TextReport[]): string[] {
  if (texts.length === 0) return [];
  const rows = texts.map((each) => [
    ...[`  ${showText(each.text)}`, howOften(each.times, each.everyMs)],
  ]);
  return ["", "lines", ...table(rows)];
}

/** A text as a terminal can show it. */
export function showText(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
