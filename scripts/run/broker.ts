// SPDX-License-Identifier: MIT
// The built-in MQTT broker: aedes in this process, on a free loopback port.
//
// MQTT 3.1.1, QoS 0 to 2, retained messages in memory. Anything larger is an existing broker: --broker URL.

import { createServer, type AddressInfo, type Socket } from "node:net";
import { Aedes } from "aedes";

export interface EmbeddedBroker {
  url: string; // mqtt://127.0.0.1:PORT
  close(): Promise<void>;
}

/** Starts the broker; it listens when the promise resolves. */
export async function startBroker(): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker();
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
    async close() {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
