// SPDX-License-Identifier: MIT
// The built-in MQTT broker: aedes in this process, on a free loopback port.
//
// Set-points (`ferrule/<node>/set`) it takes from the hub alone, which has a password of this start.
// MQTT 3.1.1, QoS 0 to 2, retained messages in memory. Anything larger is an existing broker: --broker URL.

import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { TOPIC_ROOT, TOPIC_SET } from "../../firmware/wire/topics.ts";

export interface EmbeddedBroker {
  url: string; // mqtt://127.0.0.1:PORT
  hub: { clientId: string; password: string }; // who may write set-points
  /** Ends its connections and refuses new ones; what it returns lets it answer again. */
  stop(): () => void;
  close(): Promise<void>;
}

const HUB_ID = "ferrule-hub";
const SET_TOPIC = new RegExp(`^${TOPIC_ROOT}/[^/]+/${TOPIC_SET}$`);

/** Starts the broker; it listens when the promise resolves. */
export async function startBroker(): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker();
  const password = randomBytes(24).toString("base64url");
  restrict(broker, password);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    hub: { clientId: HUB_ID, password },
    stop: () => stopServer(server, sockets, port),
    async close() {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await closeServer(server, sockets);
    },
  };
}

function stopServer(server: Server, sockets: ReadonlySet<Socket>, port: number): () => void {
  const closed = closeServer(server, sockets);
  return () => void closed.then(() => server.listen(port, "127.0.0.1"));
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The hub's client id needs its password; only that client may publish to a node's set topic. */
function restrict(broker: Aedes, password: string): void {
  broker.authenticate = (client, user, given, done) => {
    const isHub = user === HUB_ID && given?.toString() === password;
    done(null, client.id !== HUB_ID || isHub);
  };
  broker.authorizePublish = (client, { topic }, done) => {
    const allowed = !SET_TOPIC.test(topic) || client?.id === HUB_ID;
    done(allowed ? null : new Error("only the hub writes set-points"));
  };
}
