// SPDX-License-Identifier: MIT
// The address of each view: `#/machines/oven-1`, `#/events?kind=alarm`.
//
// In the fragment, so that any server that serves `/` serves every view, a reload stays and the back button works.
// An address nobody knows is the plant.

export type ViewName = "plant" | "machines" | "taps" | "path" | "events";

export interface Route {
  view: ViewName;
  path: string[]; // after the view: [node], or [node, tap]
  query: Record<string, string>; // filters
}

export interface ViewEntry {
  view: ViewName;
  label: string;
  key: string; // after g
}

export const VIEWS: readonly ViewEntry[] = [
  { view: "plant", label: "Plant", key: "p" },
  { view: "machines", label: "Machines", key: "m" },
  { view: "taps", label: "Taps", key: "t" },
  { view: "path", label: "Path", key: "a" },
  { view: "events", label: "Events", key: "e" },
];

/** Longest path that a view reads; the rest of an address is passed over. */
const PATH_PARTS_MAX = 2;

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name, ...parts] = path.split("/").map(decodePart);
  const entry = VIEWS.find((each) => each.view === name);
  if (entry === undefined) return { view: "plant", path: [], query: {} };
  const kept = parts.filter((part) => part !== "").slice(0, PATH_PARTS_MAX);
  return { view: entry.view, path: kept, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a view; empty filters are left out. */
export function routeHref(
  view: ViewName,
  path: readonly string[] = [],
  query: Record<string, string> = {},
): string {
  const filters = Object.entries(query).filter(([, value]) => value !== "");
  const search = filters.length === 0 ? "" : `?${new URLSearchParams(filters).toString()}`;
  return `#/${[view, ...path.map(encodeURIComponent)].join("/")}${search}`;
}

/** What the browser's tab and history show. */
export function routeTitle(route: Route): string {
  const label = VIEWS.find((each) => each.view === route.view)?.label ?? "";
  const table = route.path.length === 0 && route.query["show"] === "values" ? ["Values"] : [];
  return [...table, ...route.path].reverse().concat(label, "Ferrule").join(" \u00b7 ");
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
