// SPDX-License-Identifier: MIT
// What is wrong, where and since when: the worst comes first.
//
// Pure functions over the API's views. One word and one shape for each condition, everywhere the same; colour is only
// for what asks a person to act (`tone`).

import type { AlarmView, ChannelKind, ChannelView, EventKind, EventView } from "../api.ts";
import type { NodeState, NodeView, StateTimes } from "../api.ts";
import { formatDuration } from "./format.ts";
import { ALARM_FLOOD_MIN, ALARM_LINES_MAX, OLD_PERIODS } from "./limits.ts";
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
  returned: { word: "returned", shape: "triangle-hollow", tone: "warning", rank: 3 },
  uncertain: { word: "bad value", shape: "diamond", tone: "warning", rank: 4 },
  lost: { word: "lost", shape: "ring", tone: "warning", rank: 5 },
  acknowledged: { word: "acknowledged", shape: "triangle-hollow", tone: "critical", rank: 6 },
  alarm: { word: "alarm", shape: "triangle", tone: "critical", rank: 7 },
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
  notice: { shape: "diamond", tone: "warning" },
  setpoint: { shape: "bar", tone: "normal" },
  "refused-write": { shape: "diamond", tone: "warning" },
};

/** Kinds in the order of the filter. */
export const EVENT_KINDS = Object.keys(EVENT_MARKS) as EventKind[];

export function eventMark(kind: EventKind): { shape: ShapeName; tone: Tone } {
  return EVENT_MARKS[kind] ?? { shape: "bar", tone: "normal" };
}

const MACHINE_STATES: Record<keyof StateTimes, Condition> = {
  run: CONDITIONS.online,
  idle: { word: "idle", shape: "bar", tone: "off", rank: 0 },
  stopped: CONDITIONS.offline,
  fault: { word: "fault", shape: "diamond", tone: "warning", rank: 4 },
};

/** By the value of a reading. */
export const STATE_NAMES = ["stopped", "idle", "run", "fault"] as const;

export function machineCondition(state: keyof StateTimes): Condition {
  return MACHINE_STATES[state];
}

/** What the machine does as far as it is heard, and since when; else whether its node is there. */
export function machineState(node: NodeView): { condition: Condition; sinceMs: number } {
  const { machine, sinceMs } = node;
  if (machine === null || node.state !== "online")
    return { condition: stateCondition(node), sinceMs };
  return { condition: MACHINE_STATES[machine.state], sinceMs: machine.sinceMs };
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
  const found: Condition[] = [machineState(node).condition];
  for (const channel of node.channels) {
    if (isBad(channel) && node.state === "online") found.push(CONDITIONS.uncertain);
    for (const alarm of channel.alarms) found.push(alarmCondition(alarm) ?? CONDITIONS.online);
  }
  return found.reduce((worst, each) => (each.rank > worst.rank ? each : worst));
}

/** Standing, acknowledged, or returned and never acknowledged (ISA-18.2); null: normal. */
export function alarmCondition(alarm: AlarmView): Condition | null {
  if (alarm.active) return alarm.acknowledged ? CONDITIONS.acknowledged : CONDITIONS.alarm;
  return alarm.returnedMs === null ? null : CONDITIONS.returned;
}

/** A reading came and said that it is none. */
export function isBad(channel: ChannelView): boolean {
  return channel.quality === "bad" && channel.atMs !== null;
}

export interface OpenAlarm {
  node: NodeView;
  channel: ChannelView;
  alarm: AlarmView;
  condition: Condition;
}

/** Alarms that stand or ask for an acknowledgement: unacknowledged first, of each kind the oldest. */
export function openAlarms(nodes: readonly NodeView[]): OpenAlarm[] {
  const found: OpenAlarm[] = [];
  for (const node of nodes)
    for (const channel of node.channels)
      for (const alarm of channel.alarms) {
        const condition = alarmCondition(alarm);
        if (condition !== null) found.push({ node, channel, alarm, condition });
      }
  return found.sort(
    (one, other) =>
      other.condition.rank - one.condition.rank ||
      (one.alarm.sinceMs ?? 0) - (other.alarm.sinceMs ?? 0),
  );
}

/** One alarm, or many of a flood in one line. */
export type AlarmEntry =
  | { key: string; alarm: OpenAlarm; flood: null }
  | { key: string; node: NodeView | null; flood: readonly OpenAlarm[] };

/**
 * At most ALARM_LINES_MAX entries: of many, those of one machine collapse, then all that is left.
 * Each alarm is in one entry.
 */
export function alarmEntries(alarms: readonly OpenAlarm[]): AlarmEntry[] {
  const few = alarms.length <= ALARM_LINES_MAX;
  const ofNode = new Map<string, OpenAlarm[]>();
  for (const each of alarms) {
    const known = ofNode.get(each.node.id);
    if (known === undefined) ofNode.set(each.node.id, [each]);
    else known.push(each);
  }
  const entries: AlarmEntry[] = [];
  const told = new Set<string>();
  for (const each of alarms) {
    const { node, channel, alarm } = each;
    const all = ofNode.get(node.id) ?? [];
    if (few || all.length < ALARM_FLOOD_MIN) {
      const key = `${node.id}/${channel.name}/${alarm.name}`;
      entries.push({ key, alarm: each, flood: null });
    } else if (!told.has(node.id)) entries.push({ key: node.id, node, flood: all });
    told.add(node.id);
  }
  if (entries.length <= ALARM_LINES_MAX) return entries;
  const rest = entries.splice(ALARM_LINES_MAX - 1);
  const flood = rest.flatMap((entry) => entry.flood ?? [entry.alarm]);
  return [...entries, { key: "*", node: null, flood }];
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

/** Kinds that say something in other places, or too little to stand first. */
const LAST_KINDS: readonly ChannelKind[] = ["state", "counter", "digital"];

/** Channels worth showing first: those with alarms, then in the machine's order. */
export function keyChannels(node: NodeView, count: number): ChannelView[] {
  const place = ({ alarms, kind }: ChannelView): number =>
    alarms.length > 0 ? 0 : LAST_KINDS.includes(kind) ? 2 : 1;
  return [...node.channels].sort((one, other) => place(one) - place(other)).slice(0, count);
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
