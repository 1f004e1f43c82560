// SPDX-License-Identifier: MIT
// A node.json of what was found on a line: for the API and the command.
//
// Pure. A channel for each register that changed, else for each that was heard, by unit, table and address; types are
// the plausible ones. At most CHANNELS_MAX channels; what found no place is told.

import { CHANNELS_MAX } from "../firmware/limits.ts";

/** What a proposal is made of; an inventory of the hub is one. */
export interface Found {
  tap: string;
  line: { baud: number | null; format: string | null; protocol: string | null } | null;
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
const TABLES: Record<number, string> = { 3: "holding", 4: "input" };

/** Null: no register was heard that a channel can have. `tap` is what is known of it from elsewhere. */
export function proposeNode(
  found: Found,
  tap: { protocol: string; baud: number; format: string },
): Proposal | null {
  const heard = found.registers.filter(
    ({ unit, code, samples }) =>
      unit >= 1 && unit <= UNIT_MAX && TABLES[code] !== undefined && samples > 0,
  );
  const moved = heard.filter(({ changes }) => changes > 0);
  const wanted = new Set(moved.length > 0 ? moved : heard);
  if (wanted.size === 0) return null;
  const channels: Record<string, unknown> = {};
  let left = 0;
  let upTo = -1; // key of the last register that is taken
  for (const row of heard) {
    const key = (row.unit * 8 + row.code) * 65_536 + row.address;
    const [type = "u16", order] = row.likely.split(" ");
    const wide = type === "f32";
    const next = heard.find(({ unit, code, address }) => {
      return unit === row.unit && code === row.code && address === row.address + 1;
    });
    const isWanted = wanted.has(row) || (wide && next !== undefined && wanted.has(next));
    if (key <= upTo || !isWanted) continue;
    if (Object.keys(channels).length >= CHANNELS_MAX) {
      left++;
      continue;
    }
    upTo = wide ? key + 1 : key;
    channels[`unit${row.unit}-${TABLES[row.code]}-${row.address}`] = {
      ...{ kind: "register", tap: found.tap, unitId: row.unit, table: TABLES[row.code] },
      ...{ address: row.address, type, ...(order !== undefined && order !== "ABCD" && { order }) },
      staleMs: staleMs(found, row),
    };
  }
  const protocol = found.line?.protocol ?? tap.protocol;
  const wire = {
    uart: 0,
    protocol: protocol.startsWith("modbus") ? protocol : "modbus-rtu",
    baud: found.line?.baud ?? tap.baud,
    format: found.line?.format ?? tap.format,
  };
  return { node: { type: "tapped", taps: { [found.tap]: wire }, channels }, left };
}

function staleMs({ polls }: Found, row: { unit: number; code: number; address: number }): number {
  const asked = polls.filter(
    ({ unit, code, address, quantity }) =>
      unit === row.unit &&
      code === row.code &&
      address <= row.address &&
      row.address < address + quantity,
  );
  const periodMs = Math.max(0, ...asked.map((poll) => poll.periodMs));
  const ms = Math.ceil((STALE_PERIODS * periodMs) / 1000) * 1000;
  return Math.min(STALE_MS_MAX, Math.max(STALE_MS_MIN, ms));
}
