// SPDX-License-Identifier: MIT
// One UDP socket of one node in real time.
//
// Datagrams to the group go to 239.255.77.78 at the gateway's port on the loopback interface when the
// gateway is on this machine, else on the default one. A datagram that cannot be sent is lost, as in any network.

import { createSocket } from "node:dgram";
import { GROUP } from "../hardware.ts";
import { parseEndpoint } from "../pcap.ts";

const GROUP_HOST = "239.255.77.78"; // SPEC.md §7
const GROUP_HOPS = 1;
const EARLY_DATAGRAMS_MAX = 32; // binding takes milliseconds; a node sends one or two in that time

export interface NodeSocket {
  /** Sends to "host:port" or GROUP; false: closed, or too much before it is bound. */
  send(to: string, bytes: Uint8Array): boolean;
  close(): Promise<void>;
}

export interface NodeSocketOptions {
  gateway: { host: string; port: number };
  heard(from: string, bytes: Uint8Array): void;
  failed(reason: string): void;
}

/** Opens a socket on a free port; what is sent before it is bound waits for that. */
export function openNodeSocket(options: NodeSocketOptions): NodeSocket {
  const { gateway } = options;
  const loopback = gateway.host.startsWith("127.");
  const socket = createSocket({ type: "udp4" });
  let open = true;
  let bound = false;
  const early: { to: string; bytes: Uint8Array }[] = [];

  function send(to: string, bytes: Uint8Array): void {
    const { host, port } =
      to === GROUP ? { host: GROUP_HOST, port: gateway.port } : parseEndpoint(to);
    socket.send(bytes, port, host, (error) => {
      if (error !== null)
        options.failed(`a datagram to ${host}:${port} was not sent: ${error.message}`);
    });
  }

  socket.on("message", (bytes, from) => options.heard(`${from.address}:${from.port}`, bytes));
  socket.on("error", (error) => options.failed(error.message));
  socket.bind(0, loopback ? "127.0.0.1" : undefined, () => {
    bound = true;
    socket.setMulticastTTL(GROUP_HOPS);
    socket.setMulticastLoopback(true);
    if (loopback) socket.setMulticastInterface("127.0.0.1");
    for (const { to, bytes } of early.splice(0)) send(to, bytes);
  });

  return {
    send(to, bytes) {
      if (!open || early.length >= EARLY_DATAGRAMS_MAX) return false;
      if (bound) send(to, bytes);
      else early.push({ to, bytes });
      return true;
    },
    close() {
      if (!open) return Promise.resolve();
      open = false;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}
