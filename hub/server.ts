// SPDX-License-Identifier: MIT
// The hub as it runs: core, broker connection, page, and its clock.
//
// Listens where it is told, loopback unless an address is given. Rejects when the port cannot be had or
// the plant cannot stand in a topic; a broker that is away is no error.

import { randomBytes } from "node:crypto";
import type { Health } from "./api.ts";
import { createMemoryHistory, type HistoryStore } from "./history.ts";
import { type PageFiles, startPageServer } from "./http.ts";
import { createHub, type Hub, type HubConfig } from "./hub.ts";
import { PRUNE_MS, PULSE_LATE_MS_MAX, STREAM_PITCH_MS } from "./limits.ts";
import { type BrokerLink, connectBroker, type Log } from "./mqtt.ts";
import { createMetrics } from "./outputs/metrics.ts";
import { openFileHistory } from "./server-sqlite.ts";
import { bundlePage } from "./web/bundle.ts";

export interface HubOptions {
  config: HubConfig;
  brokerUrl: string; // mqtt://host:port
  pageHost: string;
  pagePort: number; // 0: any
  pageSpare?: number; // how many of the next ones may be tried where it is taken
  log: Log;
  page?: PageFiles; // instead of the bundled one
  historyFile?: string; // absent: history lies in memory and goes with the process
  token?: string; // who has it may write set-points; absent: a random one
  clientId?: string; // at the broker; absent: made of the plant, the same for each start
  password?: string; // at the broker, with the client id as the user name
}

export interface RunningHub {
  pagePort: number;
  hub: Hub;
  token: string;
  close(): Promise<void>;
}

/** Starts all of it; resolves when the page is up and the broker was asked once. */
export async function startHub(options: HubOptions): Promise<RunningHub> {
  checkBrokerUrl(options.brokerUrl);
  const page = options.page ?? (await bundlePage());
  const history = openHistory(options);
  try {
    return await startWith(options, page, history);
  } catch (error) {
    history.close();
    throw error;
  }
}

interface History {
  store: HistoryStore;
  close(): void;
}

function openHistory({ historyFile, log }: HubOptions): History {
  if (historyFile === undefined) return { store: createMemoryHistory(), close: () => undefined };
  const store = openFileHistory(historyFile, (text) => log.warn(text));
  return { store, close: () => store.close() };
}

async function startWith(
  options: HubOptions,
  page: PageFiles,
  history: History,
): Promise<RunningHub> {
  const { config, brokerUrl, log } = options;
  const hub = createHub(config, history.store);
  const token = options.token ?? randomBytes(TOKEN_BYTES).toString("base64url");
  const wallMs = (): number => Date.now();
  const metrics = createMetrics(hub, wallMs);
  const link: Link = { broker: null, awaySinceMs: wallMs() };
  const server = await startPageServer({
    hub,
    host: options.pageHost,
    ...{ port: options.pagePort, spare: options.pageSpare ?? 0 },
    page,
    wallMs,
    metrics,
    token,
    health: () => health(hub, watchLink(link, wallMs()), brokerUrl),
  });
  const broker = connectBroker({
    url: brokerUrl,
    clientId: options.clientId ?? clientIdOf(config),
    ...(options.password !== undefined && { password: options.password }),
    hub,
    wallMs,
    log,
  });
  link.broker = broker;
  await broker.ready;
  let pulseMs = wallMs();
  const pulse = setInterval(() => {
    const lateMs = wallMs() - pulseMs - STREAM_PITCH_MS;
    pulseMs += lateMs + STREAM_PITCH_MS;
    // Who slept, or whose clock stepped, heard nobody meanwhile.
    if (lateMs > PULSE_LATE_MS_MAX && broker.connected()) hub.hearing(true, wallMs());
    hub.poll(wallMs());
    watchLink(link, wallMs());
    server.flush();
    hub.commit();
    broker.pump();
  }, STREAM_PITCH_MS);
  const pruning = setInterval(() => hub.prune(wallMs()), PRUNE_MS);
  return {
    pagePort: server.port,
    hub,
    token,
    close: async () => {
      clearInterval(pulse);
      clearInterval(pruning);
      await broker.close();
      await server.close();
      history.close();
    },
  };
}

const TOKEN_BYTES = 12; // 96 bits: never guessed at ten tries a second

/** Throws for an address that no broker can have; whether one listens there is found out later. */
function checkBrokerUrl(url: string): void {
  if (!/^(mqtts?|wss?):\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new Error(`"${url}" is no broker address: give mqtt://HOST:PORT`);
}

/** The same for each start of a plant's hub: the broker keeps its session; a second one takes over. */
function clientIdOf({ enterprise, site, area, line, cell }: HubConfig): string {
  return `ferrule-hub-${enterprise}-${site}-${area}-${line}-${cell}`;
}

interface Link {
  broker: BrokerLink | null; // null: not made yet
  awaySinceMs: number | null; // null: connected
}

/** Notes since when the broker is away; returns that. */
function watchLink(link: Link, wallMs: number): number | null {
  link.awaySinceMs = link.broker?.connected() === true ? null : (link.awaySinceMs ?? wallMs);
  return link.awaySinceMs;
}

function health(hub: Hub, awaySinceMs: number | null, brokerUrl: string): Health {
  const connected = awaySinceMs === null;
  const history = hub.historyState();
  const host = URL.canParse(brokerUrl) ? new URL(brokerUrl).host : brokerUrl;
  return {
    ok: connected && history.failure === null,
    broker: connected ? "connected" : "waiting",
    awaySinceMs,
    nodes: hub.nodeCount(),
    history: history.place,
    reason: connected ? history.failure : `the broker at ${host} is away; it is tried again`,
  };
}
