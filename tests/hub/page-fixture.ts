// SPDX-License-Identifier: MIT
// A hub that plays a script for the page: two machines, a tap, an alarm.
//
// Serves the bundle under a strict policy and the HTTP API of hub/api.ts. Values are functions of time alone, so that
// the page's history and what it saw live must agree. Adapter test code: real sockets, real time.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type {
  AcknowledgeRequest,
  AlarmView,
  Change,
  ChannelView,
  EventView,
  HistoryPoint,
} from "../../hub/api.ts";
import type { NodeView, Snapshot } from "../../hub/api.ts";
import { bundlePage, type PageBundle } from "../../hub/web/bundle.ts";
import { crowdNode, meterNode, ovenNode, pressNode, scaleNode, valueAt } from "./page-plant.ts";

/** Every period of the script has readings of all channels. */
const PERIOD_MS = 200;
const CHANGES_KEPT = 1_000;

/** Bundled once for all fixtures of a process. */
const BUNDLE = bundlePage();

/** As the hub sends it: nothing inline, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What an acknowledgement must bring. */
export const TOKEN = "fixture-token";

export interface FixtureOptions {
  historyMs?: number; // how long the plant has run when the page comes
  crowd?: number; // machines besides the two
  crowdChannels?: number; // of each of these
  presses?: number; // and a scale with them
  events?: number; // events besides the script's
  empty?: boolean; // no machine at all
}

export interface Fixture {
  url: string;
  kill(node: string): void; // it is lost
  revive(node: string): void; // and back, with the next boot
  setBad(node: string, channel: string, cause: string | null): void;
  raise(node: string, channel: string, alarm: string, active: boolean): void;
  alarmOf(node: string, channel: string, alarm: string): AlarmView;
  change(node: string, words: Partial<NodeView>): void;
  setBroker(connected: boolean): void;
  event(text: string): void;
  cut(): void; // every connection, and no new one
  heal(): void;
  requests(): string[]; // paths asked for so far
  acknowledged(): AcknowledgeRequest[]; // all that were asked for
  lastEventIds(): string[]; // with which streams were resumed
  close(): Promise<void>;
}

