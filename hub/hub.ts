// SPDX-License-Identifier: MIT
// The hub's core: messages from the broker in, states and flat JSON out; no I/O.
//
// Spec: SPEC.md §2 to §6. Time is an argument: wall milliseconds. Nothing is thrown for bad input:
// it is refused by name, counted, and leaves all else as it was.

import type { Change, HistoryPoint, NodeState, Snapshot, Totals } from "./api.ts";
import { joinBirth } from "./birth.ts";
import { createCborCheck } from "./cbor.ts";
import { createCborReader } from "./cbor-reader.ts";
import {
  changesSince,
  createChangeRing,
  holdsChangesSince,
  putEventChange,
  putNodeChange,
  startChanges,
} from "./changes.ts";
import { createPackDecoder, type PackDecoder } from "./decode.ts";
import { decodeBirthPart, decodeStatus } from "./decode-birth.ts";
import { createEventLog } from "./events.ts";
import { createMemoryHistory, type HistoryStore } from "./history.ts";
import {
  type Core,
  countRefused,
  ingestPack,
  ingestStatus,
  meetBoot,
  meetHardware,
  tell,
} from "./ingest.ts";
import { createUns, placeProblem, type Publication } from "./uns.ts";
import {
  applyBirth,
  createRegistry,
  gapMs,
  type NodeRecord,
  nodeOf,
  type Registry,
} from "./registry.ts";
import { hasSequence } from "./sequence.ts";
import { createTopicParser, type NodeTopic } from "./topics.ts";
import { nodeView } from "./views.ts";

/** Where the plant stands in the namespace; a node may stand in another line or cell. */
export interface HubConfig {
  root: string; // such as umh/v1
  enterprise: string;
  site: string;
  area: string;
  line: string;
  cell: string;
  nodes?: Record<string, { line?: string; cell?: string }>;
}

/** A message from the broker. */
export interface HubMessage {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
}

export interface Hub {
  message(message: HubMessage, wallMs: number): void;
  /** Does what is due; the wall time at which it wants to be called again, Infinity: never. */
  poll(wallMs: number): number;
  /** What is to be published at QoS 1; it is not given again. */
  takePublications(): Publication[];
  /** Puts all retained topics to the publications again: a broker may have forgotten them. */
  republish(): void;
  snapshot(wallMs: number): Snapshot;
  /** Null: there is no such channel. */
  history(node: string, channel: string, sinceMs: number): HistoryPoint[] | null;
  changesSince(id: number): Change[];
  /** Whether changesSince(id) has no hole. */
  holdsChangesSince(id: number): boolean;
  changeId(): number;
  totals(): Totals;
  nodeCount(): number;
  /** Points that found no room in the history. */
  historyDropped(): number;
  /** Whether this reading or event was ingested; false also when it is too long ago to tell. */
  has(node: string, boot: number, sequence: number): boolean;
}

/** Throws when a level of the plant cannot stand in a topic. */
export function createHub(config: HubConfig, history: HistoryStore = createMemoryHistory()): Hub {
  checkConfig(config);
  const state = createState(config, history);
  const { core } = state;
  const start = (wallMs: number): void => {
    if (!state.started) startChanges(core.changes, wallMs);
    state.started = true;
  };
  const viewOf = (id: string): ReturnType<typeof nodeView> | null => {
    const node = core.registry.nodes.get(id);
    return node === undefined ? null : nodeView(node);
  };
  return {
    message: (message, wallMs) => {
      start(wallMs);
      takeMessage(state, message, Math.round(wallMs));
    },
    poll: (wallMs) => {
      start(wallMs);
      return core.events.poll(wallMs);
    },
    takePublications: () => core.uns.take(),
    republish: () => core.uns.again(),
    snapshot: (wallMs) => {
      start(wallMs);
      return snapshot(config, core, wallMs);
    },
    history: (node, name, sinceMs) => {
      const channel = core.registry.nodes.get(node)?.byName.get(name);
      return channel === undefined ? null : channel.series.read(sinceMs, gapMs(channel));
    },
    changesSince: (id) => changesSince(core.changes, id, viewOf),
    holdsChangesSince: (id) => holdsChangesSince(core.changes, id),
    changeId: () => core.changes.newestId,
    totals: () => totals(core),
    nodeCount: () => core.registry.nodes.size,
    historyDropped: () => history.dropped(),
    has: (id, boot, sequence) => {
      const node = core.registry.nodes.get(id);
      return node !== undefined && hasSequence(node.sequences, boot, sequence);
    },
  };
}

