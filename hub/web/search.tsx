// SPDX-License-Identifier: MIT
// Filters of a view, kept in its address, so that a reload and a link keep them.

import type { JSX } from "preact";
import { usePage, type Page } from "./page-context.ts";
import { parseRoute, routeHref } from "./route.ts";

/** Longest text taken from a field into the address. */
const TEXT_MAX = 80;

export function useQuery(): Record<string, string | undefined> {
  return usePage().route.value.query;
}

/** Puts a filter into the address without a new entry in the history. */
export function setFilter(page: Page, name: string, value: string): void {
  const { view, path, query } = page.route.peek();
  const href = routeHref(view, path, { ...query, [name]: value.slice(0, TEXT_MAX) });
  history.replaceState(null, "", href);
  page.route.value = parseRoute(href);
}

export function Search({ label, name }: { label: string; name: string }): JSX.Element {
  const page = usePage();
  return (
    <input
      class="search"
      type="search"
      placeholder={label}
      aria-label={label}
      maxLength={TEXT_MAX}
      data-search
      value={page.route.value.query[name] ?? ""}
      onInput={(event) => setFilter(page, name, event.currentTarget.value)}
    />
  );
}

export function Choice(props: {
  label: string;
  name: string;
  all: string; // what the empty choice says
  options: readonly string[];
}): JSX.Element {
  const page = usePage();
  return (
    <select
      aria-label={props.label}
      value={page.route.value.query[props.name] ?? ""}
      onChange={(event) => setFilter(page, props.name, event.currentTarget.value)}
    >
      <option value="">{props.all}</option>
      {props.options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
}
