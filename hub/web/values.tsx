// SPDX-License-Identifier: MIT
// The table of values: every channel of every machine, sorted, filtered, exported.
//
// Values move, rows do not: the order is made when it is asked for and stands until it is asked for again.

import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { clockTime } from "./clock.ts";
import { exportView } from "./export.ts";
import { formatDuration, NO_VALUE } from "./format.ts";
import { Empty } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { NoMachines } from "./plant.tsx";
import { routeHref } from "./route.ts";
import { rowHeight, RowsInSight } from "./rows.tsx";
import { Choice, Search, setFilter, useQuery } from "./search.tsx";
import { bandText, ValueNotes, ValueNumber } from "./value.tsx";
import { shownRows, VALUE_QUALITIES, valueRows, type ValueRow } from "./values-rows.ts";
import { qualityWord, VALUE_SORTS, type ValueSort } from "./values-rows.ts";

/** Width of each column as the grid takes it. */
const WIDTHS: Record<ValueSort, string> = {
  name: "minmax(120px, 2fr)",
  machine: "minmax(96px, 1.4fr)",
  value: "minmax(120px, 1fr)",
  quality: "minmax(120px, 1.4fr)",
  age: "88px",
  limits: "minmax(120px, 1.4fr)",
};

/** Columns that may be left out. */
const OPTIONAL: readonly ValueSort[] = ["quality", "age", "limits"];

export function ValuesView(): JSX.Element {
  const page = usePage();
  const rows = valueRows(readNodes(page.store));
  const { shown, madeMs, again } = useOrder(rows);
  const { without = "" } = useQuery();
  const columns = VALUE_SORTS.filter((name) => !without.split(" ").includes(name));
  if (rows.length === 0) return <NoMachines />;
  return (
    <>
      <header class="head">
        <p class="crumb">
          <a href={routeHref("machines")}>Machines</a>
        </p>
        <h1 tabIndex={-1}>Values</h1>
        <p class="sub">
          {shown.length} of {rows.length}
        </p>
        <div class="filters">
          <Search label="Filter values" name="text" />
          <Choice label="Quality" name="quality" all="All qualities" options={VALUE_QUALITIES} />
          <Columns shown={columns} />
        </div>
        <button type="button" class="export" onClick={() => exportView(page)}>
          Export CSV
        </button>
      </header>
      {shown.length === 0 ? (
        <Empty title="No value matches" why="The filters above let none through.">
          <p>
            <a href={routeHref("machines", [], { show: "values" })}>Clear the filters</a>
          </p>
        </Empty>
      ) : (
        <section
          class="panel flush value-table"
          role="table"
          aria-label="Values"
          aria-rowcount={shown.length + 1}
          style={{ "--columns": columns.map((name) => WIDTHS[name]).join(" ") }}
        >
          <Header columns={columns} />
          <RowsInSight
            items={shown}
            height={rowHeight()}
            row={(row, index) => <Row key={row.key} row={row} at={index} columns={columns} />}
          />
        </section>
      )}
      <p class="muted">
        In the order of {clockTime(madeMs, page.live.hubMs.value)}.{" "}
        <button type="button" class="plain link" onClick={again}>
          Sort again
        </button>
      </p>
    </>
  );
}

/** The rows in the order that was asked for, each as it is now; new channels come last. */
function useOrder(rows: readonly ValueRow[]): {
  shown: readonly ValueRow[];
  madeMs: number;
  again: () => void;
} {
  const { live } = usePage();
  const { text, quality, sort } = useQuery();
  const [turn, setTurn] = useState(0);
  const latest = useRef(rows);
  latest.current = rows;
  const made = useMemo(() => {
    const madeMs = live.hubMs.peek();
    const known = new Set(latest.current.map(({ key }) => key));
    return { madeMs, known, order: shownRows(latest.current, { text, quality, sort }, madeMs) };
  }, [text, quality, sort, turn, live]);
  const present = new Map(rows.map((row) => [row.key, row]));
  const shown = made.order.flatMap(({ key }) => present.get(key) ?? []);
  const added = rows.filter(({ key }) => !made.known.has(key));
  const fresh = added.length === 0 ? added : shownRows(added, { text, quality }, made.madeMs);
  return { shown: [...shown, ...fresh], madeMs: made.madeMs, again: () => setTurn(turn + 1) };
}

function Header({ columns }: { columns: readonly ValueSort[] }): JSX.Element {
  const page = usePage();
  const { sort = "machine" } = useQuery();
  return (
    <div class="value-row value-header" role="row">
      {columns.map((name) => {
        const down = sort === `-${name}`;
        const order = sort === name ? "ascending" : down ? "descending" : "none";
        return (
          <span key={name} role="columnheader" aria-sort={order} class={`column-${name}`}>
            <button
              type="button"
              class="plain"
              onClick={() => setFilter(page, "sort", sort === name ? `-${name}` : name)}
            >
              {name}
              {sort === name && " ↑"}
              {down && " ↓"}
            </button>
          </span>
        );
      })}
    </div>
  );
}

function Row(props: { row: ValueRow; at: number; columns: readonly ValueSort[] }): JSX.Element {
  const { row, at, columns } = props;
  return (
    <div class="value-row" role="row" aria-rowindex={at + 2}>
      {columns.map((name) => (
        <span key={name} role="cell" class={`column-${name}`}>
          <Cell row={row} name={name} />
        </span>
      ))}
    </div>
  );
}

function Cell({ row, name }: { row: ValueRow; name: ValueSort }): JSX.Element {
  const { node, channel } = row;
  const hubMs = usePage().live.hubMs.value;
  switch (name) {
    case "name":
      return <strong>{channel.name}</strong>;
    case "machine":
      return <a href={routeHref("machines", [node.id])}>{node.id}</a>;
    case "value":
      return <ValueNumber node={node} channel={channel} />;
    case "quality": {
      const word = qualityWord(row, hubMs);
      if (word === "good") return <span class="muted">good</span>;
      return <ValueNotes node={node} channel={channel} />;
    }
    case "age":
      return <span class="muted">{ageText(channel, hubMs)}</span>;
    case "limits":
      return <span class="muted">{bandText(channel)}</span>;
  }
}

/** What is younger came now: no number that flickers between 0 and 1. */
const NOW_MS = 3_000;

function ageText({ atMs }: ValueRow["channel"], hubMs: number): string {
  if (atMs === null) return NO_VALUE;
  return hubMs - atMs < NOW_MS ? "now" : formatDuration(hubMs - atMs);
}

/** Which columns are shown; kept in the address. */
function Columns({ shown }: { shown: readonly ValueSort[] }): JSX.Element {
  const page = usePage();
  const toggle = (name: ValueSort): void => {
    const hidden = OPTIONAL.filter((each) => shown.includes(each) === (each === name));
    setFilter(page, "without", hidden.join(" "));
  };
  return (
    <details class="choice">
      <summary>Columns</summary>
      <div class="panel">
        {OPTIONAL.map((name) => (
          <label key={name}>
            <input type="checkbox" checked={shown.includes(name)} onChange={() => toggle(name)} />
            {name}
          </label>
        ))}
      </div>
    </details>
  );
}
