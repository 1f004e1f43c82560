// SPDX-License-Identifier: MIT
// TCP streams to the broker, one per client; one turn's writes leave together.
//
// Spec: MQTT 3.1.1 §4.2. The core decides when to open and when to close; here is no retry.
// Streams that were closed by the core report nothing more.

import { connect, type Socket } from "node:net";

const MQTT_PORT = 1883;
const FAREWELL_MS = 1000; // for the last octets of a closed stream; then it is cut

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface BrokerEvents {
  opened(connection: number): void;
  bytes(connection: number, bytes: Uint8Array): void;
  /** `reason` is undefined when the broker closed the stream in order. */
  closed(connection: number, reason: string | undefined): void;
}

export interface BrokerStreams {
  open(connection: number): void;
  write(connection: number, bytes: Uint8Array): void;
  close(connection: number): void;
  backlogBytes(): number;
  /** Cuts all streams without a farewell: the broker publishes the wills. */
  closeAll(): void;
}

/** Reads mqtt://host[:port]; undefined: not such a URL. */
export function parseBrokerUrl(url: string): BrokerAddress | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  if ((protocol !== "mqtt:" && protocol !== "tcp:") || hostname === "") return undefined;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: port === "" ? MQTT_PORT : Number(port) };
}

/** Streams to one broker. */
export function createBrokerStreams(address: BrokerAddress, events: BrokerEvents): BrokerStreams {
  const sockets = new Map<number, Socket>();
  const queue = createWriteQueue();
  return {
    open(connection) {
      const socket = connect({ host: address.host, port: address.port, noDelay: true });
      sockets.set(connection, socket);
      listen(socket, events, connection, (ending) => {
        if (sockets.get(connection) !== socket) return false; // closed by the core
        if (ending) sockets.delete(connection);
        return true;
      });
    },
    write(connection, bytes) {
      const socket = sockets.get(connection);
      if (socket !== undefined) queue.write(socket, bytes);
    },
    close(connection) {
      const socket = sockets.get(connection);
      if (socket === undefined) return;
      sockets.delete(connection);
      socket.end();
      socket.setTimeout(FAREWELL_MS, () => socket.destroy());
    },
    backlogBytes: () => queue.backlogBytes(),
    closeAll() {
      for (const socket of sockets.values()) socket.destroy();
      sockets.clear();
    },
  };
}

// `wanted` says whether the core still wants to hear of this stream.
function listen(
  socket: Socket,
  events: BrokerEvents,
  connection: number,
  wanted: (ending: boolean) => boolean,
): void {
  let reason: string | undefined;
  socket.on("connect", () => wanted(false) && events.opened(connection));
  socket.on("data", (bytes: Buffer) => wanted(false) && events.bytes(connection, bytes));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.message;
  });
  socket.on("close", () => wanted(true) && events.closed(connection, reason));
}

interface WriteQueue {
  write(socket: Socket, bytes: Uint8Array): void;
  backlogBytes(): number;
}

// Corks a socket at its first write in a turn and lets it go at the end of the turn.
function createWriteQueue(): WriteQueue {
  const corked = new Set<Socket>();
  const slow = new Set<Socket>(); // the system did not take all of it

  function uncork(): void {
    for (const socket of corked) {
      socket.uncork();
      if (socket.writableLength > 0) slow.add(socket);
    }
    corked.clear();
  }

  return {
    write(socket, bytes) {
      if (!corked.has(socket)) {
        if (corked.size === 0) setImmediate(uncork);
        corked.add(socket);
        socket.cork();
      }
      socket.write(bytes);
    },
    backlogBytes() {
      let total = 0;
      for (const socket of slow) {
        if (socket.writableLength === 0 || socket.destroyed) slow.delete(socket);
        else total += socket.writableLength;
      }
      return total;
    },
  };
}
