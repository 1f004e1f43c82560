// SPDX-License-Identifier: MIT
// Small marks: shapes with their word, icons of the navigation, times.
//
// A shape never stands alone: its word is beside it, so shapes are hidden from screen readers.

import type { ComponentChildren, JSX } from "preact";
import { clockTime, zonedTime } from "./clock.ts";
import type { Condition, ShapeName, Tone } from "./condition.ts";
import { formatDuration } from "./format.ts";
import { usePage } from "./page-context.ts";
import type { ViewName } from "./route.ts";

const SHAPES: Record<ShapeName, JSX.Element> = {
  dot: <circle cx="6" cy="6" r="4.5" fill="currentColor" />,
  ring: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2" />,
  square: <rect x="2" y="2" width="8" height="8" fill="currentColor" />,
  triangle: <path d="M6 1 11.5 11H.5z" fill="currentColor" />,
  "triangle-hollow": <path d="M6 2.2 10.4 10.2H1.6z" class="hollow" />,
  diamond: <path d="M6 .5 11.5 6 6 11.5.5 6z" fill="currentColor" />,
  bar: <rect x="5" y="1" width="2" height="10" fill="currentColor" />,
};

export function Shape({ name, tone }: { name: ShapeName; tone: Tone }): JSX.Element {
  return (
    <svg class={`shape tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}

/** Shape and word of a condition. */
export function Mark(props: { condition: Condition; children?: ComponentChildren }): JSX.Element {
  const { shape, tone, word } = props.condition;
  return (
    <span class={`mark tone-${tone}`}>
      <Shape name={shape} tone={tone} />
      <span class="word">{word}</span>
      {props.children}
    </span>
  );
}

/** What is younger was now: no number that flickers between 0 and 1. */
const NOW_MS = 3_000;

/** A moment: relative under an hour, else the time; both with the zone on hover. */
export function When({ wallMs }: { wallMs: number }): JSX.Element {
  const nowMs = usePage().live.hubMs.value;
  const ageMs = nowMs - wallMs;
  const ago = ageMs < NOW_MS ? "now" : `${formatDuration(ageMs)} ago`;
  const text = ageMs < 3_600_000 ? ago : clockTime(wallMs, nowMs);
  return <time title={zonedTime(wallMs)}>{text}</time>;
}

/** A moment as the time of day. */
export function At({ wallMs }: { wallMs: number }): JSX.Element {
  const nowMs = usePage().live.hubMs.value;
  return <time title={zonedTime(wallMs)}>{clockTime(wallMs, nowMs)}</time>;
}

/** How long something has lasted. */
export function For({ sinceMs }: { sinceMs: number }): JSX.Element {
  const nowMs = usePage().live.hubMs.value;
  return <time title={`since ${zonedTime(sinceMs)}`}>{formatDuration(nowMs - sinceMs)}</time>;
}

const ICONS: Record<ViewName, string> = {
  plant: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  machines: "M3 5h14v9H3zM7 17h6M10 14v3M6 10l2-2 2 2 3-3",
  taps: "M2 10h5M13 10h5M10 2v5M7 10a3 3 0 1 0 6 0 3 3 0 1 0-6 0M10 13v4",
  path: "M2 10h4M8 10h4M14 10h4M4 8v4M10 8v4M16 8v4M2 8h4v4H2zM8 8h4v4H8zM14 8h4v4h-4z",
  events: "M3 5h1M7 5h10M3 10h1M7 10h10M3 15h1M7 15h10",
};

export function ViewIcon({ view }: { view: ViewName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={ICONS[view]} />
    </svg>
  );
}

/** What is missing, why, and the next step as a command to copy. */
export function Empty(props: {
  title: string;
  why: string;
  command?: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <section class="panel empty">
      <h2>{props.title}</h2>
      <p>{props.why}</p>
      {props.command !== undefined && (
        <p>
          <code class="command">{props.command}</code>
        </p>
      )}
      {props.children}
    </section>
  );
}
