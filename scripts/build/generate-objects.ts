// SPDX-License-Identifier: MIT
// Rows of the taps of meters and of the objects that channels want of them.
//
// Each row has the fields of its struct in firmware/loop/tick/meters.ts, in their order. Objects of one tap stand together, those of OBIS
// codes first: they have a slot each.

import { LINE_FORMATS } from "../../firmware/wire/line-names.ts";
import { isMeter, parseObis, parseRecord, type MeterProtocol } from "./object-taps.ts";
import type { Row } from "./loop-table.ts";
import type { NodeType, ObjectChannel } from "./schema.ts";

/** Tables of the taps of meters. */
export interface MeterTables {
  taps: Record<MeterProtocol, Row[]>; // MeterRow
  follows: Row[]; // FollowRow
  objects: Row[]; // ObjectRow
  names: number[]; // octets of the M-Bus records
}

const ANY = -1; // address or number of a meter
const MEDIUM = 1 << 16; // KEY_MEDIUM, in the upper half of a key

/** The tables of a node; `characterUs` of a tap by its order. */
export function meterTables(node: NodeType, characterUs: (tap: string) => number): MeterTables {
  const tables: MeterTables = {
    taps: { "dsmr-p1": [], "iec62056-21": [], sml: [], "m-bus": [] },
    follows: [],
    objects: [],
    names: [],
  };
  const taps = Object.entries(node.taps).map(([name, tap], order) => ({ name, tap, order }));
  const isRecord = ({ tap }: (typeof taps)[number]): number => (tap.protocol === "m-bus" ? 1 : 0);
  for (const { name, tap, order } of taps.sort((a, b) => isRecord(a) - isRecord(b))) {
    const { protocol, baud, format } = tap;
    if (!isMeter(protocol)) continue;
    const first = tables.objects.length;
    Object.entries(node.channels).forEach(([key, channel], index) => {
      if (channel.kind === "object" && channel.tap === name)
        tables.objects.push({ name: key, fields: objectFields(channel, index, protocol, tables) });
    });
    const count = tables.objects.length - first;
    if (tap.protocol === "iec62056-21" && tap.follow) {
      const fields = [tables.taps[protocol].length, order, baud, LINE_FORMATS.indexOf(format)];
      tables.follows.push({ name, fields });
    }
    tables.taps[protocol].push({ name, fields: [order, characterUs(name), first, count] });
  }
  return tables;
}

function objectFields(
  c: ObjectChannel,
  index: number,
  protocol: MeterProtocol,
  { names }: MeterTables,
): number[] {
  const common = [index, c.decimals, c.staleMs ?? 0];
  if (protocol !== "m-bus") {
    const [low, high] = keyOf(c.object);
    return [...common, low, high, c.value ?? 0, 0, 0, ANY, ANY];
  }
  const { octets, counter } = parseRecord(c.object)!;
  const at = names.length;
  names.push(...octets);
  const meterId = c.meterId === undefined ? ANY : parseInt(c.meterId, 16) | 0;
  return [...common, 0, 0, counter, at, octets.length, c.unitId ?? ANY, meterId];
}

// F lowest, A at bit 40, in two halves.
function keyOf(object: string): [number, number] {
  const [a, b, c, d, e, f] = parseObis(object)!;
  const low = (c! << 24) | (d! << 16) | (e! << 8) | f! | 0;
  const high = a === null || b === null ? 0 : MEDIUM | (a! << 8) | b!;
  return [low, high];
}
