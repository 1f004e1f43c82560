// SPDX-License-Identifier: MIT
// The registry as the HTTP API shows it.
//
// Copies: what is given out does not change afterwards. Counters get the names of SPEC.md §6.

import { COUNTER_NAMES } from "../firmware/wire/counter-names.ts";
import type { AlarmView, ChannelView, NodeView, RegisterView, TapView } from "./api.ts";
import type { ChannelRecord, NodeRecord } from "./registry.ts";

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
  };
}

function tapViews(node: NodeRecord): TapView[] {
  return node.taps.map((tap, index) => ({
    ...tap,
    counters: named(TAP_COUNTER_NAMES, node.status?.taps[index]),
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
    quality: channel.quality,
    cause: channel.cause === "" ? null : channel.cause,
    atMs: channel.atMs,
    periodMs: birth?.periodMs ?? 0,
    heartbeatMs: birth?.heartbeatMs ?? 0,
    alarms: alarmViews(channel),
    register: registerView(node, channel),
  };
}

function alarmViews(channel: ChannelRecord): AlarmView[] {
  return (channel.birth?.alarms ?? []).map((limit) => {
    const state = channel.alarms.get(limit.name);
    const active = state?.active ?? false;
    return {
      ...limit,
      active,
      sinceMs: active ? (state?.sinceMs ?? null) : null,
      acknowledged: false,
    };
  });
}

function registerView(node: NodeRecord, channel: ChannelRecord): RegisterView | null {
  const register = channel.birth?.register ?? null;
  if (register === null) return null;
  return { ...register, tap: node.taps[register.tap]?.name ?? "" };
}

function named(names: readonly string[], values: number[] | undefined): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const [index, name] of names.entries()) {
    const value = values?.[index];
    if (value !== undefined) counters[name] = value;
  }
  return counters;
}
