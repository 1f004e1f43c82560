// SPDX-License-Identifier: MIT
// A small MQTT 3.1.1 broker without sockets and timers, for virtual time.
//
// Spec: MQTT 3.1.1; QoS 0 and 1, wildcards, retained messages, will, keep alive (§3.1.2.10), session
// take-over (§3.1.4). QoS 2 is not offered: a publication ends the connection, a subscription is
// granted QoS 1. Byte streams in and out; time is an argument. Nothing is written to a connection
// that is closed.
//
//   opened -CONNECT-> connected -DISCONNECT-> gone        any other end of `connected` publishes the will

import { parser, type IConnectPacket, type Packet, type Parser } from "mqtt-packet";
import { BROKER_STREAM_BYTES_MAX } from "../limits.ts";
import { encode } from "./broker-packets.ts";
import { createSessions, type Message, type Session, type Sessions } from "./broker-sessions.ts";
import { isTopicFilter, isTopicName } from "./topic-filter.ts";

export type { Message } from "./broker-sessions.ts";

export interface BrokerPorts {
  write(connection: number, bytes: Uint8Array): void;
  /** The broker ends a connection; it hears nothing more of it. */
  close(connection: number): void;
  /** Every message accepted, with the client that sent it. */
  accepted(message: Message, clientId: string): void;
}

export interface Broker {
  opened(connection: number, nowMs: number): void;
  bytes(connection: number, bytes: Uint8Array, nowMs: number): void;
  closed(connection: number, nowMs: number): void;
  /** The broker's process ends and starts anew: no connection, no will is published; what is retained stays. */
  fail(): void;
  /** Ends connections whose keep alive is over; when to come again at the latest, Infinity: never. */
  poll(nowMs: number): number;
  /** A subscriber in this process, QoS 1; retained messages that match come first. */
  attach(filter: string, deliver: (message: Message) => void): void;
  /** A message of a client in this process. */
  publish(message: Message, clientId: string): void;
  counts(): { connections: number; sessions: number; retained: number; dropped: number };
}

interface Connection {
  readonly id: number;
  readonly parser: Parser;
  session: Session | undefined;
  will: Message | undefined;
  keepAliveMs: number; // 0: none asked for
  heardMs: number;
}

interface State {
  readonly ports: BrokerPorts;
  readonly sessions: Sessions;
  readonly connections: Map<number, Connection>;
  earliestDueMs: number; // no keep alive ends before; what is heard only moves its end away
}

export function createBroker(ports: BrokerPorts): Broker {
  const connections = new Map<number, Connection>();
  const sessions = createSessions((connection, bytes) => ports.write(connection, bytes));
  const state: State = { ports, sessions, connections, earliestDueMs: Infinity };

  return {
    opened(id, nowMs) {
      connections.set(id, createConnection(state, id, nowMs));
    },
    bytes(id, bytes, nowMs) {
      const connection = connections.get(id);
      if (connection === undefined) return;
      connection.heardMs = nowMs;
      const pending = connection.parser.parse(Buffer.from(bytes));
      if (pending > BROKER_STREAM_BYTES_MAX) end(state, connection);
    },
    closed(id) {
      const connection = connections.get(id);
      if (connection !== undefined) leave(state, connection);
    },
    fail() {
      for (const { id, session } of [...connections.values()]) {
        connections.delete(id);
        if (session !== undefined) sessions.release(session, id);
      }
    },
    poll: (nowMs) => poll(state, nowMs),
    attach: (filter, deliver) => sessions.attach(filter, deliver),
    publish: (message, clientId) => accept(state, message, clientId),
    counts: () => ({ connections: connections.size, ...sessions.counts() }),
  };
}

function createConnection(state: State, id: number, nowMs: number): Connection {
  const connection: Connection = {
    id,
    parser: parser({ protocolVersion: 4 }),
    session: undefined,
    will: undefined,
    keepAliveMs: 0,
    heardMs: nowMs,
  };
  connection.parser.on("packet", (packet) => {
    if (state.connections.get(id) === connection) handle(state, connection, packet);
  });
  connection.parser.on("error", () => {
    if (state.connections.get(id) === connection) end(state, connection);
  });
  return connection;
}

function poll(state: State, nowMs: number): number {
  if (nowMs < state.earliestDueMs) return state.earliestDueMs;
  for (const connection of state.connections.values()) {
    if (nowMs >= keepAliveDueMs(connection)) end(state, connection);
  }
  let earliestMs = Infinity;
  for (const connection of state.connections.values())
    earliestMs = Math.min(earliestMs, keepAliveDueMs(connection));
  state.earliestDueMs = earliestMs;
  return earliestMs;
}

