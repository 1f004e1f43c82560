// SPDX-License-Identifier: MIT
// The nodes that were heard, what they announced about themselves and their state.
//
// Spec: SPEC.md §2, §5. A node is shown from its first good message on, with or without a birth.
// (R1) at most NODES_MAX nodes; of each at most CHANNELS_ANNOUNCED_MAX channels of its birth and
//      CHANNELS_UNANNOUNCED_MAX others.
// (R2) topic levels of the channels of one node differ, and none starts with an underscore.

import type { AlarmState } from "./acknowledge.ts";
import type { MachineState, NodeState, OutputView, ProductionPlan } from "./api.ts";
import type { Quality, StateTimes } from "./api.ts";
import type { ChannelBirth, Identity, Status, TapBirth } from "./decode-birth.ts";
import type { BirthParts, NodeBirth } from "./birth.ts";
import { createBirthParts } from "./birth.ts";
import { createFindings, type NodeFindings } from "./findings.ts";
import type { HistoryStore, Series } from "./history.ts";
import * as limits from "./limits.ts";
import { topicLevel } from "./names.ts";
import { createSequences, type Sequences } from "./sequence.ts";
import type { SetpointRecord } from "./setpoints.ts";
import type { CountTotal } from "./totals.ts";

export interface ChannelRecord {
  name: string;
  level: string; // its topic level
  birth: ChannelBirth | null; // null: not announced
  series: Series;
  value: number; // of the newest reading; NaN: none
  text: string | null; // of the newest reading; null: it is a number, or bad
  decimals: number | null;
  quality: Quality;
  cause: string; // "": none
  qualitySinceMs: number | null;
  atMs: number | null;
  boot: number; // of the newest reading; -1: none
  sequence: number;
  alarms: Map<string, AlarmState>; // by name; at most ALARMS_MAX and those of the birth
  count: CountTotal | null; // of a counter
  setpoint: SetpointRecord | null; // null: nothing is known beside its birth
  touched: boolean; // since the last commit
}

export interface NodeRecord {
  id: string;
  line: string;
  cell: string;
  plan: ProductionPlan | null;
  state: NodeState;
  sinceMs: number;
  silent: boolean; // lost by its silence: nobody said so
  lastSeenMs: number | null;
  baseName: string; // of the hardware that spoke last; "": none yet
  boot: number; // newest of that hardware; -1: none yet
  birthBoot: number; // of the birth that is shown; -1: none
  identity: Identity | null;
  outputs: OutputView[];
  taps: TapBirth[];
  parts: BirthParts;
  status: Status | null;
  statusAtMs: number | null;
  wentOnBoot: number; // a boot of link alone: loop did not start again; -1: none
  stateMs: StateTimes | null; // null: no reading of a state channel
  machine: MachineState | null; // null: not known
  findings: NodeFindings; // of its taps; not written down
  sequences: Sequences;
  touched: boolean; // since the last commit
  channels: ChannelRecord[]; // of the birth, in its order; then the others
  byName: Map<string, ChannelRecord>;
}

export interface Registry {
  nodes: Map<string, NodeRecord>;
  history: HistoryStore;
  place: (node: string) => { line: string; cell: string; plan: ProductionPlan | null };
}

export function createRegistry(history: HistoryStore, place: Registry["place"]): Registry {
  return { nodes: new Map(), history, place };
}

/** The node, made when it is not there; null: there are too many. */
export function nodeOf(registry: Registry, id: string, wallMs: number): NodeRecord | null {
  const known = registry.nodes.get(id);
  if (known !== undefined) return known;
  if (registry.nodes.size >= limits.NODES_MAX) return null;
  const { line, cell, plan } = registry.place(id);
  const node: NodeRecord = {
    id,
    line,
    cell,
    plan,
    state: "unknown",
    sinceMs: wallMs,
    silent: false,
    lastSeenMs: null,
    baseName: "",
    boot: -1,
    birthBoot: -1,
    identity: null,
    outputs: [],
    taps: [],
    parts: createBirthParts(),
    status: null,
    statusAtMs: null,
    wentOnBoot: -1,
    stateMs: null,
    machine: null,
    findings: createFindings(),
    sequences: createSequences(),
    touched: false,
    channels: [],
    byName: new Map(),
  };
  registry.nodes.set(id, node);
  return node;
}

