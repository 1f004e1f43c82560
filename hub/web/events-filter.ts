// SPDX-License-Identifier: MIT
// Which events are shown, and in which order: the filters of the address.

import type { EventView } from "../api.ts";

/** The events that the filters of the address let through, in its order. */
export function filterEvents(
  events: readonly EventView[],
  query: Record<string, string | undefined>,
): EventView[] {
  const { kind, node, sort = "time" } = query;
  const text = (query["text"] ?? "").toLowerCase();
  const found = events.filter(
    (event) =>
      (kind === undefined || event.kind === kind) &&
      (node === undefined || event.node === node) &&
      (text === "" || searched(event).includes(text)),
  );
  return sortEvents(found, sort);
}

function searched(event: EventView): string {
  return `${event.node ?? "hub"} ${event.kind} ${event.channel ?? ""} ${event.text}`.toLowerCase();
}

/** Newest first is the hub's order; `-time` is the other way round. */
function sortEvents(events: EventView[], sort: string): EventView[] {
  const descending = sort.startsWith("-");
  const name = descending ? sort.slice(1) : sort;
  if (name === "time") return descending ? events.reverse() : events;
  const key = name === "kind" ? "kind" : "node";
  events.sort((one, other) => compareText(one[key] ?? "", other[key] ?? ""));
  return descending ? events.reverse() : events;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
