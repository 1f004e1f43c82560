// SPDX-License-Identifier: MIT
// Events as lines: time, machine, kind as shape and word, one sentence.

import type { JSX } from "preact";
import type { EventView } from "../api.ts";
import { eventMark } from "./condition.ts";
import { At, Shape } from "./marks.tsx";
import { routeHref } from "./route.ts";

export function EventLines({ events }: { events: readonly EventView[] }): JSX.Element {
  if (events.length === 0) return <p class="muted">Nothing has happened since the hub started.</p>;
  return (
    <ul class="events">
      {events.map((event) => (
        <li key={event.id}>
          <EventCells event={event} />
        </li>
      ))}
    </ul>
  );
}

/** What happened to a channel, without the machine's name: that stands in its own cell. */
function shortText({ node, channel, notice, text }: EventView): string {
  const prefix = `${node} `;
  const isNamed = channel !== null || notice !== undefined;
  return isNamed && text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

/** The cells of one line; the caller gives the row, and `cell` as their role in a table. */
export function EventCells(props: { event: EventView; role?: "cell" }): JSX.Element {
  const { event, role } = props;
  const { shape, tone } = eventMark(event.kind);
  // A flood of other kinds is of one machine; here each is of another.
  const several = event.kind === "new-node" && event.count > 1;
  return (
    <div class="event" role={role === undefined ? undefined : "presentation"}>
      <span role={role} class="event-time">
        <At wallMs={event.wallMs} />
      </span>
      <span role={role} class={`mark event-kind tone-${tone}`}>
        <Shape name={shape} tone={tone} />
        <span class="word">{event.kind}</span>
      </span>
      <span role={role} class="event-node">
        {event.node === null || several ? (
          <span class="muted">{several ? "several" : "hub"}</span>
        ) : (
          <a href={routeHref("machines", [event.node])}>{event.node}</a>
        )}
      </span>
      <span role={role} class="event-text" title={event.text}>
        {event.count > 1 && <span class="count">{event.count} ×</span>}
        {several && "the last: "}
        {shortText(event)}
      </span>
    </div>
  );
}
