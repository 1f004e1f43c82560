// SPDX-License-Identifier: MIT
// What every view needs: store, connection, route, colour scheme.

import type { Signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { NodeView } from "../api.ts";
import type { OpenAlarm } from "./condition.ts";
import type { Live } from "./live.ts";
import type { Route } from "./route.ts";
import type { Store } from "./store.ts";

export interface Page {
  store: Store;
  live: Live;
  route: Signal<Route>;
  scheme: Signal<string>; // changes when canvases must be drawn in other colours
  keysShown: Signal<boolean>;
  acknowledging: Signal<readonly OpenAlarm[] | null>; // whose dialog is open
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === null) throw new Error("a view outside the page");
  return page;
}

/** All machines, in order of their id. Whoever calls it is drawn again whenever one of them changes. */
export function readNodes(store: Store): NodeView[] {
  return store.nodeIds.value.flatMap((id) => {
    const held = store.nodes.get(id);
    return held === undefined ? [] : [held.value];
  });
}
