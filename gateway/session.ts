// SPDX-License-Identifier: MIT
// The session of one client, and the state that all sessions of a gateway share.
//
// Spec: MQTT-SN 1.2 §6.2, §6.11, §6.14. Data only; connect, uplink, downlink and link act on it.
//
//   WILL_TOPIC -WILLTOPIC-> WILL_MESSAGE -WILLMSG-> OPENING -broker's CONNACK 0-> ACTIVE
//   CONNECT without a will goes to OPENING at once; CONNECT again makes the old session REPLACED: it keeps
//   its broker connection, so its will, until the new one is complete. Any of them ends as ENDED.

import { addDeadline, type Deadlines, moveDeadline, removeDeadline } from "./deadlines.ts";
import type { Counters } from "./counters.ts";
import { encodeInto } from "./encode.ts";
import { silenceMsMax } from "./limits.ts";
import type { BrokerDecoder, MqttQos, Will } from "./mqtt.ts";
import type { Connect, Packet, TopicIdType } from "./packet.ts";
import { createTopics, type Predefined, type TopicIds, type Topics } from "./topics.ts";

/** Where the core's output goes. Synchronous; bytes are valid during the call only. */
export interface GatewayPorts {
  /** `peer` is an opaque address key, such as "192.0.2.7:10001". */
  sendDatagram(peer: string, bytes: Uint8Array): void;
  /** Opens a byte stream to the broker for one client. */
  openBroker(connection: number): void;
  writeBroker(connection: number, bytes: Uint8Array): void;
  /** Ends the stream after what was written. Nothing of it may reach the core afterwards. */
  closeBroker(connection: number): void;
  /** Octets written and not yet sent, all streams together; absent: never a backlog. */
  backlogBytes?(): number;
}

export interface GatewayConfig {
  gatewayId: number; // 1..255
  seed: number; // decides the first topic id and the jitter of reconnections
  /** Milliseconds since 1970 at `nowMs`. */
  wallMs(nowMs: number): number;
  predefined?: Readonly<Record<string, number>>; // topic name -> predefined id, for all clients
  group?: string; // peer key of the group that hears ADVERTISE; absent: none is sent
  retryPeriodMs?: number; // Tretry
  clientIdBytesMax?: number; // up to 64 for clients that ignore §5.3.1
  clientsMax?: number;
}

export type SessionState =
  "will-topic" | "will-message" | "opening" | "active" | "replaced" | "ended";

export interface Subscription {
  readonly filter: string;
  readonly qos: MqttQos;
  readonly predefinedId: number; // 0: subscribed by name
}

/** A request of the client that waits for the broker, by MQTT packet id. */
export interface Exchange {
  readonly kind: "publish" | "subscribe" | "unsubscribe" | "own";
  readonly msgId: number;
  readonly topicIdType: TopicIdType;
  readonly topicId: number;
  readonly data: Uint8Array; // of a publish
  readonly subscription: Subscription | undefined;
}

/** A message for the client. */
export interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: MqttQos;
  readonly retain: boolean;
  readonly bytes: number; // what it counts for in the buffer
  packetId: number; // of the broker
  connection: number; // that wants the acknowledgement
  refusals: number; // PUBACK 02 so far
}

/** The gateway's own request that waits for the client. At most one. */
export interface Request {
  readonly kind: "register" | "publish" | "will-topic" | "will-message";
  readonly msgId: number;
  readonly topicIdType: TopicIdType;
  readonly topicId: number; // kept here: the table may change before the answer comes
  attempts: number; // retransmissions so far
  dueMs: number; // Infinity: stalled until the client is heard
}

/** The connection of one client to the broker. */
export interface Link {
  state: "idle" | "opening" | "connecting" | "ready";
  connection: number; // 0: none
  decoder: BrokerDecoder;
  dueMs: number; // idle: reconnect; opening, connecting: give up; ready: ping or miss its answer
  pinged: boolean;
  failures: number; // in a row
  unheard: boolean; // the client was not heard since a connection was lost
  probing: boolean; // idle: comes back as soon as the client is heard
  nextPacketId: number;
}

