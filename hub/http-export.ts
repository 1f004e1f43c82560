// SPDX-License-Identifier: MIT
// Raw points of channels as CSV, page by page, as fast as the reader takes them.
//
// RFC 4180 lines: `time,value` of one channel, `time,node,channel,value` of all, one after the other. Times are ISO 8601 in UTC with milliseconds, values have full precision; a bad
// reading has an empty value. Of a channel of texts each change is a line. (X1) at most two pages of EXPORT_PAGE_POINTS points are in memory.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { HistoryPoint, HistoryText } from "./api.ts";
import type { Hub } from "./hub.ts";
import { EXPORT_PAGE_POINTS } from "./limits.ts";

export interface ExportRange {
  node: string;
  channel: string | null; // null: all channels of the node
  sinceMs: number;
  untilMs: number;
}

/** Writes all of it; false: there is no such channel or node, nothing was written. */
export async function exportCsv(
  hub: Hub,
  range: ExportRange,
  response: ServerResponse,
): Promise<boolean> {
  const { node, channel } = range;
  const known = hub.channelNames(node) ?? [];
  const channels = channel === null ? known : known.filter((name) => name === channel);
  if (channels.length === 0) return false;
  response.setHeader("Content-Type", "text/csv; charset=utf-8");
  const file = (channel === null ? node : `${node}_${channel}`).replace(/[^A-Za-z0-9_-]/g, "-");
  response.setHeader("Content-Disposition", `attachment; filename="${file}.csv"`);
  response.write(channel === null ? "time,node,channel,value\r\n" : "time,value\r\n");
  for (const name of channels) {
    const place = channel === null ? `,${cell(node)},${cell(name)}` : "";
    await writePoints(hub, { ...range, channel: name }, { response, place });
    if (response.destroyed) break;
  }
  response.end();
  return true;
}

/** Writes one channel; `place` stands between time and value. */
async function writePoints(
  hub: Hub,
  { node, channel, sinceMs, untilMs }: ExportRange & { channel: string },
  { response, place }: { response: ServerResponse; place: string },
): Promise<void> {
  const max = EXPORT_PAGE_POINTS;
  const pageFrom = (fromMs: number): HistoryPoint[] | HistoryText[] | null => {
    const range = { sinceMs: fromMs, untilMs, max };
    const texts = hub.texts(node, channel, { ...range, newest: false });
    return texts ?? hub.rawPoints(node, channel, range);
  };
  let page = pageFrom(sinceMs);
  while (page !== null && page.length > 0) {
    const full = page.length === max;
    const lastMs = page[page.length - 1]?.[0] ?? untilMs;
    // Points of the last time may go on: that time is the next page's, unless it is all of this one.
    const split = full && page[0]?.[0] !== lastMs;
    const points: (HistoryPoint | HistoryText)[] = page;
    const shown = split ? points.filter(([wallMs]) => wallMs < lastMs) : points;
    if (!response.write(shown.map((point) => line(point, place)).join(""))) await drained(response);
    if (!full || response.destroyed) return;
    page = pageFrom(split ? lastMs : lastMs + 1);
  }
}

function line([wallMs, value]: HistoryPoint | HistoryText, place: string): string {
  const shown = typeof value === "string" ? cell(value) : (value ?? "");
  return `${new Date(wallMs).toISOString()}${place},${shown}\r\n`;
}

/** Names and texts come from the network: one that a spreadsheet would take for a formula gets an apostrophe. */
function cell(name: string): string {
  const safe = /^[=+\-@]/.test(name) ? `'${name}` : name;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([
    once(response, "drain", { signal }),
    once(response, "close", { signal }),
  ]).catch(() => undefined);
  ended.abort();
}