interface State {
  core: Core;
  started: boolean;
  parse: ReturnType<typeof createTopicParser>;
  decodePack: PackDecoder;
  check: ReturnType<typeof createCborCheck>;
  reader: ReturnType<typeof createCborReader>;
}

function checkConfig(config: HubConfig): void {
  const { root, enterprise, site, area, line, cell } = config;
  const problem = placeProblem({ root, enterprise, site, area, line, cell });
  if (problem !== null) throw new Error(problem);
  for (const place of Object.values(config.nodes ?? {})) {
    const nodeProblem = placeProblem({ line, cell, ...place });
    if (nodeProblem !== null) throw new Error(nodeProblem);
  }
}

function createState(config: HubConfig, history: HistoryStore): State {
  const changes = createChangeRing();
  const registry: Registry = createRegistry(history, (id) => {
    const { line = config.line, cell = config.cell } = config.nodes?.[id] ?? {};
    return { line, cell };
  });
  const core: Core = {
    counts: {
      messages: 0,
      ingested: 0,
      unconfirmed: 0,
      duplicates: 0,
      readings: 0,
      events: 0,
      refused: {},
    },
    registry,
    changes,
    events: createEventLog((event) => putEventChange(changes, event)),
    uns: createUns(config),
  };
  const check = createCborCheck();
  const reader = createCborReader();
  const decodePack = createPackDecoder(check, reader);
  return { core, started: false, parse: createTopicParser(), decodePack, check, reader };
}

function takeMessage(state: State, message: HubMessage, wallMs: number): void {
  state.core.counts.messages++;
  const topic = state.parse(message.topic);
  if (topic === null) return refuse(state.core, "bad-topic", "", wallMs);
  switch (topic.kind) {
    case "data":
    case "event":
      return takePack(state, topic.node, topic.kind, message, wallMs);
    case "presence":
      return takePresence(state.core, topic.node, message, wallMs);
    case "status":
      return takeStatus(state, topic.node, message, wallMs);
    case "birth":
      return takeBirth(state, topic, message, wallMs);
    case "time":
      return; // between node and gateway
  }
}

function takePack(
  state: State,
  id: string,
  kind: "data" | "event",
  message: HubMessage,
  wallMs: number,
): void {
  const pack = state.decodePack(message.payload, kind);
  if (typeof pack === "string") return refuse(state.core, pack, id, wallMs);
  const node = hear(state.core, id, message, wallMs);
  if (node !== null) ingestPack(state.core, node, pack, kind, { wallMs, qos: message.qos });
}

function takeStatus(state: State, id: string, message: HubMessage, wallMs: number): void {
  const status = decodeStatus(state.check, state.reader, message.payload);
  if (typeof status === "string") return refuse(state.core, status, id, wallMs);
  const node = hear(state.core, id, message, wallMs);
  if (node !== null) ingestStatus(state.core, node, status, wallMs);
}

function takePresence(core: Core, id: string, message: HubMessage, wallMs: number): void {
  if (message.payload.length === 0) return; // someone cleared the retained message
  const presence = presenceOf(message.payload);
  if (presence === null) return refuse(core, "bad-presence", id, wallMs);
  const node = hear(core, id, message, wallMs);
  if (node === null || node.state === presence) return;
  const known = node.state !== "unknown";
  node.state = presence;
  node.sinceMs = wallMs;
  core.uns.state(node);
  putNodeChange(core.changes, id);
  if (presence !== "online") markSilence(node, wallMs);
  // What the broker kept from before the hub's start is no news.
  if (known || !message.retain)
    tell(core, node, { kind: presence, text: `${id} is ${presence}.`, atMs: wallMs }, wallMs);
}

