// SPDX-License-Identifier: MIT
// What `c` saves: the view on screen as CSV.
//
// A machine's values come from the hub, which has all readings of the range on screen, in full precision.

import { isoTime } from "./clock.ts";
import { eventsCsv, registersCsv, valuesCsv } from "./csv.ts";
import { filterEvents } from "./events-filter.ts";
import { readRange, type Span, spanOf } from "./history-range.ts";
import { readNodes, type Page } from "./page-context.ts";
import { timeSpan } from "./scale.ts";
import { shownRows, valueRows } from "./values-rows.ts";

/** Hands the browser a file named after the view and the time. */
export function exportView(page: Page): void {
  const { view, path } = page.route.peek();
  const [id] = path;
  if (view === "machines" && id !== undefined) return download(pastAddress(page, id), "");
  const name = ["ferrule", view, ...path].join("-");
  const time = isoTime(page.live.hubMs.peek()).slice(0, 19).replaceAll(":", "");
  save(`${name}-${time}.csv`, viewCsv(page));
}

/** The readings of a machine on screen: all channels, or the one that is shown alone. */
function pastAddress(page: Page, node: string): string {
  const { fromMs, toMs } = shownSpan(page, node);
  const { channel } = page.route.peek().query;
  const query = new URLSearchParams({
    node,
    ...(channel !== undefined && { channel }),
    since: String(Math.floor(fromMs)),
    until: String(Math.ceil(toMs)),
  });
  return `/api/export.csv?${query.toString()}`;
}

function shownSpan({ route, live, store }: Page, node: string): Span {
  const range = readRange(route.peek().query);
  const nowMs = live.hubMs.peek();
  if (range.kind !== "live") return spanOf(range, nowMs);
  const charts = [...store.charts.values()].filter((chart) => chart.node === node);
  return timeSpan(
    charts.map((chart) => chart.series),
    nowMs,
  );
}

/** Events and values as filtered; the registers of taps; elsewhere all values. */
function viewCsv({ route, store, live }: Page): string {
  const { view, query } = route.peek();
  const nodes = readNodes(store);
  if (view === "events") return eventsCsv(filterEvents(store.events.peek(), query));
  if (view === "taps") return registersCsv(nodes);
  return valuesCsv(
    shownRows(valueRows(nodes), view === "machines" ? query : {}, live.hubMs.peek()),
  );
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  download(address, name);
  URL.revokeObjectURL(address);
}

/** Without a name the hub's own is taken. */
function download(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}
