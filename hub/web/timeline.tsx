// SPDX-License-Identifier: MIT
// The state of a machine over time: presence, alarms, restarts.
//
// On the same axis as the machine's charts.

import type { JSX } from "preact";
import type { AuditRow, EventKind, EventView, NodeView } from "../api.ts";
import { conditionOf, stateSegments, type StateSegment } from "./condition.ts";
import type { EventTick } from "./chart-draw.ts";
import type { Span } from "./history-range.ts";

/** Events that explain a line. */
const TICK_KINDS: ReadonlySet<EventKind> = new Set(["boot", "clock", "alarm", "trap", "firmware"]);

/** Marks drawn in one chart; of more only the newest. */
const TICKS_MAX = 200;

/** Restarts, clock steps, alarms and set-points of a machine within a span; oldest first. */
export function eventTicks(
  node: string,
  events: readonly EventView[],
  audit: readonly AuditRow[],
  { fromMs, toMs }: Span,
): EventTick[] {
  const told = events
    .filter((event) => event.node === node && TICK_KINDS.has(event.kind))
    .map(({ wallMs, kind, text }) => ({ atMs: wallMs, critical: kind === "alarm", text }));
  const written = audit
    .filter(({ outcome }) => outcome === "applied" || outcome === "clamped" || outcome === "stale")
    .map(({ wallMs, name, effective, by, outcome }) => {
      const text = `${name} is ${effective ?? "unknown"}, ${outcome}, asked for by ${by}.`;
      return { atMs: wallMs, critical: false, text };
    });
  return [...told, ...written]
    .filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
    .sort((one, other) => one.atMs - other.atMs)
    .slice(-TICKS_MAX);
}

/** The mark next to a moment, if one is within a hundredth of the span. */
export function tickNear(ticks: readonly EventTick[], atMs: number, span: Span): EventTick | null {
  const nearMs = (span.toMs - span.fromMs) / 100;
  const near = ticks.filter((tick) => Math.abs(tick.atMs - atMs) <= nearMs);
  near.sort((one, other) => Math.abs(one.atMs - atMs) - Math.abs(other.atMs - atMs));
  return near[0] ?? null;
}

interface AlarmSpan {
  fromMs: number;
  toMs: number;
}

/** When any alarm stood; one that was raised before the first event known begins at the edge. */
function alarmSpans(node: NodeView, events: readonly EventView[], span: Span): AlarmSpan[] {
  const open = new Map<string, number>();
  const spans: AlarmSpan[] = [];
  const ofNode = events.filter((event) => event.node === node.id).reverse();
  for (const event of ofNode) {
    const key = `${event.channel}/${event.alarm}`;
    if (event.kind === "alarm") open.set(key, event.wallMs);
    if (event.kind !== "returned") continue;
    spans.push({ fromMs: open.get(key) ?? span.fromMs, toMs: event.wallMs });
    open.delete(key);
  }
  for (const channel of node.channels) {
    for (const alarm of channel.alarms) {
      if (alarm.active) spans.push({ fromMs: alarm.sinceMs ?? span.fromMs, toMs: span.toMs });
    }
  }
  return spans.filter((each) => each.toMs > span.fromMs && each.fromMs < span.toMs);
}

const LANE = { state: 0, alarm: 15 };

export function Timeline(props: {
  node: NodeView;
  events: readonly EventView[];
  ticks: readonly EventTick[];
  span: Span;
}): JSX.Element {
  const { node, events, ticks, span } = props;
  const share = (atMs: number): number => {
    const insideMs = Math.min(span.toMs, Math.max(span.fromMs, atMs));
    return (100 * (insideMs - span.fromMs)) / (span.toMs - span.fromMs);
  };
  const box = (each: Span): { x: string; width: string } => ({
    x: `${share(each.fromMs).toFixed(2)}%`,
    width: `${(share(each.toMs) - share(each.fromMs)).toFixed(2)}%`,
  });
  const segments = stateSegments(node, events, span.fromMs, span.toMs);
  return (
    <svg class="timeline" height="22" role="img" aria-label={timelineLabel(segments)}>
      <rect class="track" x="0" y={LANE.state} width="100%" height="14" />
      {segments.map((segment) => (
        <g key={segment.fromMs}>
          <rect class={`state-${segment.state}`} {...box(segment)} y={LANE.state} height="14">
            <title>{conditionOf(segment.state).word}</title>
          </rect>
          {share(segment.toMs) - share(segment.fromMs) > 14 && (
            <text class={`word-${segment.state}`} x={box(segment).x} dx="6" y="11">
              {conditionOf(segment.state).word}
            </text>
          )}
        </g>
      ))}
      {alarmSpans(node, events, span).map((each) => (
        <rect key={each.fromMs} class="alarm-lane" {...box(each)} y={LANE.alarm + 2} height="4" />
      ))}
      {ticks.map((tick) => (
        <g key={`${tick.atMs}/${tick.text}`} class={tick.critical ? "tick critical" : "tick"}>
          <title>{tick.text}</title>
          <rect x={`${share(tick.atMs).toFixed(2)}%`} y={LANE.state} width="2" height="22" />
        </g>
      ))}
    </svg>
  );
}

function timelineLabel(segments: readonly StateSegment[]): string {
  const words = segments.map((segment) => conditionOf(segment.state).word);
  return words.length === 0 ? "state over time: nothing known" : `state: ${words.join(", ")}`;
}