export interface Session {
  readonly order: number;
  readonly clientId: string;
  readonly peer: string;
  readonly cleanSession: boolean;
  readonly hasWill: boolean; // the Will flag of CONNECT
  readonly duration: number; // seconds
  state: SessionState;
  connectedAtMs: number;
  heardMs: number;
  greeted: boolean; // nothing was heard since CONNACK: it may be lost
  will: Will | undefined;
  willState: Uint8Array | undefined; // the last retained payload on the will's topic
  subscriptions: Map<string, Subscription>;
  readonly topics: Topics;
  readonly uplink: Map<number, Exchange>;
  acknowledged: Exchange | undefined; // the last publish acknowledged to the client
  readonly downlink: Delivery[];
  downlinkBytes: number;
  request: Request | undefined;
  pausedUntilMs: number; // the client asked for a pause (01)
  nextMsgId: number;
  link: Link;
  dueMs: number;
  heapIndex: number;
}

/** What a CleanSession 0 client leaves behind. */
export interface Stored {
  readonly will: Will | undefined;
  readonly subscriptions: Map<string, Subscription>;
}

export interface Core {
  readonly config: Required<Omit<GatewayConfig, "group" | "predefined">> & { group?: string };
  readonly ports: GatewayPorts;
  readonly counters: Counters;
  readonly predefined: Predefined;
  readonly topicIds: TopicIds;
  readonly peers: Map<string, Session>; // the session that an address speaks for
  readonly clients: Map<string, Session>; // the session that holds the broker's client id
  readonly links: Map<number, Session>; // by connection
  readonly stored: Map<string, Stored>;
  readonly deadlines: Deadlines<Session>;
  readonly scratch: Uint8Array; // the datagram being sent
  /** Whether too much waits on the way to the broker. */
  congested(): boolean;
  nextOrder: number;
  nextConnection: number;
  random: number; // state of the jitter
}

/** A session that has just been asked for. */
export function createSession(
  core: Core,
  peer: string,
  clientId: string,
  connect: Connect,
  nowMs: number,
): Session {
  return {
    order: core.nextOrder++,
    clientId,
    peer,
    cleanSession: connect.cleanSession,
    hasWill: connect.will,
    duration: connect.duration,
    state: "will-topic",
    connectedAtMs: nowMs,
    heardMs: nowMs,
    greeted: false,
    will: undefined,
    willState: undefined,
    subscriptions: new Map(),
    topics: createTopics(),
    uplink: new Map(),
    acknowledged: undefined,
    downlink: [],
    downlinkBytes: 0,
    request: undefined,
    pausedUntilMs: 0,
    nextMsgId: 1,
    link: createLink(),
    dueMs: Infinity,
    heapIndex: -1,
  };
}

function createLink(): Link {
  return {
    state: "idle",
    connection: 0,
    decoder: { push: () => undefined },
    dueMs: Infinity,
    pinged: false,
    failures: 0,
    unheard: false,
    probing: false,
    nextPacketId: 1,
  };
}

/** Sends one packet to an address. */
export function send(core: Core, peer: string, packet: Packet): void {
  const bytes = encodeInto(packet, core.scratch);
  core.counters.datagramsOut++;
  core.ports.sendDatagram(peer, core.scratch.subarray(0, bytes));
}

/** When an active client counts as lost; the other states end by their own timers. */
export function silentUntilMs(session: Session): number {
  if (session.state !== "active") return Infinity;
  return session.heardMs + silenceMsMax(session.duration);
}

/** When this session wants to be looked at next. */
export function sessionDueMs(session: Session): number {
  const requestMs = session.request?.dueMs ?? Infinity;
  const pauseMs =
    session.downlink.length > 0 && session.request === undefined
      ? session.pausedUntilMs || Infinity
      : Infinity;
  return Math.min(silentUntilMs(session), requestMs, pauseMs, session.link.dueMs);
}

/** Puts the session where its earliest deadline says. */
export function schedule(core: Core, session: Session): void {
  if (session.state === "ended") return;
  const dueMs = sessionDueMs(session);
  if (session.heapIndex < 0) {
    session.dueMs = dueMs;
    addDeadline(core.deadlines, session);
  } else if (dueMs < session.dueMs) {
    moveDeadline(core.deadlines, session, dueMs); // later ones are found out when the heap comes to it
  }
}

/** Takes a session out of all tables but `links`. */
export function forget(core: Core, session: Session): void {
  session.state = "ended";
  removeDeadline(core.deadlines, session);
  if (core.peers.get(session.peer) === session) core.peers.delete(session.peer);
  if (core.clients.get(session.clientId) === session) core.clients.delete(session.clientId);
}
