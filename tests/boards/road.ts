// SPDX-License-Identifier: MIT
// The IT side that processes of a board speak to: broker, gateway and hub.

import { startGateway } from "../../gateway/index.ts";
import { startHub } from "../../hub/server.ts";
import { startBroker } from "../../scripts/run/broker.ts";
import { createTalk } from "../../scripts/run/log.ts";

/** A node as the page has it. */
export interface NodeSaid {
  id: string;
  host: string;
  state: string;
  counters: Record<string, number>;
  channels: { name: string; value: number | null; quality: string; cause: string | null }[];
}

export interface Road {
  gateway: string; // host:port
  page: string; // URL without a slash at its end
  token: string;
  node(id: string): Promise<NodeSaid | undefined>;
  close(): Promise<void>;
}

/** Starts all three on free ports, for nodes that nobody listed. */
export async function startRoad(): Promise<Road> {
  const broker = await startBroker();
  const gateway = await startGateway({
    ...{ udpHost: "127.0.0.1", udpPort: 0, brokerUrl: broker.url, log: createTalk("gateway") },
  });
  const place = { enterprise: "acme", site: "north", area: "works", line: "one", cell: "a" };
  const hub = await startHub({
    config: { root: "umh/v1", ...place, nodes: {} },
    ...{ brokerUrl: broker.url, pageHost: "127.0.0.1", pagePort: 0, log: createTalk("hub") },
    ...broker.hub,
  });
  const page = `http://127.0.0.1:${hub.pagePort}`;
  return {
    gateway: `127.0.0.1:${gateway.udpPort}`,
    page,
    token: hub.token,
    async node(id) {
      // A connection that is kept may end at the server's side just when it is taken again.
      const answer = await fetch(`${page}/api/snapshot`, { headers: { connection: "close" } });
      const { nodes } = (await answer.json()) as { nodes: NodeSaid[] };
      return nodes.find((node) => node.id === id);
    },
    async close() {
      await hub.close();
      await gateway.close();
      await broker.close();
    },
  };
}