function takeBirth(state: State, topic: NodeTopic, message: HubMessage, wallMs: number): void {
  const { core } = state;
  if (message.payload.length === 0) return;
  const part = decodeBirthPart(state.check, state.reader, message.payload);
  if (typeof part === "string") return refuse(core, part, topic.node, wallMs);
  if (part.index !== topic.part) return refuse(core, "bad-birth", topic.node, wallMs);
  const node = hear(core, topic.node, message, wallMs);
  if (node === null) return;
  const birth = joinBirth(node.parts, part);
  if (birth === "bad-birth") return refuse(core, birth, node.id, wallMs);
  if (birth === null) return;
  const before = node.identity;
  const baseName = `urn:dev:mac:${birth.identity.eui64}_`;
  const sameHardware = before === null || before.eui64 === birth.identity.eui64;
  if (sameHardware && birth.boot < node.birthBoot) return; // left over in the broker
  meetHardware(core, node, baseName, wallMs);
  meetBoot(core, node, birth.boot, wallMs);
  for (const channel of applyBirth(core.registry, node, birth)) core.uns.retire(node, channel);
  for (const channel of node.channels) if (channel.birth !== null) core.uns.meta(node, channel);
  if (before !== null) tellFirmware(core, node, before, wallMs);
  putNodeChange(core.changes, node.id);
}

function tellFirmware(
  core: Core,
  node: NodeRecord,
  before: { loopHash: string; linkHash: string },
  wallMs: number,
): void {
  const { identity } = node;
  if (identity === null) return;
  const changed = (["loopHash", "linkHash"] as const)
    .filter((name) => identity[name] !== before[name])
    .map((name) => `${name} ${identity[name].slice(0, 8)}, before ${before[name].slice(0, 8)}`);
  if (changed.length === 0) return;
  const text = `${node.id} runs other firmware: ${changed.join("; ")}.`;
  tell(core, node, { kind: "firmware", text, atMs: wallMs }, wallMs);
}

/** The node that a good message came from; null: there are too many nodes, which is counted. */
function hear(core: Core, id: string, message: HubMessage, wallMs: number): NodeRecord | null {
  const known = core.registry.nodes.has(id);
  const node = nodeOf(core.registry, id, wallMs);
  if (node === null) {
    refuse(core, "too-many-nodes", "", wallMs);
    return null;
  }
  if (!message.retain) node.lastSeenMs = wallMs;
  if (!known) {
    putNodeChange(core.changes, id);
    const text = `${id} is heard for the first time.`;
    const atMs = wallMs;
    // All new nodes share one flood window: there is no end to names.
    if (!message.retain)
      core.events.add({ place: "new-node", kind: "new-node", node: id, text, atMs }, wallMs);
  }
  return node;
}

/** Where a channel promised nothing, its chart has a gap from when the node went away. */
function markSilence(node: NodeRecord, wallMs: number): void {
  for (const channel of node.channels)
    if (channel.atMs !== null && gapMs(channel) === Infinity) channel.series.put(wallMs, NaN);
}

function refuse(core: Core, reason: string, id: string, wallMs: number): void {
  countRefused(core.counts, reason);
  const node = core.registry.nodes.has(id) ? id : null;
  const from = node === null ? "" : ` of ${node}`;
  const text = `A message${from} was refused: ${reason}.`;
  const place = `refused/${reason}/${node ?? ""}`;
  core.events.add({ place, kind: "refused", node, text, atMs: wallMs }, wallMs);
}

const PRESENCES: readonly NodeState[] = ["online", "offline", "lost"];

function presenceOf(payload: Uint8Array): "online" | "offline" | "lost" | null {
  if (payload.length > 8) return null;
  const text = String.fromCharCode(...payload);
  return PRESENCES.includes(text as NodeState) ? (text as "online" | "offline" | "lost") : null;
}

function totals(core: Core): Totals {
  const { refused, ...counts } = core.counts;
  return {
    ...counts,
    refused: { ...refused },
    publicationsDropped: core.uns.dropped(),
  };
}

function snapshot(config: HubConfig, core: Core, wallMs: number): Snapshot {
  const { enterprise, site, area, line, cell } = config;
  const nodes = [...core.registry.nodes.values()].map(nodeView);
  return {
    wallMs,
    changeId: core.changes.newestId,
    plant: { enterprise, site, area, line, cell },
    totals: totals(core),
    nodes: nodes.sort((a, b) => (a.id < b.id ? -1 : 1)),
    events: core.events.newest(),
  };
}