interface State {
  bundle: PageBundle;
  startMs: number;
  nodes: NodeView[];
  events: EventView[];
  changes: Change[];
  changeId: number;
  bad: Map<string, string>;
  broker: "connected" | "waiting";
  awaySinceMs: number;
  badPoints: Map<string, number[]>; // wall times at which a channel was bad
  streams: Set<ServerResponse>;
  sockets: Set<Socket>;
  isCut: boolean;
  requests: string[];
  lastEventIds: string[];
  acknowledged: AcknowledgeRequest[];
}

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const state = await createState(options);
  const server = createServer((request, response) => answer(state, request, response));
  server.on("connection", (socket) => {
    if (state.isCut) socket.destroy();
    state.sockets.add(socket);
    socket.on("close", () => state.sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const timer = setInterval(() => step(state), PERIOD_MS);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    kill: (node) => setPresence(state, node, "lost"),
    revive: (node) => setPresence(state, node, "online"),
    setBad: (node, channel, cause) => setBad(state, `${node}/${channel}`, cause),
    raise: (...where) => raise(state, ...where),
    alarmOf: (...where) => findAlarm(state, ...where),
    change: (id, words) => {
      const node = state.nodes.find((each) => each.id === id)!;
      push(state, { kind: "node", node: Object.assign(node, words) });
    },
    setBroker: (connected) => {
      state.broker = connected ? "connected" : "waiting";
      state.awaySinceMs = Date.now();
    },
    event: (text) => pushEvent(state, { kind: "refused", text }),
    cut: () => {
      state.isCut = true;
      for (const socket of state.sockets) socket.destroy();
    },
    heal: () => {
      state.isCut = false;
    },
    requests: () => state.requests,
    acknowledged: () => state.acknowledged,
    lastEventIds: () => state.lastEventIds,
    close: async () => {
      clearInterval(timer);
      for (const socket of state.sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function createState(options: FixtureOptions): Promise<State> {
  const nowMs = Date.now();
  const startMs = nowMs - (options.historyMs ?? 240_000);
  const state: State = {
    bundle: await BUNDLE,
    startMs,
    nodes: [],
    events: [],
    changes: [],
    changeId: 0,
    bad: new Map(),
    broker: "connected",
    awaySinceMs: 0,
    badPoints: new Map(),
    streams: new Set(),
    sockets: new Set(),
    isCut: false,
    requests: [],
    lastEventIds: [],
    acknowledged: [],
  };
  if (options.empty === true) return state;
  const crowd = Array.from({ length: options.crowd ?? 0 }, (_, index) =>
    crowdNode(index, startMs, options.crowdChannels),
  );
  const presses = Array.from({ length: options.presses ?? 0 }, (_, index) =>
    pressNode(index + 1, startMs),
  );
  if (presses.length > 0) presses.push(scaleNode(startMs));
  state.nodes = [meterNode(startMs), ovenNode(startMs), ...presses, ...crowd];
  for (let index = 0; index < (options.events ?? 0); index++) {
    addEvent(state, { wallMs: startMs - 1_000, node: "oven-1", text: `Example ${index + 1}.` });
  }
  for (const node of state.nodes) {
    const words = { node: node.id, wallMs: startMs };
    addEvent(state, {
      ...words,
      kind: "new-node",
      text: `${node.id} was heard for the first time.`,
    });
    addEvent(state, { ...words, kind: "online", text: `${node.id} is online, boot ${node.boot}.` });
  }
  const hot = { node: "oven-1", channel: "temperature", alarm: "too-hot" };
  const returned = "temperature is normal again: 196.9 °C, below 197.00 °C.";
  const raised = "temperature is above 200.00 °C: 200.31 °C.";
  addEvent(state, { ...hot, kind: "alarm", wallMs: nowMs - 150_000, text: raised });
  addEvent(state, { ...hot, kind: "returned", wallMs: nowMs - 118_000, text: returned });
  raise(state, "meter-1", "voltage", "low", true, nowMs - 95_000);
  for (const node of state.nodes) {
    for (const channel of node.channels) read(state, node, channel, nowMs);
  }
  return state;
}

function step(state: State): void {
  const wallMs = Date.now();
  for (const node of state.nodes) {
    if (node.state !== "online") continue;
    for (const channel of node.channels) {
      if (channel.kind === "register" && wallMs % 1_000 >= PERIOD_MS) continue;
      read(state, node, channel, wallMs);
    }
    node.counters["acknowledged"] = (node.counters["acknowledged"] ?? 0) + 1;
    node.uptimeMs = wallMs - state.startMs;
  }
}

function read(state: State, node: NodeView, channel: ChannelView, wallMs: number): void {
  const key = `${node.id}/${channel.name}`;
  const cause = state.bad.get(key) ?? null;
  if (cause !== null) state.badPoints.get(key)?.push(wallMs);
  channel.quality = cause === null ? "good" : "bad";
  channel.cause = cause;
  channel.value = cause === null ? valueAt(node, channel, wallMs) : null;
  channel.atMs = wallMs;
  node.lastSeenMs = wallMs;
  const { name, value, quality } = channel;
  push(state, { kind: "reading", node: node.id, channel: name, wallMs, value, quality, cause });
}

type NewChange = Change extends infer Each
  ? Each extends Change
    ? Omit<Each, "id">
    : never
  : never;

function push(state: State, change: NewChange): void {
  state.changeId++;
  const made = { ...structuredClone(change), id: state.changeId } as Change;
  state.changes.push(made);
  if (state.changes.length > CHANGES_KEPT) state.changes.shift();
  for (const stream of state.streams) tell(stream, made);
}

function tell(stream: ServerResponse, change: Change): void {
  stream.write(`id: ${change.id}\ndata: ${JSON.stringify(change)}\n\n`);
}

function addEvent(state: State, words: Partial<EventView> & { text: string }): EventView {
  const id = state.events.length + 1;
  const none = { node: null, channel: null, alarm: null, value: null, count: 1 };
  const event: EventView = { ...none, id, wallMs: Date.now(), kind: "boot", ...words };
  state.events.unshift(event);
  return event;
}

function pushEvent(state: State, words: Partial<EventView> & { text: string }): void {
  push(state, { kind: "event", event: addEvent(state, words) });
}

function setPresence(state: State, id: string, presence: "online" | "lost"): void {
  const node = state.nodes.find((each) => each.id === id);
  if (node === undefined) return;
  node.state = presence;
  node.sinceMs = Date.now();
  if (presence === "online") node.boot = (node.boot ?? 0) + 1;
  push(state, { kind: "node", node });
  const text = presence === "lost" ? `${id} is lost.` : `${id} is online, boot ${node.boot}.`;
  pushEvent(state, { kind: presence, node: id, text });
  if (presence === "lost") return;
  pushEvent(state, { kind: "boot", node: id, text: `${id} came back with boot ${node.boot}.` });
}

function setBad(state: State, key: string, cause: string | null): void {
  if (cause === null) state.bad.delete(key);
  else state.bad.set(key, cause);
  if (!state.badPoints.has(key)) state.badPoints.set(key, []);
}

function raise(
  state: State,
  ...[id, name, alarmName, active, sinceMs = Date.now()]: [string, string, string, boolean, number?]
): void {
  const node = state.nodes.find((each) => each.id === id)!;
  const alarm = findAlarm(state, id, name, alarmName);
  const asks = !alarm.acknowledged && (alarm.active || alarm.returnedMs !== null);
  const raises = asks ? alarm.raises : 0;
  Object.assign(alarm, { active, raises, acknowledged: false, acknowledgedBy: null });
  if (active) Object.assign(alarm, { sinceMs, returnedMs: null, raises: raises + 1 });
  else Object.assign(alarm, { returnedMs: asks ? sinceMs : null });
  if (!active && !asks) alarm.sinceMs = null;
  const words = { node: id, channel: name, alarm: alarmName, wallMs: sinceMs };
  const side = alarm.above ? "above" : "below";
  const raised = `${name} is ${side} ${alarm.limit}.`;
  const text = active ? raised : `${name} is normal again.`;
  pushEvent(state, { ...words, kind: active ? "alarm" : "returned", text });
  push(state, { kind: "node", node });
}

function findAlarm(state: State, id: string, name: string, alarmName: string): AlarmView {
  const node = state.nodes.find((each) => each.id === id);
  const channel = node?.channels.find((each) => each.name === name);
  return channel!.alarms.find((each) => each.name === alarmName)!;
}

/** As the hub takes an acknowledgement, with a token of its own. */
async function acknowledge(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const word = JSON.parse(Buffer.concat(chunks).toString()) as AcknowledgeRequest;
  state.acknowledged.push(word);
  if (request.headers["x-ferrule-token"] !== TOKEN) {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: "the token is missing or wrong" }));
    return;
  }
  const alarm = findAlarm(state, word.node, word.channel, word.alarm);
  if (alarm.active) Object.assign(alarm, { acknowledged: true, acknowledgedBy: word.by });
  else Object.assign(alarm, { returnedMs: null, sinceMs: null });
  alarm.raises = 0;
  push(state, { kind: "node", node: state.nodes.find((each) => each.id === word.node)! });
  send(response, "application/json", JSON.stringify({ acknowledged: true }));
}

function answer(state: State, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://fixture");
  state.requests.push(request.url ?? "/");
  response.setHeader("content-security-policy", POLICY);
  response.setHeader("x-content-type-options", "nosniff");
  switch (pathname) {
    case "/":
      return send(response, "text/html; charset=utf-8", state.bundle.html);
    case "/app.js":
      return send(response, "text/javascript", state.bundle.js);
    case "/app.css":
      return send(response, "text/css", state.bundle.css);
    case "/icon.svg":
      return send(response, "image/svg+xml", state.bundle.icon);
    case "/api/snapshot":
      return send(response, "application/json", JSON.stringify(snapshot(state)));
    case "/api/history":
      return send(response, "application/json", JSON.stringify(history(state, searchParams)));
    case "/api/acknowledge":
      return void acknowledge(state, request, response);
    case "/api/export.csv":
      return send(response, "text/csv", csv(state, searchParams));
    case "/healthz": {
      const { broker, nodes } = state;
      const ok = broker === "connected";
      const reason = ok ? null : "The broker at mqtt://127.0.0.1:1883 does not answer.";
      const awaySinceMs = ok ? null : state.awaySinceMs;
      const health = { ok, broker, awaySinceMs, nodes: nodes.length, history: "memory", reason };
      return send(response, "application/json", JSON.stringify(health));
    }
    case "/api/stream":
      return stream(state, request, response);
    default: {
      const chunk = state.bundle.chunks.get(pathname);
      if (chunk !== undefined) return send(response, "text/javascript", chunk);
      response.writeHead(404).end();
    }
  }
}

function send(response: ServerResponse, type: string, body: string | Uint8Array): void {
  response.writeHead(200, { "content-type": type }).end(body);
}

function snapshot(state: State): Snapshot {
  return {
    wallMs: Date.now(),
    changeId: state.changeId,
    plant: { enterprise: "acme", site: "north", area: "heat", line: "line-1", cell: "cell-1" },
    totals: {
      messages: 4_210 + state.changeId,
      ingested: 3_980 + state.changeId,
      unconfirmed: 214,
      duplicates: 3,
      publicationsDropped: 0,
      historyUnsaved: 0,
      readings: 3_990,
      events: 12,
      refused: { truncated: 2, "non-minimal": 1 },
    },
    nodes: state.nodes,
    events: state.events.slice(0, 200),
  };
}

/** Points since the start of the script; a channel that was bad has no value then. */
function history(state: State, query: URLSearchParams): { points: HistoryPoint[] } {
  const node = state.nodes.find((each) => each.id === query.get("node"));
  const channel = node?.channels.find((each) => each.name === query.get("channel"));
  if (node === undefined || channel === undefined) return { points: [] };
  const periodMs = channel.kind === "register" ? 1_000 : PERIOD_MS;
  const first = Math.max(state.startMs, Number(query.get("since") ?? 0));
  const bad = state.badPoints.get(`${node.id}/${channel.name}`) ?? [];
  const points: HistoryPoint[] = [];
  const end = node.state === "online" ? Date.now() : node.sinceMs;
  for (let wallMs = first; wallMs < end; wallMs += periodMs) {
    const isBad = bad.some((each) => Math.abs(each - wallMs) < periodMs);
    points.push([wallMs, isBad ? null : valueAt(node, channel, wallMs)]);
  }
  return { points };
}

/** All points of a machine since a moment. */
function csv(state: State, query: URLSearchParams): string {
  const node = query.get("node") ?? "";
  const { channels } = state.nodes.find((each) => each.id === node) ?? { channels: [] };
  const lines = channels.flatMap(({ name }) => {
    const { points } = history(
      state,
      new URLSearchParams({ ...Object.fromEntries(query), node, channel: name }),
    );
    return points.map(
      ([at, value]) => `${new Date(at).toISOString()},${node},${name},${value ?? ""}`,
    );
  });
  return ["time,node,channel,value", ...lines, ""].join("\r\n");
}

function stream(state: State, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 500\n\n");
  const last = request.headers["last-event-id"];
  if (typeof last === "string") {
    state.lastEventIds.push(last);
    const missed = state.changes.filter((change) => change.id > Number(last));
    for (const change of missed) tell(response, change);
  }
  state.streams.add(response);
  response.on("close", () => state.streams.delete(response));
}
