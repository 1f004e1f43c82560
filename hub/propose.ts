// SPDX-License-Identifier: MIT
// A node.json of what was found on a line.
//
// Pure. A channel for each register that changed, else for each that was heard, by unit, table and address; types are
// the plausible ones. Of a meter, or NMEA 0183, what all of them say. At most CHANNELS_MAX channels; what found no place is told. Which registers and types, the API
// decides here by what a node learned, the command by each value that it heard; both call addChannel().

import { CHANNELS_MAX, TAP_ENTRIES_PER_TICK } from "../firmware/limits.ts";
import { proposeKnown } from "./propose-known.ts";

/** What a proposal is made of; an inventory of the hub is one. */
export interface Found {
  tap: string;
  line: {
    baud: number | null;
    format: string | null;
    inverted?: boolean;
    protocol: string | null;
  } | null;
  registers: readonly {
    unit: number;
    code: number;
    address: number;
    changes: number;
    samples: number;
    likely: string; // as u16, i16, "f32 CDAB"; bits
  }[];
  polls: readonly {
    unit: number;
    code: number;
    address: number;
    quantity: number;
    periodMs: number;
  }[];
}

export interface Proposal {
  node: Record<string, unknown>;
  left: number; // registers that found no place
}

const STALE_PERIODS = 5; // polls that are missed before a value is stale
const STALE_MS_MIN = 2000;
const STALE_MS_MAX = 3_600_000;
const UNIT_MAX = 247;
const PERIODS_MS = [10, 5, 2, 1, 0.5]; // of a loop; the last one keeps up with 921,600 baud
const TABLES: Record<number, string> = { 3: "holding", 4: "input" };

/** Units that a channel can name: 0 is all of them, those above are reserved. */
export function isUnit(unit: number): boolean {
  return unit >= 1 && unit <= UNIT_MAX;
}

/** A value that a channel is to tell; `periodMs` from one to the next, 0: not known. */
export interface ProposedValue {
  tap: string;
  unit: number;
  table: string;
  address: number;
  type: string;
  order: string;
  periodMs: number;
}

/** True while a node can have one more. */
export function hasPlace(channels: Record<string, unknown>): boolean {
  return Object.keys(channels).length < CHANNELS_MAX;
}

/** After how long a value is stale that comes each `periodMs`. */
export function staleMsOf(periodMs: number): number {
  const ms = Math.ceil((STALE_PERIODS * periodMs) / 1000) * 1000;
  return Math.min(STALE_MS_MAX, Math.max(STALE_MS_MIN, ms));
}

/** The longest period of a loop that keeps up with a line. */
export function periodMsOf({ baud, format }: { baud: number; format: string }): number {
  const bits = format === "8N1" || format.startsWith("7") ? 10 : 11;
  const mostMs = (TAP_ENTRIES_PER_TICK * bits * 1000) / baud;
  return PERIODS_MS.find((periodMs) => periodMs <= mostMs) ?? PERIODS_MS.at(-1)!;
}

/** Adds the channel of a value; false: there is no place for more. */
export function addChannel(channels: Record<string, unknown>, value: ProposedValue): boolean {
  if (!hasPlace(channels)) return false;
  const { tap, unit, table, address, type, order, periodMs } = value;
  channels[`unit${unit}-${table}-${address}`] = {
    ...{ kind: "register", tap, unitId: unit, table, address, type },
    ...(order !== "ABCD" && { order }),
    staleMs: staleMsOf(periodMs),
  };
  return true;
}

/** Null: there is nothing that a channel can have. `tap` is what is known of it from elsewhere. */
export function proposeNode(
  found: Found,
  tap: { protocol: string; baud: number; format: string },
): Proposal | null {
  const protocol = found.line?.protocol ?? tap.protocol;
  const wire = {
    ...{ uart: 0, protocol: protocol.startsWith("modbus") ? protocol : "modbus-rtu" },
    ...{ baud: found.line?.baud ?? tap.baud, format: found.line?.format ?? tap.format },
  };
  const known = found.line && proposeKnown(protocol, found.tap, wire.baud);
  const { channels, left } = known ? { ...known, left: 0 } : proposeRegisters(found);
  if (Object.keys(channels).length === 0) return null;
  const inverted = found.line?.inverted === true && { inverted: true };
  const taps = { [found.tap]: { ...wire, ...inverted, ...known?.tap } };
  return { node: { type: "tapped", periodMs: periodMsOf(wire), taps, channels }, left };
}

function proposeRegisters(found: Found): { channels: Record<string, unknown>; left: number } {
  const heard = found.registers.filter(
    ({ unit, code, samples }) => isUnit(unit) && TABLES[code] !== undefined && samples > 0,
  );
  const moved = heard.filter(({ changes }) => changes > 0);
  const wanted = new Set(moved.length > 0 ? moved : heard);
  const channels: Record<string, unknown> = {};
  let left = 0;
  let upTo = -1; // key of the last register that is taken
  for (const row of heard) {
    const key = (row.unit * 8 + row.code) * 65_536 + row.address;
    const [type = "u16", order = "ABCD"] = row.likely.split(" ");
    const wide = type === "f32";
    const next = heard.find(({ unit, code, address }) => {
      return unit === row.unit && code === row.code && address === row.address + 1;
    });
    const isWanted = wanted.has(row) || (wide && next !== undefined && wanted.has(next));
    if (key <= upTo || !isWanted) continue;
    const value = { tap: found.tap, unit: row.unit, table: TABLES[row.code]!, type, order };
    const periodMs = periodOf(found, row);
    if (addChannel(channels, { ...value, address: row.address, periodMs }))
      upTo = wide ? key + 1 : key;
    else left++;
  }
  return { channels, left };
}

// The longest of the questions that ask for it.
function periodOf({ polls }: Found, row: { unit: number; code: number; address: number }): number {
  const asked = polls.filter(
    ({ unit, code, address, quantity }) =>
      unit === row.unit &&
      code === row.code &&
      address <= row.address &&
      row.address < address + quantity,
  );
  return Math.max(0, ...asked.map((poll) => poll.periodMs));
}
