// SPDX-License-Identifier: MIT
// How a reading of a meter is named, and its unit, as node.json has them.
//
// Spec: SPEC.md §17. A decoder names an object by the octets of its key, a record of M-Bus by its DIB and VIB.

import type { Protocol } from "./decoder-entry.ts";

const UNSAID = 255; // E or F that is left out
const LETTERS: Readonly<Record<number, string>> = { 96: "C", 97: "F", 98: "L", 99: "P" };

// By UNIT_* of firmware/loop/tap/object.ts
const UNITS: Readonly<Record<number, string>> = {
  ...{ 7: "s", 9: "°C", 13: "m3", 15: "m3/h", 20: "kg", 24: "bar", 25: "J", 26: "J/h", 27: "W" },
  ...{ 28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 35: "V", 44: "Hz", 52: "K" },
};

/** Octets of a key that a name is made of: A to F from behind, and whether A-B is said. */
export const KEY_BYTES = 7;

/** The name of a reading; `place` is which counter of the fixed structure of M-Bus it is. */
export function nameReading(protocol: Protocol, name: Uint8Array, place: number): string {
  if (protocol === "m-bus")
    return name.length === 0 ? `counter${place}` : Buffer.from(name).toString("hex").toUpperCase();
  const [f, e, d, c, b, a, medium] = name;
  if (c === undefined) return ""; // a line has no name
  const first = medium === 0 ? (LETTERS[c] ?? c) : `${a}-${b}:${c}`;
  return `${first}.${d}${e === UNSAID ? "" : `.${e}`}${f === UNSAID ? "" : `*${f}`}`;
}

/** The unit of a code; an empty text: none, or one without a name. */
export function unitName(code: number): string {
  return UNITS[code] ?? "";
}
