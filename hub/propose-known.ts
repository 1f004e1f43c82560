// SPDX-License-Identifier: MIT
// Channels for a line of which its protocol alone is known.
//
// Spec: SPEC.md §13, §16, §17. A node that finds its line tells what a meter or a receiver speaks, not what it says. What all of a kind
// say is proposed: DSMR P1 5.0.2 §6.12, OBIS codes of IEC 62056-61, sentences of NMEA 0183. A channel that is never said has no
// value; `ferrule tap init` writes what a line really says.

export interface KnownLine {
  tap: Record<string, unknown>; // its fields besides the line's
  channels: Record<string, unknown>;
}

type Measure = Readonly<Record<string, unknown>>;

const SIGN_ON_BAUD = 300; // IEC 62056-21: a reader and a meter agree on another rate
const ENERGY: Measure = { unit: "J", scale: 3600 };
const POWER: Measure = { unit: "W" };
const METERS: Readonly<Record<string, Readonly<Record<string, readonly [string, Measure]>>>> = {
  "dsmr-p1": {
    "energy-tariff1": ["1-0:1.8.1", ENERGY],
    "energy-tariff2": ["1-0:1.8.2", ENERGY],
    "energy-back-tariff1": ["1-0:2.8.1", ENERGY],
    "energy-back-tariff2": ["1-0:2.8.2", ENERGY],
    power: ["1-0:1.7.0", POWER],
    "power-back": ["1-0:2.7.0", POWER],
  },
  sml: {
    energy: ["1-0:1.8.0", { ...ENERGY, decimals: 1 }],
    "energy-back": ["1-0:2.8.0", { ...ENERGY, decimals: 1 }],
    power: ["1-0:16.7.0", POWER],
  },
  "iec62056-21": {
    energy: ["1.8.0", ENERGY],
    "energy-back": ["2.8.0", ENERGY],
  },
};
// Of the template nmea0183, with the digits that receivers write.
const FIELDS: readonly (readonly [string, Measure])[] = [
  ["latitude", { decimals: 4 }],
  ["north", {}],
  ["longitude", { decimals: 4 }],
  ["east", {}],
  ["speed", { decimals: 2 }],
  ["course", { decimals: 2 }],
  ["fix", {}],
  ["satellites", {}],
  ["altitude", { unit: "m", decimals: 1 }],
];

/** Null: nothing can be said of such a line but by hearing it. */
export function proposeKnown(protocol: string, tap: string, baud: number): KnownLine | null {
  if (protocol === "nmea") return proposeSentences(tap);
  const objects = METERS[protocol];
  if (objects === undefined) return null;
  const channels = Object.entries(objects).map(([name, [object, measure]]) => [
    name,
    { kind: "object", tap, object, ...measure, deadband: 0 },
  ]);
  const follow = protocol === "iec62056-21" && baud === SIGN_ON_BAUD;
  return {
    tap: { protocol, ...(follow && { follow }) },
    channels: Object.fromEntries(channels) as Record<string, unknown>,
  };
}

function proposeSentences(tap: string): KnownLine {
  const channels = FIELDS.map(([field, measure]) => [
    field,
    { kind: "field", tap, field, ...measure, deadband: 0 },
  ]);
  return {
    tap: { protocol: "ascii-line", template: "nmea0183" },
    channels: Object.fromEntries(channels) as Record<string, unknown>,
  };
}
