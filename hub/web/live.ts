// SPDX-License-Identifier: MIT
// Adapter: the road from the hub to the store: snapshot, stream, history.
//
// The stream is opened first and its changes wait while the snapshot is fetched, so none falls between the two. The
// browser resumes a broken stream by its last event id; each opening takes a new snapshot and new history too, so
// that a restarted hub needs no special case. Nothing here throws; a failure becomes `connection`.
//
//   waiting -snapshot-> live -stream broke, hub silent-> lost -snapshot-> live

import { signal, type Signal } from "@preact/signals";
import type { Change, Health, History, Snapshot } from "../api.ts";
import { after, browserMs, every } from "./clock.ts";
import { CHART_WINDOW_MS, FLUSH_MS, HEALTH_MS, HISTORY_PARALLEL, PENDING_MAX } from "./limits.ts";
import { RETRY_FIRST_MS, RETRY_LAST_MS, SILENCE_MS } from "./limits.ts";
import { applyChanges, loadSnapshot, putHistory, type ChartBuffer, type Store } from "./store.ts";

/** An answer that takes longer is none. */
const ANSWER_MS = 5_000;

export interface Connection {
  state: "waiting" | "live" | "lost";
  sinceMs: number; // on the hub's clock as far as it is known
}

export interface Live {
  connection: Signal<Connection>;
  hubMs: Signal<number>; // the hub's clock, once a second; stands still while paused
  paused: Signal<boolean>;
  health: Signal<Health | null>; // null: not known, or the hub does not answer
  wantHistory(chart: ChartBuffer): void;
  refreshHealth(): void; // asks for health and totals, which the stream does not carry
  setPaused(paused: boolean): void;
  start(): void;
}

interface State {
  store: Store;
  live: Live;
  source: EventSource | null;
  pending: Change[];
  loaded: boolean; // the snapshot under the pending changes is there
  aheadMs: number; // hub's clock minus ours
  heardMs: number; // our clock when the hub was last heard
  retryMs: number;
  histories: ChartBuffer[]; // waiting for their turn
  asking: number; // history requests under way
}

/** One page has one of these; `start` opens the stream and keeps it open for as long as the page lives. */
export function createLive(store: Store): Live {
  const live: Live = {
    connection: signal({ state: "waiting", sinceMs: browserMs() }),
    hubMs: signal(browserMs()),
    paused: signal(false),
    health: signal(null),
    wantHistory: (chart) => wantHistory(state, chart),
    refreshHealth: () => void refreshHealth(state),
    setPaused: (paused) => setPaused(state, paused),
    start: () => start(state),
  };
  const state: State = {
    store,
    live,
    source: null,
    pending: [],
    loaded: false,
    aheadMs: 0,
    heardMs: browserMs(),
    retryMs: RETRY_FIRST_MS,
    histories: [],
    asking: 0,
  };
  return live;
}

function start(state: State): void {
  open(state);
  every(FLUSH_MS, () => flush(state));
  every(1_000, () => watch(state));
  every(HEALTH_MS, () => void askHealth(state));
}

function open(state: State): void {
  const source = new EventSource("/api/stream");
  state.source = source;
  state.loaded = false;
  source.onopen = () => void takeSnapshot(state, source);
  source.onmessage = (message: MessageEvent<string>) => receive(state, message.data);
  source.addEventListener("reset", () => void takeSnapshot(state, source));
  source.onerror = () => {
    lose(state);
    // The browser goes on trying by itself unless the hub answered with an error.
    if (source.readyState === EventSource.CLOSED) reopenLater(state, source);
  };
}

function reopenLater(state: State, source: EventSource): void {
  if (state.source !== source) return;
  source.close();
  state.source = null;
  after(state.retryMs, () => open(state));
  state.retryMs = Math.min(2 * state.retryMs, RETRY_LAST_MS);
}

function lose(state: State): void {
  state.loaded = false;
  const connection = state.live.connection;
  if (connection.peek().state === "live") connection.value = { state: "lost", sinceMs: now(state) };
}

