// SPDX-License-Identifier: MIT
// Gateway, broker model and hub behind one real UDP socket, for tests.

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createGateway, type Gateway } from "../../gateway/gateway.ts";
import { createBroker, type Broker } from "../../host-sim/network/broker.ts";
import { parseEndpoint } from "../../host-sim/pcap.ts";
import type { HubConfig } from "../../hub/hub.ts";
import { createHub, type Hub } from "../../hub/hub.ts";

const POLL_MS = 5;
const GROUP = "239.255.77.78";

export interface RealtimeRoad {
  hub: Hub;
  port: number;
  close(): Promise<void>;
}

/** Starts the road on a free port of the loopback interface, in the search group too. */
export async function startRealtimeRoad(config: HubConfig): Promise<RealtimeRoad> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.bind(0);
  await once(socket, "listening");
  socket.addMembership(GROUP, "127.0.0.1");
  const { port } = socket.address() as AddressInfo;
  const hub = createHub(config);
  const { broker, gateway } = join(socket);
  broker.attach("ferrule/#", (message) => {
    hub.message(message, Date.now());
    hub.takePublications();
  });
  const timer = setInterval(() => {
    gateway.poll(Math.floor(performance.now()));
    broker.poll(Math.floor(performance.now()));
  }, POLL_MS);
  return {
    hub,
    port,
    async close() {
      clearInterval(timer);
      socket.close();
      await once(socket, "close");
    },
  };
}

function join(socket: Socket): { broker: Broker; gateway: Gateway } {
  const nowMs = (): number => Math.floor(performance.now());
  const broker = createBroker({
    write: (connection, bytes) =>
      queueMicrotask(() => gateway.brokerBytes(connection, bytes, nowMs())),
    close: (connection) => queueMicrotask(() => gateway.brokerClosed(connection, nowMs())),
    accepted: () => undefined,
  });
  const gateway = createGateway(
    { gatewayId: 1, seed: 1, wallMs: () => Date.now() },
    {
      sendDatagram(peer, bytes) {
        const { host, port } = parseEndpoint(peer);
        socket.send(Uint8Array.from(bytes), port, host);
      },
      openBroker(connection) {
        broker.opened(connection, nowMs());
        queueMicrotask(() => gateway.brokerOpened(connection, nowMs()));
      },
      writeBroker(connection, bytes) {
        const copy = Uint8Array.from(bytes);
        queueMicrotask(() => broker.bytes(connection, copy, nowMs()));
      },
      closeBroker: (connection) => queueMicrotask(() => broker.closed(connection, nowMs())),
    },
  );
  socket.on("message", (bytes, from) =>
    gateway.datagram(`${from.address}:${from.port}`, bytes, nowMs()),
  );
  return { broker, gateway };
}
