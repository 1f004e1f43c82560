// SPDX-License-Identifier: MIT
// The event list: filtered, sorted, exported; only the rows in sight are drawn.
//
// A row never moves under a pointer or while the reader has scrolled: what is new waits behind a count.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { EventView } from "../api.ts";
import { EVENT_KINDS } from "./condition.ts";
import { EventCells } from "./event-lines.tsx";
import { filterEvents } from "./events-filter.ts";
import { exportView } from "./export.ts";
import { Empty } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { rowHeight, RowsInSight } from "./rows.tsx";
import { Choice, Search, setFilter, useQuery } from "./search.tsx";

type SortName = "time" | "kind" | "node";

export function EventsView(): JSX.Element {
  const page = usePage();
  const query = useQuery();
  const { events, fresh, hold, release } = useHeldEvents();
  const shown = useMemo(() => filterEvents(events, query), [events, query]);
  const isFiltered = Object.keys(query).some((name) => name !== "sort");
  return (
    <>
      <header class="head">
        <h1 tabIndex={-1}>Events</h1>
        <p class="sub">{shown.length === 1 ? "1 event" : `${shown.length} events`}</p>
        <div class="filters">
          <Search label="Filter events" name="text" />
          <Choice label="Kind" name="kind" all="All kinds" options={EVENT_KINDS} />
          <Choice
            label="Machine"
            name="node"
            all="All machines"
            options={page.store.nodeIds.value}
          />
        </div>
        <button type="button" class="export" onClick={() => exportView(page)}>
          Export CSV
        </button>
      </header>
      {fresh > 0 && (
        <button type="button" class="fresh-events" onClick={release}>
          {fresh} new
        </button>
      )}
      {shown.length === 0 ? (
        <NoEvents filtered={isFiltered} />
      ) : (
        <section
          class="panel flush event-table"
          role="table"
          aria-label="Events"
          aria-rowcount={shown.length + 1}
          onPointerEnter={hold}
          onPointerLeave={() => scrollY === 0 && release()}
        >
          <Header />
          <RowsInSight items={shown} height={rowHeight()} onScroll={hold} row={eventRow} />
        </section>
      )}
    </>
  );
}

/** Events as the reader last saw them settle, and how many have come since. */
function useHeldEvents(): {
  events: readonly EventView[];
  fresh: number;
  hold: () => void;
  release: () => void;
} {
  const live = usePage().store.events.value;
  const [held, setHeld] = useState<readonly EventView[] | null>(null);
  const newest = useMemo(() => newestId(held ?? []), [held]);
  return {
    events: held ?? live,
    fresh: held === null ? 0 : live.filter((event) => event.id > newest).length,
    hold: () => setHeld((before) => before ?? live),
    release: () => {
      setHeld(null);
      scrollTo(0, 0);
    },
  };
}

function newestId(events: readonly EventView[]): number {
  return events.reduce((newest, event) => Math.max(newest, event.id), -1);
}

const COLUMNS: readonly [sort: SortName, label: string][] = [
  ["time", "Time"],
  ["kind", "Kind"],
  ["node", "Machine"],
];

function Header(): JSX.Element {
  const page = usePage();
  const { sort = "time" } = useQuery();
  const toggle = (name: SortName): void => {
    setFilter(page, "sort", sort === name ? `-${name}` : name === "time" ? "" : name);
  };
  return (
    <div class="event event-header" role="row">
      {COLUMNS.map(([name, label]) => (
        <span key={name} role="columnheader" aria-sort={ariaSort(sort, name)}>
          <button type="button" class="plain" onClick={() => toggle(name)}>
            {label}
            {sort === name && " ↓"}
            {sort === `-${name}` && " ↑"}
          </button>
        </span>
      ))}
      <span role="columnheader">What</span>
    </div>
  );
}

function ariaSort(sort: string, name: SortName): "ascending" | "descending" | "none" {
  // The newest first is a falling order of time, but the first one of the column.
  const falling = name === "time";
  if (sort === name) return falling ? "descending" : "ascending";
  if (sort === `-${name}`) return falling ? "ascending" : "descending";
  return "none";
}

function eventRow(event: EventView, index: number): JSX.Element {
  return (
    <div key={event.id} class="event-row" role="row" aria-rowindex={index + 2}>
      <EventCells event={event} role="cell" />
    </div>
  );
}

function NoEvents({ filtered }: { filtered: boolean }): JSX.Element {
  if (!filtered) {
    return <Empty title="No events" why="Nothing has happened since the hub started." />;
  }
  return (
    <Empty title="No event matches" why="The filters above let none through.">
      <p>
        <a href={routeHref("events")}>Clear the filters</a>
      </p>
    </Empty>
  );
}
