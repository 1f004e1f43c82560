// SPDX-License-Identifier: MIT
// The list of what happened: bounded; a flood collapses into a line with a count.
//
// (E1) at most EVENTS_KEPT lines are held; ids rise by one a line, over restarts where a file keeps them.
// (E2) of one place at most EVENT_LINES_PER_WINDOW lines in EVENT_WINDOW_MS; what follows raises the
//      count of the last of them, and is told at most once in EVENT_UPDATE_MS.
// Nothing is lost silently: the counts of all lines add up to the events that were added.

import type { EventKind, EventView, NoticeView } from "./api.ts";
import {
  EVENT_LINES_PER_WINDOW,
  EVENT_PLACES_MAX,
  EVENT_UPDATE_MS,
  EVENT_WINDOW_MS,
  EVENTS_KEPT,
} from "./limits.ts";

/** What happened; `place` is what a flood of would be the same, such as a node's alarm. */
export interface Happening {
  place: string;
  kind: EventKind;
  node: string | null;
  text: string;
  atMs: number;
  channel?: string;
  alarm?: string;
  value?: number | null;
  notice?: NoticeView;
}

interface Place {
  sinceMs: number;
  lines: number;
  last: EventView;
  toldMs: number;
}

export interface EventLog {
  add(happening: Happening, wallMs: number): void;
  /** Copies, newest first. */
  newest(): EventView[];
  /** Tells collapsed lines that are due; returns when it wants to be called again. */
  poll(wallMs: number): number;
}

/** Goes on after what was kept, oldest first. `tell` gets each new line, and a collapsed one again. */
export function createEventLog(
  tell: (event: EventView) => void,
  kept: readonly EventView[] = [],
): EventLog {
  const nextId = (kept[kept.length - 1]?.id ?? 0) + 1;
  const log: Log = { events: [...kept], places: new Map(), untold: new Set(), nextId, tell };
  return {
    add: (happening, wallMs) => addEvent(log, happening, wallMs),
    newest: () => log.events.map((event) => ({ ...event })).reverse(),
    poll: (wallMs) => tellDue(log, wallMs),
  };
}

interface Log {
  events: EventView[]; // oldest first
  places: Map<string, Place>; // oldest first
  untold: Set<Place>; // collapsed since they were told
  nextId: number;
  tell: (event: EventView) => void;
}

function addEvent(log: Log, happening: Happening, wallMs: number): void {
  const place = openPlace(log, happening.place, wallMs);
  if (place === null) {
    if (log.places.size >= EVENT_PLACES_MAX) forgetOldestPlace(log);
    const last = addLine(log, happening);
    log.places.set(happening.place, { sinceMs: wallMs, lines: 1, last, toldMs: wallMs });
    return;
  }
  if (place.lines < EVENT_LINES_PER_WINDOW) {
    place.last = addLine(log, happening);
    place.lines++;
    place.toldMs = wallMs;
    return;
  }
  collapse(place.last, happening);
  log.untold.add(place);
  tellDue(log, wallMs);
}

function addLine(log: Log, happening: Happening): EventView {
  const { kind, node, text, atMs, channel, alarm, value, notice } = happening;
  const event: EventView = {
    id: log.nextId++,
    wallMs: atMs,
    node,
    kind,
    text,
    channel: channel ?? null,
    alarm: alarm ?? null,
    value: value ?? null,
    count: 1,
    ...(notice !== undefined && { notice }),
  };
  log.events.push(event);
  if (log.events.length > EVENTS_KEPT) log.events.shift();
  log.tell(event);
  return event;
}

/** The place's window, if it is still open and its last line is still in the list. */
function openPlace(log: Log, name: string, wallMs: number): Place | null {
  const place = log.places.get(name);
  if (place === undefined) return null;
  const age = wallMs - place.sinceMs;
  const open = age >= 0 && age < EVENT_WINDOW_MS && isKept(log, place);
  if (open) return place;
  forgetPlace(log, name, place);
  return null;
}

function forgetOldestPlace(log: Log): void {
  for (const [name, place] of log.places) return forgetPlace(log, name, place);
}

function forgetPlace(log: Log, name: string, place: Place): void {
  if (log.untold.delete(place) && isKept(log, place)) log.tell(place.last);
  log.places.delete(name);
}

function isKept(log: Log, place: Place): boolean {
  return place.last.id >= (log.events[0]?.id ?? 0);
}

/** Tells collapsed lines whose time has come; returns when the next one is due. */
function tellDue(log: Log, wallMs: number): number {
  let deadlineMs = Infinity;
  for (const place of log.untold) {
    const dueMs = place.toldMs + EVENT_UPDATE_MS;
    if (wallMs < dueMs && wallMs >= place.toldMs) {
      deadlineMs = Math.min(deadlineMs, dueMs);
      continue;
    }
    place.toldMs = wallMs;
    log.untold.delete(place);
    if (isKept(log, place)) log.tell(place.last);
  }
  return deadlineMs;
}

function collapse(event: EventView, happening: Happening): void {
  event.count++;
  event.wallMs = happening.atMs;
  event.text = happening.text;
  event.value = happening.value ?? null;
  if (happening.notice !== undefined) event.notice = happening.notice;
}
