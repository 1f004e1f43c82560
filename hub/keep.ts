// SPDX-License-Identifier: MIT
// The registry as it outlasts a restart: records to texts, and texts to records.
//
// A text of this program's own file is trusted in shape; one that is no JSON is passed over, so that a
// hub starts with what is left. NaN, no value, is null in a text.

import type { AlarmState } from "./acknowledge.ts";
import { type Core, touch } from "./core.ts";
import type { ChannelBirth } from "./decode-birth.ts";
import type { Keeper, Kept } from "./history.ts";
import * as registry from "./registry.ts";
import { restoreSequences, takeSequenceChanges } from "./sequence.ts";
import { resumeWrites } from "./setpoints.ts";

/** Writes down all that was touched, in one piece with the points. */
export function commitCore(core: Core, keeper: Keeper): void {
  for (const node of core.touched) {
    keeper.sequences(node.id, takeSequenceChanges(node.sequences));
    if (node.touched) keeper.node(node.id, nodeText(node));
    node.touched = false;
    for (const channel of node.channels) {
      if (!channel.touched) continue;
      channel.touched = false;
      keeper.channel(node.id, channel.name, channelText(channel));
    }
  }
  core.touched.clear();
  keeper.commit();
}

/** Fills an empty registry with what was kept. */
export function restoreCore(core: Core, kept: Kept): void {
  for (const { node: id, body } of kept.nodes) {
    const text = parsed<NodeText>(body);
    if (text !== null) restoreNode(core, id, text);
  }
  for (const { node: id, channel, body } of kept.channels) {
    const node = core.registry.nodes.get(id);
    const text = parsed<ChannelText>(body);
    if (node !== undefined && text !== null) restoreChannel(core, node, channel, text);
  }
  for (const [id, chunks] of kept.chunks) {
    const node = core.registry.nodes.get(id);
    if (node !== undefined) restoreSequences(node.sequences, chunks);
  }
  for (const node of core.registry.nodes.values()) {
    if (node.state !== "unknown") core.uns.state(node);
    for (const channel of node.channels) core.uns.meta(node, channel);
  }
  core.touched.clear();
}

// What stands in a node's text beside its announced channels.
const NODE_FIELDS = [
  "state",
  "sinceMs",
  "silent",
  "lastSeenMs",
  "baseName",
  "boot",
  "birthBoot",
  "identity",
  "outputs",
  "taps",
  "status",
  "statusAtMs",
  "wentOnBoot",
  "stateMs",
  "machine",
] as const;

const CHANNEL_FIELDS = [
  "text",
  "decimals",
  "quality",
  "cause",
  "qualitySinceMs",
  "atMs",
  "boot",
  "sequence",
  "count",
  "setpoint",
] as const;

type NodeText = Pick<registry.NodeRecord, (typeof NODE_FIELDS)[number]> & {
  channels: ChannelBirth[];
};

type ChannelText = Pick<registry.ChannelRecord, (typeof CHANNEL_FIELDS)[number]> & {
  value: number | null;
  alarms: [string, AlarmState][];
};

function nodeText(node: registry.NodeRecord): string {
  const channels = node.channels.flatMap(({ birth }) => (birth === null ? [] : [birth]));
  return JSON.stringify({ ...picked(node, NODE_FIELDS), channels });
}

function channelText(channel: registry.ChannelRecord): string {
  const { value, alarms } = channel;
  return JSON.stringify({ ...picked(channel, CHANNEL_FIELDS), value, alarms: [...alarms] });
}

function picked<T, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

function parsed<T>(body: string): T | null {
  try {
    return JSON.parse(body) as T;
  } catch {
    return null;
  }
}

function restoreNode(core: Core, id: string, { channels, ...text }: NodeText): void {
  const node = registry.nodeOf(core.registry, id, text.sinceMs);
  if (node === null) return;
  if (text.identity !== null) {
    const { boot, birthBoot, identity, outputs, taps } = text;
    registry.applyBirth(core.registry, node, { boot, identity, channels, outputs, taps });
    node.birthBoot = birthBoot;
  }
  Object.assign(node, picked(text, NODE_FIELDS));
}

function restoreChannel(
  core: Core,
  node: registry.NodeRecord,
  name: string,
  text: ChannelText,
): void {
  const channel = registry.channelOf(core.registry, node, name);
  if (channel === null) return;
  Object.assign(channel, picked(text, CHANNEL_FIELDS));
  channel.value = text.value ?? NaN;
  channel.text ??= null; // a file of before there were texts
  channel.alarms = new Map(text.alarms);
  resumeWrites(core, node, channel);
}

/** Lets a channel that is announced no more be forgotten; its points stay. */
export function forgetChannel(
  core: Core,
  node: registry.NodeRecord,
  channel: registry.ChannelRecord,
): void {
  core.registry.history.keeper?.forgetChannel(node.id, channel.name);
  touch(core, node, null);
}
