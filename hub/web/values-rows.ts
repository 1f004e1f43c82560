// SPDX-License-Identifier: MIT
// Rows of the table of values: each channel of each machine, filtered, sorted.

import type { ChannelView, NodeView } from "../api.ts";
import { isOld, normalBand } from "./condition.ts";

export interface ValueRow {
  key: string;
  node: NodeView;
  channel: ChannelView;
}

export const VALUE_SORTS = ["name", "machine", "value", "quality", "age", "limits"] as const;

export type ValueSort = (typeof VALUE_SORTS)[number];

/** What the filter of quality lets through, beside all. */
export const VALUE_QUALITIES = ["good", "uncertain", "bad", "old", "no reading yet"] as const;

export function valueRows(nodes: readonly NodeView[]): ValueRow[] {
  return nodes.flatMap((node) =>
    node.channels.map((channel) => ({ key: `${node.id}/${channel.name}`, node, channel })),
  );
}

/** The rows that the address lets through, in its order; equals stay in the order of the machines. */
export function shownRows(
  rows: readonly ValueRow[],
  query: Record<string, string | undefined>,
  hubMs: number,
): ValueRow[] {
  const { text = "", quality = "", sort = "machine" } = query;
  const words = text.toLowerCase();
  const found = rows.filter(
    (row) =>
      (quality === "" || qualityWord(row, hubMs) === quality) &&
      (words === "" || searched(row).includes(words)),
  );
  const name = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  const keyed = found.map((row) => ({ row, key: sortKey(row, name, hubMs) }));
  keyed.sort(({ key: one }, { key: other }) => {
    // What has no value comes last, whichever way the rest goes.
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return one < other ? -sign : one > other ? sign : 0;
  });
  return keyed.map(({ row }) => row);
}

/** `good`, `uncertain`, `bad`, `old`, or that nothing came yet. */
export function qualityWord({ node, channel }: ValueRow, hubMs: number): string {
  if (channel.atMs === null) return "no reading yet";
  if (channel.quality !== "good") return channel.quality;
  return isOld(node, channel, hubMs) ? "old" : "good";
}

function searched({ node, channel }: ValueRow): string {
  return `${node.id} ${node.type ?? ""} ${channel.name} ${channel.unit ?? ""}`.toLowerCase();
}

function sortKey(row: ValueRow, name: string, hubMs: number): string | number | null {
  const { node, channel } = row;
  switch (name) {
    case "name":
      return channel.name;
    case "value":
      return channel.value;
    case "quality":
      return qualityWord(row, hubMs);
    case "age":
      return channel.atMs === null ? null : -channel.atMs;
    case "limits": {
      const { low, high } = normalBand(channel);
      return high ?? low;
    }
    default:
      return node.id;
  }
}
