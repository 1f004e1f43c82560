// SPDX-License-Identifier: MIT
// A channel's raw points as CSV, page by page, as fast as the reader takes them.
//
// RFC 4180 lines. Times are ISO 8601 in UTC with milliseconds, values have full precision; a bad
// reading has an empty value. (X1) at most two pages of EXPORT_PAGE_POINTS points are in memory.

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { HistoryPoint } from "./api.ts";
import type { Hub } from "./hub.ts";
import { EXPORT_PAGE_POINTS } from "./limits.ts";

export interface ExportRange {
  node: string;
  channel: string;
  sinceMs: number;
  untilMs: number;
}

/** Writes all of it; false: there is no such channel, nothing was written. */
export async function exportCsv(
  hub: Hub,
  range: ExportRange,
  response: ServerResponse,
): Promise<boolean> {
  const { node, channel, sinceMs, untilMs } = range;
  const max = EXPORT_PAGE_POINTS;
  let page = hub.rawPoints(node, channel, { sinceMs, untilMs, max });
  if (page === null) return false;
  response.setHeader("Content-Type", "text/csv; charset=utf-8");
  const file = `${node}_${channel}`.replace(/[^A-Za-z0-9_-]/g, "-");
  response.setHeader("Content-Disposition", `attachment; filename="${file}.csv"`);
  response.write("time,value\r\n");
  while (page !== null && page.length > 0) {
    const full = page.length === max;
    const lastMs = page[page.length - 1]?.[0] ?? untilMs;
    // Points of the last time may go on: that time is the next page's, unless it is all of this one.
    const split = full && page[0]?.[0] !== lastMs;
    const lines = (split ? page.filter(([wallMs]) => wallMs < lastMs) : page).map(line);
    if (!response.write(lines.join(""))) await drained(response);
    if (!full || response.destroyed) break;
    page = hub.rawPoints(node, channel, { sinceMs: split ? lastMs : lastMs + 1, untilMs, max });
  }
  response.end();
  return true;
}

function line([wallMs, value]: HistoryPoint): string {
  return `${new Date(wallMs).toISOString()},${value ?? ""}\r\n`;
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