/** The channel, made unannounced when it is not there; null: the node has too many of these. */
export function channelOf(
  registry: Registry,
  node: NodeRecord,
  name: string,
): ChannelRecord | null {
  const known = node.byName.get(name);
  if (known !== undefined) return known;
  const others = node.channels.filter((channel) => channel.birth === null).length;
  return others < limits.CHANNELS_UNANNOUNCED_MAX ? addChannel(registry, node, name) : null;
}

/** Takes over a complete birth; returns the channels that it announces no more. */
export function applyBirth(
  registry: Registry,
  node: NodeRecord,
  birth: NodeBirth,
): ChannelRecord[] {
  const retired = node.channels.filter(
    ({ name, birth: before }) =>
      before !== null && !birth.channels.some((channel) => channel.name === name),
  );
  for (const channel of retired) node.byName.delete(channel.name);
  const others = node.channels.filter((channel) => channel.birth === null);
  const announced = birth.channels.map((channelBirth) => {
    const { name } = channelBirth;
    const channel = node.byName.get(name) ?? addChannel(registry, node, name);
    channel.birth = channelBirth;
    channel.decimals = channelBirth.decimals;
    return channel;
  });
  node.channels = [...announced, ...others.filter((channel) => channel.birth === null)];
  node.birthBoot = birth.boot;
  node.identity = birth.identity;
  node.outputs = birth.outputs;
  node.taps = birth.taps;
  return retired;
}

/** Another board speaks under this id: its boots and sequences have nothing to do with those before. */
export function changeHardware(node: NodeRecord, baseName: string): void {
  node.baseName = baseName;
  node.boot = -1;
  node.findings = createFindings();
  node.status = null;
  node.statusAtMs = null;
  for (const channel of node.channels) {
    channel.boot = -1;
    channel.sequence = -1;
    if (channel.count !== null) channel.count = { ...channel.count, boot: -1, last: 0 };
    for (const alarm of channel.alarms.values()) alarm.boot = -1;
  }
}

/** True for a channel whose readings are texts: it says so, or the newest is one. */
export function isTextChannel({ birth, text }: ChannelRecord): boolean {
  return text !== null || (birth?.register?.type.startsWith("text") ?? false);
}

/** After this much silence a channel's chart has a gap; Infinity: it promised nothing. */
export function gapMs(channel: ChannelRecord): number {
  const longest = channel.birth?.heartbeatMs || channel.birth?.periodMs || 0;
  return longest === 0 ? Infinity : Math.max(limits.GAP_MS_MIN, limits.GAP_HEARTBEATS * longest);
}

function addChannel(registry: Registry, node: NodeRecord, name: string): ChannelRecord {
  const channel: ChannelRecord = {
    name,
    level: freeLevel(node, topicLevel(name)),
    birth: null,
    series: registry.history.open(node.id, name),
    value: NaN,
    text: null,
    decimals: null,
    quality: "good",
    cause: "",
    qualitySinceMs: null,
    atMs: null,
    boot: -1,
    sequence: -1,
    alarms: new Map(),
    count: null,
    setpoint: null,
    touched: false,
  };
  node.byName.set(name, channel);
  node.channels.push(channel);
  return channel;
}

/** (R2): names that differ only in signs get a number; there are at most a few hundred channels. */
function freeLevel(node: NodeRecord, wanted: string): string {
  const taken = (level: string): boolean => node.channels.some((other) => other.level === level);
  let level = wanted;
  for (let number = 2; taken(level); number++) level = `${wanted}-${number}`;
  return level;
}
