// SPDX-License-Identifier: MIT
// Tables as CSV (RFC 4180): a dot, ISO 8601 in UTC, full precision.
//
// Text comes from the network. A cell that a spreadsheet would take for a formula gets an apostrophe in front.

import type { ChannelView, EventView, NodeView } from "../api.ts";
import { isoTime } from "./clock.ts";

export type Cell = string | number | null;

/** Header and rows with CRLF, as RFC 4180 has it. */
export function toCsv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

export function eventsCsv(events: readonly EventView[]): string {
  const header = ["time", "node", "kind", "channel", "alarm", "value", "count", "text"];
  const rows = events.map((event) => [
    isoTime(event.wallMs),
    event.node,
    event.kind,
    event.channel,
    event.alarm,
    event.value,
    event.count,
    event.text,
  ]);
  return toCsv(header, rows);
}

/** Every channel's present value. */
export function valuesCsv(values: readonly { node: NodeView; channel: ChannelView }[]): string {
  const header = ["node", "channel", "time", "value", "unit", "quality", "cause"];
  const rows = values.map(({ node, channel }) => [
    node.id,
    channel.name,
    channel.atMs === null ? null : isoTime(channel.atMs),
    channel.text ?? channel.value,
    channel.unit,
    channel.quality,
    channel.cause,
  ]);
  return toCsv(header, rows);
}

/** The registers of taps with their present values. */
export function registersCsv(nodes: readonly NodeView[]): string {
  const header = ["node", "tap", "unitId", "functionCode", "address", "type", "order", "channel"];
  const rows = nodes.flatMap((node) =>
    node.channels.flatMap((channel) => {
      const register = channel.register;
      if (register === null) return [];
      const { tap, unitId, functionCode, address, type, order } = register;
      const at = channel.atMs === null ? null : isoTime(channel.atMs);
      const where = [node.id, tap, unitId, functionCode, address, type, order];
      const value = channel.text ?? channel.value;
      return [[...where, channel.name, value, channel.unit, channel.quality, at]];
    }),
  );
  return toCsv([...header, "value", "unit", "quality", "time"], rows);
}

function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
