// SPDX-License-Identifier: MIT
// Lengths of time as people write them: 30, 30s, 10m, 1h.
//
// The one parser of the command line and of plant.json. A bare number is seconds.

const UNIT_MS: Record<string, number> = { "": 1000, s: 1000, m: 60_000, h: 3_600_000 };
const LENGTH_MS_MAX = 366 * 24 * 3_600_000; // a year: longer is a slip of the finger

/** Milliseconds from `minMs` to a year, or undefined; fractions such as 0.5h are lengths too. */
export function parseLengthMs(text: string, minMs: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text.trim());
  const lengthMs = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? "?"] ?? NaN));
  return lengthMs >= minMs && lengthMs <= LENGTH_MS_MAX ? lengthMs : undefined;
}
