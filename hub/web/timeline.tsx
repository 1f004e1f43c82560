// SPDX-License-Identifier: MIT
// A machine over time: presence, what it says that it does, alarms, restarts.
//
// Each in a lane of its own, on the same axis as the machine's charts.

import type { JSX } from "preact";
import type { AuditRow, EventKind, EventView, NodeState, NodeView } from "../api.ts";
import { conditionOf, stateSegments, type Condition, type ShapeName } from "./condition.ts";
import type { EventTick } from "./chart-draw.ts";
import type { Span } from "./history-range.ts";
import type { Trace } from "./history-trace.ts";
import { type MachineStretch, machineStretches, stretchCondition } from "./machine-states.ts";

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

/** Tops and height of the lanes, in CSS pixels. */
const LANE_HEIGHT = 14;
const LANE_STEP = 16;
const ALARM_HEIGHT = 4;

/** About how wide a plot is at least, and a character with its room, in CSS pixels. */
const PLOT_WIDTH = 560;
const PLOT_WIDTH_NARROW = 240;
const NARROW = "(max-width: 999px)";
const CHARACTER_WIDTH = 6.5;
const TEXT_PADDING = 8;

/** Shapes as characters, for text in a drawing. */
const SIGNS: Partial<Record<ShapeName, string>> = {
  dot: "\u25cf",
  ring: "\u25cb",
  square: "\u25a0",
  diamond: "\u25c6",
  bar: "\u25ae",
};

/** Words of the upper lane where the lower one says what the machine does. */
const PRESENCE_WORDS: Record<NodeState, string> = {
  online: "connected",
  offline: "disconnected",
  lost: "lost",
  unknown: "unknown",
};

interface Stretch extends Span {
  class: string;
  word: string;
  sign: string;
}

export interface TimelineProps {
  node: NodeView;
  events: readonly EventView[];
  ticks: readonly EventTick[];
  span: Span;
  states: Trace | null; // of its channel of kind state; null: it has none
}

export function Timeline({ node, events, ticks, span, states }: TimelineProps): JSX.Element {
  const presence = stateSegments(node, events, span.fromMs, span.toMs).map((segment) => ({
    ...segment,
    class: segment.state,
    ...signed(conditionOf(segment.state)),
    ...(states === null ? {} : { word: PRESENCE_WORDS[segment.state] }),
  }));
  const machine = states === null ? null : machineStretches(states, span).map(stretchOf);
  const lanes = machine === null ? [presence] : [presence, machine];
  const alarmTop = LANE_STEP * lanes.length + 1;
  const height = alarmTop + ALARM_HEIGHT;
  return (
    <svg class="timeline" height={height} role="img" aria-label={timelineLabel(presence, machine)}>
      {lanes.map((stretches, lane) => (
        <Lane key={lane} stretches={stretches} top={LANE_STEP * lane} span={span} />
      ))}
      {alarmSpans(node, events, span).map((each) => (
        <rect
          key={each.fromMs}
          class="alarm-lane"
          {...box(each, span)}
          y={alarmTop}
          height={ALARM_HEIGHT}
        />
      ))}
      {ticks.map((tick) => (
        <g key={`${tick.atMs}/${tick.text}`} class={tick.critical ? "tick critical" : "tick"}>
          <title>{tick.text}</title>
          <rect x={percent(share(tick.atMs, span))} y="0" width="2" height={height} />
        </g>
      ))}
    </svg>
  );
}

interface LaneProps {
  stretches: readonly Stretch[];
  top: number;
  span: Span;
}

function Lane({ stretches, top, span }: LaneProps): JSX.Element {
  return (
    <>
      <rect class="track" x="0" y={top} width="100%" height={LANE_HEIGHT} />
      {stretches.map((stretch) => {
        const width = share(stretch.toMs, span) - share(stretch.fromMs, span);
        const text = textWithin(stretch, width);
        return (
          <g key={stretch.fromMs}>
            <rect
              class={`state-${stretch.class}`}
              {...box(stretch, span)}
              y={top}
              height={LANE_HEIGHT}
            >
              <title>{stretch.word}</title>
            </rect>
            {text !== "" && (
              <text
                class={`word-${stretch.class}`}
                x={percent(share(stretch.fromMs, span))}
                dx="4"
                y={top + 11}
              >
                {text}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

/** Shape and word where there is room for them in a share of the width in percent, else the shape, else nothing. */
function textWithin({ sign, word }: Stretch, width: number): string {
  const plotWidth = matchMedia(NARROW).matches ? PLOT_WIDTH_NARROW : PLOT_WIDTH;
  const room = (width / 100) * plotWidth - TEXT_PADDING;
  return [`${sign} ${word}`, sign].find((text) => room >= CHARACTER_WIDTH * text.length) ?? "";
}

function stretchOf(each: MachineStretch): Stretch {
  return { ...each, class: each.name, ...signed(stretchCondition(each.name)) };
}

function signed(condition: Condition): { word: string; sign: string } {
  return { word: condition.word, sign: SIGNS[condition.shape] ?? "" };
}

/** Where a moment stands in the span, in percent; outside it is at the edge. */
function share(atMs: number, { fromMs, toMs }: Span): number {
  const insideMs = Math.min(toMs, Math.max(fromMs, atMs));
  return (100 * (insideMs - fromMs)) / (toMs - fromMs);
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function box(each: Span, span: Span): { x: string; width: string } {
  const start = share(each.fromMs, span);
  return { x: percent(start), width: percent(share(each.toMs, span) - start) };
}

function timelineLabel(presence: readonly Stretch[], machine: readonly Stretch[] | null): string {
  const words = (stretches: readonly Stretch[]): string =>
    stretches.length === 0 ? "nothing known" : stretches.map(({ word }) => word).join(", ");
  const state = `state: ${words(presence)}`;
  return machine === null ? state : `${state}; machine: ${words(machine)}`;
}
