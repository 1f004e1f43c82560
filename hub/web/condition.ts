// SPDX-License-Identifier: MIT
// What is wrong, where and since when: the worst comes first.
//
// Pure functions over the API's views. One word and one shape for each condition, everywhere the same; colour is only
// for what asks a person to act (`tone`).

import type { AlarmView, ChannelView, EventKind, EventView, NodeState, NodeView } from "../api.ts";
import { formatDuration } from "./format.ts";
import { OLD_PERIODS } from "./limits.ts";
import { silenceOf } from "./store.ts";

export type ShapeName =
  "dot" | "square" | "triangle" | "triangle-hollow" | "diamond" | "ring" | "bar";

export type Tone = "normal" | "off" | "warning" | "critical";

export interface Condition {
  word: string;
  shape: ShapeName;
  tone: Tone;
  rank: number; // larger is worse
}

const CONDITIONS = {
  online: { word: "running", shape: "dot", tone: "normal", rank: 0 },
  offline: { word: "stopped", shape: "square", tone: "off", rank: 1 },
  unknown: { word: "unknown", shape: "ring", tone: "off", rank: 2 },
  uncertain: { word: "bad value", shape: "diamond", tone: "warning", rank: 3 },
  lost: { word: "lost", shape: "ring", tone: "warning", rank: 4 },
  alarm: { word: "alarm", shape: "triangle", tone: "critical", rank: 5 },
} as const satisfies Record<string, Condition>;

/** How each kind of event looks in a list. */
const EVENT_MARKS: Record<EventKind, { shape: ShapeName; tone: Tone }> = {
  alarm: { shape: "triangle", tone: "critical" },
  returned: { shape: "triangle-hollow", tone: "normal" },
  acknowledged: { shape: "triangle-hollow", tone: "normal" },
  online: { shape: "dot", tone: "normal" },
  offline: { shape: "square", tone: "off" },
  lost: { shape: "ring", tone: "warning" },
  boot: { shape: "bar", tone: "normal" },
  firmware: { shape: "bar", tone: "normal" },
  "new-node": { shape: "dot", tone: "normal" },
  trap: { shape: "diamond", tone: "warning" },
  dropped: { shape: "diamond", tone: "warning" },
  refused: { shape: "diamond", tone: "warning" },
  identity: { shape: "diamond", tone: "warning" },
  clock: { shape: "diamond", tone: "warning" },
  setpoint: { shape: "bar", tone: "normal" },
  "refused-write": { shape: "diamond", tone: "warning" },
};

/** Kinds in the order of the filter. */
export const EVENT_KINDS = Object.keys(EVENT_MARKS) as EventKind[];

export function eventMark(kind: EventKind): { shape: ShapeName; tone: Tone } {
  return EVENT_MARKS[kind] ?? { shape: "bar", tone: "normal" };
}

/** The presence of a machine alone, whatever its alarms are. */
export function stateCondition(node: NodeView): Condition {
  return conditionOf(node.state);
}

export function conditionOf(state: NodeState): Condition {
  return CONDITIONS[state] ?? CONDITIONS.unknown;
}

/** The worst of presence, alarms and bad values. */
export function worstCondition(node: NodeView): Condition {
  const state = stateCondition(node);
  if (node.channels.some((channel) => channel.alarms.some((alarm) => alarm.active))) {
    return CONDITIONS.alarm;
  }
  if (state.rank >= CONDITIONS.uncertain.rank) return state;
  const bad = node.channels.some((channel) => isBad(channel));
  return bad && node.state === "online" ? CONDITIONS.uncertain : state;
}

/** A reading came and said that it is none. */
export function isBad(channel: ChannelView): boolean {
  return channel.quality === "bad" && channel.atMs !== null;
}

export interface ActiveAlarm {
  node: NodeView;
  channel: ChannelView;
  alarm: AlarmView;
}

/** Alarms that stand, oldest first. */
export function activeAlarms(nodes: readonly NodeView[]): ActiveAlarm[] {
  const found = nodes.flatMap((node) =>
    node.channels.flatMap((channel) =>
      channel.alarms.filter((alarm) => alarm.active).map((alarm) => ({ node, channel, alarm })),
    ),
  );
  return found.sort((one, other) => (one.alarm.sinceMs ?? 0) - (other.alarm.sinceMs ?? 0));
}

export interface Note {
  text: string;
  tone: Tone;
}

/** What must stand beside a value: its quality when that is not good, its age when it is old. */
export function valueNotes(node: NodeView, channel: ChannelView, hubMs: number): Note[] {
  if (channel.atMs === null) return [{ text: "no reading yet", tone: "off" }];
  const notes: Note[] = [];
  if (channel.quality === "bad") notes.push({ text: causeText(channel.cause), tone: "warning" });
  if (channel.quality === "uncertain") notes.push({ text: "uncertain", tone: "warning" });
  if (isOld(node, channel, hubMs)) {
    notes.push({ text: `${formatDuration(hubMs - channel.atMs)} old`, tone: "off" });
  }
  return notes;
}

/** Older than three periods, or of a machine that does not send. */
export function isOld(node: NodeView, channel: ChannelView, hubMs: number): boolean {
  if (channel.atMs === null) return false;
  const promisedMs = Math.max(OLD_PERIODS * silenceOf(channel), 3_000);
  const promised = silenceOf(channel) > 0;
  const ageMs = hubMs - channel.atMs;
  return (promised && ageMs > promisedMs) || (node.state !== "online" && ageMs > 3_000);
}

/** `open-wire` as words. */
export function causeText(cause: string | null): string {
  return cause === null ? "bad" : cause.replaceAll("-", " ");
}

/** The limits between which a channel is normal; null: no limit on that side. */
export function normalBand(channel: ChannelView): { low: number | null; high: number | null } {
  const above = channel.alarms.filter((alarm) => alarm.above).map((alarm) => alarm.limit);
  const below = channel.alarms.filter((alarm) => !alarm.above).map((alarm) => alarm.limit);
  return {
    low: below.length === 0 ? null : Math.max(...below),
    high: above.length === 0 ? null : Math.min(...above),
  };
}

/** Channels worth showing first: those with alarms, then in the machine's order. */
export function keyChannels(node: NodeView, count: number): ChannelView[] {
  const watched = node.channels.filter((channel) => channel.alarms.length > 0);
  const others = node.channels.filter((channel) => channel.alarms.length === 0);
  return [...watched, ...others].slice(0, count);
}

export interface StateSegment {
  state: NodeState;
  fromMs: number;
  toMs: number;
}

/** What a machine was over a time, from the events (newest first); before the first one nothing is known. */
export function stateSegments(
  node: NodeView,
  events: readonly EventView[],
  fromMs: number,
  toMs: number,
): StateSegment[] {
  const steps = events
    .filter((event) => event.node === node.id && event.wallMs < node.sinceMs)
    .filter((event) => ["online", "offline", "lost"].includes(event.kind))
    .map((event) => ({ state: event.kind as NodeState, atMs: event.wallMs }))
    .reverse();
  steps.push({ state: node.state, atMs: node.sinceMs });
  return steps.flatMap((step, index) => {
    const start = Math.max(fromMs, step.atMs);
    const end = Math.min(toMs, steps[index + 1]?.atMs ?? toMs);
    return end > start ? [{ state: step.state, fromMs: start, toMs: end }] : [];
  });
}
