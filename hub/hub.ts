// SPDX-License-Identifier: MIT
// The hub's core: messages from the broker in, states and flat JSON out; no I/O.
//
// Spec: SPEC.md §2 to §6. Time is an argument: wall milliseconds. Nothing is thrown for bad input:
// it is refused by name, counted, and leaves all else as it was.

import { type Acknowledgement, acknowledgeAlarm } from "./acknowledge.ts";
import type { AuditRow, Change, HistoryAnswer, HistoryPoint } from "./api.ts";
import type { HistoryText, ProductionPlan, Snapshot, TapInventory, Totals } from "./api.ts";
import { createAuditLog } from "./audit.ts";
import {
  changesSince,
  createChangeRing,
  holdsChangesSince,
  putEventChange,
  startChanges,
} from "./changes.ts";
import type { Core } from "./core.ts";
import { createEventLog } from "./events.ts";
import { inventoryOf } from "./findings.ts";
import { createMemoryHistory, type HistoryStore } from "./history.ts";
import type { TextRange } from "./history-texts.ts";
import { commitCore, restoreCore } from "./keep.ts";
import { OEE_PITCH_MS } from "./limits.ts";
import { createTaker, type HubMessage, takeMessage, type Taker } from "./messages.ts";
import { proposeNode } from "./propose.ts";
import { type Range, readRange } from "./range.ts";
import { createSilence, pollSilence, setHearing } from "./presence.ts";
import { createRegistry, gapMs, isTextChannel, type Registry } from "./registry.ts";
import { hasSequence } from "./sequence.ts";
import {
  createWrites,
  pollSetpoints,
  refuseWrite,
  type SetpointWrite,
  takeWrites,
  type WriteAnswer,
  writeSetpoint,
} from "./setpoints.ts";
import { createUns, placeProblem, type Publication } from "./uns.ts";
import { machineTotals, nodeView } from "./views.ts";

export type { HubMessage } from "./messages.ts";

/** Where the plant stands in the namespace; a node may stand in another line or cell. */
export interface HubConfig {
  root: string; // such as umh/v1
  enterprise: string;
  site: string;
  area: string;
  line: string;
  cell: string;
  nodes?: Record<string, { line?: string; cell?: string; plan?: ProductionPlan }>;
}

export interface Hub {
  message(message: HubMessage, wallMs: number): void;
  /** Does what is due; the wall time at which it wants to be called again, Infinity: never. */
  poll(wallMs: number): number;
  /** What is to be published at QoS 1; it is not given again. */
  takePublications(): Publication[];
  /** Puts all retained topics to the publications again: a broker may have forgotten them. */
  republish(): void;
  /** Whether the broker is heard from now on: the silence of nodes counts while it is. At first it is not. */
  hearing(hears: boolean, wallMs: number): void;
  snapshot(wallMs: number): Snapshot;
  /** Null: there is no such channel. */
  history(node: string, channel: string, sinceMs: number): HistoryPoint[] | null;
  /** A range as points or bands; null: there is no such channel. */
  range(node: string, channel: string, range: Range): HistoryAnswer | null;
  /** The first `max` raw points of a range; null: there is no such channel. */
  rawPoints(
    node: string,
    channel: string,
    range: { sinceMs: number; untilMs: number; max: number },
  ): HistoryPoint[] | null;
  /** Texts of a range; null: there is no such channel, or it has numbers. */
  texts(node: string, channel: string, range: TextRange): HistoryText[] | null;
  /** What a tap learned; null: there is no such tap. */
  inventory(node: string, tap: string): TapInventory | null;
  /** A node.json for what a tap learned; null: there is no such tap, or it learned nothing yet. */
  proposal(node: string, tap: string): Record<string, unknown> | null;
  /** In the node's order; null: there is no such node. */
  channelNames(node: string): string[] | null;
  changesSince(id: number): Change[];
  /** Whether changesSince(id) has no hole. */
  holdsChangesSince(id: number): boolean;
  changeId(): number;
  totals(): Totals;
  nodeCount(): number;
  /** Sends a set-point to its node, or refuses it; both are told and written down. */
  writeSetpoint(write: SetpointWrite, wallMs: number): WriteAnswer;
  /** Takes a person's acknowledgement of an alarm; null: taken, else what is wrong. */
  acknowledge(word: Acknowledgement, wallMs: number): ReturnType<typeof acknowledgeAlarm>;
  /** Tells and writes down a write that was refused before it came this far. */
  refuseWrite(
    write: { node: string; name: string; value: number | null; by: string; reason: string },
    wallMs: number,
  ): void;
  /** At most `max` rows, newest first; of one node where it is given. */
  audit(max: number, node?: string): AuditRow[];
  /** Writes down all that came since the last commit; afterwards no restart loses it. */
  commit(): void;
  /** Deletes some of what is too old. */
  prune(wallMs: number): void;
  /** Where history lies, and why it is not written any more. */
  historyState(): { place: "memory" | "file" | "failed"; failure: string | null };
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
      takeMessage(state.taker, message, Math.round(wallMs));
    },
    poll: (wallMs) => {
      start(wallMs);
      const dueMs = Math.min(core.events.poll(wallMs), pollSetpoints(core, wallMs));
      return Math.min(dueMs, pollSilence(core, wallMs), publishTotals(state, wallMs));
    },
    takePublications: () => [...takeWrites(core.writes), ...core.uns.take()],
    republish: () => core.uns.again(),
    hearing: (hears, wallMs) => setHearing(core, hears, Math.round(wallMs)),
    snapshot: (wallMs) => {
      start(wallMs);
      return snapshot(config, core, wallMs);
    },
    history: (node, name, sinceMs) => {
      const channel = core.registry.nodes.get(node)?.byName.get(name);
      return channel === undefined ? null : channel.series.read(sinceMs, gapMs(channel));
    },
    range: (node, name, range) => {
      const channel = core.registry.nodes.get(node)?.byName.get(name);
      return channel === undefined ? null : readRange(channel.series, range, gapMs(channel));
    },
    rawPoints: (node, name, { sinceMs, untilMs, max }) =>
      core.registry.nodes.get(node)?.byName.get(name)?.series.points(sinceMs, untilMs, max) ?? null,
    texts: (node, name, range) => {
      const channel = core.registry.nodes.get(node)?.byName.get(name);
      return channel !== undefined && isTextChannel(channel) ? channel.series.texts(range) : null;
    },
    ...writing(core, history),
    ...finding(core),
    channelNames: (node) => core.registry.nodes.get(node)?.channels.map(({ name }) => name) ?? null,
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