async function takeSnapshot(state: State, source: EventSource): Promise<void> {
  const askedMs = browserMs();
  state.loaded = false;
  const snapshot = await ask<Snapshot>("/api/snapshot");
  if (state.source !== source) return;
  if (snapshot === null) {
    lose(state);
    reopenLater(state, source);
    return;
  }
  state.heardMs = browserMs();
  state.aheadMs = snapshot.wallMs - (askedMs + state.heardMs) / 2;
  state.retryMs = RETRY_FIRST_MS;
  state.loaded = true;
  loadSnapshot(state.store, snapshot);
  state.live.connection.value = { state: "live", sinceMs: now(state) };
  state.live.hubMs.value = now(state);
  flush(state);
  for (const chart of state.store.charts.values()) wantHistory(state, chart);
  void askHealth(state);
}

/** One message of the stream; one that is no change is passed over. */
function receive(state: State, text: string): void {
  state.heardMs = browserMs();
  const change = parseJson<Change>(text);
  if (change === null) return;
  state.pending.push(change);
  if (state.pending.length <= PENDING_MAX) return;
  state.pending = [];
  if (state.loaded && !state.live.paused.peek() && state.source !== null) {
    void takeSnapshot(state, state.source);
  }
}

function flush(state: State): void {
  if (!state.loaded || state.live.paused.peek() || state.pending.length === 0) return;
  const changes = state.pending;
  state.pending = [];
  applyChanges(state.store, changes, now(state));
}

/** Once a second: moves the clock, and asks a hub that has been silent whether it lives. */
function watch(state: State): void {
  if (!state.live.paused.peek()) state.live.hubMs.value = now(state);
  const silent = state.loaded && browserMs() - state.heardMs > SILENCE_MS;
  const source = state.source;
  if (!silent || source === null) return;
  state.heardMs = browserMs();
  void ask<Health>("/healthz").then((health) => {
    if (health !== null || state.source !== source) return;
    lose(state);
    reopenLater(state, source);
  });
}

/** After a pause everything is taken anew: what was missed may be more than was kept. */
function setPaused(state: State, paused: boolean): void {
  state.live.paused.value = paused;
  if (paused) return;
  state.live.hubMs.value = now(state);
  if (state.source !== null) void takeSnapshot(state, state.source);
}

/** The stream does not carry whether the hub has its broker. */
async function askHealth(state: State): Promise<void> {
  if (!state.loaded) return;
  const health = await ask<Health>("/healthz");
  if (JSON.stringify(health) !== JSON.stringify(state.live.health.peek()))
    state.live.health.value = health;
}

async function refreshHealth(state: State): Promise<void> {
  const [, snapshot] = await Promise.all([askHealth(state), ask<Snapshot>("/api/snapshot")]);
  if (snapshot !== null && !state.live.paused.peek()) state.store.totals.value = snapshot.totals;
}

function wantHistory(state: State, chart: ChartBuffer): void {
  if (!state.loaded || chart.history !== "wanted") return;
  chart.history = "asked";
  state.histories.push(chart);
  askHistories(state);
}

function askHistories(state: State): void {
  while (state.asking < HISTORY_PARALLEL) {
    const chart = state.histories.shift();
    if (chart === undefined) return;
    state.asking++;
    void askHistory(state, chart).finally(() => {
      state.asking--;
      askHistories(state);
    });
  }
}

async function askHistory(state: State, chart: ChartBuffer): Promise<void> {
  const since = Math.floor(now(state) - CHART_WINDOW_MS);
  const { node, channel } = chart;
  const query = new URLSearchParams({ node, channel, since: String(since) });
  const history = await ask<History>(`/api/history?${query.toString()}`);
  if (history === null) chart.history = "wanted";
  else putHistory(chart, history.points, now(state));
}

/** The JSON at a path; null on any failure. /healthz answers 503 with a body, which counts as an answer. */
async function ask<Answer>(path: string): Promise<Answer | null> {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok && response.status !== 503) return null;
    return (await response.json()) as Answer;
  } catch {
    return null;
  }
}

function parseJson<Value>(text: string): Value | null {
  try {
    return JSON.parse(text) as Value;
  } catch {
    return null;
  }
}

function now(state: State): number {
  return Math.round(browserMs() + state.aheadMs);
}
