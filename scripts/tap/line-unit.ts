// SPDX-License-Identifier: MIT
// Units that devices write behind a number, as a channel of kind field has them.
//
// SenML has one unit for each quantity; the scale of a field is a power of ten (SPEC.md §13).

import { type Column, decimalsOf, largestOf } from "./column.ts";

const UNITS: Readonly<Record<string, readonly [unit: string, power: number]>> = {
  ...{ g: ["kg", -3], G: ["kg", -3], kg: ["kg", 0], KG: ["kg", 0], t: ["kg", 3] },
  ...{ mm: ["m", -3], cm: ["m", -2], m: ["m", 0], ms: ["s", -3], s: ["s", 0] },
  ...{ mV: ["V", -3], V: ["V", 0], kV: ["V", 3], mA: ["A", -3], A: ["A", 0] },
  ...{ W: ["W", 0], kW: ["W", 3], MW: ["W", 6], Hz: ["Hz", 0], kHz: ["Hz", 3] },
  ...{ Pa: ["Pa", 0], hPa: ["Pa", 2], kPa: ["Pa", 3], mbar: ["Pa", 2], bar: ["Pa", 5] },
  ...{ N: ["N", 0], kN: ["N", 3], Ohm: ["Ohm", 0], kOhm: ["Ohm", 3], "\u00b0C": ["Cel", 0] },
};
const DECIMALS_MAX = 6; // of a channel
const HEADROOM = 8; // a value may grow so many times
const I32_MAX = 2_147_483_647;

/** Unit, scale and decimals of the channel of a number; `said` is the unit that the line says, if any. */
export function measureOf(column: Column, said: string): Record<string, unknown> {
  const [unit, power] = UNITS[said] ?? [undefined, 0];
  const decimals = decimalsOf(column) - power;
  if (unit !== undefined && decimals > DECIMALS_MAX) return measureOf(column, "");
  const least = Math.max(0, -power);
  const fits = (digits: number): boolean =>
    largestOf(column) * HEADROOM * 10 ** (power + digits) <= I32_MAX;
  let kept = Math.min(DECIMALS_MAX, Math.max(least, decimals));
  while (kept > least && !fits(kept)) kept--;
  return {
    ...(unit !== undefined && { unit }),
    ...(power !== 0 && { scale: Number(`1e${power}`) }),
    ...(kept !== 0 && { decimals: kept }),
  };
}

/** True where a channel has it as a unit. */
export function isUnitName(said: string): boolean {
  return UNITS[said] !== undefined;
}