function finding({ registry }: Core): Pick<Hub, "inventory" | "proposal"> {
  const lookUp = (id: string, name: string) => {
    const node = registry.nodes.get(id);
    const at = node?.taps.findIndex((one) => one.name === name) ?? -1;
    if (node === undefined || at < 0) return null;
    const found = inventoryOf(node.findings, id, name, at);
    return { found, proposed: proposeNode(found, node.taps[at]!)?.node ?? null };
  };
  return {
    inventory: (id, name) => {
      const all = lookUp(id, name);
      const channels = all?.proposed?.["channels"] ?? {};
      return all && { ...all.found, proposed: Object.keys(channels).length };
    },
    proposal: (id, name) => lookUp(id, name)?.proposed ?? null,
  };
}

type Writing = Pick<
  Hub,
  "writeSetpoint" | "acknowledge" | "refuseWrite" | "audit" | "commit" | "prune" | "historyState"
>;

function writing(core: Core, { keeper }: HistoryStore): Writing {
  return {
    writeSetpoint: (write, wallMs) => writeSetpoint(core, write, Math.round(wallMs)),
    acknowledge: (word, wallMs) => acknowledgeAlarm(core, word, Math.round(wallMs)),
    refuseWrite: (write, wallMs) => refuseWrite(core, write, Math.round(wallMs)),
    audit: (max, node) => core.audit.newest(max, node ?? null),
    commit: () => {
      if (keeper !== null) commitCore(core, keeper);
    },
    prune: (wallMs) => keeper?.prune(wallMs),
    historyState: () => {
      const failure = keeper?.failure() ?? null;
      return { place: keeper === null ? "memory" : failure === null ? "file" : "failed", failure };
    },
  };
}

interface State {
  core: Core;
  taker: Taker;
  started: boolean;
  totalsToldMs: number;
}

function checkConfig(config: HubConfig): void {
  const { root, enterprise, site, area, line, cell } = config;
  const problem = placeProblem({ root, enterprise, site, area, line, cell });
  if (problem !== null) throw new Error(problem);
  for (const { plan: _, ...place } of Object.values(config.nodes ?? {})) {
    const nodeProblem = placeProblem({ line, cell, ...place });
    if (nodeProblem !== null) throw new Error(nodeProblem);
  }
}

function createState(config: HubConfig, history: HistoryStore): State {
  const changes = createChangeRing();
  const registry: Registry = createRegistry(history, (id) => {
    const { line = config.line, cell = config.cell, plan = null } = config.nodes?.[id] ?? {};
    return { line, cell, plan };
  });
  const kept = history.keeper?.restore() ?? null;
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
    events: createEventLog((event) => {
      history.keeper?.event({ ...event });
      putEventChange(changes, event);
    }, kept?.events),
    uns: createUns(config),
    writes: createWrites(),
    audit: createAuditLog(history.keeper, kept?.audit ?? []),
    silence: createSilence(),
    oee: new Set(),
    touched: new Set(),
  };
  if (kept !== null) restoreCore(core, kept);
  return { core, taker: createTaker(core), started: false, totalsToldMs: -Infinity };
}

/** Publishes the machine totals that changed; returns when it wants to be called again. */
function publishTotals(state: State, wallMs: number): number {
  const { core } = state;
  if (core.oee.size === 0) return Infinity;
  const dueMs = state.totalsToldMs + OEE_PITCH_MS;
  if (wallMs < dueMs && wallMs >= state.totalsToldMs) return dueMs;
  state.totalsToldMs = wallMs;
  for (const node of core.oee) core.uns.totals(node, machineTotals(node), wallMs);
  core.oee.clear();
  return Infinity;
}

function totals(core: Core): Totals {
  const { refused, ...counts } = core.counts;
  return {
    ...counts,
    refused: { ...refused },
    publicationsDropped: core.uns.dropped(),
    historyUnsaved: core.registry.history.unsaved(),
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
