// SPDX-License-Identifier: MIT
// Unified namespace: a flat JSON message per reading, its meaning retained beside.
//
//   <root>/<enterprise>/<site>/<area>/<line>/<cell>/_raw/<node>/<tag>    {"timestamp_ms":…,"value":…}
//   <root>/…/_raw/<node>/<tag>/_meta   retained: unit, limits, quality
//   <root>/…/_state/<node>             retained: {"timestamp_ms":…,"value":"online"}
//   <root>/…/_oee/<node>/<tag>         retained: {"timestamp_ms":…,"value":…}; tags run_ms, idle_ms,
//                                      stopped_ms, fault_ms and count_<tag of the counter>
//
// (U1) a bad reading publishes no value; its quality and cause stand in _meta.
// (U2) topic levels are [A-Za-z0-9_-] only: some brokers end the connection at a dot or a space.
// (U3) at most PUBLICATIONS_MAX values wait, the oldest is dropped and counted; retained topics wait
//      as a set, each with its newest payload, so none is lost.

import { TOPIC_ROOT } from "../firmware/wire/topics.ts";
import type { MachineTotals } from "./api.ts";
import type { ChannelRecord, NodeRecord } from "./registry.ts";
import { PUBLICATIONS_MAX } from "./limits.ts";
import { isTopicLevel } from "./names.ts";

/** Where a plant stands in the namespace. */
export interface UnsPlace {
  root: string; // one or more levels, such as umh/v1
  enterprise: string;
  site: string;
  area: string;
}

/** A message for the broker, at QoS 1. */
export interface Publication {
  topic: string;
  payload: string | Uint8Array;
  retain: boolean;
  untilMs?: number; // not to be published after this wall time
}

export interface Uns {
  value(node: NodeRecord, channel: ChannelRecord, atMs: number, value: number | string): void;
  meta(node: NodeRecord, channel: ChannelRecord): void;
  state(node: NodeRecord): void;
  /** Raw totals of a machine for OEE. */
  totals(node: NodeRecord, totals: MachineTotals, atMs: number): void;
  /** Clears the retained topic of a channel that is gone. */
  retire(node: NodeRecord, channel: ChannelRecord): void;
  /** All that waits, retained ones first. */
  take(): Publication[];
  /** Lets all retained topics be published again. */
  again(): void;
  dropped(): number;
}

export function createUns(place: UnsPlace): Uns {
  const plant = `${place.root}/${place.enterprise}/${place.site}/${place.area}`;
  const values = createValueQueue();
  const retained = new Map<string, string>();
  const waiting = new Set<string>();
  const tags = new WeakMap<ChannelRecord, string>(); // a topic is made once a channel

  function tag(node: NodeRecord, channel: ChannelRecord): string {
    let topic = tags.get(channel);
    if (topic === undefined) {
      topic = `${plant}/${node.line}/${node.cell}/_raw/${node.id}/${channel.level}`;
      tags.set(channel, topic);
    }
    return topic;
  }

  function keep(topic: string, payload: string): void {
    if (retained.get(topic) === payload) return;
    retained.set(topic, payload);
    waiting.add(topic);
  }

  return {
    value: (node, channel, atMs, value) =>
      values.put(tag(node, channel), `{"timestamp_ms":${atMs},"value":${JSON.stringify(value)}}`),
    meta: (node, channel) => keep(`${tag(node, channel)}/_meta`, metaPayload(channel)),
    state: (node) =>
      keep(
        `${plant}/${node.line}/${node.cell}/_state/${node.id}`,
        JSON.stringify({ timestamp_ms: node.sinceMs, value: node.state }),
      ),
    totals: (node, { stateMs, counts }, atMs) => {
      const place = `${plant}/${node.line}/${node.cell}/_oee/${node.id}`;
      const put = (name: string, value: number): void =>
        keep(`${place}/${name}`, JSON.stringify({ timestamp_ms: Math.round(atMs), value }));
      for (const [state, ms] of Object.entries(stateMs ?? {})) put(`${state}_ms`, ms);
      for (const [channel, count] of Object.entries(counts)) {
        const level = node.byName.get(channel)?.level;
        if (level !== undefined) put(`count_${level}`, count);
      }
    },
    retire: (node, channel) => {
      const topic = `${tag(node, channel)}/_meta`;
      if (retained.delete(topic)) waiting.add(topic);
    },
    take: () => {
      const publications: Publication[] = [];
      for (const topic of waiting)
        // an empty retained message clears the topic
        publications.push({ topic, payload: retained.get(topic) ?? "", retain: true });
      waiting.clear();
      values.takeAll(publications);
      return publications;
    },
    again: () => {
      for (const topic of retained.keys()) waiting.add(topic);
    },
    dropped: () => values.dropped(),
  };
}

/** Why a place cannot be used in topics, or null. */
export function placeProblem(levels: Record<string, string>): string | null {
  // The hub would hear its own publications.
  if (levels["root"]?.split("/")[0] === TOPIC_ROOT)
    return `"root" is "${levels["root"]}": that is where nodes publish, choose another`;
  for (const [name, text] of Object.entries(levels)) {
    const parts = name === "root" ? text.split("/") : [text];
    if (!parts.every(isTopicLevel))
      return `"${name}" is "${text}": a topic level is one or more letters, digits, - and _`;
  }
  return null;
}

function metaPayload(channel: ChannelRecord): string {
  const { birth } = channel;
  return JSON.stringify({
    name: channel.name,
    unit: birth?.unit ?? null,
    kind: birth?.kind ?? "computed",
    decimals: channel.decimals,
    quality: channel.atMs === null ? null : channel.quality,
    cause: channel.cause === "" ? null : channel.cause,
    quality_since_ms: channel.qualitySinceMs,
    limits: (birth?.alarms ?? []).map(({ name, above, limit, hysteresis, delayMs }) => ({
      name,
      [above ? "above" : "below"]: limit,
      hysteresis,
      delay_ms: delayMs,
    })),
  });
}

// Values in a ring; the oldest goes when it is full.
function createValueQueue(): {
  put(topic: string, payload: string): void;
  takeAll(into: Publication[]): void;
  dropped(): number;
} {
  let queue: Publication[] = [];
  let first = 0; // slot of the oldest, once the ring is full
  let dropped = 0;
  return {
    put: (topic, payload) => {
      const publication = { topic, payload, retain: false };
      if (queue.length < PUBLICATIONS_MAX) {
        queue.push(publication);
        return;
      }
      queue[first] = publication;
      first = (first + 1) % PUBLICATIONS_MAX;
      dropped++;
    },
    takeAll: (into) => {
      for (let i = 0; i < queue.length; i++) {
        const publication = queue[(first + i) % queue.length];
        if (publication !== undefined) into.push(publication);
      }
      queue = [];
      first = 0;
    },
    dropped: () => dropped,
  };
}