// §3.1.2.10: one and a half times the keep alive.
function keepAliveDueMs(connection: Connection): number {
  const { keepAliveMs, heardMs } = connection;
  return keepAliveMs === 0 ? Infinity : heardMs + keepAliveMs * 1.5;
}

// The broker ends the connection.
function end(state: State, connection: Connection): void {
  leave(state, connection);
  state.ports.close(connection.id);
}

// A connection is gone, whoever ended it; its will is published unless a DISCONNECT took it away.
function leave(state: State, connection: Connection): void {
  const { session, will } = connection;
  state.connections.delete(connection.id);
  if (session !== undefined) state.sessions.release(session, connection.id);
  if (will !== undefined) accept(state, will, session?.clientId ?? "");
}

function accept(state: State, message: Message, clientId: string): void {
  state.ports.accepted(message, clientId);
  state.sessions.route(message);
}

function handle(state: State, connection: Connection, packet: Packet): void {
  const { session } = connection;
  if (packet.cmd === "connect") {
    if (session === undefined) connect(state, connection, packet);
    else end(state, connection); // [MQTT-3.1.0-2]
    return;
  }
  if (session === undefined) return end(state, connection); // [MQTT-3.1.0-1]
  switch (packet.cmd) {
    case "publish":
      return publish(state, connection, packet);
    case "puback":
      return state.sessions.acknowledge(session, packet.messageId ?? 0);
    case "subscribe":
      return subscribe(state, connection, packet);
    case "unsubscribe":
      for (const filter of packet.unsubscriptions) state.sessions.unsubscribe(session, filter);
      return write(state, connection, {
        cmd: "unsuback",
        messageId: packet.messageId!,
        granted: [],
      });
    case "pingreq":
      return write(state, connection, { cmd: "pingresp" });
    case "disconnect":
      connection.will = undefined; // [MQTT-3.14.4-3]
      return end(state, connection);
    default:
      return end(state, connection);
  }
}

function write(state: State, connection: Connection, packet: Packet): void {
  state.ports.write(connection.id, encode(packet));
}

function connect(state: State, connection: Connection, packet: IConnectPacket): void {
  const clean = packet.clean !== false;
  const refused = packet.protocolVersion === 5 ? 1 : packet.clientId === "" && !clean ? 2 : 0;
  if (refused !== 0) {
    write(state, connection, { cmd: "connack", returnCode: refused, sessionPresent: false });
    return end(state, connection);
  }
  const clientId = packet.clientId === "" ? `unnamed-${connection.id}` : packet.clientId;
  const taken = state.sessions.connectionOf(clientId);
  const before = taken === undefined ? undefined : state.connections.get(taken);
  if (before !== undefined) end(state, before); // [MQTT-3.1.4-2]
  const opened = state.sessions.open(clientId, clean, connection.id);
  if (opened === undefined) return end(state, connection); // no room for another session
  connection.session = opened.session;
  connection.keepAliveMs = (packet.keepalive ?? 0) * 1000;
  state.earliestDueMs = Math.min(state.earliestDueMs, keepAliveDueMs(connection));
  if (packet.will !== undefined) {
    const { topic, payload, qos, retain } = packet.will;
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    connection.will = { topic, payload: bytes, qos: qos === 0 ? 0 : 1, retain: retain === true };
  }
  const sessionPresent = opened.present;
  write(state, connection, { cmd: "connack", returnCode: 0, sessionPresent });
  state.sessions.resume(opened.session);
}

function publish(
  state: State,
  connection: Connection,
  packet: Extract<Packet, { cmd: "publish" }>,
): void {
  const { topic, qos, retain, messageId } = packet;
  if (qos === 2 || !isTopicName(topic)) return end(state, connection);
  const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
  accept(state, { topic, payload, qos, retain }, connection.session!.clientId);
  // The acknowledgement means that every subscriber's queue has it.
  if (qos === 1) write(state, connection, { cmd: "puback", messageId: messageId! });
}

function subscribe(
  state: State,
  connection: Connection,
  packet: Extract<Packet, { cmd: "subscribe" }>,
): void {
  const session = connection.session!;
  const { sessions } = state;
  if (!packet.subscriptions.every(({ topic }) => isTopicFilter(topic))) {
    return end(state, connection);
  }
  const granted = packet.subscriptions.map(({ topic, qos }) =>
    sessions.subscribe(session, topic, qos === 0 ? 0 : 1),
  );
  write(state, connection, { cmd: "suback", messageId: packet.messageId!, granted });
  packet.subscriptions.forEach(({ topic }, i) => {
    if (granted[i] !== 0x80) sessions.sendRetained(session, topic);
  });
}
