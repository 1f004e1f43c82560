// SPDX-License-Identifier: MIT
// The state of a machine over time: presence, alarms, restarts.
//
// On the same axis as the machine's charts.

import type { JSX } from "preact";
import type { EventView, NodeView } from "../api.ts";
import { conditionOf, stateSegments, type StateSegment } from "./condition.ts";
import type { EventTick } from "./chart-draw.ts";

export interface Span {
  fromMs: number;
  toMs: number;
}

/** Restarts and alarms of a machine within a span, for marks in charts. */
export function eventTicks(node: string, events: readonly EventView[], span: Span): EventTick[] {
  return events
    .filter((event) => event.node === node && event.wallMs >= span.fromMs)
    .filter((event) => event.kind === "boot" || event.kind === "alarm")
    .map((event) => ({ atMs: event.wallMs, critical: event.kind === "alarm" }));
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
  return spans.filter((each) => each.toMs > span.fromMs);
}

const LANE = { state: 0, alarm: 15 };

export function Timeline(props: {
  node: NodeView;
  events: readonly EventView[];
  span: Span;
}): JSX.Element {
  const { node, events, span } = props;
  const share = (atMs: number): number =>
    (100 * (Math.max(atMs, span.fromMs) - span.fromMs)) / (span.toMs - span.fromMs);
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
    </svg>
  );
}

function timelineLabel(segments: readonly StateSegment[]): string {
  const words = segments.map((segment) => conditionOf(segment.state).word);
  return words.length === 0 ? "state over time: nothing known" : `state: ${words.join(", ")}`;
}
