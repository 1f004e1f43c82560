// SPDX-License-Identifier: MIT
// The hub as it runs: core, broker connection, page, and its clock.
//
// Listens where it is told, loopback unless an address is given. Rejects when the port cannot be had or
// the plant cannot stand in a topic; a broker that is away is no error.

import type { Health } from "./api.ts";
import { type PageFiles, startPageServer } from "./http.ts";
import { createHub, type Hub, type HubConfig } from "./hub.ts";
import { STREAM_PITCH_MS } from "./limits.ts";
import { type BrokerLink, connectBroker, type Log } from "./mqtt.ts";
import { createMetrics } from "./outputs/metrics.ts";
import { bundlePage } from "./web/bundle.ts";

export interface HubOptions {
  config: HubConfig;
  brokerUrl: string; // mqtt://host:port
  pageHost: string;
  pagePort: number; // 0: any
  log: Log;
  page?: PageFiles; // instead of the bundled one
}

export interface RunningHub {
  pagePort: number;
  hub: Hub;
  close(): Promise<void>;
}

/** Starts all of it; resolves when the page is up and the broker was asked once. */
export async function startHub(options: HubOptions): Promise<RunningHub> {
  const { config, brokerUrl, log } = options;
  checkBrokerUrl(brokerUrl);
  const hub = createHub(config);
  const wallMs = (): number => Date.now();
  const page = options.page ?? (await bundlePage());
  const metrics = createMetrics(hub, wallMs);
  const link: { broker: BrokerLink | null } = { broker: null };
  const server = await startPageServer({
    hub,
    host: options.pageHost,
    port: options.pagePort,
    page,
    wallMs,
    metrics,
    health: () => health(hub, link.broker?.connected() ?? false, brokerUrl),
  });
  const clientId = clientIdOf(config);
  const broker = connectBroker({ url: brokerUrl, clientId, hub, wallMs, log });
  link.broker = broker;
  await broker.ready;
  const pulse = setInterval(() => {
    hub.poll(wallMs());
    server.flush();
    broker.pump();
  }, STREAM_PITCH_MS);
  return {
    pagePort: server.port,
    hub,
    close: async () => {
      clearInterval(pulse);
      await broker.close();
      await server.close();
    },
  };
}

/** Throws for an address that no broker can have; whether one listens there is found out later. */
function checkBrokerUrl(url: string): void {
  if (!/^(mqtts?|wss?):\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new Error(`"${url}" is no broker address: give mqtt://HOST:PORT`);
}

/** The same for each start of a plant's hub: the broker keeps its session; a second one takes over. */
function clientIdOf({ enterprise, site, area, line, cell }: HubConfig): string {
  return `ferrule-hub-${enterprise}-${site}-${area}-${line}-${cell}`;
}

function health(hub: Hub, connected: boolean, brokerUrl: string): Health {
  const host = URL.canParse(brokerUrl) ? new URL(brokerUrl).host : brokerUrl;
  return {
    ok: connected,
    broker: connected ? "connected" : "waiting",
    nodes: hub.nodeCount(),
    reason: connected ? null : `the broker at ${host} is away; it is tried again`,
  };
}
