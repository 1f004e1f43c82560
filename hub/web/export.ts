// SPDX-License-Identifier: MIT
// What `c` saves: the view on screen as CSV.

import { isoTime } from "./clock.ts";
import { chartsCsv, eventsCsv, registersCsv, valuesCsv } from "./csv.ts";
import { filterEvents } from "./events-filter.ts";
import { readNodes, type Page } from "./page-context.ts";

/** Hands the browser a file named after the view and the time. */
export function exportView(page: Page): void {
  const { view, path } = page.route.peek();
  const name = ["ferrule", view, ...path].join("-");
  const time = isoTime(page.live.hubMs.peek()).slice(0, 19).replaceAll(":", "");
  save(`${name}-${time}.csv`, viewCsv(page));
}

/** Events as filtered; a machine's charts; the registers of taps; elsewhere all values. */
function viewCsv(page: Page): string {
  const { view, path, query } = page.route.peek();
  const nodes = readNodes(page.store);
  const [id] = path;
  if (view === "events") return eventsCsv(filterEvents(page.store.events.peek(), query));
  if (view === "machines" && id !== undefined) {
    return chartsCsv([...page.store.charts.values()].filter((chart) => chart.node === id));
  }
  return view === "taps" ? registersCsv(nodes) : valuesCsv(nodes);
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
