// SPDX-License-Identifier: MIT
// The registry as the HTTP API shows it.
//
// Copies: what is given out does not change afterwards. Counters get the names of SPEC.md §6.

import { COUNTER_NAMES } from "../firmware/wire/counter-names.ts";
import { alarmView } from "./acknowledge.ts";
import type {
  AlarmView,
  ChannelView,
  FieldView,
  ObjectView,
  LinkView,
  MachineTotals,
  NodeView,
  RegisterView,
  StateTimes,
  TapView,
} from "./api.ts";
import type { Status } from "./decode-birth.ts";
import { learnedCount, lineView } from "./findings.ts";
import { oeeView } from "./oee.ts";
import { gapMs, type ChannelRecord, type NodeRecord } from "./registry.ts";
import { setpointViews } from "./setpoints.ts";
import { addStateTime } from "./totals.ts";

/** Names of the tap counters, in the order of SPEC.md §6. */
export const TAP_COUNTER_NAMES: readonly string[] = [
  "bytes",
  "frames",
  "requests",
  "responses",
  "exceptions",
  "pairs",
  "orphans",
  "unanswered",
  "broadcasts",
  "junkBytes",
];

export function nodeView(node: NodeRecord): NodeView {
  const { identity, status } = node;
  const totals = { ...machineTotals(node), stateMs: timesSoFar(node) };
  return {
    id: node.id,
    type: identity?.type ?? null,
    state: node.state,
    sinceMs: node.sinceMs,
    boot: node.boot < 0 ? null : node.boot,
    lastSeenMs: node.lastSeenMs,
    eui64: identity?.eui64 ?? null,
    loopHash: identity?.loopHash ?? null,
    linkHash: identity?.linkHash ?? null,
    firmware: identity?.firmware ?? null,
    host: identity?.host ?? null,
    periodUs: identity?.periodUs ?? null,
    line: node.line,
    cell: node.cell,
    counters: named(COUNTER_NAMES, status?.counters),
    uptimeMs: status?.uptimeMs ?? null,
    statusAtMs: node.statusAtMs,
    taps: tapViews(node),
    outputs: node.outputs.map((output) => ({ ...output })),
    channels: node.channels.map((channel) => channelView(node, channel)),
    setpoints: setpointViews(node),
    machine: node.machine === null ? null : { ...node.machine },
    totals,
    oee: node.plan === null ? null : oeeView(node.plan, totals),
    link: linkView(status),
  };
}

/** Copies of what a machine's state and counter channels add up to. */
export function machineTotals(node: NodeRecord): MachineTotals {
  const counts: Record<string, number> = {};
  for (const { name, birth, count } of node.channels)
    if (birth !== null && count !== null) counts[name] = scaled(count.steps, birth.step);
  return { stateMs: node.stateMs === null ? null : { ...node.stateMs }, counts };
}

/**
 * Times with the state that still lasts, up to the newest count: a state is told when it changes and every
 * heartbeat, items are counted all the time, and an effectiveness of both must be of one time.
 */
function timesSoFar({ channels, stateMs }: NodeRecord): StateTimes | null {
  const state = channels.find(({ birth }) => birth?.kind === "state");
  if (stateMs === null) return null;
  const times = { ...stateMs };
  if (state === undefined) return times;
  const counters = channels.filter(({ birth, boot }) => {
    return birth?.kind === "counter" && boot === state.boot;
  });
  const atMs = Math.max(0, ...counters.map((counter) => counter.atMs ?? 0));
  addStateTime(times, state, { value: NaN, atMs, boot: state.boot }, gapMs(state));
  return times;
}

/** A step below 1 divides by a whole number: 3 steps of 0.1 are 0.3, not 0.30000000000000004. */
function scaled(steps: number, step: number): number {
  return step < 1 ? steps / Math.round(1 / step) : steps * step;
}

const RETRANSMISSIONS = COUNTER_NAMES.indexOf("retransmissions");

function linkView(status: Status | null): LinkView {
  return {
    roundTripMs: status?.roundTripMs || null,
    sent: status?.datagramsSent ?? 0,
    retransmissions: status?.counters[RETRANSMISSIONS] ?? 0,
  };
}

function tapViews(node: NodeRecord): TapView[] {
  return node.taps.map((tap, index) => ({
    ...tap,
    counters: named(TAP_COUNTER_NAMES, node.status?.taps[index]),
    line: lineView(node.findings, index),
    learned: learnedCount(node.findings, index),
  }));
}

function channelView(node: NodeRecord, channel: ChannelRecord): ChannelView {
  const { birth } = channel;
  return {
    name: channel.name,
    unit: birth?.unit ?? null,
    kind: birth?.kind ?? "computed",
    decimals: channel.decimals,
    value: Number.isNaN(channel.value) ? null : channel.value,
    text: channel.text,
    quality: channel.quality,
    cause: channel.cause === "" ? null : channel.cause,
    atMs: channel.atMs,
    periodMs: birth?.periodMs ?? 0,
    heartbeatMs: birth?.heartbeatMs ?? 0,
    alarms: alarmViews(channel),
    register: registerView(node, channel),
    field: fieldView(node, channel),
    object: objectView(node, channel),
  };
}

function alarmViews(channel: ChannelRecord): AlarmView[] {
  const alarms = channel.birth?.alarms ?? [];
  return alarms.map((limit) => alarmView(limit, channel.alarms.get(limit.name)));
}

function registerView(node: NodeRecord, channel: ChannelRecord): RegisterView | null {
  const register = channel.birth?.register ?? null;
  if (register === null) return null;
  return { ...register, tap: node.taps[register.tap]?.name ?? "" };
}

function fieldView(node: NodeRecord, channel: ChannelRecord): FieldView | null {
  const field = channel.birth?.field ?? null;
  return field === null ? null : { ...field, tap: node.taps[field.tap]?.name ?? "" };
}

function objectView(node: NodeRecord, channel: ChannelRecord): ObjectView | null {
  const object = channel.birth?.object ?? null;
  return object === null ? null : { ...object, tap: node.taps[object.tap]?.name ?? "" };
}

function named(names: readonly string[], values: number[] | undefined): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const [index, name] of names.entries()) {
    const value = values?.[index];
    if (value !== undefined) counters[name] = value;
  }
  return counters;
}
