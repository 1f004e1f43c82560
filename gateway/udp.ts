// SPDX-License-Identifier: MIT
// UDP sockets of the gateway: one for clients, one that hears the search group.
//
// Spec: SPEC.md §7. Peers are "address:port". The group's socket is bound to the group's address, so the
// first one stays on the address it was given; answers always come from the first.
// A datagram that the system does not take is lost, as in any network, and counted.

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

export const SEARCH_GROUP = "239.255.77.78";
const RECEIVE_BUFFER_BYTES = 4_194_304; // the first second after a power cut of a whole hall
const GROUP_HOPS = 1;

export interface UdpOptions {
  host: string; // IPv4 address to listen on
  port: number; // 0: a free one
  group?: string; // IPv4 multicast address for SEARCHGW; absent: none
}

export interface Udp {
  readonly port: number;
  /** Why the group could not be joined; undefined: it was, or none was asked for. */
  readonly groupFailure: string | undefined;
  /** Datagrams go here from now on; earlier ones were lost. `bytes` stay valid. */
  listen(heard: (peer: string, bytes: Uint8Array) => void): void;
  send(peer: string, bytes: Uint8Array): void;
  /** Datagrams that the system refused. */
  failures(): number;
  close(): Promise<void>;
}

/** Opens the sockets; rejects with the system's error, such as EADDRINUSE. */
export async function openUdp(options: UdpOptions): Promise<Udp> {
  const { host, port, group } = options;
  let failures = 0;
  const main = await bind(host, port);
  const bound = main.address().port;
  main.on("error", () => failures++);
  let groupSocket: Socket | undefined;
  let groupFailure: string | undefined;
  if (group !== undefined) {
    try {
      groupSocket = await joinGroup(group, bound, host);
      groupSocket.on("error", () => failures++);
      main.setMulticastTTL(GROUP_HOPS);
    } catch (error) {
      groupFailure = (error as Error).message;
    }
  }
  return {
    port: bound,
    groupFailure,
    listen(heard) {
      const receive = (bytes: Uint8Array, from: RemoteInfo): void =>
        heard(`${from.address}:${from.port}`, bytes);
      main.on("message", receive);
      groupSocket?.on("message", receive);
    },
    send(peer, bytes) {
      const colon = peer.lastIndexOf(":");
      const copy = Buffer.from(bytes); // the caller's octets are valid during the call only
      main.send(copy, Number(peer.slice(colon + 1)), peer.slice(0, colon), (error) => {
        if (error !== null) failures++;
      });
    },
    failures: () => failures,
    async close() {
      await Promise.all([closeSocket(main), groupSocket && closeSocket(groupSocket)]);
    },
  };
}

function bind(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

async function joinGroup(group: string, port: number, host: string): Promise<Socket> {
  const socket = await bind(group, port);
  try {
    socket.addMembership(group, host === "0.0.0.0" ? undefined : host);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
